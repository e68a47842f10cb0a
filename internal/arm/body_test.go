package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

func TestBadBodiesGetA400ThatSaysWhere(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	deployment := w.Deploy(account, "d", "gpt-4o")
	vm := w.Make(group+machines+"vm", placeBody)
	for _, c := range []struct{ method, id, body, says string }{
		{"PUT", account, ``, "the body is empty"},
		{"PUT", account, ` `, "the body is empty"},
		{"PUT", account, `[]`, "not a JSON object"},
		{"PUT", account, `null`, "not a JSON object"},
		{"PUT", account, `"x"`, "not a JSON object"},
		{"PUT", account, `{"location":}`, "at position 13"},
		{"PUT", account, `{"location":"japaneast"`, "unexpected end of JSON input at position 23"},
		{"PUT", account, accountBody + `}`, "after top-level value"},
		{"PUT", account, accountBody + `{}`, "after top-level value"},
		{"PUT", account, `{"location":5}`, "location: number is not a string"},
		{"PUT", account, `{"tags":[]}`, "tags: array is not an object"},
		{"PUT", account, `{"tags":{"a":1}}`, "number is not a string"},
		{"PUT", account, `{"sku":"S0"}`, "sku: string is not an object"},
		{"PUT", account, `{"sku":{"name":"S0","capacity":"x"}}`, `sku.capacity: "x" is not a number`},
		{"PUT", account, `{"sku":{"name":"S0","capacity":1.5}}`, `sku.capacity: 1.5 is not a number`},
		{"PUT", account, `{"kind":"OpenAI","sku":{"name":"S0"},"properties":{"disableLocalAuth":"maybe"}}`, `properties.disableLocalAuth: "maybe" is not a boolean`},
		{"PUT", account, `{"kind":"OpenAI","sku":{"name":"S0"},"properties":{"disableLocalAuth":1}}`, `properties.disableLocalAuth: 1 is not a boolean`},
		{"PUT", account, `{"kind":"OpenAI","sku":{"name":"S0"},"properties":"x"}`, "properties: string is not an object"},
		{"PUT", account, `{"kind":"OpenAI","sku":{"name":"S0"},"properties":{"networkAcls":{"ipRules":{}}}}`, "properties.networkAcls.ipRules: object is not an array"},
		{"PATCH", account, ``, "the body is empty"},
		{"PATCH", account, `[]`, "not a JSON object"},
		{"PATCH", account, `{"tags":5}`, "tags: number is not an object"},
		{"PATCH", account, `{"identity":5}`, "identity: number is not an object"},
		{"PATCH", account, `{"properties":[]}`, "properties: array is not an object"},
		{"PUT", deployment, `{"sku":{"name":"Standard","capacity":"x"},"properties":{"model":{"name":"gpt-4o"}}}`, `sku.capacity: "x" is not a number`},
		{"PUT", deployment, `{"properties":{"model":"gpt-4o"}}`, "properties.model: string is not an object"},
		{"PUT", vm, `{"properties":7}`, "properties: number is not an object"},
		{"PUT", vm, `{"identity":{"type":"SystemAssigned","userAssignedIdentities":{"/x":"y"}}}`, "is not an object"},
		{"POST", account + "/regenerateKey", ``, "the body is empty"},
		{"POST", account + "/regenerateKey", `{"keyName":1}`, "keyName: number is not a string"},
	} {
		r := w.ARM(c.method, c.id, c.body)
		if r.Status != 400 || r.Code() != "InvalidRequestContent" || !strings.Contains(r.Message(), c.says) {
			t.Errorf("%s %s\n got %d %s\nwant %q", c.method, c.body, r.Status, r.Body, c.says)
		}
	}
	// Nothing of it was written.
	if r := w.ARM("GET", account, ""); r.Get("location") != "japaneast" || r.Get("properties", "disableLocalAuth") != false {
		t.Errorf("the account has changed: %s", r.Body)
	}
}

