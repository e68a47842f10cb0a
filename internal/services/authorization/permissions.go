package authorization

import (
	"net/http"
	"slices"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// permissionsOperations list what the caller has.
func (s *Authorization) permissionsOperations() []api.Operation {
	const source = "azure-rest-api-specs authorization/stable/2022-04-01 Permissions_ListForResourceGroup, Permissions_ListForResource; azure-docs permissions/management-and-governance.md"
	return []api.Operation{row(http.MethodGet, "/permissions", "Permissions_List", "/permissions/read", source, atScope, s.permissions)}
}

// permissions gives the blocks of each role that the caller, or a group of the
// caller's, has at the scope or above, now. A deny assignment is not told by
// them, on Azure neither.
func (s *Authorization) permissions(w http.ResponseWriter, call *api.Call) error {
	f, err := newScoped(s, call)
	if err != nil {
		return err
	}
	now := s.options.Now()
	type held struct{ role, condition, version string }
	var roles []held
	var views []any
	add := func(scope, principal string, h held) {
		if f.above(scope) && f.is(f.caller, principal) && !slices.Contains(roles, h) {
			roles = append(roles, h)
		}
	}
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		roles = nil
		assigned, err := access.List(tx, f.tenant)
		if err != nil {
			return err
		}
		for _, a := range assigned {
			add(a.Scope, a.PrincipalID, held{a.Role, a.Condition, a.ConditionVer})
		}
		scheduled, err := access.ListSchedules(tx, f.tenant)
		if err != nil {
			return err
		}
		for _, one := range scheduled {
			if !one.Eligible && one.Runs(now) {
				add(one.Scope, one.PrincipalID, held{one.Role, one.Condition, one.ConditionVer})
			}
		}
		views = []any{}
		for _, h := range roles {
			role, _, err := s.access.Role(tx, f.tenant, h.role)
			if err != nil {
				return err
			}
			for _, p := range role.Permissions {
				if p.Condition == "" {
					p.Condition, p.ConditionVersion = h.condition, h.version
				}
				views = append(views, permissionView(p))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}
