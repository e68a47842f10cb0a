package vector

import (
	"cmp"
	"slices"
)

// RRFConstant is Azure's k of reciprocal rank fusion.
const RRFConstant = 60

// Slot is a document's number in its index.
type Slot = uint32

// Fused is a document and its score over all rankings.
type Fused struct {
	Slot  Slot
	Score float64
}

// Fuse joins rankings, each best first, by reciprocal rank fusion: a document's
// score is the sum of weight/(k+rank) over the rankings that have it. A missing
// weight is 1. The best comes first; of equal ones the one with the better best
// rank, then the smaller slot.
//
// Ranks count from 0. Azure's articles do not say so, but the scores that they print
// do: 0.0330601 and 0.0327957 of two rankings, where ranks from 1 give at most 2/61.
//
// Source: azure-ai-docs search/hybrid-search-ranking, search-get-started-vector;
// Azure/azure-search-vector-samples#48.
func Fuse(rankings [][]Slot, weights []float64, k float64) []Fused {
	type state struct {
		score float64
		best  int
	}
	states := map[Slot]state{}
	for i, ranking := range rankings {
		weight := 1.0
		if i < len(weights) {
			weight = weights[i]
		}
		for rank, slot := range ranking {
			s, seen := states[slot]
			if !seen || rank < s.best {
				s.best = rank
			}
			s.score += weight / (k + float64(rank))
			states[slot] = s
		}
	}
	out := make([]Fused, 0, len(states))
	for slot, s := range states {
		out = append(out, Fused{slot, s.score})
	}
	slices.SortFunc(out, func(a, b Fused) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(states[a.Slot].best, states[b.Slot].best), cmp.Compare(a.Slot, b.Slot))
	})
	return out
}
