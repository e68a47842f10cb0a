package arm_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"sekisho/internal/arm"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
)

// The view reads changes in the order in which documents were last written, and
// many at a time: a host name that went from one account to another must not go
// with the first one's later change.
func TestAHostNameThatChangedHandsStays(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	first, second := w.MakeAccount(group, "wanted"), group+accounts+"second"
	accountType, _ := w.Registry.Get("Microsoft.CognitiveServices/accounts")
	put := func(id, properties string) {
		_, _, err := w.Manager.Put(t.Context(), arm.Write{Type: accountType, ID: id, Change: func(*arm.Resource) (*arm.Resource, error) {
			return &arm.Resource{Location: "japaneast", Kind: "OpenAI", SKU: &arm.SKU{Name: "S0"}, Properties: json.RawMessage(properties)}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	leadsTo := func(id string) {
		t.Helper()
		target, err := w.Reader.Resolve(t.Context(), &url.URL{Host: "wanted.openai.azure.com"})
		if err != nil || string(target.Scope) != id {
			t.Errorf("the host leads to %q, %v", target.Scope, err)
		}
	}
	leadsTo(first)
	// None of this asks the view, so that it sees all of it at once.
	if found, err := w.Manager.Delete(t.Context(), first, ""); !found || err != nil {
		t.Fatal(found, err)
	}
	w.Update(func(tx *store.Tx) error {
		return tx.Delete("deletedAccount", w.Subscription+"/providers/Microsoft.CognitiveServices/locations/japaneast/resourceGroups/rg/deletedAccounts/wanted")
	})
	put(second, `{"customSubDomainName":"wanted"}`)
	put(first, `{}`)
	leadsTo(second)
}

// Opened keys are those of now, also right after one was regenerated, and none once
// the account is gone.
func TestOpenedKeysAreThoseOfNow(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := w.MakeAccount(w.MakeGroup("rg"), "keyed")
	opened := func() map[string]string {
		t.Helper()
		keys, err := w.Reader.Keys(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	regenerate := func(name string) {
		t.Helper()
		w.Need(200, w.ARM("POST", id+"/regenerateKey?api-version=2024-10-01", `{"keyName":"`+name+`"}`))
	}
	before := opened()
	if len(before) != 2 || opened()["key1"] != before["key1"] {
		t.Fatalf("%d keys", len(before))
	}
	regenerate("Key1")
	if now := opened(); now["key1"] == before["key1"] || now["key2"] != before["key2"] {
		t.Error("the first key is not the new one, or the second is not the old one")
	}
	if found, err := w.Manager.Delete(t.Context(), id, ""); !found || err != nil {
		t.Fatal(found, err)
	}
	if len(opened()) != 0 {
		t.Error("keys of an account that is gone")
	}
}
