package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"sekisho/internal/platform"
)

// Names of the story. The sample environment stays as it is until the end.
const (
	location = "japaneast"
	group    = "rg-demo"
	account  = "aoai-demo"
	machine  = "vm-demo"
	model    = "gpt-35-turbo"
	question = "Who were the founders of Microsoft?"
	// openAIUser is the GUID of Cognitive Services OpenAI User.
	openAIUser = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
	armHost    = "https://management.azure.com"
)

// story holds what the steps pass on to each other.
type story struct {
	screen
	*client
	p     *platform.Platform
	creds platform.Credentials
	n     int

	token string // ARM, of the automation service principal
	key1  string
	key2  string
	vm    string // principal of the machine's identity
	ai    string // token of the machine for Azure OpenAI
}

// Tell tells the story on p. Its error names the step that did not go as told.
func Tell(ctx context.Context, w io.Writer, color bool, p *platform.Platform) error {
	creds, err := p.Credentials()
	if err != nil {
		return err
	}
	c, err := newClient(p.Environment())
	if err != nil {
		return err
	}
	defer c.http.CloseIdleConnections()
	s := &story{screen: screen{w, color}, client: c, p: p, creds: creds}
	for _, chapter := range []struct {
		title string
		tell  func(context.Context) error
	}{
		{"An account of Azure OpenAI, made by ARM calls", s.create},
		{"With keys: rotation without a pause", s.keys},
		{"Without keys: a managed identity and a role", s.identity},
		{"Keys off", s.disable},
		{"The same for the sample environment, so that you can go on from here", s.sample},
	} {
		s.chapter(chapter.title)
		if err := chapter.tell(ctx); err != nil {
			return err
		}
	}
	return nil
}

// expectation is how a step should end.
type expectation struct {
	status int
	// text must be in the answer.
	text string
	// show renders what of the answer is worth reading.
	show func(*answer) string
}

// step makes one call before the user's eyes and holds it to the story.
func (s *story) step(ctx context.Context, title string, r request, want expectation) (*answer, error) {
	s.n++
	s.screen.step(s.n, title)
	s.screen.request(r)
	a, err := s.do(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("step %d (%s): %w", s.n, title, err)
	}
	show := want.show
	if show == nil {
		show = func(a *answer) string { return short(string(a.raw)) }
	}
	s.screen.answer(a, show(a))
	if a.status != want.status || !contains(a.raw, want.text) {
		return nil, fmt.Errorf("step %d (%s) did not go as told: got status %d, want %d with %q: %s", s.n, title, a.status, want.status, want.text, short(string(a.raw)))
	}
	return a, nil
}

func (s *story) armCall(method, path, version string, body any) request {
	return request{method: method, url: armHost + path + "?api-version=" + version, body: body,
		header: http.Header{"Authorization": {"Bearer " + s.token}}}
}

func (s *story) groupID() string {
	return "/subscriptions/" + s.creds.SubscriptionID + "/resourceGroups/" + group
}

func (s *story) accountID() string {
	return s.groupID() + "/providers/Microsoft.CognitiveServices/accounts/" + account
}

const cognitive = "2023-05-01"

func (s *story) create(ctx context.Context) error {
	a, err := s.step(ctx, "Sign in as the automation service principal", request{method: http.MethodPost,
		url: "https://login.microsoftonline.com/" + s.creds.TenantID + "/oauth2/v2.0/token",
		body: url.Values{"grant_type": {"client_credentials"}, "client_id": {s.creds.Automation.ClientID},
			"client_secret": {s.creds.Automation.ClientSecret}, "scope": {armHost + "/.default"}}},
		expectation{status: 200, text: "access_token", show: tokenSummary})
	if err != nil {
		return err
	}
	s.token = a.at("access_token")
	// What an earlier telling on the same data left behind; a deleted account
	// keeps its name until it is purged.
	deleted := "/subscriptions/" + s.creds.SubscriptionID + "/providers/Microsoft.CognitiveServices/locations/" + location + "/resourceGroups/" + group + "/deletedAccounts/" + account
	for _, r := range []request{s.armCall(http.MethodDelete, s.groupID(), "2021-04-01", nil), s.armCall(http.MethodDelete, deleted, cognitive, nil)} {
		if _, err := s.do(ctx, r); err != nil {
			return err
		}
	}
	if _, err := s.step(ctx, "Create a resource group", s.armCall(http.MethodPut, s.groupID(), "2021-04-01", map[string]string{"location": location}),
		expectation{status: 201, text: "Succeeded"}); err != nil {
		return err
	}
	if _, err := s.step(ctx, "Create an Azure OpenAI account", s.armCall(http.MethodPut, s.accountID(), cognitive, map[string]any{
		"location": location, "kind": "OpenAI", "sku": map[string]string{"name": "S0"}, "properties": map[string]string{"customSubDomainName": account}}),
		expectation{status: 201, text: "https://" + account + ".openai.azure.com/", show: pick("properties", "endpoint")}); err != nil {
		return err
	}
	_, err = s.step(ctx, "Deploy a model in it", s.armCall(http.MethodPut, s.accountID()+"/deployments/"+model, cognitive, map[string]any{
		"sku":        map[string]any{"name": "Standard", "capacity": 1},
		"properties": map[string]any{"model": map[string]string{"format": "OpenAI", "name": model, "version": "0125"}}}),
		expectation{status: 201, text: "Succeeded", show: pick("properties", "provisioningState")})
	return err
}

