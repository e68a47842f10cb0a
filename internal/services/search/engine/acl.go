package engine

import "github.com/bits-and-blooms/bitset"

// Grant lets a document be seen that has one of the values in the field of strings
// at the path.
type Grant struct {
	Path   string
	Values map[string]bool
}

// Granted gives the slots of the documents that at least one of the grants lets be
// seen: without a value in any of the fields, none does.
func (v *View) Granted(grants []Grant) *bitset.BitSet {
	found := bitset.New(uint(v.x.next))
	for _, g := range grants {
		c, ok := v.x.columns[g.Path].(*stringColumn)
		if !ok { // a field that is not filterable grants nothing
			continue
		}
		for value := range g.Values {
			c.mark(found, value)
		}
	}
	return found
}

// Distinct are the different values of a field of strings, in no order.
func (x *Index) Distinct(path string) (all []string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if c, ok := x.columns[path].(*stringColumn); ok {
		for value := range c.ids {
			all = append(all, value)
		}
	}
	return all
}

// CountOf is the number of documents that are in the set of slots; nil is all of
// them.
func (x *Index) CountOf(set func(*View) *bitset.BitSet) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if only := set(&View{x}); only != nil {
		return int(only.IntersectionCardinality(&x.live))
	}
	return len(x.keys)
}
