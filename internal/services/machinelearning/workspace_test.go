package machinelearning_test

import (
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const workspaces = "/providers/Microsoft.MachineLearningServices/workspaces/"

// linked are the properties that every workspace has.
func linked(group string) string {
	return `"storageAccount":"` + group + `/providers/Microsoft.Storage/storageAccounts/st","keyVault":"` + group + `/providers/Microsoft.KeyVault/vaults/kv",` +
		`"applicationInsights":"` + group + `/providers/Microsoft.Insights/components/ai"`
}

const system = `"identity":{"type":"SystemAssigned"},`

func newWorkspace(w *servicetest.World, group, name string) string {
	return w.Make(group+workspaces+name, `{"location":"japaneast",`+system+`"properties":{`+linked(group)+`}}`)
}

func TestWorkspaceRules(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	user := w.Make(group+"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/user", `{"location":"japaneast"}`)
	properties := func(more string) string { return system + `"properties":{` + linked(group) + `,` + more + `}` }
	assigned := `"identity":{"type":"UserAssigned","userAssignedIdentities":{"` + user + `":{}}},"properties":{` + linked(group)
	for _, c := range []struct{ name, id, body, code, target string }{
		{"ok/nothing more", "ok-1", system + `"properties":{` + linked(group) + `}`, "", ""},
		{"ok/sku by tier alone", "ok-2", `"sku":{"tier":"basic"},` + properties(`"friendlyName":"x"`), "", ""},
		{"ok/kind written out", "ok-3", `"kind":"default",` + properties(`"friendlyName":"x"`), "", ""},
		{"ok/user-assigned, named as primary", "ok-4", assigned + `,"primaryUserAssignedIdentity":"` + strings.ToUpper(user) + `"}`, "", ""},
		{"ok/what is off", "ok-5", properties(`"encryption":{"status":"Disabled"},"managedNetwork":{"isolationMode":"disabled"},"associatedWorkspaces":[],"enableDataIsolation":false,"hubResourceId":null`), "", ""},
		{"fail/no linked resources", "new", system + `"properties":{}`, "ValidationError", "workspace"},
		{"fail/no key vault", "new", system + `"properties":{"storageAccount":"` + group + `/providers/Microsoft.Storage/storageAccounts/st"}`, "ValidationError", "workspace"},
		{"fail/a vault as the registry", "new", properties(`"containerRegistry":"` + group + `/providers/Microsoft.KeyVault/vaults/kv"`), "ValidationError", "properties.containerRegistry"},
		{"fail/a name as the registry", "new", properties(`"containerRegistry":"registry"`), "ValidationError", "properties.containerRegistry"},
		{"fail/no identity", "new", `"properties":{` + linked(group) + `}`, "ValidationError", "identity"},
		{"fail/identity None", "new", `"identity":{"type":"None"},"properties":{` + linked(group) + `}`, "ValidationError", "identity"},
		{"fail/user-assigned, none primary", "new", assigned + `}`, "ValidationError", "properties.primaryUserAssignedIdentity"},
		{"fail/primary that it does not bear", "new", properties(`"primaryUserAssignedIdentity":"` + user + `"`), "ValidationError", "properties.primaryUserAssignedIdentity"},
		{"fail/a hub", "new", `"kind":"Hub",` + properties(`"friendlyName":"x"`), "ValidationError", "kind"},
		{"fail/a project", "new", `"kind":"Project",` + properties(`"hubResourceId":"`+group+workspaces+`hub"`), "ValidationError", "kind"},
		{"fail/of a hub", "new", properties(`"hubResourceId":"` + group + workspaces + `hub"`), "ValidationError", "properties.hubResourceId"},
		{"fail/its own key", "new", properties(`"encryption":{"status":"Enabled"}`), "ValidationError", "properties.encryption"},
		{"fail/encryption without a status", "new", properties(`"Encryption":{}`), "ValidationError", "properties.Encryption"},
		{"fail/managed network", "new", properties(`"managedNetwork":{"isolationMode":"AllowOnlyApprovedOutbound"}`), "ValidationError", "properties.managedNetwork"},
		{"fail/data isolation", "new", properties(`"enableDataIsolation":true`), "ValidationError", "properties.enableDataIsolation"},
		{"fail/sku", "new", `"sku":{"name":"Enterprise"},` + properties(`"friendlyName":"x"`), "ValidationError", "sku"},
		{"fail/publicNetworkAccess", "new", properties(`"publicNetworkAccess":"Sometimes"`), "ValidationError", "properties.publicNetworkAccess"},
		{"fail/a flag that is none", "new", properties(`"hbiWorkspace":"perhaps"`), "InvalidRequestContent", "properties.hbiWorkspace"},
		{"fail/short name", "ml", properties(`"friendlyName":"x"`), "InvalidResourceName", "name"},
		{"fail/long name", strings.Repeat("a", 34), properties(`"friendlyName":"x"`), "InvalidResourceName", "name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.ARM("PUT", group+workspaces+c.id, `{"location":"japaneast",`+c.body+`}`)
			if c.code == "" {
				if r.Status != 201 || r.Get("kind") != "Default" || r.Get("sku", "name") != "Basic" || r.Get("sku", "tier") != "Basic" {
					t.Errorf("%d %s", r.Status, r.Body)
				}
				return
			}
			if r.Status != 400 || r.Code() != c.code || r.Get("error", "target") != c.target {
				t.Errorf("%d %s, want %s at %s", r.Status, r.Body, c.code, c.target)
			}
			w.Need(404, w.ARM("GET", group+workspaces+c.id, ""))
		})
	}
}

