package storage

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func modeHeader(h http.Header, name string) (*blob.Mode, error) {
	text := h.Get(name)
	if text == "" {
		return nil, nil
	}
	m, err := blob.ParseMode(text)
	if err != nil {
		return nil, invalidHeader(name, text+" ("+err.Error()+")")
	}
	return &m, nil
}

// ownerHeaders are the object ids of owner and owning group.
func ownerHeaders(h http.Header) (owner, group string, err error) {
	owner, group = h.Get("x-ms-owner"), h.Get("x-ms-group")
	for name, id := range map[string]string{"x-ms-owner": owner, "x-ms-group": group} {
		if id != "" && id != blob.Superuser && uuid.Validate(id) != nil {
			return "", "", invalidHeader(name, id)
		}
	}
	return owner, group, nil
}

func invalidACL(text string, err error) error {
	return invalidHeader("x-ms-acl", text+" ("+err.Error()+")")
}

// parseACL reads a list, whose principals are object ids.
func parseACL(text string, parse func(string) (blob.ACL, error)) (blob.ACL, error) {
	list, err := parse(text)
	if err != nil {
		return nil, invalidACL(text, err)
	}
	for _, e := range list {
		if e.ID != "" && uuid.Validate(e.ID) != nil {
			return nil, invalidACL(text, errors.New(strconv.Quote(e.ID)+" is not an object id"))
		}
	}
	return list, nil
}

// completeACL reads a whole list.
func completeACL(text string, directory bool) (blob.ACL, error) {
	list, err := parseACL(text, blob.ParseACL)
	if err != nil {
		return nil, err
	}
	if list, err = list.Complete(directory); err != nil {
		return nil, invalidACL(text, err)
	}
	return list, nil
}

// setsAccess asks what a change of access needs. Permissions are the owner's to
// give; ownership is not, but for giving the path to a group that the owner is in.
// Source: azure-docs storage/blobs/data-lake-storage-access-control.md, "The owning
// user", "Changing the owning group".
func (s *Storage) setsAccess(call *api.Call) (all []api.Check, err error) {
	h, where := call.Request.Header, pathAt(call)
	if h.Get("x-ms-acl") != "" || h.Get("x-ms-permissions") != "" || h.Get("x-ms-owner") == "" && h.Get("x-ms-group") == "" {
		all = append(all, s.lakeCheck(call, where, modifyBlob, "p", blob.ToOwn))
	}
	if h.Get("x-ms-owner") == "" && h.Get("x-ms-group") == "" {
		return all, nil
	}
	check := s.lakeCheck(call, where, ownBlob, "o", blob.ToOwn)
	owns := check.Otherwise
	check.Otherwise = func(p api.Principal) (api.Verdict, error) {
		for _, id := range p.Groups {
			if h.Get("x-ms-owner") == "" && strings.EqualFold(id, h.Get("x-ms-group")) {
				return owns(p)
			}
		}
		return api.Verdict{Why: "the access control lists let an owner only give a path to a group that the owner is in"}, nil
	}
	return append(all, check), nil
}

