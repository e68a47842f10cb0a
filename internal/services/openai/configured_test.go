package openai_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"sekisho/internal/platform"
)

// A model server that is named in the configuration answers for a deployment
// of its model, all the way from the client's proxy.
func TestAConfiguredServerAnswersForItsModel(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var got map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewDecoder(r.Body).Decode(&got)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer)
	}))
	defer server.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "sekisho.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "models:\n- name: llama-3\n  url: %s/v1\n  model: llama3.2:1b\n", server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := platform.Start(t.Context(), platform.Options{Data: filepath.Join(dir, "d"), Config: config, Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Shutdown(t.Context())
	client := proxied(t, p)
	var credentials platform.Credentials
	raw, err := os.ReadFile(filepath.Join(p.Data(), "credentials.json"))
	if err != nil || json.Unmarshal(raw, &credentials) != nil {
		t.Fatalf("credentials: %v", err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {credentials.Automation.ClientID}, "client_secret": {credentials.Automation.ClientSecret},
		"scope": {"https://management.azure.com/.default"}}
	resp, err := client.PostForm("https://login.microsoftonline.com/"+credentials.TenantID+"/oauth2/v2.0/token", form)
	token := object(t, resp, err)["access_token"]

	account := "https://management.azure.com/subscriptions/" + credentials.SubscriptionID + "/resourceGroups/rg-sample/providers/Microsoft.CognitiveServices/accounts/aoai-sample"
	call := func(method, url, header, value, body string) map[string]any {
		req, err := http.NewRequest(method, url, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, value)
		resp, err := client.Do(req)
		return object(t, resp, err)
	}
	bearer := fmt.Sprint("Bearer ", token)
	call("PUT", account+"/deployments/mine"+dated, "Authorization", bearer, `{"properties":{"model":{"format":"OpenAI","name":"llama-3"}}}`)
	key := call("POST", account+"/listKeys"+dated, "Authorization", bearer, "")["key1"].(string)
	reply := call("POST", "https://aoai-sample.openai.azure.com/openai/deployments/mine/chat/completions"+dated, "api-key", key, `{"messages":[],"vendor":{"deep":1}}`)
	if reply["newerMember"] == nil {
		t.Errorf("reply: %v", reply)
	}
	if body, _ := json.Marshal(got); string(body) != `{"messages":[],"model":"llama3.2:1b","vendor":{"deep":1}}` {
		t.Errorf("the server got %s", body)
	}
}

// proxied is a client as `sekisho env` points one: its proxy and its CA.
func proxied(t *testing.T, p *platform.Platform) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(p.Environment().CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: p.Addresses().Proxy}),
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// object reads a success.
func object(t *testing.T, resp *http.Response, err error) map[string]any {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	var v map[string]any
	if err != nil || resp.StatusCode >= 300 || json.Unmarshal(raw, &v) != nil {
		t.Fatalf("%s %s: %s %s (%v)", resp.Request.Method, resp.Request.URL.Path, resp.Status, raw, err)
	}
	return v
}
