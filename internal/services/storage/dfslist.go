package storage

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func unescape(text string) (string, error) { return url.PathUnescape(text) }

func (s *Storage) filesystemOperations() []api.Operation {
	row := func(method, name, page, action, sas string, handle handler) api.Operation {
		return api.Operation{Method: method, Pattern: "/{container}", Query: []string{"resource=filesystem"}, Name: name, Action: action,
			Source: lakeSource + "filesystem/" + page, Checks: asks(action, "", false, sas, "c"), Handle: handle}
	}
	list := row(http.MethodGet, "FileSystem_ListPaths", "list", readBlob, "l", s.listPaths)
	list.Data, list.Checks, list.Source = true, s.listsPaths, lakeSource+"path/list"
	return []api.Operation{
		{Method: http.MethodGet, Pattern: "/", Query: []string{"resource=account"}, Name: "Service_ListFileSystems", Action: readContainer,
			Source: lakeSource + "filesystem/list", Checks: asks(readContainer, "", false, "l", "s"), Handle: s.listFilesystems},
		row(http.MethodPut, "FileSystem_Create", "create", writeContainer, "cw", s.createFilesystem),
		row(http.MethodHead, "FileSystem_GetProperties", "getproperties", readContainer, "r", s.headFilesystem),
		row(http.MethodPatch, "FileSystem_SetProperties", "setproperties", writeContainer, "w", s.setFilesystem),
		row(http.MethodDelete, "FileSystem_Delete", "delete", removeContainer, "d", s.deleteContainer),
		list,
	}
}

func (s *Storage) createFilesystem(w http.ResponseWriter, call *api.Call) error {
	ctx, account, name := s.container(call)
	if err := checkContainerName(name); err != nil {
		return err
	}
	hierarchical, err := s.hierarchical(call)
	if err != nil {
		return err
	}
	made := blob.Container{Account: account, Name: name, Hierarchical: hierarchical}
	if hierarchical {
		made.Root = blob.RootAccess(principalOf(call))
	}
	if made.Metadata, err = lakeMetadata(call.Request.Header); err != nil {
		return err
	}
	c, err := s.blobs.CreateContainer(ctx, made)
	if err != nil {
		return err
	}
	describeFilesystem(w, call, c)
	w.WriteHeader(http.StatusCreated)
	return nil
}

func describeFilesystem(w http.ResponseWriter, call *api.Call, c *blob.Container) {
	setHeaders(w, call)
	setETag(w.Header(), c.ETag, c.Modified)
	w.Header().Set("x-ms-namespace-enabled", strconv.FormatBool(c.Hierarchical))
}

func (s *Storage) headFilesystem(w http.ResponseWriter, call *api.Call) error {
	ctx, account, name := s.container(call)
	c, err := s.blobs.Container(ctx, account, name)
	if err != nil {
		return err
	}
	describeFilesystem(w, call, c)
	w.Header().Set("x-ms-properties", lakeProperties(c.Metadata))
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Storage) setFilesystem(w http.ResponseWriter, call *api.Call) error {
	ctx, account, name := s.container(call)
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	meta, err := lakeMetadata(call.Request.Header)
	if err != nil {
		return err
	}
	c, err := s.blobs.ChangeContainer(ctx, account, name, cond, func(c *blob.Container) error { c.Metadata = meta; return nil })
	if err != nil {
		return err
	}
	describeFilesystem(w, call, c)
	w.WriteHeader(http.StatusOK)
	return nil
}

// continuation is where a list goes on, as clients hand it back.
func continuation(call *api.Call) (string, error) {
	text := call.Request.URL.Query().Get("continuation")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", invalidQuery("continuation", text, "It is none that this service gave out.")
	}
	return string(raw), nil
}

func setContinuation(h http.Header, next string) {
	if next != "" {
		h.Set("x-ms-continuation", nextMarker(next))
	}
}

