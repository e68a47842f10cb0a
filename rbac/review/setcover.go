package review

import (
	"cmp"
	"math"
	"slices"
)

// candidate may be chosen to cover some of what is needed, at a price.
type candidate struct {
	name   string
	covers set
	weight int // more than 0
}

// searchLimit is how many steps the search for the best cover may take.
const searchLimit = 20_000

// cheapest chooses candidates, by number, that cover all of what is needed, all
// of which some candidate covers. No choice is redundant. If exact is true, no
// choice weighs less, and none of the same weight has fewer candidates;
// otherwise the search was too long, and the choice weighs at most
// ln(n)+1 times the least there is, for n that are needed (Chvátal 1979: what
// the greedy choice, from which it starts, is bound by).
func cheapest(needed set, candidates []candidate) (chosen []int, exact bool) {
	c := &chooser{candidates: candidates, order: undominated(candidates), budget: searchLimit}
	c.best = c.irredundant(needed, c.greedy(needed))
	c.least = c.weigh(c.best)
	c.search(needed, nil, 0)
	chosen = c.irredundant(needed, c.best) // of a search that was cut off
	slices.Sort(chosen)
	return chosen, c.budget > 0
}

type chooser struct {
	candidates []candidate
	order      []int // of those that are worth choosing, the lightest first
	best       []int
	least      int
	budget     int
}

// undominated are the candidates of which none covers as much for less.
func undominated(candidates []candidate) (order []int) {
	all := make([]int, len(candidates))
	for i := range all {
		all[i] = i
	}
	slices.SortFunc(all, func(a, b int) int {
		x, y := candidates[a], candidates[b]
		return cmp.Or(x.weight-y.weight, y.covers.count()-x.covers.count(), cmp.Compare(x.name, y.name))
	})
	for _, i := range all {
		of := candidates[i]
		if !of.covers.empty() && !slices.ContainsFunc(order, func(j int) bool { return of.covers.within(candidates[j].covers) }) {
			order = append(order, i)
		}
	}
	return order
}

func (c *chooser) weigh(chosen []int) (sum int) {
	for _, i := range chosen {
		sum += c.candidates[i].weight
	}
	return sum
}

// greedy takes, again and again, what covers most for its weight.
func (c *chooser) greedy(needed set) (chosen []int) {
	for !needed.empty() {
		best, least := -1, math.Inf(1)
		for _, i := range c.order {
			if n := needed.and(c.candidates[i].covers).count(); n > 0 {
				if price := float64(c.candidates[i].weight) / float64(n); price < least {
					best, least = i, price
				}
			}
		}
		chosen = append(chosen, best)
		needed = needed.minus(c.candidates[best].covers)
	}
	return chosen
}

// irredundant leaves out what the others cover too, the heaviest first.
func (c *chooser) irredundant(needed set, chosen []int) []int {
	byWeight := slices.Clone(chosen)
	slices.SortFunc(byWeight, func(a, b int) int { return c.candidates[b].weight - c.candidates[a].weight })
	for _, i := range byWeight {
		others := make(set, len(needed))
		for _, j := range chosen {
			if j != i {
				others.join(c.candidates[j].covers)
			}
		}
		if needed.within(others) {
			chosen = slices.DeleteFunc(slices.Clone(chosen), func(j int) bool { return j == i })
		}
	}
	return chosen
}

// search tries each candidate for the operation that fewest cover.
func (c *chooser) search(needed set, chosen []int, weight int) {
	if c.budget--; c.budget <= 0 {
		return
	}
	if needed.empty() {
		if weight < c.least || weight == c.least && len(chosen) < len(c.best) {
			c.best, c.least = slices.Clone(chosen), weight
		}
		return
	}
	rarest, few := -1, math.MaxInt
	cost := 0 // of the dearest operation: no cover weighs less
	for op := range needed.each() {
		n, cheapest := 0, math.MaxInt
		for _, i := range c.order {
			if c.candidates[i].covers.has(op) {
				n++
				cheapest = min(cheapest, c.candidates[i].weight)
			}
		}
		if n < few {
			rarest, few = op, n
		}
		cost = max(cost, cheapest)
	}
	if weight+cost > c.least || weight+cost == c.least && len(chosen)+1 >= len(c.best) {
		return
	}
	for _, i := range c.order {
		if of := c.candidates[i]; of.covers.has(rarest) {
			c.search(needed.minus(of.covers), append(chosen, i), weight+of.weight)
		}
	}
}
