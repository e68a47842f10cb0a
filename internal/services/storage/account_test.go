package storage_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const accounts = "/providers/Microsoft.Storage/storageAccounts/"

const plain = `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{}}`

// make creates an account of general purpose and gives its id.
func makeAccount(w *servicetest.World, group, name string) string {
	id := group + accounts + name
	w.Need(200, w.ARM("PUT", id, plain)) // Azure never answers 201
	return id
}

func wantError(t *testing.T, what string, r servicetest.Reply, status int, code string) {
	t.Helper()
	if r.Status != status || r.Code() != code {
		t.Errorf("%s: status %d, code %q, want %d %s: %s", what, r.Status, r.Code(), status, code, r.Body)
	}
}

// Source: storage.json, StorageAccountCreate.json; the defaults of what is left
// out are Azure's.
func TestAnAccountHasAzuresDefaults(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "stdefaults")
	r := w.Need(200, w.ARM("GET", id, ""))
	for _, c := range []struct {
		want any
		path []string
	}{
		{"StorageV2", []string{"kind"}},
		{"Standard", []string{"sku", "tier"}},
		{"Succeeded", []string{"properties", "provisioningState"}},
		{"Hot", []string{"properties", "accessTier"}},
		{true, []string{"properties", "supportsHttpsTrafficOnly"}},
		{false, []string{"properties", "allowBlobPublicAccess"}},
		{false, []string{"properties", "allowCrossTenantReplication"}},
		{nil, []string{"properties", "allowSharedKeyAccess"}},
		{"TLS1_0", []string{"properties", "minimumTlsVersion"}},
		{"Enabled", []string{"properties", "publicNetworkAccess"}},
		{"Allow", []string{"properties", "networkAcls", "defaultAction"}},
		{"AzureServices", []string{"properties", "networkAcls", "bypass"}},
		{"Microsoft.Storage", []string{"properties", "encryption", "keySource"}},
		{true, []string{"properties", "encryption", "services", "blob", "enabled"}},
		{"https://stdefaults.blob.core.windows.net/", []string{"properties", "primaryEndpoints", "blob"}},
		{nil, []string{"properties", "primaryEndpoints", "file"}}, // which nobody serves
		{"japaneast", []string{"properties", "primaryLocation"}},
		{"available", []string{"properties", "statusOfPrimary"}},
	} {
		if got := r.Get(c.path...); got != c.want {
			t.Errorf("%s is %v, want %v", strings.Join(c.path, "."), got, c.want)
		}
	}
	if r.Get("properties", "keyCreationTime", "key1") == nil || r.Get("properties", "creationTime") == nil {
		t.Errorf("times are missing: %s", r.Body)
	}
}

