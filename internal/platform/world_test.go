package platform

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac/builtin"
)

// Audiences of the three services, as clients ask tokens for them.
const (
	forARM   = "https://management.azure.com/.default"
	forData  = "https://cognitiveservices.azure.com/.default"
	forGraph = "https://graph.microsoft.com/.default"
)

// patience is how long a test waits for what must come, on however busy a
// machine.
const patience = 2 * time.Minute

// inAnHour is a time for a clock that stands: not before what is written by the
// true one.
func inAnHour() time.Time { return time.Now().Add(time.Hour) }

// world is a Sekisho that runs, and a client that trusts it and goes through
// its proxy to Azure's real host names.
type world struct {
	t       testing.TB
	p       *Platform
	sample  Credentials
	client  *http.Client
	sub     string // scope of the sample subscription
	group   string // of its resource group
	account string // of its Azure OpenAI account
}

// actor is a service principal.
type actor struct{ object, app, secret string }

func newWorld(t testing.TB) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "sk") // short: a socket's path is bounded
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return worldOn(t, dir)
}

// worldOn starts a Sekisho on a data directory.
func worldOn(t testing.TB, dir string, change ...func(*Options)) *world {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", dir)
	o := anyPort(dir)
	for _, c := range change {
		c(&o)
	}
	p, err := Start(context.Background(), o)
	check(t, err)
	t.Cleanup(func() { check(t, p.Shutdown(context.Background())) })
	w := &world{t: t, p: p}
	raw, err := os.ReadFile(dir + "/" + credentialsFile)
	check(t, err)
	check(t, json.Unmarshal(raw, &w.sample))
	w.sub = "/subscriptions/" + w.sample.SubscriptionID
	w.group = w.sub + "/resourceGroups/" + sampleGroup
	w.account = w.group + "/providers/Microsoft.CognitiveServices/accounts/" + sampleAccount
	pem, err := os.ReadFile(p.Environment().CA)
	check(t, err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the CA file holds no certificate")
	}
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: p.Addresses().Proxy}),
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}
	t.Cleanup(transport.CloseIdleConnections) // before Shutdown, which waits for them
	w.client = &http.Client{Transport: transport}
	return w
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write changes the store behind the running platform's back, as a second
// administrator would over Graph.
func (w *world) write(change func(*store.Tx) error) {
	w.t.Helper()
	check(w.t, w.p.store.Update(context.Background(), change))
}

// actor makes an application with a secret and its service principal.
func (w *world) actor(name string) actor {
	w.t.Helper()
	now := time.Now().UTC()
	secret, credential := w.p.directory.NewSecret(name, now, now.AddDate(0, 0, 1))
	a := actor{uuid.NewString(), uuid.NewString(), secret}
	w.write(func(tx *store.Tx) error {
		app := entra.Application{ID: uuid.NewString(), AppID: a.app, DisplayName: name, SignInAudience: "AzureADMyOrg",
			PasswordCredentials: []entra.PasswordCredential{credential}, Created: now}
		if err := entra.PutApplication(tx, w.sample.TenantID, app); err != nil {
			return err
		}
		return entra.PutServicePrincipal(tx, w.sample.TenantID, w.principal(a, true))
	})
	return a
}

func (w *world) principal(a actor, enabled bool) entra.ServicePrincipal {
	return entra.ServicePrincipal{ID: a.object, AppID: a.app, DisplayName: "actor", Type: "Application", AccountEnabled: enabled, Names: []string{a.app}}
}

// owner is the sample's automation principal, Owner of the subscription.
func (w *world) owner() actor {
	return actor{w.sample.Automation.ObjectID, w.sample.Automation.ClientID, w.sample.Automation.ClientSecret}
}

// assign gives a principal a built-in role by name at a scope, and returns the
// assignment's id.
func (w *world) assign(principal, role, scope string) string {
	w.t.Helper()
	definition, ok := builtin.Find(role)
	if !ok {
		w.t.Fatalf("there is no role %q", role)
	}
	name := uuid.NewString()
	id := scope + "/providers/Microsoft.Authorization/roleAssignments/" + name
	w.write(func(tx *store.Tx) error {
		return access.Put(tx, w.sample.TenantID, access.Assignment{ID: id, Name: name, Scope: scope, Role: definition.Name,
			PrincipalID: principal, PrincipalType: entra.TypeServicePrincipal})
	})
	return id
}

// token signs in at the real token endpoint.
func (w *world) token(a actor, scope string) string {
	w.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.app}, "client_secret": {a.secret}, "scope": {scope}}
	r := w.send(http.MethodPost, "https://login.microsoftonline.com/"+w.sample.TenantID+"/oauth2/v2.0/token", form.Encode(),
		"Content-Type", "application/x-www-form-urlencoded")
	token, ok := r.body["access_token"].(string)
	if r.status != http.StatusOK || !ok {
		w.t.Fatalf("no token for %s: %d %v", scope, r.status, r.body)
	}
	return token
}

// reply is what a call gave.
type reply struct {
	status int
	header http.Header
	body   map[string]any
}

// send makes a call; headers are names and values in turn.
func (w *world) send(method, target, body string, headers ...string) reply {
	w.t.Helper()
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	check(w.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.client.Do(req)
	check(w.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	check(w.t, err)
	r := reply{status: resp.StatusCode, header: resp.Header}
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			w.t.Fatalf("%s %s: %d with a body that is no JSON object: %s", method, target, r.status, raw)
		}
	}
	return r
}

// arm makes a call to Azure Resource Manager.
func (w *world) arm(token, method, path, body string) reply {
	w.t.Helper()
	return w.send(method, "https://management.azure.com"+path+"?api-version=2024-10-01", body, "Authorization", "Bearer "+token)
}

// must is arm for the world's furniture.
func (w *world) must(token, method, path, body string) reply {
	w.t.Helper()
	r := w.arm(token, method, path, body)
	if r.status >= 300 {
		w.t.Fatalf("%s %s: %d %v", method, path, r.status, r.body)
	}
	return r
}

// at reads a string in nested objects; it is empty where there is none.
func (r reply) at(path ...string) string {
	var v any = r.body
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	s, _ := v.(string)
	return s
}
