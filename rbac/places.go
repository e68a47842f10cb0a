package rbac

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
)

// places remembers what scopes are made of. The same few are asked about again
// and again, and to fold, split and hash one is a third of a decision. Each has
// one slot, so that neither memory nor a look-up grows.
type places struct {
	slots [4096]slot
}

type slot struct{ atomic.Pointer[known] }

// known is a scope as it was asked about, folded, and its levels.
type known struct {
	scope  Scope
	path   []byte
	levels []level
}

// find gives what is known of a scope, or the slot to keep it in.
func (p *places) find(s *Snapshot, scope Scope) (*known, *slot) {
	at := &p.slots[maphash.String(s.seed, string(scope))%uint64(len(p.slots))]
	if k := at.Load(); k != nil && k.scope == scope {
		return k, at
	}
	return nil, at
}

// keep remembers a scope in place of another only now and then: where more are
// asked about than there is room for, replacing would cost more than it saves.
func (s *slot) keep(scope Scope, levels []level, path []byte) {
	if s.Load() != nil && rand.Uint32()%1024 != 0 {
		return
	}
	s.Store(&known{Scope(strings.Clone(string(scope))), slices.Clone(path), slices.Clone(levels)})
}