func TestAccountRules(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	makeAccount(w, group, "stold")
	long := strings.Repeat("a", 25)
	with := func(properties string) string {
		return `"kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{` + properties + `}`
	}
	for _, c := range []struct{ name, id, body, code string }{
		{"short name", "ab", with(""), "AccountNameInvalid"},
		{"long name", long, with(""), "AccountNameInvalid"},
		{"capital", "stNew", with(""), "AccountNameInvalid"},
		{"hyphen", "st-new", with(""), "AccountNameInvalid"},
		{"no kind", "stnew", `"sku":{"name":"Standard_LRS"}`, "MissingRequiredAccountProperty"},
		{"no sku", "stnew", `"kind":"StorageV2"`, "MissingRequiredAccountProperty"},
		{"unknown kind", "stnew", `"kind":"StorageV3","sku":{"name":"Standard_LRS"}`, "InvalidValuesForRequestParameters"},
		{"unknown sku", "stnew", `"kind":"StorageV2","sku":{"name":"Gold_LRS"}`, "InvalidValuesForRequestParameters"},
		{"premium zones of general purpose", "stnew", `"kind":"StorageV2","sku":{"name":"Premium_ZRS"}`, "InvalidValuesForRequestParameters"},
		{"standard block blobs", "stnew", `"kind":"BlockBlobStorage","sku":{"name":"Standard_LRS"}`, "InvalidValuesForRequestParameters"},
		{"zones of blob storage", "stnew", `"kind":"BlobStorage","sku":{"name":"Standard_ZRS"},"properties":{"accessTier":"Hot"}`, "InvalidValuesForRequestParameters"},
		{"blob storage without a tier", "stnew", `"kind":"BlobStorage","sku":{"name":"Standard_LRS"}`, "MissingRequiredAccountProperty"},
		{"hierarchy of v1", "stnew", `"kind":"Storage","sku":{"name":"Standard_LRS"},"properties":{"isHnsEnabled":true}`, "InvalidRequestPropertyValue"},
		{"tier", "stnew", with(`"accessTier":"Tepid"`), "InvalidRequestPropertyValue"},
		{"tls", "stnew", with(`"minimumTlsVersion":"TLS1_3"`), "InvalidRequestPropertyValue"},
		{"perimeter", "stnew", with(`"publicNetworkAccess":"SecuredByPerimeter"`), "InvalidRequestPropertyValue"},
		{"sftp", "stnew", with(`"isSftpEnabled":true`), "InvalidRequestPropertyValue"},
		{"nfs", "stnew", with(`"isNfsV3Enabled":true`), "InvalidRequestPropertyValue"},
		{"custom domain", "stnew", with(`"customDomain":{"name":"blobs.contoso.com"}`), "InvalidRequestPropertyValue"},
		{"copy scope", "stnew", with(`"allowedCopyScope":"AAD"`), "InvalidRequestPropertyValue"},
		{"zone of its own", "stnew", with(`"dnsEndpointType":"AzureDnsZone"`), "InvalidRequestPropertyValue"},
		{"double encryption", "stnew", with(`"encryption":{"requireInfrastructureEncryption":true}`), "InvalidRequestPropertyValue"},
		{"key source", "stnew", with(`"encryption":{"keySource":"Contoso"}`), "InvalidRequestPropertyValue"},
		{"no key", "stnew", with(`"encryption":{"keySource":"Microsoft.Keyvault"}`), "InvalidValuesForRequestParameters"},
		{"no vault", "stnew", with(`"encryption":{"keySource":"Microsoft.Keyvault","keyvaultproperties":{"keyname":"k","keyvaulturi":"https://contoso.com/"}}`), "InvalidValuesForRequestParameters"},
		{"no identity", "stnew", with(`"encryption":{"keySource":"Microsoft.Keyvault","keyvaultproperties":{"keyname":"k","keyvaulturi":"https://contoso.vault.azure.net"}}`), "InvalidValuesForRequestParameters"},
		{"key policy", "stnew", with(`"keyPolicy":{"keyExpirationPeriodInDays":0}`), "InvalidValuesForRequestParameters"},
		{"sas policy", "stnew", with(`"sasPolicy":{"sasExpirationPeriod":"a day","expirationAction":"Log"}`), "InvalidValuesForRequestParameters"},
		{"sas policy that warns", "stnew", with(`"sasPolicy":{"sasExpirationPeriod":"1.00:00:00","expirationAction":"Warn"}`), "InvalidRequestPropertyValue"},
		{"published endpoints", "stnew", with(`"routingPreference":{"publishInternetEndpoints":true}`), "InvalidRequestPropertyValue"},
		{"a flag that is none", "stnew", with(`"allowSharedKeyAccess":"maybe"`), "InvalidRequestContent"},
		{"hierarchy changes", "stold", `"properties":{"isHnsEnabled":true}`, "AccountPropertyCannotBeUpdated"},
		{"kind changes", "stold", `"kind":"BlockBlobStorage","sku":{"name":"Premium_LRS"}`, "InvalidValuesForRequestParameters"},
		{"sku gets zones", "stold", `"sku":{"name":"Standard_ZRS"}`, "InvalidValuesForRequestParameters"},
		{"location changes", "stold", `"location":"eastus"`, "InvalidResourceLocation"},
	} {
		body := c.body
		if !strings.Contains(body, `"location"`) {
			body = `"location":"japaneast",` + body
		}
		r := w.ARM("PUT", group+accounts+c.id, "{"+body+"}")
		if r.Status/100 != 4 || r.Code() != c.code {
			t.Errorf("%s: %d %s, want %s", c.name, r.Status, r.Body, c.code)
		}
	}
	w.Need(404, w.ARM("GET", group+accounts+"stnew", ""))
}

