package openai_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const accounts = "/providers/Microsoft.CognitiveServices/accounts/"

func wantError(t *testing.T, r servicetest.Reply, status int, code string) {
	t.Helper()
	if r.Status != status || r.Code() != code {
		t.Errorf("status %d, code %q, want %d %s: %s", r.Status, r.Code(), status, code, r.Body)
	}
}

func TestAccountRules(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	old := w.MakeAccount(group, "old")
	for _, c := range []struct{ name, id, body, code string }{
		{"no kind", "new", `"sku":{"name":"S0"}`, "InvalidRequestContent"},
		{"another kind", "new", `"kind":"SpeechServices","sku":{"name":"S0"}`, "InvalidApiSetId"},
		{"no sku", "new", `"kind":"OpenAI"`, "InvalidSkuId"},
		{"another sku", "new", `"kind":"OpenAI","sku":{"name":"F0"}`, "InvalidSkuId"},
		{"subdomain with a dot", "new", `"kind":"OpenAI","sku":{"name":"S0"},"properties":{"customSubDomainName":"a.b"}`, "InvalidCustomSubDomainName"},
		{"subdomain with a dash at its end", "new", `"kind":"OpenAI","sku":{"name":"S0"},"properties":{"customSubDomainName":"a-"}`, "InvalidCustomSubDomainName"},
		{"subdomain of 65", "new", `"kind":"OpenAI","sku":{"name":"S0"},"properties":{"customSubDomainName":"` + strings.Repeat("a", 65) + `"}`, "InvalidCustomSubDomainName"},
		{"publicNetworkAccess", "new", `"kind":"OpenAI","sku":{"name":"S0"},"properties":{"publicNetworkAccess":"Sometimes"}`, "InvalidRequestContent"},
		{"kind changes", "old", `"kind":"AIServices"`, "InvalidRequestContent"},
		{"subdomain changes", "old", `"properties":{"customSubDomainName":"other"}`, "CustomSubDomainNameNotChangeable"},
		{"sku changes", "old", `"sku":{"name":"S1"}`, "InvalidSkuId"},
	} {
		r := w.ARM("PUT", group+accounts+c.id, `{"location":"japaneast",`+c.body+`}`)
		if r.Status != 400 || r.Code() != c.code {
			t.Errorf("%s: %d %s, want %s", c.name, r.Status, r.Body, c.code)
		}
	}
	w.Need(404, w.ARM("GET", group+accounts+"new", ""))
	r := w.Need(200, w.ARM("PUT", old, `{"properties":{}}`)) // which leaves out what can't change
	if r.Get("kind") != "OpenAI" || r.Get("sku", "name") != "S0" || r.Get("properties", "customSubDomainName") != "old" {
		t.Errorf("after an empty PUT: %s", r.Body)
	}
}

// Host names belong to all accounts of the cloud.
func TestASubdomainBelongsToOneAccount(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	first := w.MakeAccount(group, "wanted")
	body := func(name string) string {
		return `{"location":"eastus","kind":"AIServices","sku":{"name":"S0"},"properties":{"customSubDomainName":"` + name + `"}}`
	}
	r := w.ARM("PUT", group+accounts+"second", body("WANTED"))
	wantError(t, r, 409, "CustomDomainInUse")
	w.Need(404, w.ARM("GET", group+accounts+"second", "")) // nothing half-done

	resolves := func(id string) {
		t.Helper()
		target, err := w.Reader.Resolve(t.Context(), &url.URL{Host: "wanted.openai.azure.com"})
		if id == "" && err == nil || id != "" && string(target.Scope) != id {
			t.Errorf("the host leads to %q (%v), want %q", target.Scope, err, id)
		}
	}
	resolves(first)
	w.Need(200, w.ARM("DELETE", first, ""))
	resolves("")
	wantError(t, w.ARM("PUT", group+accounts+"second", body("wanted")), 409, "CustomDomainInUse") // until it is purged
	w.Need(200, w.ARM("DELETE", deletedAt(w, "japaneast", "wanted"), ""))
	second := w.Make(group+accounts+"second", body("wanted"))
	resolves(second)
	// The first comes back without the name, and does not take it along.
	w.Make(first, `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"}}`)
	w.Need(200, w.ARM("DELETE", first, ""))
	resolves(second)
}

func TestEndpointsOfEachKind(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	for _, c := range []struct {
		kind, subdomain, endpoint string
		hosts                     []string
	}{
		{"OpenAI", "one", "https://one.openai.azure.com/", []string{"one.openai.azure.com", "one.cognitiveservices.azure.com"}},
		{"AIServices", "two", "https://two.cognitiveservices.azure.com/", []string{"two.openai.azure.com", "two.cognitiveservices.azure.com", "two.services.ai.azure.com"}},
		{"OpenAI", "", "https://japaneast.api.cognitive.microsoft.com/", nil},
	} {
		id := group + accounts + "of-" + c.subdomain
		w.Make(id, fmt.Sprintf(`{"location":"japaneast","kind":%q,"sku":{"name":"S0"},"properties":{"customSubDomainName":%q,"endpoint":"https://forged/"}}`, c.kind, c.subdomain))
		if got := w.ARM("GET", id, "").Get("properties", "endpoint"); got != c.endpoint {
			t.Errorf("%s: endpoint %v, want %s", c.kind, got, c.endpoint)
		}
		for _, host := range c.hosts {
			if target, err := w.Reader.Resolve(t.Context(), &url.URL{Host: strings.ToUpper(host)}); err != nil || string(target.Scope) != id || !target.Guard.Tokens {
				t.Errorf("%s leads to %q, %v", host, target.Scope, err)
			}
		}
	}
	if _, err := w.Reader.Resolve(t.Context(), &url.URL{Host: "one.services.ai.azure.com"}); err == nil {
		t.Error("an account of kind OpenAI has a host of services.ai.azure.com")
	}
}

