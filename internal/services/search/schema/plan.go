package schema

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
)

// Options are what a definition is held against beside itself.
type Options struct {
	// Version is the request's api-version; without one everything is known.
	Version string
	// Downtime is the request's allowIndexDowntime: analyzers may be added to an
	// index that is there, and its similarity may change.
	Downtime bool
	// Fields is how many simple fields the service's tier allows; 0 is no limit.
	Fields int
}

// Plan reads a definition as a client writes it, completes it, so that every
// attribute of a simple field has a value, and holds it against the rules and
// against old, the one that it replaces; nil if there is none. Errors are
// *api.Error with the place as their target. Names of analyzers are left to package
// analysis.
func Plan(old *Index, raw []byte, o Options) (*Index, error) {
	v := parseVersion(o.Version)
	x, err := decode(raw, v)
	if err != nil {
		return nil, err
	}
	if old != nil {
		inherit(reflect.ValueOf(old), reflect.ValueOf(x), v)
		x.keepSecrets(old)
	}
	if err := x.checkFields(v, o.Fields); err != nil {
		return nil, err
	}
	x.complete(v)
	for _, check := range []func(version) error{x.checkVectors, x.checkSuggesters, x.checkProfiles, x.checkSemantic, x.checkRest} {
		if err := check(v); err != nil {
			return nil, err
		}
	}
	if old != nil {
		if err := x.checkChange(old, o.Downtime); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// Read is Plan of a new index, of the newest version.
func Read(raw []byte) (*Index, error) { return Plan(nil, raw, Options{}) }

// componentNames are names of configurations, profiles, suggesters.
// Source: azure-docs "Naming rules (Azure AI Search)".
var componentNames = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,126}[A-Za-z0-9])?$`)

// named holds the names of a list against the rule and each other.
func (p Place) named(kind string, names ...string) error {
	seen := map[string]bool{}
	for i, name := range names {
		at := p.At(i).In("name")
		if !componentNames.MatchString(name) {
			return at.invalid(codeName, "The name '%s' of a %s is invalid. Names must only contain letters, digits, dashes or underscores, can only start and end with alphanumeric characters, and are limited to 128 characters.", name, kind)
		}
		if seen[name] {
			return at.invalid(codeName, "There is more than one %s with the name '%s'.", kind, name)
		}
		seen[name] = true
	}
	return nil
}

// namesOf are the names of a list.
func namesOf[T any](list []T, name func(T) string) []string {
	var all []string
	for _, e := range list {
		all = append(all, name(e))
	}
	return all
}

// complete fills in what is left out.
func (x *Index) complete(v version) {
	completeFields(x.Fields, v, false)
	empty(&x.ScoringProfiles)
	empty(&x.Suggesters)
	empty(&x.Analyzers)
	empty(&x.Normalizers)
	empty(&x.Tokenizers)
	empty(&x.TokenFilters)
	empty(&x.CharFilters)
	if x.Similarity == nil {
		x.Similarity = &Similarity{ODataType: BM25}
	}
	for i := range x.Suggesters {
		if x.Suggesters[i].Mode == "" {
			x.Suggesters[i].Mode = InfixMatching
		}
	}
	for i := range x.ScoringProfiles {
		p := &x.ScoringProfiles[i]
		if p.Aggregation == "" && len(p.Functions) > 0 {
			p.Aggregation = "sum"
		}
		for i := range p.Functions {
			if p.Functions[i].Interpolation == "" {
				p.Functions[i].Interpolation = "linear"
			}
		}
	}
	if s := x.Semantic; s != nil {
		empty(&s.Configurations)
		for i := range s.Configurations {
			empty(&s.Configurations[i].Fields.Content)
			empty(&s.Configurations[i].Fields.Keywords)
		}
	}
	x.Vectors.complete()
}

func empty[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}

func fill[T any](p **T, value T) {
	if *p == nil {
		*p = &value
	}
}

// completeFields gives attributes their defaults. Source: azure-rest-api-specs
// searchservice.json SearchField.
func completeFields(fields []*Field, v version, many bool) {
	for _, f := range fields {
		f.null()
		if f.Type.Element() == Complex {
			completeFields(f.Fields, v, many || f.Type.Collection())
			continue
		}
		vector := f.Type.Vector()
		fill(&f.Searchable, vector || f.Type.Element() == String)
		fill(&f.Filterable, !vector)
		fill(&f.Facetable, !vector && f.Type.Element() != Point)
		fill(&f.Sortable, !vector && !f.Type.Collection() && !many)
		fill(&f.Key, false)
		// "Default is ... false for vector fields" since versions know stored.
		fill(&f.Retrievable, !vector || v.day != "" && !v.from("2024-07-01", "2024-03-01"))
		fill(&f.Stored, true)
	}
}

// null takes away lists that are given and empty, where none is the same.
func (f *Field) null() {
	if len(f.SynonymMaps) == 0 {
		f.SynonymMaps = nil
	}
	if len(f.Fields) == 0 {
		f.Fields = nil
	}
}

// complete fills in the parameters of algorithms.
// Source: azure-rest-api-specs searchservice.json HnswParameters.
func (s *VectorSearch) complete() {
	if s == nil {
		return
	}
	empty(&s.Profiles)
	empty(&s.Algorithms)
	empty(&s.Vectorizers)
	empty(&s.Compressions)
	for i := range s.Algorithms {
		switch a := &s.Algorithms[i]; a.Kind {
		case KindHNSW:
			fill(&a.HNSW, HNSW{})
			if a.HNSW.Metric == "" {
				a.HNSW.Metric = "cosine"
			}
			fill(&a.HNSW.M, 4)
			fill(&a.HNSW.EFConstruction, 400)
			fill(&a.HNSW.EFSearch, 500)
		case KindExhaustive:
			fill(&a.Exhaustive, Exhaustive{})
			if a.Exhaustive.Metric == "" {
				a.Exhaustive.Metric = "cosine"
			}
		}
	}
	for i := range s.Vectorizers {
		v := &s.Vectorizers[i]
		optional := []*json.RawMessage{&v.Vision, &v.AML}
		if v.AzureOpenAI != nil {
			optional = append(optional, &v.AzureOpenAI.AuthIdentity)
			v.AzureOpenAI.ResourceURI = strings.TrimSuffix(v.AzureOpenAI.ResourceURI, "/")
		}
		if v.WebAPI != nil {
			optional = append(optional, &v.WebAPI.AuthIdentity)
		}
		for _, raw := range optional {
			if string(*raw) == "null" {
				*raw = nil
			}
		}
	}
}
