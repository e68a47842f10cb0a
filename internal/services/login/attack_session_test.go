package login

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// forms are each page's form as a browser has it, by what makes the page.
func (h *house) forms() map[string]*browser {
	h.t.Helper()
	all := map[string]*browser{}
	page := func(path string) *browser { b := h.browser(); all[path] = b; return b }
	page(pathSignIn).get(authorizeV2, ask(webApp))
	b := page(pathSelect)
	b.signIn(ask(webApp), sekretUser)
	b.get(authorizeV2, ask(webApp, "prompt", "select_account"))
	b = page(pathConsent)
	b.get(authorizeV2, ask(webTwo, "scope", "openid api://"+apiApp+"/Read"))
	b.password(sekretUser)
	b = page(pathDevice)
	b.get(pathDevice, nil)
	code := h.post(deviceV2, with(nil, "client_id", nativeApp, "scope", goodScope)).served(http.StatusOK).text("user_code")
	b = page(pathConfirm)
	b.get(pathDevice, nil)
	b.submit("otc", code)
	b.password(sekretUser)
	b = page(pathLogout)
	b.signIn(ask(webApp), sekretUser)
	b.get(authorizeV2, ask(webApp, "prompt", "login"))
	b.password("eve@contoso.com")
	b.get(logoutV2, nil)
	h.must(h.directory.ChangePassword(h.t.Context(), bea, "Changed-horse-9"))
	h.mustChange(bea)
	b = page(pathPassword)
	b.get(authorizeV2, ask(webApp))
	b.submit("login", "bea@contoso.com", "passwd", h.secret("Changed-horse-9", "password"), "action", "signin")
	for path, b := range all {
		if strings.TrimPrefix(b.to, base) != path {
			h.t.Fatalf("the page for %s posts to %q", path, b.to)
		}
	}
	return all
}

// Each form is good for one page of the browser that it was made for, within its
// time; nothing else gets through. Cross-site request forgery, and login CSRF.
func TestForgedForms(t *testing.T) {
	h := newHouse(t)
	victim := h.browser()
	victim.signIn(ask(webApp), sekretUser)
	answers := []string{"login", sekretUser, "passwd", password, "action", "accept", "account", ann, "otc", "ABCDEFGHJ", "newpasswd", "New-horse-10", "confirmnewpasswd", "New-horse-10"}
	forms, flows := h.forms(), map[string]string{}
	for path, b := range forms {
		flows[path] = b.form.Get("flow")
	}
	for path, b := range forms {
		good := with(url.Values{"flow": {flows[path]}}, answers...)
		old := flow{}
		if !h.directory.OpenState(flows[path], &old) {
			t.Fatal("no flow")
		}
		old.Begun = time.Now().Add(-flowLife - time.Second)
		expired, err := h.directory.SealState(old)
		h.must(err)
		noCookie := h.browser()
		tampered := []byte(flows[path])
		tampered[len(tampered)/2] ^= 1
		for name, send := range map[string]func() answered{
			"no cookie":              func() answered { return noCookie.postTo(path, good) },
			"another browser's flow": func() answered { return victim.postTo(path, good) },
			"no flow":                func() answered { return b.postTo(path, with(good, "flow", "")) },
			"a changed flow":         func() answered { return b.postTo(path, with(good, "flow", string(tampered))) },
			"an old flow":            func() answered { return b.postTo(path, with(good, "flow", expired)) },
			"a code for a flow": func() answered {
				return b.postTo(path, with(good, "flow", h.browser().signIn(ask(webApp), sekretUser)))
			},
			"a flow in the URL": func() answered {
				return b.postTo(path+"?flow="+url.QueryEscape(good.Get("flow")), with(good, "flow", ""))
			},
		} {
			t.Run(path+", "+name, func(t *testing.T) {
				h.t = t
				r := send()
				r.page(400, 165900)
				if len(r.Result().Cookies()) > 0 {
					t.Errorf("cookies %v", r.Result().Cookies())
				}
			})
		}
		for other, o := range forms {
			if other != path {
				t.Run(path+", the form of "+other, func(t *testing.T) {
					h.t = t
					o.postTo(path, with(good, "flow", flows[other])).page(400, 165900)
				})
			}
		}
		h.t = t
		if r := b.send(httptest.NewRequest(http.MethodGet, path+"?"+good.Encode(), nil)); r.Code != http.StatusMethodNotAllowed && r.Code != http.StatusNotFound && path != pathDevice {
			t.Errorf("GET %s: %d", path, r.Code)
		}
	}
}