// chat asks the seed's question with a credential.
func (s *story) chat(host string, header http.Header) request {
	return request{method: http.MethodPost, header: header,
		url: "https://" + host + ".openai.azure.com/openai/deployments/" + model + "/chat/completions?api-version=2023-05-15",
		body: map[string]any{"messages": []map[string]string{
			{"role": "system", "content": "Assistant is a large language model trained by OpenAI."}, {"role": "user", "content": question}}}}
}

func withKey(key string) http.Header { return http.Header{"Api-Key": {key}} }

func withToken(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

var answered = expectation{status: 200, text: "chat.completion", show: pick("choices", "message", "content")}

func (s *story) listKeys() request {
	return s.armCall(http.MethodPost, s.accountID()+"/listKeys", cognitive, nil)
}

func (s *story) keys(ctx context.Context) error {
	a, err := s.step(ctx, "List its two keys", s.listKeys(), expectation{status: 200, text: "key2", show: keySummary})
	if err != nil {
		return err
	}
	s.key1, s.key2 = a.at("key1"), a.at("key2")
	if _, err := s.step(ctx, "The application calls with key 1", s.chat(account, withKey(s.key1)), answered); err != nil {
		return err
	}
	if _, err := s.step(ctx, "Before key 1 is renewed, the application moves to key 2", s.chat(account, withKey(s.key2)), answered); err != nil {
		return err
	}
	old := s.key1
	stop := s.keepCalling(ctx)
	a, err = s.step(ctx, "Regenerate key 1 (the application goes on calling with key 2 meanwhile)",
		s.armCall(http.MethodPost, s.accountID()+"/regenerateKey", cognitive, map[string]string{"keyName": "Key1"}), expectation{status: 200, text: s.key2, show: keySummary})
	if err != nil {
		stop()
		return err
	}
	s.key1 = a.at("key1")
	if _, err := s.step(ctx, "The old key 1 is refused", s.chat(account, withKey(old)),
		expectation{status: 401, text: "Access denied due to invalid subscription key", show: pick("error", "message")}); err != nil {
		stop()
		return err
	}
	if _, err := s.step(ctx, "The new key 1 is good at once", s.chat(account, withKey(s.key1)), answered); err != nil {
		stop()
		return err
	}
	calls, failed := stop()
	s.note(fmt.Sprintf("Key 2 meanwhile: %d calls, %d refused.", calls, failed))
	if failed > 0 {
		return fmt.Errorf("key 2 was interrupted: %d of %d calls failed", failed, calls)
	}
	return nil
}

// keepCalling calls with key 2 until stop, which tells how it went.
func (s *story) keepCalling(ctx context.Context) (stop func() (calls, failed int)) {
	ending, done := make(chan struct{}), make(chan struct{})
	var calls, failed int
	go func() {
		defer close(done)
		for {
			a, err := s.do(ctx, s.chat(account, withKey(s.key2)))
			calls++
			if err != nil || a.status != 200 {
				failed++
			}
			select {
			case <-ending:
				return
			case <-ctx.Done():
				return
			default:
			}
		}
	}()
	return func() (int, int) { close(ending); <-done; return calls, failed }
}

func (s *story) disable(ctx context.Context) error {
	// As the seed writes it: a string for a boolean.
	if _, err := s.step(ctx, "Disable local authentication", s.armCall(http.MethodPatch, s.accountID(), cognitive,
		map[string]any{"properties": map[string]string{"disableLocalAuth": "true"}}), expectation{status: 200, text: `"disableLocalAuth":true`, show: showFlag}); err != nil {
		return err
	}
	refused := expectation{status: 403, text: "Key based authentication is disabled for this resource.", show: pick("error", "message")}
	for i, key := range []string{s.key1, s.key2} {
		if _, err := s.step(ctx, fmt.Sprintf("Key %d is refused", i+1), s.chat(account, withKey(key)), refused); err != nil {
			return err
		}
	}
	if _, err := s.step(ctx, "The keys are no longer listed", s.listKeys(),
		expectation{status: 400, text: "Failed to list key. disableLocalAuth is set to be true", show: pick("error", "message")}); err != nil {
		return err
	}
	_, err := s.step(ctx, "The token still works", s.chat(account, withToken(s.ai)), answered)
	return err
}

func (s *story) assign(scope, principal string) request {
	return s.armCall(http.MethodPut, scope+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString(), "2022-04-01", map[string]any{"properties": map[string]string{
		"roleDefinitionId": "/subscriptions/" + s.creds.SubscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/" + openAIUser,
		"principalId":      principal, "principalType": "ServicePrincipal"}})
}
