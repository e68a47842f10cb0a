package graph

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// consentItems are the calls on what an object was given, or gives.
func (s *Graph) consentItems(c collection) []item {
	var all []item
	read, write := c.page+"-list-approleassignments", c.page+"-post-approleassignments"
	switch c.kind {
	case entra.KindUser, entra.KindGroup:
		all = []item{
			{http.MethodGet, "/appRoleAssignments", "ListAppRoleAssignments", read, readAssignments, nil, s.listAppRoles("principal")},
			{http.MethodPost, "/appRoleAssignments", "CreateAppRoleAssignment", write, writeAssignments, s.assigns, s.createAppRole("principalId")},
			{http.MethodDelete, "/appRoleAssignments/{assignment}", "DeleteAppRoleAssignment", c.page + "-delete-approleassignments", writeAssignments, s.unassigns, s.deleteAppRole("principal")},
		}
	case entra.KindServicePrincipal:
		reads := func(*api.Call, target) ([]api.Permission, error) { return []api.Permission{readApplication}, nil }
		all = []item{
			{http.MethodGet, "/appRoleAssignments", "ListAppRoleAssignments", read, readApplication, nil, s.listAppRoles("principal")},
			{http.MethodPost, "/appRoleAssignments", "CreateAppRoleAssignment", write, writeAssignments, both(s.assigns, reads), s.createAppRole("principalId")},
			{http.MethodDelete, "/appRoleAssignments/{assignment}", "DeleteAppRoleAssignment", c.page + "-delete-approleassignments", writeAssignments, both(s.unassigns, reads), s.deleteAppRole("principal")},
			{http.MethodGet, "/appRoleAssignedTo", "ListAppRoleAssignedTo", c.page + "-list-approleassignedto", readApplication, nil, s.listAppRoles("resource")},
			{http.MethodPost, "/appRoleAssignedTo", "CreateAppRoleAssignedTo", c.page + "-post-approleassignedto", writeAssignments, both(s.assigns, reads), s.createAppRole("resourceId")},
			{http.MethodDelete, "/appRoleAssignedTo/{assignment}", "DeleteAppRoleAssignedTo", c.page + "-delete-approleassignedto", writeAssignments, both(s.unassigns, reads), s.deleteAppRole("resource")},
			{http.MethodGet, "/oauth2PermissionGrants", "ListOauth2PermissionGrants", c.page + "-list-oauth2permissiongrants", readGrants, nil, s.listGrantsOf("client")},
		}
	}
	if c.kind == entra.KindUser {
		all = append(all, item{http.MethodGet, "/oauth2PermissionGrants", "ListOauth2PermissionGrants", "user-list-oauth2permissiongrants", readGrants, nil, s.listGrantsOf("principal")})
	}
	return all
}

// showAppRole: source resources/approleassignment.md.
func showAppRole(tx *store.Tx, tenant string, a entra.AppRoleAssignment) (map[string]any, error) {
	shown := map[string]any{"id": a.ID, "deletedDateTime": nil, "appRoleId": a.Role, "createdDateTime": timestamp(a.Created),
		"principalId": a.Principal, "principalDisplayName": nil, "principalType": nil, "resourceId": a.Resource, "resourceDisplayName": nil}
	for name, id := range map[string]string{"principal": a.Principal, "resource": a.Resource} {
		record, err := findObject(tx, tenant, id)
		if err != nil {
			return nil, err
		}
		entity, err := show(record.Kind, record)
		if err != nil {
			return nil, err
		}
		if shown[name+"DisplayName"] = entity["displayName"]; name == "principal" {
			shown["principalType"] = map[string]string{entra.KindUser: "User", entra.KindGroup: "Group", entra.KindServicePrincipal: "ServicePrincipal"}[record.Kind]
		}
	}
	return shown, nil
}

// listAppRoles lists the assignments that the target has as their principal, or
// as their resource.
// Source: serviceprincipal-list-approleassignments.md, serviceprincipal-list-approleassignedto.md.
func (s *Graph) listAppRoles(key string) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		var shown []map[string]any
		err := s.store.View(call.Request.Context(), func(tx *store.Tx) error {
			shown = nil
			record, err := t.find(tx, call)
			if err != nil {
				return err
			}
			records, err := tx.List(entra.KindAppRoleAssignment, store.Query{Key: &store.Key{Name: key, Value: record.ID}})
			if err != nil {
				return err
			}
			for _, r := range records {
				a, err := store.Decode[entra.AppRoleAssignment](r)
				if err != nil {
					return err
				}
				entity, err := showAppRole(tx, record.Tenant, a)
				if err != nil {
					return err
				}
				shown = append(shown, entity)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return s.replyObjects(w, call, "appRoleAssignments", shown)
	}
}

// readAppRole reads the body of an assignment.
func readAppRole(b *body) (a entra.AppRoleAssignment) {
	b.require("principalId", "resourceId", "appRoleId")
	for _, id := range []struct {
		name string
		into *string
	}{{"principalId", &a.Principal}, {"resourceId", &a.Resource}, {"appRoleId", &a.Role}} {
		if b.text(id.name, id.into, maxName); uuid.Validate(*id.into) != nil {
			b.invalid(id.name, "")
		}
	}
	return a
}

// createAppRole makes an assignment. The body names the target once more.
// Source: serviceprincipal-post-approleassignments.md, serviceprincipal-post-approleassignedto.md.
func (s *Graph) createAppRole(same string) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		b, err := readBody(call, "AppRoleAssignment", false)
		if err != nil {
			return err
		}
		in := readAppRole(b)
		if err := b.done(); err != nil {
			return err
		}
		var shown map[string]any
		err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
			record, err := t.find(tx, call)
			if err != nil {
				return err
			}
			if named := map[string]string{"principalId": in.Principal, "resourceId": in.Resource}[same]; !strings.EqualFold(named, record.ID) {
				return api.BadRequest("Request_BadRequest", same, "The value of '%s' is not the object '%s' that the URL names.", same, record.ID)
			}
			a, err := assignable(tx, record.Tenant, in)
			if err != nil {
				return err
			}
			_, err = tx.Lookup(entra.KindAppRoleAssignment, store.Key{Name: "grant", Value: a.Principal + "/" + a.Resource + "/" + a.Role})
			if err == nil {
				return api.BadRequest("InvalidUpdate", "appRoleId", "Permission being assigned already exists on the object")
			}
			if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			a = entra.NewAppRoleAssignment(a.Principal, a.Resource, a.Role, s.now())
			if err := entra.PutAppRoleAssignment(tx, record.Tenant, a); err != nil {
				return err
			}
			shown, err = showAppRole(tx, record.Tenant, a)
			return err
		})
		if err != nil {
			return err
		}
		return replyNew(w, call, "appRoleAssignments", shown)
	}
}

