package conformance

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a story needs beside its client is done by plain HTTP: it is quicker
// than az, and sees the wire.

// httpClient is a client in intercept mode.
func (s *sekisho) httpClient() *http.Client {
	s.t.Helper()
	bundle, err := os.ReadFile(filepath.Join(s.data, "ca-bundle.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	proxy, err := url.Parse(s.printed["proxy"])
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// caller calls Azure's hosts with a token of the automation service principal.
type caller struct {
	http  *http.Client
	token string
}

func (s *sekisho) caller(scope string) *caller {
	s.t.Helper()
	client := s.httpClient()
	resp, err := client.PostForm("https://login.microsoftonline.com/"+s.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "scope": {scope}, "client_id": {s.Automation.ClientID}, "client_secret": {s.Automation.ClientSecret}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.Access == "" {
		s.t.Fatalf("token: %s %v", resp.Status, err)
	}
	return &caller{client, token.Access}
}

// arm calls the control plane.
func (s *sekisho) arm() *caller {
	s.t.Helper()
	return s.caller("https://management.azure.com/.default")
}

// call sends a request and reads its whole answer.
func (c *caller) call(ctx context.Context, method, url string, body any) (status int, answer []byte, err error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	if strings.HasPrefix(url, "/") {
		url = "https://management.azure.com" + url
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// do demands a 2xx answer and decodes it.
func (c *caller) do(t *testing.T, method, url string, body, answer any) {
	t.Helper()
	status, raw, err := c.call(t.Context(), method, url, body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("status %d: %s", status, raw)
	}
	if err == nil && answer != nil {
		err = json.Unmarshal(raw, answer)
	}
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
}

// object is a JSON object to be sent.
type object = map[string]any

const accountVersion = "?api-version=2025-06-01"

// keys reads the sample account's keys.
func (s *sekisho) keys(c *caller) (key1, key2 string) {
	s.t.Helper()
	var keys struct{ Key1, Key2 string }
	c.do(s.t, http.MethodPost, s.scope(sampleAccount, "/listKeys", accountVersion), nil, &keys)
	return keys.Key1, keys.Key2
}

// roleOpenAIUser is the GUID of Cognitive Services OpenAI User.
const roleOpenAIUser = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"

// assign makes a service principal's role assignment at a scope.
func (s *sekisho) assign(c *caller, name, scope, role, principal string) {
	s.t.Helper()
	c.do(s.t, http.MethodPut, scope+"/providers/Microsoft.Authorization/roleAssignments/"+name+"?api-version=2022-04-01", object{"properties": object{
		"roleDefinitionId": "/subscriptions/" + s.SubscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/" + role,
		"principalId":      principal, "principalType": "ServicePrincipal"}}, nil)
}

// keysDisabled sets disableLocalAuth of the sample account.
func (s *sekisho) keysDisabled(c *caller, disabled bool) {
	s.t.Helper()
	c.do(s.t, http.MethodPatch, s.scope(sampleAccount, accountVersion), object{"properties": object{"disableLocalAuth": disabled}}, nil)
}

// chatWithKey asks the sample deployment with a key, and gives the status.
func (s *sekisho) chatWithKey() func(key string) int { return s.chatWith("api-key") }

// chatWithToken does so with a token.
func (s *sekisho) chatWithToken(token string) func() int {
	chat := s.chatWith("Authorization")
	return func() int { return chat("Bearer " + token) }
}

func (s *sekisho) chatWith(header string) func(credential string) int {
	client := s.httpClient()
	return func(credential string) int {
		req, err := http.NewRequest(http.MethodPost, "https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21",
			strings.NewReader(`{"messages":[{"role":"user","content":"Who are you?"}]}`))
		if err != nil {
			s.t.Error(err)
			return 0
		}
		req.Header.Set(header, credential)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			s.t.Error(err)
			return 0
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			s.t.Error(err)
		}
		return resp.StatusCode
	}
}
