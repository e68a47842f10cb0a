package login

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/gate"
	"sekisho/internal/services/graph"
	"sekisho/internal/store"
)

// The people and applications of a house.
const (
	abroad = "22222222-0000-0000-0000-000000000001" // tenant Fabrikam

	ann, root, off, eve, gus, bea = "d0000000-0000-0000-0000-000000000001", "d0000000-0000-0000-0000-000000000002",
		"d0000000-0000-0000-0000-000000000003", "d0000000-0000-0000-0000-000000000004", "d0000000-0000-0000-0000-000000000005", "d0000000-0000-0000-0000-000000000006"
	annAbroad, beaAbroad = "d0000000-0000-0000-0000-000000000011", "d0000000-0000-0000-0000-000000000012"

	webApp    = "b0000000-0000-0000-0000-000000000001" // confidential, single tenant
	spaApp    = "b0000000-0000-0000-0000-000000000002"
	nativeApp = "b0000000-0000-0000-0000-000000000003"
	apiApp    = "b0000000-0000-0000-0000-000000000004" // a resource, and a middle tier
	everyApp  = "b0000000-0000-0000-0000-000000000005" // of Fabrikam, for every tenant
	closedApp = "b0000000-0000-0000-0000-000000000006" // takes only who is assigned
	webTwo    = "b0000000-0000-0000-0000-000000000007" // another confidential one

	back       = "https://app.contoso.com/back"
	backTwo    = "https://two.contoso.com/back?tenant=one"
	goodScope  = "openid profile email offline_access User.Read"
	password   = "Correct-horse-7"
	sekretUser = "ann@contoso.com"
)

// annsHash is the hash of everybody's password, with less work in it than those
// of entra.HashPassword.
var annsHash = sync.OnceValue(func() string {
	encode := base64.RawStdEncoding.EncodeToString
	salt := []byte("salt of sixteen.")
	return "$argon2id$v=19$m=64,t=1,p=1$" + encode(salt) + "$" + encode(argon2.IDKey([]byte(password), salt, 1, 64, 1, 32))
})

// house is a token service with people in it, behind a real gate.
type house struct {
	*server
	log     bytes.Buffer
	start   time.Time
	ahead   time.Duration
	secrets map[string]string // all that must be in neither audit nor log, and what it is
	webKey  string            // secret of webApp, webTwo, apiApp, everyApp and closedApp
	remote  netip.AddrPort
	mu      sync.Mutex
}

// Append implements gate.Audit.
func (h *house) Append(e store.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.audit = append(h.audit, e)
}

func newHouse(t testing.TB) *house { return newHouseWith(t, Options{}) }

func newHouseWith(t testing.TB, o Options) *house {
	t.Helper()
	h := &house{server: &server{t: t}, start: time.Now().Truncate(time.Second), secrets: map[string]string{}, remote: netip.MustParseAddrPort("203.0.113.7:40000")}
	dir := t.TempDir()
	seal, err := store.OpenSealer(t.Context(), dir, "")
	h.must(err)
	h.store, err = store.Open(t.Context(), dir)
	h.must(err)
	t.Cleanup(func() {
		h.leaks()
		h.must(h.store.Close())
	})
	h.directory, err = entra.New(t.Context(), h.store, seal, h.now)
	h.must(err)
	log := slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.gate, err = gate.New(gate.Config{Verifier: h.directory, Audit: h, Log: log, Services: []api.Service{New(h.directory, o).Service(), resourceService(), graph.New(h.store, h.directory, h.now).Service()}})
	h.must(err)
	h.people()
	h.apps()
	h.secret(password, "password")
	return h
}

// now stands but for ahead: no second passes while a busy machine does not get on.
func (h *house) now() time.Time { return h.start.Add(h.ahead) }

// moment lets what follows be later, in the same second.
func (h *house) moment() { h.ahead += time.Millisecond }

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) update(change func(*store.Tx) error) {
	h.t.Helper()
	h.must(h.store.Update(h.t.Context(), change))
}