// What a write does not name stays: a PUT of an account that exists is a change
// of it. Source: storage.json StorageAccounts_Create, description.
func TestAWriteLeavesAloneWhatItDoesNotName(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := group + accounts + "stkept"
	w.Need(200, w.ARM("PUT", id, `{"location":"japaneast","kind":"Storage","sku":{"name":"Standard_LRS"},"tags":{"a":"1"},"properties":{"allowSharedKeyAccess":false,
		"networkAcls":{"defaultAction":"Deny","ipRules":[{"value":"8.8.8.8"}]},"isSftpEnabled":false,"provisioningState":"Failed"}}`))
	for _, c := range []struct{ method, body string }{
		{"PUT", `{"location":"japaneast","properties":{}}`},
		{"PUT", `{"location":"japaneast","kind":"StorageV2","properties":{"allowSharedKeyAccess":null}}`}, // and is upgraded
		{"PATCH", `{"properties":{"minimumTlsVersion":"TLS1_2"}}`},
		{"PATCH", `{"sku":{"name":"Standard_GRS"}}`},
		{"PATCH", `{"properties":{"networkAcls":{"bypass":"Metrics, azureservices"}}}`},
	} {
		r := w.Need(200, w.ARM(c.method, id, c.body))
		if r.Get("properties", "allowSharedKeyAccess") != false || r.Get("properties", "networkAcls", "defaultAction") != "Deny" ||
			!strings.Contains(r.Body, `"ipRules":[{"value":"8.8.8.8","action":"Allow"}]`) || r.Get("properties", "provisioningState") != "Succeeded" {
			t.Errorf("after %s %s: %s", c.method, c.body, r.Body)
		}
	}
	r := w.Need(200, w.ARM("GET", id, ""))
	if r.Get("kind") != "StorageV2" || r.Get("sku", "name") != "Standard_GRS" || r.Get("properties", "minimumTlsVersion") != "TLS1_2" ||
		r.Get("properties", "networkAcls", "bypass") != "Metrics, AzureServices" || r.Get("properties", "accessTier") != "Hot" {
		t.Errorf("after all: %s", r.Body)
	}
}

