package storage

import (
	"net/http"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

// createsPath asks what making a path needs: less, as long as there is none.
func (s *Storage) createsPath(call *api.Call) ([]api.Check, error) {
	check := s.lakeCheck(call, pathAt(call), writeBlob, "w", blob.ToCreate)
	_, err := s.blobs.Get(call.Request.Context(), pathAt(call), blob.Conditions{})
	switch {
	case notFound(err):
		check.Or, check.SAS = addBlob, "cw"
	case err != nil:
		return nil, err
	}
	return []api.Check{check}, nil
}

// making reads what a request says of a new path's access.
func (s *Storage) making(call *api.Call) (m blob.Making, err error) {
	h := call.Request.Header
	asks := false
	for _, name := range []string{"x-ms-owner", "x-ms-group", "x-ms-permissions", "x-ms-umask", "x-ms-acl"} {
		asks = asks || h.Get(name) != ""
	}
	if !asks {
		return m, nil
	}
	if hierarchical, err := s.hierarchical(call); err != nil || !hierarchical {
		if err == nil {
			err = notHierarchical()
		}
		return m, err
	}
	if h.Get("x-ms-acl") != "" && (h.Get("x-ms-permissions") != "" || h.Get("x-ms-umask") != "") {
		return m, invalidHeader("x-ms-acl", "It excludes x-ms-permissions and x-ms-umask.")
	}
	if m.Mode, err = modeHeader(h, "x-ms-permissions"); err != nil {
		return m, err
	}
	if m.Umask, err = modeHeader(h, "x-ms-umask"); err != nil {
		return m, err
	}
	if m.Owner, m.Group, err = ownerHeaders(h); err != nil {
		return m, err
	}
	if text := h.Get("x-ms-acl"); text != "" {
		m.ACL, err = completeACL(text, strings.EqualFold(call.Request.URL.Query().Get("resource"), "directory"))
	}
	return m, err
}

func (s *Storage) createPath(w http.ResponseWriter, call *api.Call) error {
	r, where := call.Request, pathAt(call)
	if r.ContentLength > 0 {
		return api.BadRequest("ContentLengthMustBeZero", "Content-Length", "The Content-Length request header must be zero.")
	}
	if err := checkPath(where.Name); err != nil {
		return err
	}
	if err := unsupportedHere(r.Header, "x-ms-proposed-lease-id", "x-ms-encryption-context", "x-ms-lease-duration"); err != nil {
		return err
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	if !call.Can(s.lakeCheck(call, where, writeBlob, "w", blob.ToCreate)) {
		cond.IfNoneMatch = "*" // another may have made it since gate looked
	}
	in := blob.Blob{Directory: strings.EqualFold(r.URL.Query().Get("resource"), "directory")}
	in.ContentType = "application/octet-stream"
	if err := setContent(r.Header, &in.Properties); err != nil {
		return err
	}
	if in.Metadata, err = lakeMetadata(r.Header); err != nil {
		return err
	}
	asked, err := s.making(call)
	if err != nil {
		return err
	}
	b, err := s.blobs.CreatePath(r.Context(), where, in, asked, cond)
	if err != nil {
		return err
	}
	created(w, call, b)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// Bounds of paths. Source: azure-docs storage/common/scalability-targets-standard-account.md;
// naming-and-referencing-containers--blobs--and-metadata.md, "Blob names".
const (
	maxPath  = 1024
	maxDepth = 63
)

func checkPath(name string) error {
	if name == "" || len(name) > maxPath || strings.Count(name, "/") >= maxDepth {
		return api.BadRequest("InvalidResourceName", "path", "The specified resource name contains invalid characters, or is too long.")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "." || part == ".." {
			return api.BadRequest("InvalidUri", "path", "The request URI is invalid: a path has no part %q.", part)
		}
	}
	return nil
}

// renameSource is the path that a request renames.
func renameSource(call *api.Call) (from blob.Address, err error) {
	text := call.Request.Header.Get("x-ms-rename-source")
	path, _, _ := strings.Cut(text, "?")
	container, name, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	from = at(call)
	from.Snapshot = ""
	var errContainer, errName error
	from.Container, errContainer = unescape(container)
	from.Name, errName = unescape(name)
	from.Name = cleanPath(from.Name)
	if !ok || !strings.HasPrefix(path, "/") || from.Name == "" || errContainer != nil || errName != nil || len(text) > maxSource {
		return from, api.BadRequest("InvalidSourceUri", "x-ms-rename-source", "The source URI is invalid.")
	}
	return from, nil
}

// renames asks what a renaming needs: of the source that it may be moved, of the
// destination that it may be made.
func (s *Storage) renames(call *api.Call) ([]api.Check, error) {
	from, err := renameSource(call)
	if err != nil {
		return nil, err
	}
	if !reaches(call, from) {
		return nil, &api.Refusal{Reason: api.SASUnsupported, Cause: "the signed URL does not reach the source of the renaming", Caller: call.Caller}
	}
	made, err := s.createsPath(call)
	if err != nil {
		return nil, err
	}
	return append([]api.Check{s.lakeCheck(call, from, moveBlob, "m", blob.ToDelete)}, made...), nil
}

// reaches tells whether the signed URL of a call, if it has one, is also for a
// source: its signature says only that it is for the destination.
func reaches(call *api.Call, from blob.Address) bool {
	q, to := call.Request.URL.Query(), pathAt(call)
	if !q.Has("sig") || q.Has("ss") {
		return true
	}
	depth, err := strconv.Atoi(q.Get("sdd"))
	a, b := strings.Split(from.Name, "/"), strings.Split(to.Name, "/")
	switch {
	case from.Container != to.Container:
		return false
	case q.Get("sr") == "c":
		return true
	case q.Get("sr") != "d" || err != nil || depth < 0 || depth >= len(a) || depth > len(b):
		return false
	}
	return strings.Join(a[:depth], "/") == strings.Join(b[:depth], "/")
}

func (s *Storage) renamePath(w http.ResponseWriter, call *api.Call) error {
	r, where := call.Request, pathAt(call)
	if err := checkPath(where.Name); err != nil {
		return err
	}
	if err := unsupportedHere(r.Header, "x-ms-permissions", "x-ms-umask", "x-ms-acl", "x-ms-owner", "x-ms-group"); err != nil {
		return err
	}
	if mode := r.URL.Query().Get("mode"); mode != "" && mode != "legacy" && mode != "posix" {
		return invalidQuery("mode", mode, "It is legacy or posix.")
	}
	from, err := renameSource(call)
	if err != nil {
		return err
	}
	source, err := sourceConditions(r.Header)
	if err != nil {
		return err
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	if !call.Can(s.lakeCheck(call, where, writeBlob, "w", blob.ToCreate)) {
		cond.IfNoneMatch = "*"
	}
	meta, err := lakeMetadata(r.Header)
	if err != nil {
		return err
	}
	var content blob.Properties
	if err := setContent(r.Header, &content); err != nil {
		return err
	}
	b, err := s.blobs.Rename(r.Context(), from, where, source, cond, func(b *blob.Blob) {
		setContent(r.Header, &b.Properties)
		if r.Header.Get("x-ms-properties") != "" {
			b.Metadata = meta
		}
	})
	if err != nil {
		return err
	}
	created(w, call, b)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// isRecursive tells whether a request is for all that is in a directory.
func isRecursive(call *api.Call) bool {
	return strings.EqualFold(call.Request.URL.Query().Get("recursive"), "true")
}

// deletesPath asks what a deletion needs.
func (s *Storage) deletesPath(call *api.Call) ([]api.Check, error) {
	if isRecursive(call) {
		return forTrees(s.asksLake(removeBlob, "d", blob.ToDeleteAll))(call)
	}
	return s.asksLake(removeBlob, "d", blob.ToDelete)(call)
}

func (s *Storage) deletePath(w http.ResponseWriter, call *api.Call) error {
	where := pathAt(call)
	if err := checkPath(where.Name); err != nil {
		return err
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	if err := s.blobs.DeletePath(call.Request.Context(), where, isRecursive(call), cond); err != nil {
		return err
	}
	return done(w, call, http.StatusOK)
}

func (s *Storage) leasePath(w http.ResponseWriter, call *api.Call) error {
	a, cond, err := leaseRequest(call)
	if err != nil {
		return err
	}
	b, left, err := s.blobs.LeaseBlob(call.Request.Context(), pathAt(call), a, cond)
	if err != nil {
		return err
	}
	return leased(w, call, a, b.Lease, left, b.ETag, b.Modified)
}

func (s *Storage) headPath(w http.ResponseWriter, call *api.Call) error {
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	b, _, err := s.blobs.GetPath(call.Request.Context(), pathAt(call), cond)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	s.describePath(w.Header(), b)
	s.tellAccess(w.Header(), call, b)
	override(w.Header(), call)
	w.Header().Set("Content-Length", strconv.FormatInt(b.Size, 10))
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Storage) readPath(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	defer s.blobs.Hold()() // what is read stays until it is sent
	b, err := s.blobs.GetPathContent(r.Context(), pathAt(call), cond)
	if err != nil {
		return err
	}
	if b.Directory {
		return api.Errorf(http.StatusConflict, "ResourceTypeMismatch", "A directory has no content.")
	}
	return s.send(w, call, b, "x-ms-content-md5", func(h http.Header) {
		s.describePath(h, b)
		s.tellAccess(h, call, b)
	})
}

func (s *Storage) setPathProperties(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	if err := checkPath(pathAt(call).Name); err != nil {
		return err
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	meta, err := lakeMetadata(r.Header)
	if err != nil {
		return err
	}
	b, err := s.blobs.Change(r.Context(), pathAt(call), cond, func(b *blob.Blob) error {
		if r.Header.Get("x-ms-properties") != "" {
			b.Metadata = meta
		}
		return setContent(r.Header, &b.Properties)
	})
	if err != nil {
		return err
	}
	setHeaders(w, call)
	s.describePath(w.Header(), b)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}
