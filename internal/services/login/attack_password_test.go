package login

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// crowd makes users user0 and so on.
func (h *house) crowd(n int) {
	h.t.Helper()
	h.update(func(tx *store.Tx) (err error) {
		for i := range n {
			u := entra.User{ID: "d1000000-0000-0000-0000-000000000" + itoa(100+i), UserPrincipalName: "user" + itoa(i) + "@contoso.com", AccountEnabled: true, PasswordHash: annsHash()}
			err = errors.Join(err, entra.PutUser(tx, tenant, u))
		}
		return err
	})
}

// try posts a name and a password to a fresh sign-in page.
func (h *house) try(name, pass string) answered {
	h.t.Helper()
	b := h.browser()
	b.get(authorizeV2, ask(webApp))
	return b.submit("login", name, "passwd", h.secret(pass, "password"), "action", "signin")
}

// Ten wrong passwords lock an account, for a minute and then for longer; the
// right one does not help meanwhile. An account that is not there locks alike.
// Source: entra-docs howto-password-smart-lockout.md.
func TestBruteForceOfAnAccount(t *testing.T) {
	for _, name := range []string{sekretUser, "nobody@contoso.com"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			for i := range 10 {
				h.try(name, "Wrong-horse-"+itoa(i)).page(400, 50126)
			}
			h.try(name, password).page(400, 50053)
			h.try(strings.ToUpper(name)+" ", password).page(400, 50053) // one account, however it is spelled
			h.try("eve@contoso.com", password).served(http.StatusFound)
			h.ahead = 61 * time.Second
			if name != sekretUser {
				h.try(name, "Wrong-horse-11").page(400, 50126)
				return
			}
			h.try(name, "Wrong-horse-11").page(400, 50126)
			h.try(name, password).page(400, 50053)
			h.ahead += 61 * time.Second
			h.try(name, password).page(400, 50053) // two minutes now
			h.ahead += 60 * time.Second
			h.try(name, password).served(http.StatusFound)
			h.try(name, "Wrong-horse-12").page(400, 50126) // counted afresh
			h.try(name, password).served(http.StatusFound)
		})
	}
}

// A person whose machine sends an old password again and again is not locked.
func TestTheSameWrongPassword(t *testing.T) {
	h := newHouse(t)
	for range 15 {
		h.try(sekretUser, "Old-horse-1").page(400, 50126)
	}
	h.try(sekretUser, password).served(http.StatusFound)
}

// What is tried at once is no more than what is tried in turn.
func TestBruteForceAtOnce(t *testing.T) {
	h := newHouse(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() { h.try(sekretUser, "Wrong-horse-"+itoa(i)) })
	}
	all.Wait()
	wrong := 0
	h.mu.Lock()
	for _, e := range h.audit {
		if strings.HasPrefix(e.Reason, "AADSTS50126") {
			wrong++
		}
	}
	h.mu.Unlock()
	if wrong > 10 {
		t.Errorf("%d passwords were tried before the lock", wrong)
	}
	h.try(sekretUser, password).page(400, 50053)
}

// Many accounts from one place. The bound is ours: Entra says "malicious IP".
func TestBruteForceFromOneSource(t *testing.T) {
	h := newHouse(t)
	h.crowd(100)
	for i := range 100 {
		h.remote = netip.AddrPortFrom(netip.MustParseAddr("2001:db8:1:2::"+itoa(1+i)), 40000) // one network of a customer
		if r := h.try("user"+itoa(i)+"@contoso.com", "Spring-2026!"); !strings.HasPrefix(r.entry.Reason, "AADSTS50126") {
			t.Fatalf("%d: %+v", i, r.entry)
		}
	}
	if r := h.try(sekretUser, password); !strings.HasPrefix(r.entry.Reason, "AADSTS50053") {
		t.Errorf("%+v", r.entry)
	}
	h.remote = netip.MustParseAddrPort("203.0.113.7:40000")
	h.try(sekretUser, password).served(http.StatusFound) // others are not locked out
	h.remote = netip.MustParseAddrPort("[2001:db8:1:2::9]:40000")
	h.ahead = 10*time.Minute + time.Second
	h.try(sekretUser, password).served(http.StatusFound)
}

// Mistakes over a day are no attack.
func TestManyBehindOneAddress(t *testing.T) {
	h := newHouse(t)
	h.crowd(130)
	for i := range 130 {
		h.ahead += time.Minute
		h.try("user"+itoa(i)+"@contoso.com", "Wrong-horse-1").page(400, 50126)
	}
	h.try(sekretUser, password).served(http.StatusFound)
}

