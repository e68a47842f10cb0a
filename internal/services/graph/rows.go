package graph

import (
	"net/http"

	"sekisho/internal/api"
)

type addRow func(method, pattern, name, page string, needs api.Permission, handle func(http.ResponseWriter, *api.Call) error) *api.Operation

// addRows adds the calls that are on no object of a collection: directory roles,
// consent, batches.
func (s *Graph) addRows(add addRow) {
	add(http.MethodGet, "directoryRoles", "directoryRoles_List", "directoryrole-list", readDirectoryRoles, s.listRoles)
	add(http.MethodGet, "directoryRoles/{id}", "directoryRoles_Get", "directoryrole-get", readDirectoryRoles, s.getRole)
	add(http.MethodGet, "directoryRoles/{id}/members", "directoryRoles_ListMembers", "directoryrole-list-members", readDirectoryRoles, s.listRoleMembers)
	add(http.MethodGet, "directoryRoleTemplates", "directoryRoleTemplates_List", "directoryroletemplate-list", readDirectoryRoles, s.listTemplates)
	add(http.MethodGet, assignmentSet, "roleAssignments_List", "rbacapplication-list-roleassignments", readDirectoryRoles, s.listAssignments)
	add(http.MethodPost, assignmentSet, "roleAssignments_Create", "rbacapplication-post-roleassignments", writeRoles, s.createAssignment)
	add(http.MethodGet, assignmentSet+"/{id}", "roleAssignments_Get", "unifiedroleassignment-get", readDirectoryRoles, s.getAssignment)
	add(http.MethodDelete, assignmentSet+"/{id}", "roleAssignments_Delete", "unifiedroleassignment-delete", writeRoles, s.deleteAssignment)

	add(http.MethodGet, grantSet, "oauth2PermissionGrants_List", "oauth2permissiongrant-list", readGrants, s.listGrants)
	add(http.MethodPost, grantSet, "oauth2PermissionGrants_Create", "oauth2permissiongrant-post", writeGrants, s.createGrant)
	add(http.MethodGet, grantSet+"/{id}", "oauth2PermissionGrants_Get", "oauth2permissiongrant-get", readGrants, s.getGrant)
	add(http.MethodPatch, grantSet+"/{id}", "oauth2PermissionGrants_Update", "oauth2permissiongrant-update", writeGrants, s.updateGrant)
	add(http.MethodDelete, grantSet+"/{id}", "oauth2PermissionGrants_Delete", "oauth2permissiongrant-delete", writeGrants, s.deleteGrant)

	// Whoever may call may call many times: each part is decided by itself.
	add(http.MethodPost, "$batch", "batch", "", api.Permission{}, s.batch).Source = "microsoft-graph-docs-contrib concepts/json-batching.md"
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		op := add(method, "", "userInfo_"+method, "", api.Permission{Scopes: []string{"openid"}, Users: api.AllUsers}, s.userInfo)
		op.Pattern, op.Source = "/oidc/userinfo", "entra-docs identity-platform/userinfo.md"
	}
}

// replyObjects answers with a page of objects that are no directory documents.
func (s *Graph) replyObjects(w http.ResponseWriter, call *api.Call, set string, all []map[string]any) error {
	q, err := parseQuery(call)
	if err != nil {
		return err
	}
	var matched []map[string]any
	for _, entity := range sorted(all) {
		ok, err := q.match(entity)
		if err != nil {
			return err
		}
		if ok {
			matched = append(matched, entity)
		}
	}
	return s.replyList(w, call, q, set, hiddenOf, matched)
}
