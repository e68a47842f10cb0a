package storage

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
	"sekisho/rbac/condition"
)

// What the conditions of role assignments see of a call. The page gives each action,
// and each suboperation of one, its own list; what is not in it is absent, and a
// condition that compares it does not hold.
// Source: azure-docs storage/blobs/storage-auth-abac-attributes.md.

// aspects are attributes that stand in the lists together. The account's are in all.
type aspects int

const (
	ofContainer aspects = 1 << iota // its name
	ofMetadata                      // the container's
	ofPath
	ofVersion // isCurrentVersion, snapshot, versionId
	ofTags    // the blob's
	ofRequest // the tags that a request brings
	ofListing // prefix, include
)

// Suboperations. Two name all operations that could bear tags or a condition on them,
// whether or not a request does: "New blobs must include a blob index tag" would
// else be walked around by leaving the tags out.
const (
	listsBlobs  = "Blob.List"
	readsByTags = "Blob.Read.WithTagConditions"
	setsTier    = "Blob.Write.Tier"
	writesTags  = "Blob.Write.WithTagHeaders"
)

type doing struct{ action, sub string }

// seen are the lists. Tags of what is read are in the list of readsByTags in the
// editions until 2022, and in the examples since. Metadata of containers and the
// include of a listing are attributes since 2024, the former in those lists to which
// the examples apply it.
var seen = map[doing]aspects{
	{readBlob, listsBlobs}:  ofContainer | ofListing,
	{readBlob, readsByTags}: ofContainer | ofMetadata | ofPath | ofVersion | ofTags,
	{writeBlob, ""}:         ofContainer | ofMetadata | ofPath,
	{writeBlob, setsTier}:   ofContainer | ofMetadata | ofPath | ofVersion,
	{writeBlob, writesTags}: ofContainer | ofMetadata | ofPath | ofRequest,
	{removeBlob, ""}:        ofContainer | ofMetadata | ofPath | ofVersion,
	{readTags, ""}:          ofContainer | ofPath | ofVersion | ofTags,
	{writeTags, ""}:         ofContainer | ofPath | ofVersion | ofTags | ofRequest,
	{filterBlobs, ""}:       0,
	{moveBlob, ""}:          ofContainer | ofPath,
	{modifyBlob, ""}:        ofContainer | ofPath,
	{ownBlob, ""}:           ofContainer | ofPath,
}

// tagWriters are "Put Blob, Put Block List, Copy Blob and Copy Blob From URL", and
// what Put Blob From URL came to be since.
var tagWriters = []string{"BlockBlob_Upload", "AppendBlob_Create", "PageBlob_Create", "BlockBlob_CommitBlockList",
	"Blob_StartCopyFromURL", "Blob_CopyFromURL", "BlockBlob_PutBlobFromURL"}

func subOperation(call *api.Call, action string) string {
	name := call.Operation.Name
	switch {
	case action == readBlob && (name == "Container_ListBlobs" || name == "FileSystem_ListPaths"):
		return listsBlobs
	case action == readBlob:
		return readsByTags
	case action == writeBlob && name == "Blob_SetTier":
		return setsTier
	case action == writeBlob && slices.Contains(tagWriters, name):
		return writesTags
	}
	return ""
}

// Names of attributes, as condition.Key writes them.
const (
	accountKey       = "microsoft.storage/storageaccounts"
	containerKey     = accountKey + "/blobservices/containers"
	blobKey          = containerKey + "/blobs"
	tagKey           = blobKey + "/tags:"
	tagKeyEnd        = "<$key_case_sensitive$>"
	tagNamesKey      = blobKey + "/tags&$keys$&"
	metadataKey      = containerKey + "/metadata:"
	prefixKey        = blobKey + ":prefix"
	includeKey       = blobKey + ":include"
	snapshotKey      = blobKey + ":snapshot"
	versionKey       = blobKey + ":versionid"
	isCurrentKey     = blobKey + ":iscurrentversion"
	pathKey          = blobKey + ":path"
	namespaceKey     = accountKey + ":ishnsenabled"
	accountNameKey   = accountKey + ":name"
	containerNameKey = containerKey + ":name"
)

// attributes are those of one question about a blob, or a container if the name is
// empty. What must be looked up is looked up when a condition asks for it, once.
type attributes struct {
	storage *Storage
	call    *api.Call
	at      blob.Address
	seen    aspects
	tags    map[string]string
	brought map[string]string
	looked  aspects // which of tags and brought are known
}

func (s *Storage) attributes(call *api.Call, at blob.Address, action string) *api.Attributes {
	sub := subOperation(call, action)
	a := &attributes{storage: s, call: call, at: at, seen: seen[doing{action, sub}]}
	return &api.Attributes{SubOperation: sub, Get: a.get}
}