// Source: storage-network-security-limitations.md; Azure/azure-powershell#23640.
func TestNetworkRules(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "strules")
	subnet := w.Subscription + "/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
	search := w.Subscription + "/resourceGroups/rg/providers/Microsoft.Search/searchServices/s"
	rules := func(n int) string { return strings.TrimSuffix(strings.Repeat(`{"value":"8.8.8.8"},`, n), ",") }
	for _, c := range []struct{ acls, invalid string }{
		{`{"defaultAction":"deny","bypass":"Logging,Metrics,AzureServices","ipRules":[{"value":"203.0.113.0/24"},{"value":"8.8.8.8","action":"allow"}]}`, ""},
		{`{"defaultAction":"Allow","bypass":"None"}`, ""},
		{`{"virtualNetworkRules":[{"id":"` + subnet + `"}]}`, ""},
		{`{"resourceAccessRules":[{"tenantId":"` + w.Tenant + `","resourceId":"` + search + `"}]}`, ""},
		{`{"ipRules":[` + rules(400) + `]}`, ""},
		{`{"ipRules":[` + rules(401) + `]}`, "networkAcls.ipRules"},
		{`{"ipRules":[{"value":"8.8.8.0/31"}]}`, "networkAcls.ipRules[*].value"},
		{`{"ipRules":[{"value":"8.8.8.8/32"}]}`, "networkAcls.ipRules[*].value"},
		{`{"ipRules":[{"value":"2001:db8::1"}]}`, "networkAcls.ipRules[*].value"},
		{`{"ipRules":[{"value":"::ffff:8.8.8.8"}]}`, "networkAcls.ipRules[*].value"},
		{`{"ipRules":[{"value":"example.com"}]}`, "networkAcls.ipRules[*].value"},
		{`{"ipRules":[{}]}`, "networkAcls.ipRules[*].value"},
		{`{"ipv6Rules":[{"value":"2001:db8::1"}]}`, "networkAcls.ipv6Rules"},
		{`{"virtualNetworkRules":[{"id":"/subscriptions/x"}]}`, "networkAcls.virtualNetworkRules[*].id"},
		{`{"virtualNetworkRules":[{"id":"` + search + `"}]}`, "networkAcls.virtualNetworkRules[*].id"},
		{`{"resourceAccessRules":[{"tenantId":"contoso","resourceId":"` + search + `"}]}`, "networkAcls.resourceAccessRules[*].tenantId"},
		{`{"resourceAccessRules":[{"tenantId":"` + w.Tenant + `","resourceId":"search"}]}`, "networkAcls.resourceAccessRules[*].resourceId"},
		{`{"bypass":"None, Logging"}`, "networkAcls.bypass"},
		{`{"bypass":"Everything"}`, "networkAcls.bypass"},
		{`{"defaultAction":"Maybe"}`, "networkAcls.defaultAction"},
	} {
		r := w.ARM("PATCH", id, `{"properties":{"networkAcls":`+c.acls+`}}`)
		if c.invalid == "" && r.Status != 200 || c.invalid != "" && (r.Status != 400 || !strings.Contains(r.Message(), c.invalid)) {
			t.Errorf("%.120s: %d %.300s, want %s", c.acls, r.Status, r.Body, c.invalid)
		}
	}
}

