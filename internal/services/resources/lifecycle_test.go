package resources_test

import (
	"slices"
	"strings"
	"testing"

	"sekisho/internal/entra"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
)

const fabrikam = "22222222-0000-0000-0000-000000000002"

// people makes a second tenant, and Ann: at home in the first one, and a guest of
// the second in the state given.
func people(w *servicetest.World, state string) (home, guest servicetest.Principal) {
	const ann, abroad = "d0000000-0000-0000-0000-000000000001", "d0000000-0000-0000-0000-000000000002"
	w.Update(func(tx *store.Tx) error {
		if err := entra.PutTenant(tx, entra.Tenant{ID: fabrikam, DisplayName: "Fabrikam", Domains: []string{"fabrikam.com", "fabrikam.onmicrosoft.com"}}); err != nil {
			return err
		}
		if err := entra.PutUser(tx, w.Tenant, entra.User{ID: ann, UserPrincipalName: "ann@contoso.com", AccountEnabled: true}); err != nil {
			return err
		}
		return entra.PutUser(tx, fabrikam, entra.User{ID: abroad, UserPrincipalName: "ann_contoso.com#EXT#@fabrikam.onmicrosoft.com", AccountEnabled: true,
			Home: &entra.HomeAccount{Tenant: w.Tenant, Object: ann}, ExternalState: state})
	})
	return w.Known(ann), w.Known(abroad)
}

func tenantIDs(t *testing.T, w *servicetest.World, as servicetest.Principal) (ids []string) {
	t.Helper()
	entries, _ := w.Need(200, w.ARMAs(as, "GET", "/tenants", "")).Get("value").([]any)
	for _, e := range entries {
		tenant := e.(map[string]any)
		ids = append(ids, tenant["tenantId"].(string))
		if tenant["tenantCategory"] != "Home" || tenant["defaultDomain"] == "" || tenant["displayName"] == "" {
			t.Errorf("a tenant is shown as %v", tenant)
		}
	}
	return ids
}

func TestTenantsAreThoseOfAllAccounts(t *testing.T) {
	for state, want := range map[string][]string{entra.Accepted: {"home", fabrikam}, entra.PendingAcceptance: {"home"}} {
		w := servicetest.New(t, servicetest.Builtin)
		want[0] = w.Tenant
		home, guest := people(w, state)
		asking := []servicetest.Principal{home}
		if state == entra.Accepted { // before, the guest gets no token of that tenant
			asking = append(asking, guest)
		}
		for _, as := range asking {
			if got := tenantIDs(t, w, as); !slices.Equal(got, want) {
				t.Errorf("%s, %s: tenants %v, want %v", state, as.Name, got, want)
			}
		}
		if got := tenantIDs(t, w, w.PrincipalIn(fabrikam, "theirs")); !slices.Equal(got, []string{fabrikam}) {
			t.Errorf("an application of Fabrikam sees %v", got)
		}
	}
}

func TestATokenSeesTheSubscriptionsOfItsTenant(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	home, guest := people(w, entra.Accepted)
	theirs := w.Subscribe(fabrikam)
	for _, p := range []servicetest.Principal{home, guest} { // each has a role in both
		w.Grant(p.ID, servicetest.Reader, w.Subscription)
		w.Grant(p.ID, servicetest.Reader, theirs)
	}
	for _, c := range []struct {
		as          servicetest.Principal
		sees, hides string
	}{{home, w.Subscription, theirs}, {guest, theirs, w.Subscription}} {
		list := w.Need(200, w.ARMAs(c.as, "GET", "/subscriptions", ""))
		if !strings.Contains(list.Body, c.sees) || strings.Contains(list.Body, c.hides) {
			t.Errorf("%s sees %s", c.as.Name, list.Body)
		}
		if r := w.ARMAs(c.as, "GET", c.hides, ""); r.Status != 401 || r.Code() != "InvalidAuthenticationTokenTenant" {
			t.Errorf("%s reads the other tenant's: %d %s", c.as.Name, r.Status, r.Body)
		}
	}
}

