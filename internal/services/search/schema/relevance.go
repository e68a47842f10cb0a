package schema

import (
	"maps"
	"slices"
	"strings"
)

// Limits. Source: azure-docs search/search-limits-quotas-capacity.md, "Index limits";
// search/semantic-how-to-configure.md.
const (
	maxProfiles       = 100
	maxFunctions      = 8
	maxConfigurations = 100
)

// InfixMatching is the one mode of suggesters.
const InfixMatching = "analyzingInfixMatching"

// checkSuggesters. Source: azure-docs search/index-add-suggesters.md, "Choose fields".
func (x *Index) checkSuggesters(version) error {
	at := Place("suggesters")
	if len(x.Suggesters) > 1 {
		return at.At(1).invalid(codeIndex, "The index '%s' has %d suggesters, but an index has at most one.", x.Name, len(x.Suggesters))
	}
	if err := at.named("suggester", namesOf(x.Suggesters, func(s Suggester) string { return s.Name })...); err != nil {
		return err
	}
	for i, s := range x.Suggesters {
		at := at.At(i)
		if err := at.In("searchMode").oneOf(s.Mode, InfixMatching); err != nil {
			return err
		}
		if len(s.Fields) == 0 {
			return at.In("sourceFields").invalid(codeIndex, "The suggester '%s' must have at least one source field.", s.Name)
		}
		for j, path := range s.Fields {
			at, f := at.In("sourceFields").At(j), x.Field(path)
			switch {
			case f == nil:
				return at.invalid(codeIndex, "The suggester '%s' refers to the field '%s', which does not exist.", s.Name, path)
			case f.Type.Element() != String || !Is(f.Searchable):
				return at.invalid(codeIndex, "The suggester '%s' refers to the field '%s': only searchable fields of type Edm.String or Collection(Edm.String) can be suggested from.", s.Name, path)
			case !suggestable(f.Analyzer) || f.IndexAnalyzer != "":
				return at.invalid(codeIndex, "The suggester '%s' refers to the field '%s', whose analyzer is neither the default (standard.lucene) nor one of a language.", s.Name, path)
			case slices.Contains(s.Fields[:j], path):
				return at.invalid(codeIndex, "The suggester '%s' refers to the field '%s' twice.", s.Name, path)
			}
		}
	}
	return nil
}

// suggestable tells whether prefixes of what an analyzer makes are of use: custom
// analyzers and predefined ones are "explicitly disallowed", but for standard.lucene
// and those of languages.
func suggestable(analyzer string) bool {
	return analyzer == "" || analyzer != "standardasciifolding.lucene" && (strings.HasSuffix(analyzer, ".lucene") || strings.HasSuffix(analyzer, ".microsoft"))
}

// checkProfiles holds scoring profiles against the fields.
// Source: azure-docs search/index-add-scoring-profiles.md.
func (x *Index) checkProfiles(v version) error {
	at := Place("scoringProfiles")
	if len(x.ScoringProfiles) > maxProfiles {
		return at.invalid(codeIndex, "The index '%s' has %d scoring profiles, but an index has at most %d.", x.Name, len(x.ScoringProfiles), maxProfiles)
	}
	if err := at.named("scoring profile", namesOf(x.ScoringProfiles, func(p ScoringProfile) string { return p.Name })...); err != nil {
		return err
	}
	for i, p := range x.ScoringProfiles {
		if err := x.checkProfile(p, at.At(i), v); err != nil {
			return err
		}
	}
	if d := x.DefaultScoringProfile; d != "" && find(x.ScoringProfiles, func(p ScoringProfile) bool { return p.Name == d }) == nil {
		return Place("defaultScoringProfile").invalid(codeIndex, "The default scoring profile '%s' is not defined.", d)
	}
	return nil
}

