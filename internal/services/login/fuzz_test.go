package login

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever the query says: no failure of ours, no redirect but to what is
// registered, and no code without a person.
func FuzzAuthorizeEndpoint(f *testing.F) {
	for _, q := range []url.Values{ask(webApp), ask(spaApp), ask(nativeApp, "prompt", "none"), ask(webTwo, "response_mode", "form_post", "max_age", "0"), ask(everyApp, "request", "x"),
		ask(webApp, "redirect_uri", "https://evil.example/"), ask(webApp, "response_type", "code id_token", "state", "\r\n<x>")} {
		f.Add(q.Encode())
	}
	f.Add("client_id=%zz;&&=&redirect_uri")
	h := newHouse(f)
	f.Fuzz(func(t *testing.T, query string) {
		h.t, h.secrets, h.audit = t, map[string]string{}, nil
		r := httptest.NewRequest("GET", authorizeV2, nil)
		r.URL.RawQuery = query
		out := h.serve(Service, r)
		if out.Code != 200 && out.Code != 302 && out.Code != 400 {
			t.Fatalf("%q: %d %s", query, out.Code, out.Body)
		}
		fields := out.fields()
		if fields.Has("code") && fields.Get("error") == "" && out.Code == 302 && !strings.Contains(query, "code=") {
			t.Errorf("%q: a code: %s", query, out.Header())
		}
		if location := out.Header().Get("Location"); location != "" {
			known := false
			for _, to := range []string{back, "https://two.contoso.com/back?", "https://spa.contoso.com/", "https://every.fabrikam.com/back?", "https://every.fabrikam.com/back#", "https://closed.contoso.com/", "https://api.contoso.com/back", "http://localhost", "myapp://auth?", "myapp://auth#"} {
				known = known || strings.HasPrefix(location, to)
			}
			if !known {
				t.Errorf("%q leads to %s", query, location)
			}
		}
	})
}
