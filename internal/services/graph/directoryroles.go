package graph

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// directoryRoleObjects are the directory roles, as members of lists.
var directoryRoleObjects = collection{path: "directoryRoles", odataType: "directoryRole", read: readDirectoryRoles, one: readDirectoryRoles, page: "directoryrole"}

// roleID is the object id that a directory role has in a tenant.
func roleID(tenant, template string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(tenant+"/directoryRoles/"+template))).String()
}

// showRole is a directory role of a tenant. Source: resources/directoryrole.md.
func showRole(tenant, template string) map[string]any {
	return map[string]any{"@odata.type": "#microsoft.graph.directoryRole", "id": roleID(tenant, template), "deletedDateTime": nil,
		"displayName": entra.RoleName(template), "roleTemplateId": template}
}

// assignedRoles are the assignments of directory roles in the caller's tenant.
func assignedRoles(tx *store.Tx, call *api.Call) (all []entra.RoleAssignment, err error) {
	records, err := tx.List(entra.KindRoleAssignment, store.Query{})
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		a, err := store.Decode[entra.RoleAssignment](record)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(record.Tenant, call.Caller.Tenant) && entra.RoleName(a.Role) != "" {
			a.Role = strings.ToLower(a.Role)
			all = append(all, a)
		}
	}
	return all, nil
}

func (s *Graph) assignments(call *api.Call) (all []entra.RoleAssignment, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		all, err = assignedRoles(tx, call)
		return err
	})
	return all, err
}

// rolesOf are the directory roles that the target has.
func (s *Graph) rolesOf(call *api.Call, t target) (held []map[string]any, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		held = nil
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		all, err := assignedRoles(tx, call)
		for _, a := range all {
			if strings.EqualFold(a.Principal, record.ID) {
				held = append(held, showRole(record.Tenant, a.Role))
			}
		}
		return err
	})
	return held, err
}

// activated are the templates of the roles that a tenant has used, and of Global
// Administrator. Source: directoryrole-list.md.
func (s *Graph) activated(call *api.Call) (templates []string, err error) {
	all, err := s.assignments(call)
	used := map[string]bool{entra.RoleTemplate(entra.GlobalAdministrator): true}
	for _, a := range all {
		used[a.Role] = true
	}
	for _, template := range entra.RoleTemplates() {
		if used[template] {
			templates = append(templates, template)
		}
	}
	return templates, err
}

func (s *Graph) listRoles(w http.ResponseWriter, call *api.Call) error {
	templates, err := s.activated(call)
	if err != nil {
		return err
	}
	var shown []map[string]any
	for _, template := range templates {
		role := showRole(call.Caller.Tenant, template)
		delete(role, "@odata.type")
		shown = append(shown, role)
	}
	return s.replyObjects(w, call, "directoryRoles", shown)
}

// role finds the template of the role that a path names by object id.
func (s *Graph) role(call *api.Call) (string, error) {
	templates, err := s.activated(call)
	if err != nil {
		return "", err
	}
	for _, template := range templates {
		if strings.EqualFold(roleID(call.Caller.Tenant, template), call.Var("id")) {
			return template, nil
		}
	}
	return "", errNotFound(call.Var("id"))
}

// Source: directoryrole-get.md.
func (s *Graph) getRole(w http.ResponseWriter, call *api.Call) error {
	template, err := s.role(call)
	if err != nil {
		return err
	}
	shown := showRole(call.Caller.Tenant, template)
	delete(shown, "@odata.type")
	shown["@odata.context"] = call.URL("/v1.0/$metadata#directoryRoles/$entity")
	return reply(w, call, shown)
}

