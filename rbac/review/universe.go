package review

import (
	"iter"
	"slices"
	"sort"
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/internal/text"
	"sekisho/rbac/operations"
)

// universe is the operations that a review counts over.
type universe struct {
	ops    []operations.Operation // by folded name
	folded []string
	planes [2]set // of the control plane, of the data plane
	verbs  [2]map[string]set
}

// newUniverse holds the operations given, and those that roles name in full.
func newUniverse(ops []operations.Operation, worlds ...rbac.World) *universe {
	type name struct {
		folded string
		data   bool
	}
	known := make(map[name]bool, len(ops))
	u := &universe{ops: slices.Clone(ops)}
	for _, op := range ops {
		known[name{text.Fold(op.Name), op.Data}] = true
	}
	add := func(patterns []string, data bool) {
		for _, p := range patterns {
			if n := (name{text.Fold(p), data}); p != "" && !strings.Contains(p, "*") && !known[n] {
				known[n] = true
				u.ops = append(u.ops, operations.Operation{Name: p, Data: data})
			}
		}
	}
	for _, w := range worlds {
		for _, r := range w.Roles {
			for _, p := range r.Permissions {
				add(p.Actions, false)
				add(p.DataActions, true)
			}
		}
	}
	slices.SortStableFunc(u.ops, func(a, b operations.Operation) int { return strings.Compare(text.Fold(a.Name), text.Fold(b.Name)) })
	u.folded = make([]string, len(u.ops))
	u.planes = [2]set{u.none(), u.none()}
	u.verbs = [2]map[string]set{{}, {}}
	for i, op := range u.ops {
		u.folded[i] = text.Fold(op.Name)
		plane := plane(op.Data)
		u.planes[plane].add(i)
		if at := strings.LastIndexByte(op.Name, '/'); at >= 0 {
			verb := u.folded[i][at:]
			if u.verbs[plane][verb] == nil {
				u.verbs[plane][verb] = u.none()
			}
			u.verbs[plane][verb].add(i)
		}
	}
	return u
}

func plane(data bool) int {
	if data {
		return 1
	}
	return 0
}

func (u *universe) none() set { return make(set, (len(u.ops)+63)/64) }

func (u *universe) nothing() bounds { return bounds{u.none(), u.none()} }

// find gives the number of an operation.
func (u *universe) find(action string, data bool) (int, bool) {
	key := text.Fold(action)
	for i := sort.SearchStrings(u.folded, key); i < len(u.folded) && u.folded[i] == key; i++ {
		if u.ops[i].Data == data {
			return i, true
		}
	}
	return 0, false
}

// span bounds the operations whose folded name starts with the prefix.
func (u *universe) span(prefix string) (from, to int) {
	from = sort.SearchStrings(u.folded, prefix)
	n := sort.Search(len(u.folded)-from, func(i int) bool { return !strings.HasPrefix(u.folded[from+i], prefix) })
	return from, from + n
}

// matching gives the operations that a folded pattern names.
func (u *universe) matching(pattern string, data bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		head, _, _ := strings.Cut(pattern, "*")
		from, to := u.span(head)
		for i := from; i < to; i++ {
			if u.ops[i].Data == data && text.Match(pattern, u.folded[i]) && !yield(i) {
				return
			}
		}
	}
}

func (u *universe) named(patterns []string, data bool) set {
	s := u.none()
	for _, p := range patterns {
		for i := range u.matching(p, data) {
			s.add(i)
		}
	}
	return s
}
