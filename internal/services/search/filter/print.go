package filter

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// String of a chain puts parentheses around every operand that is no leaf.
func (n And) String() string { return chained(n.Nodes, " and ") }

// String is as And's.
func (n Or) String() string { return chained(n.Nodes, " or ") }

func chained(nodes []Node, operator string) string {
	all := make([]string, len(nodes))
	for i, n := range nodes {
		all[i] = n.String()
		switch n.(type) {
		case And, Or:
			all[i] = "(" + all[i] + ")"
		}
	}
	return strings.Join(all, operator)
}

func (n Not) String() string { return "not (" + n.Node.String() + ")" }

func (n Bool) String() string { return strconv.FormatBool(n.Value) }

func (n Compare) String() string { return fmt.Sprintf("%v %s %s", n.Field, n.Op, written(n.Value)) }

// String gives the values in order, with a delimiter that none of them has.
func (n In) String() string {
	values := slices.Sorted(maps.Keys(n.Values))
	delimiter, all := ',', strings.Join(values, "")
	for strings.ContainsRune(all, delimiter) {
		delimiter++
	}
	return fmt.Sprintf("search.in(%v, %s, %s)", n.Field, written(strings.Join(values, string(delimiter))), written(string(delimiter)))
}

func (n Any) String() string {
	if n.Body == nil {
		return n.Collection.String() + "/any()"
	}
	return fmt.Sprintf("%v/any(%s: %v)", n.Collection, n.Var, n.Body)
}

func (n All) String() string { return fmt.Sprintf("%v/all(%s: %v)", n.Collection, n.Var, n.Body) }

func (n GeoDistance) String() string {
	return fmt.Sprintf("geo.distance(%v, geography'POINT(%v)') %s %s", n.Field, n.Point, n.Op, written(n.Km))
}

func (n GeoIntersects) String() string {
	corners := make([]string, len(n.Polygon))
	for i, p := range n.Polygon {
		corners[i] = p.String()
	}
	return fmt.Sprintf("geo.intersects(%v, geography'POLYGON((%s))')", n.Field, strings.Join(corners, ", "))
}

func (n Match) String() string {
	name := match
	if n.Scoring {
		name = scoring
	}
	return fmt.Sprintf("%s(%s, %s, '%s', '%s')", name, written(n.Search), written(strings.Join(n.Fields, ",")), n.QueryType, n.Mode)
}

// String is longitude and latitude.
func (p Point) String() string {
	return strconv.FormatFloat(p.Lon, 'f', -1, 64) + " " + strconv.FormatFloat(p.Lat, 'f', -1, 64)
}

// written is a constant as OData writes it.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case float64:
		switch {
		case math.IsInf(v, 1):
			return "INF"
		case math.IsInf(v, -1):
			return "-INF"
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
