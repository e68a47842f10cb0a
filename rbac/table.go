package rbac

import (
	"hash/maphash"
	"maps"
)

// table is a map in shards that snapshots share: an edit copies one shard, so
// that writing one assignment among 100,000 copies about a hundred entries.
type table[V any] struct {
	seed   maphash.Seed
	shards *[1024]map[string]V
}

func newTable[V any](seed maphash.Seed) table[V] {
	return table[V]{seed: seed, shards: new([1024]map[string]V)}
}

func (t table[V]) get(key string) (V, bool) {
	v, ok := t.shards[maphash.String(t.seed, key)%1024][key]
	return v, ok
}

// getBytes is get without making a string of the key.
func (t table[V]) getBytes(key []byte) (V, bool) {
	v, ok := t.shards[maphash.Bytes(t.seed, key)%1024][string(key)]
	return v, ok
}

// put writes in place: only for a table that no one else has yet.
func (t table[V]) put(key string, v V) {
	shard := &t.shards[maphash.String(t.seed, key)%1024]
	if *shard == nil {
		*shard = map[string]V{}
	}
	(*shard)[key] = v
}

func (t table[V]) with(key string, v V) table[V] {
	t = t.copyFor(key)
	t.put(key, v)
	return t
}

func (t table[V]) without(key string) table[V] {
	if _, ok := t.get(key); !ok {
		return t
	}
	t = t.copyFor(key)
	delete(t.shards[maphash.String(t.seed, key)%1024], key)
	return t
}

// copyFor is the table with a shard of its own for the key.
func (t table[V]) copyFor(key string) table[V] {
	shards := *t.shards
	shard := &shards[maphash.String(t.seed, key)%1024]
	*shard = maps.Clone(*shard)
	t.shards = &shards
	return t
}
