package entra

import (
	"context"
	"maps"
	"slices"
	"strings"

	"sekisho/internal/store"
)

// A person's account is in one tenant. In another they are a guest: a user of
// that tenant, with an object id of its own, who signs in at home.
// Source: entra-docs external-id/user-properties.md.

// States of an invitation, as externalUserState of the guest.
const (
	PendingAcceptance = "PendingAcceptance"
	Accepted          = "Accepted"
)

// guestIndex are the guests by the object id of their home account and then by
// the tenant that they are guests of, both lower-cased.
type guestIndex map[string]map[string]*Principal

func (x guestIndex) learn(p *Principal) {
	if p.Home == nil {
		return
	}
	home := strings.ToLower(p.Home.Object)
	if x[home] == nil {
		x[home] = map[string]*Principal{}
	}
	x[home][strings.ToLower(p.Tenant)] = p
}

// forget drops a guest, unless another one has taken its place: changes come in
// the order in which documents were last written.
func (x guestIndex) forget(p *Principal) {
	if p.Home == nil {
		return
	}
	home, tenant := strings.ToLower(p.Home.Object), strings.ToLower(p.Tenant)
	if x[home][tenant] == p {
		delete(x[home], tenant)
	}
	if len(x[home]) == 0 {
		delete(x, home)
	}
}

// AccountsOf are all accounts of the person that a principal stands for: the one
// at home first, then those as a guest, in the order of tenants. Of anything but
// a user it is the principal itself.
func (d *Directory) AccountsOf(ctx context.Context, user *Principal) ([]*Principal, error) {
	if user.Type != TypeUser {
		return []*Principal{user}, nil
	}
	return look(ctx, d, func() []*Principal {
		home := strings.ToLower(user.ID)
		if user.Home != nil {
			home = strings.ToLower(user.Home.Object)
		}
		var all []*Principal
		if p := d.principals[home]; p != nil {
			all = append(all, p)
		}
		for _, tenant := range slices.Sorted(maps.Keys(d.guests[home])) {
			all = append(all, d.guests[home][tenant])
		}
		return all
	})
}

// GuestOf finds the guest in a tenant whose home account has an object id; nil
// if there is none. Neither Enabled nor Pending is looked at.
func (d *Directory) GuestOf(ctx context.Context, tenant, homeObject string) (*Principal, error) {
	return look(ctx, d, func() *Principal { return d.guests[strings.ToLower(homeObject)][strings.ToLower(tenant)] })
}

// Redeem accepts the invitation of a guest, who has signed in at home and
// agreed. It does nothing where that was done before.
func (d *Directory) Redeem(ctx context.Context, guest *Principal) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		u, record, err := store.Load[User](tx, KindUser, guest.ID)
		if err != nil || u.ExternalState != PendingAcceptance {
			return err
		}
		u.ExternalState, u.ExternalStateChanged = Accepted, d.now().UTC()
		return PutUser(tx, record.Tenant, u)
	})
}

// GuestName is the user principal name of a guest, below the tenant's first
// domain.
func GuestName(address string, t Tenant) string {
	return strings.ReplaceAll(address, "@", "_") + "#EXT#@" + t.InitialDomain()
}

// InitialDomain is the domain that a tenant was made with, NAME.onmicrosoft.com.
func (t Tenant) InitialDomain() string { return t.Domains[len(t.Domains)-1] }