// A client that wants the person to sign in again gets that, whatever is posted.
func TestASignInThatMustBeNew(t *testing.T) {
	h := newHouse(t)
	for name, q := range map[string]url.Values{"login": ask(webApp, "prompt", "login"), "max_age": ask(webApp, "max_age", "0"), "both": ask(webApp, "prompt", "login", "max_age", "100")} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			b := h.browser()
			b.signIn(ask(webApp), sekretUser)
			h.moment()
			b.get(authorizeV2, q)
			if strings.TrimPrefix(b.to, base) != pathSignIn {
				t.Fatalf("no sign-in but %q", b.to)
			}
			b.postTo(pathSelect, with(b.form, "account", ann)).page(400, 165900)
			b.get(authorizeV2, q)
			b.password(sekretUser).served(http.StatusFound)
		})
	}
	h.t = t
	b := h.browser()
	b.signIn(ask(webApp), sekretUser)
	h.moment()
	b.get(authorizeV2, ask(webApp, "prompt", "none", "max_age", "0")).sentBack(back, "login_required", 50058)
	for _, age := range []string{"-1", "1m", "1h2", "1.5", "x", "99999999999999999999"} {
		b.get(authorizeV2, ask(webApp, "max_age", age)).sentBack(back, "invalid_request", 9002313)
	}
	for _, prompt := range []string{"none login", "login none", "nope", "NONE"} {
		b.get(authorizeV2, ask(webApp, "prompt", prompt)).sentBack(back, "invalid_request", 90023)
	}
}

// The cookie changes with each sign-in; one that somebody planted before, or
// that was signed out, is worth nothing.
func TestSessionFixation(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	b.jar[sessionCookie] = &http.Cookie{Name: sessionCookie, Value: "planted-by-somebody-else-0123456789"}
	b.signIn(ask(webApp, "prompt", "login"), sekretUser)
	first := b.jar[sessionCookie].Value
	if first == "planted-by-somebody-else-0123456789" {
		t.Fatal("the planted cookie is the session's")
	}
	b.get(authorizeV2, ask(webApp, "prompt", "login"))
	b.password("eve@contoso.com").served(http.StatusFound)
	second := b.jar[sessionCookie].Value
	for name, value := range map[string]string{"planted": "planted-by-somebody-else-0123456789", "of before": first} {
		thief := h.browser()
		thief.jar[sessionCookie] = &http.Cookie{Name: sessionCookie, Value: value}
		thief.get(authorizeV2, ask(webApp, "prompt", "none")).sentBack(back, "login_required", 50058)
		if value == second {
			t.Errorf("%s: the cookie did not change", name)
		}
	}
	b.get(logoutV2, nil)
	b.submit("account", ann).served(http.StatusOK)
	b.get(authorizeV2, ask(webApp, "prompt", "none", "login_hint", sekretUser)).sentBack(back, "login_required", 50058)
	b.get(authorizeV2, ask(webApp, "prompt", "none")).served(http.StatusFound) // Eve's part goes on
	b.get(logoutV2, nil).served(http.StatusOK)
	b.get(authorizeV2, ask(webApp, "prompt", "none")).sentBack(back, "login_required", 50058)

	// A session ends when it is not used: after a day, or after 90 of them.
	for keep, life := range map[string]time.Duration{"": 24 * time.Hour, "true": 90 * 24 * time.Hour} {
		h.ahead = 0
		b := h.browser()
		b.get(authorizeV2, ask(webApp))
		b.submit("login", sekretUser, "passwd", password, "kmsi", keep, "action", "signin").served(http.StatusFound)
		h.ahead = life - time.Minute
		b.get(authorizeV2, ask(webTwo, "prompt", "none")).served(http.StatusFound)
		h.ahead += life + time.Minute
		b.get(authorizeV2, ask(webTwo, "prompt", "none")).sentBack("https://two.contoso.com/back?", "login_required", 50058)
	}
}

