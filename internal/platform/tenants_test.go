package platform

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/access"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

func TestTenantsAreMadeWithTheirAdministrator(t *testing.T) {
	w := newWorld(t)
	c := dial(w.p.Data())
	fabrikam, err := c.CreateTenant(t.Context(), TenantRequest{Name: "Fabrikam", Domain: "Fabrikam.com"})
	check(t, err)
	if want := []string{"fabrikam.com", "fabrikam.onmicrosoft.com"}; !slices.Equal(fabrikam.Domains, want) || fabrikam.Administrator.UserPrincipalName != "admin@fabrikam.com" {
		t.Errorf("Fabrikam is %+v, its administrator %+v", fabrikam, fabrikam.Administrator)
	}
	japan, err := c.CreateTenant(t.Context(), TenantRequest{Name: "Contoso Japan", Domain: "contoso.co.jp", Admin: "boss@contoso.co.jp"})
	check(t, err)
	if want := []string{"contoso.co.jp", "contosocojp.onmicrosoft.com"}; !slices.Equal(japan.Domains, want) {
		t.Errorf("the domains of a second Contoso are %v, want %v", japan.Domains, want)
	}
	check(t, w.p.store.View(t.Context(), func(tx *store.Tx) error {
		u, record, err := store.Load[entra.User](tx, entra.KindUser, fabrikam.Administrator.ObjectID)
		if err != nil || record.Tenant != fabrikam.ID || u.PasswordHash == "" || !u.ForceChange || strings.Contains(string(record.Body), fabrikam.Administrator.Password) {
			t.Errorf("administrator of tenant %s, with a hash of %d bytes: %v", record.Tenant, len(u.PasswordHash), err)
		}
		last, err := entra.LastAdministrator(tx, fabrikam.ID, u.ID)
		if !last {
			t.Error("the administrator is no Global Administrator")
		}
		return err
	}))
	all, err := c.Tenants(t.Context())
	check(t, err)
	names := []string{}
	for _, tenant := range all {
		names = append(names, tenant.Name)
		if tenant.Administrator != nil {
			t.Errorf("the list tells of the administrator of %s", tenant.Name)
		}
	}
	if want := []string{"Contoso", "Contoso Japan", "Fabrikam"}; !slices.Equal(names, want) {
		t.Errorf("tenants are %v, want %v", names, want)
	}
}

func TestWhatIsNoTenant(t *testing.T) {
	w := newWorld(t)
	c := dial(w.p.Data())
	for _, one := range []struct {
		in   TenantRequest
		want string
	}{
		{TenantRequest{Domain: "fabrikam.com"}, "a tenant needs a name"},
		{TenantRequest{Name: "F", Domain: "fabrikam"}, "is no domain name"},
		{TenantRequest{Name: "F", Domain: "-a.com"}, "is no domain name"},
		{TenantRequest{Name: "F", Domain: "a..com"}, "is no domain name"},
		{TenantRequest{Name: "F", Domain: "ファブリカム.jp"}, "is no domain name"},
		{TenantRequest{Name: "F", Domain: "CONTOSO.com"}, "contoso.com is taken by the tenant Contoso"},
		{TenantRequest{Name: "F", Domain: "contoso.onmicrosoft.com"}, "is taken by the tenant Contoso"},
		{TenantRequest{Name: "F", Domain: "a.b.onmicrosoft.com"}, "is no initial domain"},
		{TenantRequest{Name: "F", Domain: "fabrikam.com", Admin: "admin@contoso.com"}, "must be NAME@fabrikam.com"},
		{TenantRequest{Name: "F", Domain: "fabrikam.com", Admin: "a#EXT#@fabrikam.com"}, "must be NAME@fabrikam.com"},
		{TenantRequest{Name: "F", Domain: "fabrikam.com", Admin: "@fabrikam.com"}, "must be NAME@fabrikam.com"},
	} {
		if _, err := c.CreateTenant(t.Context(), one.in); err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%+v: %v, want %q", one.in, err, one.want)
		}
	}
	if all, err := c.Tenants(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("there are %d tenants, %v", len(all), err)
	}
}

