package authorization

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf16"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
	"sekisho/rbac/operations"
)

// definitionInput is the body of a PUT of a role definition.
type definitionInput struct {
	Properties definitionProperties `json:"properties"`
}

type definitionProperties struct {
	RoleName         string            `json:"roleName"`
	Type             string            `json:"type"`
	Description      string            `json:"description"`
	AssignableScopes []string          `json:"assignableScopes"`
	Permissions      []rbac.Permission `json:"permissions"`
}

// What Azure says that a custom role may be.
// Source: custom-roles.md, "Custom role properties" and "Custom role limits".
const (
	maxRoleName    = 512
	maxDescription = 2048
	maxScopes      = 2000
)

func peekDefinition(call *api.Call) (definitionInput, error) {
	var in definitionInput
	err := peek(call, &in)
	return in, err
}

// peek reads a body and leaves it for the handler: what the checks do not see
// the handler does not write.
func peek(call *api.Call, v any) error {
	raw, err := arm.PeekBody(call)
	if err != nil {
		return err
	}
	err = arm.ReadBody(call, v)
	call.Request.Body = io.NopCloser(bytes.NewReader(raw))
	return err
}

// role is the custom role that the body asks for.
func (in definitionInput) role(call *api.Call) (rbac.RoleDefinition, error) {
	var none rbac.RoleDefinition
	p := in.Properties
	if !arm.IsGUID(call.Var("name")) {
		return none, api.BadRequest("InvalidRoleDefinitionId", "name", "The role definition ID '%s' is not valid. The role definition ID must be a GUID.", call.Var("name"))
	}
	if err := p.checkTexts(); err != nil {
		return none, err
	}
	scopes, err := assignableScopes(p.AssignableScopes)
	if err != nil {
		return none, err
	}
	block, err := p.permission()
	if err != nil {
		return none, err
	}
	return rbac.RoleDefinition{
		Name: strings.ToLower(call.Var("name")), RoleName: p.RoleName, Type: rbac.CustomRole, Description: p.Description,
		AssignableScopes: scopes, Permissions: []rbac.Permission{block},
	}, nil
}

func badRole(target, format string, args ...any) error {
	return api.BadRequest("InvalidRoleDefinition", target, format, args...)
}

func (p definitionProperties) checkTexts() error {
	switch {
	case strings.TrimSpace(p.RoleName) == "":
		return badRole("properties.roleName", "The role definition has no roleName, which is required.")
	case length(p.RoleName) > maxRoleName:
		return badRole("properties.roleName", "The roleName has %d characters; the maximum is %d.", length(p.RoleName), maxRoleName)
	case length(p.Description) > maxDescription:
		return badRole("properties.description", "The description has %d characters; the maximum is %d.", length(p.Description), maxDescription)
	case p.Type != "" && !strings.EqualFold(p.Type, rbac.CustomRole):
		return badRole("properties.type", "The type '%s' is not valid: a role that is created is a CustomRole.", p.Type)
	}
	return nil
}

// length counts characters as Azure does, in UTF-16.
func length(s string) int { return len(utf16.Encode([]rune(s))) }

// assignableScopes checks where a custom role may be assigned, and gives it in
// Azure's spelling.
// Source of rules and texts: custom-roles.md, "Custom role limits".
func assignableScopes(written []string) (scopes []string, err error) {
	bad := func(format string, args ...any) error {
		return api.BadRequest("InvalidAssignableScopes", "properties.assignableScopes", format, args...)
	}
	if len(written) == 0 {
		return nil, bad("The role definition has no assignableScopes: at least one is required.")
	}
	if len(written) > maxScopes {
		return nil, bad("The role definition has %d assignableScopes; the maximum is %d.", len(written), maxScopes)
	}
	groups := 0
	for _, at := range written {
		if strings.Contains(at, "*") {
			return nil, bad("You cannot use wildcards (*) in AssignableScopes: '%s'.", at)
		}
		scope, err := rbac.ParseScope(strings.TrimSuffix(at, "/"))
		switch {
		case strings.Trim(at, "/") == "" && at != "":
			return nil, bad(`You cannot set AssignableScopes to the root scope ("/").`)
		case err != nil:
			return nil, bad("The assignable scope '%s' is invalid: %v.", at, err)
		case isGroup(scope):
			groups++
		case scope.Subscription() == "":
			return nil, bad("The assignable scope '%s' is invalid: it is a management group, a subscription, or what is in a subscription.", at)
		}
		scopes = append(scopes, string(scope))
	}
	if groups > 1 {
		return nil, bad("You can define only one management group in AssignableScopes of a custom role.")
	}
	return scopes, nil
}

