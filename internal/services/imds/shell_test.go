package imds

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const shellUser = "6a1e5cc7-0000-4000-8000-000000000001"

func (w *world) user(change func(*entra.User)) {
	w.t.Helper()
	u := entra.User{ID: shellUser, UserPrincipalName: "ann@contoso.com", DisplayName: "Ann", AccountEnabled: true}
	change(&u)
	if err := w.store.Update(w.t.Context(), func(tx *store.Tx) error { return entra.PutUser(tx, tenant, u) }); err != nil {
		w.t.Fatal(err)
	}
}

// post sends a form as a client in Cloud Shell does, with headers in pairs.
func (w *world) post(form url.Values, headers ...string) (int, map[string]any) {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodPost, ShellPath, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return w.serve(r)
}

func (w *world) wantShellRefused(t *testing.T, status int, code, text string, gotStatus int, reply map[string]any) {
	t.Helper()
	e, _ := reply["error"].(map[string]any)
	message, _ := e["message"].(string)
	if gotStatus != status || e["code"] != code || !strings.Contains(message, text) || reply["access_token"] != nil {
		t.Errorf("%d %v; want %d %s …%s…", gotStatus, reply, status, code, text)
	}
}

// Sources: azure-docs cloud-shell/msi-authorization.md, msal cloudshell.py.
func TestCloudShellGivesTheTokensOfItsUser(t *testing.T) {
	w := newWorld(t)
	w.user(func(*entra.User) {})
	w.vm("vm", true)
	grant, end := w.server.BeginShell(shellUser)
	defer end()
	if grant.Variables["MSI_ENDPOINT"] != "http://localhost:50342/oauth2/token" || grant.Relay.Address != "127.0.0.1:50342" {
		t.Errorf("grant = %+v", grant)
	}
	local := []string{SecretHeader, grant.Secret, "Metadata", "true"}
	for _, form := range []url.Values{{"resource": {armURI}}, {"resource": {armURI}, "client_id": {"6a1e5cc7-0000-4000-8000-00000000ffff"}}} {
		status, reply := w.post(form, local...)
		if status != 200 || len(reply) != 8 || reply["token_type"] != "Bearer" || reply["refresh_token"] != "" || reply["resource"] != armURI {
			t.Fatalf("%d %v", status, reply)
		}
		c := claims(t, reply)
		for name, want := range map[string]any{"aud": armURI, "oid": shellUser, "idtyp": "user", "scp": "user_impersonation", "unique_name": "ann@contoso.com", "appid": entra.CloudShellAppID, "appidacr": "0"} {
			if c[name] != want {
				t.Errorf("%s = %v, want %v", name, c[name], want)
			}
		}
	}
	machine, endMachine := w.begin(vmID("vm"), Everywhere)
	defer endMachine()
	for _, c := range []struct {
		name       string
		form       url.Values
		headers    []string
		status     int
		code, text string
	}{
		{"no Metadata header", url.Values{"resource": {armURI}}, []string{SecretHeader, grant.Secret}, 400, "BadRequest", "Required metadata header not specified"},
		{"forwarded", url.Values{"resource": {armURI}}, append(local, "X-Forwarded-For", "10.0.0.1"), 400, "BadRequest", "X-Forwarded-For"},
		{"no secret", url.Values{"resource": {armURI}}, []string{"Metadata", "true"}, 401, "Unauthorized", ""},
		{"of a machine", url.Values{"resource": {armURI}}, []string{SecretHeader, machine, "Metadata", "true"}, 401, "Unauthorized", ""},
		{"no resource", url.Values{}, local, 400, "BadRequest", "resource"},
		{"an unknown resource", url.Values{"resource": {"https://nowhere.example"}}, local, 400, "AudienceNotSupported", "Audience https://nowhere.example is not a supported MSI token audience."},
		{"a long body", url.Values{"resource": {strings.Repeat("x", 70_000)}}, local, 400, "BadRequest", "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, reply := w.post(c.form, c.headers...)
			w.wantShellRefused(t, c.status, c.code, c.text, status, reply)
		})
	}
	if status, _, _ := w.get(MetadataPath, query("api-version", "2018-02-01"), local...); status != 400 {
		t.Errorf("IMDS in Cloud Shell: %d", status)
	}
	if got := w.audit[0]; got.Operation != "CloudShell_Token" || got.Principal != shellUser || got.PrincipalName != "ann@contoso.com" || got.Decision != store.Allowed {
		t.Errorf("audit = %+v", got)
	}
	if got := w.audit[2]; got.Decision != store.Refused || !strings.Contains(got.Reason, "nowhere.example") {
		t.Errorf("audit = %+v", got)
	}
	r := httptest.NewRequest(http.MethodGet, ShellPath, nil)
	if status, _ := w.serve(r); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
}

// A shell that is open does not outlive its user's right to one.
func TestCloudShellLosesItsUser(t *testing.T) {
	w := newWorld(t)
	w.user(func(*entra.User) {})
	grant, end := w.server.BeginShell(shellUser)
	defer end()
	ask := func() (int, map[string]any) {
		return w.post(url.Values{"resource": {armURI}}, SecretHeader, grant.Secret, "Metadata", "true")
	}
	if status, reply := ask(); status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	w.user(func(u *entra.User) { u.ValidFrom = time.Now().Add(time.Minute) })
	status, reply := ask()
	w.wantShellRefused(t, 400, "invalid_grant", "AADSTS50173", status, reply)
	w.user(func(u *entra.User) { u.AccountEnabled = false })
	status, reply = ask()
	w.wantShellRefused(t, 400, "invalid_grant", "AADSTS50057", status, reply)
	if err := w.store.Update(t.Context(), func(tx *store.Tx) error { return tx.Delete(entra.KindUser, shellUser) }); err != nil {
		t.Fatal(err)
	}
	status, reply = ask()
	w.wantShellRefused(t, 400, "invalid_grant", "AADSTS500341", status, reply)
	end()
	status, reply = ask()
	w.wantShellRefused(t, 401, "Unauthorized", "", status, reply)
}
