package review

import (
	"iter"
	"math/bits"
	"slices"
)

// set is a set of operations, by their number in a universe.
type set []uint64

func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s set) add(i int) { s[i/64] |= 1 << (i % 64) }

// join adds what is in t.
func (s set) join(t set) {
	for i, w := range t {
		s[i] |= w
	}
}

func (s set) and(t set) set {
	both := make(set, len(s))
	for i := range s {
		both[i] = s[i] & t[i]
	}
	return both
}

func (s set) minus(t set) set {
	left := make(set, len(s))
	for i := range s {
		left[i] = s[i] &^ t[i]
	}
	return left
}

func (s set) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (s set) empty() bool { return !slices.ContainsFunc(s, func(w uint64) bool { return w != 0 }) }

// within tells whether all of s is in t.
func (s set) within(t set) bool {
	for i := range s {
		if s[i]&^t[i] != 0 {
			return false
		}
	}
	return true
}

// each gives the members, the least first.
func (s set) each() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(i*64 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

// bounds are the operations that are granted of every request, and those that
// are granted of some; the former are among the latter.
type bounds struct{ sure, may set }

func (b bounds) and(c bounds) bounds { return bounds{b.sure.and(c.sure), b.may.and(c.may)} }

func (b bounds) join(c bounds) {
	b.sure.join(c.sure)
	b.may.join(c.may)
}

// minus takes away what is denied: what a denial may take is no longer sure.
func (b bounds) minus(denied bounds) bounds {
	return bounds{b.sure.minus(denied.may), b.may.minus(denied.sure)}
}

// conditional are the operations that are granted of some requests only.
func (b bounds) conditional() set { return b.may.minus(b.sure) }