// Source: directoryrole-list-members.md.
func (s *Graph) listRoleMembers(w http.ResponseWriter, call *api.Call) error {
	template, err := s.role(call)
	if err != nil {
		return err
	}
	var found []map[string]any
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		found = nil
		all, err := assignedRoles(tx, call)
		if err != nil {
			return err
		}
		for _, a := range all {
			if a.Role != template {
				continue
			}
			record, err := findObject(tx, call.Caller.Tenant, a.Principal)
			if isClientError(err) {
				continue
			}
			if err != nil {
				return err
			}
			entity, err := showIn(tx, record)
			if err != nil {
				return err
			}
			c := collectionOf(record.Kind)
			entity["@odata.type"] = "#microsoft.graph." + c.odataType
			found = append(found, seen(call, c, entity))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.replyObjects(w, call, "directoryObjects", found)
}

// Source: directoryroletemplate-list.md.
func (s *Graph) listTemplates(w http.ResponseWriter, call *api.Call) error {
	var shown []map[string]any
	for _, template := range entra.RoleTemplates() {
		shown = append(shown, map[string]any{"id": template, "displayName": entra.RoleName(template), "deletedDateTime": nil})
	}
	return s.replyObjects(w, call, "directoryRoleTemplates", shown)
}

// showAssignment: source resources/unifiedroleassignment.md.
func showAssignment(a entra.RoleAssignment) map[string]any {
	return map[string]any{"id": a.ID, "principalId": a.Principal, "roleDefinitionId": strings.ToLower(a.Role), "directoryScopeId": "/"}
}

const assignmentSet = "roleManagement/directory/roleAssignments"

// Source: rbacapplication-list-roleassignments.md.
func (s *Graph) listAssignments(w http.ResponseWriter, call *api.Call) error {
	all, err := s.assignments(call)
	if err != nil {
		return err
	}
	var shown []map[string]any
	for _, a := range all {
		shown = append(shown, showAssignment(a))
	}
	return s.replyObjects(w, call, assignmentSet, shown)
}

// findAssignment finds the assignment that a path names.
func findAssignment(tx *store.Tx, call *api.Call) (entra.RoleAssignment, error) {
	id := call.Var("id")
	a, record, err := store.Load[entra.RoleAssignment](tx, entra.KindRoleAssignment, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !strings.EqualFold(record.Tenant, call.Caller.Tenant) {
		return a, errNotFound(id)
	}
	return a, err
}

// Source: unifiedroleassignment-get.md.
func (s *Graph) getAssignment(w http.ResponseWriter, call *api.Call) error {
	var a entra.RoleAssignment
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		a, err = findAssignment(tx, call)
		return err
	})
	if err != nil {
		return err
	}
	shown := showAssignment(a)
	shown["@odata.context"] = call.URL("/v1.0/$metadata#" + assignmentSet + "/$entity")
	return reply(w, call, shown)
}

// createAssignment gives a user or a service principal a directory role in the
// whole tenant. Source: rbacapplication-post-roleassignments.md.
func (s *Graph) createAssignment(w http.ResponseWriter, call *api.Call) error {
	b, err := readBody(call, "UnifiedRoleAssignment", false)
	if err != nil {
		return err
	}
	b.require("roleDefinitionId", "principalId", "directoryScopeId")
	var a entra.RoleAssignment
	var scope string
	b.text("roleDefinitionId", &a.Role, maxName)
	b.text("principalId", &a.Principal, maxName)
	if b.text("directoryScopeId", &scope, maxName); scope != "/" {
		b.invalid("directoryScopeId", " Sekisho gives directory roles in the whole tenant only: '/'.")
	}
	if entra.RoleName(a.Role) == "" {
		b.invalid("roleDefinitionId", " It names the template of a built-in directory role that Sekisho knows.")
	}
	if uuid.Validate(a.Principal) != nil {
		b.invalid("principalId", "")
	}
	if err := b.done(); err != nil {
		return err
	}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := findObject(tx, call.Caller.Tenant, a.Principal)
		if err != nil {
			return err
		}
		if record.Kind != entra.KindUser && record.Kind != entra.KindServicePrincipal {
			return api.BadRequest("Request_BadRequest", "principalId", "The principal '%s' can't be assigned a directory role: it is neither a user nor a service principal.", a.Principal)
		}
		a.Principal, a.Role = record.ID, strings.ToLower(a.Role)
		a.ID = entra.JoinedID(a.Role, a.Principal) + "-1"
		_, err = tx.Lookup(entra.KindRoleAssignment, store.Key{Name: "grant", Value: a.Principal + "/" + a.Role})
		if err == nil {
			return api.BadRequest("Request_BadRequest", "", "A conflicting object with one or more of the specified property values is present in the directory.")
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return entra.PutRoleAssignment(tx, record.Tenant, a)
	})
	if err != nil {
		return err
	}
	return replyNew(w, call, assignmentSet, showAssignment(a))
}

// Source: unifiedroleassignment-delete.md.
func (s *Graph) deleteAssignment(w http.ResponseWriter, call *api.Call) error {
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		a, err := findAssignment(tx, call)
		if err != nil {
			return err
		}
		if entra.RoleName(a.Role) == entra.GlobalAdministrator {
			last, err := entra.LastAdministrator(tx, call.Caller.Tenant, a.Principal)
			if err != nil {
				return err
			}
			if last {
				return api.BadRequest("Request_BadRequest", "id", "Removing the last Global Administrator '%s' of the tenant is not allowed.", a.Principal)
			}
		}
		return tx.Delete(entra.KindRoleAssignment, a.ID)
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}
