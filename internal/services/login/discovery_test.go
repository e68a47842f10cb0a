package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Source: clients.md §1b: issuer, token_endpoint and the rest that MSAL reads;
// the tenant is parsed from the path of token_endpoint.
func TestDiscovery(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ name, tenant, inURL, issuer string }{
		{"GUID", tenant, tenant, tenant},
		{"domain", "contoso.com", tenant, tenant},
		{"second domain in capitals", "CONTOSO.onmicrosoft.com", tenant, tenant},
		{"common", "common", "common", "{tenantid}"},
		{"organizations", "organizations", "organizations", "{tenantid}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for path, want := range map[string]map[string]string{
				"/v2.0/.well-known/openid-configuration": {
					"issuer": base + "/" + c.issuer + "/v2.0", "token_endpoint": base + "/" + c.inURL + "/oauth2/v2.0/token", "authorization_endpoint": base + "/" + c.inURL + "/oauth2/v2.0/authorize",
					"device_authorization_endpoint": base + "/" + c.inURL + "/oauth2/v2.0/devicecode", "jwks_uri": base + "/" + c.inURL + "/discovery/v2.0/keys",
				},
				"/.well-known/openid-configuration": {
					"issuer": "https://sts.windows.net/" + c.issuer + "/", "token_endpoint": base + "/" + c.inURL + "/oauth2/token", "authorization_endpoint": base + "/" + c.inURL + "/oauth2/authorize",
					"device_authorization_endpoint": base + "/" + c.inURL + "/oauth2/devicecode", "jwks_uri": base + "/" + c.inURL + "/discovery/keys",
				},
			} {
				w := s.do(http.MethodGet, "/"+c.tenant+path, "", nil)
				document := decode(t, w)
				if w.Code != 200 {
					t.Fatalf("%s: %d %s", path, w.Code, w.Body)
				}
				for name, value := range want {
					if document[name] != value {
						t.Errorf("%s: %s = %v, want %s", path, name, document[name], value)
					}
				}
				jwks := strings.TrimPrefix(document["jwks_uri"].(string), base)
				if keys := decode(t, s.do(http.MethodGet, jwks, "", nil)); len(keys["keys"].([]any)) != 1 {
					t.Errorf("%s: keys = %v", jwks, keys)
				}
			}
		})
	}
}

// Here the error is invalid_tenant, unlike at the token endpoint.
// Source: azure-cli#22145, azure-keyvault-emulator#324.
func TestDiscoveryOfAnUnknownTenant(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/v2.0/.well-known/openid-configuration", "/.well-known/openid-configuration", "/discovery/keys", "/discovery/v2.0/keys"} {
		for _, name := range []string{"nowhere.example", "33333333-0000-0000-0000-000000000003"} {
			wantError(t, s.do(http.MethodGet, "/"+name+path, "", nil), 400, "invalid_tenant", 90002)
		}
	}
}

// Source: clients.md §1b, instance discovery.
func TestInstanceDiscovery(t *testing.T) {
	s := newServer(t)
	ask := func(endpoint string) string {
		return "/common/discovery/instance?api-version=1.1&authorization_endpoint=" + url.QueryEscape(endpoint)
	}
	for _, host := range []string{"login.microsoftonline.com", "LOGIN.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"} {
		w := s.do(http.MethodGet, ask("https://"+host+"/"+tenant+"/oauth2/v2.0/authorize"), "", nil)
		reply := decode(t, w)
		if w.Code != 200 || reply["tenant_discovery_endpoint"] != base+"/"+tenant+"/v2.0/.well-known/openid-configuration" || reply["api-version"] != "1.1" {
			t.Fatalf("%s: %d %s", host, w.Code, w.Body)
		}
		entry := reply["metadata"].([]any)[0].(map[string]any)
		if entry["preferred_network"] != "login.microsoftonline.com" || entry["preferred_cache"] != "login.windows.net" || len(entry["aliases"].([]any)) < 4 {
			t.Errorf("metadata = %v", entry)
		}
	}
	for _, endpoint := range []string{"", "https://login.evil.example/" + tenant + "/oauth2/v2.0/authorize", "http://login.microsoftonline.com/" + tenant + "/x",
		"login.microsoftonline.com/" + tenant + "/x", "https://login.microsoftonline.com", "https://login.microsoftonline.com/", "https://login.microsoftonline.com.evil.example/common/x",
		"https://login.microsoftonline.com@evil.example/common/x"} {
		wantError(t, s.do(http.MethodGet, ask(endpoint), "", nil), 400, "invalid_instance", 50049)
	}
}

// Source: identity.md §1: the fields that MSAL requires, in any case of the path.
func TestUserRealm(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/common/userrealm/admin@contoso.com", "/common/UserRealm/admin@contoso.com", "/COMMON/USERREALM/admin%40contoso.com"} {
		w := s.do(http.MethodGet, path+"?api-version=1.0", "", nil)
		reply := decode(t, w)
		for name, want := range map[string]any{"account_type": "Managed", "domain_name": "contoso.com", "cloud_instance_name": "microsoftonline.com",
			"cloud_audience_urn": "urn:federation:MicrosoftOnline", "ver": "1.0", "login": "admin@contoso.com"} {
			if reply[name] != want {
				t.Errorf("%s: %s = %v, want %v", path, name, reply[name], want)
			}
		}
	}
	for _, user := range []string{"x@nowhere.example", "nobody", "x@", "x@" + tenant} {
		reply := decode(t, s.do(http.MethodGet, "/common/userrealm/"+user+"?api-version=1.0", "", nil))
		if reply["account_type"] != "Unknown" || reply["domain_name"] != nil {
			t.Errorf("%s: %v", user, reply)
		}
	}
}
