package schema

import (
	"net/url"
	"strings"
	"time"
)

// Kinds and values of vector search.
const (
	KindHNSW       = "hnsw"
	KindExhaustive = "exhaustiveKnn"
	KindScalar     = "scalarQuantization"
	KindBinary     = "binaryQuantization"
	// PackedBit is the encoding of vectors of bits.
	PackedBit = "packedBit"
)

// checkVectors holds vectorSearch against its own rules, and vector fields against
// it. Source: azure-rest-api-specs searchservice.json VectorSearch;
// azure-docs search/vector-search-how-to-create-index.md.
func (x *Index) checkVectors(v version) error {
	s, at := x.Vectors, Place("vectorSearch")
	if s == nil {
		s = &VectorSearch{}
	}
	for _, check := range []func(Place, version) error{s.checkNames, s.checkAlgorithms, s.checkVectorizers, s.checkCompressions, s.checkProfiles} {
		if err := check(at, v); err != nil {
			return err
		}
	}
	for i, f := range x.Fields {
		if !f.Type.Vector() {
			continue
		}
		if err := s.fits(f, Place("fields").At(i)); err != nil {
			return err
		}
	}
	return nil
}

func (s *VectorSearch) checkNames(at Place, _ version) error {
	for _, err := range []error{
		at.In("profiles").named("vector search profile", namesOf(s.Profiles, func(p VectorProfile) string { return p.Name })...),
		at.In("algorithms").named("vector search algorithm configuration", namesOf(s.Algorithms, func(a Algorithm) string { return a.Name })...),
		at.In("vectorizers").named("vectorizer", namesOf(s.Vectorizers, func(v Vectorizer) string { return v.Name })...),
		at.In("compressions").named("compression configuration", namesOf(s.Compressions, func(c Compression) string { return c.Name })...),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *VectorSearch) checkAlgorithms(at Place, v version) error {
	for i, a := range s.Algorithms {
		at := at.In("algorithms").At(i)
		if err := at.In("kind").oneOf(a.Kind, KindHNSW, KindExhaustive); err != nil {
			return err
		}
		switch {
		case a.Kind == KindHNSW && a.Exhaustive != nil:
			return at.In("exhaustiveKnnParameters").invalid(codeIndex, "The algorithm configuration '%s' of kind hnsw cannot have the property 'exhaustiveKnnParameters'.", a.Name)
		case a.Kind == KindExhaustive && a.HNSW != nil:
			return at.In("hnswParameters").invalid(codeIndex, "The algorithm configuration '%s' of kind exhaustiveKnn cannot have the property 'hnswParameters'.", a.Name)
		case a.Kind == KindExhaustive:
			if err := metric(at.In("exhaustiveKnnParameters"), a.Exhaustive.Metric, v); err != nil {
				return err
			}
			continue
		}
		at = at.In("hnswParameters")
		if err := metric(at, a.HNSW.Metric, v); err != nil {
			return err
		}
		for _, p := range []struct {
			name               string
			value, least, most int
		}{{"m", *a.HNSW.M, 4, 10}, {"efConstruction", *a.HNSW.EFConstruction, 100, 1000}, {"efSearch", *a.HNSW.EFSearch, 100, 1000}} {
			if p.value < p.least || p.value > p.most {
				return at.In(p.name).invalid(codeIndex, "The property '%s' of the algorithm configuration '%s' is %d, but must be between %d and %d.", p.name, a.Name, p.value, p.least, p.most)
			}
		}
	}
	return nil
}

func metric(at Place, name string, v version) error {
	known := []string{"cosine", "euclidean", "dotProduct"}
	if v.from("2024-07-01", "2024-05-01") {
		known = append(known, "hamming")
	}
	return at.In("metric").oneOf(name, known...)
}

// Metric is how an algorithm measures.
func (a Algorithm) Metric() string {
	if a.Kind == KindExhaustive {
		return a.Exhaustive.Metric
	}
	return a.HNSW.Metric
}

// checkVectorizers. Source of a text: Azure/azure-search-vector-samples, "Error in
// Vectorizer"; azure-docs search/vector-search-vectorizer-azure-open-ai.md.
func (s *VectorSearch) checkVectorizers(at Place, v version) error {
	for i, z := range s.Vectorizers {
		at := at.In("vectorizers").At(i)
		wrong := func(property, format string, args ...any) error {
			return at.In(property).invalid(codeIndex, "Error in Vectorizer '%s' : "+format, append([]any{z.Name}, args...)...)
		}
		switch z.Kind {
		case "azureOpenAI":
			p := z.AzureOpenAI
			switch {
			case p == nil:
				return wrong("azureOpenAIParameters", "'azureOpenAIParameters' parameter is required.")
			case z.WebAPI != nil:
				return wrong("customWebApiParameters", "'customWebApiParameters' does not belong to a vectorizer of kind azureOpenAI.")
			case p.ResourceURI == "":
				return wrong("azureOpenAIParameters.resourceUri", "'resourceUri' parameter is required.")
			case !https(p.ResourceURI):
				return wrong("azureOpenAIParameters.resourceUri", "'resourceUri' '%s' is not an absolute https URI.", p.ResourceURI)
			case p.DeploymentID == "":
				return wrong("azureOpenAIParameters.deploymentId", "'deploymentId' parameter is required.")
			case p.ModelName == "" && v.from("2024-07-01", "2024-05-01"):
				in := ""
				if v.name != "" {
					in = " in API version '" + v.name + "'"
				}
				return wrong("azureOpenAIParameters.modelName", "'modelName' parameter is required%s.", in)
			}
			if p.ModelName != "" {
				if err := at.In("azureOpenAIParameters").In("modelName").oneOf(p.ModelName, "text-embedding-ada-002", "text-embedding-3-large", "text-embedding-3-small"); err != nil {
					return err
				}
			}
		case "customWebApi":
			if err := z.WebAPI.check(wrong, z.AzureOpenAI != nil); err != nil {
				return err
			}
		case "aml", "aiServicesVision":
			return wrong("kind", "vectorizers of kind '%s' are not available in Sekisho.", z.Kind)
		default:
			return at.In("kind").oneOf(z.Kind, "azureOpenAI", "customWebApi")
		}
	}
	return nil
}

func (p *WebAPI) check(wrong func(property, format string, args ...any) error, both bool) error {
	switch {
	case p == nil:
		return wrong("customWebApiParameters", "'customWebApiParameters' parameter is required.")
	case both:
		return wrong("azureOpenAIParameters", "'azureOpenAIParameters' does not belong to a vectorizer of kind customWebApi.")
	case !https(p.URI):
		return wrong("customWebApiParameters.uri", "'uri' '%s' is not an absolute https URI.", p.URI)
	case p.Method != "" && p.Method != "POST" && p.Method != "PUT":
		return wrong("customWebApiParameters.httpMethod", "'httpMethod' '%s' is not POST or PUT.", p.Method)
	}
	if p.Timeout != "" {
		if d, err := ParseDuration(p.Timeout); err != nil || d < time.Second || d > 230*time.Second {
			return wrong("customWebApiParameters.timeout", "'timeout' '%s' is not a duration between PT1S and PT230S.", p.Timeout)
		}
	}
	return nil
}

func https(text string) bool {
	u, err := url.Parse(text)
	return err == nil && strings.EqualFold(u.Scheme, "https") && u.Host != ""
}

// checkCompressions. Source: azure-docs search/vector-search-how-to-quantization.md.
func (s *VectorSearch) checkCompressions(at Place, v version) error {
	for i, c := range s.Compressions {
		at := at.In("compressions").At(i)
		kinds := []string{KindScalar}
		if v.from("2024-07-01", "2024-05-01") {
			kinds = append(kinds, KindBinary)
		}
		if err := at.In("kind").oneOf(c.Kind, kinds...); err != nil {
			return err
		}
		switch r := c.Rescoring; {
		case c.Kind == KindBinary && c.Scalar != nil:
			return at.In("scalarQuantizationParameters").invalid(codeIndex, "The compression configuration '%s' of kind binaryQuantization cannot have the property 'scalarQuantizationParameters'.", c.Name)
		case c.Scalar != nil && c.Scalar.Type != "" && c.Scalar.Type != "int8":
			return at.In("scalarQuantizationParameters").In("quantizedDataType").oneOf(c.Scalar.Type, "int8")
		case c.Truncation < 0:
			return at.In("truncationDimension").invalid(codeIndex, "The property 'truncationDimension' of the compression configuration '%s' is %d, but must be positive.", c.Name, c.Truncation)
		case r != nil && (c.Rerank != nil || c.Oversampling != nil):
			return at.In("rescoringOptions").invalid(codeIndex, "The compression configuration '%s' has 'rescoringOptions' beside the properties that it replaces: 'rerankWithOriginalVectors' and 'defaultOversampling'.", c.Name)
		case c.Oversampling != nil && *c.Oversampling < 1:
			return at.In("defaultOversampling").invalid(codeIndex, "The property 'defaultOversampling' of the compression configuration '%s' is %v, but must be at least 1.", c.Name, *c.Oversampling)
		case r != nil && r.Oversampling != nil && *r.Oversampling < 1:
			return at.In("rescoringOptions").In("defaultOversampling").invalid(codeIndex, "The property 'defaultOversampling' of the compression configuration '%s' is %v, but must be at least 1.", c.Name, *r.Oversampling)
		case r != nil && r.Storage != "":
			if err := at.In("rescoringOptions").In("rescoreStorageMethod").oneOf(r.Storage, "preserveOriginals", "discardOriginals"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *VectorSearch) checkProfiles(at Place, _ version) error {
	for i, p := range s.Profiles {
		at := at.In("profiles").At(i)
		switch {
		case s.algorithm(p.Algorithm) == nil:
			return at.In("algorithm").invalid(codeAlgorithm, "The vector search profile '%s' uses a vector search algorithm configuration '%s' which is not defined.", p.Name, p.Algorithm)
		case p.Vectorizer != "" && find(s.Vectorizers, func(v Vectorizer) bool { return v.Name == p.Vectorizer }) == nil:
			return at.In("vectorizer").invalid(codeIndex, "The vector search profile '%s' uses a vectorizer '%s' which is not defined.", p.Name, p.Vectorizer)
		case p.Compression != "" && s.compression(p.Compression) == nil:
			return at.In("compression").invalid(codeIndex, "The vector search profile '%s' uses a compression configuration '%s' which is not defined.", p.Name, p.Compression)
		}
	}
	return nil
}

func find[T any](list []T, is func(T) bool) *T {
	for i := range list {
		if is(list[i]) {
			return &list[i]
		}
	}
	return nil
}

func (s *VectorSearch) profile(name string) *VectorProfile {
	return find(s.Profiles, func(p VectorProfile) bool { return p.Name == name })
}

func (s *VectorSearch) algorithm(name string) *Algorithm {
	return find(s.Algorithms, func(a Algorithm) bool { return a.Name == name })
}

func (s *VectorSearch) compression(name string) *Compression {
	return find(s.Compressions, func(c Compression) bool { return c.Name == name })
}

// fits holds a vector field against its profile. Source of the text:
// OrchardCMS/OrchardCore#19298.
func (s *VectorSearch) fits(f *Field, at Place) error {
	p := s.profile(f.VectorProfile)
	if p == nil {
		return at.In("vectorSearchProfile").invalid(codeAlgorithm, "The field '%s' uses a vector search algorithm configuration '%s' which is not defined.", f.Name, f.VectorProfile)
	}
	bits := f.Type.Element() == Byte
	if m := s.algorithm(p.Algorithm).Metric(); bits != (m == "hamming") {
		return at.In("vectorSearchProfile").invalid(codeField, "The vector field '%s' is of type '%s' and its profile '%s' has the metric %s: fields of type Collection(Edm.Byte), and no others, have the metric hamming.", f.Name, f.Type, p.Name, m)
	}
	c := s.compression(p.Compression)
	switch {
	case c == nil:
	case f.Type.Element() != Single && f.Type.Element() != Half:
		return at.In("vectorSearchProfile").invalid(codeField, "The vector field '%s' of type '%s' cannot be compressed: only fields of type Collection(Edm.Single) or Collection(Edm.Half) can.", f.Name, f.Type)
	case c.Truncation > f.Dimensions:
		return at.In("vectorSearchProfile").invalid(codeField, "The vector field '%s' has %d dimensions, but the compression configuration '%s' truncates vectors to %d.", f.Name, f.Dimensions, c.Name, c.Truncation)
	}
	return nil
}
