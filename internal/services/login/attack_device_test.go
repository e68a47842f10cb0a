package login

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// waiting begins a sign-in at a device.
func (h *house) waiting() (userCode, deviceCode string) {
	h.t.Helper()
	r := h.post(deviceV2, with(nil, "client_id", nativeApp, "scope", goodScope)).served(http.StatusOK)
	return r.text("user_code"), r.text("device_code")
}

// approve signs a user in and lets the device have the tokens.
func (h *house) approve(userCode, user string) answered {
	h.t.Helper()
	b := h.browser()
	b.get(pathDevice, nil)
	b.submit("otc", userCode)
	b.password(user)
	return b.submit("action", "continue")
}

func (h *house) poll(deviceCode string, changes ...string) answered {
	h.t.Helper()
	return h.post(v2, with(url.Values{"grant_type": {grantDevice}, "client_id": {nativeApp}, "device_code": {deviceCode}}, changes...))
}

// Source: entra-docs v2-oauth2-device-code.md; RFC 8628 §5.
func TestADeviceCodeIsGoodOnce(t *testing.T) {
	h := newHouse(t)
	user, device := h.waiting()
	h.poll(device).refused(400, "authorization_pending", 70016)
	h.approve(user, sekretUser).served(http.StatusOK)
	h.approve(user, "eve@contoso.com").page(400, 70019) // nobody takes it over
	h.poll(device, "client_id", webApp, "client_secret", h.webKey).refused(400, "bad_verification_code", 70018)
	h.poll(device, "client_secret", "any-secret").refused(401, "invalid_client", 700025)
	h.poll(device, "device_code", device+"x").refused(400, "bad_verification_code", 70018)
	h.poll(device, "device_code", user).refused(400, "bad_verification_code", 70018)
	first := h.poll(device).served(http.StatusOK)
	if claims := claimsOf(t, first.text("access_token")); claims["oid"] != ann || claims["appid"] != nativeApp {
		t.Errorf("%v", claims)
	}
	h.poll(device).refused(400, "bad_verification_code", 70018)
}

func TestADeviceCodeThatIsNotWanted(t *testing.T) {
	h := newHouse(t)
	user, device := h.waiting()
	b := h.browser()
	b.get(pathDevice, nil)
	b.submit("otc", strings.ToLower(user[:3]+"-"+user[3:]))
	b.password(sekretUser)
	form, to := b.form, b.to
	b.submit("action", "cancel").served(http.StatusOK)
	b.form, b.to = form, to
	b.submit("action", "continue").page(400, 70019) // an answer is the last word
	h.poll(device).refused(400, "authorization_declined", 70017)

	user, device = h.waiting()
	h.ahead = 15*time.Minute + time.Second
	h.poll(device).refused(400, "expired_token", 70020)
	b = h.browser()
	b.get(pathDevice, nil)
	b.submit("otc", user).page(400, 70019)
}

// A code typed at a device's page for one tenant gives no tokens of another.
func TestADeviceCodeAtAnotherTenant(t *testing.T) {
	h := newHouse(t)
	user, device := h.waiting()
	h.approve(user, sekretUser)
	h.post("/"+abroad+"/oauth2/v2.0/token", url.Values{"grant_type": {grantDevice}, "client_id": {nativeApp}, "device_code": {device}}).refused(400, "unauthorized_client", 700016)
	r := h.post(deviceV2, with(nil, "client_id", entra.AzureCLIAppID, "scope", "https://management.azure.com/.default openid offline_access")).served(http.StatusOK)
	h.approve(r.text("user_code"), sekretUser).served(http.StatusOK)
	form := url.Values{"grant_type": {grantDevice}, "client_id": {entra.AzureCLIAppID}, "device_code": {r.text("device_code")}}
	h.post("/"+abroad+"/oauth2/v2.0/token", form).refused(400, "bad_verification_code", 70018)
	h.post("/organizations/oauth2/v2.0/token", form).served(http.StatusOK) // the user's own
}

// Codes can't be found by trying: one source gets a hundred tries in ten minutes
// at 45 bits.
func TestBruteForceOfUserCodes(t *testing.T) {
	h := newHouse(t)
	user, _ := h.waiting()
	b := h.browser()
	b.get(pathDevice, nil)
	form, to := b.form, b.to
	for range 100 {
		b.form, b.to = form, to
		b.submit("otc", "AAAAAAAAA").page(400, 70019)
	}
	b.form, b.to = form, to
	b.submit("otc", user).page(400, 50053)
	h.ahead = 10*time.Minute + time.Second
	b.form, b.to = form, to
	b.submit("otc", user).served(http.StatusOK)
	for _, bad := range []string{"", "AB", strings.Repeat("A", 5000), user + "A", "\x00", "' OR 1=1"} {
		b.form, b.to = form, to
		b.submit("otc", bad).page(400, 70019)
	}
}

// Nobody pushes out the sign-ins that others wait for, nor fills the memory.
func TestManyDevices(t *testing.T) {
	h := newHouse(t)
	_, first := h.waiting()
	h.remote = netip.MustParseAddrPort("198.51.100.1:40000")
	for range 300 {
		h.waiting()
	}
	form := with(nil, "client_id", nativeApp, "scope", goodScope)
	if r := h.post(deviceV2, form); r.Code != http.StatusTooManyRequests || !strings.HasPrefix(r.entry.Reason, aadsts(90055)) {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	h.remote = netip.MustParseAddrPort("203.0.113.7:40000")
	h.poll(first).refused(400, "authorization_pending", 70016)
	h.post(deviceV2, with(form, "scope", strings.Repeat("x", 5000))).refused(400, "invalid_request", 9002313)
}

// Who asks for a code must be one that may: no server's, and for no resource
// that it may not ask for.
func TestWhoMayBeginAtADevice(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name    string
		changes []string
		status  int
		oauth   string
		number  int
	}{
		{"a server", []string{"client_id", webApp}, 401, "invalid_client", 7000218},
		{"nobody", []string{"client_id", ""}, 400, "invalid_request", 900144},
		{"no scope", []string{"scope", ""}, 400, "invalid_request", 900144},
		{"two resources", []string{"scope", "https://management.azure.com/.default api://" + apiApp + "/Read"}, 400, "invalid_scope", 70022},
		{"a stranger", []string{"client_id", "b0000000-0000-0000-0000-0000000000ff"}, 400, "unauthorized_client", 700016},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			h.post(deviceV2, with(with(nil, "client_id", nativeApp, "scope", goodScope), c.changes...)).refused(c.status, c.oauth, c.number)
		})
	}
}

// The person sees which application asks, and a flow of one code confirms no
// other. Phishing stays possible, as with Entra; this is what can be done.
func TestADeviceIsConfirmedByName(t *testing.T) {
	h := newHouse(t)
	user, _ := h.waiting()
	b := h.browser()
	b.signIn(ask(webApp), sekretUser)
	b.get(pathDevice, nil)
	b.submit("otc", user)
	r := b.submit("account", ann) // single sign-on still asks
	if !strings.Contains(r.Body.String(), "Tool") || !strings.Contains(r.Body.String(), user) || strings.TrimPrefix(b.to, base) != pathConfirm {
		t.Errorf("%s", r.Body)
	}
	if r.entry.Decision != store.Allowed || r.entry.App != nativeApp {
		t.Errorf("%+v", r.entry)
	}
}
