package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const services = "/providers/Microsoft.Search/searchServices/"

func TestServiceRules(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	for i, c := range []struct{ name, sku, properties, code, target string }{
		{"ok/nothing more", "basic", ``, "", ""},
		{"ok/nine units of basic", "basic", `"replicaCount":3,"partitionCount":3`, "", ""},
		{"ok/36 units", "standard", `"replicaCount":12,"partitionCount":3`, "", ""},
		{"ok/high density", "standard3", `"hostingMode":"HighDensity","partitionCount":3`, "", ""},
		{"ok/roles and keys", "basic", `"authOptions":{"aadOrApiKey":{"aadAuthFailureMode":"http401WithBearerChallenge"}}`, "", ""},
		{"ok/keys off", "basic", `"disableLocalAuth":true`, "", ""},
		{"ok/network", "basic", `"publicNetworkAccess":"enabled","networkRuleSet":{"ipRules":[{"value":"10.0.0.0/8"}],"bypass":"azureServices"}`, "", ""},
		{"ok/semantic", "basic", `"semanticSearch":"standard"`, "", ""},
		{"fail/no sku", "", ``, "SkuRequired", "sku"},
		{"fail/sku", "premium", ``, "InvalidSku", "sku.name"},
		{"fail/replicas of basic", "basic", `"replicaCount":4`, "InvalidReplicaCount", "properties.replicaCount"},
		{"fail/no replicas", "basic", `"replicaCount":-1`, "InvalidReplicaCount", "properties.replicaCount"},
		{"fail/five partitions", "standard", `"partitionCount":5`, "InvalidPartitionCount", "properties.partitionCount"},
		{"fail/37 units", "standard", `"replicaCount":12,"partitionCount":4`, "TooManySearchUnits", "properties"},
		{"fail/high density of basic", "basic", `"hostingMode":"highDensity"`, "InvalidHostingMode", "properties.hostingMode"},
		{"fail/four partitions of high density", "standard3", `"hostingMode":"highDensity","partitionCount":4`, "InvalidPartitionCount", "properties.partitionCount"},
		{"fail/two ways in", "basic", `"authOptions":{"apiKeyOnly":{},"aadOrApiKey":{}}`, "InvalidAuthOptions", "properties.authOptions"},
		{"fail/options and keys off", "basic", `"disableLocalAuth":true,"authOptions":{"apiKeyOnly":{}}`, "AuthOptionsNotAllowed", "properties.authOptions"},
		{"fail/failure mode", "basic", `"authOptions":{"aadOrApiKey":{"aadAuthFailureMode":"http500"}}`, "InvalidRequestContent", "properties.authOptions.aadOrApiKey.aadAuthFailureMode"},
		{"fail/ip rule", "basic", `"networkRuleSet":{"ipRules":[{"value":"fe80::1"}]}`, "InvalidIpRule", "properties.networkRuleSet.ipRules"},
		{"fail/bypass", "basic", `"networkRuleSet":{"bypass":"Everyone"}`, "InvalidRequestContent", "properties.networkRuleSet.bypass"},
		{"fail/network of free", "free", `"publicNetworkAccess":"disabled"`, "NetworkRulesNotSupported", "properties.networkRuleSet"},
		{"fail/semantic of free", "free", `"semanticSearch":"standard"`, "SemanticSearchNotSupported", "properties.semanticSearch"},
		{"fail/semantic plan", "basic", `"semanticSearch":"premium"`, "InvalidRequestContent", "properties.semanticSearch"},
		{"fail/confidential", "basic", `"computeType":"confidential"`, "InvalidRequestContent", "properties.computeType"},
		{"fail/exfiltration", "basic", `"dataExfiltrationProtections":["BlockAll"]`, "InvalidRequestContent", "properties.dataExfiltrationProtections"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sku := ""
			if c.sku != "" {
				sku = `,"sku":{"name":"` + c.sku + `"}`
			}
			r := w.ARM("PUT", group+services+fmt.Sprintf("service-%d", i), `{"location":"japaneast"`+sku+`,"properties":{`+c.properties+`}}`)
			if target, _ := r.Get("error", "target").(string); r.Code() != c.code || target != c.target || (c.code == "") != (r.Status == 201) {
				t.Errorf("%d %s at %q, want %s at %q: %s", r.Status, r.Code(), target, c.code, c.target, r.Body)
			}
		})
	}
	for _, name := range []string{"a", "-ab", "a-b", "ab-", "ab--c", "Ab", "ab_c", strings.Repeat("a", 61)} {
		if r := w.ARM("PUT", group+services+name, `{"location":"japaneast","sku":{"name":"basic"}}`); r.Code() != "InvalidServiceName" {
			t.Errorf("name %q: %d %s", name, r.Status, r.Body)
		}
	}
}

