// Package management is Microsoft.Management: the tree of management groups
// above the subscriptions of a tenant. What a role grants at a group it grants
// on everything below; access keeps the tree for that.
package management

import (
	"context"
	"net/http"
	"strings"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const (
	provider = "Microsoft.Management"
	typeName = provider + "/managementGroups"
	// source documents these operations, and what they need.
	source = "azure-rest-api-specs managementgroups/stable/2021-04-01/management.json; azure-docs governance/management-groups/overview.md, manage.md"
)

// Management is the service.
type Management struct {
	store  *store.Store
	access *access.Access
	arm    *arm.Manager
}

// New makes the service.
func New(s *store.Store, a *access.Access, m *arm.Manager) *Management {
	return &Management{s, a, m}
}

// Operations are the rows of ARM that this service serves.
func (s *Management) Operations() []api.Operation {
	const groups = "/providers/" + typeName
	row := func(method, path, name, action string, checks func(*api.Call) ([]api.Check, error), handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		return api.Operation{Method: method, Pattern: path, Name: name, Action: action, Source: source, Checks: checks, Handle: handle}
	}
	at := func(verb string) (string, func(*api.Call) ([]api.Check, error)) {
		return typeName + verb, func(call *api.Call) ([]api.Check, error) {
			return []api.Check{{Scope: rbac.Scope(groupID(call)), Action: typeName + verb}}, nil
		}
	}
	read, atRead := at("/read")
	remove, atRemove := at("/delete")
	readSub, atReadSub := at("/subscriptions/read")
	descend, atDescend := at("/descendants/read")
	return []api.Operation{
		// Any token may ask for its groups: the replies hold what it can see.
		row(http.MethodGet, groups, "ManagementGroups_List", "", nil, s.list),
		row(http.MethodPost, "/providers/"+provider+"/getEntities", "Entities_List", "", nil, s.entities),
		row(http.MethodPost, "/providers/"+provider+"/checkNameAvailability", "CheckNameAvailability", "", nil, s.checkName),
		row(http.MethodGet, groups+"/{groupId}", "ManagementGroups_Get", read, atRead, s.get),
		row(http.MethodPut, groups+"/{groupId}", "ManagementGroups_CreateOrUpdate", typeName+"/write", s.writeChecks, s.put),
		row(http.MethodPatch, groups+"/{groupId}", "ManagementGroups_Update", typeName+"/write", s.writeChecks, s.patch),
		row(http.MethodDelete, groups+"/{groupId}", "ManagementGroups_Delete", remove, atRemove, s.delete),
		row(http.MethodGet, groups+"/{groupId}/descendants", "ManagementGroups_GetDescendants", descend, atDescend, s.descendants),
		row(http.MethodGet, groups+"/{groupId}/subscriptions", "ManagementGroupSubscriptions_GetSubscriptionsUnderManagementGroup", readSub, atReadSub, s.subscriptions),
		row(http.MethodGet, groups+"/{groupId}/subscriptions/{subscriptionId}", "ManagementGroupSubscriptions_GetSubscription", readSub, atReadSub, s.subscription),
		row(http.MethodPut, groups+"/{groupId}/subscriptions/{subscriptionId}", "ManagementGroupSubscriptions_Create", typeName+"/subscriptions/write", s.moveChecks, s.addSubscription),
		row(http.MethodDelete, groups+"/{groupId}/subscriptions/{subscriptionId}", "ManagementGroupSubscriptions_Delete", typeName+"/subscriptions/delete", s.moveChecks, s.removeSubscription),
	}
}

// groupID is the id of the group that a call names.
func groupID(call *api.Call) string { return access.GroupPrefix + call.Var("groupId") }

func subscriptionID(call *api.Call) string { return "/subscriptions/" + call.Var("subscriptionId") }

func (s *Management) tree(ctx context.Context, tenant string) (tree *access.Tree, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		tree, err = access.LoadTree(tx, tenant)
		return err
	})
	return tree, err
}

// writeChecks asks for what a write of a group needs.
func (s *Management) writeChecks(call *api.Call) ([]api.Check, error) {
	in, err := peek(call)
	if err != nil {
		return nil, err
	}
	tree, err := s.tree(call.Request.Context(), call.Caller.Tenant)
	if err != nil {
		return nil, err
	}
	return toWrite(tree, call, in.parent()), nil
}

// moveChecks asks for what a move of a subscription needs.
func (s *Management) moveChecks(call *api.Call) ([]api.Check, error) {
	tree, err := s.tree(call.Request.Context(), call.Caller.Tenant)
	if err != nil {
		return nil, err
	}
	return toMove(tree, call), nil
}

// still asks again in the transaction: the tree may have changed since.
func still(call *api.Call, checks []api.Check) error {
	for _, check := range checks {
		if err := call.Authorize(check); err != nil {
			return err
		}
	}
	return nil
}

// toWrite is write at a group that is there, and what a move of it needs.
// Everybody may create a group, below the root or where they may write.
// Source: overview.md, "Important facts"; manage.md, "Moving management groups".
func toWrite(tree *access.Tree, call *api.Call, parent string) []api.Check {
	id, write := groupID(call), call.Operation.Action
	if _, found := tree.Group(id); !found && call.Request.Method == http.MethodPut {
		return landing(tree, write, parent)
	}
	checks := []api.Check{{Scope: rbac.Scope(id), Action: write}}
	if old, ok := tree.Parent(id); ok && parent != "" && !strings.EqualFold(old.ID, parent) {
		checks = append(checks, api.Check{Scope: rbac.Scope(id), Action: assign})
		checks = append(checks, landing(tree, write, old.ID, parent)...)
	}
	return checks
}

// toMove is what a move of a subscription needs.
// Source: manage.md, "Moving subscriptions".
func toMove(tree *access.Tree, call *api.Call) []api.Check {
	checks := append(landing(tree, call.Operation.Action, groupID(call)), api.Check{Scope: rbac.Scope(subscriptionID(call)), Action: assign})
	if old, ok := tree.Parent(subscriptionID(call)); ok && !strings.EqualFold(old.ID, groupID(call)) {
		checks = append(checks, landing(tree, typeName+"/write", old.ID)...)
	}
	return checks
}

// assign is what a move needs at what is moved: another parent gives others
// access.
const assign = "Microsoft.Authorization/roleAssignments/write"

// landing asks for the action at groups that something comes to or goes from.
// The root is where everything lands that has no other place: it asks nothing.
func landing(tree *access.Tree, action string, groups ...string) (checks []api.Check) {
	for _, id := range groups {
		if id != "" && !strings.EqualFold(id, tree.Root().ID) {
			checks = append(checks, api.Check{Scope: rbac.Scope(id), Action: action})
		}
	}
	return checks
}
