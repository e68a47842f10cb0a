package condition

import "testing"

const (
	contributor = "5e467623-bb1f-42f4-a55d-6e525e11384b" // Backup Contributor
	reader      = "a795c7a0-d4a2-40c1-ae25-d81f01202912" // Backup Reader
	owner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	marketing   = "28c35fea-2099-4cf5-8ad9-473547bc9423"
	dara        = "ea585310-c95c-4a68-af22-49af4363bbb1"

	assignments = "Microsoft.Authorization/roleAssignments"
)

// delegation makes a condition of the shape that
// delegate-role-assignments-examples.md has, line breaks included.
func delegation(source, verb, expression string) string {
	return "(\n (\n  !(ActionMatches{'" + assignments + "/" + verb + "'})\n )\n OR \n (\n  @" + source + "[" + assignments + ":" + expression + "\n )\n)"
}

func both(expression, more string) string {
	if more == "" {
		return delegation("Request", "write", expression) + "\nAND\n" + delegation("Resource", "delete", expression)
	}
	return delegation("Request", "write", expression+"\n  AND\n  @Request["+assignments+":"+more) +
		"\nAND\n" + delegation("Resource", "delete", expression+"\n  AND\n  @Resource["+assignments+":"+more)
}

func TestDelegationExamples(t *testing.T) {
	const roles = "RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {" + contributor + ", " + reader + "}"
	const most = "{" + owner + ", f58310d9-a9f6-439a-9e8d-f62e7b41a168, 18d7d88d-d35e-4fb5-a5c3-7773c20a72d9}"
	assign := func(verb, role, principal, kind string) Input {
		source := "@Request["
		if verb == "delete" {
			source = "@Resource["
		}
		return request(assignments+"/"+verb, source+assignments+":RoleDefinitionId]", role,
			source+assignments+":PrincipalId]", principal, source+assignments+":PrincipalType]", kind)
	}
	tests := []struct {
		name, condition string
		in              Input
		want            Result
	}{
		{"Constrain roles: one of them", both(roles, ""), assign("write", reader, dara, "User"), True},
		{"Constrain roles: another", both(roles, ""), assign("write", owner, dara, "User"), False},
		{"Constrain roles: another is not taken away", both(roles, ""), assign("delete", owner, dara, "User"), False},
		{"Constrain roles: other actions", both(roles, ""), request(assignments + "/read"), True},
		{"Constrain roles: the request does not say which", both(roles, ""), request(assignments + "/write"), Undecided},
		{"Constrain roles and principal types", both(roles, "PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'User', 'Group'}"),
			assign("write", contributor, marketing, "group"), True},
		{"Constrain roles and principal types: another type", both(roles, "PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'User', 'Group'}"),
			assign("write", contributor, marketing, "ServicePrincipal"), False},
		{"Constrain roles and specific groups", both(roles, "PrincipalId] ForAnyOfAnyValues:GuidEquals {"+marketing+", 86951b8b-723a-407b-a74a-1bca3f0c95d0}"),
			assign("delete", contributor, marketing, "Group"), True},
		{"Constrain roles and specific groups: another", both(roles, "PrincipalId] ForAnyOfAnyValues:GuidEquals {"+marketing+", 86951b8b-723a-407b-a74a-1bca3f0c95d0}"),
			assign("write", contributor, dara, "User"), False},
		{"Constrain add role assignments", delegation("Request", "write", roles), assign("write", owner, dara, "User"), False},
		{"Constrain add role assignments: may be taken away", delegation("Request", "write", roles), assign("delete", owner, dara, "User"), True},
		{"Allow most roles", both("RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals "+most, ""), assign("write", reader, dara, "User"), True},
		{"Allow most roles: not Owner", both("RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals "+most, ""), assign("write", owner, dara, "User"), False},
		// The first versions of the page had ForAnyOfAnyValues here. By the definition of
		// that any role differs from one of three, so it constrains nothing.
		{"Allow most roles, as it was", both("RoleDefinitionId] ForAnyOfAnyValues:GuidNotEquals "+most, ""), assign("write", owner, dara, "User"), True},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { check(t, tt.condition, tt.in, tt.want) })
	}
}
