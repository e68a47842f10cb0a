package engine

import "math"

// earth is its mean radius in kilometres.
const earth = 6371.0088

// kilometres between two places, on a sphere (haversine).
func kilometres(a, b Point) float64 {
	rad := math.Pi / 180
	dLat, dLon := (b.Lat-a.Lat)*rad/2, (b.Lon-a.Lon)*rad/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Sin(dLon)*math.Sin(dLon)
	return 2 * earth * math.Asin(math.Min(1, math.Sqrt(h)))
}

// distance of a slot's place from another; one without a place is farthest.
func (c *points) distance(slot uint32, from Point) float64 {
	if c.null(slot) {
		return math.Inf(1)
	}
	return kilometres(c.at[slot], from)
}
