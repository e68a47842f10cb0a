// Package authorization is Microsoft.Authorization, the ARM face of access:
// role definitions, role assignments, deny assignments, eligible and active
// schedules (PIM) and management locks at any scope, checkAccess, and the
// list of what roles can name.
package authorization

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// lockSource documents the operations of locks.
const lockSource = "azure-rest-api-specs locks/stable/2020-05-01; azure-docs lock-resources.md"

const (
	provider = "Microsoft.Authorization"
	// ownerRole is the GUID of Owner.
	ownerRole = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
)

// Authorization is the service.
type Authorization struct {
	store     *store.Store
	access    *access.Access
	directory *entra.Directory
	arm       *arm.Manager
	options   Options
	// Limits may be changed before the first call.
	Limits Limits
}

// Options are what the platform says.
type Options struct {
	Now func() time.Time
	// Strict holds deny assignments that users make to what Azure's preview of
	// them takes, and schedules of roles to the policy that Azure begins with.
	Strict bool
}

// New makes the service, with Azure's limits.
func New(s *store.Store, a *access.Access, d *entra.Directory, m *arm.Manager, o Options) *Authorization {
	return &Authorization{s, a, d, m, o, AzureLimits}
}

// Operations are the rows of ARM that this service serves.
func (s *Authorization) Operations() []api.Operation {
	return slices.Concat(s.catalogueOperations(), s.definitionOperations(), s.assignmentOperations(), s.denyOperations(), s.pimOperations(),
		s.checkAccessOperations(), s.permissionsOperations(), s.explainOperations(), []api.Operation{
			row(http.MethodGet, "/locks", "ManagementLocks_ListByScope", "/locks/read", lockSource, atScope, s.listLocks),
			row(http.MethodGet, "/locks/{name}", "ManagementLocks_GetByScope", "/locks/read", lockSource, atItself, s.getLock),
			row(http.MethodPut, "/locks/{name}", "ManagementLocks_CreateOrUpdateByScope", "/locks/write", lockSource, atItself, s.putLock),
			row(http.MethodDelete, "/locks/{name}", "ManagementLocks_DeleteByScope", "/locks/delete", lockSource, atItself, s.deleteLock),
		})
}

// What the rows of a table have.
type (
	checks  = func(*api.Call) ([]api.Check, error)
	handler = func(http.ResponseWriter, *api.Call) error
)

// row is an operation of the provider at any scope; path and action follow the
// provider's name.
func row(method, path, name, action, source string, checks checks, handle handler) api.Operation {
	return api.Operation{Method: method, Pattern: "{scope}/providers/" + provider + path, Name: name, Action: provider + action, Source: source, Checks: checks, Handle: handle}
}

func atScope(call *api.Call) ([]api.Check, error) {
	return []api.Check{{Scope: rbac.Scope(call.Var("scope")), Action: call.Operation.Action}}, nil
}

func atItself(call *api.Call) ([]api.Check, error) {
	return []api.Check{{Scope: rbac.Scope(call.Path), Action: call.Operation.Action}}, nil
}

// place finds the scope of a call as it is stored, and the tenant it is of.
func (s *Authorization) place(ctx context.Context, call *api.Call) (scope, tenant string, err error) {
	written := call.Var("scope")
	if _, err := rbac.ParseScope(written); err != nil {
		return "", "", api.BadRequest("InvalidScope", "scope", "The scope '%s' is invalid: %v.", written, err)
	}
	if written == "/" {
		return "/", call.Caller.Tenant, nil
	}
	if below, ok := strings.CutPrefix(rbac.Scope(written).Key(), strings.ToLower(access.GroupPrefix)); ok && !strings.Contains(below, "/") {
		tree, err := s.tree(ctx, call.Caller.Tenant)
		if err != nil {
			return "", "", err
		}
		g, ok := tree.Group(strings.TrimSuffix(written, "/"))
		if !ok {
			return "", "", api.Errorf(http.StatusNotFound, "NotFound", "The management group '%s' could not be found.", below)
		}
		return g.ID, call.Caller.Tenant, nil
	}
	return s.arm.FindScope(ctx, written)
}

func (s *Authorization) tree(ctx context.Context, tenant string) (tree *access.Tree, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		tree, err = access.LoadTree(tx, tenant)
		return err
	})
	return tree, err
}

// roleID is a role definition's id as seen from a scope.
func roleID(scope, guid string) string {
	id := "/providers/" + provider + "/roleDefinitions/" + guid
	if sub := rbac.Scope(scope).Subscription(); sub != "" {
		return "/subscriptions/" + sub + id
	}
	return id
}

// roleGUID is the GUID in a role definition's id. A bare GUID is none: Azure
// refuses it (azure-cli#2458).
func roleGUID(id string) (guid string, ok bool) {
	parsed, err := rbac.ParseID(id)
	if err != nil || !strings.EqualFold(parsed.Type(), provider+"/roleDefinitions") || !arm.IsGUID(parsed.Name()) {
		return "", false
	}
	return parsed.Name(), true
}

// deleted answers a DELETE that came to err: 204 for what is not there, as Azure
// does.
func deleted(w http.ResponseWriter, call *api.Call, err error) error {
	status := http.StatusOK
	if errors.Is(err, store.ErrNotFound) {
		status, err = http.StatusNoContent, nil
	}
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(status)
	return nil
}
