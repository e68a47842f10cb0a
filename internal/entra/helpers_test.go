package entra

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/store"
)

// Fixed ids of the world that newWorld makes.
const (
	contoso  = "11111111-0000-0000-0000-000000000001"
	fabrikam = "22222222-0000-0000-0000-000000000002"
	appID    = "aaaaaaaa-0000-0000-0000-000000000001"
	appObj   = "aaaaaaaa-0000-0000-0000-000000000002"
	apiV1    = "bbbbbbbb-0000-0000-0000-000000000001"
	apiV2    = "cccccccc-0000-0000-0000-000000000001"
	vm       = "/subscriptions/99999999-0000-0000-0000-000000000009/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/VM1"

	armURI   = "https://management.azure.com"
	graphURI = "https://graph.microsoft.com"
)

var armAudiences = []string{armURI, "https://management.core.windows.net"}

// world is two tenants in a store, with a clock that stands still.
type world struct {
	t      testing.TB
	dir    string
	store  *store.Store
	seal   *store.Sealer
	d      *Directory
	secret string // of appID

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(by)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 4, 5, 6, 7, 800, time.UTC)}
	var err error
	if w.seal, err = store.OpenSealer(t.Context(), w.dir, ""); err != nil {
		t.Fatal(err)
	}
	if w.store, err = store.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.d = w.open()
	var credential PasswordCredential
	w.secret, credential = w.d.NewSecret("test", w.now.Add(-time.Hour), w.now.Add(time.Hour))
	w.update(func(tx *store.Tx) error {
		return errors.Join(
			PutTenant(tx, Tenant{ID: contoso, DisplayName: "Contoso", Domains: []string{"contoso.com"}}),
			PutTenant(tx, Tenant{ID: fabrikam, DisplayName: "Fabrikam", Domains: []string{"fabrikam.com"}}),
			PutApplication(tx, contoso, Application{ID: "aaaaaaaa-0000-0000-0000-000000000003", AppID: appID, DisplayName: "app", PasswordCredentials: []PasswordCredential{credential}}),
			PutApplication(tx, contoso, Application{ID: "bbbbbbbb-0000-0000-0000-000000000003", AppID: apiV1, DisplayName: "api1", IdentifierURIs: []string{"api://one", "https://slash.contoso.com/"}}),
			PutApplication(tx, contoso, Application{ID: "cccccccc-0000-0000-0000-000000000003", AppID: apiV2, DisplayName: "api2", IdentifierURIs: []string{"api://two"}, TokenVersion: 2}),
		)
	})
	w.putApp(true)
	return w
}

// open opens a directory on the world's store, as a restart does.
func (w *world) open() *Directory {
	w.t.Helper()
	d, err := New(w.t.Context(), w.store, w.seal, w.clock)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) update(change func(*store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), change); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) putApp(enabled bool) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		return errors.Join(
			PutServicePrincipal(tx, contoso, ServicePrincipal{ID: appObj, AppID: appID, DisplayName: "app", Type: "Application", AccountEnabled: enabled}),
			GrantAppRole(tx, contoso, appObj, GraphAppID, "Directory.Read.All", w.now))
	})
}

// issue gets the application a token.
func (w *world) issue(resource string) *Token {
	w.t.Helper()
	token, err := w.d.ClientCredentials(w.t.Context(), contoso, appID, w.secret, resource)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// identity gives the virtual machine an identity.
func (w *world) identity() *Principal {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		_, _, err := w.d.CreateIdentity(tx, contoso, vm, "VM1")
		return err
	})
	p, err := w.d.IdentityOf(w.t.Context(), vm)
	if err != nil || p == nil {
		w.t.Fatalf("IdentityOf = %v, %v", p, err)
	}
	return p
}

// currentKey is the key that signs now.
func (w *world) currentKey() *signingKey {
	w.t.Helper()
	key, err := w.d.currentKey(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// sign makes a token of the claims with any key and header.
func sign(t testing.TB, method jwt.SigningMethod, header, claims map[string]any, key crypto.PrivateKey) string {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	for name, value := range header {
		token.Header[name] = value
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// segment decodes one of the two JSON parts of a token.
func segment(t testing.TB, token string, i int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func payload(t testing.TB, token string) map[string]any { return segment(t, token, 1) }

// wantNumber checks the AADSTS number and the OAuth error of a refusal.
func wantNumber(t *testing.T, err error, number int, oauth string, status int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want AADSTS%d", err, number)
	}
	if e.Number != number || e.OAuth != oauth || e.Status != status {
		t.Errorf("error = AADSTS%d %s %d, want AADSTS%d %s %d (%s)", e.Number, e.OAuth, e.Status, number, oauth, status, e.Message)
	}
}
