// Package export reads what az tells of a tenant's access control, so that
// questions to it can be answered offline, and writes the same files.
//
// A directory holds, each of them optional:
//
//	role-assignments.json   az role assignment list --all -o json
//	role-definitions.json   az role definition list -o json
//	deny-assignments.json   az rest --url .../providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01
//	management-groups.json  az account management-group entities list -o json
//	groups.json             [{"id", "displayName", "members": [{"id"}]}], of Microsoft Graph
//	principals.json         [{"id", "type", "displayName", "userPrincipalName", "appId"}], for names
//
// Each may be an array, or ARM's reply {"value": [...]}; an element may have its
// fields beside its id or below "properties". A list that goes on at a nextLink
// is an error: half of the assignments give wrong answers.
//
// Roles that role-definitions.json lacks are Azure's built-in ones (package
// builtin).
//
// Template reads the role assignments of a compiled Bicep file, or of another
// ARM template.
package export
