package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

func TestWhatCanBeMade(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "mine")
	const ns = "/providers/Microsoft.CognitiveServices"
	r := w.Need(200, w.ARM("GET", w.Subscription+ns+"/skus", ""))
	if !strings.Contains(r.Body, `"kind":"AIServices"`) || !strings.Contains(r.Body, `"JAPANEAST"`) || !strings.Contains(r.Body, `"name":"S0"`) {
		t.Errorf("skus: %s", r.Body)
	}
	if r := w.Need(200, w.ARM("GET", account+"/skus", "")); !strings.Contains(r.Body, `"sku":{"name":"S0","tier":"Standard"}`) {
		t.Errorf("skus of the account: %s", r.Body)
	}
	w.Need(404, w.ARM("GET", account+"x/skus", ""))

	first := func(r servicetest.Reply) map[string]any { return r.Get("value").([]any)[0].(map[string]any) }
	check := w.Subscription + ns + "/locations/japaneast/checkSkuAvailability"
	for body, want := range map[string]bool{
		`{"skus":["S0"],"kind":"OpenAI","type":"Microsoft.CognitiveServices/accounts"}`: true,
		`{"skus":["F0"],"kind":"OpenAI","type":"Microsoft.CognitiveServices/accounts"}`: false,
		`{"skus":["S0"],"kind":"Face","type":"Microsoft.CognitiveServices/accounts"}`:   false,
	} {
		if r := w.Need(200, w.ARM("POST", check, body)); first(r)["skuAvailable"] != want {
			t.Errorf("%s: %s", body, r.Body)
		}
	}
	wantError(t, w.ARM("POST", check, `{"kind":"OpenAI"}`), 400, "InvalidRequestContent")
	wantError(t, w.ARM("POST", strings.Replace(check, "japaneast", "moon", 1), `{}`), 400, "LocationNotAvailableForResourceType")
}

func TestWhichSubdomainsAreFree(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	w.MakeAccount(group, "mine")
	w.Need(200, w.ARM("DELETE", w.MakeAccount(group, "gone"), ""))
	check := w.Subscription + "/providers/Microsoft.CognitiveServices/checkDomainAvailability"
	for name, want := range map[string]bool{"free": true, "mine": false, "MINE": false, "gone": false, "a.b": false} {
		r := w.Need(200, w.ARM("POST", check, fmt.Sprintf(`{"subdomainName":%q,"type":"Microsoft.CognitiveServices/accounts"}`, name)))
		if r.Get("isSubdomainAvailable") != want || (r.Get("reason") == nil) != want || r.Get("subdomainName") != name {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	wantError(t, w.ARM("POST", check, `{"subdomainName":"x"}`), 400, "InvalidRequestContent")
	wantError(t, w.ARM("POST", check, ``), 400, "InvalidRequestContent")
}

func TestUsagesAreWhatIsDeployed(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	one, two := w.MakeAccount(group, "one"), w.MakeAccount(group, "two")
	far := w.Make(group+accounts+"far", `{"location":"eastus","kind":"OpenAI","sku":{"name":"S0"}}`)
	deploy := func(account, name, sku string, capacity int) servicetest.Reply {
		return w.ARM("PUT", account+"/deployments/"+name, fmt.Sprintf(`{"sku":{"name":%q,"capacity":%d},"properties":{"model":{"format":"OpenAI","name":"gpt-4o"}}}`, sku, capacity))
	}
	for _, account := range []string{one, two, far} {
		w.Need(201, deploy(account, "a", "Standard", 10))
	}
	w.Need(201, deploy(one, "b", "GlobalStandard", 5))
	usages := func(path string) string {
		all := ""
		for _, v := range w.Need(200, w.ARM("GET", path, "")).Get("value").([]any) {
			u := v.(map[string]any)
			all += fmt.Sprintf("%v %v/%v %v;", u["name"].(map[string]any)["value"], u["currentValue"], u["limit"], u["unit"])
		}
		return all
	}
	locations := w.Subscription + "/providers/Microsoft.CognitiveServices/locations/"
	for path, want := range map[string]string{
		one + "/usages":                "OpenAI.GlobalStandard.gpt-4o 5/100000 Count;OpenAI.Standard.gpt-4o 10/100000 Count;",
		locations + "japaneast/usages": "OpenAI.GlobalStandard.gpt-4o 5/100000 Count;OpenAI.Standard.gpt-4o 20/100000 Count;",
		locations + "eastus/usages":    "OpenAI.Standard.gpt-4o 10/100000 Count;",
		locations + "westus/usages":    "",
	} {
		if got := usages(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	// The limit is one.
	w.Need(200, deploy(two, "a", "Standard", 99_990))
	wantError(t, deploy(one, "a", "Standard", 11), 400, "InsufficientQuota")
	wantError(t, deploy(one, "c", "Standard", 1), 400, "InsufficientQuota")
	w.Need(200, deploy(far, "a", "Standard", 100_000))
	w.Need(404, w.ARM("GET", one+"/deployments/c", ""))
}