// Clients send such bodies, and ARM takes them.
func TestLooseBodiesAreTaken(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	// Seed 000's `az rest` body has the string "true" (identity.md §0).
	r := w.Need(201, w.ARM("PUT", group+accounts+"strings", `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0","capacity":"1"},"properties":{"disableLocalAuth":"true"}}`))
	if r.Get("properties", "disableLocalAuth") != true {
		t.Errorf("disableLocalAuth: %s", r.Body)
	}
	r = w.Need(201, w.ARM("PUT", group+machines+"null", `{"location":"japaneast","properties":null,"identity":null,"tags":null,"sku":null}`))
	if r.Get("properties", "provisioningState") != "Succeeded" {
		t.Errorf("properties null: %s", r.Body)
	}
	w.Need(201, w.ARM("PUT", group+machines+"bom", ` {"location":"japaneast","properties":{"osProfile":null},"newerMember":{"a":[1]}} `))
	// What a GET gave may be PUT back, read-only members and all.
	account := w.MakeAccount(group, "roundtrip")
	w.Need(200, w.ARM("PUT", account, w.ARM("GET", account, "").Body))
}

func TestABodyBeyondArmsLimitIs413(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := w.Subscription + "/resourceGroups/rg"
	wantError(t, w.ARM("PUT", id, `{"location":"japaneast","x":"`+strings.Repeat("x", 4<<20)+`"}`), 413, "RequestEntityTooLarge")
	w.Need(404, w.ARM("GET", id, ""))
}

func TestBadPathsAndQueries(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	const nowhere = "/subscriptions/11111111-2222-3333-4444-555555555555"
	for _, c := range []struct {
		name, method, path string
		status             int
		code               string
	}{
		{"no api-version", "GET", account + "?x=1&api-version=", 400, "MissingApiVersionParameter"},
		{"api-version of another form", "GET", account + "?api-version=v1", 400, "InvalidApiVersionParameter"},
		{"api-version that is no day", "GET", account + "?api-version=2024-13-45", 400, "InvalidApiVersionParameter"},
		{"api-version that goes on", "GET", account + "?api-version=2024-10-01x", 400, "InvalidApiVersionParameter"},
		{"api-version before this century", "GET", account + "?api-version=1999-10-01", 400, "InvalidApiVersionParameter"},
		{"preview", "GET", account + "?api-version=2024-10-01-Preview", 200, ""},
		{"subscription that is no GUID", "GET", "/subscriptions/x/resourceGroups", 400, "InvalidSubscriptionId"},
		{"subscription in braces", "GET", "/subscriptions/{11111111-2222-3333-4444-555555555555}", 400, "InvalidSubscriptionId"},
		{"scope in a subscription that is no GUID", "GET", "/subscriptions/x/providers/Microsoft.Authorization/roleAssignments", 400, "InvalidSubscriptionId"},
		{"unknown namespace", "GET", group + "/providers/Microsoft.Nonsense/things/x", 404, "InvalidResourceNamespace"},
		{"unknown namespace, list", "GET", w.Subscription + "/providers/Microsoft.Nonsense/things", 404, "InvalidResourceNamespace"},
		{"unknown type", "GET", group + "/providers/Microsoft.Compute/things/x", 404, "InvalidResourceType"},
		{"unknown child type", "PUT", account + "/things/x", 404, "InvalidResourceType"},
		{"unknown verb", "POST", account + "/explode", 404, "InvalidResourceType"},
		{"nothing at all", "GET", "/nothing", 404, "NotFound"},
		{"group", "GET", w.Subscription + "/resourceGroups/absent", 404, "ResourceGroupNotFound"},
		{"resource", "GET", group + accounts + "absent", 404, "ResourceNotFound"},
		{"resource in no group", "GET", w.Subscription + "/resourceGroups/absent" + accounts + "a", 404, "ResourceGroupNotFound"},
		{"list in no group", "GET", w.Subscription + "/resourceGroups/absent" + strings.TrimSuffix(accounts, "/"), 404, "ResourceGroupNotFound"},
		{"list of no account", "GET", group + accounts + "absent/deployments", 404, "ResourceNotFound"},
		{"child of no account", "GET", group + accounts + "absent/deployments/d", 404, "ParentResourceNotFound"},
		{"keys of no account", "POST", group + accounts + "absent/listKeys", 404, "ResourceNotFound"},
		{"patch of no account", "PATCH", group + accounts + "absent", 404, "ResourceNotFound"},
		{"delete in no group", "DELETE", w.Subscription + "/resourceGroups/absent" + accounts + "a", 404, "ResourceGroupNotFound"},
		{"delete of no account", "DELETE", group + accounts + "absent", 204, ""},
		{"delete below no account", "DELETE", group + accounts + "absent/deployments/d", 404, "ParentResourceNotFound"},
		{"reserved word as a name", "GET", group + accounts + "providers", 400, "InvalidResourceId"},
		{"subscription", "GET", nowhere, 404, "SubscriptionNotFound"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := ""
			if c.method == "PATCH" {
				body = "{}"
			}
			r := w.ARM(c.method, c.path, body)
			if r.Status != c.status || r.Code() != c.code {
				t.Errorf("%d %s, want %d %s", r.Status, r.Body, c.status, c.code)
			}
		})
	}
	for _, c := range []struct{ id, code string }{
		{w.Subscription + "/resourceGroups/absent" + accounts + "a1", "ResourceGroupNotFound"},
		{group + accounts + "absent/deployments/d", "ParentResourceNotFound"},
	} {
		wantError(t, w.ARM("PUT", c.id, accountBody), 404, c.code)
	}
}

