package imds

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Source: entra-docs how-to-use-vm-token.md: all numbers are strings. JS asks
// with a trailing slash (clients.md (b)).
func TestMetadataProtocol(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true)
	secret, end := w.begin(vmID("vm"), Everywhere)
	defer end()
	for _, path := range []string{MetadataPath, MetadataPath + "/"} {
		status, reply := w.ask(path, secret)
		if status != 200 || len(reply) != 9 {
			t.Fatalf("%s: %d %v", path, status, reply)
		}
		c, p := claims(t, reply), w.identityOf(vmID("vm"))
		for name, want := range map[string]any{"token_type": "Bearer", "refresh_token": "", "resource": armURI, "client_id": p.AppID, "expires_in": "86399", "ext_expires_in": "86399",
			"expires_on": unix(c["exp"]), "not_before": unix(c["nbf"])} {
			if reply[name] != want {
				t.Errorf("%s: %s = %#v, want %#v", path, name, reply[name], want)
			}
		}
		if c["aud"] != armURI || c["oid"] != p.ID || c["xms_mirid"] != vmID("vm") {
			t.Errorf("claims = %v", c)
		}
	}
}

// Source: azure-docs app-service/overview-managed-identity.md, REST endpoint reference.
func TestAppServiceProtocol(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true)
	secret, end := w.begin(strings.ToUpper(vmID("vm")), Everywhere)
	defer end()
	for _, path := range []string{AppServicePath, AppServicePath + "/"} {
		status, reply := w.ask(path, secret)
		if status != 200 || len(reply) != 5 {
			t.Fatalf("%s: %d %v", path, status, reply)
		}
		for name, want := range map[string]any{"token_type": "Bearer", "resource": armURI, "client_id": w.identityOf(vmID("vm")).AppID, "expires_on": unix(claims(t, reply)["exp"])} {
			if reply[name] != want {
				t.Errorf("%s: %s = %#v, want %#v", path, name, reply[name], want)
			}
		}
	}
	if len(w.audit) != 2 || w.audit[0].Decision != "Allowed" || w.audit[0].Scope != strings.ToUpper(vmID("vm")) || strings.Contains(w.audit[0].Path+w.audit[0].Action, secret) {
		t.Errorf("audit = %+v", w.audit)
	}
}

// Sources: clients.md (b): 400 and never 404, which Go would retry; azure-identity
// probes without the header and wants a quick 400.
func TestRequestsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true)
	secret, end := w.begin(vmID("vm"), Everywhere)
	defer end()
	for _, c := range []struct {
		name, path, secret string
		options            []string
		status             int
		code, text         string
	}{
		{"no Metadata header", MetadataPath, secret, []string{"Metadata", ""}, 400, "invalid_request", "Required metadata header not specified"},
		{"no Metadata header, no secret", MetadataPath, "", []string{"Metadata", ""}, 400, "invalid_request", "Required metadata header not specified"},
		{"Metadata: false", MetadataPath, secret, []string{"Metadata", "false"}, 400, "invalid_request", "Required metadata header not specified"},
		{"forwarded", MetadataPath, secret, []string{"X-Forwarded-For", "10.0.0.1"}, 400, "invalid_request", "X-Forwarded-For"},
		{"wrong secret", MetadataPath, "wrong", nil, 401, "unauthorized", ""},
		{"no secret", MetadataPath, "", nil, 401, "unauthorized", ""},
		{"wrong secret, App Service", AppServicePath, "wrong", nil, 401, "unauthorized", ""},
		{"no secret, App Service", AppServicePath, "", nil, 401, "unauthorized", ""},
		{"no api-version", MetadataPath, secret, []string{"api-version", ""}, 400, "invalid_request", "api-version"},
		{"no api-version, App Service", AppServicePath, secret, []string{"api-version", ""}, 400, "invalid_request", "api-version"},
		{"api-version that is none", MetadataPath, secret, []string{"api-version", "latest"}, 400, "invalid_request", "api-version"},
		{"api-version before the feature", MetadataPath, secret, []string{"api-version", "2017-04-02"}, 400, "invalid_request", "2018-02-01"},
		{"api-version of the older protocol", AppServicePath, secret, []string{"api-version", "2017-09-01"}, 400, "invalid_request", "2019-08-01"},
		{"no resource", MetadataPath, secret, []string{"resource", ""}, 400, "invalid_request", "resource"},
		{"no resource, App Service", AppServicePath, secret, []string{"resource", ""}, 400, "invalid_request", "resource"},
		{"unknown resource", MetadataPath, secret, []string{"resource", "https://nowhere.example"}, 400, "invalid_resource", "AADSTS500011"},
		{"unknown resource, App Service", AppServicePath, secret, []string{"resource", "https://nowhere.example"}, 400, "invalid_resource", "AADSTS500011"},
		{"a scope is no resource", MetadataPath, secret, []string{"resource", armURI + ".default"}, 400, "invalid_resource", "AADSTS500011"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, reply := w.ask(c.path, c.secret, c.options...)
			w.wantRefused(t, c.status, c.code, c.text, status, reply)
			if c.secret != "" && strings.Contains(reply["error_description"].(string), c.secret) {
				t.Errorf("the secret is in %v", reply)
			}
		})
	}
	for version := range map[string]bool{"2018-02-01": true, "2021-02-01": true, "2019-07-01-preview": true} {
		if status, reply := w.ask(MetadataPath, secret, "api-version", version); status != 200 {
			t.Errorf("api-version %s: %d %v", version, status, reply)
		}
	}
	// The header alone is enough, whatever it holds.
	r := httptest.NewRequest(http.MethodGet, MetadataPath+"?api-version=2018-02-01&resource="+armURI, nil)
	r.Header = http.Header{"Metadata": {"true"}, "X-Identity-Header": {secret}, "X-Forwarded-For": {""}}
	status, reply := w.serve(r)
	w.wantRefused(t, 400, "invalid_request", "X-Forwarded-For", status, reply)
}

