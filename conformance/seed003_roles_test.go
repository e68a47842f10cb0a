package conformance

import (
	"slices"
	"testing"
)

// The role tables of the article on Azure OpenAI On Your Data. AI Search and
// Storage are not served yet, so their roles are assigned at the resource group,
// as the article's "Role assignments" has them by name.

func TestTheRolesOfOnYourDataAreAssignedByNameAndContributorAloneCallsNoDataPlane(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	const account = " -g rg-sample -n aoai-sample"
	service := s.typed("cognitiveservices account identity assign --query principalId -o tsv" + account).line()
	machine := s.typed("vm identity assign -g rg-sample -n vm-sample --query systemAssignedIdentity -o tsv").line()
	assign := func(principal, scope, role string) {
		t.Helper()
		s.typed("role assignment create --assignee-principal-type ServicePrincipal --assignee-object-id "+principal+" --scope "+scope+" --role", role).ok()
	}
	table := []string{"Search Index Data Reader", "Search Service Contributor", "Storage Blob Data Contributor"}
	for _, role := range table {
		assign(service, s.scope(), role)
	}
	var names []string
	s.typed("role assignment list --all --query [].roleDefinitionName --assignee " + service).json(&names)
	if slices.Sort(names); !slices.Equal(names, table) {
		t.Errorf("Azure OpenAI's identity has %v", names)
	}

	// "The Contributor role is not enough, because if you only have Contributor
	// role, you cannot call data plane API via Microsoft Entra ID authentication."
	chat := func() result {
		return s.asMachine(machineChat, "--body", `{"messages": [{"role": "user", "content": "Who are you?"}]}`)
	}
	assign(machine, s.scope(), "Contributor")
	s.asMachine("login --identity").ok()
	s.asMachine("cognitiveservices account keys list" + account).ok()
	chat().fails("PermissionDenied")
	assign(machine, s.scope(sampleAccount), "Cognitive Services OpenAI Contributor")
	chat().ok()
	// Cognitive Services User lists the keys; the data role alone does not.
	s.typed("role assignment delete --role Contributor --assignee " + machine + " --scope " + s.scope()).ok()
	s.asMachine("cognitiveservices account keys list"+account).fails("AuthorizationFailed", "listKeys/action")
	assign(machine, s.scope(sampleAccount), "Cognitive Services User")
	s.asMachine("cognitiveservices account keys list" + account).ok()
	chat().ok()
}
