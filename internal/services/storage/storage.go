package storage

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
	"sekisho/rbac"
)

const (
	provider    = "Microsoft.Storage"
	accountType = provider + "/storageAccounts"
	// Service is the name of the data plane's table.
	Service = "blob"
	// LakeService is that of the Data Lake's.
	LakeService = "dfs"
)

// Storage is the service.
type Storage struct {
	resources  *arm.Manager
	reader     *arm.Reader
	keys       *arm.Keys
	delegation *Delegation
	blobs      *blob.Store
	now        func() time.Time
	strict     bool
}

// Options are what is set from outside.
type Options struct {
	Now func() time.Time
	// Strict takes only versions of the data plane that Azure knows.
	Strict bool
}

// New makes the service's declarations; Attach completes it.
func New(keys *arm.Keys, delegation *Delegation, blobs *blob.Store, o Options) *Storage {
	return &Storage{keys: keys.Base64(keySize), delegation: delegation, blobs: blobs, now: o.Now, strict: o.Strict}
}

// Attach gives the service the resources, which are made of its declarations.
func (s *Storage) Attach(resources *arm.Manager, reader *arm.Reader) {
	s.resources, s.reader = resources, reader
}

// Types are the resource types of Microsoft.Storage.
func (s *Storage) Types() []*arm.Type { return []*arm.Type{s.accounts()} }

// Actions and data actions. Container operations are actions, blob operations
// data actions.
const (
	containerActions = accountType + "/blobServices/containers"
	blobActions      = containerActions + "/blobs"
	source           = "rest-storageservices "

	// permissionsSource has what each operation of a Blob service needs of RBAC, in one table.
	permissionsSource = source + "authorize-with-azure-active-directory.md"
)

// DataPlane is the table of {account}.blob.core.windows.net. Each row's source is
// the page of its operation, "Authorization" in it. What it needs of RBAC is also in
// authorize-with-azure-active-directory.md, "Permissions for Blob service operations",
// what of a signed URL in create-account-sas.md, "Account SAS permissions by operation".
func (s *Storage) DataPlane() api.Service {
	all := slices.Concat(s.delegationOperations(), s.serviceOperations(), s.listingOperations(), s.containerOperations(), s.aclOperations(), s.leaseOperations(),
		s.tagOperations(), s.blobOperations(), s.blockOperations(), s.appendOperations(), s.copyOperations(), s.batchOperations())
	for i, op := range all {
		all[i] = s.crossOrigin(s.underKey(s.tagging(s.seenBy(forOthers(s.listed(op))))))
	}
	return api.Service{
		Name: Service, Audiences: []string{"https://storage.azure.com", "e406a681-f3d4-42a8-90b6-c2b029497af1"},
		Selectors: []string{"comp", "restype"}, Nested: true, Canonical: inRoot, Credential: s.credential, WriteError: writeError,
		Operations: append(all, s.corsOperations()...),
	}
}

// accountName is the account of a call.
func accountName(call *api.Call) string {
	scope := string(call.Target.Scope)
	return strings.ToLower(scope[strings.LastIndexByte(scope, '/')+1:])
}

// containerScope is the container of a call, as role assignments name it.
func containerScope(call *api.Call) rbac.Scope {
	scope := call.Target.Scope + "/blobServices/default"
	if name := call.Var("container"); name != "" {
		scope += rbac.Scope("/containers/" + name)
	}
	return scope
}

// at is the blob that a call addresses.
func at(call *api.Call) blob.Address {
	return blob.Address{Account: accountName(call), Container: call.Var("container"), Name: call.Var("blob"), Snapshot: call.Request.URL.Query().Get("snapshot"), By: principalOf(call)}
}

func (s *Storage) container(call *api.Call) (context.Context, string, string) {
	return call.Request.Context(), accountName(call), call.Var("container")
}

type handler = func(http.ResponseWriter, *api.Call) error

// asks makes the question of a row about its container.
func asks(action, or string, data bool, sas, types string) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		return []api.Check{{Scope: containerScope(call), Action: action, Or: or, Data: data, SAS: sas, SASType: types}}, nil
	}
}
