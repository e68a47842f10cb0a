package analysis

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ikawaha/kagome-dict/dict"
)

// lattice finds the cheapest way through the words that a Japanese text may be made
// of, as Lucene's kuromoji does in SEARCH mode: without penalties first; where the
// best way takes a long word, its parts are tried under penalties, and taken if
// they cost less than the word with its own. (kagome adds the penalties to every
// word from the start, which cuts other words too.)
//
// Only the part of the text that is still undecided is kept.
type lattice struct {
	dict *dict.Dict
	text string
	// starts are the bytes where characters start, positions what arrives at those
	// that are undecided. used is up to where anything has arrived.
	starts    []int
	positions [window]position
	used      int
	from      int // the position that has been decided up to
	found     []morpheme
}

// position holds the words that end at a character.
type position struct {
	arcs    []arc
	forward []arc // while parts are scored again: back is then where the word ends
}

type arc struct {
	cost        int32
	left, right int16
	weight      int16
	unknown     bool
	id          int32
	back        int32 // the position where the word starts
	index       int32 // the arc there that the word goes on from
}

// morpheme is a word found.
type morpheme struct {
	id         int32
	unknown    bool
	start, end int // bytes
}

const (
	kanjiLength, kanjiPenalty = 2, 3000
	otherLength, otherPenalty = 7, 1700
	longestUnknown            = 1024
	longestUndecided          = 1024
	// window is more than what can be undecided and the longest word behind it.
	window = 4096
)

func (l *lattice) at(i int) *position { return &l.positions[i%window] }

// segment calls visit with the words of a text in order.
func (l *lattice) segment(text string, visit func(morpheme)) {
	l.text = text
	l.starts = l.starts[:0]
	for i := range text {
		l.starts = append(l.starts, i)
	}
	l.starts = append(l.starts, len(text))
	n := len(l.starts) - 1
	l.used, l.from = 1, 0
	l.at(0).arcs = append(l.at(0).arcs[:0], arc{back: -1, index: -1})
	flush := func() {
		for i := len(l.found) - 1; i >= 0; i-- {
			visit(l.found[i])
		}
		l.found = l.found[:0]
	}
	for at := 0; at < n; at++ {
		here := l.at(at)
		if len(here.arcs) == 0 {
			continue
		}
		switch {
		case at > l.from && len(here.arcs) == 1 && l.used == at+1:
			// All ways lead through here.
			l.trace(at, 0)
			here.arcs[0].cost = 0
			flush()
		case at-l.from >= longestUndecided:
			// The cheapest way so far is taken, right or not.
			best, index, cost := at, 0, int32(math.MaxInt32)
			for p := at; p < l.used; p++ {
				for i := range l.at(p).arcs {
					if c := l.at(p).arcs[i].cost; c < cost {
						best, index, cost = p, i, c
					}
				}
			}
			for p := at; p < l.used; p++ {
				if p != best {
					l.at(p).arcs = l.at(p).arcs[:0]
				}
			}
			arcs := l.at(best).arcs
			arcs[0] = arcs[index]
			l.at(best).arcs = arcs[:1]
			l.trace(best, 0)
			l.at(best).arcs[0].cost = 0
			flush()
			if best != at {
				at = best - 1
				continue
			}
		}
		l.words(at, n)
	}
	index, cost := 0, int32(math.MaxInt32)
	for i, a := range l.at(n).arcs {
		if c := a.cost + int32(l.dict.Connection.At(int(a.right), 0)); c < cost {
			index, cost = i, c
		}
	}
	if n > 0 && len(l.at(n).arcs) > 0 {
		l.trace(n, index)
		flush()
	}
	l.at(n).arcs = l.at(n).arcs[:0]
}

// words adds the words that start at a position: those of the dictionary, and an
// unknown one by the category of its characters.
func (l *lattice) words(at, n int) {
	start, known := l.starts[at], false
	l.dict.Index.CommonPrefixSearchCallback(l.text[start:], func(id, size int) {
		m := l.dict.Morphs[id]
		end := at + utf8.RuneCountInString(l.text[start:start+size])
		l.add(at, end, arc{left: m.LeftID, right: m.RightID, weight: m.Weight, id: int32(id)}, false)
		known = true
	})
	r, _ := utf8.DecodeRuneInString(l.text[start:])
	category := l.dict.CharacterCategory(r)
	if known && !l.dict.InvokeList[category] {
		return
	}
	end := at + 1
	if l.dict.GroupList[category] {
		punct := isPunctuation(r)
		for ; end < n && end-at < longestUnknown; end++ {
			r, _ := utf8.DecodeRuneInString(l.text[l.starts[end]:])
			if l.dict.CharacterCategory(r) != category || isPunctuation(r) != punct {
				break
			}
		}
	}
	first := l.dict.UnkDict.Index[int32(category)]
	for id := first; id <= first+l.dict.UnkDict.IndexDup[int32(category)]; id++ {
		m := l.dict.UnkDict.Morphs[id]
		l.add(at, end, arc{left: m.LeftID, right: m.RightID, weight: m.Weight, unknown: true, id: id}, false)
	}
}

