package imds

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/internal/entra"
)

// get asks with headers, in pairs, and gives the header of the reply, too.
func (w *world) get(path string, query url.Values, headers ...string) (int, map[string]any, http.Header) {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path+"?"+query.Encode(), nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return w.exchange(r)
}

func query(pairs ...string) url.Values {
	q := url.Values{"resource": {armURI}}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q
}

// Each kind of host tells its clients by its own variables.
func TestWhatAHostHasInItsEnvironment(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true)
	for _, c := range []struct {
		host      Host
		variables []string
		relay     string
	}{
		{Everywhere, []string{"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET", "APPSETTING_WEBSITE_SITE_NAME"}, "169.254.169.254:80"},
		{VirtualMachine, nil, "169.254.169.254:80"},
		{AppService, []string{"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET", "APPSETTING_WEBSITE_SITE_NAME"}, ""},
		{MachineLearning, []string{"MSI_ENDPOINT", "MSI_SECRET", "DEFAULT_IDENTITY_CLIENT_ID", "APPSETTING_WEBSITE_SITE_NAME"}, ""},
		{Arc, []string{"IDENTITY_ENDPOINT", "IMDS_ENDPOINT"}, "127.0.0.1:40342"},
	} {
		grant, end := w.grant(vmID("vm"), c.host)
		defer end()
		for _, name := range c.variables {
			if grant.Variables[name] == "" {
				t.Errorf("%q: no %s in %v", c.host, name, grant.Variables)
			}
		}
		if len(grant.Variables) != len(c.variables) {
			t.Errorf("%q: variables %v, want %v", c.host, grant.Variables, c.variables)
		}
		relay := ""
		if grant.Relay != nil {
			relay = grant.Relay.Address
		}
		if relay != c.relay {
			t.Errorf("%q: relay %q, want %q", c.host, relay, c.relay)
		}
		for name, value := range grant.Variables {
			if value == grant.Secret && c.relay != "" && c.host != Everywhere {
				t.Errorf("%q: %s holds the secret of the relay", c.host, name)
			}
		}
	}
	if _, _, err := w.server.Begin(t.Context(), vmID("vm"), "cloud-shell", address); err == nil || !strings.Contains(err.Error(), "vm, app-service, ml-compute, arc") {
		t.Errorf("an unknown kind: %v", err)
	}
}

// A secret opens the endpoint of its own kind of host alone.
func TestAHostHasNoOtherEndpoint(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true)
	ask := map[string]func(secret string) (int, map[string]any){
		AppServicePath: func(secret string) (int, map[string]any) {
			status, reply, _ := w.get(AppServicePath, query("api-version", "2019-08-01"), SecretHeader, secret)
			return status, reply
		},
		MachineLearningPath: func(secret string) (int, map[string]any) {
			status, reply, _ := w.get(MachineLearningPath, query("api-version", "2017-09-01"), "secret", secret)
			return status, reply
		},
		MetadataPath: func(secret string) (int, map[string]any) {
			status, reply, _ := w.get(MetadataPath, query("api-version", "2020-06-01"), SecretHeader, secret, "Metadata", "true")
			return status, reply
		},
	}
	for host, open := range map[Host]map[string]int{
		Everywhere:      {AppServicePath: 200, MachineLearningPath: 400, MetadataPath: 200},
		VirtualMachine:  {AppServicePath: 400, MachineLearningPath: 400, MetadataPath: 200},
		AppService:      {AppServicePath: 200, MachineLearningPath: 400, MetadataPath: 400},
		MachineLearning: {AppServicePath: 400, MachineLearningPath: 200, MetadataPath: 400},
		Arc:             {AppServicePath: 400, MachineLearningPath: 400, MetadataPath: 401}, // challenged
	} {
		secret, end := w.begin(vmID("vm"), host)
		defer end()
		for path, want := range open {
			if status, reply := ask[path](secret); status != want {
				t.Errorf("%q at %s: %d %v, want %d", host, path, status, reply, want)
			}
		}
	}
}

