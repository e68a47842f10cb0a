package openai_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/servicetest"
)

// deletedAt is the id of a deleted account of the group rg.
func deletedAt(w *servicetest.World, location, name string) string {
	return w.Subscription + "/providers/Microsoft.CognitiveServices/locations/" + location + "/resourceGroups/rg/deletedAccounts/" + name
}

const accountBody = `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"}}`

const restore = `{"location":"japaneast","properties":{"restore":true}}`

// Source: recover-purge-resources.md.
func TestADeletedAccountComesBackAsItWas(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := w.Make(group+accounts+"acc", `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"},"tags":{"a":"b"},"identity":{"type":"SystemAssigned"},
		"properties":{"customSubDomainName":"acc","networkAcls":{"defaultAction":"Deny","ipRules":[{"value":"127.0.0.1"}]}}}`)
	w.Deploy(id, "chat", "gpt-4o")
	keys := w.Need(200, w.ARM("POST", id+"/listKeys", ""))
	key := keys.Get("key1").(string)
	w.Need(200, chat(w, "acc.openai.azure.com", key))

	w.Need(200, w.ARM("DELETE", group, "")) // with all that is in it
	for _, path := range []string{id, id + "/deployments/chat"} {
		w.Need(404, w.ARM("GET", path, ""))
	}
	w.Need(404, w.ARM("POST", id+"/listKeys", ""))
	if regional := w.Do(servicetest.Request{Method: "GET", URL: "https://japaneast.api.cognitive.microsoft.com/openai/models?api-version=2024-10-21", Key: key}); regional.Status < 400 {
		t.Errorf("the key of a deleted account lets in: %s", regional.Body)
	}
	list := w.Need(200, w.ARM("GET", w.Subscription+"/providers/Microsoft.CognitiveServices/deletedAccounts", ""))
	if !slices.Equal(list.Names(), []string{"acc"}) || strings.Contains(list.Body, "sealed") {
		t.Errorf("list: %s", list.Body)
	}
	one := w.Need(200, w.ARM("GET", strings.ToUpper(deletedAt(w, "japaneast", "acc")), ""))
	if one.Get("id") != deletedAt(w, "japaneast", "acc") || one.Get("location") != "japaneast" || one.Get("kind") != "OpenAI" {
		t.Errorf("deleted: %s", one.Body)
	}
	was, err := time.Parse(time.RFC3339, one.Get("properties", "deletionDate").(string))
	goes, err2 := time.Parse(time.RFC3339, one.Get("properties", "scheduledPurgeDate").(string))
	if err != nil || err2 != nil || goes.Sub(was) != 48*time.Hour {
		t.Errorf("dates: %s", one.Body)
	}

	w.MakeGroup("rg")
	r := w.ARM("PUT", id, accountBody)
	wantError(t, r, 409, "FlagMustBeSetForRestore")
	if want := "An existing resource with ID '" + id + "' has been soft-deleted. To restore the resource, you must specify 'restore' to be 'true' in the property. If you don't want to restore existing resource, please purge it first."; r.Message() != want {
		t.Errorf("message %q", r.Message())
	}
	wantError(t, w.ARM("PUT", id, `{"location":"eastus","properties":{"restore":true}}`), 409, "InvalidResourceLocation")
	wantError(t, w.ARM("PUT", id, `{"location":"japaneast","kind":"AIServices","properties":{"restore":true}}`), 400, "InvalidRequestContent")
	wantError(t, w.ARM("PUT", id, `{"location":"japaneast","properties":{"restore":true,"customSubDomainName":"other"}}`), 400, "CustomSubDomainNameNotChangeable")
	w.Need(404, w.ARM("GET", id, ""))

	r = w.Need(201, w.ARM("PUT", strings.ToUpper(id), restore)) // what az cognitiveservices account recover sends
	if r.Get("id") != id || r.Get("properties", "networkAcls", "defaultAction") != "Deny" || r.Get("tags", "a") != "b" || strings.Contains(r.Body, "restore") {
		t.Errorf("restored: %s", r.Body)
	}
	if r.Get("identity", "principalId") == nil {
		t.Errorf("no identity: %s", r.Body)
	}
	w.Need(200, w.ARM("GET", id+"/deployments/chat", ""))
	if again := w.Need(200, w.ARM("POST", id+"/listKeys", "")); again.Body != keys.Body {
		t.Error("the keys are others")
	}
	w.Need(200, chat(w, "acc.openai.azure.com", key))
	w.Need(404, w.ARM("GET", deletedAt(w, "japaneast", "acc"), ""))

	// What is given besides is written over it.
	w.Need(200, w.ARM("DELETE", id, ""))
	r = w.Need(201, w.ARM("PUT", id, `{"location":"Japan East","tags":{},"properties":{"restore":"true","disableLocalAuth":true}}`))
	if r.Get("properties", "disableLocalAuth") != true || r.Get("properties", "networkAcls", "defaultAction") != "Deny" || r.Get("tags", "a") != nil {
		t.Errorf("restored: %s", r.Body)
	}
}