// Who does not know the password learns nothing: the answers are the same to the
// letter but for the name and the ids. Source: OWASP, authentication responses.
func TestUserEnumeration(t *testing.T) {
	h := newHouse(t)
	h.mustChange(eve)
	plain := func(r answered, name string) string {
		text := r.Body.String()
		for _, field := range []string{"flow"} {
			fields, _ := inputs(text)
			text = strings.ReplaceAll(text, fields.Get(field), "")
		}
		return strings.ReplaceAll(strings.ReplaceAll(text, name, "NAME"), strings.ReplaceAll(name, "#", "%23"), "NAME")
	}
	want := ""
	for _, name := range []string{sekretUser, "nobody@contoso.com", "off@contoso.com", "eve@contoso.com", "ann@fabrikam.com", "ann@elsewhere.example", "ann_contoso.com#EXT#@fabrikam.onmicrosoft.com", "app@contoso.com"} {
		r := h.try(name, "Wrong-horse-1")
		r.page(400, 50126)
		if got := plain(r, name); want == "" {
			want = got
		} else if got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
		// Discovery of the domain says nothing of the account.
		realm := h.serve(Service, get("/common/userrealm/"+strings.ReplaceAll(name, "#", "%23")+"?api-version=1.0")).json()
		if account, _ := realm["account_type"].(string); strings.HasSuffix(name, "@contoso.com") && account != "Managed" {
			t.Errorf("%s: realm %v", name, realm)
		}
	}
	// With the password, one learns what state the account is in, and no more.
	h.try("off@contoso.com", password).page(400, 50057)
	if r := h.try("eve@contoso.com", password); !strings.HasPrefix(r.entry.Reason, "AADSTS50055") || len(r.Result().Cookies()) > 0 {
		t.Errorf("%+v", r.entry)
	}
}

// The audit keeps the name that was tried, and no password that was typed where
// the name belongs. Source: entra-docs, sign-in logs: what is no name is masked.
func TestAPasswordInThePlaceOfTheName(t *testing.T) {
	h := newHouse(t)
	r := h.try(h.secret("My-secret-horse-8", "password"), "My-secret-horse-8")
	r.page(400, 50126)
	if r.entry.PrincipalName == "" {
		t.Errorf("%+v", r.entry)
	}
	if r := h.try("nobody@contoso.com", "My-secret-horse-8"); r.entry.PrincipalName != "nobody@contoso.com" {
		t.Errorf("%+v", r.entry)
	}
	if r := h.try(strings.Repeat("n", 20000)+"@contoso.com", "My-secret-horse-8"); len(r.entry.PrincipalName) > 1000 {
		t.Errorf("a name of %d bytes in the audit", len(r.entry.PrincipalName))
	}
}

// Without the operator's word the grant is not served.
func TestThePasswordGrantIsOff(t *testing.T) {
	form := with(nil, "grant_type", grantPassword, "client_id", nativeApp, "username", sekretUser, "password", password, "scope", goodScope)
	newHouse(t).post(v2, form).refused(400, "unsupported_grant_type", 70003)
	h := newHouseWith(t, Options{PasswordGrant: true})
	h.post(v2, form).served(http.StatusOK)
	h.post(v2, with(form, "username", "gus@fabrikam.com")).refused(400, "invalid_grant", 50020)
	h.post(v2, with(form, "client_id", webApp)).refused(401, "invalid_client", 7000218)
	h.post(v2, with(form, "username", "off@contoso.com")).refused(400, "invalid_grant", 50057)
	for i := range 10 {
		h.post(v2, with(form, "username", " ", "password", "Wrong-horse-"+itoa(i))).refused(400, "invalid_grant", 50126)
	}
	for i := range 10 {
		h.post(v2, with(form, "password", "Wrong-horse-"+itoa(i))).refused(400, "invalid_grant", 50126)
	}
	h.post(v2, form).refused(400, "invalid_grant", 50053)
	// No name of nobody's locks the page of device codes.
	b := h.browser()
	b.get(pathDevice, nil)
	b.submit("otc", "ABCDEFGHJ").page(400, 70019)
	h.mustChange(eve)
	h.post(v2, with(form, "username", "eve@contoso.com")).refused(400, "invalid_grant", 50055)
}

// A new password ends what the old one gave, and needs the old one.
func TestAChangeOfThePassword(t *testing.T) {
	h := newHouse(t)
	refresh := h.tokens(webApp, "eve@contoso.com").text("refresh_token")
	other := h.browser()
	other.signIn(ask(webApp), "eve@contoso.com")
	h.mustChange(eve)
	h.ahead = 3 * time.Second
	b := h.browser()
	b.get(authorizeV2, ask(webApp))
	b.password("eve@contoso.com")
	next := h.secret("Next-horse-9", "password")
	form, to := b.form, b.to
	for _, c := range []struct {
		name   string
		fields []string
		number int
	}{
		{"a wrong old one", []string{"passwd", "Wrong-horse-1", "newpasswd", next, "confirmnewpasswd", next}, 50126},
		{"typed in two ways", []string{"passwd", password, "newpasswd", next, "confirmnewpasswd", next + "x"}, 120000},
		{"the same", []string{"passwd", password, "newpasswd", password, "confirmnewpasswd", password}, 120000},
		{"a weak one", []string{"passwd", password, "newpasswd", "weak", "confirmnewpasswd", "weak"}, 120000},
		{"none", []string{"passwd", password}, 120000},
	} {
		b.form, b.to = form, to
		r := b.submit(append(c.fields, "action", "change")...)
		if r.page(400, c.number); r.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %s", c.name, r.Header())
		}
	}
	b.form, b.to = form, to
	b.submit("passwd", password, "newpasswd", next, "confirmnewpasswd", next, "action", "change").served(http.StatusFound)
	h.post(v2, h.refreshment(webApp, refresh)).refused(400, "invalid_grant", 50173)
	other.get(authorizeV2, ask(webApp, "prompt", "none")).sentBack(back, "login_required", 50058)
	h.try("eve@contoso.com", password).page(400, 50126)
}