func TestServiceChanges(t *testing.T) {
	h := newHost(t, "basic")
	patch := func(status int, body string) servicetest.Reply {
		t.Helper()
		return h.Need(status, h.ARM("PATCH", h.id, body))
	}
	if r := patch(200, `{"properties":{"authOptions":{"aadOrApiKey":{}}}}`); r.Get("properties", "authOptions", "aadOrApiKey", "aadAuthFailureMode") != "http401WithBearerChallenge" {
		t.Errorf("where nothing is said it is %s", r.Body)
	}
	// Turning keys off takes the options away that were there; new ones are refused.
	patch(200, `{"properties":{"authOptions":{"aadOrApiKey":{"aadAuthFailureMode":"http403"}}}}`)
	if r := patch(200, `{"properties":{"disableLocalAuth":true}}`); r.Get("properties", "authOptions") != nil || r.Get("properties", "disableLocalAuth") != true {
		t.Errorf("with keys off it is %s", r.Body)
	}
	if r := h.call("GET", "/indexes", ""); r.Status != 401 {
		t.Errorf("a key that is off: %d %s", r.Status, r.Body)
	}
	patch(400, `{"properties":{"authOptions":{"aadOrApiKey":{}}}}`)
	patch(200, `{"properties":{"disableLocalAuth":false}}`)
	h.need(200, "GET", "/indexes", "")

	// A tier changes between basic and the standard ones, if what is defined fits.
	if r := patch(200, `{"sku":{"name":"standard"},"properties":{"replicaCount":4}}`); r.Get("sku", "name") != "standard" || r.Get("properties", "replicaCount") != 4.0 {
		t.Errorf("it is %s", r.Body)
	}
	patch(400, `{"sku":{"name":"basic"}}`) // four replicas are too many
	patch(400, `{"sku":{"name":"storage_optimized_l1"}}`)
	for i := range 4 {
		h.need(201, "POST", "/synonymmaps", fmt.Sprintf(`{"name":"m%d","synonyms":"a, b"}`, i))
	}
	if r := patch(400, `{"sku":{"name":"basic"},"properties":{"replicaCount":1}}`); r.Code() != "SkuChangeNotAllowed" || !contains(r.Message(), "4 synonymmaps") {
		t.Errorf("a tier that is too small: %s", r.Body)
	}
	h.need(204, "DELETE", "/synonymmaps/m0", "")
	patch(200, `{"sku":{"name":"basic"},"properties":{"replicaCount":1}}`)
	patch(400, `{"properties":{"hostingMode":"highDensity"}}`)

	// A key is replaced alone.
	before := h.Need(200, h.ARM("POST", h.id+"/listAdminKeys", "")).JSON
	after := h.Need(200, h.ARM("POST", h.id+"/regenerateAdminKey/primary", "")).JSON
	if after["primaryKey"] == before["primaryKey"] || after["secondaryKey"] != before["secondaryKey"] {
		t.Error("the wrong key was replaced")
	}
	if r := h.call("GET", "/indexes", ""); r.Status != 403 {
		t.Errorf("the old key: %d", r.Status)
	}
	h.Need(400, h.ARM("POST", h.id+"/regenerateAdminKey/third", ""))
}

