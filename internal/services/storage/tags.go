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
	service.Data, service.Checks = true, asks(filterBlobs, "", true, "f", "s")
	return []api.Operation{
		blobRow(http.MethodGet, "Blob_GetTags", "get-blob-tags.md", readTags, "", "t", []string{"comp=tags"}, "", s.getTags),
		blobRow(http.MethodPut, "Blob_SetTags", "set-blob-tags.md", writeTags, "", "t", []string{"comp=tags"}, "", s.setTags),
		service,
		containerRow(http.MethodGet, "Container_FilterBlobs", "find-blobs-by-tags-container.md", filterBlobs, true, "f", []string{"comp=blobs"}, s.findBlobs),
	}
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
	var in tagsXML
	if err := readXML(call.Request, maxTagsBody, &in); err != nil {
		return err
	}
	tags := map[string]string{}
	for _, t := range in.Tags {
		if _, twice := tags[t.Key]; twice {
			return api.BadRequest("DuplicateTagNames", "Tags/TagSet", "The tag name %q is there more than once.", t.Key)
		}
		tags[t.Key] = t.Value
	}
	if _, err := s.blobs.SetTags(call.Request.Context(), at(call), tags, cond); err != nil {
		return err
	}
	return done(w, call, http.StatusNoContent)
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