func TestSubscriptionsAreRenamed(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	path := w.Subscription + "/providers/Microsoft.Subscription/rename"
	w.Need(200, w.ARM("PUT", w.Subscription+"/providers/Microsoft.Resources/tags/default", `{"properties":{"tags":{"a":"b"}}}`))
	r := w.Need(200, w.ARM("POST", path, `{"subscriptionName":"New name"}`))
	if r.Get("subscriptionId") != strings.TrimPrefix(w.Subscription, "/subscriptions/") {
		t.Errorf("renamed: %s", r.Body)
	}
	if one := w.ARM("GET", w.Subscription, ""); one.Get("displayName") != "New name" || one.Get("tags", "a") != "b" {
		t.Errorf("after the renaming: %s", one.Body)
	}
	for _, body := range []string{`{}`, `{"subscriptionName":" "}`, `{"subscriptionName":"` + strings.Repeat("x", 65) + `"}`, `{"subscriptionName":"a\nb"}`} {
		if r := w.ARM("POST", path, body); r.Status != 400 || r.Code() != "InvalidSubscriptionName" {
			t.Errorf("%s: %d %s", body, r.Status, r.Body)
		}
	}
	contributor := w.Principal("contributor")
	w.Grant(contributor.ID, servicetest.Contributor, w.Subscription)
	w.Need(200, w.ARMAs(contributor, "POST", path, `{"subscriptionName":"Theirs"}`))
	reader := w.Principal("reader")
	w.Grant(reader.ID, servicetest.Reader, w.Subscription)
	if r := w.ARMAs(reader, "POST", path, `{"subscriptionName":"x"}`); r.Status != 403 {
		t.Errorf("a Reader renames: %d", r.Status)
	}
}

func TestSubscriptionsAreCancelledAndEnabled(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	verb := func(name string) string { return w.Subscription + "/providers/Microsoft.Subscription/" + name }
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	if r := w.ARM("POST", verb("cancel"), ""); r.Status != 400 || r.Code() != "ResourcesExistingOnSubscription" {
		t.Errorf("with a resource: %d %s", r.Status, r.Body)
	}
	w.Need(200, w.ARM("DELETE", account, ""))

	// Contributor's NotActions name both.
	contributor := w.Principal("contributor")
	w.Grant(contributor.ID, servicetest.Contributor, w.Subscription)
	for _, name := range []string{"cancel", "enable"} {
		if r := w.ARMAs(contributor, "POST", verb(name), ""); r.Status != 403 || r.Code() != "AuthorizationFailed" {
			t.Errorf("a Contributor's %s: %d %s", name, r.Status, r.Body)
		}
	}
	w.Need(200, w.ARM("POST", verb("cancel"), ""))
	if one := w.ARM("GET", w.Subscription, ""); one.Get("state") != "Disabled" {
		t.Errorf("after cancel: %s", one.Body)
	}
	const tags = `{"properties":{"tags":{}}}`
	assignment := w.Subscription + "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000000a"
	for _, c := range [][3]string{
		{"PUT", w.Subscription + "/resourceGroups/new", `{"location":"japaneast"}`},
		{"PATCH", group, `{"tags":{"a":"b"}}`},
		{"PUT", w.Subscription + "/providers/Microsoft.Resources/tags/default", tags},
		{"PUT", group + "/providers/Microsoft.Authorization/locks/l", `{"properties":{"level":"ReadOnly"}}`},
		{"PUT", assignment, `{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/` + servicetest.Reader + `","principalId":"` + contributor.ID + `"}}`},
		{"POST", w.Subscription + "/providers/Microsoft.Insights/register", ""},
		{"POST", verb("rename"), `{"subscriptionName":"x"}`},
		{"POST", verb("cancel"), ""},
	} {
		if r := w.ARM(c[0], c[1], c[2]); r.Status != 409 || r.Code() != "ReadOnlyDisabledSubscription" {
			t.Errorf("%s %s while disabled: %d %s", c[0], c[1], r.Status, r.Body)
		}
	}
	w.Need(200, w.ARM("GET", group, ""))
	w.Need(200, w.ARM("DELETE", group, ""))
	w.Need(200, w.ARM("POST", verb("enable"), ""))
	w.MakeGroup("again")
}

// Who may make a subscription is for billing to say, which is not here.
func TestAliasesAreNotServed(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	r := w.ARM("PUT", "/providers/Microsoft.Subscription/aliases/a", `{"properties":{"displayName":"x"}}`)
	if r.Status != 404 || r.Code() != "InvalidResourceType" {
		t.Errorf("an alias: %d %s", r.Status, r.Body)
	}
}