func (s *Storage) setAccess(w http.ResponseWriter, call *api.Call) error {
	h := call.Request.Header
	if hierarchical, err := s.hierarchical(call); err != nil || !hierarchical {
		return errors.Join(err, flat(err))
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	mode, err := modeHeader(h, "x-ms-permissions")
	if err != nil {
		return err
	}
	owner, group, err := ownerHeaders(h)
	if err != nil {
		return err
	}
	text := h.Get("x-ms-acl")
	switch {
	case text != "" && mode != nil:
		return invalidHeader("x-ms-acl", "It excludes x-ms-permissions.")
	case text == "" && mode == nil && owner == "" && group == "":
		return missingHeader("x-ms-acl")
	}
	b, err := s.blobs.SetAccess(call.Request.Context(), pathAt(call), cond, func(a *blob.Access, directory bool) error {
		if text != "" {
			list, err := completeACL(text, directory)
			if err != nil {
				return err
			}
			a.ACL = list
		}
		if mode != nil {
			a.SetMode(*mode)
		}
		if owner != "" {
			a.Owner = owner
		}
		if group != "" {
			a.Group = group
		}
		return nil
	})
	if err != nil {
		return err
	}
	setHeaders(w, call)
	setETag(w.Header(), b.ETag, b.Modified)
	w.WriteHeader(http.StatusOK)
	return nil
}

// flat is notHierarchical, unless there is another error.
func flat(err error) error {
	if err != nil {
		return nil
	}
	return notHierarchical()
}

func (s *Storage) getAccess(w http.ResponseWriter, call *api.Call) error {
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	b, hierarchical, err := s.blobs.GetPath(call.Request.Context(), pathAt(call), cond)
	if err != nil {
		return err
	}
	if !hierarchical {
		return notHierarchical()
	}
	setHeaders(w, call)
	setETag(w.Header(), b.ETag, b.Modified)
	s.tellAccess(w.Header(), call, b)
	w.WriteHeader(http.StatusOK)
	return nil
}

// tellAccess is setAccessHeaders, with names of users where they are asked for.
func (s *Storage) tellAccess(h http.Header, call *api.Call, b *blob.Blob) {
	if b.Access == nil {
		return
	}
	if !wantsNames(call) {
		setAccessHeaders(h, b)
		return
	}
	named, a := *b, *b.Access
	a.Owner, a.Group = s.nameOf(call, a.Owner), s.nameOf(call, a.Group)
	a.ACL = append(blob.ACL{}, a.ACL...)
	for i := range a.ACL {
		a.ACL[i].ID = s.nameOf(call, a.ACL[i].ID)
	}
	named.Access = &a
	setAccessHeaders(h, &named)
}

func wantsNames(call *api.Call) bool {
	return strings.EqualFold(call.Request.URL.Query().Get("upn"), "true")
}

// nameOf is the user principal name of a user. Others have none, and are shown by
// their id. Source: rest-storageservices datalakestoragegen2/path/list, "upn".
func (s *Storage) nameOf(call *api.Call, id string) string {
	if uuid.Validate(id) != nil {
		return id
	}
	p, err := s.delegation.principals.Principal(call.Request.Context(), id)
	if err != nil || p == nil || p.Type != "User" {
		return id
	}
	return p.Name
}

// maxRecords is how many paths one call changes. Source: rest-storageservices
// datalakestoragegen2/path/update, "maxRecords".
const maxRecords = 2000

// changing reads how a recursive change changes a list.
func changing(call *api.Call) (func(*blob.Access, bool) error, error) {
	text := call.Request.Header.Get("x-ms-acl")
	if text == "" {
		return nil, missingHeader("x-ms-acl")
	}
	mode := strings.ToLower(call.Request.URL.Query().Get("mode"))
	parse := blob.ParseACL
	if mode == "remove" {
		parse = blob.ParseRemoval
	}
	list, err := parseACL(text, parse)
	if err != nil {
		return nil, err
	}
	// What a file would not take is for the directories only.
	entries := func(directory bool) (some blob.ACL) {
		for _, e := range list {
			if directory || !e.Default {
				some = append(some, e)
			}
		}
		return some
	}
	var next func(a blob.ACL, directory bool) blob.ACL
	switch mode {
	case "set":
		next = func(_ blob.ACL, directory bool) blob.ACL { return entries(directory) }
	case "modify":
		next = func(a blob.ACL, directory bool) blob.ACL { return a.With(entries(directory)...) }
	case "remove":
		next = func(a blob.ACL, directory bool) blob.ACL { return a.Without(entries(directory)...) }
	default:
		return nil, invalidQuery("mode", mode, "It is set, modify or remove.")
	}
	return func(a *blob.Access, directory bool) error {
		made, err := next(a.ACL, directory).Complete(directory)
		if err != nil {
			return invalidACL(text, err)
		}
		a.ACL = made
		return nil
	}, nil
}

func (s *Storage) setAccessBelow(w http.ResponseWriter, call *api.Call) error {
	if hierarchical, err := s.hierarchical(call); err != nil || !hierarchical {
		return errors.Join(err, flat(err))
	}
	change, err := changing(call)
	if err != nil {
		return err
	}
	limit, err := intQuery(call.Request, "maxRecords", maxRecords, maxRecords)
	if err != nil {
		return err
	}
	after, err := continuation(call)
	if err != nil {
		return err
	}
	where := pathAt(call)
	where.Name = "" // so that a condition on paths is asked for each
	everything := call.Can(api.Check{Scope: containerScope(call), Action: modifyBlob, Data: true, SAS: "p", SASType: "o", Attributes: s.attributes(call, where, modifyBlob)})
	may := func(name string) error {
		if everything {
			return nil
		}
		where.Name = name
		return call.Authorize(s.lakeCheck(call, where, modifyBlob, "p", blob.ToOwn))
	}
	force := strings.EqualFold(call.Request.URL.Query().Get("forceFlag"), "true")
	changed, err := s.blobs.SetAccessBelow(call.Request.Context(), pathAt(call), after, limit, force, may, change)
	if err != nil {
		return err
	}
	failed := []any{}
	for _, f := range changed.Failed {
		kind := "FILE"
		if f.Directory {
			kind = "DIRECTORY"
		}
		failed = append(failed, map[string]string{"name": f.Name, "type": kind, "errorMessage": f.Reason})
	}
	setHeaders(w, call)
	setContinuation(w.Header(), changed.Next)
	return writeLakeJSON(w, http.StatusOK, map[string]any{"directoriesSuccessful": changed.Directories, "filesSuccessful": changed.Files,
		"failureCount": len(failed), "failedEntries": failed})
}
