package arm

import (
	"context"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// SetTags writes a resource's tags, and nothing else of it: those that change
// makes of the ones there are. Subscriptions, groups and tracked resources bear
// tags.
func (m *Manager) SetTags(ctx context.Context, id string, caller api.Caller, change func(old map[string]string) map[string]string) (*Resource, error) {
	found, err := m.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	t := &Type{Name: typeSubscription, Tracked: true}
	if found.Type != typeSubscription {
		t, _ = m.registry.Get(found.Type)
	}
	if t == nil || !t.Tracked {
		return nil, api.BadRequest("TagsNotSupported", "id", "Resources of type '%s' bear no tags.", found.Type)
	}
	var res *Resource
	err = m.store.Update(ctx, func(tx *store.Tx) error {
		if err := Writable(tx, found.Scope()); err != nil {
			return err
		}
		old, err := m.load(tx, found.ID)
		if err != nil {
			return err
		}
		if old == nil {
			return errAbsent
		}
		fresh := *old
		fresh.Tags = change(old.Tags)
		if err := planTags(fresh.Tags); err != nil {
			return err
		}
		if t.Name != typeSubscription {
			stamp(old, &fresh, caller)
		}
		res = &fresh
		return m.save(tx, t, res)
	})
	if err == errAbsent {
		err = m.absent(ctx, id)
	}
	return res, err
}

// MergeTags is old with the tags of more, whose names are the same in any case.
func MergeTags(old, more map[string]string) map[string]string {
	merged := map[string]string{}
	spelling := map[string]string{}
	for name, value := range old {
		merged[name], spelling[strings.ToLower(name)] = value, name
	}
	for name, value := range more {
		if known, ok := spelling[strings.ToLower(name)]; ok {
			name = known
		}
		merged[name] = value
	}
	return merged
}

// WithoutTags is old without those that away names; a value there takes only a
// tag of that value away.
func WithoutTags(old, away map[string]string) map[string]string {
	left := map[string]string{}
	for name, value := range old {
		gone := false
		for n, v := range away {
			gone = gone || strings.EqualFold(n, name) && (v == "" || v == value)
		}
		if !gone {
			left[name] = value
		}
	}
	return left
}
