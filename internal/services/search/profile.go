package search

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/schema"
)

// profile is a scoring profile with the parameters of a request.
// Source: azure-docs search/index-add-scoring-profiles.md.
type profile struct {
	of         *schema.ScoringProfile
	parameters map[string][]string
	now        time.Time
}

// profileOf is the profile that a request names, or the index's default; nil is none.
func profileOf(of *schema.Index, name string, parameters []string, now time.Time) (*profile, error) {
	if name == "" {
		name = of.DefaultScoringProfile
	}
	given := map[string][]string{}
	for _, text := range parameters {
		name, value, ok := strings.Cut(text, "-")
		if !ok { // as the first api-version had it, and an example of the newest has
			name, value, ok = strings.Cut(text, ":")
		}
		if !ok || name == "" {
			return nil, badInput("scoringParameter", "The scoring parameter '%s' is not of the form name-values.\r\nParameter name: scoringParameter", text)
		}
		values, ok := splitQuoted(value)
		if !ok {
			return nil, badInput("scoringParameter", "The scoring parameter '%s' has a quote that does not end.\r\nParameter name: scoringParameter", text)
		}
		given[name] = values
	}
	if name == "" {
		return nil, nil
	}
	at := slices.IndexFunc(of.ScoringProfiles, func(p schema.ScoringProfile) bool { return p.Name == name })
	if at < 0 {
		return nil, badInput("scoringProfile", "Could not find a scoring profile named '%s'.\r\nParameter name: scoringProfile", name)
	}
	p := &profile{of: &of.ScoringProfiles[at], parameters: given, now: now}
	for _, f := range p.of.Functions {
		needed := ""
		switch {
		case f.Distance != nil:
			needed = f.Distance.Reference
		case f.Tag != nil:
			needed = f.Tag.Parameter
		}
		if needed != "" && given[needed] == nil {
			return nil, badInput("scoringParameter", "The scoring profile '%s' needs the parameter '%s', and it was not given.\r\nParameter name: scoringParameter", name, needed)
		}
	}
	return p, nil
}

// splitQuoted splits at commas; a value with commas stands in single quotes, with
// its own doubled.
func splitQuoted(text string) (values []string, ok bool) {
	for {
		rest, quoted := strings.CutPrefix(text, "'")
		if !quoted {
			value, more, found := strings.Cut(text, ",")
			if values = append(values, value); !found {
				return values, true
			}
			text = more
			continue
		}
		var value strings.Builder
		for {
			part, more, closed := strings.Cut(rest, "'")
			if !closed {
				return nil, false
			}
			value.WriteString(part)
			if rest = more; !strings.HasPrefix(rest, "'") {
				break
			}
			value.WriteByte('\'')
			rest = rest[1:]
		}
		values = append(values, value.String())
		if rest == "" {
			return values, true
		}
		if text, ok = strings.CutPrefix(rest, ","); !ok {
			return nil, false
		}
	}
}

// weight multiplies what a field scores.
func (p *profile) weight(path string) float64 {
	if p == nil || p.of.Text == nil {
		return 1
	}
	if w, ok := p.of.Text.Weights[path]; ok {
		return w
	}
	return 1
}

// factor multiplies the scores of documents; nil if nothing does.
func (p *profile) factor(v *engine.View, text texts) (func(slot uint32) float64, error) {
	if p == nil || len(p.of.Functions) == 0 {
		return nil, nil
	}
	var all []func(uint32) float64
	for _, f := range p.of.Functions {
		close, err := p.closeness(v, text, f)
		if err != nil {
			return nil, err
		}
		shape := interpolations[f.Interpolation]
		all = append(all, func(slot uint32) float64 {
			near, ok := close(slot)
			if !ok {
				return 1
			}
			return 1 + (f.Boost-1)*shape(near)
		})
	}
	return aggregate(p.of.Aggregation, all), nil
}

