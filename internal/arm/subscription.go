package arm

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"unicode"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// Subscription is a subscription's own properties.
type Subscription struct {
	DisplayName string `json:"displayName"`
	State       string `json:"state"`
}

// States of a subscription, of Azure's, that are served.
// Source: azure-docs cost-management-billing/manage/subscription-states.md.
const (
	SubscriptionEnabled  = "Enabled"
	SubscriptionDisabled = "Disabled"
)

// CheckSubscriptionName refuses what is no name of a subscription.
func CheckSubscriptionName(name string) error {
	if strings.TrimSpace(name) == "" || length(name) > 64 || strings.ContainsFunc(name, unicode.IsControl) {
		return api.BadRequest("InvalidSubscriptionName", "subscriptionName", "The name of a subscription has 1 to 64 characters, and no control characters.")
	}
	return nil
}

// PutSubscription creates a subscription.
func PutSubscription(tx *store.Tx, tenant, id string, s Subscription) error {
	res := &Resource{ID: "/subscriptions/" + id, Name: id, Type: typeSubscription, Tenant: tenant}
	if err := res.SetProperties(s); err != nil {
		return err
	}
	return saveSubscription(tx, res)
}

func saveSubscription(tx *store.Tx, res *Resource) error {
	body, err := json.Marshal(res)
	if err != nil {
		return err
	}
	_, err = tx.Put(store.Record{Tenant: res.Tenant, Kind: kindResource, ID: res.ID, Body: body,
		Keys: []store.Key{{Name: "type", Value: typeSubscription}}})
	return err
}

// Enabled refuses a write in a subscription that is disabled: what is there can
// be read and deleted, and nothing else.
// Source: subscription-states.md; the text as Azure's clients print it.
func Enabled(tx *store.Tx, scope rbac.Scope) error {
	id := scope.Subscription()
	if id == "" {
		return nil
	}
	res, err := loadTx(tx, "/subscriptions/"+id)
	if err != nil || res == nil {
		return err
	}
	s, err := DecodeProperties[Subscription](res)
	if err != nil || s.State != SubscriptionDisabled {
		return err
	}
	return api.Errorf(http.StatusConflict, "ReadOnlyDisabledSubscription",
		"The subscription '%s' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.", res.Name)
}

// RenameSubscription gives a subscription another name.
func (m *Manager) RenameSubscription(ctx context.Context, id, name string) error {
	if err := CheckSubscriptionName(name); err != nil {
		return err
	}
	return m.changeSubscription(ctx, id, Writable, func(_ *store.Tx, s *Subscription) error {
		s.DisplayName = name
		return nil
	})
}

// CancelSubscription disables a subscription that has no resources: resource
// groups may stay.
// Source: the answer to one that has, hashicorp/terraform-provider-azurerm#20256.
func (m *Manager) CancelSubscription(ctx context.Context, id string) error {
	return m.changeSubscription(ctx, id, Writable, func(tx *store.Tx, s *Subscription) error {
		below, err := BelowTx(tx, "/subscriptions/"+id)
		if err != nil {
			return err
		}
		for _, r := range below {
			if r.Type != TypeGroup {
				return api.BadRequest("ResourcesExistingOnSubscription", "",
					"There are existing resources associated with subscription. Delete them before cancelling the subscription")
			}
		}
		s.State = SubscriptionDisabled
		return nil
	})
}

// EnableSubscription makes a disabled subscription usable again.
func (m *Manager) EnableSubscription(ctx context.Context, id string) error {
	return m.changeSubscription(ctx, id, notReadOnly, func(_ *store.Tx, s *Subscription) error {
		s.State = SubscriptionEnabled
		return nil
	})
}

func (m *Manager) changeSubscription(ctx context.Context, id string, may func(*store.Tx, rbac.Scope) error, change func(*store.Tx, *Subscription) error) error {
	return m.store.Update(ctx, func(tx *store.Tx) error {
		res, err := m.load(tx, "/subscriptions/"+id)
		if err != nil {
			return err
		}
		if res == nil {
			return SubscriptionNotFound(id)
		}
		if err := may(tx, res.Scope()); err != nil {
			return err
		}
		s, err := DecodeProperties[Subscription](res)
		if err != nil {
			return err
		}
		if err := change(tx, &s); err != nil {
			return err
		}
		if err := res.SetProperties(s); err != nil {
			return err
		}
		return saveSubscription(tx, res)
	})
}
