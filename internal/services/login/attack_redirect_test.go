package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/entra"
)

// Nothing goes to a URI that is not registered letter by letter, no error
// either. Source: entra-docs reply-url.md; RFC 9700 §4.1.3.
func TestARedirectThatIsNotRegistered(t *testing.T) {
	h := newHouse(t)
	for app, uris := range map[string][]string{
		webApp: {"https://app.contoso.com/back/", "https://app.contoso.com/Back", "https://app.contoso.com/back?x=1", "https://app.contoso.com/back#f", "https://app.contoso.com/back#",
			"https://APP.contoso.com/back", "https://app.contoso.com:443/back", "HTTPS://app.contoso.com/back", "http://app.contoso.com/back", "https://app.contoso.com/", "https://app.contoso.com",
			"https://app.contoso.com/back/../back", "https://app.contoso.com/./back", "https://app.contoso.com/%62ack", "https://app.contoso.com/back%2e", "https://app.contoso.com/back%00", "https://app.contoso.com/back\x00",
			"https://app.contoso.com/back\r\nX: y", "https://app.contoso.com\\@evil.example/back", "https://app.contoso.com@evil.example/back", "https://u:p@app.contoso.com/back", "https://app.contoso.com.evil.example/back",
			"https://evil.example/?https://app.contoso.com/back", "//app.contoso.com/back", "/back", "back", " https://app.contoso.com/back", "https://app.contoso.com/back ", "javascript:alert(1)", "data:text/html,x",
			"http://localhost/cb/", "http://localhost/", "http://localhost", "http://localhost/CB", "http://localhost/cb?", "http://localhost/cb?x", "http://localhost/cb#", "http://localhost/c%62", "http://localhost/./cb", "http://localhost/x/../cb", "http://localhost//cb",
			"http://127.0.0.1/cb", "http://[::1]/cb", "https://localhost/cb", "http://u@localhost/cb", "http://localhost.evil.example/cb", "http://localhost:5000@evil.example/cb", "http://localhost%2eevil.example/cb", "HTTP://localhost/cb", "http:localhost/cb", "http:///localhost/cb"},
		nativeApp:           {"myapp://auth/", "myapp://AUTH", "myapp:auth", "myapp://auth?x", "urn:ietf:wg:oauth:2.0:oob", "http://127.0.0.1:5000", "http://localhost/x", "http://localhost:5000/?x"},
		entra.AzureCLIAppID: {"https://localhost", "http://127.0.0.1", "http://localhost/x", nativePage + "/", strings.Replace(nativePage, "microsoftonline", "evil", 1)},
		spaApp:              {"https://spa.contoso.com", "https://spa.contoso.com//", back},
	} {
		for _, uri := range uris {
			t.Run(app+" "+uri, func(t *testing.T) {
				h.t = t
				for _, changes := range [][]string{nil, {"prompt", "none"}, {"response_type", "nonsense"}, {"response_mode", "form_post"}, {"request", "x"}} {
					r := h.browser().get(authorizeV2, ask(app, append(changes, "redirect_uri", uri)...))
					r.page(400, 50011)
				}
			})
		}
	}
	h.browser().get(authorizeV2, ask(webApp, "redirect_uri", "")).page(400, 900144)
	h.browser().get(authorizeV2, ask("b0000000-0000-0000-0000-0000000000ff", "redirect_uri", back)).page(400, 700016)
	h.browser().get("/33333333-0000-0000-0000-000000000003/oauth2/v2.0/authorize", ask(webApp)).page(400, 90002)
	h.browser().get("/common/oauth2/v2.0/authorize", ask(webApp)).page(400, 50194)
	h.browser().get("/"+abroad+"/oauth2/v2.0/authorize", ask(webApp)).page(400, 700016) // a single tenant's, at another
}

const nativePage = "https://login.microsoftonline.com/common/oauth2/nativeclient"

// Only a port may differ, and only on this machine.
func TestALoopbackRedirect(t *testing.T) {
	h := newHouse(t)
	for app, uris := range map[string][]string{
		webApp:    {"http://localhost:8080/cb", "http://localhost/cb", "http://localhost:1/cb"},
		nativeApp: {"http://localhost", "http://localhost/", "http://localhost:5000/", "myapp://auth"},
	} {
		for _, uri := range uris {
			code := h.browser().signIn(ask(app, "redirect_uri", uri), sekretUser)
			other := "http://localhost:9999/cb"
			h.post(v2, h.redemption(app, code, "redirect_uri", other)).refused(400, "invalid_grant", 500112)
			h.post(v2, h.redemption(app, code, "redirect_uri", uri)).served(http.StatusOK)
		}
	}
}

// A registration that loses its redirect URI is not sent to any more, wherever
// the person is on the pages.
func TestARedirectThatIsGone(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	b.get(authorizeV2, ask(webApp))
	h.changeApp(tenant, webApp, func(a *entra.Application) { a.Web.RedirectURIs = []string{"https://app.contoso.com/other"} })
	form, to := b.form, b.to
	b.submit("action", "cancel").page(400, 50011)
	b.form, b.to = form, to
	b.password(sekretUser).page(400, 50011)
}

// What the client sent comes back as it was, and as nothing else.
func TestStateComesBackVerbatim(t *testing.T) {
	h := newHouse(t)
	for _, state := range []string{"a b+c&d=e%20f#g", "\r\nSet-Cookie: x=y\r\n\r\n<script>", `"><script>alert(1)</script>`, "日本語", strings.Repeat("s", 4000), "&code=evil&error=x"} {
		for _, mode := range []string{"query", "fragment", "form_post"} {
			b := h.browser()
			b.get(authorizeV2, ask(webApp, "state", state, "response_mode", mode))
			r := b.password(sekretUser)
			fields := r.fields()
			got := fields.Get("state")
			if got != state || len(fields["code"]) != 1 || fields.Get("code") == "evil" || fields.Has("error") || fields.Get("session_state") == "" {
				t.Errorf("%s: state %q, want %q; %v", mode, got, state, fields)
			}
			if len(r.Header().Values("Set-Cookie")) > 2 || strings.ContainsAny(r.Header().Get("Location"), "\r\n<>\"") {
				t.Errorf("%s: headers %v", mode, r.Header())
			}
			if mode == "form_post" && strings.Contains(r.Body.String(), "<script>alert") {
				t.Errorf("script in %s", r.Body)
			}
			if u, err := url.Parse(r.Header().Get("Location")); err != nil || u.Host != "app.contoso.com" && mode != "form_post" {
				t.Errorf("%s: to %s", mode, r.Header().Get("Location"))
			}
		}
	}
}

// A registered query stays, and can't be used to smuggle a second reply.
func TestARedirectWithAQuery(t *testing.T) {
	h := newHouse(t)
	code := h.browser()
	code.get(authorizeV2, ask(webTwo))
	r := code.password(sekretUser)
	u, err := url.Parse(r.Header().Get("Location"))
	if err != nil || u.Query().Get("tenant") != "one" || len(u.Query()["code"]) != 1 {
		t.Errorf("%s", r.Header().Get("Location"))
	}
}