// assignable holds an assignment against what the resource defines: a role for
// the type of the principal. It gives the ids as they are kept.
func assignable(tx *store.Tx, tenant string, a entra.AppRoleAssignment) (entra.AppRoleAssignment, error) {
	principal, err := findObject(tx, tenant, a.Principal)
	if err != nil {
		return a, err
	}
	resource, err := findObject(tx, tenant, a.Resource)
	if err != nil {
		return a, err
	}
	if principal.Kind == entra.KindApplication || resource.Kind != entra.KindServicePrincipal {
		return a, errNotFound(a.Resource)
	}
	a.Principal, a.Resource, a.Role = principal.ID, resource.ID, strings.ToLower(a.Role)
	entity, err := showIn(tx, resource)
	if err != nil {
		return a, err
	}
	memberType := "User"
	if principal.Kind == entra.KindServicePrincipal {
		memberType = "Application"
	}
	roles, _ := entity["appRoles"].([]entra.AppRole)
	known := a.Role == entra.DefaultRole || slices.ContainsFunc(roles, func(r entra.AppRole) bool {
		return r.Enabled && strings.EqualFold(r.ID, a.Role) && slices.Contains(r.MemberTypes, memberType)
	})
	if !known {
		return a, api.BadRequest("Request_BadRequest", "appRoleId", "Permission being assigned was not found on application '%s'", entity["appId"])
	}
	return a, nil
}

// assigns asks for more than the door does: of an application permission of
// Microsoft Graph, or of what is not the user's own resource.
func (s *Graph) assigns(call *api.Call, _ target) ([]api.Permission, error) {
	b, err := peekBody(call, "AppRoleAssignment")
	if err != nil {
		return nil, err
	}
	a := readAppRole(b)
	if b.err != nil {
		return []api.Permission{without(writeAssignments)}, nil // the handler says what is wrong with it
	}
	return s.ofResource(call, a.Resource)
}

func (s *Graph) unassigns(call *api.Call, _ target) ([]api.Permission, error) {
	resource := ""
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		a, _, err := store.Load[entra.AppRoleAssignment](tx, entra.KindAppRoleAssignment, call.Var("assignment"))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		resource = a.Resource
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.ofResource(call, resource)
}

// ofResource asks for what it takes to say who has a resource's roles: owners
// may of their own.
// Source: entra-docs users-default-permissions.md, "Enterprise application owner
// permissions"; permissions-reference.md, Application Administrator.
func (s *Graph) ofResource(call *api.Call, resource string) ([]api.Permission, error) {
	graph, mine := false, false
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		record, err := tx.Get(entra.KindServicePrincipal, resource)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		sp, err := store.Decode[entra.ServicePrincipal](record)
		if err != nil {
			return err
		}
		graph = strings.EqualFold(sp.AppID, entra.GraphAppID)
		mine, err = owns(tx, call, record.ID)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case graph:
		return []api.Permission{consentToGraph}, nil
	case mine:
		return nil, nil
	}
	return []api.Permission{without(writeAssignments)}, nil
}

// Source: serviceprincipal-delete-approleassignments.md, serviceprincipal-delete-approleassignedto.md.
func (s *Graph) deleteAppRole(key string) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
			record, err := t.find(tx, call)
			if err != nil {
				return err
			}
			id := call.Var("assignment")
			a, _, err := store.Load[entra.AppRoleAssignment](tx, entra.KindAppRoleAssignment, id)
			if errors.Is(err, store.ErrNotFound) || err == nil && !strings.EqualFold(map[string]string{"principal": a.Principal, "resource": a.Resource}[key], record.ID) {
				return errNotFound(id)
			}
			if err != nil {
				return err
			}
			return tx.Delete(entra.KindAppRoleAssignment, a.ID)
		})
		if err != nil {
			return err
		}
		return noContent(w, call)
	}
}
