package rbac

import "maps"

// table is a map in shards that snapshots share: an edit copies one shard, so
// that writing one assignment among 100,000 copies about a hundred entries.
type table[V any] struct {
	shards *[1024]map[string]V
}

// newTable makes room for about so many entries.
func newTable[V any](size int) table[V] {
	t := table[V]{new([1024]map[string]V)}
	for i := range t.shards {
		if each := size / len(t.shards); each > 0 {
			t.shards[i] = make(map[string]V, each)
		}
	}
	return t
}

// shardOf spreads keys by their last bytes, where ids differ: the map of the
// shard hashes all of the key.
func shardOf[K string | []byte](key K) uint64 {
	var tail uint64
	for _, c := range []byte(key[max(0, len(key)-8):]) {
		tail = tail<<8 | uint64(c)
	}
	return tail * 0x9e3779b97f4a7c15 >> 54
}

func (t table[V]) get(key string) (V, bool) {
	v, ok := t.shards[shardOf(key)][key]
	return v, ok
}

// getBytes is get without making a string of the key.
func (t table[V]) getBytes(key []byte) (V, bool) {
	v, ok := t.shards[shardOf(key)][string(key)]
	return v, ok
}

// put writes in place: only for a table that no one else has yet.
func (t table[V]) put(key string, v V) {
	shard := &t.shards[shardOf(key)]
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
	delete(t.shards[shardOf(key)], key)
	return t
}

// copyFor is the table with a shard of its own for the key.
func (t table[V]) copyFor(key string) table[V] {
	shards := *t.shards
	shard := &shards[shardOf(key)]
	*shard = maps.Clone(*shard)
	t.shards = &shards
	return t
}
