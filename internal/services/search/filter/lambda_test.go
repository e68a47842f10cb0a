package filter

import (
	"strings"
	"testing"
)

// The examples of search-query-troubleshoot-collection-filters.md.
func TestCollectionRules(t *testing.T) {
	of := hotels(t)
	point := `geography'POINT(-122 49)'`
	const (
		opposite = "Found a test for equality or inequality where the opposite was expected"
		chained  = "Complex Boolean expressions aren't supported"
		form     = "Found an unsupported form of complex Boolean expression"
		places   = "Found an unsupported use of geo.distance() or geo.intersects()"
	)
	for _, c := range []struct{ text, refused string }{
		{`Tags/any(t: t eq 'books')`, ""},
		{`Tags/any(t: search.in(t, 'books, games, toys'))`, ""},
		{`Tags/all(t: t ne 'books')`, ""},
		{`Tags/all(t: not (t eq 'books'))`, ""},
		{`Tags/all(t: not search.in(t, 'books, games, toys'))`, ""},
		{`Tags/any(t: t eq 'books' or t eq 'games')`, ""},
		{`Tags/all(t: t ne 'books' and not (t eq 'games'))`, ""},
		{`Tags/any(t: t ne 'books')`, opposite},
		{`Tags/any(t: not search.in(t, 'books, games, toys'))`, opposite},
		{`Tags/all(t: t eq 'books')`, opposite},
		{`Tags/all(t: search.in(t, 'books, games, toys'))`, opposite},
		{`Tags/any(t: t eq 'books' and t ne 'games')`, chained},
		{`Tags/all(t: t ne 'books' or not (t eq 'games'))`, chained},
		{`Tags/any(t: t gt 'books')`, "Found a comparison operator (one of 'lt', 'le', 'gt', or 'ge')."},
		{`Tags/any(t: true)`, "A Boolean literal"},

		{`flags/any(f: f)`, ""},
		{`flags/all(f: f)`, ""},
		{`flags/any(f: f eq true)`, ""},
		{`flags/any(f: f ne true)`, ""},
		{`flags/all(f: not f)`, ""},
		{`flags/all(f: not (f eq true))`, ""},
		{`flags/any(f: f or not f)`, chained},
		{`flags/any(f: f or f)`, chained},
		{`flags/all(f: f and not f)`, chained},
		{`flags/all(f: f and f eq true)`, chained},

		{`locations/any(l: geo.distance(l, ` + point + `) lt 10)`, ""},
		{`locations/any(l: not (geo.distance(l, ` + point + `) ge 10) or geo.intersects(l, ` + viewport + `))`, ""},
		{`locations/all(l: geo.distance(l, ` + point + `) ge 10 and not geo.intersects(l, ` + viewport + `))`, ""},
		{`locations/any(l: l eq ` + point + `)`, "incompatible types"},
		{`locations/any(l: l eq null)`, places},
		{`locations/any(l: not geo.intersects(l, ` + viewport + `))`, places},
		{`locations/all(l: geo.intersects(l, ` + viewport + `))`, places},
		{`locations/any(l: geo.distance(l, ` + point + `) gt 10)`, places},
		{`locations/all(l: geo.distance(l, ` + point + `) lt 10)`, places},
		{`locations/any(l: geo.distance(l, ` + point + `) lt 10 and geo.intersects(l, ` + viewport + `))`, chained},
		{`locations/all(l: geo.distance(l, ` + point + `) le 10 or not geo.intersects(l, ` + viewport + `))`, chained},

		{`ratings/any(r: r ne 5)`, ""},
		{`dates/any(d: d gt 2017-08-24T00:00:00Z)`, ""},
		{`not margins/all(m: m eq 3.5)`, ""},
		{`ratings/any(r: r ne 5 or r gt 7)`, ""},
		{`ratings/any(r: r gt 2 and r le 5)`, ""},
		{`ratings/any(r: r le 5 or r gt 7)`, ""},
		{`ratings/any(r: (r gt 2 and r le 5) or (r gt 7 and r lt 10))`, ""},
		{`ratings/all(r: r eq 5)`, ""},
		{`ratings/all(r: r eq 5 and r le 7)`, ""},
		{`ratings/all(r: r gt 2 and r le 5)`, ""},
		{`ratings/all(r: r le 5 or r gt 7)`, ""},
		{`ratings/all(r: (r le 2 or r gt 5) and (r lt 7 or r ge 10))`, ""},
		{`ratings/any(r: r ne 5 and r gt 2)`, form},
		{`ratings/any(r: not (r eq 5) and r gt 2)`, form},
		{`ratings/all(r: r eq 5 or r le 2)`, form},
		{`ratings/any(r: (r gt 1 or r lt 2) and r lt 10)`, form},
		{`ratings/all(r: (r gt 1 and r lt 2) or r lt 10)`, form},

		{`Rooms/any(s: s/Tags/any(a: a eq 'parking') and s/Type ne 'Flagship') and Rating gt 1`, ""},
		{`Rooms/any(s: s/Tags/any(a: a eq 'parking' and s/Type ne 'Flagship'))`, "is not bound to the range variable 'a'"},
		{`Rooms/all(s: s/Type ne 'a' or (s/SleepsCount eq 2 and not s/SmokingAllowed) or true)`, ""},
	} {
		t.Run(c.text, func(t *testing.T) {
			n, err := Parse(c.text, of)
			switch {
			case c.refused == "" && err != nil:
				t.Error(err)
			case c.refused != "" && err == nil:
				t.Errorf("read as %v, want the error %q", n, c.refused)
			case err != nil && !strings.Contains(err.Error(), c.refused):
				t.Errorf("error %v, want %q", err, c.refused)
			}
		})
	}
}