// Source: azure-docs app-service/overview-managed-identity.md, "older version of
// this protocol", by which azureml-core asks.
func TestAppServiceProtocolOf2017(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true, "one")
	for _, host := range []Host{Everywhere, AppService} {
		grant, end := w.grant(vmID("vm"), host)
		defer end()
		ask := func(pairs ...string) (int, map[string]any) {
			status, reply, _ := w.get(AppServicePath+"/", query(append([]string{"api-version", "2017-09-01"}, pairs...)...), "secret", grant.Variables["MSI_SECRET"])
			return status, reply
		}
		for client, want := range map[string]*entra.Principal{"": w.identityOf(vmID("vm")), w.identityOf(userID("one")).AppID: w.identityOf(userID("one"))} {
			status, reply := ask("clientid", client)
			if status != 200 || len(reply) != 5 || reply["client_id"] != want.AppID {
				t.Fatalf("%q: %d %v, want the token of %s", client, status, reply, want.Name)
			}
			expires, err := time.Parse("01/02/2006 15:04:05 -07:00", reply["expires_on"].(string))
			if err != nil || unix(float64(expires.Unix())) != unix(claims(t, reply)["exp"]) {
				t.Errorf("expires_on %v: %v", reply["expires_on"], err)
			}
		}
		status, reply := ask("api-version", "2019-08-01")
		w.wantRefused(t, 400, "invalid_request", "api-version", status, reply)
		status, reply = ask("clientid", "clientid")
		w.wantRefused(t, 400, "invalid_request", "Identity not found", status, reply)
		status, reply = ask("client_id", w.identityOf(userID("one")).AppID)
		w.wantRefused(t, 400, "invalid_request", "client_id selects no identity", status, reply)
	}
}

// Sources: azure-sdk-for-net#40348, azure-sdk-for-python#36047, msal-go azure_ml.go.
func TestMachineLearningProtocol(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true)
	w.vm("user", false, "one")
	w.vm("users", false, "two", "three")
	w.vm("none", false)
	system, one, two := w.identityOf(vmID("vm")), w.identityOf(userID("one")), w.identityOf(userID("two"))
	for _, c := range []struct {
		vm   string
		name string // of DEFAULT_IDENTITY_CLIENT_ID
		ask  []string
		want *entra.Principal // nil: refused with text
		text string
	}{
		{"vm", system.AppID, nil, system, ""},
		{"vm", system.AppID, []string{"clientid", system.AppID}, system, ""},
		{"vm", system.AppID, []string{"clientid", ""}, system, ""},
		{"user", one.AppID, []string{"clientid", one.AppID}, one, ""},
		{"user", one.AppID, nil, one, ""},
		{"user", one.AppID, []string{"clientid", "clientid"}, one, ""},
		{"user", one.AppID, []string{"clientid", two.AppID}, nil, "Identity not found"},
		{"user", one.AppID, []string{"msi_res_id", userID("one")}, nil, "msi_res_id selects no identity"},
		{"user", one.AppID, []string{"object_id", one.ID}, nil, "object_id selects no identity"},
		{"users", "clientid", []string{"clientid", two.AppID}, two, ""},
		{"users", "clientid", []string{"clientid", "clientid"}, nil, "Multiple user assigned identities exist"},
		{"none", "clientid", []string{"clientid", "clientid"}, nil, "Identity not found"},
	} {
		grant, end := w.grant(vmID(c.vm), MachineLearning)
		defer end()
		if got := grant.Variables["DEFAULT_IDENTITY_CLIENT_ID"]; got != c.name {
			t.Errorf("%s: default client %s, want %s", c.vm, got, c.name)
		}
		status, reply, _ := w.get(MachineLearningPath, query(append(c.ask, "api-version", "2017-09-01")...), "secret", grant.Variables["MSI_SECRET"])
		if c.want == nil {
			w.wantRefused(t, 400, "invalid_request", c.text, status, reply)
			continue
		}
		expires, ok := reply["expires_on"].(float64) // a number, unlike elsewhere
		if status != 200 || len(reply) != 5 || !ok || reply["client_id"] != c.want.AppID || unix(expires) != unix(claims(t, reply)["exp"]) {
			t.Errorf("%s %v: %d %v", c.vm, c.ask, status, reply)
		}
	}
	secret, end := w.begin(vmID("vm"), MachineLearning)
	defer end()
	for version, text := range map[string]string{"": "api-version", "2019-08-01": "api-version", "2017-04-02": "2017-09-01"} {
		status, reply, _ := w.get(MachineLearningPath, query("api-version", version), "secret", secret)
		w.wantRefused(t, 400, "invalid_request", text, status, reply)
	}
	for _, header := range []string{"secret", SecretHeader, "Metadata"} { // wrong; the header of another protocol; none
		value := map[string]string{"secret": "wrong", SecretHeader: secret, "Metadata": "true"}[header]
		status, reply, _ := w.get(MachineLearningPath, query("api-version", "2017-09-01"), header, value)
		w.wantRefused(t, 401, "unauthorized", "secret header", status, reply)
	}
}