func TestOtherPathsAndMethods(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodPost, MetadataPath, 405}, {http.MethodPut, AppServicePath, 405}, {http.MethodGet, "/", 404}, {http.MethodGet, "/metadata/instance", 404}, {http.MethodGet, AppServicePath + "/x", 404},
	} {
		if status, reply := w.serve(httptest.NewRequest(c.method, c.path, nil)); status != c.status || reply["error"] == nil {
			t.Errorf("%s %s: %d %v", c.method, c.path, status, reply)
		}
	}
}

func TestASecretDiesWithItsRun(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true)
	one, endOne := w.begin(vmID("vm"), Everywhere)
	two, endTwo := w.begin(vmID("vm"), Everywhere)
	defer endTwo()
	if one == two {
		t.Fatal("two runs have one secret")
	}
	endOne()
	status, reply := w.ask(AppServicePath, one)
	w.wantRefused(t, 401, "unauthorized", "", status, reply)
	if status, reply = w.ask(AppServicePath, two); status != 200 {
		t.Errorf("the other run: %d %v", status, reply)
	}
	endOne() // again does no harm
}

// Source: entra-docs how-to-use-vm-token.md, overview-managed-identity.md.
func TestSelection(t *testing.T) {
	w := newWorld(t)
	w.vm("both", true, "one", "two")
	w.vm("users", false, "one", "two")
	w.vm("single", false, "one")
	w.vm("system", true)
	w.vm("none", false)
	one, two, system := w.identityOf(userID("one")), w.identityOf(userID("two")), w.identityOf(vmID("both"))
	for _, c := range []struct {
		name, path, vm string
		options        []string
		want           *entra.Principal // nil: refused with text
		text           string
	}{
		{"system first", MetadataPath, "both", nil, system, ""},
		{"system first, App Service", AppServicePath, "both", nil, system, ""},
		{"by client_id", MetadataPath, "both", []string{"client_id", one.AppID}, one, ""},
		{"by client_id in capitals", MetadataPath, "both", []string{"client_id", strings.ToUpper(two.AppID)}, two, ""},
		{"system by client_id", MetadataPath, "both", []string{"client_id", system.AppID}, system, ""},
		{"by object_id", MetadataPath, "both", []string{"object_id", two.ID}, two, ""},
		{"by msi_res_id", MetadataPath, "both", []string{"msi_res_id", strings.ToLower(userID("one"))}, one, ""},
		{"by mi_res_id", MetadataPath, "users", []string{"mi_res_id", userID("two")}, two, ""},
		{"by mi_res_id, App Service", AppServicePath, "both", []string{"mi_res_id", userID("one")}, one, ""},
		{"by principal_id, App Service", AppServicePath, "both", []string{"principal_id", one.ID}, one, ""},
		{"by object_id, App Service", AppServicePath, "both", []string{"object_id", one.ID}, one, ""},
		{"by client_id, App Service", AppServicePath, "users", []string{"client_id", two.AppID}, two, ""},
		{"the only user-assigned one", MetadataPath, "single", nil, one, ""},
		{"several user-assigned ones", MetadataPath, "users", nil, nil, "Multiple user assigned identities exist"},
		{"one that the machine does not bear", MetadataPath, "single", []string{"client_id", two.AppID}, nil, "Identity not found"},
		{"system of another machine", MetadataPath, "system", []string{"client_id", system.AppID}, nil, "Identity not found"},
		{"object id as client_id", MetadataPath, "both", []string{"client_id", one.ID}, nil, "Identity not found"},
		{"two selectors", MetadataPath, "both", []string{"client_id", one.AppID, "object_id", one.ID}, nil, "exclude each other"},
		{"no identity", MetadataPath, "none", nil, nil, "Identity not found"},
		{"no identity, App Service", AppServicePath, "none", nil, nil, "Identity not found"},
		{"no identity, by client_id", MetadataPath, "none", []string{"client_id", one.AppID}, nil, "Identity not found"},
		{"no machine", MetadataPath, "gone", nil, nil, "Identity not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			secret, end := w.begin(vmID(c.vm), Everywhere)
			defer end()
			status, reply := w.ask(c.path, secret, c.options...)
			if c.want == nil {
				w.wantRefused(t, 400, "invalid_request", c.text, status, reply)
				return
			}
			if status != 200 {
				t.Fatalf("%d %v", status, reply)
			}
			if got := claims(t, reply); got["oid"] != c.want.ID || got["xms_mirid"] != c.want.Resource || reply["client_id"] != c.want.AppID {
				t.Errorf("identity %v of %v, want %s", got["oid"], got["xms_mirid"], c.want.Resource)
			}
		})
	}
}