// seenBy gives the questions of a row what conditions see of the blob that it
// addresses, unless they are about another and have it.
func (s *Storage) seenBy(op api.Operation) api.Operation {
	of := op.Checks
	if of == nil {
		return op
	}
	op.Checks = func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		for i := range all {
			if check := &all[i]; check.Data && check.Attributes == nil {
				where := at(call)
				if call.Target.Service == LakeService {
					where = pathAt(call)
				}
				check.Attributes = s.attributes(call, where, check.Action)
			}
		}
		return all, err
	}
	return op
}

func (a *attributes) get(source condition.Source, key string) (any, bool) {
	switch source {
	case condition.Resource:
		return a.resource(key)
	case condition.Request:
		return a.request(key)
	}
	return nil, false
}

func (a *attributes) resource(key string) (any, bool) {
	switch key {
	case accountNameKey:
		return accountName(a.call), true
	case namespaceKey:
		is, err := a.storage.hierarchical(a.call)
		return is, err == nil
	case containerNameKey:
		return a.at.Container, a.has(ofContainer) && a.at.Container != ""
	case pathKey:
		return a.at.Name, a.has(ofPath) && a.at.Name != ""
	case isCurrentKey:
		return a.at.Snapshot == "" && a.version() == "", a.has(ofVersion) && a.at.Name != ""
	}
	if name, ok := strings.CutPrefix(key, metadataKey); ok && a.has(ofMetadata) && a.flat() {
		c, err := a.storage.blobs.Container(a.call.Request.Context(), a.at.Account, a.at.Container)
		if err != nil {
			return nil, false
		}
		for stored, value := range c.Metadata { // the Data Lake's keep their case
			if strings.EqualFold(stored, name) {
				return value, true
			}
		}
		return nil, false
	}
	return tag(key, a.has(ofTags), a.tagsOfBlob)
}

func (a *attributes) request(key string) (any, bool) {
	switch query := a.call.Request.URL.Query(); key {
	case prefixKey:
		// What the directory of a list of paths is to a prefix, no page says.
		return query.Get("prefix"), a.has(ofListing) && query.Has("prefix") && a.call.Target.Service == Service
	case includeKey:
		return words(strings.ToLower(query.Get("include"))), a.has(ofListing) && a.flat()
	case snapshotKey:
		return a.at.Snapshot, a.has(ofVersion) && a.at.Snapshot != "" && a.flat()
	case versionKey:
		return a.version(), a.has(ofVersion) && a.version() != "" && a.flat()
	}
	return tag(key, a.has(ofRequest), a.tagsOfRequest)
}

// tag gives a tag's value, or the names of all tags.
func tag(key string, listed bool, of func() map[string]string) (any, bool) {
	if key == tagNamesKey && listed {
		tags := of()
		names := make([]string, 0, len(tags))
		for name := range tags {
			names = append(names, name)
		}
		return names, len(names) > 0
	}
	name, ok := strings.CutPrefix(key, tagKey)
	name, exact := strings.CutSuffix(name, tagKeyEnd)
	if !ok || !exact || !listed {
		return nil, false
	}
	value, ok := of()[name]
	return value, ok
}

func (a *attributes) has(one aspects) bool { return a.seen&one != 0 }

// flat tells that the account has no hierarchical namespace, under which the page
// says "Hierarchical namespace support: False" of most attributes.
func (a *attributes) flat() bool {
	is, err := a.storage.hierarchical(a.call)
	return err == nil && !is
}

func (a *attributes) version() string { return a.call.Request.URL.Query().Get("versionid") }

func (a *attributes) tagsOfBlob() map[string]string {
	if a.looked&ofTags == 0 {
		if b, err := a.storage.blobs.Get(a.call.Request.Context(), a.at, blob.Conditions{}); err == nil {
			a.tags = b.Tags
		}
	}
	a.looked |= ofTags
	return a.tags
}

// tagsOfRequest are those of Set Blob Tags' body, or of a header. What is malformed
// is none: the operation fails by it.
func (a *attributes) tagsOfRequest() map[string]string {
	if a.looked&ofRequest == 0 {
		r := a.call.Request
		if a.call.Operation.Name == "Blob_SetTags" {
			a.brought, _ = tagsBody(peek(r, maxTagsBody))
		} else {
			a.brought, _ = tagsHeader(r.Header)
		}
	}
	a.looked |= ofRequest
	return a.brought
}

// peek reads a body of at most that many bytes and a little, and leaves it to be
// read again.
func peek(r *http.Request, most int64) *http.Request {
	raw, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	rest := io.Reader(r.Body)
	if err != nil {
		rest = failing{err}
	}
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(raw), rest))
	return &http.Request{Body: io.NopCloser(bytes.NewReader(raw))}
}

// failing is what is left of a body that can't be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
