package arm

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const typeUserIdentity = "Microsoft.ManagedIdentity/userAssignedIdentities"

// reconcileIdentity makes the directory hold the identities that res says.
func (m *Manager) reconcileIdentity(tx *store.Tx, old, res *Resource) error {
	var before *Identity
	if old != nil {
		before = old.Identity
	}
	want, err := planIdentity(res.Identity)
	if err != nil {
		return err
	}
	if before.System() && !want.System() {
		if err := m.identities.RemoveIdentity(tx, res.ID); err != nil {
			return err
		}
	}
	if res.Identity = want; want == nil {
		return nil
	}
	if want.System() {
		want.TenantID = res.Tenant
		if before.System() {
			want.PrincipalID = before.PrincipalID
		} else if want.PrincipalID, _, err = m.identities.CreateIdentity(tx, res.Tenant, res.ID, res.Name); err != nil {
			return err
		}
	}
	named := want.UserAssigned
	want.UserAssigned = nil
	for id := range named {
		if err := m.assign(tx, want, id); err != nil {
			return err
		}
	}
	return nil
}

// planIdentity normalises what a client may write; nil for none.
func planIdentity(in *Identity) (*Identity, error) {
	if in == nil {
		return nil, nil
	}
	out := &Identity{}
	var system, user bool
	for part := range strings.SplitSeq(in.Type, ",") {
		switch strings.ToLower(strings.TrimSpace(part)) {
		case "systemassigned":
			system = true
		case "userassigned":
			user = true
		case "none":
		default:
			return nil, api.BadRequest("InvalidIdentityType", "identity.type",
				"The identity type '%s' is invalid: it is SystemAssigned, UserAssigned, 'SystemAssigned, UserAssigned' or None.", in.Type)
		}
	}
	for id, identity := range in.UserAssigned {
		if identity == nil { // a PATCH takes one away by null
			continue
		}
		if out.UserAssigned == nil {
			out.UserAssigned = map[string]*UserIdentity{}
		}
		out.UserAssigned[id] = identity
	}
	switch {
	case user && len(out.UserAssigned) == 0:
		return nil, api.BadRequest("InvalidIdentityValues", "identity.userAssignedIdentities",
			"The identity type is '%s' but userAssignedIdentities names none.", in.Type)
	case !user && len(out.UserAssigned) > 0:
		return nil, api.BadRequest("InvalidIdentityValues", "identity.userAssignedIdentities",
			"The identity type is '%s' but userAssignedIdentities names some.", in.Type)
	case system && user:
		out.Type = "SystemAssigned, UserAssigned"
	case system:
		out.Type = "SystemAssigned"
	case user:
		out.Type = "UserAssigned"
	default:
		return nil, nil
	}
	return out, nil
}

// assign adds a user-assigned identity, under its id as it is stored.
func (m *Manager) assign(tx *store.Tx, to *Identity, id string) error {
	res, err := m.load(tx, id)
	if err != nil {
		return err
	}
	if res == nil || !strings.EqualFold(res.Type, typeUserIdentity) {
		return api.BadRequest("FailedIdentityOperation", "identity.userAssignedIdentities",
			"Identity operation failed: the user-assigned identity '%s' does not exist.", id)
	}
	identity := &UserIdentity{}
	if err := json.Unmarshal(res.Properties, identity); err != nil {
		return fmt.Errorf("identity %s: %w", id, err)
	}
	if to.UserAssigned == nil {
		to.UserAssigned = map[string]*UserIdentity{}
	}
	to.UserAssigned[res.ID] = identity
	return nil
}

// identityChecks adds the linked scopes: to let a resource bear a
// user-assigned identity, the caller must be allowed to assign that one.
// Source: Managed Identity Operator, userAssignedIdentities/*/assign/action.
func identityChecks(action string) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		body, err := PeekBody(call)
		if err != nil {
			return nil, err
		}
		change, err := readChange(call.Request.Method, body)
		if err != nil {
			return nil, err
		}
		asked, err := change(&Resource{})
		if err != nil {
			return nil, err
		}
		checks := []api.Check{{Scope: PathScope(call), Action: action}}
		if asked.Identity == nil {
			return checks, nil
		}
		for _, id := range slices.Sorted(maps.Keys(asked.Identity.UserAssigned)) {
			if asked.Identity.UserAssigned[id] != nil {
				checks = append(checks, api.Check{Scope: rbac.Scope(id), Action: typeUserIdentity + "/assign/action", Linked: action})
			}
		}
		return checks, nil
	}
}