func TestADeletedAccountIsPurgedByHandOrByTime(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	deleted := deletedAt(w, "japaneast", "acc")
	list := w.Subscription + "/providers/Microsoft.CognitiveServices/deletedAccounts"
	for name, purge := range map[string]func(){
		"by hand": func() { w.Need(200, w.ARM("DELETE", deleted, "")) },
		"by time": func() {
			w.Later += 48*time.Hour - time.Minute
			w.Need(200, w.ARM("GET", deleted, ""))
			w.Later += 2 * time.Minute
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := w.MakeAccount(group, "acc")
			w.Deploy(id, "chat", "gpt-4o")
			key := w.Need(200, w.ARM("POST", id+"/listKeys", "")).Get("key1")
			w.Need(200, w.ARM("DELETE", id, ""))
			purge()
			w.Need(404, w.ARM("GET", deleted, ""))
			if names := w.ARM("GET", list, "").Names(); len(names) != 0 {
				t.Errorf("list: %v", names)
			}
			wantError(t, w.ARM("PUT", id, restore), 409, "CanNotRestoreANonExistingResource")
			other := w.Make(group+accounts+"other", strings.Replace(accountBody, `"S0"}`, `"S0"},"properties":{"customSubDomainName":"acc"}`, 1))
			w.Need(200, w.ARM("DELETE", other, ""))
			w.Need(200, w.ARM("DELETE", deletedAt(w, "japaneast", "other"), ""))
			w.MakeAccount(group, "acc")
			w.Need(404, w.ARM("GET", id+"/deployments/chat", ""))
			if w.ARM("POST", id+"/listKeys", "").Get("key1") == key {
				t.Error("the new account has the old key")
			}
			w.Need(200, w.ARM("DELETE", id, ""))
			w.Need(200, w.ARM("DELETE", deleted, ""))
			w.Need(204, w.ARM("DELETE", deleted, ""))
		})
	}
}

func TestALockKeepsADeletedAccountFromPurge(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := w.MakeAccount(w.MakeGroup("rg"), "acc")
	w.Need(200, w.ARM("DELETE", id, ""))
	lock := w.Make(w.Subscription+"/providers/Microsoft.Authorization/locks/keep", `{"properties":{"level":"CanNotDelete"}}`)
	wantError(t, w.ARM("DELETE", deletedAt(w, "japaneast", "acc"), ""), 409, "ScopeLocked")
	w.Need(200, w.ARM("DELETE", lock, ""))
	w.Need(200, w.ARM("DELETE", deletedAt(w, "japaneast", "acc"), ""))
}

// Source: recover-purge-resources.md, "Prerequisites": the action to purge is
// Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/delete,
// at the subscription.
func TestWhoMaySeeAndPurgeDeletedAccounts(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	w.Need(200, w.ARM("DELETE", w.MakeAccount(group, "acc"), ""))
	deleted := deletedAt(w, "japaneast", "acc")
	list := w.Subscription + "/providers/Microsoft.CognitiveServices/deletedAccounts"
	for _, c := range []struct {
		role, scope      string
		list, get, purge int
	}{
		{servicetest.Contributor, group, 403, 403, 403},
		{servicetest.Reader, w.Subscription, 200, 200, 403},
		{servicetest.OpenAIUser, w.Subscription, 200, 200, 403},
		{servicetest.Contributor, w.Subscription, 200, 200, 200},
	} {
		p := w.Principal(c.role + c.scope)
		w.Grant(p.ID, c.role, c.scope)
		got := []int{w.ARMAs(p, "GET", list, "").Status, w.ARMAs(p, "GET", deleted, "").Status, w.ARMAs(p, "DELETE", deleted, "").Status}
		if want := []int{c.list, c.get, c.purge}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s at %s: %v, want %v", c.role, c.scope, got, want)
		}
	}
}