// A system-assigned identity that may not sign in is no reason to hand out
// another one.
func TestADisabledIdentityIsNotReplaced(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true, "one")
	system, one := w.identityOf(vmID("vm")), w.identityOf(userID("one"))
	disable := func(p *entra.Principal) {
		err := w.store.Update(t.Context(), func(tx *store.Tx) error {
			return entra.PutServicePrincipal(tx, tenant, entra.ServicePrincipal{ID: p.ID, AppID: p.AppID, Type: "ManagedIdentity", Resource: p.Resource})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	secret, end := w.begin(vmID("vm"), Everywhere)
	defer end()
	disable(system)
	status, reply := w.ask(MetadataPath, secret)
	w.wantRefused(t, 400, "invalid_request", "Identity not found", status, reply)
	if status, reply = w.ask(MetadataPath, secret, "client_id", one.AppID); status != 200 {
		t.Errorf("the other one, asked for by name: %d %v", status, reply)
	}
	disable(one)
	status, reply = w.ask(MetadataPath, secret, "client_id", one.AppID)
	w.wantRefused(t, 400, "invalid_request", "Identity not found", status, reply)
}

// An identity that is taken away is gone for a run under way.
func TestIdentityTakenAway(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true)
	secret, end := w.begin(vmID("vm"), Everywhere)
	defer end()
	status, reply := w.ask(AppServicePath, secret)
	token, _ := reply["access_token"].(string)
	if status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	w.put(vmType, vmID("vm"), &arm.Identity{Type: "None"})
	status, reply = w.ask(AppServicePath, secret)
	w.wantRefused(t, 400, "invalid_request", "Identity not found", status, reply)
	if _, err := w.directory.Verify(t.Context(), token, []string{armURI}); err == nil {
		t.Error("the token of a deleted identity verifies")
	}
}
