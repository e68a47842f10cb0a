package rbac

import (
	"testing"
	"time"

	"sekisho/rbac/condition"
)

// What Azure's documents say of a decision, statement by statement. The files
// are those of azure-docs, role-based-access-control/; what they leave open, and
// how it is settled here, says so.
func TestPublishedStatements(t *testing.T) {
	const (
		blobs      = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/"
		containers = "Microsoft.Storage/storageAccounts/blobServices/containers/"
		vm         = "Microsoft.Compute/virtualMachines/"
		locks      = "Microsoft.Authorization/locks/"
		up         = mg + "up"
	)
	world := World{
		Roles: []RoleDefinition{
			control("owner", "*"),
			control("reader", "*/read"),
			control("network reader", "Microsoft.Network/*/read"),
			control("compute", "Microsoft.Compute/*"),
			control("vm", vm+"*"),
			control("vm reader", vm+"read"),
			control("vm verbs", "Microsoft.Compute/*/virtual*/read"),
			control("projects", "Microsoft.CognitiveServices/accounts/projects/*"),
			control("deep reader", "Microsoft.Deep/a/*/read"),
			control("overlap", "Microsoft.Deep/aba*ba/read"),
			{Name: "contributor", Permissions: []Permission{{Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Write", "Microsoft.Authorization/*/Delete"}}}},
			{Name: "lock writer", Permissions: []Permission{{Actions: []string{locks + "write"}}}},
			{Name: "blob contributor", Type: BuiltInRole, Permissions: []Permission{{
				Actions:     []string{containers + "read", containers + "write", containers + "delete"},
				DataActions: []string{blobs + "read", blobs + "write", blobs + "delete"}}}},
			{Name: "blob all but delete", Permissions: []Permission{{DataActions: []string{blobs + "*"}, NotDataActions: []string{blobs + "delete"}}}},
			{Name: "no data", Permissions: []Permission{{Actions: []string{"*"}, NotDataActions: []string{"*"}}}},
			{Name: "all data", Permissions: []Permission{{DataActions: []string{"*"}, NotActions: []string{"*"}}}},
			{Name: "blocks", Permissions: []Permission{
				{Actions: []string{"*"}, NotActions: []string{locks + "*"}},
				{Actions: []string{locks + "write"}},
				{DataActions: []string{blobs + "*"}, Condition: iff},
				{DataActions: []string{blobs + "read"}}}},
		},
		Groups:  map[string][]string{"ann": {"team"}, "team": {"staff"}, "staff": {"all"}},
		Parents: map[string]Scope{string(sub): mg, string(mg): up},
	}
	ann := func(role string, at Scope) RoleAssignment { return give(role, "ann", role, at) }
	denyAll := func(change func(*DenyAssignment)) DenyAssignment {
		d := DenyAssignment{ID: "d", Scope: sub, Principals: []string{"ann"},
			Permissions: []Permission{{Actions: []string{"*"}, DataActions: []string{"*"}}}}
		if change != nil {
			change(&d)
		}
		return d
	}
	is := func(name string) func(*Question) { return func(q *Question) { q.Attribute = named(name) } }
	read, write := ask("ann", vm+"read", false, account), ask("ann", vm+"write", false, account)
	readBlob := ask("ann", blobs+"read", true, account)
	at := func(scope Scope) Question { return ask("ann", vm+"read", false, scope) }

	type given []RoleAssignment
	tests := []struct {
		doc, says string
		given     given
		denies    []DenyAssignment
		question  Question
		with      func(*Question)
		want      Decision
	}{
		// Reference 1.1: how a decision is made.
		{"overview.md", "a role assignment that applies and has the action allows", given{ann("owner", sub)}, nil, read, nil, Allowed},
		{"overview.md", "without a role that has the action, nothing is allowed", given{ann("reader", sub)}, nil, write, nil, NotAllowed},
		{"overview.md", "without a role assignment nothing is allowed", nil, nil, read, nil, NotAllowed},
		{"overview.md", "a deny assignment that applies blocks", given{ann("owner", sub)}, []DenyAssignment{denyAll(nil)}, read, nil, Denied},
		{"checkaccess-v2-go-sdk client/const.go", "it denies where no role would allow, too: three answers", nil, []DenyAssignment{denyAll(nil)}, read, nil, Denied},
		{"overview.md", "role assignments of others do not count", given{give("1", "bob", "owner", sub)}, nil, read, nil, NotAllowed},
		{"overview.md", "role assignments elsewhere do not count", given{ann("owner", sub+"2")}, nil, read, nil, NotAllowed},
		{"overview.md", "what a group is given its members have", given{give("1", "team", "owner", sub)}, nil, read, nil, Allowed},
		{"overview.md", "groups are transitive", given{give("1", "all", "owner", sub)}, nil, read, nil, Allowed},
		{"overview.md", "the token names the groups", given{give("1", "guests", "owner", sub)}, nil, read, func(q *Question) { q.Groups = []string{"Guests"} }, Allowed},
		{"overview.md", "a group of the token may be in groups", given{give("1", "all", "owner", sub)}, nil, ask("bob", vm+"read", false, sub), func(q *Question) { q.Groups = []string{"team"} }, Allowed},
		{"overview.md", "a condition that is true allows", given{under(iff, ann("owner", sub))}, nil, read, is("mine"), Allowed},
		{"overview.md", "a condition that is false does not", given{under(iff, ann("owner", sub))}, nil, read, is("yours"), NotAllowed},
		{"overview.md", "the model is additive: this of one role", given{ann("vm reader", sub), ann("lock writer", sub)}, nil, read, nil, Allowed},
		{"overview.md", "and that of the other", given{ann("vm reader", sub), ann("lock writer", sub)}, nil, ask("ann", locks+"write", false, sub), nil, Allowed},
		{"overview.md", "Contributor at the subscription and Reader at the group: the sum is Contributor", given{ann("contributor", sub), ann("reader", group)}, nil, write, nil, Allowed},
		{"role-definitions.md", "NotActions are taken from Actions", given{ann("contributor", sub)}, nil, ask("ann", locks+"write", false, account), nil, NotAllowed},
		{"role-definitions.md", "and from nothing else", given{ann("contributor", sub)}, nil, ask("ann", locks+"read", false, account), nil, Allowed},
		{"role-definitions.md", "NotActions are no deny: a second role grants again", given{ann("contributor", sub), ann("lock writer", sub)}, nil, ask("ann", locks+"write", false, account), nil, Allowed},
		{"role-definitions.md", "NotDataActions are taken from DataActions", given{ann("blob all but delete", sub)}, nil, ask("ann", blobs+"delete", true, account), nil, NotAllowed},
		{"role-definitions.md", "a second role grants them again", given{ann("blob all but delete", sub), ann("blob contributor", group)}, nil, ask("ann", blobs+"delete", true, account), nil, Allowed},
		{"role-definitions.md", "an Owner manages the account and reads no blob", given{ann("owner", sub)}, nil, readBlob, nil, NotAllowed},
		{"role-definitions.md", "but deletes the container", given{ann("owner", sub)}, nil, ask("ann", containers+"delete", false, account), nil, Allowed},
		{"role-definitions.md", "a Storage Blob Data Contributor reads blobs", given{ann("blob contributor", account)}, nil, readBlob, nil, Allowed},
		{"role-definitions.md", "a data action grants no action of that name", given{ann("blob contributor", account)}, nil, ask("ann", blobs+"read", false, account), nil, NotAllowed},
		{"role-definitions.md", "not even a star does", given{ann("all data", account)}, nil, read, nil, NotAllowed},
		{"role-definitions.md", "NotDataActions take no action", given{ann("no data", account)}, nil, read, nil, Allowed},
		{"role-definitions.md", "NotActions take no data action", given{ann("all data", account)}, nil, readBlob, nil, Allowed},
		{"conditions-troubleshoot.md", "another role assignment, without a condition, still allows", given{under(iff, give("1", "ann", "owner", sub)), give("2", "ann", "owner", sub)}, nil, read, is("yours"), Allowed},
		{"conditions-troubleshoot.md", "in the other order too", given{give("1", "ann", "owner", sub), under(iff, give("2", "ann", "owner", account))}, nil, read, is("yours"), Allowed},
		{"conditions-troubleshoot.md", "of two conditions one that is true is enough", given{under("NOT ("+iff+")", give("1", "ann", "owner", sub)), under(iff, give("2", "team", "owner", sub))}, nil, read, is("mine"), Allowed},
		{"(inferred from permissions[])", "notActions of a block leave another block alone", given{ann("blocks", sub)}, nil, ask("ann", locks+"write", false, sub), nil, Allowed},
		{"(inferred from permissions[])", "and bind their own", given{ann("blocks", sub)}, nil, ask("ann", locks+"delete", false, sub), nil, NotAllowed},
		{"(inferred from permissions[])", "the condition of a block binds it", given{ann("blocks", sub)}, nil, ask("ann", blobs+"write", true, sub), is("yours"), NotAllowed},
		{"(inferred from permissions[])", "and grants where it is true", given{ann("blocks", sub)}, nil, ask("ann", blobs+"write", true, sub), is("mine"), Allowed},
		{"(inferred from permissions[])", "and leaves another block alone", given{ann("blocks", sub)}, nil, ask("ann", blobs+"read", true, sub), is("yours"), Allowed},
		{"(inferred from permissions[])", "the conditions of block and assignment must both be true", given{under("NOT ("+iff+")", ann("blocks", sub))}, nil, ask("ann", blobs+"write", true, sub), is("mine"), NotAllowed},

		// Reference 1.2: deny assignments.
		{"deny-assignments.md", "a deny assignment holds at its scope", nil, []DenyAssignment{denyAll(nil)}, at(sub), nil, Denied},
		{"deny-assignments.md", "and below it", nil, []DenyAssignment{denyAll(nil)}, at(project), nil, Denied},
		{"deny-assignments.md", "and not above it", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Scope = group })}, at(sub), nil, Allowed},
		{"deny-assignments.md", "one of a management group holds in its subscriptions", nil, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Scope = up })}, read, nil, Denied},
		{"deny-assignments.md", "doNotApplyToChildScopes: at the scope", nil, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.ThisScopeOnly = true })}, at(sub), nil, Denied},
		{"deny-assignments.md", "and not below it", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.ThisScopeOnly = true })}, at(group), nil, Allowed},
		{"deny-assignments.md", "nor, of a management group, in its subscriptions", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Scope, d.ThisScopeOnly = mg, true })}, at(sub), nil, Allowed},
		{"deny-assignments.md", "principals may be groups", nil, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Principals = []string{"All"} })}, read, nil, Denied},
		{"deny-assignments.md", "others go free", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Principals = []string{"bob", "guests"} })}, read, nil, Allowed},
		{"deny-assignments.md", "All Principals are everyone", nil, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Principals = []string{Everyone} })}, ask("stranger", vm+"read", false, sub), nil, Denied},
		{"deny-assignments.md", "less who is excluded", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Principals, d.Excluded = []string{Everyone}, []string{"Ann"} })}, read, nil, Allowed},
		{"deny-assignments.md", "or in a group that is", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Principals, d.Excluded = []string{Everyone}, []string{"all"} })}, read, nil, Allowed},
		{"deny-assignments.md", "a group of the token can be excluded", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Excluded = []string{"guests"} })}, read, func(q *Question) { q.Groups = []string{"guests"} }, Allowed},
		{"deny-assignments.md", "to be excluded beats to be named", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Excluded = []string{"ann"} })}, read, nil, Allowed},
		{"deny-assignments.md", "to be excluded from one is not to be excluded from another", nil, []DenyAssignment{
			denyAll(func(d *DenyAssignment) { d.Excluded = []string{"ann"} }), denyAll(func(d *DenyAssignment) { d.ID = "other" })}, read, nil, Denied},
		{"deny-assignments.md", "notActions are left out of what is denied", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Permissions[0].NotActions = []string{"*/read"} })}, read, nil, Allowed},
		{"deny-assignments.md", "the others are not", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Permissions[0].NotActions = []string{"*/read"} })}, write, nil, Denied},
		{"deny-assignments.md", "notDataActions too", given{ann("all data", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Permissions[0].NotDataActions = []string{blobs + "*"} })}, readBlob, nil, Allowed},
		{"deny-assignments.md", "denied actions leave data actions alone", given{ann("all data", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Permissions[0].DataActions = nil })}, readBlob, nil, Allowed},
		{"deny-assignments.md", "denied data actions leave actions alone", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Permissions[0].Actions = nil })}, read, nil, Allowed},
		{"deny-assignments.md", "a deny assignment denies data actions", given{ann("all data", Root)}, []DenyAssignment{denyAll(nil)}, readBlob, nil, Denied},
		{"authorization-DenyAssignmentCalls.json", "under a condition that is true", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Condition = iff })}, read, is("mine"), Denied},
		{"authorization-DenyAssignmentCalls.json", "and not under one that is false", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Condition = iff })}, read, is("yours"), Allowed},
		{"authorization-DenyAssignmentCalls.json", "the same of the condition of a block", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Permissions[0].Condition = iff })}, read, is("mine"), Denied},
		{"authorization-DenyAssignmentCalls.json", "which binds its block", given{ann("owner", Root)}, []DenyAssignment{denyAll(func(d *DenyAssignment) { d.Permissions[0].Condition = iff })}, read, is("yours"), Allowed},

		// Reference 1.3: scopes and stars.
		{"scope-overview.md", "the root is above a management group", given{ann("reader", Root)}, nil, at(mg), nil, Allowed},
		{"scope-overview.md", "a management group above another", given{ann("reader", up)}, nil, at(mg), nil, Allowed},
		{"scope-overview.md", "it above a subscription", given{ann("reader", up)}, nil, at(sub), nil, Allowed},
		{"scope-overview.md", "a subscription above a resource group", given{ann("reader", sub)}, nil, at(group), nil, Allowed},
		{"scope-overview.md", "a resource group above a resource", given{ann("reader", group)}, nil, at(account), nil, Allowed},
		{"scope-overview.md", "a resource above its child", given{ann("reader", account)}, nil, at(project), nil, Allowed},
		{"scope-overview.md", "and never the other way", given{ann("reader", project), give("2", "ann", "reader", mg)}, nil, at(up), nil, NotAllowed},
		{"scope-overview.md", "a subscription of another management group is not below", given{ann("reader", mg)}, nil, at(sub + "2"), nil, NotAllowed},
		{"scope-overview.md", "a scope that starts with the same letters is not below", given{ann("reader", group)}, nil, at(group + "0"), nil, NotAllowed},
		{"role-definitions.md", "*/read reads everything", given{ann("reader", sub)}, nil, ask("ann", "Microsoft.X/a/b/c/read", false, sub), nil, Allowed},
		{"role-definitions.md", "Microsoft.Network/*/read reads all types of the provider", given{ann("network reader", sub)}, nil, ask("ann", "Microsoft.Network/virtualNetworks/subnets/read", false, sub), nil, Allowed},
		{"role-definitions.md", "and of no other", given{ann("network reader", sub)}, nil, read, nil, NotAllowed},
		{"role-definitions.md", "Microsoft.Compute/* is every operation of all types", given{ann("compute", sub)}, nil, ask("ann", vm+"extensions/delete", false, sub), nil, Allowed},
		{"role-definitions.md", "virtualMachines/* is the virtual machines and their child types", given{ann("vm", sub)}, nil, ask("ann", vm+"extensions/read", false, sub), nil, Allowed},
		{"role-definitions.md", "and not what is called alike", given{ann("vm", sub)}, nil, ask("ann", "Microsoft.Compute/virtualMachinesX/read", false, sub), nil, NotAllowed},
		{"role-definitions.md", "without a star it is that operation only", given{ann("vm reader", sub)}, nil, ask("ann", vm+"read/more", false, sub), nil, NotAllowed},
		{"(denies and conditions may have them)", "two stars", given{ann("vm verbs", sub)}, nil, ask("ann", "Microsoft.Compute/a/b/virtualMachines/read", false, sub), nil, Allowed},
		{"custom-roles.md", "case does not count in actions", given{ann("vm reader", sub)}, nil, ask("ann", "MICROSOFT.compute/VIRTUALMACHINES/Read", false, sub), nil, Allowed},
		{"custom-roles.md", "nor in ids", given{give("1", "ANN", "OWNER", "/SUBSCRIPTIONS/s1")}, nil, ask("aNN", vm+"read", false, account), nil, Allowed},
		{"built-in-roles/ai-machine-learning.md", "an operation may have no verb", given{ann("projects", sub)}, nil, ask("ann", "Microsoft.CognitiveServices/accounts/projects/action", false, sub), nil, Allowed},
		{"(open; a star is any run, and none)", "a/* is a/ too", given{ann("vm", sub)}, nil, ask("ann", vm, false, sub), nil, Allowed},
		{"(open)", "and not a", given{ann("vm", sub)}, nil, ask("ann", "Microsoft.Compute/virtualMachines", false, sub), nil, NotAllowed},
		{"(settled by Azure AI Developer, see Match)", "a star between slashes may take one along", given{ann("deep reader", sub)}, nil, ask("ann", "Microsoft.Deep/a/read", false, sub), nil, Allowed},
		{"(open)", "nothing else around a star overlaps", given{ann("overlap", sub)}, nil, ask("ann", "Microsoft.Deep/aba/read", false, sub), nil, NotAllowed},

		// Times, and what an operation may ask of a role.
		{"PIM: roleAssignmentScheduleInstances", "an assignment begins at its start", given{between(noon, time.Time{}, ann("owner", sub))}, nil, read, nil, Allowed},
		{"PIM: roleAssignmentScheduleInstances", "not before", given{between(noon.Add(1), time.Time{}, ann("owner", sub))}, nil, read, nil, NotAllowed},
		{"PIM: roleAssignmentScheduleInstances", "it has ended at its end", given{between(time.Time{}, noon, ann("owner", sub))}, nil, read, nil, NotAllowed},
		{"PIM: roleAssignmentScheduleInstances", "not before", given{between(time.Time{}, noon.Add(1), ann("owner", sub))}, nil, read, nil, Allowed},
		{"seed 001", "a custom role does not do where a built-in one is asked for", given{ann("all data", sub)}, nil, readBlob, func(q *Question) { q.BuiltInOnly = true }, NotAllowed},
		{"seed 001", "a built-in one does", given{ann("blob contributor", sub)}, nil, readBlob, func(q *Question) { q.BuiltInOnly = true }, Allowed},
	}
	for _, tt := range tests {
		t.Run(tt.doc+": "+tt.says, func(t *testing.T) {
			w, q := world, tt.question
			w.Assignments, w.Denies = tt.given, tt.denies
			q.Time = noon
			if tt.with != nil {
				tt.with(&q)
			}
			if got := NewSnapshot(w).Check(q); got.Decision != tt.want {
				t.Errorf("%v: %s", got.Decision, got.Why)
			}
			if got := (oracle{World: w}).decide(asked{Question: q, trees: published, attributes: attributesOf(q)}); got != tt.want {
				t.Errorf("the oracle of the random tests says %v", got)
			}
		})
	}
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func control(name string, actions ...string) RoleDefinition {
	return RoleDefinition{Name: name, RoleName: name, Permissions: []Permission{{Actions: actions}}}
}

func between(from, until time.Time, a RoleAssignment) RoleAssignment {
	a.From, a.Until = from, until
	return a
}

// named gives the attribute that iff asks for.
func named(name string) func(condition.Source, string) (any, bool) {
	return func(source condition.Source, key string) (any, bool) {
		return name, source == condition.Resource && key == "microsoft.x/things:name"
	}
}

// published are the conditions of the statements, for the oracle.
var published = func() map[string]*tree {
	mine := &tree{operator: "StringEquals", left: nameOfThing, values: []any{"mine"}}
	return map[string]*tree{iff: mine, "NOT (" + iff + ")": {operator: "NOT", below: []*tree{mine}}}
}()

var nameOfThing = attribute{"Resource", "Microsoft.X/things:name"}

func attributesOf(q Question) map[attribute]any {
	if q.Attribute == nil {
		return nil
	}
	name, _ := q.Attribute(condition.Resource, "microsoft.x/things:name")
	return map[attribute]any{nameOfThing: name}
}
