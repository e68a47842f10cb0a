package arm

import (
	"context"
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// Delete removes a resource and all below it, with their keys, identities and
// role assignments. It tells whether there was one.
func (m *Manager) Delete(ctx context.Context, id, ifMatch string) (found bool, err error) {
	err = m.store.Update(ctx, func(tx *store.Tx) error {
		old, err := m.load(tx, id)
		if err != nil {
			return err
		}
		if found = old != nil; !found {
			return nil
		}
		if err := Deletable(tx, old.Scope()); err != nil {
			return err
		}
		if err := precondition(old, ifMatch, ""); err != nil {
			return err
		}
		below, err := BelowTx(tx, id)
		if err != nil {
			return err
		}
		all := append([]*Resource{old}, below...)
		slices.Reverse(all) // children before their parents
		for _, res := range all {
			if err := m.remove(tx, res); err != nil {
				return err
			}
		}
		for _, res := range all {
			if err := tx.Delete(kindResource, res.ID); err != nil {
				return err
			}
		}
		return m.assignments.RemoveBelow(tx, old.Scope())
	})
	return found, err
}

// remove takes away what belongs to a resource.
func (m *Manager) remove(tx *store.Tx, res *Resource) error {
	if t, ok := m.registry.Get(res.Type); ok && t.Remove != nil {
		if err := t.Remove(tx, res); err != nil {
			return err
		}
	}
	if res.Identity.System() {
		return m.identities.RemoveIdentity(tx, res.ID)
	}
	return nil
}

// Restore writes a resource as it was, with no question to its type.
func (m *Manager) Restore(tx *store.Tx, res *Resource) error {
	t, ok := m.registry.Get(res.Type)
	if !ok {
		return api.BadRequest("InvalidResourceType", "type", "The resource type '%s' of '%s' is not served.", res.Type, res.ID)
	}
	return m.save(tx, t, res)
}

// View reads what a service keeps beside its resources.
func (m *Manager) View(ctx context.Context, fn func(*store.Tx) error) error {
	return m.store.View(ctx, fn)
}

// Update writes what a service keeps beside its resources.
func (m *Manager) Update(ctx context.Context, fn func(*store.Tx) error) error {
	return m.store.Update(ctx, fn)
}
