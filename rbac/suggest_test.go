package rbac_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
	"sekisho/rbac/condition"
	"sekisho/rbac/operations"
)

// refusalsOfARound times rapid's 100 rounds is 10,000 refusals in make test; make
// soak asks rapid for 20,000 rounds, and so for 2,000,000. The test counts them.
const refusalsOfARound = 100

// What is suggested for a refusal allows it, and no built-in role that grants
// fewer operations of the catalogue would.
func TestSuggestionsFlipRefusals(t *testing.T) {
	var (
		roles   = builtin.Roles()
		catalog = rbac.NewCatalog(roles, builtin.Advised(), operations.All)
		counts  = naiveCounts(roles)
		names   = guarded(roles)
		base    *rbac.Snapshot
		rounds  int
		seen    = map[string]int{}
	)
	holders, groups, everything := ladder(roles, counts)
	groups["ann"] = []string{"staff"}
	rapid.Check(t, func(t *rapid.T) {
		if rounds++; rounds%100 == 1 { // by then its memory of actions is full
			base = rbac.NewSnapshot(rbac.World{Roles: roles, Assignments: holders, Groups: groups})
		}
		s := base
		for i := range rapid.IntRange(0, 6).Draw(t, "assignments") {
			s = s.WithAssignment(rbac.RoleAssignment{ID: fmt.Sprint(i), Principal: rapid.SampledFrom([]string{"ann", "staff", "bob"}).Draw(t, "principal"),
				RoleDefinition: rapid.SampledFrom(roles).Draw(t, "role").Name, Scope: rapid.SampledFrom(places).Draw(t, "scope"),
				Condition: rapid.SampledFrom([]string{"", "", mine}).Draw(t, "condition")})
		}
		for refused := 0; refused < refusalsOfARound; {
			op := drawOperation(t, names)
			var withCustom *rbac.Snapshot
			for range refusalsOfARound / 20 {
				q := rbac.Question{Principal: rapid.SampledFrom([]string{"ann", "bob", "cas"}).Draw(t, "asker"), Action: op.Name, Data: op.Data,
					Scope: rapid.SampledFrom(places).Draw(t, "at"), BuiltInOnly: rapid.SampledFrom([]bool{false, false, true}).Draw(t, "built-in only"),
					Attribute: rapid.SampledFrom(attributes).Draw(t, "attributes"), Time: time.Unix(1, 0)}
				if s.Decide(q) != rbac.NotAllowed {
					continue
				}
				refused++
				got := catalog.Smallest(q)
				applied := func(on *rbac.Snapshot, role string) bool {
					return on.WithAssignment(rbac.RoleAssignment{ID: "new", Principal: q.Principal, RoleDefinition: role, Scope: q.Scope}).Allows(q)
				}
				lesser := q
				if lesser.Principal = everything; got.BuiltIn != nil {
					lesser.Principal = lessThan(got.Operations)
				}
				if base.Allows(lesser) {
					t.Fatalf("a role that grants less than %v would do for %s (data: %v)", got.BuiltIn, op.Name, op.Data)
				}
				if got.BuiltIn != nil {
					if !applied(s, got.BuiltIn.Name) || got.Operations != counts[got.BuiltIn.Name] {
						t.Fatalf("%s, said to grant %d operations, does not allow %s (data: %v), or grants %d", got.BuiltIn.RoleName, got.Operations,
							op.Name, op.Data, counts[got.BuiltIn.Name])
					}
					seen["built-in"]++
				}
				if got.Usual != nil {
					if !applied(s, got.Usual.Name) || got.BuiltIn == nil {
						t.Fatalf("%s, which people are given, does not allow %s (data: %v)", got.Usual.RoleName, op.Name, op.Data)
					}
					if got.Usual.Name != got.BuiltIn.Name {
						seen["another is usual"]++
					}
				}
				if got.BuiltIn != nil && slices.ContainsFunc(got.BuiltIn.Permissions, func(p rbac.Permission) bool { return p.Condition != "" }) {
					seen["conditioned"]++
				}
				if got.Custom == nil {
					if !q.BuiltInOnly && q.Scope != rbac.Root && !strings.HasPrefix(string(q.Scope), "/providers/") {
						t.Fatalf("no custom role for %s at %s", op.Name, q.Scope)
					}
					continue
				}
				if withCustom == nil {
					custom := *got.Custom
					custom.Name = "custom"
					withCustom = s.WithRole(custom)
				}
				if q.BuiltInOnly || !applied(withCustom, "custom") {
					t.Fatalf("the custom role for %s (data: %v) does not allow it", op.Name, op.Data)
				}
				seen["custom"]++
			}
		}
		seen["refusals"] += refusalsOfARound
	})
	if t.Failed() {
		return
	}
	t.Logf("in %d rounds: %v", rounds, seen)
	for what, least := range map[string]int{"refusals": 10_000, "built-in": 5_000, "custom": 4_000, "another is usual": 300, "conditioned": 10} {
		if seen[what] < least {
			t.Errorf("%s: %d, want %d at least", what, seen[what], least)
		}
	}
}

