package arm

import (
	"context"
	"slices"
	"strings"

	"sekisho/internal/store"
)

// Children are the resources of a type right below another.
func (m *Manager) Children(ctx context.Context, parent, typeName string) ([]*Resource, error) {
	all, err := m.Below(ctx, parent)
	return slices.DeleteFunc(all, func(r *Resource) bool { return !strings.EqualFold(r.Type, typeName) }), err
}

// Below are all resources below a subscription, group or resource.
func (m *Manager) Below(ctx context.Context, scope string) ([]*Resource, error) {
	return m.list(ctx, store.Query{Prefix: scope + "/"})
}

// OfType are all resources of a type.
func (m *Manager) OfType(ctx context.Context, typeName string) ([]*Resource, error) {
	return m.list(ctx, store.Query{Key: &store.Key{Name: "type", Value: typeName}})
}

// Subscriptions are those of a tenant.
func (m *Manager) Subscriptions(ctx context.Context, tenant string) ([]*Resource, error) {
	all, err := m.OfType(ctx, typeSubscription)
	return slices.DeleteFunc(all, func(r *Resource) bool { return r.Tenant != tenant }), err
}

func (m *Manager) list(ctx context.Context, q store.Query) (all []*Resource, err error) {
	err = m.store.View(ctx, func(tx *store.Tx) error {
		all, err = listTx(tx, q)
		return err
	})
	return all, err
}

func listTx(tx *store.Tx, q store.Query) ([]*Resource, error) {
	records, err := tx.List(kindResource, q)
	all := make([]*Resource, len(records))
	for i := 0; i < len(records) && err == nil; i++ {
		all[i], err = decode(records[i])
	}
	return all, err
}

// BelowTx are all resources below another, in a transaction.
func BelowTx(tx *store.Tx, scope string) ([]*Resource, error) {
	return listTx(tx, store.Query{Prefix: scope + "/"})
}

// ReadAction is the action that reads a resource of a type.
func ReadAction(typeName string) string {
	return (&Type{Name: typeName}).actionName() + "/read"
}
