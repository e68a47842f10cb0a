package entra

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/internal/store"
)

// findInStore names the first file of the data directory that holds the bytes.
func (w *world) findInStore(needle []byte) (found string) {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, needle) {
			found = path
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

func TestSecretsAreKeptAsDigests(t *testing.T) {
	w := newWorld(t)
	run, release := w.d.RunSecret(appID)
	defer release()
	for _, secret := range []string{w.secret, run} {
		if found := w.findInStore([]byte(secret[8:])); found != "" {
			t.Errorf("a client secret is readable in %s", found)
		}
	}
	if w.findInStore([]byte("passwordCredentials")) == "" {
		t.Error("the documents are not where the test looks")
	}
}

// Entra's secrets are 40 characters with "8Q~" in fourth place; az and SDKs pass
// them through forms and shells.
func TestFormOfASecret(t *testing.T) {
	w := newWorld(t)
	form := regexp.MustCompile(`^[A-Za-z0-9]{3}8Q~[A-Za-z0-9]{34}$`)
	seen := map[string]bool{}
	for range 100 {
		text, c := w.d.NewSecret("name", w.now, w.now.Add(time.Hour))
		if !form.MatchString(text) || c.Hint != text[:3] || c.DisplayName != "name" || c.KeyID == "" || seen[text] {
			t.Errorf("secret %q, credential %+v", text, c)
		}
		seen[text] = true
	}
}

// Numbers, errors and statuses: identity.md §1, Errors.
func TestClientCredentialsRefusals(t *testing.T) {
	w := newWorld(t)
	identity := w.identity()
	expired, old := w.d.NewSecret("old", w.now.Add(-2*time.Hour), w.now)
	future, coming := w.d.NewSecret("future", w.now.Add(time.Second), w.now.Add(time.Hour))
	_, current := w.d.NewSecret("current", w.now, w.now.Add(time.Hour))
	const other = "ffffffff-0000-0000-0000-000000000001"
	w.update(func(tx *store.Tx) error {
		return errors.Join(
			PutApplication(tx, contoso, Application{ID: "ffffffff-0000-0000-0000-000000000003", AppID: other, PasswordCredentials: []PasswordCredential{current, old, coming}}),
			PutServicePrincipal(tx, contoso, ServicePrincipal{ID: "ffffffff-0000-0000-0000-000000000002", AppID: other, Type: "Application", AccountEnabled: true}))
	})
	for _, c := range []struct {
		name, tenant, client, secret string
		number                       int
		oauth                        string
		status                       int
	}{
		{"expired secret", contoso, other, expired, 7000222, "invalid_client", 401},
		{"secret whose time has not come", contoso, other, future, 7000222, "invalid_client", 401},
		{"wrong secret", contoso, other, "wrong", 7000215, "invalid_client", 401},
		{"secret of another application", contoso, other, w.secret, 7000215, "invalid_client", 401},
		{"the secret's id", contoso, other, current.KeyID, 7000215, "invalid_client", 401},
		{"the secret's digest", contoso, other, current.Digest, 7000215, "invalid_client", 401},
		{"no secret", contoso, other, "", 7000218, "invalid_client", 401},
		{"unknown application", contoso, "ffffffff-0000-0000-0000-00000000000f", w.secret, 700016, "unauthorized_client", 400},
		{"object id in place of the application id", contoso, appObj, w.secret, 700016, "unauthorized_client", 400},
		{"application of another tenant", fabrikam, appID, w.secret, 700016, "unauthorized_client", 400},
		{"managed identity", contoso, identity.AppID, w.secret, 700016, "unauthorized_client", 400},
		{"managed identity without a secret", contoso, identity.AppID, "", 700016, "unauthorized_client", 400},
		{"unknown tenant", "33333333-0000-0000-0000-000000000003", appID, w.secret, 90002, "invalid_request", 400},
		{"unknown domain", "nowhere.example", appID, w.secret, 90002, "invalid_request", 400},
		{"no tenant", "", appID, w.secret, 90002, "invalid_request", 400},
		{"common tells no tenant", "common", appID, w.secret, 50059, "invalid_request", 400},
		{"organizations tells no tenant", "Organizations", appID, w.secret, 50059, "invalid_request", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.d.ClientCredentials(t.Context(), c.tenant, c.client, c.secret, armURI)
			wantNumber(t, err, c.number, c.oauth, c.status)
			if c.secret != "" && strings.Contains(err.Error(), c.secret) {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
	for _, tenant := range []string{contoso, strings.ToUpper(contoso), "contoso.com", "CONTOSO.com"} {
		if _, err := w.d.ClientCredentials(t.Context(), tenant, strings.ToUpper(appID), w.secret, armURI); err != nil {
			t.Errorf("%s: %v", tenant, err)
		}
	}
}

func TestADisabledApplicationGetsNoToken(t *testing.T) {
	w := newWorld(t)
	w.putApp(false)
	_, err := w.d.ClientCredentials(t.Context(), contoso, appID, w.secret, armURI)
	wantNumber(t, err, 7000112, "unauthorized_client", 400)
	_, err = w.d.ClientCredentials(t.Context(), contoso, appID, "wrong", armURI) // who does not know the secret learns no more
	wantNumber(t, err, 7000215, "invalid_client", 401)
	w.putApp(true)
	w.issue(armURI)
}

func TestASecretEndsWithItsTime(t *testing.T) {
	w := newWorld(t)
	w.advance(time.Hour - time.Nanosecond)
	w.issue(armURI)
	w.advance(time.Nanosecond)
	_, err := w.d.ClientCredentials(t.Context(), contoso, appID, w.secret, armURI)
	wantNumber(t, err, 7000222, "invalid_client", 401)
}

func TestARemovedSecretIsWrong(t *testing.T) {
	w := newWorld(t)
	w.issue(armURI)
	w.update(func(tx *store.Tx) error {
		return PutApplication(tx, contoso, Application{ID: "aaaaaaaa-0000-0000-0000-000000000003", AppID: appID})
	})
	_, err := w.d.ClientCredentials(t.Context(), contoso, appID, w.secret, armURI)
	wantNumber(t, err, 7000215, "invalid_client", 401)
}

func TestARunSecretDiesWithItsRun(t *testing.T) {
	w := newWorld(t)
	try := func(d *Directory, app, secret string) error {
		_, err := d.ClientCredentials(context.Background(), contoso, app, secret, armURI)
		return err
	}
	one, endOne := w.d.RunSecret(strings.ToUpper(appID))
	two, endTwo := w.d.RunSecret(appID)
	defer endTwo()
	for _, secret := range []string{one, two, w.secret} {
		if err := try(w.d, appID, secret); err != nil {
			t.Errorf("while both run: %v", err)
		}
	}
	wantNumber(t, try(w.open(), appID, one), 7000215, "invalid_client", 401) // in memory only
	endOne()
	wantNumber(t, try(w.d, appID, one), 7000215, "invalid_client", 401)
	if err := try(w.d, appID, two); err != nil {
		t.Errorf("the other run: %v", err)
	}
	w.update(func(tx *store.Tx) error {
		return errors.Join(
			PutApplication(tx, contoso, Application{ID: "ffffffff-0000-0000-0000-000000000003", AppID: "ffffffff-0000-0000-0000-000000000001"}),
			PutServicePrincipal(tx, contoso, ServicePrincipal{ID: "ffffffff-0000-0000-0000-000000000002", AppID: "ffffffff-0000-0000-0000-000000000001", Type: "Application", AccountEnabled: true}))
	})
	wantNumber(t, try(w.d, "ffffffff-0000-0000-0000-000000000001", two), 7000215, "invalid_client", 401)
}

func TestPasswordHashes(t *testing.T) {
	password := NewPassword()
	one, two := HashPassword(password), HashPassword(password)
	form := regexp.MustCompile(`^\$argon2id\$v=19\$m=65536,t=3,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	if !form.MatchString(one) || one == two || strings.Contains(one, password) {
		t.Errorf("hashes %s and %s", one, two)
	}
	if len(password) != 20 || password == NewPassword() {
		t.Errorf("password %q", password)
	}
}
