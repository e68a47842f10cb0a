package login

import (
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// holding is what a user has of a sign-in: a code, a refresh token, access
// tokens for ARM and for a middle tier, a session, and a device that waits.
type holding struct {
	h                          *house
	code, refresh, arm, forAPI string
	session                    *browser
	device                     answered
}

func (h *house) holding(name string) *holding {
	h.t.Helper()
	o := &holding{h: h, session: h.browser()}
	o.code = o.session.signIn(ask(webApp), name)
	o.refresh = h.tokens(webApp, name).text("refresh_token")
	o.arm = h.tokens(webApp, name, "scope", "openid User.Read").text("access_token")
	o.forAPI = h.tokens(webApp, name, "scope", "api://"+apiApp+"/Read").text("access_token")
	o.device = h.post(deviceV2, with(nil, "client_id", nativeApp, "scope", goodScope)).served(http.StatusOK)
	d := h.browser()
	d.get("/common/oauth2/deviceauth", nil)
	d.submit("otc", o.device.text("user_code"))
	d.password(name)
	d.submit("action", "continue").served(http.StatusOK)
	return o
}

func (o *holding) onBehalf() answered {
	return o.h.post(v2, with(nil, "grant_type", grantOnBehalf, "client_id", apiApp, "client_secret", o.h.webKey, "assertion", o.forAPI, "requested_token_use", "on_behalf_of", "scope", "https://graph.microsoft.com/User.Read"))
}

func (o *holding) redeemDevice() answered {
	return o.h.post(v2, with(nil, "grant_type", grantDevice, "client_id", nativeApp, "device_code", o.device.text("device_code")))
}

// Who is out is out at once, wherever they come with what they have.
func TestAnAccountThatIsOut(t *testing.T) {
	for _, c := range []struct {
		name                   string
		out                    func(*house)
		number, session, onGot int
		oauth, gate            string
	}{
		{"disabled", func(h *house) { h.changeUser(eve, func(u *entra.User) { u.AccountEnabled = false }) }, 50057, 50058, 50057, "invalid_grant", "is disabled"},
		{"deleted", func(h *house) {
			h.update(func(tx *store.Tx) error { return entra.Remove(tx, entra.KindUser, eve) })
		}, 500341, 50058, 500341, "invalid_grant", "is not in the directory"},
		{"revoked", func(h *house) { h.changeUser(eve, func(u *entra.User) { u.ValidFrom = h.now().UTC() }) }, 50173, 50058, 50173, "invalid_grant", "are revoked"},
		{"moved to a lost password", func(h *house) {
			h.must(h.directory.ChangePassword(h.t.Context(), eve, "Another-horse-8"))
		}, 50173, 50058, 50173, "invalid_grant", "are revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			o := h.holding("eve@contoso.com")
			h.me(o.arm).served(http.StatusOK)
			h.moment()
			c.out(h)
			h.post(v2, h.redemption(webApp, o.code)).refused(400, c.oauth, c.number)
			h.post(v2, h.refreshment(webApp, o.refresh)).refused(400, c.oauth, c.number)
			o.onBehalf().refused(400, c.oauth, c.onGot)
			o.redeemDevice().refused(400, c.oauth, c.number)
			if r := h.me(o.arm); r.Code == http.StatusOK || !strings.Contains(r.Body.String()+r.entry.Reason+r.entry.Cause, c.gate) || r.entry.Decision != store.Refused {
				t.Errorf("the gate: %d %s, audit %+v", r.Code, r.Body, r.entry)
			}
			o.session.get(authorizeV2, ask(webApp, "prompt", "none")).sentBack(back, "login_required", c.session)
			if r := o.session.get(authorizeV2, ask(webApp)); r.Code != http.StatusOK || !strings.Contains(o.session.to, pathSignIn) {
				t.Errorf("the session: %d %s", r.Code, r.Header())
			}
		})
	}
}

// To the moment: what was signed in to before is out, though in the same second,
// and what comes after is in.
func TestASignInOfTheSecondOfARevocation(t *testing.T) {
	for name, revoke := range map[string]func(*house){
		"revoked":  func(h *house) { h.changeUser(eve, func(u *entra.User) { u.ValidFrom = h.now().UTC() }) },
		"password": func(h *house) { h.must(h.directory.ChangePassword(h.t.Context(), eve, password+"x")) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			before := h.tokens(webApp, "eve@contoso.com")
			h.moment()
			revoke(h)
			h.moment()
			if name == "password" {
				h.changeUser(eve, func(u *entra.User) { u.PasswordHash = annsHash() })
			}
			after := h.tokens(webApp, "eve@contoso.com")
			h.me(after.text("access_token")).served(http.StatusOK)
			if r := h.me(before.text("access_token")); r.Code == http.StatusOK {
				t.Error("a token of before is good")
			}
			h.post(v2, h.refreshment(webApp, before.text("refresh_token"))).refused(400, "invalid_grant", 50173)
			h.me(h.post(v2, h.refreshment(webApp, after.text("refresh_token"))).served(http.StatusOK).text("access_token")).served(http.StatusOK)
		})
	}
}

