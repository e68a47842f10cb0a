package arm

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// kindRegistration is the store's kind of a provider's registration in a
// subscription; the id is /subscriptions/{id}/providers/{namespace}.
const kindRegistration = "providerRegistration"

// alwaysRegistered are the providers that every subscription has.
// Source: resource-providers-and-types.md, "Azure resource providers registered by default".
var alwaysRegistered = []string{"microsoft.authorization", "microsoft.resources", "microsoft.features"}

func registrationID(subscription, namespace string) string {
	return "/subscriptions/" + subscription + "/providers/" + namespace
}

// registered refuses a write of a type whose provider is not registered.
func (m *Manager) registered(tx *store.Tx, subscription, namespace string) error {
	ok, err := isRegistered(tx, subscription, namespace)
	if err != nil || ok {
		return err
	}
	return api.Errorf(http.StatusConflict, "MissingSubscriptionRegistration",
		"The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", namespace)
}

func isRegistered(tx *store.Tx, subscription, namespace string) (bool, error) {
	if AlwaysRegistered(namespace) {
		return true, nil
	}
	_, err := tx.Get(kindRegistration, registrationID(subscription, namespace))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Registered tells which providers a subscription has registered.
func (m *Manager) Registered(ctx context.Context, subscription string, namespaces []string) (map[string]bool, error) {
	all := map[string]bool{}
	err := m.store.View(ctx, func(tx *store.Tx) error {
		for _, ns := range namespaces {
			ok, err := isRegistered(tx, subscription, ns)
			if err != nil {
				return err
			}
			all[ns] = ok
		}
		return nil
	})
	return all, err
}

// AlwaysRegistered tells whether every subscription has the provider.
func AlwaysRegistered(namespace string) bool {
	return slices.Contains(alwaysRegistered, strings.ToLower(namespace))
}

// Register makes a provider usable in a subscription, or no longer so.
func (m *Manager) Register(ctx context.Context, tenant, subscription, namespace string, on bool) error {
	return m.store.Update(ctx, func(tx *store.Tx) error {
		if err := Writable(tx, rbac.Scope("/subscriptions/"+subscription)); err != nil {
			return err
		}
		if on {
			return RegisterTx(tx, tenant, subscription, namespace)
		}
		if err := unused(tx, subscription, namespace); err != nil {
			return err
		}
		if err := tx.Delete(kindRegistration, registrationID(subscription, namespace)); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
}

// unused refuses to give up a provider that has resources in the subscription.
// Source: resource-providers-and-types.md, "You can't unregister a resource
// provider when you still have resource types from that resource provider".
func unused(tx *store.Tx, subscription, namespace string) error {
	records, err := tx.List(kindResource, store.Query{Prefix: "/subscriptions/" + subscription + "/"})
	if err != nil {
		return err
	}
	for _, record := range records {
		if id, err := rbac.ParseID(record.ID); err == nil && strings.EqualFold(id.Provider, namespace) {
			return api.Errorf(http.StatusConflict, "Conflict",
				"The resource provider '%s' can't be unregistered: the subscription still has resources of it, such as '%s'.", namespace, record.ID)
		}
	}
	return nil
}

// RegisterTx makes a provider usable in a subscription.
func RegisterTx(tx *store.Tx, tenant, subscription, namespace string) error {
	_, err := tx.Put(store.Record{Tenant: tenant, Kind: kindRegistration, ID: registrationID(subscription, namespace), Body: []byte("{}")})
	return err
}