// Source: cognitive-services-virtual-networks.md.
func TestNetworkRulesAreValidated(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "net")
	rules := func(n int) string { return strings.TrimSuffix(strings.Repeat(`{"value":"8.8.8.8"},`, n), ",") }
	for _, c := range []struct{ acls, code string }{
		{`{"defaultAction":"deny","bypass":"azureServices","ipRules":[{"value":"203.0.113.0/24"},{"value":"8.8.8.8"}]}`, ""},
		{`{"defaultAction":"Allow","ipRules":[` + rules(100) + `]}`, ""},
		{`{"defaultAction":"Allow","ipRules":[` + rules(101) + `]}`, "InvalidRequestContent"},
		{`{"defaultAction":"Maybe"}`, "InvalidRequestContent"},
		{`{"defaultAction":"Allow","bypass":"Everything"}`, "InvalidRequestContent"},
		{`{"ipRules":[{"value":""}]}`, "InvalidIpRule"},
		{`{"ipRules":[{}]}`, "InvalidIpRule"},
		{`{"ipRules":[{"value":"8.8.8.8"},{"value":"8.8.8.256"}]}`, "InvalidIpRule"},
		{`{"ipRules":[{"value":"8.8.8.0/33"}]}`, "InvalidIpRule"},
		{`{"ipRules":[{"value":"2001:db8::1"}]}`, "InvalidIpRule"},
		{`{"ipRules":[{"value":"::ffff:8.8.8.8"}]}`, "InvalidIpRule"},
		{`{"ipRules":[{"value":"example.com"}]}`, "InvalidIpRule"},
	} {
		r := w.ARM("PATCH", account, `{"properties":{"networkAcls":`+c.acls+`}}`)
		if c.code == "" && r.Status != 200 || c.code != "" && (r.Status != 400 || r.Code() != c.code) {
			t.Errorf("%.120s: %d %.200s", c.acls, r.Status, r.Body)
		}
	}
	r := w.Need(200, w.ARM("PATCH", account, `{"properties":{"networkAcls":{"defaultAction":"deny","bypass":"azureServices","ipRules":[]}}}`))
	if r.Get("properties", "networkAcls", "defaultAction") != "Deny" || r.Get("properties", "networkAcls", "bypass") != "AzureServices" {
		t.Errorf("enumerations are not in Azure's spelling: %s", r.Body)
	}
	bare := group + accounts + "bare"
	wantError(t, w.ARM("PUT", bare, `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"},"properties":{"networkAcls":{"defaultAction":"Deny"}}}`), 400, "CustomSubDomainNameRequired")
}

func TestDeploymentRules(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "acc")
	put := func(body string) servicetest.Reply { return w.ARM("PUT", account+"/deployments/d", body) }
	for body, code := range map[string]string{
		`{}`: "InvalidResourceProperties",
		`{"properties":{"model":{"name":"gpt-99"}}}`:                                        "DeploymentModelNotSupported",
		`{"properties":{"model":{"name":"gpt-4o","version":"1"}}}`:                          "DeploymentModelNotSupported",
		`{"properties":{"model":{"name":"gpt-4o","format":"Cohere"}}}`:                      "DeploymentModelNotSupported",
		`{"sku":{"name":"Gold"},"properties":{"model":{"name":"gpt-4o"}}}`:                  "InvalidRequestContent",
		`{"sku":{"name":"Standard","capacity":0},"properties":{"model":{"name":"gpt-4o"}}}`: "InvalidCapacity",
		`{"properties":{"model":{"name":"gpt-4o"},"versionUpgradeOption":"Never"}}`:         "InvalidRequestContent",
	} {
		if r := put(body); r.Status != 400 || r.Code() != code {
			t.Errorf("%s: %d %s, want %s", body, r.Status, r.Body, code)
		}
	}
	// api-versions before 2023-05-01 write the capacity in scaleSettings.
	r := w.Need(201, put(`{"properties":{"model":{"format":"OpenAI","name":"GPT-4o"},"scaleSettings":{"scaleType":"Standard","capacity":"7"}}}`))
	if r.Get("sku", "name") != "Standard" || r.Get("sku", "capacity") != 7.0 || r.Get("properties", "model", "version") != "2024-11-20" ||
		r.Get("properties", "model", "name") != "gpt-4o" || r.Get("properties", "capabilities", "chatCompletion") != "true" {
		t.Errorf("deployment: %s", r.Body)
	}
	r = w.Need(200, w.ARM("PATCH", account+"/deployments/d", `{"sku":{"name":"globalstandard","capacity":9}}`))
	if r.Get("sku", "name") != "GlobalStandard" || r.Get("sku", "capacity") != 9.0 || r.Get("properties", "model", "name") != "gpt-4o" {
		t.Errorf("after PATCH: %s", r.Body)
	}
}