func TestQueryKeys(t *testing.T) {
	h := newHost(t, "basic")
	list := func() (names []any, keys []string) {
		for _, v := range h.Need(200, h.ARM("POST", h.id+"/listQueryKeys", "")).Get("value").([]any) {
			names, keys = append(names, v.(map[string]any)["name"]), append(keys, v.(map[string]any)["key"].(string))
		}
		return names, keys
	}
	if names, _ := list(); !slices.Equal(names, []any{nil}) {
		t.Errorf("a new service has the query keys %v, want one without a name", names)
	}
	made := h.Need(200, h.ARM("POST", h.id+"/createQueryKey/story", ""))
	names, keys := list()
	if !slices.Equal(names, []any{nil, "story"}) || made.Get("key") != keys[1] {
		t.Errorf("the query keys are %v", names)
	}
	for range 2 { // there may be none
		h.Need(204, h.ARM("DELETE", h.id+"/deleteQueryKey/"+keys[0], ""))
	}
	admin := h.Need(200, h.ARM("POST", h.id+"/listAdminKeys", "")).Get("primaryKey").(string)
	h.Need(204, h.ARM("DELETE", h.id+"/deleteQueryKey/"+admin, ""))
	if h.Need(200, h.ARM("POST", h.id+"/listAdminKeys", "")).Get("primaryKey") != admin {
		t.Error("an admin key was deleted as a query key")
	}
	for range 49 {
		h.Need(200, h.ARM("POST", h.id+"/createQueryKey/more", ""))
	}
	if r := h.Need(400, h.ARM("POST", h.id+"/createQueryKey/more", "")); r.Code() != "QuotaExceeded" {
		t.Errorf("the 51st: %s", r.Body)
	}
}

