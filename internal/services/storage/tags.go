package storage

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) tagOperations() []api.Operation {
	service := serviceRow(http.MethodGet, "Service_FilterBlobs", "find-blobs-by-tags.md", filterBlobs, "f", []string{"comp=blobs"}, s.findBlobs)
	// It counts as an operation on blobs, not on the service: create-account-sas.md,
	// "Account SAS permissions by operation".
	service.Data, service.Checks = true, asks(filterBlobs, "", true, "f", "o")
	return []api.Operation{
		blobRow(http.MethodGet, "Blob_GetTags", "get-blob-tags.md", readTags, "", "t", []string{"comp=tags"}, "", s.getTags),
		blobRow(http.MethodPut, "Blob_SetTags", "set-blob-tags.md", writeTags, "", "t", []string{"comp=tags"}, "", s.setTags),
		service,
		containerRow(http.MethodGet, "Container_FilterBlobs", "find-blobs-by-tags-container.md", filterBlobs, true, "f", []string{"comp=blobs"}, s.findBlobs),
	}
}

// tagging refuses index tags where names are a hierarchy. Source: azure-docs
// storage/blobs/storage-feature-support-in-storage-accounts.md, "Blob index tags";
// the codes: Azure/azure-sdk-for-net#39388, rest-storageservices blob-service-error-codes.md.
func (s *Storage) tagging(op api.Operation) api.Operation {
	isOf := slices.Contains([]string{"Blob_GetTags", "Blob_SetTags", "Service_FilterBlobs", "Container_FilterBlobs"}, op.Name)
	if !isOf && !slices.Contains(tagWriters, op.Name) {
		return op
	}
	handle := op.Handle
	op.Handle = func(w http.ResponseWriter, call *api.Call) error {
		if !isOf && call.Request.Header.Get("x-ms-tags") == "" && !copiesTags(call) {
			return handle(w, call)
		}
		switch hierarchical, err := s.hierarchical(call); {
		case err != nil:
			return err
		case hierarchical && isOf:
			return invalidQuery("comp", call.Request.URL.Query().Get("comp"), "Index tags need an account without a hierarchical namespace.")
		case hierarchical:
			return api.BadRequest("BlobTagsNotSupportedForAccountType", "x-ms-tags", "Blob tags are only supported on General Purpose v2 storage accounts, without a hierarchical namespace.")
		}
		return handle(w, call)
	}
	return op
}

// tagsHeader reads x-ms-tags, which is written as a query is.
func tagsHeader(h http.Header) (map[string]string, error) {
	text := h.Get("x-ms-tags")
	if text == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, invalidHeader("x-ms-tags", text)
	}
	tags := map[string]string{}
	for name, all := range values {
		if len(all) > 1 {
			return nil, api.BadRequest("DuplicateTagNames", "x-ms-tags", "The tag name %q is there more than once.", name)
		}
		tags[name] = all[0]
	}
	return tags, blob.CheckTags(tags)
}

type tagsXML struct {
	XMLName xml.Name `xml:"Tags"`
	Tags    []tagXML `xml:"TagSet>Tag"`
}

type tagXML struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
}

func tagsOf(tags map[string]string) (all []tagXML) {
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, tagXML{name, tags[name]})
	}
	return all
}

func (s *Storage) getTags(w http.ResponseWriter, call *api.Call) error {
	b, err := s.found(call, s.blobs.Get)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	return writeXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"Tags"`
		Set     struct {
			Tags []tagXML `xml:"Tag"`
		} `xml:"TagSet"`
	}{Set: struct {
		Tags []tagXML `xml:"Tag"`
	}{tagsOf(b.Tags)}})
}

// maxTagsBody bounds the body of Set Blob Tags: ten tags.
const maxTagsBody = 64 << 10

func (s *Storage) setTags(w http.ResponseWriter, call *api.Call) error {
	if err := onlyBase(call); err != nil {
		return err
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	tags, err := tagsBody(call.Request)
	if err != nil {
		return err
	}
	if _, err := s.blobs.SetTags(call.Request.Context(), at(call), tags, cond); err != nil {
		return err
	}
	return done(w, call, http.StatusNoContent)
}

// tagsBody reads the tags that Set Blob Tags brings.
func tagsBody(r *http.Request) (map[string]string, error) {
	var in tagsXML
	if err := readXML(r, maxTagsBody, &in); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range in.Tags {
		if _, twice := tags[t.Key]; twice {
			return nil, api.BadRequest("DuplicateTagNames", "Tags/TagSet", "The tag name %q is there more than once.", t.Key)
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

type foundXML struct {
	XMLName  xml.Name       `xml:"EnumerationResults"`
	Endpoint string         `xml:"ServiceEndpoint,attr"`
	Where    string         `xml:"Where"`
	Blobs    []foundBlobXML `xml:"Blobs>Blob"`
	Next     string         `xml:"NextMarker"`
}

type foundBlobXML struct {
	Name      string   `xml:"Name"`
	Container string   `xml:"ContainerName"`
	Tags      []tagXML `xml:"Tags>TagSet>Tag"`
}

func (s *Storage) findBlobs(w http.ResponseWriter, call *api.Call) error {
	q := call.Request.URL.Query()
	text := q.Get("where")
	if text == "" {
		return missingQuery("where")
	}
	where, err := blob.ParseFilter(text)
	if err != nil {
		return invalidQuery("where", text, err.Error()+".")
	}
	limit, err := intQuery(call.Request, "maxresults", maxResults, maxResults)
	if err != nil {
		return err
	}
	after, err := marker(call)
	if err != nil {
		return err
	}
	ctx, account, container := s.container(call)
	all, next, err := s.blobs.Find(ctx, account, container, blob.FindQuery{Where: where, After: after, Limit: limit})
	if err != nil {
		return err
	}
	x := foundXML{Endpoint: call.URL("/"), Where: text}
	for _, f := range all {
		x.Blobs = append(x.Blobs, foundBlobXML{f.Name, f.Container, tagsOf(f.Tags)})
	}
	if next != "" {
		x.Next = nextMarker(next)
	}
	setHeaders(w, call)
	return writeXML(w, http.StatusOK, x)
}

func missingQuery(name string) error {
	return api.BadRequest("MissingRequiredQueryParameter", name, "A query parameter that's mandatory for this request is not specified: %s.", name)
}
