package storage

import (
	"net/http"
	"slices"

	"sekisho/internal/api"
)

// Actions of blobs and containers.
const (
	readBlob    = blobActions + "/read"
	writeBlob   = blobActions + "/write"
	addBlob     = blobActions + "/add/action"
	removeBlob  = blobActions + "/delete"
	readTags    = blobActions + "/tags/read"
	writeTags   = blobActions + "/tags/write"
	filterBlobs = blobActions + "/filter/action"

	readContainer   = containerActions + "/read"
	writeContainer  = containerActions + "/write"
	removeContainer = containerActions + "/delete"

	readService  = accountType + "/blobServices/read"
	writeService = accountType + "/blobServices/write"
	getInfo      = accountType + "/blobServices/getInfo/action"
)

type checks = func(*api.Call) ([]api.Check, error)

// blobRow is an operation on a blob: what it needs of RBAC (or another action, as the
// page of the operation says under "Permissions"), and the letters of which a signed
// URL must have one.
func blobRow(method, name, page, action, or, sas string, query []string, header string, handle handler) api.Operation {
	op := api.Operation{Method: method, Pattern: "/{container}/{blob}", Query: query, Header: header, Name: name, Action: action, Data: true,
		Source: source + page + "; " + conditionsPage, Checks: byTags(asks(action, or, true, sas, "o")), Handle: unversioned(handle)}
	if or != "" {
		op.Further = append(op.Further, or)
	}
	if action != readTags {
		op.Further = append(op.Further, readTags)
	}
	return op
}

// asking has a row ask otherwise, and further actions where a request says so.
func asking(op api.Operation, of checks, further ...string) api.Operation {
	op.Checks, op.Further = of, slices.Concat(op.Further, further)
	return op
}

// unversioned refuses a request that names a version of a blob: there are none, and
// the blob itself must not stand in for one.
func unversioned(handle handler) handler {
	return func(w http.ResponseWriter, call *api.Call) error {
		if id := call.Request.URL.Query().Get("versionid"); id != "" {
			return invalidQuery("versionid", id, "Versioning is not enabled for this account.")
		}
		return handle(w, call)
	}
}

// containerRow is an operation on a container.
func containerRow(method, name, page, action string, data bool, sas string, query []string, handle handler) api.Operation {
	return api.Operation{Method: method, Pattern: "/{container}", Query: append(query, "restype=container"), Name: name, Action: action, Data: data,
		Source: source + page, Checks: asks(action, "", data, sas, "c"), Handle: handle}
}

// serviceRow is an operation on the account's blob service.
func serviceRow(method, name, page, action, sas string, query []string, handle handler) api.Operation {
	return api.Operation{Method: method, Pattern: "/", Query: query, Name: name, Action: action,
		Source: source + page, Checks: asks(action, "", false, sas, "s"), Handle: handle}
}

// conditionsPage tells of conditions, among them x-ms-if-tags.
const conditionsPage = "specifying-conditional-headers-for-blob-service-operations.md"

// byTags adds what x-ms-if-tags needs: who makes it depend on tags learns them.
func byTags(of checks) checks {
	return func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		if err == nil && call.Request.Header.Get("x-ms-if-tags") != "" {
			all = append(all, tagCheck(call, readTags))
		}
		return all, err
	}
}

// tagged adds what x-ms-tags needs. Source: put-blob.md, "Request headers".
func tagged(of checks) checks {
	return func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		if err == nil && call.Request.Header.Get("x-ms-tags") != "" {
			all = append(all, tagCheck(call, writeTags))
		}
		return all, err
	}
}

func tagCheck(call *api.Call, action string) api.Check {
	return api.Check{Scope: containerScope(call), Action: action, Data: true, SAS: "t", SASType: "o"}
}

// creating asks what making a blob needs.
func (s *Storage) creating(call *api.Call) ([]api.Check, error) {
	return tagged(byTags(s.creates))(call)
}

// creation is a row that makes a blob of a type.
func (s *Storage) creation(name, kind string, handle handler) api.Operation {
	return asking(blobRow(http.MethodPut, name, "put-blob.md", writeBlob, addBlob, "cw", nil, "x-ms-blob-type="+kind, handle), s.creating, writeTags)
}

// missingHeader is the answer to a request without a header that it needs.
func missingHeader(name string) error {
	return api.BadRequest("MissingRequiredHeader", name, "An HTTP header that's mandatory for this request is not specified: %s.", name)
}

// done answers a request that changed something and has nothing to tell.
func done(w http.ResponseWriter, call *api.Call, status int) error {
	setHeaders(w, call)
	w.WriteHeader(status)
	return nil
}