func (s *Storage) listFilesystems(w http.ResponseWriter, call *api.Call) error {
	limit, err := intQuery(call.Request, "maxResults", maxResults, maxResults)
	if err != nil {
		return err
	}
	after, err := continuation(call)
	if err != nil {
		return err
	}
	found, next, err := s.blobs.Containers(call.Request.Context(), accountName(call),
		blob.ContainerQuery{Prefix: call.Request.URL.Query().Get("prefix"), After: after, Limit: limit})
	if err != nil {
		return err
	}
	all := []any{}
	for _, c := range found {
		all = append(all, map[string]string{"name": c.Name, "etag": c.ETag, "lastModified": httpTime(c.Modified),
			"DefaultEncryptionScope": "$account-encryption-key", "DenyEncryptionScopeOverride": "false"})
	}
	setHeaders(w, call)
	setContinuation(w.Header(), next)
	return writeLakeJSON(w, http.StatusOK, map[string]any{"filesystems": all})
}

// listsPaths asks what a list of paths needs.
func (s *Storage) listsPaths(call *api.Call) ([]api.Check, error) {
	need := blob.ToList
	if isRecursive(call) {
		need = blob.ToListAll
	}
	check := s.lakeCheck(call, s.listedDirectory(call), readBlob, "l", need)
	check.SASType = "c"
	return []api.Check{check}, nil
}

func (s *Storage) listedDirectory(call *api.Call) blob.Address {
	where := at(call)
	where.Name, where.Snapshot = cleanPath(call.Request.URL.Query().Get("directory")), ""
	return where
}

// pathJSON is an entry of a list of paths: all its values are texts.
type pathJSON struct {
	Length      string `json:"contentLength"`
	Created     string `json:"creationTime"`
	ETag        string `json:"etag"`
	Group       string `json:"group,omitempty"`
	Directory   string `json:"isDirectory,omitempty"`
	Modified    string `json:"lastModified"`
	Name        string `json:"name"`
	Owner       string `json:"owner,omitempty"`
	Permissions string `json:"permissions,omitempty"`
}

// fileTime is a time as Windows counts: in 100 ns since 1601.
func fileTime(t time.Time) string {
	const epoch = 116444736000000000
	return strconv.FormatInt(t.UnixNano()/100+epoch, 10)
}

func (s *Storage) listPaths(w http.ResponseWriter, call *api.Call) error {
	q := call.Request.URL.Query()
	if text := q.Get("recursive"); !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
		return invalidQuery("recursive", text, "It must be true or false.")
	}
	limit, err := intQuery(call.Request, "maxResults", maxResults, maxResults)
	if err != nil {
		return err
	}
	after, err := continuation(call)
	if err != nil {
		return err
	}
	where := s.listedDirectory(call)
	query := blob.ListQuery{After: after, Limit: limit}
	if where.Name != "" {
		b, _, err := s.blobs.GetPath(call.Request.Context(), where, blob.Conditions{})
		if err != nil {
			return err
		}
		if !b.Directory {
			return invalidQuery("directory", where.Name, "It is a file.")
		}
		query.Prefix = where.Name + "/"
	}
	if !isRecursive(call) {
		query.Delimiter = "/"
	}
	found, next, err := s.blobs.List(call.Request.Context(), where.Account, where.Container, query)
	if err != nil {
		return err
	}
	all := []pathJSON{}
	for _, one := range found {
		all = s.pathEntry(call, all, one)
	}
	setHeaders(w, call)
	setContinuation(w.Header(), next)
	return writeLakeJSON(w, http.StatusOK, map[string]any{"paths": all})
}

func (s *Storage) pathEntry(call *api.Call, all []pathJSON, one blob.Listed) []pathJSON {
	b := one.Blob
	if b == nil { // a directory of a flat namespace, which may have a blob, too
		name := strings.TrimSuffix(one.Prefix, "/")
		if slices.ContainsFunc(all, func(p pathJSON) bool { return p.Name == name }) {
			return all
		}
		now := s.now()
		return append(all, pathJSON{Name: name, Directory: "true", Length: "0", Created: fileTime(now), Modified: httpTime(now), ETag: "0x0"})
	}
	p := pathJSON{Name: b.Name, Length: strconv.FormatInt(b.Size, 10), Created: fileTime(b.Created), Modified: httpTime(b.Modified), ETag: b.ETag}
	if b.Directory {
		p.Directory = "true"
	}
	if a := b.Access; a != nil {
		p.Owner, p.Group, p.Permissions = a.Owner, a.Group, a.Permissions()
		if wantsNames(call) {
			p.Owner, p.Group = s.nameOf(call, p.Owner), s.nameOf(call, p.Group)
		}
	}
	return append(all, p)
}