func (h *house) people() {
	user := func(id, name string, guestOf string) entra.User {
		u := entra.User{ID: id, UserPrincipalName: name, DisplayName: strings.ToUpper(name[:1]) + name[1:3] + " Example", GivenName: name[:3], Surname: "Example", Mail: name, AccountEnabled: true, PasswordHash: annsHash()}
		if guestOf != "" {
			u.PasswordHash, u.ExternalState, u.Home = "", entra.Accepted, &entra.HomeAccount{Tenant: tenant, Object: guestOf}
			u.Profile = map[string]string{"userType": "Guest"}
		}
		return u
	}
	disabled := user(off, "off@contoso.com", "")
	disabled.AccountEnabled = false
	pending := user(beaAbroad, "bea_contoso.com#EXT#@fabrikam.onmicrosoft.com", bea)
	pending.ExternalState = entra.PendingAcceptance
	h.update(func(tx *store.Tx) error {
		return errors.Join(
			entra.PutTenant(tx, entra.Tenant{ID: tenant, DisplayName: "Contoso", Domains: []string{"contoso.com", "contoso.onmicrosoft.com"}}),
			entra.PutTenant(tx, entra.Tenant{ID: abroad, DisplayName: "Fabrikam", Domains: []string{"fabrikam.com", "fabrikam.onmicrosoft.com"}}),
			entra.PutUser(tx, tenant, user(ann, sekretUser, "")), entra.PutUser(tx, tenant, user(root, "root@contoso.com", "")),
			entra.PutUser(tx, tenant, disabled), entra.PutUser(tx, tenant, user(eve, "eve@contoso.com", "")), entra.PutUser(tx, tenant, user(bea, "bea@contoso.com", "")),
			entra.PutUser(tx, abroad, user(gus, "gus@fabrikam.com", "")),
			entra.PutUser(tx, abroad, user(annAbroad, "ann_contoso.com#EXT#@fabrikam.onmicrosoft.com", ann)), entra.PutUser(tx, abroad, pending),
			entra.PutRoleAssignment(tx, tenant, entra.RoleAssignment{ID: "e0000000-0000-0000-0000-000000000001", Principal: root, Role: entra.RoleTemplate(entra.GlobalAdministrator)}))
	})
}

// apps registers the applications, and consents to what each asks of Graph.
func (h *house) apps() {
	secret, credential := h.directory.NewSecret("", h.now().Add(-time.Hour), h.now().Add(365*24*time.Hour))
	h.webKey = h.secret(secret, "client secret")
	yes := true
	scope := func(id, value, kind string) json.RawMessage {
		raw, _ := json.Marshal(entra.PermissionScope{ID: id, Value: value, Type: kind, Enabled: true, AdminDisplayName: "To " + value, AdminDescription: "It may."})
		return raw
	}
	web := func(id string, redirects ...string) entra.Application {
		a := entra.Application{AppID: id, DisplayName: "App " + id[len(id)-1:], PasswordCredentials: []entra.PasswordCredential{credential}}
		a.Web.RedirectURIs = redirects
		return a
	}
	one := web(webApp, back, "http://localhost/cb")
	one.Web.ImplicitGrant.IDToken = true
	one.Web.LogoutURL = "https://app.contoso.com/bye"
	spa := entra.Application{AppID: spaApp, DisplayName: "Page"}
	spa.SPA.RedirectURIs = []string{"https://spa.contoso.com/"}
	native := entra.Application{AppID: nativeApp, DisplayName: "Tool"}
	native.PublicClient.RedirectURIs, native.FallbackPublic = []string{"http://localhost", "myapp://auth"}, &yes
	resource := web(apiApp, "https://api.contoso.com/back")
	resource.IdentifierURIs = []string{"api://" + apiApp}
	resource.API.Scopes = []json.RawMessage{scope("c0000000-0000-0000-0000-000000000001", "Read", "User"), scope("c0000000-0000-0000-0000-000000000002", "Manage", "Admin")}
	every := web(everyApp, "https://every.fabrikam.com/back")
	every.SignInAudience = "AzureADMultipleOrgs"
	h.update(func(tx *store.Tx) error {
		var err error
		for i, a := range []struct {
			entra.Application
			home string
		}{{one, tenant}, {spa, tenant}, {native, tenant}, {resource, tenant}, {every, abroad}, {web(closedApp, "https://closed.contoso.com/"), tenant}, {web(webTwo, backTwo), tenant}} {
			a.ID = strings.Replace(a.AppID, "b0000000", "b1000000", 1)
			sp := entra.ServicePrincipal{ID: principalOf(a.AppID), AppID: a.AppID, DisplayName: a.DisplayName, Type: "Application", AccountEnabled: true, AssignmentRequired: a.AppID == closedApp}
			err = errors.Join(err, entra.PutApplication(tx, a.home, a.Application), entra.PutServicePrincipal(tx, a.home, sp))
			if i < 6 || a.AppID == webTwo {
				err = errors.Join(err, h.consent(tx, a.home, sp.ID, "", entra.GraphAppID, "openid profile email offline_access User.Read"))
			}
		}
		return errors.Join(err,
			h.consent(tx, tenant, principalOf(webApp), "", apiApp, "Read"), h.consent(tx, tenant, principalOf(nativeApp), "", apiApp, "Read"), h.consent(tx, tenant, principalOf(apiApp), "", apiApp, "Read"))
	})
}

// principalOf is the object id of an application's service principal at home.
func principalOf(appID string) string { return strings.Replace(appID, "b0000000", "b2000000", 1) }