// Source: RFC 6265bis §4.1.3.2; OWASP session management.
func TestCookiesAndHeaders(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	replies := []answered{b.get(authorizeV2, ask(webApp)), b.password("nobody@contoso.com"), b.password(sekretUser)}
	for _, f := range h.forms() {
		replies = append(replies, f.postTo(strings.TrimPrefix(f.to, base), with(f.form, "action", "cancel")))
	}
	replies = append(replies, b.get(authorizeV2, ask(webApp, "redirect_uri", "https://evil.example/")), b.get(authorizeV2, ask(webApp, "response_mode", "form_post")), b.get(logoutV2, nil),
		b.get(pathDevice, nil), b.get("/common/oauth2/nativeclient", url.Values{"code": {"a-code-that-was-sent"}}))
	names := map[string]bool{}
	for i, r := range replies {
		for _, c := range r.Result().Cookies() {
			names[c.Name] = true
			if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") || len(c.Value) < 26 {
				t.Errorf("%d: %s", i, c)
			}
		}
		header := r.Header()
		if !strings.Contains(header.Get("Cache-Control"), "no-store") || !strings.Contains("no-referrer strict-origin", header.Get("Referrer-Policy")) || header.Get("Referrer-Policy") == "" {
			t.Errorf("%d: %v", i, header)
		}
		if strings.HasPrefix(header.Get("Content-Type"), "text/html") {
			policy := header.Get("Content-Security-Policy")
			if header.Get("X-Frame-Options") != "DENY" || !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
				header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Strict-Transport-Security") == "" {
				t.Errorf("%d: %v", i, header)
			}
		}
		if header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%d: pages are for no other origin", i)
		}
	}
	if !names[browserCookie] || !names[sessionCookie] {
		t.Errorf("cookies %v", names)
	}
	token := h.tokens(webApp, sekretUser)
	if token.Header().Get("Cache-Control") != "no-store, no-cache" || token.Header().Get("Pragma") != "no-cache" || len(token.Result().Cookies()) > 0 {
		t.Errorf("the token endpoint: %v", token.Header())
	}
}

// Any page may read the token endpoint's replies, since none carries a cookie's
// power. Source: Fetch, "CORS protocol and credentials".
func TestCORSWithoutCredentials(t *testing.T) {
	h := newHouse(t)
	code := h.browser().signIn(ask(spaApp), sekretUser)
	r := h.post(v2, h.redemption(spaApp, code), "Origin", "https://spa.contoso.com").served(http.StatusOK)
	preflight := httptest.NewRequest(http.MethodOptions, v2, nil)
	preflight.Header.Set("Origin", "https://evil.example")
	preflight.Header.Set("Access-Control-Request-Headers", "x-client-sku")
	for name, header := range map[string]http.Header{"reply": r.Header(), "preflight": h.serve(Service, preflight).Header()} {
		if header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", name, header)
		}
	}
}

// Nothing goes to a URI after the sign-out but to one that an application of
// the account registered.
func TestTheRedirectAfterTheSignOut(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		uri string
		ok  bool
	}{
		{back, true}, {back + "/", false}, {back + "?x=1", false}, {back + "#x", false}, {"https://evil.example/", false}, {"//evil.example", false}, {backTwo, false}, // not signed in to
		{"javascript:alert(1)", false}, {"https://app.contoso.com@evil.example/back", false}, {"https://APP.contoso.com/back", false}, {"data:text/html,x", false}, {"\r\nX: y", false},
	} {
		t.Run(c.uri, func(t *testing.T) {
			h.t = t
			b := h.browser()
			b.signIn(ask(webApp), sekretUser)
			r := b.get(logoutV2, url.Values{"post_logout_redirect_uri": {c.uri}, "state": {"a b&c=d"}})
			body, location := r.Body.String(), r.Header().Get("Location")
			if r.Code != http.StatusOK && r.Code != http.StatusFound {
				t.Fatalf("%d %s", r.Code, body)
			}
			if goes := location != "" || strings.Contains(body, "id=\"continue\""); goes != c.ok {
				t.Errorf("goes %v: %s %s", goes, location, body)
			}
			if c.ok && !strings.Contains(body+location, "state=a&#43;b%26c%3Dd") && !strings.Contains(body+location, "state=a+b%26c%3Dd") {
				t.Errorf("state in %s%s", location, body)
			}
			if !strings.Contains(body, "https://app.contoso.com/bye") { // single sign-out goes on
				t.Errorf("no front channel: %s", body)
			}
			b.get(authorizeV2, ask(webApp, "prompt", "none")).sentBack(back, "login_required", 50058)
		})
	}
}
