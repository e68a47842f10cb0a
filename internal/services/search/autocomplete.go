package search

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/search/analysis"
)

// completed bounds the documents that completions are read from: the best of those
// that have the text.
const completed = 200

// complete answers with words that the text may go on to. Azure completes terms of
// the index; here they are read from the documents that match, so that what a filter
// hides completes nothing.
// Source: azure-docs "Autocomplete", "Autocomplete Modes".
func (s *Search) complete(w http.ResponseWriter, call *api.Call, in suggestRequest) error {
	modes := []string{"", "oneTerm", "twoTerms", "oneTermWithContext"}
	if !slices.Contains(modes, in.Mode) {
		return badInput("autocompleteMode", "The value '%s' of the parameter autocompleteMode is not one of %s.\r\nParameter name: autocompleteMode", in.Mode, strings.Join(modes[1:], ", "))
	}
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	q, err := s.readSuggestion(call, o, in)
	if err != nil {
		return err
	}
	top := q.top
	q.top = completed
	docs, err := s.suggested(o, q, in.Mode != "oneTermWithContext")
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, d := range docs {
		for text := range q.completions(d) {
			counts[text]++
		}
	}
	texts := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	values := []map[string]any{}
	for _, text := range texts[:min(len(texts), top)] {
		values = append(values, map[string]any{"text": text, "queryPlusText": q.plus(text)})
	}
	return q.write(w, values)
}

// before is the text without its last word.
func (q *suggestion) before() string {
	text := q.partly.Search
	if at := strings.LastIndexAny(strings.TrimRight(text, " "), " \t"); at >= 0 {
		return text[:at+1]
	}
	return ""
}

// plus is the query with a completion in the place of its last word, or of the last
// two, if the completion has the context.
func (q *suggestion) plus(text string) string {
	before := q.before()
	if q.partly.Mode == "oneTermWithContext" {
		before = (&suggestion{partly: suggestRequest{Search: strings.TrimSpace(before)}}).before()
	}
	return before + q.partly.HighlightPre + text + q.partly.HighlightPost
}

// completions are what the words of a document make of the last word of the text: as
// they stand in the document, in lower case, and not as an analyzer makes stems of them.
// Source: azure-rest-api-specs search/data-plane/Search/2026-04-01, examples
// SearchIndexAutocompleteDocumentsPost.json, of a field with en.lucene.
func (q *suggestion) completions(d stored) map[string]bool {
	found := map[string]bool{}
	for _, path := range q.compiler.fields {
		terms := q.terms[path]
		if len(terms) == 0 {
			continue
		}
		last := terms[len(terms)-1].words[0]
		for _, value := range valuesAt(d.Fields, path) {
			tokens, err := q.text[path].index.Analyze(value)
			if err != nil {
				continue
			}
			word := func(t analysis.Token) string { return strings.ToLower(value[t.Start:t.End]) }
			for i, t := range tokens {
				if !last(t.Text) {
					continue
				}
				switch q.partly.Mode {
				case "twoTerms":
					if next := beside(tokens, i, 1); next != nil {
						found[word(t)+" "+word(*next)] = true
					}
				case "oneTermWithContext":
					if prior := beside(tokens, i, -1); prior != nil && len(terms) > 1 && terms[len(terms)-2].words[0](prior.Text) {
						found[word(*prior)+" "+word(t)] = true
					}
				default:
					found[word(t)] = true
				}
			}
		}
	}
	return found
}

// beside is the token so many places on.
func beside(tokens []analysis.Token, i, by int) *analysis.Token {
	for j := i + by; j >= 0 && j < len(tokens); j += by {
		if tokens[j].Position == tokens[i].Position+by {
			return &tokens[j]
		}
	}
	return nil
}