// consent gives a client permissions of a resource, for one user or for all.
func (h *house) consent(tx *store.Tx, in, client, user, resource, scopes string) error {
	sp, err := tx.Lookup(entra.KindServicePrincipal, store.Key{Name: "appId", Value: in + "/" + resource})
	if err != nil {
		return err
	}
	return entra.Consent(tx, in, client, user, sp.ID, strings.Fields(scopes))
}

// changeUser changes a user's document.
func (h *house) changeUser(id string, change func(*entra.User)) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		u, record, err := store.Load[entra.User](tx, entra.KindUser, id)
		if err != nil {
			return err
		}
		change(&u)
		return entra.PutUser(tx, record.Tenant, u)
	})
}

// changePrincipal changes the document of an application's service principal.
func (h *house) changePrincipal(in, appID string, change func(*entra.ServicePrincipal)) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		record, err := tx.Lookup(entra.KindServicePrincipal, store.Key{Name: "appId", Value: in + "/" + appID})
		if err != nil {
			return err
		}
		sp, err := store.Decode[entra.ServicePrincipal](record)
		if err != nil {
			return err
		}
		change(&sp)
		return entra.PutServicePrincipal(tx, in, sp)
	})
}

// changeApp changes an application's registration.
func (h *house) changeApp(in, appID string, change func(*entra.Application)) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		record, err := tx.Lookup(entra.KindApplication, store.Key{Name: "appId", Value: appID})
		if err != nil {
			return err
		}
		a, err := store.Decode[entra.Application](record)
		if err != nil {
			return err
		}
		change(&a)
		return entra.PutApplication(tx, in, a)
	})
}

// secret remembers what must not be in audit or log.
func (h *house) secret(text, what string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(text) >= 8 {
		h.secrets[text] = what
	}
	return text
}

// secretFields are those of requests and replies that nobody else may read.
var secretFields = []string{"code", "access_token", "refresh_token", "id_token", "client_secret", "client_assertion", "assertion", "password", "passwd", "newpasswd", "code_verifier", "device_code", "flow", "id_token_hint"}

func (h *house) secretsOf(form url.Values) {
	for _, name := range secretFields {
		for _, value := range form[name] {
			h.secret(value, name)
		}
	}
}

// leaks looks for secrets where they must not be.
func (h *house) leaks() {
	h.mu.Lock()
	defer h.mu.Unlock()
	raw, err := json.Marshal(h.audit)
	if err != nil {
		h.t.Error(err)
	}
	for secret, what := range h.secrets {
		encoded, _ := json.Marshal(secret)
		if text := strings.Trim(string(encoded), `"`); bytes.Contains(raw, []byte(text)) {
			h.t.Errorf("the audit holds a %s: %.40s…", what, secret)
		}
		if strings.Contains(h.log.String(), secret) {
			h.t.Errorf("the log holds a %s: %.40s…", what, secret)
		}
	}
}

// resourceService is an API of Azure's that takes users' tokens, to see them
// refused by the gate.
func resourceService() api.Service {
	return api.Service{Name: "resource", Audiences: []string{"https://management.azure.com", "https://graph.microsoft.com"},
		Operations: []api.Operation{{Method: http.MethodGet, Pattern: "/me", Name: "Me", Source: "test", Handle: func(w http.ResponseWriter, call *api.Call) error {
			_, err := w.Write([]byte(call.Caller.Object))
			return err
		}}},
		WriteError: func(w http.ResponseWriter, _ *api.Call, err error) {
			w.WriteHeader(http.StatusForbidden)
			w.Write([]byte(err.Error()))
		}}
}

// me calls the API with a token.
func (h *house) me(token string) answered {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/me", nil)
	r.Header.Set("Authorization", "Bearer "+h.secret(token, "token"))
	return h.serve("resource", r)
}

// with changes values: an empty one takes a field away.
func with(values url.Values, changes ...string) url.Values {
	out := url.Values{}
	for name, all := range values {
		out[name] = slices.Clone(all)
	}
	for i := 0; i < len(changes); i += 2 {
		if out.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			out.Del(changes[i])
		}
	}
	return out
}

// consentToEvery lets the application of Fabrikam into Contoso, for all.
func consentToEvery(h *house) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		id := strings.Replace(everyApp, "b0000000", "b3000000", 1)
		return errors.Join(
			entra.PutServicePrincipal(tx, tenant, entra.ServicePrincipal{ID: id, AppID: everyApp, DisplayName: "Every", Type: "Application", AccountEnabled: true}),
			h.consent(tx, tenant, id, "", entra.GraphAppID, goodScope))
	}
}

// mustChange makes a user change the password at the next sign-in.
func (h *house) mustChange(id string) {
	h.t.Helper()
	h.changeUser(id, func(u *entra.User) { u.ForceChange = true })
}
