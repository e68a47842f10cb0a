package review

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
	"sekisho/rbac/condition"
)

const (
	rbacAdmin  = "f58310d9-a9f6-439a-9e8d-f62e7b41a168" // Role Based Access Control Administrator
	blobOwner  = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b" // Storage Blob Data Owner
	blobReader = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1" // Storage Blob Data Reader
	reader     = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	contrib    = "b24988ac-6180-42a0-ab88-20f7382dd24c"
)

// delegate is the template of delegate-role-assignments-examples.md, with an
// operator.
func delegate(operator string, actions ...string) string {
	var parts []string
	for _, a := range actions {
		source := map[string]string{"write": "@Request", "delete": "@Resource"}[a]
		parts = append(parts, fmt.Sprintf("(!(ActionMatches{'Microsoft.Authorization/roleAssignments/%s'}) OR (%s[Microsoft.Authorization/roleAssignments:RoleDefinitionId] %s {8e3af657-a8ff-443c-a75c-2fe8c4bcb635}))", a, source, operator))
	}
	return strings.Join(parts, " AND ")
}

const (
	blobNS    = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
	inFolder  = "@Resource[" + blobNS + ":path] StringLike 'readonly/*'"
	isProject = "@Resource[" + blobNS + "/tags:Project<$key_case_sensitive$>] StringEquals 'Cascade'"
)

func filter(expression string, actions ...string) string {
	var parts []string
	for _, a := range actions {
		parts = append(parts, "!(ActionMatches{'"+blobNS+"/"+a+"'})")
	}
	return "(" + strings.Join(parts, " AND ") + ") OR (" + expression + ")"
}

