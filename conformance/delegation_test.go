package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const (
	roleReader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	// delegation is the shape of azure-docs delegate-role-assignments-examples.md:
	// what may be assigned, and what may be taken away.
	delegation = "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR (@Request[Microsoft.Authorization/roleAssignments:%[1]s))" +
		" AND ((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR (@Resource[Microsoft.Authorization/roleAssignments:%[1]s))"
)

func TestARoleBasedAccessControlAdministratorUnderAConditionAssignsTwoRolesAndThenToOnePrincipalOnlyByTheAzureCLI(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	subscription := "/subscriptions/" + s.SubscriptionID
	machine := s.az("vm", "identity", "assign", "-g", "rg-sample", "-n", "vm-sample", "--query", "systemAssignedIdentity", "-o", "tsv").line()
	account := s.typed("cognitiveservices account identity assign -g rg-sample -n aoai-sample --query principalId -o tsv").line()

	create := func(by func(string, ...string) result, principal, role string, more ...string) result {
		return by("role assignment create --query id -o tsv --assignee-principal-type ServicePrincipal --assignee-object-id "+principal+" --scope "+s.scope()+" --role", append([]string{role}, more...)...)
	}
	remove := func(by func(string, ...string) result, id string) result {
		return by("role assignment delete --ids " + id)
	}
	roles := fmt.Sprintf(delegation, "RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {"+roleReader+", "+roleOpenAIUser+"}")
	const administrator = "Role Based Access Control Administrator"
	delegate := func(condition string) result {
		return s.typed("role assignment create --assignee-principal-type ServicePrincipal --assignee-object-id "+machine+" --scope "+subscription+" --role",
			administrator, "--condition", condition)
	}
	delegate(strings.Replace(roles, "))", ")", 1)).fails("The given role assignment condition is invalid.")
	var made map[string]any
	delegate(roles).json(&made)
	s.asMachine("login --identity").ok()

	// Of the two roles it gives and takes; no other.
	for _, role := range []string{"Reader", "Cognitive Services OpenAI User"} {
		id := create(s.asMachine, account, role).line()
		remove(s.asMachine, id).ok()
		if left := s.typed("role assignment list --all --query [].id -o tsv --assignee " + account).line(); left != "" {
			t.Errorf("left are %s", left)
		}
	}
	const refused = "an ABAC condition not fulfilled to perform action 'Microsoft.Authorization/roleAssignments/"
	create(s.asMachine, machine, "Owner").fails("AuthorizationFailed", refused+"write'")
	create(s.asMachine, machine, administrator).fails("AuthorizationFailed", refused+"write'")
	owners := create(s.typed, account, "Contributor").line()
	remove(s.asMachine, owners).fails("AuthorizationFailed", refused+"delete'")
	remove(s.typed, owners).ok()
	// What else the role holds has no condition.
	s.asMachine("role assignment list --scope " + s.scope()).ok()

	// The condition is changed: the roles do not matter now, whose they are does.
	made["condition"] = fmt.Sprintf(delegation, "PrincipalId] ForAnyOfAnyValues:GuidEquals {"+account+"}")
	raw, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	s.typed("role assignment update --role-assignment", string(raw)).ok()
	id := create(s.asMachine, account, "Contributor").line()
	create(s.asMachine, machine, "Reader").fails("AuthorizationFailed", refused+"write'")
	mine := create(s.typed, machine, "Reader").line()
	remove(s.asMachine, mine).fails("AuthorizationFailed", refused+"delete'")
	remove(s.asMachine, id).ok()

	// The log tells which part of the condition was false.
	for line := range strings.Lines(s.cli("audit", "--json", "--principal", machine).ok()) {
		if strings.Contains(line, "Microsoft.Authorization/roleAssignments/delete") && strings.Contains(line, "is false: @Resource[Microsoft.Authorization/roleAssignments:PrincipalId] is '"+machine+"'") {
			return
		}
	}
	t.Error("no record says that the principal made the condition false")
}
