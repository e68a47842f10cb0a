package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The custom roles of the article on hubs and projects, byte for byte; only the
// placeholders are filled in. They are in seed001/.

// articleRole writes a role definition of the article to a file of the home, and
// gives its path.
func (s *sekisho) articleRole(name string) string {
	s.t.Helper()
	raw, err := os.ReadFile(program(s.t, "seed001/"+name+".json"))
	if err != nil {
		s.t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "<your-subscription-id>", s.SubscriptionID)
	return s.file(name+".json", strings.ReplaceAll(text, "<your-scope>", "/subscriptions/"+s.SubscriptionID))
}

// file writes a file of the home, and gives its path.
func (s *sekisho) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.home, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// asMachine runs the Azure CLI signed in as the sample machine's identity.
func (s *sekisho) asMachine(line string, more ...string) result {
	s.t.Helper()
	args := append([]string{"--vm", "vm-sample", "--", python(s.t, "azure-cli"), "-m", "azure.cli"}, strings.Fields(line)...)
	return s.run([]string{"AZ_INSTALLER=PIP", "AZURE_CONFIG_DIR=" + filepath.Join(s.home, "azure-machine")}, append(args, more...)...)
}

const machineChat = "rest -m post --resource https://cognitiveservices.azure.com --query choices[0].message.role -o tsv" +
	" --uri https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21"

func TestTheArticlesCustomRolesAreMadeAssignedActedOnChangedAndDeletedByTheAzureCLI(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	subscription := "/subscriptions/" + s.SubscriptionID
	machine := s.az("vm", "identity", "assign", "-g", "rg-sample", "-n", "vm-sample", "--query", "systemAssignedIdentity", "-o", "tsv").line()

	// The article prints ARM's body: az takes flat JSON, and says what it lacks.
	s.typed("role definition create --role-definition", s.articleRole("ptu-procurer")).fails("please provide role name")
	s.typed("role definition create --role-definition", s.flat("ptu-procurer")).ok()
	for name, guid := range map[string]string{
		"ai-studio-developer":  "00000000-0000-0000-0001-000000000001",
		"assistants-developer": "00000000-0000-0000-0001-000000000002",
	} {
		var made struct{ ID, Name string }
		uri := subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + guid
		s.typed("rest -m put --uri "+uri+"?api-version=2022-04-01 --body", "@"+s.articleRole(name)).json(&made)
		if made.ID != uri || made.Name != guid {
			t.Errorf("az rest made %+v", made)
		}
		if got := s.typed("role definition show --query name -o tsv --id " + uri).line(); got != guid {
			t.Errorf("role definition show printed %s", got)
		}
	}
	s.typed("role definition create --role-definition", s.flat("ptu-procurer")).fails("RoleDefinitionWithSameNameExists")
	custom := func() (names []string) {
		s.typed("role definition list --custom-role-only --query [].roleName").json(&names)
		slices.Sort(names)
		return names
	}
	if got := custom(); !slices.Equal(got, []string{"AI Studio Developer", "Azure OpenAI Assistants API Developer", "PTU procurer"}) {
		t.Errorf("the custom roles are %v", got)
	}

	assign := func(role string) {
		t.Helper()
		s.typed("role assignment create --assignee-object-id "+machine+" --assignee-principal-type ServicePrincipal --scope "+subscription+" --role", role).ok()
	}
	chat := func() result {
		return s.asMachine(machineChat, "--body", `{"messages": [{"role": "user", "content": "Who are you?"}]}`)
	}
	const account = " -g rg-sample -n aoai-sample"
	assign("PTU procurer")
	s.asMachine("login --identity").ok() // it reads the subscription
	s.asMachine("cognitiveservices account show"+account).fails("AuthorizationFailed", "Microsoft.CognitiveServices/accounts/read")
	chat().fails("PermissionDenied")

	// The very next calls know of the role.
	assign("AI Studio Developer")
	s.asMachine("cognitiveservices account show" + account).ok()
	if got := chat().line(); got != "assistant" {
		t.Errorf("the machine was answered by %q", got)
	}
	s.asMachine("cognitiveservices account keys list"+account).fails("AuthorizationFailed", "Microsoft.CognitiveServices/accounts/listKeys/action")
	s.asMachine("cognitiveservices account deployment list" + account).ok()

	// notActions take away from the actions of their own role.
	var role map[string]any
	s.typed("role definition list --custom-role-only --query [0] --name", "AI Studio Developer").json(&role)
	block := role["permissions"].([]any)[0].(map[string]any)
	block["notActions"] = append(block["notActions"].([]any), "Microsoft.CognitiveServices/accounts/deployments/read")
	raw, err := json.Marshal(role)
	if err != nil {
		t.Fatal(err)
	}
	s.typed("role definition update --role-definition", s.file("changed.json", string(raw))).ok()
	s.asMachine("cognitiveservices account deployment list"+account).fails("AuthorizationFailed", "Microsoft.CognitiveServices/accounts/deployments/read")
	s.asMachine("cognitiveservices account show" + account).ok()
	chat().ok()
	// Another role gives it again: notActions deny nothing.
	assign("Azure OpenAI Assistants API Developer")
	s.asMachine("cognitiveservices account deployment list" + account).ok()

	// The machine makes no roles, and of those in use none is deleted.
	s.asMachine("role definition create --role-definition", s.flat("ptu-procurer")).fails("AuthorizationFailed", "Microsoft.Authorization/roleDefinitions/write")
	remove := func() result { return s.typed("role definition delete --name", "AI Studio Developer") }
	remove().fails("RoleDefinitionHasAssignments", "There are existing role assignments referencing role")
	s.typed("role assignment delete --assignee "+machine+" --scope "+subscription+" --role", "AI Studio Developer").ok()
	remove().ok()
	if got := custom(); !slices.Equal(got, []string{"Azure OpenAI Assistants API Developer", "PTU procurer"}) {
		t.Errorf("the custom roles left are %v", got)
	}
}

// flat is a role definition of the article in the form that az takes.
func (s *sekisho) flat(name string) string {
	s.t.Helper()
	var printed struct {
		Properties struct {
			RoleName, Description string
			AssignableScopes      []string
			Permissions           []map[string]any
		}
	}
	raw, err := os.ReadFile(s.articleRole(name))
	if err == nil {
		err = json.Unmarshal(raw, &printed)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	role := printed.Properties.Permissions[0]
	role["Name"], role["Description"], role["AssignableScopes"] = printed.Properties.RoleName, printed.Properties.Description, printed.Properties.AssignableScopes
	raw, err = json.Marshal(role)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.file(name+".flat.json", string(raw))
}
