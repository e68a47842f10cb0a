package login

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A parameter that comes twice is refused wherever it comes from: two readers
// would not agree on which one counts. Source: RFC 6749 §3.1.
func TestParameterPollution(t *testing.T) {
	h := newHouse(t)
	code := h.browser().signIn(ask(webApp), sekretUser)
	for name := range ask(webApp) {
		twice := with(ask(webApp))
		twice[name] = append(twice[name], "another")
		h.browser().get(authorizeV2, twice).page(400, 9000411)
		h.browser().postTo(authorizeV2, twice).page(400, 9000411)
	}
	for name := range h.redemption(webApp, code) {
		twice := h.redemption(webApp, code)
		twice[name] = append(twice[name], "another")
		h.post(v2, twice).refused(400, "invalid_request", 9000411)
	}
	b := h.browser()
	b.get(authorizeV2, ask(webApp))
	form := with(b.form, "login", sekretUser, "passwd", password)
	form["login"] = append(form["login"], "eve@contoso.com")
	r := b.postTo(pathSignIn, form)
	if r.Code != 400 || !strings.HasPrefix(r.entry.Reason, aadsts(9000411)) {
		t.Errorf("%d %+v", r.Code, r.entry)
	}
	b.get(logoutV2, url.Values{"state": {"a", "b"}}).page(400, 9000411)
	// The query of a POST adds nothing.
	b.postTo(authorizeV2+"?redirect_uri=https%3A%2F%2Fevil.example&prompt=none", ask(webApp)).served(http.StatusOK)
	h.post(v2+"?client_secret=x&code=y", h.redemption(webApp, code)).served(http.StatusOK)
}

// A client proves itself in one way. Source: RFC 6749 §2.3.
func TestTwoProofsOfAClient(t *testing.T) {
	h := newHouse(t)
	basic := func(id, secret string) []string {
		return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))}
	}
	b := h.browser()
	b.signIn(ask(webApp), sekretUser)
	for _, c := range []struct {
		name    string
		changes []string
		header  []string
		number  int
	}{
		{"a secret here and there", nil, basic(webApp, h.webKey), 9002313},
		{"one client here, another there", []string{"client_secret", ""}, basic(webTwo, h.webKey), 9002313},
		{"a secret and an assertion", []string{"client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, nil, 9002313},
		{"escapes that are none", []string{"client_secret", ""}, []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(webApp+":%zz"))}, 9002313},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			h.post(v2, h.redemption(webApp, b.signIn(ask(webApp), sekretUser), c.changes...), c.header...).refused(400, "invalid_request", c.number)
		})
	}
	h.t = t
	h.post(v2, h.redemption(webApp, b.signIn(ask(webApp), sekretUser), "client_secret", ""), basic(webApp, h.webKey)...).served(http.StatusOK)
	h.post(v2, h.redemption(webApp, b.signIn(ask(webApp), sekretUser), "client_secret", "", "client_id", ""), basic(webApp, h.webKey)...).served(http.StatusOK)
	h.post(v2, h.redemption(webApp, b.signIn(ask(webApp), sekretUser), "client_secret", ""), basic(webApp, "wrong-secret")...).refused(401, "invalid_client", 7000215)
}

// What is too long is refused, and the audit does not grow by what it says.
func TestInputsThatAreTooLong(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("x", 20<<10)
	for _, name := range []string{"state", "nonce", "scope", "login_hint", "client_id", "redirect_uri", "unknown"} {
		h.browser().get(authorizeV2, ask(webApp, name, long)).page(400, 90015)
		h.browser().postTo(authorizeV2, ask(webApp, name, long)).page(400, 90015)
	}
	less := long[:9<<10]
	for _, name := range []string{"redirect_uri", "client_id", "prompt", "response_type", "response_mode", "resource", "code_challenge_method"} {
		if r := h.browser().get(authorizeV2, ask(webApp, name, less)); len(r.entry.Reason)+len(r.entry.App) > 3000 || r.entry.Reason == "" {
			t.Errorf("%s: %d bytes in the audit", name, len(r.entry.Reason))
		}
	}
	big := strings.Repeat("x", maxBody)
	if r := h.post(v2, url.Values{"grant_type": {"authorization_code"}, "client_id": {webApp}, "code": {big}}); r.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	for _, name := range []string{"client_id", "scope", "code", "redirect_uri", "grant_type", "claims"} {
		r := h.post(v2, h.redemption(webApp, "1.AAAA", name, big[:60<<10]))
		if r.Code < 400 || r.Code >= 500 || len(r.entry.Reason)+len(r.entry.App)+len(r.entry.PrincipalName) > 5000 {
			t.Errorf("%s: %d, %d bytes in the audit", name, r.Code, len(r.entry.Reason))
		}
	}
}