// A client or a resource that an administrator disabled gets no tokens.
// Source: entra-docs disable-user-sign-in-portal.md.
func TestAnApplicationThatIsDisabled(t *testing.T) {
	disable := func(sp *entra.ServicePrincipal) { sp.AccountEnabled = false }
	h := newHouse(t)
	o := h.holding(sekretUser)
	cli := ask(entra.AzureCLIAppID, "redirect_uri", "http://localhost:1234", "scope", "https://management.azure.com/.default openid offline_access")
	code := h.browser().signIn(cli, sekretUser)
	h.changePrincipal(tenant, nativeApp, disable)
	h.changePrincipal(tenant, webApp, disable)
	h.changePrincipal(tenant, entra.AzureCLIAppID, disable)
	h.post(v2, h.redemption(webApp, o.code)).refused(400, "unauthorized_client", 7000112)
	h.post(v2, h.refreshment(webApp, o.refresh)).refused(400, "unauthorized_client", 7000112)
	o.redeemDevice().refused(400, "unauthorized_client", 7000112)
	h.post(v2, with(h.redemption(nativeApp, code), "client_id", entra.AzureCLIAppID, "redirect_uri", "http://localhost:1234")).refused(400, "unauthorized_client", 7000112)
	o.session.get(authorizeV2, ask(webApp)).page(400, 7000112)
	h.changePrincipal(tenant, apiApp, disable)
	o.onBehalf().refused(400, "unauthorized_client", 7000112)

	h = newHouse(t)
	o = h.holding(sekretUser)
	h.changePrincipal(tenant, entra.GraphAppID, disable)
	h.post(v2, h.redemption(webApp, o.code)).refused(400, "invalid_resource", 500014)
	h.post(v2, with(nil, "grant_type", grantClient, "client_id", apiApp, "client_secret", h.webKey, "scope", "https://graph.microsoft.com/.default")).refused(400, "invalid_resource", 500014)
}

// A guest signs in at home; who has not accepted is let in by no token.
func TestGuests(t *testing.T) {
	h := newHouse(t)
	cli := ask(entra.AzureCLIAppID, "redirect_uri", "http://localhost:1234", "scope", "https://management.azure.com/.default openid offline_access")
	home := func(name string) string {
		code := h.browser().signIn(cli, name)
		return h.post(v2, with(h.redemption(nativeApp, code), "client_id", entra.AzureCLIAppID, "redirect_uri", "http://localhost:1234")).served(http.StatusOK).text("refresh_token")
	}
	there := "/" + abroad + "/oauth2/v2.0/token"
	scope := []string{"client_id", entra.AzureCLIAppID, "scope", "https://management.azure.com/.default"}
	anns := h.post(there, h.refreshment(nativeApp, home(sekretUser), scope...)).served(http.StatusOK)
	if claims := claimsOf(t, anns.text("access_token")); claims["tid"] != abroad || claims["oid"] != annAbroad {
		t.Errorf("%v", claims)
	}
	beas := home("bea@contoso.com")
	h.post(there, h.refreshment(nativeApp, beas, scope...)).refused(400, "interaction_required", 50014)
	h.post(there, h.refreshment(nativeApp, home("eve@contoso.com"), scope...)).refused(400, "invalid_grant", 50020)
	// The guest's account is theirs only as long as the one at home is.
	h.me(anns.text("access_token")).served(http.StatusOK)
	h.changeUser(ann, func(u *entra.User) { u.AccountEnabled = false })
	if r := h.me(anns.text("access_token")); r.Code == http.StatusOK || r.entry.Decision != store.Refused {
		t.Errorf("the gate takes the guest whose home account is disabled: %+v", r.entry)
	}
	b := h.browser()
	b.get("/"+abroad+"/oauth2/v2.0/authorize", with(cli, "prompt", "none")).sentBack("http://localhost:1234", "login_required", 50058)
	b.get(authorizeV2, cli)
	b.password("bea@contoso.com").served(http.StatusFound)
	b.get("/"+abroad+"/oauth2/v2.0/authorize", with(cli, "prompt", "none")).sentBack("http://localhost:1234", "interaction_required", 50014)
	b.get("/"+abroad+"/oauth2/v2.0/authorize", cli).served(http.StatusFound)
	h.post(there, h.refreshment(nativeApp, beas, scope...)).served(http.StatusOK)
}
