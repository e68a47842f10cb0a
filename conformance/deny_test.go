package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestADenyAssignmentOfTheAzureCLIStopsAnOwnerOnBothPlanesUntilItIsTakenAway(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	admin := s.arm()
	id, owner := s.scope(sampleAccount), s.Automation.ObjectID
	s.assign(admin, "00000000-0000-0000-0000-000000000031", id, roleOpenAIUser, owner)
	data := s.caller("https://cognitiveservices.azure.com/.default")
	chat := func() (int, string) {
		t.Helper()
		status, raw, err := data.call(t.Context(), http.MethodPost, "https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21",
			object{"messages": []object{{"role": "user", "content": "hello"}}})
		if err != nil {
			t.Fatal(err)
		}
		return status, string(raw)
	}
	update := "cognitiveservices account update -g rg-sample -n aoai-sample --tags by="
	if status, body := chat(); status != http.StatusOK {
		t.Fatalf("before: %d %s", status, body)
	}

	var made struct {
		ID, Name, DenyAssignmentName string
	}
	s.typed("role deny-assignment create --actions Microsoft.CognitiveServices/accounts/write --principal-type ServicePrincipal --principal-object-id "+owner+" --scope "+id, "--name", "No changes").json(&made)
	guid := strings.ReplaceAll(made.Name, "-", "")
	s.typed(update + "denied").fails("(DenyAssignmentAuthorizationFailed) The client '" + s.Automation.ClientID + "' with object id '" + owner +
		"' has permission to perform action 'Microsoft.CognitiveServices/accounts/write' on scope '" + id + "'; however, the access is denied because of the deny assignment with name 'No changes' and Id '" + guid + "' at scope '" + id + "'.")
	if status, body := chat(); status != http.StatusOK {
		t.Errorf("the other plane: %d %s", status, body)
	}
	var listed []struct{ Name, DenyAssignmentName string }
	s.typed("role deny-assignment list --scope "+s.scope(), "--filter", "principalId eq '"+owner+"'").json(&listed)
	if len(listed) != 1 || listed[0].Name != made.Name || listed[0].DenyAssignmentName != "No changes" {
		t.Errorf("deny-assignment list printed %+v", listed)
	}

	body, err := json.Marshal(object{"properties": object{"denyAssignmentName": "No chat", "denyAssignmentEffect": "enforced",
		"permissions": []object{{"dataActions": []string{"Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/*"}}},
		"principals":  []object{{"id": owner, "type": "ServicePrincipal"}}}})
	if err != nil {
		t.Fatal(err)
	}
	onData := id + "/providers/Microsoft.Authorization/denyAssignments/00000000-0000-0000-0000-000000000032?api-version=2024-07-01-preview"
	s.az("rest", "-m", "put", "--uri", onData, "--body", string(body)).ok()
	if status, body := chat(); status != http.StatusUnauthorized || !strings.Contains(body, `"PermissionDenied"`) || !strings.Contains(body, "No chat") {
		t.Errorf("a denied chat: %d %s", status, body)
	}

	s.az("rest", "-m", "delete", "--uri", onData).ok()
	s.typed("role deny-assignment delete --yes --scope " + id + " --name " + made.Name).ok()
	if status, body := chat(); status != http.StatusOK {
		t.Errorf("after: %d %s", status, body)
	}
	s.typed(update + "allowed").ok()
}