// No value that a stranger chooses is markup, a header or a script.
func TestReflectedValues(t *testing.T) {
	h := newHouse(t)
	for _, evil := range []string{`"><script>alert(1)</script>`, `'"--></title></style><img src=x onerror=alert(1)>`, "{{.Flow}}", "\x00\x01\x1b[31m", "javascript:alert(1)", "\r\nX-Evil: 1", "\u202egpj.exe", "\xff\xfe"} {
		replies := map[string]answered{}
		for _, name := range []string{"client_id", "redirect_uri", "login_hint", "ui_locales", "mkt", "scope", "state", "prompt", "response_type", "response_mode", "domain_hint", "claims", "nonce"} {
			b := h.browser()
			replies["authorize "+name] = b.get(authorizeV2, ask(webApp, name, evil))
			if b.to != "" && name == "state" { // once: for nobody, too, a password is hashed
				replies["sign-in after "+name] = b.submit("login", evil, "passwd", "Wrong-horse-1", "action", "signin")
			}
		}
		b := h.browser()
		replies["device"] = b.get(pathDevice, url.Values{"otc": {evil}})
		replies["device code"] = b.submit("otc", evil)
		for _, name := range []string{"post_logout_redirect_uri", "state", "ui_locales", "logout_hint"} {
			replies["logout "+name] = h.browser().get(logoutV2, url.Values{name: {evil}})
		}
		replies["tenant"] = h.browser().get("/"+url.PathEscape(evil)+"/oauth2/v2.0/authorize", ask(webApp))
		replies["realm"] = h.serve(Service, httptest.NewRequest(http.MethodGet, "/common/userrealm/"+url.PathEscape(evil), nil))
		replies["token"] = h.post(v2, h.redemption(webApp, "1.AAAA", "client_id", evil, "scope", evil))
		for name, r := range replies {
			body := r.Body.String()
			if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") || r.Header().Get("X-Evil") != "" || r.Code >= 500 {
				t.Errorf("%s %q: %d %v %s", name, evil, r.Code, r.Header(), body)
			}
			if kind := r.Header().Get("Content-Type"); strings.HasPrefix(kind, "text/html") && (strings.Contains(body, "\x00") || r.Header().Get("X-Content-Type-Options") != "nosniff") {
				t.Errorf("%s %q: %q", name, evil, body)
			}
			for _, values := range r.Header() {
				if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
					t.Errorf("%s %q: headers %v", name, evil, r.Header())
				}
			}
		}
	}
}

// Source: entra-docs v2-oauth2-auth-code-flow.md; OAuth 2.0 Multiple Response
// Types §5: no token in a query.
func TestResponseTypesAndModes(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		kind, mode string
		carrier    string // of the reply or of the refusal: "?", "#" or "form"
		oauth      string
		number     int
	}{
		{"code", "", "?", "", 0}, {"code", "query", "?", "", 0}, {"code", "fragment", "#", "", 0}, {"code", "form_post", "form", "", 0},
		{"id_token", "", "#", "", 0}, {"id_token", "fragment", "#", "", 0}, {"id_token", "form_post", "form", "", 0}, {"code id_token", "", "#", "", 0}, {"id_token code", "form_post", "form", "", 0},
		{"id_token", "query", "#", "unsupported_response_mode", 70007}, {"code id_token", "query", "#", "unsupported_response_mode", 70007},
		{"code", "QUERY", "?", "unsupported_response_mode", 70007}, {"code", "web_message", "?", "unsupported_response_mode", 70007}, {"code", "query.jwt", "?", "unsupported_response_mode", 70007},
		{"token", "", "?", "unsupported_response_type", 700051}, {"id_token token", "", "#", "unsupported_response_type", 700051}, {"code token", "", "?", "unsupported_response_type", 70005},
		{"none", "", "?", "unsupported_response_type", 70005}, {"CODE", "", "?", "unsupported_response_type", 70005}, {"code code", "", "?", "unsupported_response_type", 70005}, {"", "", "?", "invalid_request", 900144},
		{"", "form_post", "form", "invalid_request", 900144},
	} {
		t.Run(c.kind+" by "+c.mode, func(t *testing.T) {
			h.t = t
			b := h.browser()
			r := b.get(authorizeV2, ask(webApp, "response_type", c.kind, "response_mode", c.mode))
			if c.number == 0 {
				r = b.password(sekretUser)
			}
			fields, location := r.fields(), r.Header().Get("Location")
			at := "form"
			if location != "" {
				at = strings.TrimPrefix(location, back)[:1]
			}
			if at != c.carrier || fields.Get("error") != c.oauth || fields.Get("state") != "st" {
				t.Errorf("%d %s %v", r.Code, location, fields)
			}
			if c.number != 0 {
				r.audited(c.number)
				return
			}
			if fields.Has("code") != strings.Contains(c.kind, "code") || fields.Has("id_token") != strings.Contains(c.kind, "id_token") || fields.Has("access_token") {
				t.Errorf("%v", fields)
			}
		})
	}
	h.t = t
	h.browser().get(authorizeV2, ask(nativeApp, "redirect_uri", "myapp://auth", "response_mode", "form_post")).page(400, 70007)
	off := ask(webTwo, "response_type", "id_token")
	h.browser().get(authorizeV2, off).sentBack("https://two.contoso.com/back?", "unsupported_response_type", 700054)
	h.browser().get(authorizeV2, ask(webApp, "response_type", "id_token", "nonce", "")).sentBack(back+"#", "invalid_request", 900144)
	h.browser().get(authorizeV2, ask(webApp, "response_type", "id_token", "scope", "profile")).sentBack(back+"#", "invalid_request", 9000101)
}