func TestLint(t *testing.T) {
	assign := func(id, role, principal string, scope rbac.Scope) rbac.RoleAssignment {
		return rbac.RoleAssignment{ID: id, RoleDefinition: role, Principal: principal, Scope: scope}
	}
	conditioned := func(role, c string) rbac.World {
		a := assign("1", role, "ann", sub)
		a.Condition = c
		return rbac.World{Assignments: []rbac.RoleAssignment{a}}
	}
	withMore := func(w rbac.World, more ...rbac.RoleAssignment) rbac.World {
		w.Assignments = append(w.Assignments, more...)
		return w
	}
	custom := func(p rbac.Permission) rbac.World {
		return rbac.World{Roles: []rbac.RoleDefinition{{Name: "c", RoleName: "Mine", Type: rbac.CustomRole, Permissions: []rbac.Permission{p}}}}
	}
	many := func(n int, scope rbac.Scope) (w rbac.World) {
		for i := range n {
			w.Assignments = append(w.Assignments, assign(fmt.Sprint(i), reader, fmt.Sprint("p", i), scope))
		}
		return w
	}
	owners := func(n int) (w rbac.World) {
		w.Groups = map[string][]string{"ann": {"admins"}, "bob": {"admins"}}
		w.Assignments = append(w.Assignments, assign("g", ownerRole, "admins", "/"))
		for i := range n {
			w.Assignments = append(w.Assignments, assign(fmt.Sprint(i), ownerRole, fmt.Sprint("p", i), sub))
		}
		return w
	}
	tests := []struct {
		name  string
		world rbac.World
		want  []string // "severity rule place"
	}{
		{"nothing", rbac.World{}, nil},
		{"an allow list of roles", conditioned(rbacAdmin, delegate("ForAnyOfAnyValues:GuidEquals", "write", "delete")), nil},
		{"a deny list of roles", conditioned(rbacAdmin, delegate("ForAnyOfAllValues:GuidNotEquals", "write", "delete")), []string{"warning condition-denylist 1"}},
		{"a deny list by NOT", conditioned(rbacAdmin, "!("+delegate("ForAnyOfAnyValues:GuidEquals", "write")+")"), []string{"warning condition-denylist 1"}},
		{"a NOT over a deny list", conditioned(rbacAdmin, "!("+delegate("ForAnyOfAllValues:GuidNotEquals", "write")+")"), nil},
		{"a deny list for one who makes roles", withMore(conditioned(rbacAdmin, delegate("ForAnyOfAllValues:GuidNotEquals", "write", "delete")), assign("2", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "ann", sub+"2")),
			[]string{"error condition-denylist 1"}},
		{"writing filtered, deleting not", conditioned(rbacAdmin, delegate("ForAnyOfAnyValues:GuidEquals", "write")), []string{"warning condition-partial 1"}},
		{"write without add", conditioned(blobOwner, filter("@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'x'", "write")), []string{"warning condition-partial 1"}},
		{"write and add", conditioned(blobOwner, filter("@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'x'", "write", "add/action")), nil},
		{"a path, and who may rename", conditioned(blobOwner, filter(inFolder, "read")), []string{"warning condition-partial 1", "warning condition-partial 1"}},
		{"a path, and who may not", conditioned(blobReader, filter(inFolder, "read")), nil},
		{"a tag, and who may write tags", conditioned(blobOwner, filter(isProject, "read")), []string{"warning condition-partial 1"}},
		{"reading without listing", conditioned(blobReader, "!(ActionMatches{'"+blobNS+"/read'} AND NOT SubOperationMatches{'Blob.List'}) OR "+inFolder), []string{"note condition-partial 1"}},
		{"no parentheses", conditioned(blobReader, "@Environment[isPrivateLink] BoolEquals true AND @Environment[isPrivateLink] BoolEquals true OR @Environment[isPrivateLink] BoolEquals true"),
			[]string{"warning condition-ambiguous 1"}},
		{"no condition", conditioned(blobReader, "@Resource[x"), []string{"error condition-syntax 1"}},
		{"an unknown attribute", conditioned(reader, "@Environment[isPrivateLynk] BoolEquals true OR @Resource[Microsoft.Storage/storageAccounts:nmae] StringEquals 'x'"),
			[]string{"warning condition-attribute 1", "warning condition-attribute 1"}},
		{"an attribute of the other source", conditioned(reader, "Exists @Resource["+blobNS+":snapshot]"), []string{"warning condition-attribute 1"}},
		{"a security attribute", conditioned(reader, "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project] StringEquals 'x'"), nil},
		{"an unknown role", rbac.World{Assignments: []rbac.RoleAssignment{assign("1", "gone", "ann", sub)}}, []string{"error unknown-role 1"}},
		{"unknown and misplaced actions", custom(rbac.Permission{Actions: []string{"Microsoft.Search/searchServices/fly/action", "Microsoft.Search/searchServices/*", "Microsoft.Nobody/x/read"},
			DataActions: []string{"Microsoft.Search/searchServices/read"}}), []string{"error unknown-action role Mine", "error unknown-action role Mine"}},
		{"data actions with a star", custom(rbac.Permission{Actions: []string{"*"}, DataActions: []string{"Microsoft.Search/searchServices/indexes/documents/*"}}),
			[]string{"warning wildcard-data-action role Mine"}},
		{"the same role above", rbac.World{Assignments: []rbac.RoleAssignment{assign("1", reader, "ann", group), assign("2", reader, "ANN", sub)}}, []string{"note redundant-assignment 1"}},
		{"a broader role of a group above", rbac.World{Assignments: []rbac.RoleAssignment{assign("1", reader, "ann", group), assign("2", contrib, "g", mg)},
			Groups: map[string][]string{"ann": {"h"}, "h": {"g"}}, Parents: map[string]rbac.Scope{string(sub): mg}}, []string{"note redundant-assignment 1"}},
		{"a narrower role above", rbac.World{Assignments: []rbac.RoleAssignment{assign("1", contrib, "ann", group), assign("2", reader, "ann", sub)}}, nil},
		{"twice", rbac.World{Assignments: []rbac.RoleAssignment{assign("2", reader, "ann", group), assign("1", reader, "ann", group)}}, []string{"note redundant-assignment 2"}},
		{"above, but under a condition", withMore(conditioned(blobReader, filter(inFolder, "read")), assign("2", blobReader, "ann", group)), nil},
		{"three owners", owners(1), nil},
		{"four owners", owners(2), []string{"warning too-many-owners " + string(sub)}},
		{"few assignments", many(3199, group), nil},
		{"many assignments", many(3200, group), []string{"warning limit " + string(sub)}},
		{"no more assignments", many(500, mg), []string{"error limit " + string(mg)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.world.Roles = append(builtin.Roles(), tt.world.Roles...)
			var got []string
			for _, f := range New(tt.world).Lint() {
				got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.Rule, f.Place))
				if f.Why == "" || f.Source == "" {
					t.Errorf("%+v says too little", f)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
				for _, f := range New(tt.world).Lint() {
					t.Log(f)
				}
			}
		})
	}
}

func TestBuiltInConditionsNameDocumentedAttributes(t *testing.T) {
	n := 0
	for _, role := range builtin.Roles() {
		for _, p := range role.Permissions {
			if p.Condition == "" {
				continue
			}
			c, err := condition.Parse(p.Condition)
			if err != nil {
				t.Fatal(err)
			}
			for _, atom := range c.Atoms() {
				if of := atom.Left.Attribute; of.Source != "" {
					if n++; !documented(of) {
						t.Errorf("%s: %v", role.RoleName, of)
					}
				}
			}
		}
	}
	if n == 0 {
		t.Error("no attribute was looked at")
	}
}

// Any one redundant assignment can go, and nobody notices.
func TestARedundantAssignmentChangesNothing(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		r, before := review(w), rbac.NewSnapshot(w)
		for _, f := range r.Lint() {
			if f.Rule != "redundant-assignment" {
				continue
			}
			found++
			after := before.WithoutAssignment(f.Place)
			for _, p := range people {
				for _, op := range toy() {
					for _, scope := range scopes {
						if a, b := ask(before, p, op.Name, op.Data, scope), ask(after, p, op.Name, op.Data, scope); a != b {
							t.Fatalf("%+v: without it %s has %+v for %+v at %s, not %+v\nworld %+v", f, p, b, op, scope, a, w)
						}
					}
				}
			}
		}
	})
	if found < 5 {
		t.Errorf("%d redundant assignments: the worlds say little", found)
	}
}
