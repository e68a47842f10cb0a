package conformance

import (
	"encoding/json"
	"strings"
	"testing"
)

// The programs and the az rest command are those of the article that this
// product starts from, byte for byte; the programs are in seed000/.

func TestTheArticlesProgramsRunAsPrintedFirstWithAKeyThenKeylessAndThenOnlyKeyless(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	key := s.az("cognitiveservices", "account", "keys", "list", "-g", "rg-sample", "-n", "aoai-sample", "--query", "key1", "-o", "tsv").line()
	withKey := func() result {
		return s.client([]string{"OPENAI_API_BASE=https://aoai-sample.openai.azure.com/", "OPENAI_API_KEY=" + key},
			python(t, "openai-0.28"), program(t, "seed000/key.py"))
	}
	onMachine := func() result {
		return s.run([]string{"OPENAI_API_BASE=https://aoai-sample.openai.azure.com/"},
			"--vm", "vm-sample", "--", python(t, "openai-0.28"), program(t, "seed000/aoai.py"))
	}

	answered(t, withKey())

	// The machine has no identity yet.
	onMachine().fails("DefaultAzureCredential failed to retrieve a token", "Identity not found")

	// It gets one, which has no role yet. The text is that of the article's api-version.
	principal := s.az("vm", "identity", "assign", "-g", "rg-sample", "-n", "vm-sample", "--query", "systemAssignedIdentity", "-o", "tsv").line()
	onMachine().fails("openai.error.AuthenticationError: Principal does not have access to API/Operation.")

	// The very next call after the assignment is answered.
	s.az("role", "assignment", "create", "--assignee-object-id", principal, "--assignee-principal-type", "ServicePrincipal",
		"--role", "Cognitive Services OpenAI User", "--scope", s.scope(sampleAccount)).ok()
	answered(t, onMachine())

	patch := s.client([]string{"AZ_INSTALLER=PIP", "az=" + python(t, "azure-cli"), "subscriptionId=" + s.SubscriptionID}, "bash", "-euc", `
az() { "$az" -m azure.cli "$@"; }
RG_NAME=rg-sample
AOAI_NAME=aoai-sample

az rest -m patch --uri /subscriptions/${subscriptionId}/resourceGroups/${RG_NAME}/providers/Microsoft.CognitiveServices/accounts/${AOAI_NAME}?api-version=2023-05-01 \
  --body "{\"properties\": {\"disableLocalAuth\":\"true\"}}"`)
	var account struct {
		Properties struct{ DisableLocalAuth bool }
	}
	if patch.json(&account); !account.Properties.DisableLocalAuth {
		t.Fatalf("az rest answered %s", patch.out)
	}

	disabled := withKey()
	disabled.fails()
	if lines := strings.Split(strings.TrimSpace(disabled.stderr), "\n"); lines[len(lines)-1] != "openai.error.PermissionError: Key based authentication is disabled for this resource." {
		t.Errorf("the program with the key ends with %q", lines[len(lines)-1])
	}
	answered(t, onMachine())
}

// answered demands what the article's programs print: the reply, then its text.
func answered(t *testing.T, r result) {
	t.Helper()
	out := r.ok()
	var reply struct {
		Object  string
		Model   string
		Choices []struct {
			FinishReason string `json:"finish_reason"`
			Message      struct{ Role, Content string }
		}
		Usage struct {
			Prompt     int `json:"prompt_tokens"`
			Completion int `json:"completion_tokens"`
			Total      int `json:"total_tokens"`
		}
	}
	dec := json.NewDecoder(strings.NewReader(out))
	if err := dec.Decode(&reply); err != nil {
		t.Fatalf("%s: %v in\n%s", r.command, err, out)
	}
	if len(reply.Choices) != 1 || reply.Object != "chat.completion" || reply.Model != "gpt-35-turbo" {
		t.Fatalf("%s printed\n%s", r.command, out)
	}
	choice := reply.Choices[0]
	if choice.Message.Role != "assistant" || choice.Message.Content == "" || choice.FinishReason != "stop" {
		t.Errorf("%s: the choice is %+v", r.command, choice)
	}
	// The system message and the question are 11 and 7 tokens of cl100k_base, with 3
	// for each message, 1 for each role and 3 for the reply's beginning.
	if u := reply.Usage; u.Prompt != 29 || u.Completion < 1 || u.Total != u.Prompt+u.Completion {
		t.Errorf("%s: usage %+v", r.command, u)
	}
	if rest := strings.TrimSpace(out[dec.InputOffset():]); rest != strings.TrimSpace(choice.Message.Content) {
		t.Errorf("%s: the text %q was printed as %q", r.command, choice.Message.Content, rest)
	}
}
