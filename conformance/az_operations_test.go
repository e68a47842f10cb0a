package conformance

import (
	"slices"
	"testing"
)

func TestTheAzureCLIListsTheOperationsThatARoleCanName(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	type operation struct {
		Name         string
		IsDataAction bool
	}
	var cognitive struct {
		ID, Name, Type string
		Operations     []operation
		ResourceTypes  []struct {
			Name       string
			Operations []operation
		}
	}
	s.az("provider", "operation", "show", "--namespace", "Microsoft.CognitiveServices").json(&cognitive)
	if cognitive.Name != "Microsoft.CognitiveServices" || cognitive.Type != "Microsoft.Authorization/providerOperations" ||
		cognitive.ID != "/providers/Microsoft.Authorization/providerOperations/Microsoft.CognitiveServices" {
		t.Errorf("show printed %s, %s, %s", cognitive.ID, cognitive.Name, cognitive.Type)
	}
	all := cognitive.Operations
	for _, resource := range cognitive.ResourceTypes {
		all = append(all, resource.Operations...)
	}
	for _, want := range []operation{
		{"Microsoft.CognitiveServices/register/action", false},
		{"Microsoft.CognitiveServices/accounts/listKeys/action", false},
		{"Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action", true},
	} {
		if !slices.Contains(all, want) {
			t.Errorf("show lacks %+v", want)
		}
	}

	// As azure-docs custom-roles.md has one find the actions for a role.
	var names []string
	s.az("provider", "operation", "list", "--query",
		"[?name=='Microsoft.Search'].resourceTypes[] | [?name=='searchServices/indexes/documents'].operations[] | [?isDataAction].name").json(&names)
	slices.Sort(names)
	const documents = "Microsoft.Search/searchServices/indexes/documents/"
	if !slices.Equal(names, []string{documents + "delete", documents + "read", documents + "write"}) {
		t.Errorf("list printed %v", names)
	}
	s.az("provider", "operation", "show", "--namespace", "Microsoft.None").fails("InvalidResourceNamespace")
}
