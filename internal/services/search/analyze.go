package search

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf16"

	"sekisho/internal/api"
	"sekisho/internal/services/search/analysis"
	"sekisho/internal/services/search/schema"
)

// analyzeRequest is how a text is to be broken. Source: searchservice.json AnalyzeRequest.
type analyzeRequest struct {
	Text         *string  `json:"text"`
	Analyzer     string   `json:"analyzer"`
	Tokenizer    string   `json:"tokenizer"`
	Normalizer   string   `json:"normalizer"`
	TokenFilters []string `json:"tokenFilters"`
	CharFilters  []string `json:"charFilters"`
}

// analyzedToken counts its offsets in UTF-16, as .NET does.
type analyzedToken struct {
	Token    string `json:"token"`
	Start    int    `json:"startOffset"`
	End      int    `json:"endOffset"`
	Position int    `json:"position"`
}

func (s *Search) analyzeOperations() []api.Operation {
	// It shows what a definition does and no document: who reads one may.
	const read = serviceType + "/indexes/read"
	return []api.Operation{{Method: http.MethodPost, Pattern: "/indexes/{name}/analyze", Name: "Indexes_Analyze", Action: read, Source: indexSource, Keys: true,
		Checks: atIndex(read, false), Handle: s.versioned(s.analyze)}}
}

// analyze shows how an analyzer breaks a text.
func (s *Search) analyze(w http.ResponseWriter, call *api.Call) error {
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	var in analyzeRequest
	if err := readBody(call, &in); err != nil {
		return err
	}
	if err := in.check(versionOf(call)); err != nil {
		return err
	}
	set, err := analysis.New(o.schema())
	if err != nil {
		return err
	}
	tokens, err := in.tokens(set)
	if err != nil {
		return err
	}
	reply := map[string]any{"tokens": tokens}
	if metadata(call.Request) != "none" {
		reply["@odata.context"] = call.URL("/$metadata#" + schema.Namespace(versionOf(call)) + "AnalyzeResult")
	}
	return writeJSON(w, call, http.StatusOK, reply)
}

func (in analyzeRequest) check(version string) error {
	const invalid = "The request is invalid. Details: request : "
	given := 0
	for _, name := range []string{in.Analyzer, in.Tokenizer, in.Normalizer} {
		if name != "" {
			given++
		}
	}
	switch {
	case in.Text == nil:
		return badInput("text", invalid+"The parameter 'text' is required.")
	case in.Normalizer != "" && !schema.Knows(version, "2025-09-01", "2020-06-30"):
		return badInput("normalizer", "The request is invalid. Details: The property 'normalizer' does not exist on type '%sAnalyzeRequest' or is not present in the API version '%s'.", schema.Namespace(version), version)
	case given != 1:
		return badInput("analyzer", invalid+"Exactly one of the parameters 'analyzer', 'tokenizer' and 'normalizer' must be given.")
	case in.Tokenizer == "" && len(in.TokenFilters) > 0:
		return badInput("tokenFilters", invalid+"The parameter 'tokenFilters' can be given only with the parameter 'tokenizer'.")
	case in.Tokenizer == "" && len(in.CharFilters) > 0:
		return badInput("charFilters", invalid+"The parameter 'charFilters' can be given only with the parameter 'tokenizer'.")
	}
	return nil
}

func (in analyzeRequest) tokens(set *analysis.Set) ([]analyzedToken, error) {
	text := *in.Text
	if in.Normalizer != "" {
		n, ok := set.Normalizer(in.Normalizer)
		if !ok {
			return nil, badInput("normalizer", "The request is invalid. Details: request : The normalizer '%s' is not defined.", in.Normalizer)
		}
		return []analyzedToken{{Token: n.Normalize(text), End: len(utf16.Encode([]rune(text)))}}, nil
	}
	a, err := in.analyzer(set)
	if err != nil {
		return nil, err
	}
	found, err := a.Analyze(text)
	if errors.Is(err, analysis.ErrTooManyTokens) {
		return nil, badInput("text", "The request is invalid. Details: request : The text makes more than %d tokens.", analysis.MaxTokens)
	}
	if err != nil {
		return nil, err
	}
	analysis.UTF16(text, found)
	tokens := make([]analyzedToken, len(found))
	for i, t := range found {
		tokens[i] = analyzedToken{Token: t.Text, Start: t.Start, End: t.End, Position: t.Position}
	}
	return tokens, nil
}

func (in analyzeRequest) analyzer(set *analysis.Set) (*analysis.Analyzer, error) {
	if in.Tokenizer != "" {
		return set.Compose("", in.Tokenizer, in.TokenFilters, in.CharFilters)
	}
	a, ok := set.Analyzer(in.Analyzer)
	if !ok {
		return nil, badInput("analyzer", "The request is invalid. Details: request : The analyzer '%s' is not defined. Predefined analyzers are: %s", in.Analyzer, strings.Join(analysis.Names(), ", "))
	}
	return a, nil
}
