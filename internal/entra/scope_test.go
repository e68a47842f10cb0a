package entra

import (
	"errors"
	"strings"
	"testing"
)

func TestResourceOfScope(t *testing.T) {
	for _, c := range []struct{ name, scope, want string }{
		{"plain", "https://management.azure.com/.default", "https://management.azure.com"},
		{"double slash keeps one", "https://management.core.windows.net//.default", "https://management.core.windows.net/"},
		{"MSAL for Go adds the OpenID scopes", "https://a/.default openid offline_access profile", "https://a"},
		{"OpenID scopes first", " openid  email\thttps://a/.default ", "https://a"},
		{"GUID", "00000003-0000-0000-c000-000000000000/.default", "00000003-0000-0000-c000-000000000000"},
		{"the same twice", "https://a/.default https://a/.default", "https://a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := ResourceOfScope(c.scope); err != nil || got != c.want {
				t.Errorf("ResourceOfScope(%q) = %q, %v; want %q", c.scope, got, err, c.want)
			}
		})
	}
}

// Sources: identity.md §1 (700022); msgraph-sdk-python#181, databricks-sql-nodejs#226
// (1002012, which today's Entra answers where 70011 was); oidc-cli#7 (no scope).
func TestScopesThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, scope string
		number      int
		oauth       string
	}{
		{"none", "", 90014, "invalid_request"},
		{"blank", "  ", 90014, "invalid_request"},
		{"only OpenID scopes", "openid offline_access", 1002012, "invalid_scope"},
		{"a delegated scope", "https://graph.microsoft.com/User.Read", 1002012, "invalid_scope"},
		{"a bare word", "all-apis", 1002012, "invalid_scope"},
		{"a resource without .default", "https://management.azure.com/", 1002012, "invalid_scope"},
		{"no resource", ".default", 1002012, "invalid_scope"},
		{"no resource but a slash", "/.default", 1002012, "invalid_scope"},
		{".default in the middle", "https://a/.default/x", 1002012, "invalid_scope"},
		{".default and a delegated scope", "https://a/.default https://a/read", 1002012, "invalid_scope"},
		{"two resources", "https://a/.default https://b/.default", 700022, "invalid_scope"},
		{"with and without a slash", "https://a/.default https://a//.default", 700022, "invalid_scope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resource, err := ResourceOfScope(c.scope)
			wantNumber(t, err, c.number, c.oauth, 400)
			if resource != "" {
				t.Errorf("resource = %q", resource)
			}
		})
	}
}

func FuzzResourceOfScope(f *testing.F) {
	for _, seed := range []string{"", "openid", "https://a/.default", "https://a//.default profile", "/.default", "x/.default y/.default", "a/.default\x00", "\xff/.default"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, scope string) {
		resource, err := ResourceOfScope(scope)
		var refused *Error
		switch {
		case err != nil:
			if !errors.As(err, &refused) || refused.Status != 400 || resource != "" {
				t.Errorf("ResourceOfScope(%q) = %q, %v", scope, resource, err)
			}
		case resource == "" || !strings.Contains(scope, resource+"/.default"):
			t.Errorf("ResourceOfScope(%q) invents %q", scope, resource)
		default:
			if again, err := ResourceOfScope(resource + "/.default openid"); err != nil || again != resource {
				t.Errorf("%q from %q is not stable: %q, %v", resource, scope, again, err)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	good := w.issue(armURI).AccessToken
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, good + ".", good[1:], parts[0] + "." + parts[1] + ".", parts[1] + "." + parts[0] + "." + parts[2], "..", "",
		"eyJhbGciOiJub25lIn0." + parts[1] + ".", "eyJhbGciOiJIUzI1NiJ9." + parts[1] + "." + parts[2], "eyJraWQiOnt9fQ.e30.e30", "bnVsbA.bnVsbA.bnVsbA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := w.d.Verify(t.Context(), token, armAudiences)
		if err == nil && token != good {
			t.Errorf("%q verifies without having been signed, as %+v", token, caller)
		}
		var refused *TokenError
		if err != nil && (token == good || !errors.As(err, &refused)) {
			t.Errorf("%q: %v", token, err)
		}
	})
}

func BenchmarkIssue(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		w.issue(armURI)
	}
}

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	token := w.issue(armURI).AccessToken
	for _, c := range []struct {
		name   string
		before func()
	}{{"cached", func() {}}, {"uncached", w.d.verified.Purge}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.before()
				if _, err := w.d.Verify(b.Context(), token, armAudiences); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