// isGroup tells whether a scope is a management group.
func isGroup(scope rbac.Scope) bool {
	name, ok := strings.CutPrefix(scope.Key(), strings.ToLower(access.GroupPrefix))
	return ok && !strings.Contains(name, "/")
}

// permission is the one block that a custom role has. Built-in roles may have
// several, and conditions; of a custom role the service takes one, and the
// contract has the condition of a permission read-only.
// Source: Azure/azure-powershell#29060; authorization-RoleDefinitionsCalls.json
// of 2022-05-01-preview.
func (p definitionProperties) permission() (rbac.Permission, error) {
	var none rbac.Permission
	if len(p.Permissions) != 1 {
		return none, badRole("properties.permissions", "The role definition has %d entries in permissions: a custom role has exactly one.", len(p.Permissions))
	}
	b := p.Permissions[0]
	if b.Condition != "" || b.ConditionVersion != "" {
		return none, badRole("properties.permissions[0].condition", "The permissions of a custom role can't have a condition.")
	}
	if len(b.Actions) == 0 && len(b.DataActions) == 0 {
		return none, badRole("properties.permissions[0]", "The role definition grants nothing: actions and dataActions are empty.")
	}
	for _, list := range []struct {
		name    string
		actions *[]string
		data    bool
	}{
		{"actions", &b.Actions, false}, {"notActions", &b.NotActions, false},
		{"dataActions", &b.DataActions, true}, {"notDataActions", &b.NotDataActions, true},
	} {
		for _, action := range *list.actions {
			if why := badAction(action, list.data); why != "" {
				code := "InvalidActionOrNotAction"
				if list.data {
					code = "InvalidDataActionOrNotDataAction"
				}
				return none, api.BadRequest(code, "properties.permissions[0]."+list.name, "'%s' %s", action, why)
			}
		}
		if *list.actions == nil {
			*list.actions = []string{}
		}
	}
	return b, nil
}

// badAction tells what is wrong with an action of a custom role; nothing of one
// that is right or that nothing is known of.
// Source of the texts: MicrosoftDocs/azure-docs#74428 (wildcards), #102571 (no
// such action); Azure/azure-powershell#7467 (characters: Azure's own operations
// have had more since).
func badAction(action string, data bool) string {
	namespace, rest, _ := strings.Cut(action, "/")
	switch {
	case strings.Count(action, "*") > 1:
		return "contains multiple wildcards. Only one is allowed."
	case action == "*":
		return ""
	case strings.ContainsFunc(action, func(r rune) bool { return !inAction(r) }):
		return "contains invalid character(s). Only alpha-numeric characters, ., *, /, -, _, :, { and } are allowed."
	case namespace == "" || rest == "" && !strings.HasSuffix(namespace, "*") || strings.HasSuffix(action, "/") || strings.Contains(action, "//"):
		return "is not of the form {Company}.{ProviderName}/{resourceType}/{action}."
	case !operations.Complete(namespace):
		return ""
	}
	for range operations.Matching(action, data) {
		return ""
	}
	return "does not match any of the actions supported by the providers."
}

func inAction(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("./*-_:{}", r)
}
