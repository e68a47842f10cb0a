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