// Sources: azure-docs azure-arc/servers/managed-identity-authentication.md,
// msal-go managedidentity.go getAzureArcSecretKey and verifyAzureArcUserAssignedIdentity.
func TestArcProtocol(t *testing.T) {
	w := newWorld(t)
	w.vm("vm", true, "one")
	grant, end := w.grant(vmID("vm"), Arc)
	defer end()
	other, endOther := w.grant(vmID("vm"), Arc)
	defer endOther()
	file := grant.Relay.KeyFile
	if !strings.HasPrefix(file, "/var/opt/azcmagent/tokens/") || !strings.HasSuffix(file, ".key") || strings.Count(file, "/") != 5 || len(grant.Relay.Key) < 40 || grant.Relay.Key == grant.Secret {
		t.Errorf("key %+v", grant.Relay)
	}
	arm := query("api-version", "2020-06-01")
	ask := func(q url.Values, headers ...string) (int, map[string]any, http.Header) {
		return w.get(MetadataPath, q, append(headers, SecretHeader, grant.Secret)...)
	}
	for name, authorization := range map[string]string{
		"none": "", "wrong": "Basic wrong", "empty": "Basic ", "no scheme": grant.Relay.Key, "Bearer": "Bearer " + grant.Relay.Key,
		"of another run": "Basic " + other.Relay.Key, "the secret": "Basic " + grant.Secret, "with more": "Basic " + grant.Relay.Key + "x",
	} {
		status, reply, header := ask(arm, "Metadata", "true", "Authorization", authorization)
		w.wantRefused(t, 401, "unauthorized", "WWW-Authenticate", status, reply)
		if got := header.Get("WWW-Authenticate"); got != "Basic realm="+file {
			t.Errorf("%s: challenge %q", name, got)
		}
	}
	if len(w.audit) != 0 {
		t.Errorf("tokens before the challenge was met: %+v", w.audit)
	}
	key := "Basic " + grant.Relay.Key
	for _, bad := range []struct {
		q       url.Values
		headers []string
		text    string
	}{
		{arm, nil, "Required metadata header not specified"},
		{arm, []string{"Metadata", "true", "X-Forwarded-For", "10.0.0.1"}, "X-Forwarded-For"},
		{query(), []string{"Metadata", "true"}, "api-version"},
		{query("api-version", "2018-02-01"), []string{"Metadata", "true"}, "2019-11-01"},
		{query("api-version", "2020-06-01", "resource", ""), []string{"Metadata", "true"}, "resource"},
		{query("api-version", "2020-06-01", "mi_res_id", userID("one")), []string{"Metadata", "true"}, "mi_res_id selects no identity"},
		{query("api-version", "2020-06-01", "client_id", "6a1e5cc7-0000-4000-8000-000000000000"), []string{"Metadata", "true"}, "Identity not found"},
	} {
		status, reply, _ := ask(bad.q, append(bad.headers, "Authorization", key)...)
		w.wantRefused(t, 400, "invalid_request", bad.text, status, reply)
	}
	system, one := w.identityOf(vmID("vm")), w.identityOf(userID("one"))
	for _, c := range []struct {
		ask  []string
		want *entra.Principal
		echo map[string]any // what confirms the identity
	}{
		{nil, system, map[string]any{"client_id": system.AppID, "object_id": nil, "msi_res_id": nil}},
		{[]string{"client_id", one.AppID}, one, map[string]any{"client_id": one.AppID}},
		{[]string{"object_id", one.ID}, one, map[string]any{"object_id": one.ID}},
		{[]string{"msi_res_id", userID("one")}, one, map[string]any{"msi_res_id": userID("one")}},
	} {
		status, reply, _ := ask(query(append(c.ask, "api-version", "2019-11-01")...), "Metadata", "true", "Authorization", key)
		if status != 200 || claims(t, reply)["oid"] != c.want.ID || reply["expires_in"] != "86399" {
			t.Fatalf("%v: %d %v", c.ask, status, reply)
		}
		for name, want := range c.echo {
			if reply[name] != want {
				t.Errorf("%v: %s = %v, want %v", c.ask, name, reply[name], want)
			}
		}
	}
	for _, e := range w.audit {
		if e.Decision != "Allowed" || e.Scope != vmID("vm") || e.Operation != "ManagedIdentity_Token" {
			t.Errorf("audit %+v", e)
		}
	}
}