func TestServiceLists(t *testing.T) {
	h := newHost(t, "free")
	location := h.Subscription + "/providers/Microsoft.Search/locations/japaneast/usages"
	if r := h.Need(200, h.ARM("GET", location+"/free", "")); r.Get("currentValue") != 1.0 || r.Get("limit") != 1.0 || r.Get("name", "value") != "free" {
		t.Errorf("usage is %s", r.Body)
	}
	if list, _ := h.Need(200, h.ARM("GET", location, "")).Get("value").([]any); len(list) != 7 {
		t.Errorf("usages are of %d SKUs", len(list))
	}
	h.Need(404, h.ARM("GET", location+"/premium", ""))
	group := strings.Split(h.id, "/providers/")[0]
	if r := h.Need(409, h.ARM("PUT", group+services+"second", `{"location":"japaneast","sku":{"name":"free"}}`)); r.Code() != "ServiceQuotaExceeded" || !contains(r.Message(), "You are using 1 out of 1 'free' tier service quota.") {
		t.Errorf("a second free service: %s", r.Body)
	}
	for name, want := range map[string][2]any{"contoso-search": {false, "AlreadyExists"}, "Bad": {false, "Invalid"}, "fine": {true, ""}} {
		r := h.Need(200, h.ARM("POST", h.Subscription+"/providers/Microsoft.Search/checkNameAvailability", `{"name":"`+name+`","type":"searchServices"}`))
		if r.Get("nameAvailable") != want[0] || r.Get("reason") != want[1] {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	h.Need(400, h.ARM("POST", h.Subscription+"/providers/Microsoft.Search/checkNameAvailability", `{"name":"x1","type":"other"}`))
	if r := h.Need(200, h.ARM("GET", h.id+"/privateLinkResources", "")); !contains(r.Body, "privatelink.search.windows.net") {
		t.Errorf("private link resources are %s", r.Body)
	}
	for _, list := range []string{"/privateEndpointConnections", "/networkSecurityPerimeterConfigurations"} {
		if r := h.Need(200, h.ARM("GET", h.id+list, "")); len(r.Names()) != 0 {
			t.Errorf("%s: %s", list, r.Body)
		}
	}
	for request, code := range map[string]string{
		"GET /privateEndpointConnections/c": "PrivateEndpointConnectionNotFound", "PUT /privateEndpointConnections/c": "PrivateEndpointConnectionNotFound",
		"DELETE /privateEndpointConnections/c":                     "PrivateEndpointConnectionNotFound",
		"GET /networkSecurityPerimeterConfigurations/c":            "NetworkSecurityPerimeterConfigurationNotFound",
		"POST /networkSecurityPerimeterConfigurations/c/reconcile": "NetworkSecurityPerimeterConfigurationNotFound"} {
		method, path, _ := strings.Cut(request, " ")
		if r := h.ARM(method, h.id+path, `{}`); r.Status != 404 || r.Code() != code {
			t.Errorf("%s: %d %s", request, r.Status, r.Body)
		}
	}
	if r := h.Need(200, h.ARM("GET", "/providers/Microsoft.Search/operations", "")); !contains(r.Body, "Microsoft.Search/searchServices/indexes/documents/read") {
		t.Error("the provider's operations lack those of documents")
	}
	stats := h.need(200, "GET", "/servicestats", "")
	if stats.Get("counters", "storageSize", "quota") != float64(50<<20) || stats.Get("counters", "synonymMaps", "quota") != 3.0 {
		t.Errorf("statistics are %s", stats.Body)
	}
}

func TestSharedPrivateLinks(t *testing.T) {
	h := newHost(t, "basic")
	link := h.id + "/sharedPrivateLinkResources/"
	body := func(target, group string) string {
		return `{"properties":{"privateLinkResourceId":"` + h.Subscription + `/resourceGroups/rg/providers/` + target + `","groupId":"` + group + `","requestMessage":"please"}}`
	}
	blobs := "Microsoft.Storage/storageAccounts/st"
	made := h.Need(200, h.ARM("PUT", link+"blobs", body(blobs, "Blob")))
	if made.Get("properties", "status") != "Pending" || made.Get("properties", "provisioningState") != "Succeeded" || made.Get("properties", "groupId") != "blob" {
		t.Errorf("it is %s", made.Body)
	}
	if r := h.Need(200, h.ARM("PUT", link+"blobs", strings.Replace(body(blobs, "blob"), "please", "again", 1))); r.Get("properties", "requestMessage") != "again" {
		t.Errorf("it became %s", r.Body)
	}
	for _, c := range []struct{ name, body, code string }{
		{"blobs", body(blobs, "dfs"), "SharedPrivateLinkResourceChangeNotAllowed"},
		{"other", body(blobs, "queue"), "InvalidGroupId"},
		{"other", body("Microsoft.Compute/virtualMachines/vm", "x"), "UnsupportedResourceType"},
		{"other", `{"properties":{"privateLinkResourceId":"st","groupId":"blob"}}`, "InvalidPrivateLinkResourceId"},
		{"other", `{"properties":{"groupId":"blob"}}`, "InvalidPrivateLinkResourceId"},
		{"-", body(blobs, "dfs"), "InvalidResourceName"},
	} {
		if r := h.ARM("PUT", link+c.name, c.body); r.Code() != c.code {
			t.Errorf("%s: %d %s, want %s", c.body, r.Status, r.Body, c.code)
		}
	}
	// A service of the SKU basic has links of four kinds, and ten of them.
	for _, group := range []string{"table", "dfs", "file"} {
		h.Need(200, h.ARM("PUT", link+group, body(blobs, group)))
	}
	if r := h.ARM("PUT", link+"vault", body("Microsoft.KeyVault/vaults/kv", "vault")); r.Code() != "SharedPrivateLinkResourceQuotaExceeded" {
		t.Errorf("a fifth kind: %s", r.Body)
	}
	for i := range 6 {
		h.Need(200, h.ARM("PUT", link+fmt.Sprintf("more%d", i), body(blobs+fmt.Sprint(i), "blob")))
	}
	if r := h.ARM("PUT", link+"eleventh", body(blobs, "blob")); r.Code() != "SharedPrivateLinkResourceQuotaExceeded" {
		t.Errorf("an eleventh: %s", r.Body)
	}
	if names := h.Need(200, h.ARM("GET", h.id+"/sharedPrivateLinkResources", "")).Names(); len(names) != 10 {
		t.Errorf("links are %v", names)
	}
	if list, _ := h.Need(200, h.ARM("GET", h.id, "")).Get("properties", "sharedPrivateLinkResources").([]any); len(list) != 10 {
		t.Errorf("the service shows %d links", len(list))
	}
	h.Need(204, h.ARM("DELETE", link+"blobs", ""))
	h.Need(404, h.ARM("GET", link+"blobs", ""))
	h.Need(200, h.ARM("DELETE", h.id, ""))

	free := newHost(t, "free")
	if r := free.ARM("PUT", free.id+"/sharedPrivateLinkResources/x", strings.Replace(body(blobs, "blob"), h.Subscription, free.Subscription, 1)); r.Code() != "SharedPrivateLinkResourcesNotSupported" {
		t.Errorf("of a free service: %s", r.Body)
	}
}
