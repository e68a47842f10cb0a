package filter

import (
	"math"
	"strconv"
	"strings"

	"sekisho/internal/services/search/schema"
)

// Point is a place on earth, in degrees.
type Point struct{ Lon, Lat float64 }

// Polygon is an area: its corners counterclockwise, the last one being the first.
type Polygon []Point

// earth is its mean radius in kilometres.
const earth = 6371.0088

// Kilometres between two places, on a sphere (haversine).
func Kilometres(a, b Point) float64 {
	rad := math.Pi / 180
	dLat, dLon := (b.Lat-a.Lat)*rad/2, (b.Lon-a.Lon)*rad/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Sin(dLon)*math.Sin(dLon)
	return 2 * earth * math.Asin(math.Min(1, math.Sqrt(h)))
}

// Contains tells whether a place is in the area or on its edge. Edges are straight
// on a map of longitudes and latitudes. An area that has an edge over more than half
// the earth goes the other way round, over the 180th meridian.
// Source: search-query-odata-geo-spatial-functions.md, "polygons spanning the 180th
// meridian".
func (g Polygon) Contains(at Point) bool {
	over := false
	for i := 1; i < len(g); i++ {
		over = over || math.Abs(g[i].Lon-g[i-1].Lon) > 180
	}
	turn := func(p Point) Point {
		if over && p.Lon < 0 {
			p.Lon += 360
		}
		return p
	}
	at = turn(at)
	inside := false
	for i := 1; i < len(g); i++ {
		a, b := turn(g[i-1]), turn(g[i])
		if side(a, b, at) == 0 && between(a.Lon, at.Lon, b.Lon) && between(a.Lat, at.Lat, b.Lat) {
			return true
		}
		if (a.Lat > at.Lat) != (b.Lat > at.Lat) && at.Lon < a.Lon+(at.Lat-a.Lat)/(b.Lat-a.Lat)*(b.Lon-a.Lon) {
			inside = !inside
		}
	}
	return inside
}

func between(a, x, b float64) bool { return min(a, b) <= x && x <= max(a, b) }

// side is positive if c is left of the way from a to b, and zero if it is on it.
func side(a, b, c Point) float64 {
	return (b.Lon-a.Lon)*(c.Lat-a.Lat) - (b.Lat-a.Lat)*(c.Lon-a.Lon)
}

// area is positive if the corners go counterclockwise, as they stand: one over the
// 180th meridian is not turned, as Azure's example of one shows.
func (g Polygon) area() (sum float64) {
	for i := 1; i < len(g); i++ {
		sum += g[i-1].Lon*g[i].Lat - g[i].Lon*g[i-1].Lat
	}
	return sum / 2
}

// readGeography reads well-known text: POINT(lon lat) or POLYGON((lon lat, …)). why
// says what is wrong with it; these words have no source.
func readGeography(text string) (v value, why string) {
	switch {
	case strings.HasPrefix(text, "POINT(") && strings.HasSuffix(text, ")"):
		p, why := readPoint(text[len("POINT(") : len(text)-1])
		return value{schema.Point, p}, why
	case strings.HasPrefix(text, "POLYGON((") && strings.HasSuffix(text, "))"):
		g := Polygon{}
		for part := range strings.SplitSeq(text[len("POLYGON(("):len(text)-2], ",") {
			p, why := readPoint(strings.TrimSpace(part))
			if why != "" {
				return v, why
			}
			g = append(g, p)
		}
		switch {
		case len(g) < 4:
			return v, "A polygon has at least four points."
		case g[0] != g[len(g)-1]:
			return v, "The first and the last point of a polygon must be the same."
		case g.area() < 0:
			return v, "The points of a polygon must be in counterclockwise order."
		}
		return value{polygon, g}, ""
	}
	return v, "Only POINT(longitude latitude) and POLYGON((longitude latitude, …)) are supported."
}

func readPoint(text string) (p Point, why string) {
	lon, lat, ok := strings.Cut(text, " ")
	var err1, err2 error
	p.Lon, err1 = strconv.ParseFloat(lon, 64)
	p.Lat, err2 = strconv.ParseFloat(strings.TrimLeft(lat, " "), 64)
	switch {
	case !ok || err1 != nil || err2 != nil || strings.Trim(text, " 0123456789.eE+-") != "":
		return p, "A point is a longitude and a latitude with a space between them."
	case !(math.Abs(p.Lon) <= 180) || !(math.Abs(p.Lat) <= 90):
		return p, "Longitudes are between -180 and 180, latitudes between -90 and 90."
	}
	return p, ""
}