// An id is one resource's whatever is escaped in the path: otherwise a role on
// one account would write another.
func TestEscapedSlashesNameNothingElse(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	own, victim := w.MakeAccount(group, "own"), w.MakeAccount(group, "victim")
	p := w.Principal("contributor of own")
	w.Grant(p.ID, servicetest.Contributor, own)
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
		r := w.ARMAs(p, method, group+accounts+"own%2Fdeployments%2Fvictim", `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"},"tags":{"stolen":"yes"}}`)
		if r.Status < 400 {
			t.Errorf("%s: %d %s", method, r.Status, r.Body)
		}
	}
	if r := w.ARM("GET", victim, ""); r.Status != 200 || r.Get("tags") != nil {
		t.Errorf("the victim: %d %s", r.Status, r.Body)
	}
}

func TestAWrongMethodIs405WithAllow(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "acc")
	for path, allow := range map[string]string{
		account:                            "DELETE, GET, HEAD, PATCH, PUT",
		account + "/listKeys":              "POST",
		w.Subscription + "/resourceGroups": "GET",
		account + "/deployments":           "GET",
		w.Subscription + "/providers/Microsoft.Compute/register": "POST",
	} {
		r := w.ARM("TRACE", path, "")
		wantError(t, r, http.StatusMethodNotAllowed, "HttpMethodNotSupported")
		if r.Header.Get("Allow") != allow {
			t.Errorf("%s: Allow %q, want %q", path, r.Header.Get("Allow"), allow)
		}
	}
}

func TestAProviderMustBeRegistered(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	provider := w.Subscription + "/providers/Microsoft.Compute"
	state := func() any { return w.Need(200, w.ARM("GET", provider, "")).Get("registrationState") }

	vm := w.Make(group+machines+"vm", placeBody)
	wantError(t, w.ARM("POST", provider+"/unregister", ""), 409, "Conflict") // it is in use
	w.Need(200, w.ARM("DELETE", vm, ""))
	w.Need(200, w.ARM("POST", provider+"/unregister", ""))
	if state() != "NotRegistered" {
		t.Errorf("after unregister: %v", state())
	}
	r := w.ARM("PUT", vm, placeBody)
	wantError(t, r, 409, "MissingSubscriptionRegistration")
	if want := "The subscription is not registered to use namespace 'Microsoft.Compute'."; !strings.HasPrefix(r.Message(), want) {
		t.Errorf("message %q", r.Message())
	}
	w.Need(200, w.ARM("POST", strings.ToUpper(provider)+"/register", ""))
	if state() != "Registered" {
		t.Errorf("after register: %v", state())
	}
	w.Need(201, w.ARM("PUT", vm, placeBody))

	p := w.Principal("reader")
	w.Grant(p.ID, servicetest.Reader, w.Subscription)
	wantError(t, w.ARMAs(p, "POST", provider+"/register", ""), 403, "AuthorizationFailed")
	wantError(t, w.ARM("POST", w.Subscription+"/providers/Microsoft.Nonsense/register", ""), 404, "InvalidResourceNamespace")
}

func TestHeadersOfEveryReply(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	for _, path := range []string{w.Subscription, w.Subscription + "/resourceGroups/absent"} {
		r := w.Do(servicetest.Request{Method: "GET", URL: servicetest.URL(path), As: &w.Owner, Header: http.Header{
			"X-Ms-Correlation-Request-Id": {"corr"}, "X-Ms-Client-Request-Id": {"client"}, "X-Ms-Return-Client-Request-Id": {"true"}}})
		h := r.Header
		if h.Get("x-ms-request-id") == "" || h.Get("x-ms-correlation-request-id") != "corr" || h.Get("x-ms-client-request-id") != "client" ||
			h.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %s", path, fmt.Sprint(h))
		}
	}
}
