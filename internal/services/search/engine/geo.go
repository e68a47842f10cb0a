package engine

import (
	"math"

	"sekisho/internal/services/search/filter"
)

// distance of a slot's place from another; one without a place is farthest.
func (c *points) distance(slot uint32, from Point) float64 {
	if c.null(slot) {
		return math.Inf(1)
	}
	return filter.Kilometres(c.first[slot], from)
}
