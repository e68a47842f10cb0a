package login

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// browser keeps cookies, and posts the forms of pages.
type browser struct {
	h    *house
	jar  map[string]*http.Cookie
	form url.Values // hidden fields of the last page
	to   string     // where its form posts to
}

func (h *house) browser() *browser { return &browser{h: h, jar: map[string]*http.Cookie{}} }

var (
	inputTag  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	actionTag = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
)

// inputs are the hidden fields of a page, and where its form posts to.
func inputs(body string) (url.Values, string) {
	fields := url.Values{}
	for _, m := range inputTag.FindAllStringSubmatch(body, -1) {
		fields.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	to := ""
	if m := actionTag.FindStringSubmatch(body); m != nil {
		to = html.UnescapeString(m[1])
	}
	return fields, to
}

func (b *browser) send(r *http.Request) answered {
	b.h.t.Helper()
	for _, c := range b.jar {
		r.AddCookie(c)
	}
	out := b.h.serve(Service, r)
	for _, c := range out.Result().Cookies() {
		if b.jar[c.Name] = c; c.MaxAge < 0 {
			delete(b.jar, c.Name)
		}
	}
	if strings.HasPrefix(out.Header().Get("Content-Type"), "text/html") {
		b.form, b.to = inputs(out.Body.String())
		b.h.secretsOf(b.form)
	}
	return out
}

func (b *browser) get(path string, q url.Values) answered {
	b.h.t.Helper()
	b.h.secretsOf(q)
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return b.send(httptest.NewRequest(http.MethodGet, path, nil))
}

func (b *browser) postTo(path string, form url.Values) answered {
	b.h.t.Helper()
	b.h.secretsOf(form)
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

// submit posts the form of the last page with more fields.
func (b *browser) submit(fields ...string) answered {
	b.h.t.Helper()
	if b.to == "" {
		b.h.t.Fatal("the last page has no form")
	}
	return b.postTo(strings.TrimPrefix(b.to, base), with(b.form, fields...))
}

// password submits the sign-in page.
func (b *browser) password(user string) answered {
	b.h.t.Helper()
	return b.submit("login", user, "passwd", password, "action", "signin")
}

const verifier = "a-verifier-that-is-long-enough-to-be-one-0123456789"

// challenge is the S256 challenge of a verifier.
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

const authorizeV2, logoutV2 = "/" + tenant + "/oauth2/v2.0/authorize", "/" + tenant + "/oauth2/v2.0/logout"

// ask is a good authorization request of an application.
func ask(appID string, changes ...string) url.Values {
	redirects := map[string]string{webApp: back, spaApp: "https://spa.contoso.com/", nativeApp: "http://localhost:5000", apiApp: "https://api.contoso.com/back",
		everyApp: "https://every.fabrikam.com/back", closedApp: "https://closed.contoso.com/", webTwo: backTwo}
	return with(url.Values{"client_id": {appID}, "redirect_uri": {redirects[appID]}, "response_type": {"code"}, "scope": {goodScope}, "state": {"st"}, "nonce": {"n-0"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"}}, changes...)
}

// signIn gets a code for a user by the pages.
func (b *browser) signIn(q url.Values, user string) string {
	b.h.t.Helper()
	return b.signInAt(authorizeV2, q, user)
}

func (b *browser) signInAt(path string, q url.Values, user string) string {
	b.h.t.Helper()
	r := b.get(path, q)
	if r.Code == http.StatusOK {
		r = b.password(user)
	}
	r.served(http.StatusFound)
	code := r.fields().Get("code")
	if code == "" {
		b.h.t.Fatalf("no code: %s %s", r.Header().Get("Location"), r.Body)
	}
	return code
}

// redemption is the good token request for a code.
func (h *house) redemption(appID, code string, changes ...string) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {appID}, "code": {code}, "redirect_uri": {ask(appID).Get("redirect_uri")}, "code_verifier": {verifier}}
	if appID != nativeApp && appID != spaApp {
		form.Set("client_secret", h.webKey)
	}
	return with(form, changes...)
}

// refreshment is the good token request for a refresh token.
func (h *house) refreshment(appID, token string, changes ...string) url.Values {
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {appID}, "refresh_token": {token}}
	if appID != nativeApp && appID != spaApp {
		form.Set("client_secret", h.webKey)
	}
	return with(form, changes...)
}

// tokens signs a user in to an application, in a browser of its own.
func (h *house) tokens(appID, user string, changes ...string) answered {
	h.t.Helper()
	code := h.browser().signIn(ask(appID, changes...), user)
	header := []string{}
	if appID == spaApp {
		header = []string{"Origin", "https://spa.contoso.com"}
	}
	return h.post(v2, h.redemption(appID, code), header...).served(http.StatusOK)
}

// claimsOf reads a token without looking at its signature.
func claimsOf(t testing.TB, token string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatalf("%q: %v", token, err)
	}
	return claims
}

const deviceV2 = "/" + tenant + "/oauth2/v2.0/devicecode"

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }
