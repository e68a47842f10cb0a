package review

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

func TestCheapestIsTheLeastOfAllSubsets(t *testing.T) {
	several := 0
	rapid.Check(t, func(t *rapid.T) {
		operations := rapid.IntRange(1, 9).Draw(t, "operations")
		candidates := drawCandidates(t, operations, rapid.IntRange(1, 9).Draw(t, "candidates"))
		needed := make(set, 1)
		for op := range operations {
			for _, c := range candidates {
				if c.covers.has(op) {
					needed.add(op)
				}
			}
		}
		least, fewest := math.MaxInt, 0
		for subset := range 1 << len(candidates) {
			covered, weight := make(set, 1), 0
			for i, c := range candidates {
				if subset>>i&1 == 1 {
					covered.join(c.covers)
					weight += c.weight
				}
			}
			n := bits.OnesCount(uint(subset))
			if needed.within(covered) && (weight < least || weight == least && n < fewest) {
				least, fewest = weight, n
			}
		}
		chosen, exact := cheapest(needed, candidates)
		covered, weight := make(set, 1), 0
		for _, i := range chosen {
			covered.join(candidates[i].covers)
			weight += candidates[i].weight
		}
		if !exact || !needed.within(covered) || weight != least || len(chosen) != fewest {
			t.Fatalf("%+v cover %v (exact: %v) for %d, want %d candidates for %d\n%+v", chosen, covered, exact, weight, fewest, least, candidates)
		}
		if len(chosen) > 1 {
			several++
		}
	})
	if several < 20 {
		t.Errorf("only %d covers took several candidates", several)
	}
}

func drawCandidates(t *rapid.T, operations, n int) []candidate {
	candidates := make([]candidate, n)
	for i := range candidates {
		candidates[i] = candidate{fmt.Sprint(i), make(set, (operations+63)/64), rapid.IntRange(1, 12).Draw(t, "weight")}
		for op := range operations {
			if rapid.IntRange(0, 2).Draw(t, "covers") == 0 {
				candidates[i].covers.add(op)
			}
		}
	}
	return candidates
}

// What is too large to search is still covered, within the bound, and without
// anything redundant.
func TestCheapestGivesUpInTime(t *testing.T) {
	const operations = 300
	var candidates []candidate
	needed := make(set, (operations+63)/64)
	random := uint64(1)
	next := func(n uint64) uint64 {
		random = random*6364136223846793005 + 1442695040888963407
		return random >> 33 % n
	}
	for i := range 200 {
		c := candidate{fmt.Sprint(i), make(set, len(needed)), int(next(50)) + 1}
		for range 12 {
			c.covers.add(int(next(operations)))
		}
		candidates = append(candidates, c)
		needed.join(c.covers)
	}
	chosen, exact := cheapest(needed, candidates)
	if exact {
		t.Error("said to be exact")
	}
	for _, without := range append([]int{-1}, chosen...) {
		covered := make(set, len(needed))
		for _, i := range chosen {
			if i != without {
				covered.join(candidates[i].covers)
			}
		}
		if all := needed.within(covered); all != (without == -1) {
			t.Errorf("without %d: covers all: %v", without, all)
		}
	}
}
