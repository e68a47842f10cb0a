package storage

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
)

// credential knows the signatures of Storage on a request: of an account key, in
// a signed URL, or none where a container is open to everybody. A token is gate's.
func (s *Storage) credential(call *api.Call) (*api.Signed, error) {
	r, query := call.Request, call.Request.URL.Query()
	if v := r.Header.Get("x-ms-version"); v != "" && !s.takes(v) {
		return nil, invalidHeader("x-ms-version", v)
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case scheme == sharedKeyScheme || scheme == sharedKeyLiteScheme:
		return s.sharedKey(call, scheme, rest)
	case strings.EqualFold(scheme, "Bearer") && r.Header.Get("x-ms-version") < bearerVersion:
		return nil, bad(call, "Authentication scheme Bearer is not supported in this version.")
	case strings.EqualFold(scheme, "Bearer") && !(query.Has("sig") && query.Has("sduoid")): // else it is the holder's of a signed URL
		return nil, nil
	case scheme != "" && !strings.EqualFold(scheme, "Bearer"):
		return nil, malformedAuthorization()
	case query.Has("sig"):
		return s.signedURL(call)
	}
	return s.anonymous(call)
}

// bad is the answer to a signature that does not verify.
func bad(call *api.Call, format string, args ...any) error {
	return &api.Refusal{Reason: api.BadSignature, Cause: fmt.Sprintf(format, args...), Caller: call.Caller, Tenant: call.Target.Tenant}
}

// malformedAuthorization is the answer to a header that is none of the schemes. It
// does not repeat the header: it may hold a secret.
func malformedAuthorization() error {
	return api.BadRequest("InvalidAuthenticationInfo", "Authorization", "Authentication information is not given in the correct format. Check the value of Authorization header.")
}

// forEverybody are the operations that a container can open to everybody.
// Source: azure-docs "Restrict access to containers and blobs", "Features available
// to anonymous users".
var forEverybody = []string{"Container_GetProperties", "Container_GetMetadata", "Container_ListBlobs", "Blob_Download", "Blob_GetProperties", "Blob_GetMetadata", "BlockBlob_GetBlockList"}

// anonymous takes a request without a credential to a container that is open to
// everybody. Source: anonymous-read-access-configure.md;
// rest-storageservices set-container-acl.md, "Remarks".
func (s *Storage) anonymous(call *api.Call) (*api.Signed, error) {
	name := call.Var("container")
	guard := call.Target.Guard
	if name == "" || guard == nil || !guard.Anonymous || !slices.Contains(forEverybody, call.Operation.Name) {
		return nil, nil
	}
	c, err := s.blobs.Container(s.container(call))
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	signed := &api.Signed{Caller: api.Caller{Credential: api.Anonymous, Tenant: call.Target.Tenant}, Single: true}
	switch {
	case call.Operation.Name == "BlockBlob_GetBlockList" && !committedOnly(call):
		return nil, nil
	case c.PublicAccess == "container":
		signed.Permissions, signed.Types = "rl", "co"
	case c.PublicAccess == "blob":
		signed.Permissions, signed.Types = "r", "o"
	default:
		return nil, nil
	}
	return signed, nil
}

// committedOnly tells of a block list that says nothing of blocks to come.
func committedOnly(call *api.Call) bool {
	which := call.Request.URL.Query().Get("blocklisttype")
	return which == "" || strings.EqualFold(which, "committed")
}

// challenged is the answer to a request without a credential: since 2019-12-12
// where to get one, before that whether there could be something without one.
// Source: authorize-with-azure-active-directory.md, "Responses to anonymous read requests".
func challenged(call *api.Call) (status int, code, message string) {
	guard := call.Target.Guard
	switch {
	case call.Request.Header.Get("x-ms-version") >= challengeVersion:
		return http.StatusUnauthorized, "NoAuthenticationInformation", "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."
	case guard == nil || !guard.Anonymous:
		return http.StatusConflict, "PublicAccessNotPermitted", "Public access is not permitted on this storage account."
	}
	return http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist."
}