// ladder gives each role to a holder of its own, and puts holders into groups, so
// that lessThan(n) has all roles that grant fewer than n operations; the last
// has every role.
func ladder(roles []rbac.RoleDefinition, counts map[string]int) (holders []rbac.RoleAssignment, groups map[string][]string, everything string) {
	by := map[int][]string{}
	for _, r := range roles {
		holder := "only " + r.Name
		holders = append(holders, rbac.RoleAssignment{ID: holder, Principal: holder, RoleDefinition: r.Name, Scope: rbac.Root})
		by[counts[r.Name]] = append(by[counts[r.Name]], holder)
	}
	groups = map[string][]string{}
	steps := slices.Sorted(maps.Keys(by))
	for i, n := range steps {
		next := "all"
		if i+1 < len(steps) {
			next = lessThan(steps[i+1])
		}
		groups[next] = append(slices.Clone(by[n]), lessThan(n))
	}
	return holders, groups, "all"
}

func lessThan(n int) string { return fmt.Sprint("less than ", n) }

const mine = "@Resource[Microsoft.X/things:name] StringEquals 'mine'"

var (
	places = []rbac.Scope{rbac.Root, "/providers/Microsoft.Management/managementGroups/mg1", "/subscriptions/S1", "/subscriptions/S1/resourceGroups/rg1",
		"/subscriptions/S1/resourceGroups/rg1/providers/Microsoft.CognitiveServices/accounts/ai", "/subscriptions/S2"}
	attributes = []func(condition.Source, string) (any, bool){nil, nil, func(source condition.Source, key string) (any, bool) {
		switch key {
		case "microsoft.x/things:name":
			return "mine", true
		case "microsoft.authorization/roleassignments:roledefinitionid":
			return "53ca6127-db72-4b80-b1b0-d745d6d5456d", true // Foundry User
		}
		return nil, false
	}}
)

// drawOperation draws one of the catalogue, one that stands under a condition in
// a role, or one that the catalogue lacks.
func drawOperation(t *rapid.T, conditioned []rbac.Operation) rbac.Operation {
	op := rapid.SampledFrom(operations.All()).Draw(t, "operation")
	switch rapid.IntRange(0, 9).Draw(t, "kind of operation") {
	case 7:
		op = rapid.SampledFrom(conditioned).Draw(t, "conditioned")
	case 8:
		op.Name += "/more"
	case 9:
		op.Data = !op.Data
	}
	return op
}

// guarded are the operations that a role grants under a condition.
func guarded(roles []rbac.RoleDefinition) (all []rbac.Operation) {
	for _, r := range roles {
		for _, p := range r.Permissions {
			if p.Condition == "" {
				continue
			}
			for _, data := range []bool{false, true} {
				for _, pattern := range map[bool][]string{false: p.Actions, true: p.DataActions}[data] {
					all = slices.AppendSeq(all, operations.Matching(pattern, data))
				}
			}
		}
	}
	return all
}

// naiveCounts is how many operations of the catalogue each role grants, by GUID.
func naiveCounts(roles []rbac.RoleDefinition) map[string]int {
	counts := map[string]int{}
	for _, r := range roles {
		granted := map[rbac.Operation]bool{}
		for _, p := range r.Permissions {
			block := map[rbac.Operation]bool{}
			for _, data := range []bool{false, true} {
				plane := map[bool][2][]string{false: {p.Actions, p.NotActions}, true: {p.DataActions, p.NotDataActions}}[data]
				for i, patterns := range plane {
					for _, pattern := range patterns {
						for op := range operations.Matching(pattern, data) {
							if i == 0 {
								block[op] = true
							} else {
								delete(block, op)
							}
						}
					}
				}
			}
			for op := range block {
				granted[op] = true
			}
		}
		counts[r.Name] = len(granted)
	}
	return counts
}
