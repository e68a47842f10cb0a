package login

import (
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// forget takes away all that was consented to for a client, for all.
func (h *house) forget(appID string) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		all, err := tx.List(entra.KindPermissionGrant, store.Query{})
		if err != nil {
			return err
		}
		for _, record := range all {
			if g, err := store.Decode[entra.PermissionGrant](record); err != nil {
				return err
			} else if strings.EqualFold(g.Client, principalOf(appID)) {
				if err := tx.Delete(entra.KindPermissionGrant, record.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// No token comes without consent, by whichever grant it is asked for.
func TestWithoutConsent(t *testing.T) {
	h := newHouseWith(t, Options{PasswordGrant: true})
	b := h.browser()
	code, refresh := b.signIn(ask(webApp), sekretUser), h.tokens(webApp, sekretUser).text("refresh_token")
	user := h.tokens(webApp, sekretUser, "scope", "api://"+apiApp+"/Read").text("access_token")
	pending := h.post(deviceV2, with(nil, "client_id", nativeApp, "scope", goodScope)).served(http.StatusOK)
	h.forget(webApp)
	h.forget(nativeApp)
	h.forget(apiApp)
	h.post(v2, h.redemption(webApp, code)).refused(400, "invalid_grant", 65001)
	r := h.post(v2, h.refreshment(webApp, refresh))
	r.refused(400, "invalid_grant", 65001)
	if r.text("suberror") != "consent_required" {
		t.Errorf("suberror %q", r.text("suberror"))
	}
	h.post(v2, with(nil, "grant_type", grantPassword, "client_id", nativeApp, "username", sekretUser, "password", password, "scope", goodScope)).refused(400, "invalid_grant", 65001)
	h.post(v2, with(nil, "grant_type", grantOnBehalf, "client_id", apiApp, "client_secret", h.webKey, "assertion", user, "requested_token_use", "on_behalf_of", "scope", "https://graph.microsoft.com/User.Read")).refused(400, "invalid_grant", 65001)
	b.get(authorizeV2, ask(webApp, "prompt", "none")).sentBack(back, "consent_required", 65001)

	// On the pages it is asked for, and "no" is an answer.
	asks := b.get(authorizeV2, ask(webApp)).served(http.StatusOK)
	if !strings.Contains(b.to, pathConsent) {
		t.Fatalf("no consent page: %s", asks.Body)
	}
	b.submit("action", "cancel").sentBack(back, "access_denied", 65004)

	d := h.browser()
	d.get("/common/oauth2/deviceauth", nil)
	d.submit("otc", pending.text("user_code"))
	d.password(sekretUser)
	if !strings.Contains(d.to, pathConsent) {
		t.Fatalf("no consent page but %s", d.to)
	}
	form := with(d.form, "action", "continue")
	d.postTo(pathConfirm, form).page(400, 165900) // the consent can't be jumped over
	h.post(v2, with(nil, "grant_type", grantDevice, "client_id", nativeApp, "device_code", pending.text("device_code"))).refused(400, "authorization_pending", 70016)
}

// What only an administrator may grant, nobody else can, whatever they post.
func TestAdminsPermissionsByAPlainUser(t *testing.T) {
	h := newHouse(t)
	q := ask(webApp, "scope", "openid api://"+apiApp+"/Manage")
	b := h.browser()
	b.get(authorizeV2, q)
	b.password(sekretUser).page(403, 90094)
	form := b.form
	b.submit("action", "accept").sentBack(back, "access_denied", 90094)
	b.postTo(pathConsent, with(form, "action", "accept", "org", "true")).sentBack(back, "access_denied", 90094)
	b.get(authorizeV2, with(q, "prompt", "none")).sentBack(back, "consent_required", 65001)
	// Nor for everybody, what one may grant for oneself.
	h.forget(webApp)
	b.get(authorizeV2, ask(webApp))
	b.submit("action", "accept", "org", "true").sentBack(back, "access_denied", 90094)

	admin := h.browser()
	admin.get(authorizeV2, q)
	admin.password("root@contoso.com").served(http.StatusOK)
	admin.submit("action", "accept", "org", "true").served(http.StatusFound)
	h.forget(webTwo)
	b.get(authorizeV2, ask(webTwo)).served(http.StatusOK)
	b.submit("action", "accept").served(http.StatusFound) // for themself
	other := h.browser()
	other.get(authorizeV2, ask(webTwo))
	if other.password("eve@contoso.com").served(http.StatusOK); !strings.Contains(other.to, pathConsent) {
		t.Errorf("one user's consent is another's")
	}
}

// The list on the page is what is agreed to, though the registration changes.
func TestConsentToWhatWasNotShown(t *testing.T) {
	h := newHouse(t)
	h.forget(webApp)
	offer, _ := entra.Offered(entra.GraphAppID)
	asks := func(names ...string) {
		h.changeApp(tenant, webApp, func(a *entra.Application) {
			a.RequiredAccess = nil
			for _, s := range offer.Scopes {
				for _, name := range names {
					if s.Value == name {
						r := entra.RequiredAccess{Resource: entra.GraphAppID}
						r.Access = append(r.Access, struct {
							ID   string `json:"id"`
							Type string `json:"type"`
						}{s.ID, "Scope"})
						a.RequiredAccess = append(a.RequiredAccess, r)
					}
				}
			}
		})
	}
	asks("User.Read")
	b := h.browser()
	b.get(authorizeV2, ask(webApp, "scope", "https://graph.microsoft.com/.default openid"))
	b.password("root@contoso.com")
	asks("User.Read", "Directory.AccessAsUser.All")
	r := b.submit("action", "accept", "org", "true")
	if r.Code != http.StatusOK || !strings.Contains(b.to, pathConsent) || !strings.Contains(r.Body.String(), "Access") {
		t.Fatalf("not asked again: %d %s", r.Code, r.Header())
	}
	b.submit("action", "accept").served(http.StatusFound)
}

// Source: entra-docs what-is-access-management.md, user assignment required.
func TestWhoIsNotAssigned(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	b.get(authorizeV2, ask(closedApp))
	b.password(sekretUser).page(400, 50105)
	b.get(authorizeV2, ask(closedApp, "prompt", "none")).sentBack("https://closed.contoso.com/", "interaction_required", 50105)
	h.update(func(tx *store.Tx) error {
		return entra.PutAppRoleAssignment(tx, tenant, entra.NewAppRoleAssignment(ann, principalOf(closedApp), entra.DefaultRole, h.now()))
	})
	token := h.tokens(closedApp, sekretUser).text("refresh_token")

	// Also Microsoft's own clients can be closed, and grants that began before.
	cli := ask(entra.AzureCLIAppID, "redirect_uri", "http://localhost:1234", "scope", "https://management.azure.com/.default openid offline_access")
	code := h.browser().signIn(cli, sekretUser)
	h.changePrincipal(tenant, entra.AzureCLIAppID, func(sp *entra.ServicePrincipal) { sp.AssignmentRequired = true })
	h.post(v2, with(h.redemption(nativeApp, code), "client_id", entra.AzureCLIAppID, "redirect_uri", "http://localhost:1234")).refused(400, "invalid_grant", 50105)
	h.update(func(tx *store.Tx) error {
		all, err := tx.List(entra.KindAppRoleAssignment, store.Query{})
		for _, record := range all {
			if a, _ := store.Decode[entra.AppRoleAssignment](record); a.Principal == ann {
				err = tx.Delete(entra.KindAppRoleAssignment, record.ID)
			}
		}
		return err
	})
	h.post(v2, h.refreshment(closedApp, token)).refused(400, "invalid_grant", 50105)
}
