package engine

import (
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/bits-and-blooms/bitset"
)

// stringColumn holds strings: each different one once, with the slots that have it.
// A slot's values are numbers of strings.
type stringColumn struct {
	ids     map[string]uint32
	texts   []string
	members []members
	free    []uint32 // numbers of strings that nobody has any more
	cells[uint32]
}

// members are the slots that have a value: a list of few, a bitmap of many.
type members struct {
	few  []uint32
	many *roaring.Bitmap
}

const fewMembers = 16

func (m *members) add(slot uint32) {
	switch {
	case m.many != nil:
		m.many.Add(slot)
	case len(m.few) < fewMembers:
		m.few = append(m.few, slot)
	default:
		m.many = roaring.BitmapOf(m.few...)
		m.many.Add(slot)
		m.few = nil
	}
}

// newest tells whether a slot, of all that are being filled, was added.
func (m *members) newest(slot uint32) bool {
	if m.many != nil {
		return m.many.Contains(slot)
	}
	n := len(m.few)
	return n > 0 && m.few[n-1] == slot
}

// remove tells whether it was the last.
func (m *members) remove(slot uint32) bool {
	if m.many != nil {
		m.many.Remove(slot)
		return m.many.IsEmpty()
	}
	m.few = slices.DeleteFunc(m.few, func(s uint32) bool { return s == slot })
	return len(m.few) == 0
}

// mark sets the members in a bitset.
func (m *members) mark(found *bitset.BitSet) {
	for _, slot := range m.few {
		found.Set(uint(slot))
	}
	if m.many != nil {
		m.many.Iterate(func(slot uint32) bool { found.Set(uint(slot)); return true })
	}
}

func newStrings() *stringColumn { return &stringColumn{ids: map[string]uint32{}} }

func (c *stringColumn) set(slot uint32, values []any) {
	var seen []uint32
	for _, v := range values {
		s, ok := v.(string)
		if !ok {
			continue
		}
		id := c.number(s)
		if c.members[id].newest(slot) {
			continue
		}
		seen = append(seen, id)
		c.members[id].add(slot)
	}
	c.put(slot, seen)
}

// number is that of a string, which may be new.
func (c *stringColumn) number(s string) uint32 {
	if id, ok := c.ids[s]; ok {
		return id
	}
	var id uint32
	if n := len(c.free); n > 0 {
		id, c.free = c.free[n-1], c.free[:n-1]
		c.texts[id] = s
	} else {
		id = uint32(len(c.texts))
		c.texts, c.members = append(c.texts, s), append(c.members, members{})
	}
	c.ids[s] = id
	return id
}

func (c *stringColumn) clear(slot uint32) {
	c.all(slot, func(id uint32) bool {
		if c.members[id].remove(slot) {
			delete(c.ids, c.texts[id])
			c.texts[id], c.members[id] = "", members{}
			c.free = append(c.free, id)
		}
		return true
	})
	c.cells.clear(slot)
}

func (c *stringColumn) compare(a, b uint32) int {
	return c.by(func(x, y uint32) int { return strings.Compare(c.texts[x], c.texts[y]) }, a, b)
}

func (c *stringColumn) values(slot uint32) (all []any) {
	c.all(slot, func(id uint32) bool { all = append(all, c.texts[id]); return true })
	return all
}

// having gives the slots that have one of the strings.
func (c *stringColumn) having(texts ...string) *bitset.BitSet {
	found := bitset.New(c.present.Len())
	for _, s := range texts {
		c.mark(found, s)
	}
	return found
}

func (c *stringColumn) mark(found *bitset.BitSet, s string) {
	if id, ok := c.ids[s]; ok {
		c.members[id].mark(found)
	}
}

// scan gives the slots that have a string for which holds.
func (c *stringColumn) scan(holds func(string) bool) *bitset.BitSet {
	found := bitset.New(c.present.Len())
	for s, id := range c.ids {
		if holds(s) {
			c.members[id].mark(found)
		}
	}
	return found
}
