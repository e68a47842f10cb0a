package entra

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// A scope that is read is one resource, and says the same when it is written.
func FuzzParseScope(f *testing.F) {
	for _, seed := range []string{"", "openid profile email offline_access", "User.Read", "https://graph.microsoft.com/.default", "https://management.core.windows.net//.default openid", "api://x/Read api://x/Write",
		"api://x/Read api://y/Read", "/", "//", "/.default", ".default", "a/", "openid openid", "https://graph.microsoft.com/User.Read Mail.Read", "\x00", "a/.default a/b", "OPENID", "日本/語", "x/openid", "https://graph.microsoft.com/openid"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseScope(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.OAuth != "invalid_scope" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if a.None() != (strings.TrimSpace(text) == "" || len(strings.Fields(text)) == 0) {
			t.Errorf("%q is none: %+v", text, a)
		}
		if a.Default && len(a.Permissions) > 0 {
			t.Errorf("%q: %+v", text, a)
		}
		for _, s := range strings.Fields(text) {
			i := strings.LastIndexByte(s, '/')
			switch name := s[i+1:]; {
			case i < 0 && slices.Contains(openIDScopes, s):
				if !a.has(s) {
					t.Errorf("%q lost %q", text, s)
				}
			case name == ".default":
				if !a.Default {
					t.Errorf("%q lost %q", text, s)
				}
			case !slices.Contains(a.Permissions, name):
				t.Errorf("%q lost %q: %+v", text, s, a)
			}
			if i >= 0 && !sameResource(a.Resource, s[:i]) {
				t.Errorf("%q: resource %q of %q", text, a.Resource, s)
			}
		}
		if sameResource(a.Resource, graphName) && slices.ContainsFunc(a.Permissions, func(p string) bool { return slices.Contains(openIDScopes, p) }) {
			return // Graph's openid is OpenID Connect's
		}
		again, err := ParseScope(strings.Join(append(slices.Clone(a.OpenID), a.granted(a.Permissions)), " "))
		if err != nil || again.Default != a.Default || !slices.Equal(again.Permissions, a.Permissions) && len(a.OpenID) == 0 {
			t.Errorf("%q: %+v, then %+v, %v", text, a, again, err)
		}
	})
}

// What the directory did not seal for the purpose does not open, in whatever
// spelling: a token is one text.
func FuzzOpenText(f *testing.F) {
	w := newWorld(f)
	var good []string
	for _, purpose := range []string{"authorizationCode", "refreshToken", "sign-in page"} {
		text, err := w.d.sealText(purpose, refresh{"grant", 7})
		if err != nil {
			f.Fatal(err)
		}
		good = append(good, text)
		f.Add(text)
		f.Add(text + "=")
		f.Add(text[:len(text)-1])
		f.Add("0" + text[1:])
		f.Add(text[:20] + "\n" + text[20:])
		f.Add(strings.NewReplacer("-", "+", "_", "/").Replace(text))
	}
	f.Add("")
	f.Add("1.")
	f.Add("1." + base64.RawURLEncoding.EncodeToString(make([]byte, 12)))
	f.Fuzz(func(t *testing.T, text string) {
		for i, purpose := range []string{"authorizationCode", "refreshToken", "sign-in page"} {
			var r refresh
			if ok := w.d.openText(purpose, text, &r); ok != (text == good[i]) || ok && r != (refresh{"grant", 7}) {
				t.Fatalf("%s: %q opens: %v, %+v", purpose, text, ok, r)
			}
		}
	})
}