// add joins a word from a position to its end to the cheapest way there.
func (l *lattice) add(at, end int, a arc, penalty bool) {
	cost := int32(math.MaxInt32)
	arcs := l.at(at).arcs
	for i := range arcs {
		before := &arcs[i]
		if c := before.cost + int32(l.dict.Connection.At(int(before.right), int(a.left))); c < cost {
			cost, a.index = c, int32(i)
		}
	}
	a.cost, a.back = cost+int32(a.weight), int32(at)
	if penalty {
		a.cost += l.penalty(at, end)
	}
	l.at(end).arcs = append(l.at(end).arcs, a)
	l.used = max(l.used, end+1)
}

// penalty is what a word costs for its length: more than two kanji, more than
// seven of anything.
func (l *lattice) penalty(at, end int) int32 {
	size := end - at
	if size <= kanjiLength {
		return 0
	}
	kanji := true
	for i := at; i < end && kanji; i++ {
		r, _ := utf8.DecodeRuneInString(l.text[l.starts[i]:])
		kanji = isKanji(l.dict, r)
	}
	switch {
	case kanji:
		return int32(size-kanjiLength) * kanjiPenalty
	case size > otherLength:
		return int32(size-otherLength) * otherPenalty
	}
	return 0
}

// trace collects, last first, the words of the way that arrives at a position by
// the arc given, back to what has been decided before.
func (l *lattice) trace(at, index int) {
	end, following, compound := at, int16(-1), -1
	for at > l.from {
		arcs := l.at(at).arcs
		a := arcs[index]
		if compound < 0 {
			if penalty := l.penalty(int(a.back), at); penalty > 0 {
				most := a.cost + penalty
				if following >= 0 {
					most += int32(l.dict.Connection.At(int(a.right), int(following)))
				}
				l.rescore(int(a.back), at, int(a.index))
				least, best := int32(math.MaxInt32), -1
				for i, other := range l.at(at).arcs {
					cost := other.cost
					if following >= 0 {
						cost += int32(l.dict.Connection.At(int(other.right), int(following)))
					}
					if cost < least {
						least, best = cost, i
					}
				}
				if best >= 0 && least <= most && l.at(at).arcs[best].back != a.back {
					compound = int(a.back)
					a = l.at(at).arcs[best]
				}
			}
		}
		if compound >= int(a.back) {
			compound = -1
		}
		l.found = append(l.found, morpheme{id: a.id, unknown: a.unknown, start: l.starts[a.back], end: l.starts[at]})
		following = a.left
		at, index = int(a.back), int(a.index)
	}
	for ; l.from < end; l.from++ {
		l.at(l.from).arcs = l.at(l.from).arcs[:0]
	}
}

// rescore computes the ways between two positions again, with penalties, coming
// from one arc at the first of them.
func (l *lattice) rescore(start, end, index int) {
	for at := end; at > start; at-- {
		p := l.at(at)
		for _, a := range p.arcs {
			if int(a.back) >= start {
				from := int(a.back)
				a.back = int32(at)
				l.at(from).forward = append(l.at(from).forward, a)
			}
		}
		p.arcs = p.arcs[:0]
	}
	for at := start; at < end; at++ {
		p := l.at(at)
		for _, a := range p.forward {
			to := int(a.back)
			if len(p.arcs) == 0 {
				break
			}
			if at > start {
				l.add(at, to, a, true)
				continue
			}
			before := p.arcs[index]
			a.cost = before.cost + int32(a.weight) + int32(l.dict.Connection.At(int(before.right), int(a.left))) + l.penalty(at, to)
			a.back, a.index = int32(at), int32(index)
			l.at(to).arcs = append(l.at(to).arcs, a)
		}
		p.forward = p.forward[:0]
	}
}

func isKanji(d *dict.Dict, r rune) bool {
	category := int(d.CharacterCategory(r))
	return category < len(d.CharClass) && strings.HasPrefix(d.CharClass[category], "KANJI")
}

// isPunctuation is what kuromoji leaves out, and what never joins other
// characters in an unknown word.
func isPunctuation(r rune) bool {
	// kuromoji sees characters beyond the basic plane as surrogates.
	return r < 0x10000 && unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.P, unicode.S)
}