func (x *Index) checkProfile(p ScoringProfile, at Place, v version) error {
	if p.Text != nil {
		for _, path := range slices.Sorted(maps.Keys(p.Text.Weights)) {
			at, weight, f := at.In("text").In("weights").In(path), p.Text.Weights[path], x.Field(path)
			switch {
			case f == nil:
				return at.invalid(codeIndex, "The scoring profile '%s' has a weight for the field '%s', which does not exist.", p.Name, path)
			case f.Type.Element() != String || !Is(f.Searchable):
				return at.invalid(codeIndex, "The scoring profile '%s' has a weight for the field '%s', which is not a searchable field of text.", p.Name, path)
			case weight <= 0:
				return at.invalid(codeIndex, "The scoring profile '%s' has the weight %v for the field '%s', but weights must be positive.", p.Name, weight, path)
			}
		}
	}
	if p.Aggregation != "" {
		known := []string{"sum", "average", "minimum", "maximum", "firstMatching"}
		if v.from("2026-04-01", "2025-11-01") {
			known = append(known, "product")
		}
		if err := at.In("functionAggregation").oneOf(p.Aggregation, known...); err != nil {
			return err
		}
	}
	if len(p.Functions) > maxFunctions {
		return at.In("functions").invalid(codeIndex, "The scoring profile '%s' has %d functions, but a profile has at most %d.", p.Name, len(p.Functions), maxFunctions)
	}
	for i, f := range p.Functions {
		if err := x.checkFunction(p, f, at.In("functions").At(i)); err != nil {
			return err
		}
	}
	return nil
}

// scored are the types of fields that a function takes.
var scored = map[string][]Type{
	"freshness": {DateTime}, "magnitude": {Int32, Int64, Double}, "distance": {Point}, "tag": {String, "Collection(Edm.String)"},
}

func (x *Index) checkFunction(p ScoringProfile, fn ScoringFunction, at Place) error {
	if err := at.In("type").oneOf(fn.Type, "freshness", "magnitude", "distance", "tag"); err != nil {
		return err
	}
	wrong := func(property, format string, args ...any) error {
		return at.In(property).invalid(codeIndex, "The %s function of the scoring profile '%s' "+format, append([]any{fn.Type, p.Name}, args...)...)
	}
	f := x.Field(fn.FieldName)
	switch {
	case f == nil:
		return wrong("fieldName", "refers to the field '%s', which does not exist.", fn.FieldName)
	case !slices.Contains(scored[fn.Type], f.Type):
		return wrong("fieldName", "refers to the field '%s', which is of type '%s' and not of %s.", fn.FieldName, f.Type, typeList(scored[fn.Type]))
	case !Is(f.Filterable):
		return wrong("fieldName", "refers to the field '%s', which is not filterable.", fn.FieldName)
	case x.below(fn.FieldName):
		return wrong("fieldName", "refers to the field '%s', which is in a collection.", fn.FieldName)
	case fn.Boost <= 0 || fn.Boost == 1:
		return wrong("boost", "has the boost %v, but a boost must be positive and not 1.", fn.Boost)
	}
	interpolations := []string{"linear", "constant", "quadratic", "logarithmic"}
	if fn.Type == "tag" {
		interpolations = interpolations[:2]
	}
	if err := at.In("interpolation").oneOf(fn.Interpolation, interpolations...); err != nil {
		return err
	}
	for _, parameters := range []struct {
		of    string
		given bool
	}{{"freshness", fn.Freshness != nil}, {"magnitude", fn.Magnitude != nil}, {"distance", fn.Distance != nil}, {"tag", fn.Tag != nil}} {
		if parameters.given != (parameters.of == fn.Type) {
			return wrong(parameters.of, "must have the property '%s' and none of another type.", fn.Type)
		}
	}
	switch fn.Type {
	case "freshness":
		if d, err := ParseDuration(fn.Freshness.Duration); err != nil || d == 0 {
			return wrong("freshness.boostingDuration", "has the boosting duration '%s', which is not a duration such as P1D or PT15M.", fn.Freshness.Duration)
		}
	case "magnitude":
		if fn.Magnitude.Start == fn.Magnitude.End {
			return wrong("magnitude.boostingRangeEnd", "has a boosting range that starts and ends at %v.", fn.Magnitude.End)
		}
	case "distance":
		if fn.Distance.Reference == "" {
			return wrong("distance.referencePointParameter", "must name a parameter of the query.")
		}
		if fn.Distance.Distance <= 0 {
			return wrong("distance.boostingDistance", "has the boosting distance %v, but it must be positive.", fn.Distance.Distance)
		}
	case "tag":
		if fn.Tag.Parameter == "" {
			return wrong("tag.tagsParameter", "must name a parameter of the query.")
		}
	}
	return nil
}

