// Package builtin holds Azure's built-in role definitions.
//
// The data, roles.json.gz, is the public dump azure/built-in-roles-raw.json of
// the repository iann0036/iam-dataset as of 2026-08-22, less the fields that
// [rbac.RoleDefinition] does not have: an array in JSON, packed with gzip.
//
// Microsoft renames roles (Azure AI User became Foundry User) but keeps their
// GUIDs. So store and compare GUIDs, and use [Find] for what a person typed.
package builtin