// A redirect URI that passes is the registered one to the letter, or leads to
// the same path of this machine at some port, for a browser as for us.
func FuzzRedirect(f *testing.F) {
	registered := []string{"https://app.contoso.com/back", "http://localhost/cb", "http://127.0.0.1", "http://localhost/q?a=1", "myapp://auth"}
	app := &Application{AppID: appID}
	app.Web.RedirectURIs = registered
	c := &Client{AppID: appID, app: app}
	for _, seed := range append(slices.Clone(registered), "http://localhost:1/cb", "http://localhost:80/cb/", "http://localhost:1@evil/cb", "http://localhost\\@evil/cb", "http://localhost:1/cb#x", "http://localhost:1/q?a=1", "http://127.0.0.1:8/",
		"http://localhost%2f@evil/cb", "http://localhost:1/%63b", "http://localhost:1/cb?", "http://localhost:1//cb", "http://localhost:/cb", "HTTP://localhost/cb", "http://localhost:１/cb", "http://localhost.:1/cb", "http://[localhost]/cb", "") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		platform, err := c.Redirect(uri)
		if err != nil {
			if slices.Contains(registered, uri) {
				t.Errorf("%q is refused: %v", uri, err)
			}
			return
		}
		if platform != PlatformWeb || slices.Contains(registered, uri) {
			return
		}
		rest, ok := strings.CutPrefix(uri, "http://")
		port := ""
		for _, host := range []string{"localhost", "127.0.0.1"} {
			if after, is := strings.CutPrefix(rest, host); is {
				port = after
				ok = ok && (after == "" || strings.ContainsRune(":/", rune(after[0])))
			}
		}
		path := strings.TrimLeft(strings.TrimPrefix(port, ":"), "0123456789")
		if !ok || !slices.Contains([]string{"/cb", "/q?a=1", "", "/"}, path) {
			t.Errorf("%q passes, with the rest %q", uri, path)
		}
		if u, err := url.Parse(uri); err != nil || u.User != nil || u.Fragment != "" || u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" {
			t.Errorf("%q passes: %+v %v", uri, u, err)
		}
	})
}

// A request that passes has all that the grants rely on.
func FuzzAuthorizeRequest(f *testing.F) {
	app := &Application{AppID: appID}
	app.Web.ImplicitGrant.IDToken = true
	c := &Client{AppID: appID, app: app}
	s256 := "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
	f.Add(2, "web", "code", "", "openid User.Read", "", "n", s256, "S256", "", "", "")
	f.Add(2, "spa", "code", "fragment", "openid", "", "", s256, "S256", "none", `{"access_token":{"xms_cc":{"values":["CP1"]}}}`, "0")
	f.Add(1, "publicClient", "code id_token", "form_post", "", "https://management.azure.com/", "n", "", "", "login consent", "{}", "10000")
	f.Add(2, "spa", "code", "query", "a/b c/d", "r", "", s256, "plain", "none login", "[]", "1m")
	f.Add(2, "web", "id_token token", "query", "openid", "", "", "", "S256", "x", "null", "-1")
	f.Fuzz(func(t *testing.T, version int, platform, kind, mode, scope, resource, nonce, challenge, method, prompt, claims, maxAge string) {
		r := AuthorizeRequest{Version: version, Platform: Platform(platform), ResponseType: kind, ResponseMode: mode, Scope: scope, Resource: resource, Nonce: nonce,
			Challenge: challenge, ChallengeMethod: method, Prompt: prompt, Claims: claims, MaxAge: maxAge}
		idToken := strings.Contains(kind, "id_token")
		if m := r.Mode(); m != ModeQuery && m != ModeFragment && m != ModeFormPost || idToken && m == ModeQuery {
			t.Errorf("%+v goes by %s", r, m)
		}
		asked, err := c.Check(r)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Number == 0 || e.Status != 400 {
				t.Fatalf("%+v: %v", r, err)
			}
			return
		}
		if asked.None() || !strings.Contains(kind, "code") && !idToken || strings.Contains(kind, "token token") || idToken && (nonce == "" || !asked.has("openid")) {
			t.Errorf("%+v passes", r)
		}
		if challenge == "" && (method != "" || r.Platform == PlatformSPA) || challenge != "" && (len(challenge) < 43 || method == "none") || r.Platform == PlatformSPA && method != "S256" {
			t.Errorf("%+v passes", r)
		}
		prompts := strings.Fields(prompt)
		if slices.Contains(prompts, "none") && len(prompts) > 1 {
			t.Errorf("%+v passes", r)
		}
		now := time.Now()
		if maxAge == "" && r.tooOld(now.Add(-time.Hour), now) || maxAge == "0" && !r.tooOld(now.Add(-time.Second), now) || maxAge != "" && strings.Trim(maxAge, "0123456789") != "" {
			t.Errorf("%+v passes", r)
		}
	})
}