func typeList(types []Type) string {
	return strings.Join(namesOf(types, func(t Type) string { return string(t) }), " or ")
}

// below tells whether a sub-field is below a collection.
func (x *Index) below(path string) bool {
	for i := range path {
		if path[i] == '/' {
			if above := x.Field(path[:i]); above != nil && above.Type.Collection() {
				return true
			}
		}
	}
	return false
}

// checkSemantic holds semantic configurations against the fields.
// Source: azure-docs search/semantic-how-to-configure.md, "Choose fields".
func (x *Index) checkSemantic(version) error {
	s, at := x.Semantic, Place("semantic")
	if s == nil {
		return nil
	}
	list := at.In("configurations")
	if len(s.Configurations) > maxConfigurations {
		return list.invalid(codeIndex, "The index '%s' has %d semantic configurations, but an index has at most %d.", x.Name, len(s.Configurations), maxConfigurations)
	}
	if err := list.named("semantic configuration", namesOf(s.Configurations, func(c SemanticConfiguration) string { return c.Name })...); err != nil {
		return err
	}
	for i, c := range s.Configurations {
		at, fields := list.At(i), list.At(i).In("prioritizedFields")
		if c.RankingOrder != "" {
			if err := at.In("rankingOrder").oneOf(c.RankingOrder, "BoostedRerankerScore", "RerankerScore"); err != nil {
				return err
			}
		}
		if c.Fields.Title == nil && len(c.Fields.Content) == 0 && len(c.Fields.Keywords) == 0 {
			return fields.invalid(codeIndex, "The semantic configuration '%s' must have at least one of titleField, prioritizedContentFields and prioritizedKeywordsFields.", c.Name)
		}
		if c.Fields.Title != nil {
			if err := x.checkSemanticField(c, *c.Fields.Title, fields.In("titleField")); err != nil {
				return err
			}
		}
		for j, f := range c.Fields.Content {
			if err := x.checkSemanticField(c, f, fields.In("prioritizedContentFields").At(j)); err != nil {
				return err
			}
		}
		for j, f := range c.Fields.Keywords {
			if err := x.checkSemanticField(c, f, fields.In("prioritizedKeywordsFields").At(j)); err != nil {
				return err
			}
		}
	}
	if s.Default != "" && find(s.Configurations, func(c SemanticConfiguration) bool { return c.Name == s.Default }) == nil {
		return at.In("defaultConfiguration").invalid(codeIndex, "The default semantic configuration '%s' is not defined.", s.Default)
	}
	return nil
}

func (x *Index) checkSemanticField(c SemanticConfiguration, named SemanticField, at Place) error {
	f := x.Field(named.Name)
	switch at = at.In("fieldName"); {
	case f == nil:
		return at.invalid(codeIndex, "The semantic configuration '%s' refers to the field '%s', which does not exist.", c.Name, named.Name)
	case f.Type.Element() != String:
		return at.invalid(codeIndex, "The semantic configuration '%s' refers to the field '%s' of type '%s': only fields of type Edm.String or Collection(Edm.String) can be ranked by meaning.", c.Name, named.Name, f.Type)
	case !Is(f.Searchable) || !Is(f.Retrievable):
		return at.invalid(codeIndex, "The semantic configuration '%s' refers to the field '%s', which is not searchable and retrievable.", c.Name, named.Name)
	case x.below(named.Name):
		return at.invalid(codeIndex, "The semantic configuration '%s' refers to the field '%s', which is in a complex collection.", c.Name, named.Name)
	}
	return nil
}
