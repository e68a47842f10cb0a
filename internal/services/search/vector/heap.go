package vector

import (
	"cmp"
	"slices"
)

// item is a row and how near it is: smaller is nearer.
type item struct {
	near float32
	row  uint32
}

func (a item) less(b item) bool {
	return a.near < b.near || a.near == b.near && a.row < b.row
}

// nearFirst is a heap with the nearest on top. container/heap would box each item.
type nearFirst []item

func (h *nearFirst) push(i item) {
	*h = append(*h, i)
	s, at := *h, len(*h)-1
	for at > 0 {
		up := (at - 1) / 2
		if !s[at].less(s[up]) {
			return
		}
		s[at], s[up] = s[up], s[at]
		at = up
	}
}

func (h *nearFirst) pop() item {
	s := *h
	first, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	*h = s
	for at := 0; ; {
		child := 2*at + 1
		if child >= last {
			return first
		}
		if child+1 < last && s[child+1].less(s[child]) {
			child++
		}
		if !s[child].less(s[at]) {
			return first
		}
		s[at], s[child] = s[child], s[at]
		at = child
	}
}

// top keeps the nearest of those offered: a heap with the farthest on top.
type top struct {
	limit int
	heap  []item
}

// accepts tells whether an item would be kept.
func (t *top) accepts(i item) bool { return len(t.heap) < t.limit || i.less(t.heap[0]) }

func (t *top) offer(i item) {
	if len(t.heap) < t.limit {
		t.heap = append(t.heap, i)
		s, at := t.heap, len(t.heap)-1
		for at > 0 {
			up := (at - 1) / 2
			if !s[up].less(s[at]) {
				return
			}
			s[at], s[up] = s[up], s[at]
			at = up
		}
		return
	}
	s := t.heap
	if !i.less(s[0]) {
		return
	}
	s[0] = i
	for at := 0; ; {
		child := 2*at + 1
		if child >= len(s) {
			return
		}
		if child+1 < len(s) && s[child].less(s[child+1]) {
			child++
		}
		if !s[at].less(s[child]) {
			return
		}
		s[at], s[child] = s[child], s[at]
		at = child
	}
}

// sorted are those kept, nearest first. The heap is used up.
func (t *top) sorted() []item {
	slices.SortFunc(t.heap, func(a, b item) int { return cmp.Or(cmp.Compare(a.near, b.near), cmp.Compare(a.row, b.row)) })
	return t.heap
}