func aggregate(how string, all []func(uint32) float64) func(uint32) float64 {
	return func(slot uint32) float64 {
		sum, product, least, most := 0.0, 1.0, math.Inf(1), math.Inf(-1)
		for _, f := range all {
			x := f(slot)
			if how == "firstMatching" && x != 1 {
				return x
			}
			sum, product, least, most = sum+x, product*x, min(least, x), max(most, x)
		}
		switch how {
		case "average":
			return sum / float64(len(all))
		case "product":
			return product
		case "minimum":
			return least
		case "maximum":
			return most
		case "firstMatching":
			return 1
		}
		return sum
	}
}

// interpolations shape how a boost falls from 1, where a value is closest, to 0: the
// quadratic one slowly at first, the logarithmic one quickly at first. Azure tells
// the shapes and not the formulas; the linear one is that of the scores which it prints
// (azure-ai-docs search/index-add-scoring-profiles.md, "function aggregation"), and the
// logarithm's base is that of its graph ("log10").
// Source: azure-rest-api-specs searchservice.json ScoringFunctionInterpolation.
var interpolations = map[string]func(float64) float64{
	"":            func(near float64) float64 { return near },
	"linear":      func(near float64) float64 { return near },
	"constant":    func(float64) float64 { return 1 },
	"quadratic":   func(near float64) float64 { return 1 - (1-near)*(1-near) },
	"logarithmic": func(near float64) float64 { return 1 - math.Log10(1+9*(1-near)) },
}

// closeness reads how close a document is to what a function boosts, from 1 to 0; not
// ok is one that it does not boost.
func (p *profile) closeness(v *engine.View, text texts, f schema.ScoringFunction) (func(slot uint32) (float64, bool), error) {
	switch {
	case f.Magnitude != nil:
		return magnitude(v.Number(f.FieldName), f.Magnitude.Start, f.Magnitude.End, schema.Is(f.Magnitude.Constant)), nil
	case f.Freshness != nil:
		d, err := schema.ParseDuration(f.Freshness.Duration)
		if err != nil {
			return nil, err
		}
		read, now, length := v.Number(f.FieldName), float64(p.now.UnixMilli()), float64(d.Milliseconds())
		return func(slot uint32) (float64, bool) {
			at, ok := read(slot)
			gone := (now - at) / length // a negative duration is the future's
			return 1 - gone, ok && gone >= 0 && gone <= 1
		}, nil
	case f.Distance != nil:
		from, err := parsePlace(p.parameters[f.Distance.Reference])
		if err != nil {
			return nil, badInput("scoringParameter", "The scoring parameter '%s' is not of the form longitude,latitude.\r\nParameter name: scoringParameter", f.Distance.Reference)
		}
		read := v.Distance(f.FieldName, from)
		return func(slot uint32) (float64, bool) {
			km, ok := read(slot)
			return 1 - km/f.Distance.Distance, ok && km <= f.Distance.Distance
		}, nil
	case f.Tag != nil:
		tags := map[string]struct{}{}
		for _, tag := range p.parameters[f.Tag.Parameter] {
			tags[text.normal(f.FieldName, tag)] = struct{}{}
		}
		tagged := v.In(f.FieldName, tags)
		return func(slot uint32) (float64, bool) { return 1, tagged.Test(uint(slot)) }, nil
	}
	return func(uint32) (float64, bool) { return 0, false }, nil
}

// magnitude is closest at the end of its range, which may lie below its start.
func magnitude(read func(uint32) (float64, bool), start, end float64, beyond bool) func(uint32) (float64, bool) {
	return func(slot uint32) (float64, bool) {
		x, ok := read(slot)
		near := (x - start) / (end - start)
		if near > 1 && beyond {
			near = 1
		}
		return near, ok && near >= 0 && near <= 1
	}
}

// parsePlace reads longitude and latitude. The minus of a negative longitude follows
// the one behind the parameter's name.
func parsePlace(values []string) (p engine.Point, err error) {
	if len(values) != 2 {
		return p, strconv.ErrSyntax
	}
	if p.Lon, err = strconv.ParseFloat(values[0], 64); err != nil {
		return p, err
	}
	p.Lat, err = strconv.ParseFloat(values[1], 64)
	if err == nil && (math.Abs(p.Lon) > 180 || math.Abs(p.Lat) > 90) {
		err = strconv.ErrRange
	}
	return p, err
}
