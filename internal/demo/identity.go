package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"sekisho/internal/platform"
)

const compute = "2024-07-01"

// identity gives a machine an identity, and the identity a role.
func (s *story) identity(ctx context.Context) error {
	vm := s.groupID() + "/providers/Microsoft.Compute/virtualMachines/" + machine
	if _, err := s.step(ctx, "Create a virtual machine", s.armCall(http.MethodPut, vm, compute, map[string]any{
		"location": location, "properties": map[string]any{"hardwareProfile": map[string]string{"vmSize": "Standard_B2s"}}}),
		expectation{status: 201, text: "Succeeded", show: pick("id")}); err != nil {
		return err
	}
	a, err := s.step(ctx, "Turn its system-assigned identity on", s.armCall(http.MethodPatch, vm, compute, systemAssigned),
		expectation{status: 200, text: "principalId", show: pick("identity", "principalId")})
	if err != nil {
		return err
	}
	s.vm = a.at("identity", "principalId")
	run, end, err := s.p.Begin(ctx, platform.RunRequest{VM: vm})
	if err != nil {
		return err
	}
	defer end()
	a, err = s.step(ctx, "On the machine: ask the identity endpoint for a token", request{method: http.MethodGet,
		url:    run.Variables["IDENTITY_ENDPOINT"] + "?" + url.Values{"api-version": {"2019-08-01"}, "resource": {"https://cognitiveservices.azure.com"}}.Encode(),
		header: http.Header{"X-Identity-Header": {run.Variables["IDENTITY_HEADER"]}}}, expectation{status: 200, text: "access_token", show: tokenSummary})
	if err != nil {
		return err
	}
	s.ai = a.at("access_token")
	if _, err := s.step(ctx, "Call with it: refused, since no role says that it may", s.chat(account, withToken(s.ai)),
		expectation{status: 401, text: "Cognitive Services OpenAI User", show: showDenial}); err != nil {
		return err
	}
	if _, err := s.step(ctx, "Assign Cognitive Services OpenAI User to the machine's identity", s.assign(s.accountID(), s.vm),
		expectation{status: 201, text: s.vm, show: pick("properties", "scope")}); err != nil {
		return err
	}
	_, err = s.step(ctx, "The very next call is answered", s.chat(account, withToken(s.ai)), answered)
	return err
}

var systemAssigned = map[string]any{"identity": map[string]string{"type": "SystemAssigned"}}

// sample makes the sample environment ready for the user's own shell.
func (s *story) sample(ctx context.Context) error {
	sample := "/subscriptions/" + s.creds.SubscriptionID + "/resourceGroups/rg-sample/providers/"
	a, err := s.step(ctx, "vm-sample: identity on", s.armCall(http.MethodPatch, sample+"Microsoft.Compute/virtualMachines/vm-sample", compute, systemAssigned),
		expectation{status: 200, text: "principalId", show: pick("identity", "principalId")})
	if err != nil {
		return err
	}
	scope := sample + "Microsoft.CognitiveServices/accounts/aoai-sample"
	assign := s.assign(scope, a.at("identity", "principalId"))
	if done, err := s.do(ctx, assign); err != nil || done.status == http.StatusConflict {
		return err // an earlier telling on the same data did it
	}
	_, err = s.step(ctx, "aoai-sample: its role is there", s.armCall(http.MethodGet, scope+"/providers/Microsoft.Authorization/roleAssignments", "2022-04-01", nil),
		expectation{status: 200, text: a.at("identity", "principalId"), show: func(a *answer) string {
			values, _ := a.json["value"].([]any)
			return fmt.Sprintf("%d role assignments apply at aoai-sample", len(values))
		}})
	return err
}

func contains(raw []byte, text string) bool { return bytes.Contains(raw, []byte(text)) }

// pick shows one member of the answer.
func pick(path ...string) func(*answer) string {
	return func(a *answer) string {
		if v := a.at(path...); v != "" {
			return v
		}
		return short(string(a.raw))
	}
}

func tokenSummary(a *answer) string {
	return fmt.Sprintf(`{"token_type":%q,"access_token":"%s…"}`, a.at("token_type"), head(a.at("access_token"), 6))
}

func keySummary(a *answer) string {
	return fmt.Sprintf(`{"key1":"%s…","key2":"%s…"}`, head(a.at("key1"), 4), head(a.at("key2"), 4))
}

func showFlag(a *answer) string {
	p, _ := a.json["properties"].(map[string]any)
	return fmt.Sprintf(`{"disableLocalAuth":%v}`, p["disableLocalAuth"])
}

// showDenial shows the whole reason.
func showDenial(a *answer) string {
	var body struct {
		Error struct {
			Code    string         `json:"code"`
			Message string         `json:"message"`
			Inner   map[string]any `json:"innererror"`
		} `json:"error"`
	}
	if json.Unmarshal(a.raw, &body) != nil {
		return short(string(a.raw))
	}
	text := body.Error.Code + ": " + body.Error.Message
	for _, name := range []string{"principal", "action", "plane", "scope", "decidedBy", "smallestRole"} {
		if v, ok := body.Error.Inner[name]; ok {
			text += fmt.Sprintf("\n%-13s %v", name, v)
		}
	}
	return text
}