func TestSubscriptionsAreMadeWithTheirOwner(t *testing.T) {
	w := newWorld(t)
	c := dial(w.p.Data())
	fabrikam, err := c.CreateTenant(t.Context(), TenantRequest{Name: "Fabrikam", Domain: "fabrikam.com"})
	check(t, err)
	second, err := c.CreateSubscription(t.Context(), SubscriptionRequest{Name: "second", Tenant: "contoso.com", Owner: w.sample.Automation.ObjectID})
	check(t, err)
	third, err := c.CreateSubscription(t.Context(), SubscriptionRequest{Name: "third", Tenant: fabrikam.ID, Owner: "ADMIN@fabrikam.com"})
	check(t, err)
	if second.Tenant != w.sample.TenantID || third.Tenant != fabrikam.ID || third.State != "Enabled" {
		t.Errorf("made %+v and %+v", second, third)
	}
	for _, one := range []struct{ tenant, owner, want string }{
		{"", "admin@contoso.com", "there are 2 tenants; say which with --tenant: contoso.com, fabrikam.com"},
		{"litware.com", "admin@contoso.com", `there is no tenant "litware.com"`},
		{"Fabrikam", "admin@contoso.com", "no guest of Fabrikam; invite the user there first"},
		{"Fabrikam", w.sample.Automation.ObjectID, "is of another tenant than Fabrikam"},
		{"Fabrikam", "nobody@fabrikam.com", "there is no principal"},
		{"Fabrikam", "00000000-0000-0000-0000-000000000000", "there is no principal"},
		{"Fabrikam", "", "a subscription needs an owner"},
	} {
		_, err := c.CreateSubscription(t.Context(), SubscriptionRequest{Name: "x", Tenant: one.tenant, Owner: one.owner})
		if err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%+v: %v", one, err)
		}
	}
	if _, err := c.CreateSubscription(t.Context(), SubscriptionRequest{Name: strings.Repeat("x", 65), Tenant: "Fabrikam", Owner: "admin@fabrikam.com"}); err == nil {
		t.Error("a name of 65 characters is taken")
	}

	// The owner of the second one sees it; nobody of Contoso sees the third.
	token := w.token(w.owner(), forARM)
	seen := fmt.Sprint(w.must(token, "GET", "/subscriptions", "").body)
	if !strings.Contains(seen, second.ID) || strings.Contains(seen, third.ID) {
		t.Errorf("subscriptions seen from Contoso: %s", seen)
	}
	if r := w.arm(token, "GET", "/subscriptions/"+third.ID, ""); r.status != http.StatusUnauthorized || r.at("error", "code") != "InvalidAuthenticationTokenTenant" {
		t.Errorf("the third subscription, from Contoso: %d %v", r.status, r.body)
	}
	check(t, w.p.store.View(t.Context(), func(tx *store.Tx) error {
		tree, err := access.LoadTree(tx, fabrikam.ID)
		if err != nil {
			return err
		}
		if below := tree.Children(string(access.RootGroup(fabrikam.ID))); !slices.Equal(below, []string{"/subscriptions/" + third.ID}) {
			t.Errorf("below Fabrikam's root group are %v", below)
		}
		return nil
	}))
}

func TestAGuestOwnsASubscriptionAsTheGuest(t *testing.T) {
	w := newWorld(t)
	c := dial(w.p.Data())
	fabrikam, err := c.CreateTenant(t.Context(), TenantRequest{Name: "Fabrikam", Domain: "fabrikam.com"})
	check(t, err)
	const guest = "e0000000-0000-0000-0000-000000000001"
	check(t, w.p.store.Update(t.Context(), func(tx *store.Tx) error {
		return entra.PutUser(tx, w.sample.TenantID, entra.User{ID: guest, UserPrincipalName: "admin_fabrikam.com#EXT#@contoso.onmicrosoft.com", AccountEnabled: true,
			Home: &entra.HomeAccount{Tenant: fabrikam.ID, Object: fabrikam.Administrator.ObjectID}})
	}))
	s, err := c.CreateSubscription(t.Context(), SubscriptionRequest{Name: "shared", Tenant: "contoso.com", Owner: "admin@fabrikam.com"})
	check(t, err)
	check(t, w.p.store.View(t.Context(), func(tx *store.Tx) error {
		all, err := access.List(tx, w.sample.TenantID)
		if !slices.ContainsFunc(all, func(a access.Assignment) bool {
			return a.Scope == "/subscriptions/"+s.ID && a.PrincipalID == guest && a.PrincipalType == entra.TypeUser
		}) {
			t.Error("the guest is no Owner")
		}
		return err
	}))
}

func TestWhatTheOperatorDoesIsAudited(t *testing.T) {
	w := newWorld(t)
	c := dial(w.p.Data())
	fabrikam, err := c.CreateTenant(t.Context(), TenantRequest{Name: "Fabrikam", Domain: "fabrikam.com"})
	check(t, err)
	s, err := c.CreateSubscription(t.Context(), SubscriptionRequest{Name: "third", Tenant: "Fabrikam", Owner: "admin@fabrikam.com"})
	check(t, err)
	check(t, w.p.audit.Flush(t.Context()))
	entries, err := c.Audit(t.Context(), store.AuditFilter{Principal: "operator"})
	check(t, err)
	if len(entries) != 2 || entries[0].Operation != "Tenants_Create" || entries[0].Tenant != fabrikam.ID ||
		entries[1].Operation != "Subscriptions_Create" || entries[1].Scope != "/subscriptions/"+s.ID || entries[1].Credential != "ControlSocket" {
		t.Errorf("audited: %+v", entries)
	}
}