// Source: error-storage-account-name.md; storage.json CheckNameAvailabilityResult.
func TestANameBelongsToOneAccountOfTheCloud(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group, other := w.MakeGroup("rg"), w.MakeGroup("other")
	id := makeAccount(w, group, "stwanted")
	w.Need(200, w.ARM("PUT", group+accounts+"stfiles", `{"location":"japaneast","kind":"FileStorage","sku":{"name":"Premium_LRS"}}`))

	for _, name := range []string{"stwanted", "stfiles"} {
		wantError(t, name, w.ARM("PUT", other+accounts+name, plain), 409, "StorageAccountInAnotherResourceGroup")
	}
	elsewhere := w.Subscribe(w.Tenant)
	w.Grant(w.Owner.ID, servicetest.Owner, elsewhere)
	w.Need(200, w.ARM("POST", elsewhere+"/providers/Microsoft.Storage/register", ""))
	w.Make(elsewhere+"/resourceGroups/rg", `{"location":"japaneast"}`)
	wantError(t, "another subscription", w.ARM("PUT", elsewhere+"/resourceGroups/rg"+accounts+"stwanted", plain), 409, "StorageAccountAlreadyTaken")

	check := func(name string) servicetest.Reply {
		return w.Need(200, w.ARM("POST", w.Subscription+"/providers/Microsoft.Storage/checkNameAvailability", `{"name":"`+name+`","type":"Microsoft.Storage/storageAccounts"}`))
	}
	for name, reason := range map[string]any{"stwanted": "AlreadyExists", "stfiles": "AlreadyExists", "Capital": "AccountNameInvalid", "stfree": nil} {
		if r := check(name); r.Get("reason") != reason || r.Get("nameAvailable") != (reason == nil) {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	w.Need(200, w.ARM("DELETE", id, ""))
	if r := check("stwanted"); r.Get("nameAvailable") != true {
		t.Errorf("after the deletion: %s", r.Body)
	}
}

func keysOf(t *testing.T, w *servicetest.World, id string) map[string]string {
	t.Helper()
	r := w.Need(200, w.ARM("POST", id+"/listKeys", ""))
	all := map[string]string{}
	for _, entry := range r.Get("keys").([]any) {
		key := entry.(map[string]any)
		all[fmt.Sprint(key["keyName"])] = fmt.Sprint(key["value"])
		if key["permissions"] != "FULL" || key["creationTime"] == nil {
			t.Errorf("key: %v", key)
		}
	}
	return all
}

func TestKeysAreOf64BytesAndRenewedOneByOne(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := makeAccount(w, group, "stkeys")
	before := keysOf(t, w, id)
	for name, key := range before {
		if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != 64 || len(key) != 88 {
			t.Errorf("%s has %d bytes in %d characters: %v", name, len(raw), len(key), err)
		}
	}
	w.Need(200, w.ARM("PATCH", id, `{"properties":{"allowSharedKeyAccess":false}}`))
	if now := keysOf(t, w, id); now["key1"] != before["key1"] { // Azure lists keys that it does not take
		t.Error("allowSharedKeyAccess changed a key")
	}
	made := w.ARM("GET", id, "").Get("properties", "keyCreationTime").(map[string]any)
	w.Need(200, w.ARM("POST", id+"/regenerateKey", `{"keyName":"Key1"}`))
	after := keysOf(t, w, id)
	if after["key1"] == before["key1"] || after["key2"] != before["key2"] {
		t.Error("not just key1 was renewed")
	}
	now := w.ARM("GET", id, "").Get("properties", "keyCreationTime").(map[string]any)
	if now["key1"] == made["key1"] || now["key2"] != made["key2"] {
		t.Errorf("keyCreationTime was %v, is %v", made, now)
	}
	for _, name := range []string{"", "key3", "kerb1"} {
		wantError(t, name, w.ARM("POST", id+"/regenerateKey", `{"keyName":"`+name+`"}`), 400, "InvalidValuesForRequestParameters")
	}
	// A new account of the name has keys of its own.
	w.Need(200, w.ARM("DELETE", id, ""))
	makeAccount(w, group, "stkeys")
	if again := keysOf(t, w, id); again["key1"] == after["key1"] || again["key2"] == after["key2"] {
		t.Error("an account that was made again has the old keys")
	}
}

func TestUsagesSKUsAndOperations(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	makeAccount(w, w.MakeGroup("rg"), "stcount")
	provider := w.Subscription + "/providers/Microsoft.Storage"
	for location, count := range map[string]float64{"japaneast": 1, "Japan East": 1, "eastus": 0} {
		r := w.Need(200, w.ARM("GET", provider+"/locations/"+location+"/usages", ""))
		if usage := r.Get("value").([]any)[0].(map[string]any); usage["currentValue"] != count || usage["limit"] != 250.0 {
			t.Errorf("%s: %s", location, r.Body)
		}
	}
	if r := w.Need(200, w.ARM("GET", provider+"/skus", "")); !strings.Contains(r.Body, `"Standard_RAGZRS"`) {
		t.Errorf("skus: %.300s", r.Body)
	}
	if r := w.Need(200, w.ARM("GET", "/providers/Microsoft.Storage/operations", "")); !strings.Contains(r.Body, `"Microsoft.Storage/storageAccounts/read"`) {
		t.Errorf("operations: %.300s", r.Body)
	}
	nobody := w.Principal("nobody")
	w.Need(403, w.ARMAs(nobody, "GET", "/providers/Microsoft.Storage/operations", ""))
}
