package storage

import (
	"net/http"
	"regexp"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
	"sekisho/rbac"
)

func (s *Storage) containerOperations() []api.Operation {
	restore := containerRow(http.MethodPut, "Container_Restore", "restore-container.md", writeContainer, false, "w", []string{"comp=undelete"}, s.restoreContainer)
	restore.Checks = restoring(restore.Checks)
	return []api.Operation{
		containerRow(http.MethodPut, "Container_Create", "create-container.md", writeContainer, false, "cw", nil, s.createContainer),
		containerRow(http.MethodGet, "Container_GetProperties", "get-container-properties.md", readContainer, false, "r", nil, s.getContainer),
		containerRow(http.MethodDelete, "Container_Delete", "delete-container.md", removeContainer, false, "d", nil, s.deleteContainer),
		restore,
		containerRow(http.MethodGet, "Container_GetMetadata", "get-container-metadata.md", readContainer, false, "r", []string{"comp=metadata"}, s.getContainer),
		containerRow(http.MethodPut, "Container_SetMetadata", "set-container-metadata.md", writeContainer, false, "w", []string{"comp=metadata"}, s.setContainerMetadata),
	}
}

// restoring asks for the container that was deleted, too, where the new one has
// another name. Source: restore-container.md, "Authorization".
func restoring(of checks) checks {
	return func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		if name := call.Request.Header.Get("x-ms-deleted-container-name"); err == nil && name != "" && !strings.EqualFold(name, call.Var("container")) {
			check := all[0]
			check.Scope = call.Target.Scope + rbac.Scope("/blobServices/default/containers/"+name)
			all = append(all, check)
		}
		return all, err
	}
}

// containerNames is what a container may be called.
// Source: naming-and-referencing-containers--blobs--and-metadata.md.
var containerNames = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9]){2,62}$`)

var specialContainers = map[string]bool{"$root": true, "$web": true, "$logs": true}

// inRoot finds a blob whose container is left out: in $root. What asks for nothing of a
// container (restype), nor for what only containers have, means a blob.
// Source: rest-storageservices working-with-the-root-container.md.
func inRoot(r *http.Request, path []string) []string {
	query := r.URL.Query()
	switch comp := strings.ToLower(query.Get("comp")); {
	case len(path) != 1 || query.Has("restype") || specialContainers[path[0]] || comp == "list" || comp == "acl" || comp == "blobs":
		return path
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return []string{"$root", path[0]}
	}
	return path
}

func checkContainerName(name string) error {
	switch {
	case len(name) < 3 || len(name) > 63:
		return api.BadRequest("OutOfRangeInput", "container", "The specified resource name length is not within the permissible limits.")
	case !containerNames.MatchString(name) && !specialContainers[name]:
		return api.BadRequest("InvalidResourceName", "container", "The specified resource name contains invalid characters.")
	}
	return nil
}

func (s *Storage) createContainer(w http.ResponseWriter, call *api.Call) error {
	ctx, account, name := s.container(call)
	if err := checkContainerName(name); err != nil {
		return err
	}
	meta, err := metadata(call.Request.Header)
	if err != nil {
		return err
	}
	access, err := publicAccess(call)
	if err != nil {
		return err
	}
	hierarchical, err := s.hierarchical(call)
	if err != nil {
		return err
	}
	made := blob.Container{Account: account, Name: name, Metadata: meta, PublicAccess: access, Hierarchical: hierarchical}
	if hierarchical {
		made.Root = blob.RootAccess(principalOf(call))
	}
	c, err := s.blobs.CreateContainer(ctx, made)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	setETag(w.Header(), c.ETag, c.Modified)
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (s *Storage) getContainer(w http.ResponseWriter, call *api.Call) error {
	ctx, account, name := s.container(call)
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	c, err := s.blobs.ReadContainer(ctx, account, name, cond)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	h := w.Header()
	setETag(h, c.ETag, c.Modified)
	setMetadata(h, c.Metadata)
	if call.Operation.Name == "Container_GetProperties" {
		setLease(h, c.Lease, s.now())
		h.Set("x-ms-has-immutability-policy", "false")
		h.Set("x-ms-has-legal-hold", "false")
		h.Set("x-ms-default-encryption-scope", "$account-encryption-key")
		h.Set("x-ms-deny-encryption-scope-override", "false")
		if c.PublicAccess != "" {
			h.Set("x-ms-blob-public-access", c.PublicAccess)
		}
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Storage) setContainerMetadata(w http.ResponseWriter, call *api.Call) error {
	ctx, account, name := s.container(call)
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	meta, err := metadata(call.Request.Header)
	if err != nil {
		return err
	}
	c, err := s.blobs.ChangeContainer(ctx, account, name, cond, func(c *blob.Container) error { c.Metadata = meta; return nil })
	if err != nil {
		return err
	}
	setHeaders(w, call)
	setETag(w.Header(), c.ETag, c.Modified)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Storage) deleteContainer(w http.ResponseWriter, call *api.Call) error {
	ctx, account, name := s.container(call)
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	if err := s.blobs.DeleteContainer(ctx, account, name, cond); err != nil {
		return err
	}
	return done(w, call, http.StatusAccepted)
}

// restoreContainer brings a deleted container back, under the name that the path has.
func (s *Storage) restoreContainer(w http.ResponseWriter, call *api.Call) error {
	h := call.Request.Header
	deleted, version := h.Get("x-ms-deleted-container-name"), h.Get("x-ms-deleted-container-version")
	if deleted == "" {
		return missingHeader("x-ms-deleted-container-name")
	}
	if version == "" {
		return missingHeader("x-ms-deleted-container-version")
	}
	ctx, account, name := s.container(call)
	if err := checkContainerName(name); err != nil {
		return err
	}
	if _, err := s.blobs.RestoreContainer(ctx, account, name, deleted, version); err != nil {
		return err
	}
	return done(w, call, http.StatusCreated)
}
