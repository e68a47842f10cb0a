package entra

import (
	"errors"
	"slices"
	"testing"

	"sekisho/internal/store"
)

const (
	ann        = "d0000000-0000-0000-0000-000000000001" // of Contoso
	annAbroad  = "d0000000-0000-0000-0000-000000000002" // Ann, as a guest of Fabrikam
	annTwice   = "d0000000-0000-0000-0000-000000000003"
	bob        = "d0000000-0000-0000-0000-000000000004" // of Fabrikam
	litware    = "33333333-0000-0000-0000-000000000003"
	annFarther = "d0000000-0000-0000-0000-000000000005" // Ann, as a guest of Litware
)

func guest(id, upn string) User {
	return User{ID: id, UserPrincipalName: upn, AccountEnabled: true, ExternalState: PendingAcceptance, Home: &HomeAccount{contoso, ann}}
}

// people makes Ann, who is at home in Contoso and a guest elsewhere, and Bob.
func (w *world) people() {
	w.update(func(tx *store.Tx) error {
		return errors.Join(
			PutTenant(tx, Tenant{ID: litware, DisplayName: "Litware", Domains: []string{"litware.com", "litware.onmicrosoft.com"}}),
			PutUser(tx, contoso, User{ID: ann, UserPrincipalName: "ann@contoso.com", AccountEnabled: true}),
			PutUser(tx, fabrikam, User{ID: bob, UserPrincipalName: "bob@fabrikam.com", AccountEnabled: true}),
			PutUser(tx, fabrikam, guest(annAbroad, "ann_contoso.com#EXT#@fabrikam.onmicrosoft.com")),
			PutUser(tx, litware, guest(annFarther, "ann_contoso.com#EXT#@litware.onmicrosoft.com")))
	})
}

func (w *world) accounts(id string) (ids []string) {
	w.t.Helper()
	p, err := w.d.Principal(w.t.Context(), id)
	if err != nil || p == nil {
		w.t.Fatalf("principal %s: %v, %v", id, p, err)
	}
	all, err := w.d.AccountsOf(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range all {
		ids = append(ids, p.ID)
	}
	return ids
}

func (w *world) guestOf(tenant, home string) string {
	w.t.Helper()
	p, err := w.d.GuestOf(w.t.Context(), tenant, home)
	if err != nil {
		w.t.Fatal(err)
	}
	if p == nil {
		return ""
	}
	return p.ID
}

func TestAccountsOfAPerson(t *testing.T) {
	w := newWorld(t)
	w.people()
	for id, want := range map[string][]string{
		ann: {ann, annAbroad, annFarther}, annAbroad: {ann, annAbroad, annFarther}, annFarther: {ann, annAbroad, annFarther}, bob: {bob},
	} {
		if got := w.accounts(id); !slices.Equal(got, want) {
			t.Errorf("accounts of %s: %v, want %v", id, got, want)
		}
	}
	w.d = w.open() // as after a restart
	if got := w.guestOf(fabrikam, ann); got != annAbroad {
		t.Errorf("Ann in Fabrikam is %q", got)
	}
	for _, who := range []string{bob, annAbroad} {
		if got := w.guestOf(contoso, who); got != "" {
			t.Errorf("%s in Contoso is %q", who, got)
		}
	}
}

func TestGuestsFollowTheDirectory(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.accounts(ann) // the view is there

	// Another object takes the guest's place, in one transaction, written first.
	w.update(func(tx *store.Tx) error {
		moved := guest(annAbroad, "old@fabrikam.com")
		moved.Home = nil
		return errors.Join(PutUser(tx, fabrikam, moved),
			PutUser(tx, fabrikam, guest(annTwice, "again@fabrikam.com")),
			Remove(tx, KindUser, annAbroad))
	})
	if got := w.guestOf(fabrikam, ann); got != annTwice {
		t.Errorf("after the change Ann in Fabrikam is %q", got)
	}
	w.update(func(tx *store.Tx) error { return Remove(tx, KindUser, ann) })
	if got := w.accounts(annTwice); !slices.Equal(got, []string{annTwice, annFarther}) {
		t.Errorf("without a home the accounts are %v", got)
	}
	w.update(func(tx *store.Tx) error {
		return errors.Join(Remove(tx, KindUser, annTwice), Remove(tx, KindUser, annFarther))
	})
	if got := w.guestOf(litware, ann); got != "" || len(w.d.guests) > 0 {
		t.Errorf("deleted guests are remembered: %q, %v", got, w.d.guests)
	}
}

func TestATenantHasOneGuestOfAnAccount(t *testing.T) {
	w := newWorld(t)
	w.people()
	err := w.store.Update(t.Context(), func(tx *store.Tx) error {
		return PutUser(tx, fabrikam, guest(annTwice, "twice@fabrikam.com"))
	})
	if !errors.Is(err, store.ErrExists) {
		t.Errorf("a second guest of the account: %v", err)
	}
}

func TestInvitationsAreRedeemedOnce(t *testing.T) {
	w := newWorld(t)
	w.people()
	redeem := func() User {
		t.Helper()
		p, err := w.d.GuestOf(t.Context(), fabrikam, ann)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.d.Redeem(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		var u User
		if err := w.store.View(t.Context(), func(tx *store.Tx) (err error) {
			u, _, err = store.Load[User](tx, KindUser, annAbroad)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return u
	}
	first := redeem()
	if first.ExternalState != Accepted || !first.ExternalStateChanged.Equal(w.clock()) {
		t.Errorf("redeemed: %q at %v", first.ExternalState, first.ExternalStateChanged)
	}
	if p, _ := w.d.GuestOf(t.Context(), fabrikam, ann); p.Pending {
		t.Error("the principal is still pending")
	}
	w.advance(1e9)
	if again := redeem(); !again.ExternalStateChanged.Equal(first.ExternalStateChanged) {
		t.Error("redeeming again changed the time")
	}
}
