package storage

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"regexp"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) containerOperations() []api.Operation {
	row := func(method, name, page, action, or string, data bool, sas, types string, query []string, handle handler) api.Operation {
		return api.Operation{Method: method, Pattern: "/{container}", Query: append(query, "restype=container"), Name: name, Action: action, Data: data,
			Source: source + page, Checks: asks(action, or, data, sas, types), Handle: handle}
	}
	const read, write, remove = containerActions + "/read", containerActions + "/write", containerActions + "/delete"
	return []api.Operation{
		{Method: http.MethodGet, Pattern: "/", Query: []string{"comp=list"}, Name: "Service_ListContainers", Action: read,
			Source: source + "list-containers2.md", Checks: asks(read, "", false, "l", "s"), Handle: s.listContainers},
		row(http.MethodPut, "Container_Create", "create-container.md", write, "", false, "cw", "c", nil, s.createContainer),
		row(http.MethodGet, "Container_GetProperties", "get-container-properties.md", read, "", false, "r", "c", nil, s.getContainer),
		row(http.MethodDelete, "Container_Delete", "delete-container.md", remove, "", false, "d", "c", nil, s.deleteContainer),
		row(http.MethodGet, "Container_GetMetadata", "get-container-metadata.md", read, "", false, "r", "c", []string{"comp=metadata"}, s.getContainer),
		row(http.MethodPut, "Container_SetMetadata", "set-container-metadata.md", write, "", false, "w", "c", []string{"comp=metadata"}, s.setContainerMetadata),
		row(http.MethodGet, "Container_ListBlobs", "list-blobs.md", blobActions+"/read", "", true, "l", "c", []string{"comp=list"}, s.listBlobs),
	}
}

// containerNames is what a container may be called.
// Source: naming-and-referencing-containers--blobs--and-metadata.md.
var containerNames = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9]){2,62}$`)

var specialContainers = map[string]bool{"$root": true, "$web": true, "$logs": true}

func (s *Storage) createContainer(w http.ResponseWriter, call *api.Call) error {
	ctx, account, name := s.container(call)
	if !containerNames.MatchString(name) && !specialContainers[name] || len(name) > 63 {
		return api.BadRequest("InvalidResourceName", "container", "The specified resource name contains invalid characters.")
	}
	meta, err := metadata(call.Request.Header)
	if err != nil {
		return err
	}
	access, err := publicAccess(call)
	if err != nil {
		return err
	}
	c, err := s.blobs.CreateContainer(ctx, blob.Container{Account: account, Name: name, Metadata: meta, PublicAccess: access})
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
	c, err := s.blobs.Container(ctx, account, name)
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
	setHeaders(w, call)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// Bounds of a page. Source: list-containers2.md, list-blobs.md.
const maxResults = 5000

// marker is where a list goes on, as clients hand it back.
func marker(call *api.Call) (string, error) {
	text := call.Request.URL.Query().Get("marker")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", invalidQuery("marker", text, "It is none that this service gave out.")
	}
	return string(raw), nil
}

func nextMarker(next string) string { return base64.RawURLEncoding.EncodeToString([]byte(next)) }

type containerList struct {
	XMLName    xml.Name       `xml:"EnumerationResults"`
	Endpoint   string         `xml:"ServiceEndpoint,attr"`
	Prefix     string         `xml:"Prefix,omitempty"`
	Marker     string         `xml:"Marker,omitempty"`
	MaxResults int            `xml:"MaxResults,omitempty"`
	Containers []containerXML `xml:"Containers>Container"`
	NextMarker string         `xml:"NextMarker"`
}

type containerXML struct {
	Name       string `xml:"Name"`
	Properties struct {
		Modified     string `xml:"Last-Modified"`
		ETag         string `xml:"Etag"`
		LeaseStatus  string `xml:"LeaseStatus"`
		LeaseState   string `xml:"LeaseState"`
		Duration     string `xml:"LeaseDuration,omitempty"`
		PublicAccess string `xml:"PublicAccess,omitempty"`
		Scope        string `xml:"DefaultEncryptionScope"`
		DenyScope    bool   `xml:"DenyEncryptionScopeOverride"`
		Immutable    bool   `xml:"HasImmutabilityPolicy"`
		Hold         bool   `xml:"HasLegalHold"`
	} `xml:"Properties"`
	Metadata *metadataXML `xml:"Metadata"`
}

func (s *Storage) listContainers(w http.ResponseWriter, call *api.Call) error {
	q := call.Request.URL.Query()
	limit, err := intQuery(call.Request, "maxresults", maxResults, maxResults)
	if err != nil {
		return err
	}
	after, err := marker(call)
	if err != nil {
		return err
	}
	all, more, err := s.blobs.Containers(call.Request.Context(), accountName(call), q.Get("prefix"), after, limit)
	if err != nil {
		return err
	}
	list := containerList{Endpoint: call.URL("/"), Prefix: q.Get("prefix"), Marker: q.Get("marker")}
	if q.Has("maxresults") {
		list.MaxResults = limit
	}
	withMetadata := strings.Contains(q.Get("include"), "metadata")
	for _, c := range all {
		x := containerXML{Name: c.Name}
		p := &x.Properties
		p.Modified, p.ETag, p.PublicAccess, p.Scope = httpTime(c.Modified), quoted(c.ETag), c.PublicAccess, "$account-encryption-key"
		p.LeaseStatus, p.LeaseState, p.Duration = leaseWords(c.Lease, s.now())
		if withMetadata {
			x.Metadata = (*metadataXML)(&c.Metadata)
		}
		list.Containers = append(list.Containers, x)
	}
	if more {
		list.NextMarker = nextMarker(all[len(all)-1].Name)
	}
	setHeaders(w, call)
	return writeXML(w, http.StatusOK, list)
}
