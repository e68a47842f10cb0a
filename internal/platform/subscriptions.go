package platform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// SubscriptionRequest asks for a subscription.
type SubscriptionRequest struct {
	Name   string `json:"name"`
	Tenant string `json:"tenant"` // id, domain or name; may be empty if there is one only
	Owner  string `json:"owner"`  // user principal name or object id
}

// Subscription is a subscription, as commands show it.
type Subscription struct {
	ID     string `json:"subscriptionId"`
	Name   string `json:"displayName"`
	State  string `json:"state"`
	Tenant string `json:"tenantId"`
	// TenantName is the display name of the tenant.
	TenantName string `json:"tenantDisplayName"`
}

// CreateSubscription makes a subscription below the tenant's root management
// group, with an Owner. No resource provider is registered in it but those that
// always are.
func (p *Platform) CreateSubscription(ctx context.Context, in SubscriptionRequest) (Subscription, error) {
	s := Subscription{ID: uuid.NewString(), Name: strings.TrimSpace(in.Name), State: arm.SubscriptionEnabled}
	var bad *api.Error
	if err := arm.CheckSubscriptionName(s.Name); errors.As(err, &bad) {
		return Subscription{}, errors.New(bad.Message)
	}
	err := p.store.Update(ctx, func(tx *store.Tx) error {
		t, err := findTenant(tx, in.Tenant)
		if err != nil {
			return err
		}
		s.Tenant, s.TenantName = t.ID, t.Name
		owner, kind, err := findOwner(tx, t, in.Owner)
		if err != nil {
			return err
		}
		if err := putSubscription(tx, t.ID, s.ID, s.Name); err != nil {
			return err
		}
		return putOwner(tx, t.ID, "/subscriptions/"+s.ID, owner, kind, owner, p.opts.Now().UTC())
	})
	if err != nil {
		return Subscription{}, err
	}
	return s, nil
}

// putSubscription writes a subscription below the tenant's root management group.
func putSubscription(tx *store.Tx, tenant, id, name string) error {
	if err := arm.PutSubscription(tx, tenant, id, arm.Subscription{DisplayName: name, State: arm.SubscriptionEnabled}); err != nil {
		return err
	}
	return access.PutParent(tx, tenant, access.Parent{Child: "/subscriptions/" + id, Parent: string(access.RootGroup(tenant))})
}

// putOwner makes a principal Owner of a scope.
func putOwner(tx *store.Tx, tenant, scope, principal, kind, by string, now time.Time) error {
	name := uuid.NewString()
	return access.Put(tx, tenant, access.Assignment{ID: scope + "/providers/Microsoft.Authorization/roleAssignments/" + name, Name: name,
		Scope: scope, Role: ownerRole, PrincipalID: principal, PrincipalType: kind, CreatedOn: now, UpdatedOn: now, CreatedBy: by, UpdatedBy: by})
}

// findOwner finds who shall own a subscription of a tenant: a user by name, or
// any principal by object id. Who is at home elsewhere is the guest that they
// are in this tenant.
func findOwner(tx *store.Tx, t Tenant, name string) (id, kind string, err error) {
	if name == "" {
		return "", "", errors.New("a subscription needs an owner: --owner, a user principal name or an object id")
	}
	var record store.Record
	if uuid.Validate(name) != nil {
		record, err = tx.Lookup(entra.KindUser, store.Key{Name: "upn", Value: name})
	} else {
		record, err = getPrincipal(tx, name)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", "", fmt.Errorf("there is no principal %q; give a user principal name or an object id", name)
	case err != nil:
		return "", "", err
	case record.Tenant == t.ID:
		return record.ID, principalTypes[record.Kind], nil
	case record.Kind != entra.KindUser:
		return "", "", fmt.Errorf("%q is of another tenant than %s", name, t.Name)
	}
	guest, err := tx.Lookup(entra.KindUser, store.Key{Name: "home", Value: t.ID + "/" + record.ID})
	if errors.Is(err, store.ErrNotFound) {
		return "", "", fmt.Errorf("%q is of another tenant, and no guest of %s; invite the user there first (Microsoft Graph, POST /invitations)", name, t.Name)
	}
	return guest.ID, entra.TypeUser, err
}

// principalTypes are what role assignments call principals, by the store's kind.
var principalTypes = map[string]string{
	entra.KindUser: entra.TypeUser, entra.KindGroup: entra.TypeGroup, entra.KindServicePrincipal: entra.TypeServicePrincipal,
}

func getPrincipal(tx *store.Tx, id string) (record store.Record, err error) {
	for kind := range principalTypes {
		if record, err = tx.Get(kind, id); !errors.Is(err, store.ErrNotFound) {
			return record, err
		}
	}
	return record, err
}

// Subscriptions are all subscriptions, by tenant and name.
func (p *Platform) Subscriptions(ctx context.Context) ([]Subscription, error) {
	tenants, err := p.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	all := []Subscription{}
	for _, t := range tenants {
		found, err := p.manager.Subscriptions(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		first := len(all)
		for _, r := range found {
			s, err := arm.DecodeProperties[arm.Subscription](r)
			if err != nil {
				return nil, err
			}
			all = append(all, Subscription{ID: r.Name, Name: s.DisplayName, State: s.State, Tenant: t.ID, TenantName: t.Name})
		}
		slices.SortFunc(all[first:], func(a, b Subscription) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
		})
	}
	return all, nil
}