func TestAWorkspaceShowsWhatAzureShows(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := newWorkspace(w, w.MakeGroup("rg"), "Studio")
	r := w.Need(200, w.ARM("GET", id, ""))
	workspaceID, _ := r.Get("properties", "workspaceId").(string)
	for property, want := range map[string]any{
		"provisioningState": "Succeeded", "tenantId": w.Tenant, "publicNetworkAccess": "Enabled", "hbiWorkspace": false, "v1LegacyMode": false,
		"containerRegistry": nil, "discoveryUrl": "https://japaneast.api.azureml.ms/discovery", "privateLinkCount": 0.0, "storageHnsEnabled": false,
		"mlFlowTrackingUri": "azureml://japaneast.api.azureml.ms/mlflow/v1.0" + id,
	} {
		if got := r.Get("properties", property); got != want {
			t.Errorf("%s is %v, want %v", property, got, want)
		}
	}
	if principal, _ := r.Get("identity", "principalId").(string); principal == "" || r.Get("identity", "type") != "SystemAssigned" {
		t.Errorf("its identity: %s", r.Body)
	}
	target, err := w.Reader.Resolve(t.Context(), &url.URL{Host: workspaceID + ".workspace.japaneast.api.azureml.ms"})
	if err != nil || string(target.Scope) != id || target.Service != "machinelearning" {
		t.Errorf("its host leads to %+v, %v", target, err)
	}
}

func TestWhatAWriteOfAWorkspaceKeepsAndWhatItCannotChange(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := newWorkspace(w, group, "studio")
	first := w.Need(200, w.ARM("GET", id, ""))

	r := w.Need(200, w.ARM("PATCH", id, `{"properties":{"description":"d","publicNetworkAccess":"disabled","workspaceId":"mine"}}`))
	if r.Get("properties", "description") != "d" || r.Get("properties", "publicNetworkAccess") != "Disabled" {
		t.Errorf("after the PATCH: %s", r.Body)
	}
	// A PUT that leaves out what can't change means what is there.
	r = w.Need(200, w.ARM("PUT", id, `{"location":"japaneast",`+system+`"properties":{"description":"e"}}`))
	for _, property := range []string{"workspaceId", "storageAccount", "keyVault", "applicationInsights"} {
		if r.Get("properties", property) != first.Get("properties", property) {
			t.Errorf("%s became %v", property, r.Get("properties", property))
		}
	}
	if r.Get("identity", "principalId") != first.Get("identity", "principalId") {
		t.Errorf("another identity: %s", r.Body)
	}
	for _, c := range []struct{ body, code string }{
		{`{"properties":{"storageAccount":"` + group + `/providers/Microsoft.Storage/storageAccounts/other"}}`, "BadRequest"},
		{`{"properties":{"keyVault":"` + group + `/providers/Microsoft.KeyVault/vaults/other"}}`, "BadRequest"},
		{`{"properties":{"hbiWorkspace":true}}`, "BadRequest"},
		{`{"kind":"Hub"}`, "ValidationError"},
		{`{"identity":{"type":"None"}}`, "ValidationError"},
		{`{"properties":{"encryption":{"status":"Enabled"}}}`, "ValidationError"},
	} {
		if r := w.ARM("PATCH", id, c.body); r.Status != 400 || r.Code() != c.code {
			t.Errorf("%s: %d %s, want %s", c.body, r.Status, r.Body, c.code)
		}
	}
	w.Need(200, w.ARM("DELETE", id, ""))
	w.Need(404, w.ARM("GET", id, ""))
	// It comes back as another one.
	newWorkspace(w, group, "studio")
	if r := w.Need(200, w.ARM("GET", id, "")); r.Get("properties", "workspaceId") == first.Get("properties", "workspaceId") {
		t.Error("the new workspace has the old one's id")
	}
}

func TestWorkspacesAreListed(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	one, two := w.MakeGroup("one"), w.MakeGroup("two")
	newWorkspace(w, one, "studio-1")
	newWorkspace(w, two, "studio-2")
	reader := w.Principal("reader")
	w.Grant(reader.ID, servicetest.Reader, two)
	list := func(as *servicetest.Principal, scope string) int {
		t.Helper()
		r := w.Need(200, w.Do(servicetest.Request{Method: "GET", URL: servicetest.URL(scope + strings.TrimSuffix(workspaces, "/")), As: as}))
		all, _ := r.Get("value").([]any)
		return len(all)
	}
	for scope, want := range map[string][2]int{w.Subscription: {2, 1}, two: {1, 1}} {
		if owner, limited := list(&w.Owner, scope), list(&reader, scope); owner != want[0] || limited != want[1] {
			t.Errorf("%s: the owner sees %d, the reader of one group %d, want %v", scope, owner, limited, want)
		}
	}
}
