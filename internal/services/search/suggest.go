package search

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/vellum"

	"sekisho/internal/api"
	"sekisho/internal/services/search/analysis"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/lucene"
	"sekisho/internal/services/search/lucene/terms"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// suggestRequest is the body of Documents - Suggest and of Documents - Autocomplete.
// Source: azure-rest-api-specs searchindex.json SuggestRequest, AutocompleteRequest.
type suggestRequest struct {
	Search          string   `json:"search"`
	Suggester       string   `json:"suggesterName"`
	Filter          string   `json:"filter"`
	Fuzzy           bool     `json:"fuzzy"`
	HighlightPre    string   `json:"highlightPreTag"`
	HighlightPost   string   `json:"highlightPostTag"`
	MinimumCoverage *float64 `json:"minimumCoverage"`
	SearchFields    list     `json:"searchFields"`
	Top             *int     `json:"top"`

	OrderBy list `json:"orderby"` // of suggest
	Select  list `json:"select"`

	Mode string `json:"autocompleteMode"` // of autocomplete: oneTerm, twoTerms, oneTermWithContext
}

// suggestGet and completeGet take the same parameters from the query, suggestPost and
// completePost from the body.
func (s *Search) suggestGet(w http.ResponseWriter, call *api.Call) error {
	return s.suggestFromQuery(w, call, s.suggest, "$orderby", "$select")
}

func (s *Search) completeGet(w http.ResponseWriter, call *api.Call) error {
	return s.suggestFromQuery(w, call, s.complete, "autocompleteMode")
}

func (s *Search) suggestPost(w http.ResponseWriter, call *api.Call) error {
	return suggestFromBody(w, call, s.suggest, "autocompleteMode")
}

func (s *Search) completePost(w http.ResponseWriter, call *api.Call) error {
	return suggestFromBody(w, call, s.complete, "orderby", "select")
}

type suggesting = func(http.ResponseWriter, *api.Call, suggestRequest) error

func (s *Search) suggestFromQuery(w http.ResponseWriter, call *api.Call, handle suggesting, own ...string) error {
	q := query{values: call.Request.URL.Query()}
	in := suggestRequest{Search: q.text("search"), Suggester: q.text("suggesterName"), Filter: q.text("$filter"), Fuzzy: q.truth("fuzzy"),
		HighlightPre: q.text("highlightPreTag"), HighlightPost: q.text("highlightPostTag"), MinimumCoverage: q.fraction("minimumCoverage"),
		SearchFields: list(q.text("searchFields")), Top: q.number("$top")}
	for _, name := range own {
		switch name {
		case "$orderby":
			in.OrderBy = list(q.text(name))
		case "$select":
			in.Select = list(q.text(name))
		case "autocompleteMode":
			in.Mode = q.text(name)
		}
	}
	if q.bad != nil {
		return q.bad
	}
	return handle(w, call, in)
}

// suggestFromBody refuses what only the other of the two requests has.
func suggestFromBody(w http.ResponseWriter, call *api.Call, handle suggesting, foreign ...string) error {
	var given map[string]json.RawMessage
	if err := readBody(call, &given); err != nil {
		return err
	}
	for _, name := range foreign {
		if _, ok := given[name]; ok {
			return unknownProperty(name)
		}
	}
	raw, err := json.Marshal(given)
	if err != nil {
		return err
	}
	var in suggestRequest
	if err := decode(raw, &in); err != nil {
		return err
	}
	return handle(w, call, in)
}

// Limits of suggestions. Source: azure-docs "Suggestions", "Autocomplete".
const (
	maxSuggestText = 100
	defaultSuggest = 5
	maxSuggest     = 100
)

// suggestion is such a request, read against its index.
type suggestion struct {
	question
	call   *api.Call
	partly suggestRequest
	terms  map[string][]mark // of each field, one for each word of the text
	// parts are, of the fields where the last word is a beginning, how much of a word that
	// begins with it is shown as found, in bytes.
	parts map[string]func(word string) int
}

func (s *Search) readSuggestion(call *api.Call, o *opened, in suggestRequest) (q *suggestion, err error) {
	q = &suggestion{question: question{of: o.schema(), text: o.texts(), top: defaultSuggest}, call: call, partly: in}
	i := slices.IndexFunc(q.of.Suggesters, func(g schema.Suggester) bool { return g.Name == in.Suggester })
	switch n := utf8.RuneCountInString(in.Search); {
	case in.Suggester == "":
		return nil, badInput("suggesterName", "The suggesterName parameter is required.\r\nParameter name: suggesterName")
	case i < 0:
		return nil, badInput("suggesterName", "The specified suggester name '%s' does not exist in this index definition.\r\nParameter name: name", in.Suggester)
	case n < 1 || n > maxSuggestText:
		return nil, badInput("search", "The search text is required, and has at most %d characters.\r\nParameter name: search", maxSuggestText)
	case (in.HighlightPre == "") != (in.HighlightPost == ""):
		return nil, badInput("highlightPreTag", "highlightPreTag and highlightPostTag are set both or not at all.\r\nParameter name: highlightPreTag")
	}
	if err := (searchRequest{MinimumCoverage: in.MinimumCoverage}).check(); err != nil {
		return nil, err
	}
	if in.Top != nil {
		if q.top = *in.Top; q.top < 1 || q.top > maxSuggest {
			return nil, badInput("$top", "Value must be between 1 and %d.\r\nParameter name: $top", maxSuggest)
		}
	}
	fields := q.of.Suggesters[i].Fields
	if in.SearchFields != "" {
		if fields, err = suggestFields(fields, string(in.SearchFields)); err != nil {
			return nil, err
		}
	}
	if q.see, err = s.seen(call, o); err != nil {
		return nil, err
	}
	if q.filter, err = readFilter(q.of, q.text, in.Filter); err != nil {
		return nil, err
	}
	q.compiler = &compiler{of: q.of, text: q.text, fields: fields, all: true, marks: marks{}, partial: true}
	return q, nil
}

func suggestFields(of []string, named string) (fields []string, err error) {
	for path := range strings.SplitSeq(named, ",") {
		if path = strings.TrimSpace(path); !slices.Contains(of, path) {
			return nil, badInput("searchFields", "The field '%s' in the search field list is not a source field of the suggester.\r\nParameter name: searchFields", path)
		}
		fields = append(fields, path)
	}
	return fields, nil
}

// look looks for what has all words of the text in one field, the last of them as a
// beginning unless a space ends it. Of them, only takes the last alone.
// Source: Lucene AnalyzingInfixSuggester.
func (q *suggestion) look(only bool) (engine.Node, error) {
	q.terms, q.parts = map[string][]mark{}, map[string]func(string) int{}
	var fields []engine.Node
	for _, path := range q.compiler.fields {
		tokens, err := q.compiler.analyse(path, q.partly.Search)
		if err != nil {
			return nil, err
		}
		if len(tokens) == 0 {
			continue
		}
		last := len(tokens) - 1
		var all []engine.Node
		for i, t := range tokens {
			if only && i < last {
				continue
			}
			open := i == last && t.End == len(q.partly.Search)
			n, is, err := q.word(path, t, open)
			if err != nil {
				return nil, err
			}
			all = append(all, n)
			q.terms[path] = append(q.terms[path], mark{words: []func(string) bool{is}, at: []int{0}})
		}
		fields = append(fields, &engine.Bool{Must: all})
	}
	if len(fields) == 0 {
		return engine.Nothing{}, nil
	}
	return either(fields), nil
}

// word looks for one word, or for what begins with it; with one letter wrong behind the
// first, if the request is fuzzy. Source: Lucene FuzzySuggester.DEFAULT_NON_FUZZY_PREFIX;
// azure-rest-api-specs search/data-plane/Search/2026-04-01, examples
// SearchIndexAutocompleteDocumentsPost.json.
func (q *suggestion) word(path string, t analysis.Token, open bool) (engine.Node, func(string) bool, error) {
	if !open && !q.partly.Fuzzy {
		return &engine.Term{Field: path, Text: t.Text, Boost: 1}, func(s string) bool { return s == t.Text }, nil
	}
	var look lucene.Query = lucene.Prefix{Text: t.Text}
	kept, typed := t.Text, strings.ToLower(q.partly.Search[t.Start:t.End])
	if q.partly.Fuzzy {
		_, n := utf8.DecodeRuneInString(t.Text)
		look, kept = lucene.Fuzzy{Text: t.Text, Edits: 1}, t.Text[:n]
	}
	accept, _, _, err := terms.Automaton(look)
	if err != nil {
		return nil, nil, malformedQuery(err)
	}
	_, from, before, err := terms.Automaton(lucene.Prefix{Text: kept})
	if err != nil {
		return nil, nil, malformedQuery(err)
	}
	part := func(word string) bool { return word == typed }
	if alike := accepts(accept); q.partly.Fuzzy {
		part = func(word string) bool { return strings.HasPrefix(word, kept) && alike(word) }
	}
	if open {
		q.parts[path] = func(word string) int { return longest(word, part) }
	}
	if q.partly.Fuzzy && open {
		accept = startsWith{accept}
	}
	all := accepts(accept)
	is := func(word string) bool { return strings.HasPrefix(word, kept) && all(word) }
	return &engine.Words{Field: path, Accept: accept, From: from, Before: before, Boost: 1}, is, nil
}

// longest is how many bytes of a word the longest of its beginnings has that is
// accepted in lower case; all of them, if none is.
func longest(word string, is func(string) bool) int {
	for n := len(word); n > 0; {
		if is(strings.ToLower(word[:n])) {
			return n
		}
		_, last := utf8.DecodeLastRuneInString(word[:n])
		n -= last
	}
	return len(word)
}

// startsWith accepts what begins with what another automaton accepts.
type startsWith struct{ vellum.Automaton }

func (b startsWith) WillAlwaysMatch(state int) bool { return b.IsMatch(state) }
func (b startsWith) Accept(state int, next byte) int {
	if b.IsMatch(state) {
		return state
	}
	return b.Automaton.Accept(state, next)
}

func (s *Search) suggest(w http.ResponseWriter, call *api.Call, in suggestRequest) error {
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	q, err := s.readSuggestion(call, o, in)
	if err != nil {
		return err
	}
	if q.order, err = readOrder(q.of, string(in.OrderBy)); err != nil {
		return err
	}
	q.pick = []string{q.of.KeyField().Name}
	if in.Select != "" {
		if q.pick, err = selected(q.of, string(in.Select)); err != nil {
			return err
		}
	}
	docs, err := s.suggested(o, q, false)
	if err != nil {
		return err
	}
	values := []map[string]any{}
	for _, d := range docs {
		body := d.show(q.of, q.pick)
		body["@search.text"] = q.shown(d)
		values = append(values, body)
	}
	return q.write(w, values)
}

// suggested are the documents that have the text.
func (s *Search) suggested(o *opened, q *suggestion, only bool) (docs []stored, err error) {
	ctx := q.call.Request.Context()
	text, err := q.look(only)
	if err != nil {
		return nil, err
	}
	p, err := q.planned(text)
	if err != nil {
		return nil, err
	}
	found, err := o.search(ctx, func(v *engine.View) (engine.Request, error) { return q.build(ctx, v, p) })
	if err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		docs, err = s.indexes.documents(tx, o, found.Hits)
		return err
	})
	return docs, err
}

// shown is the text that was found, of the first field that has all words.
func (q *suggestion) shown(d stored) string {
	for _, path := range q.compiler.fields {
		for _, value := range valuesAt(d.Fields, path) {
			tokens, err := q.text[path].index.Analyze(value)
			if err != nil || len(q.terms[path]) == 0 || !covered(tokens, q.terms[path]) {
				continue
			}
			return tagged(value, 0, spans(q.cut(path, value, tokens), q.terms[path]), q.partly.HighlightPre, q.partly.HighlightPost)
		}
	}
	return ""
}

// cut are tokens of which those that only begin as the last word of the request does
// end where it does. Source: Lucene AnalyzingInfixSuggester.addPrefixMatch;
// azure-rest-api-specs search/data-plane/Search/2026-04-01, examples
// SearchIndexSuggestDocumentsPost.json.
func (q *suggestion) cut(path, value string, tokens []analysis.Token) []analysis.Token {
	part, last := q.parts[path], len(q.terms[path])-1
	if part == nil {
		return tokens
	}
	whole := func(t analysis.Token) bool {
		return slices.ContainsFunc(q.terms[path][:last], func(m mark) bool { return m.words[0](t.Text) })
	}
	tokens = slices.Clone(tokens)
	for i, t := range tokens {
		if q.terms[path][last].words[0](t.Text) && !whole(t) {
			tokens[i].End = t.Start + part(value[t.Start:t.End])
		}
	}
	return tokens
}

// covered tells whether a text has all words.
func covered(tokens []analysis.Token, words []mark) bool {
	return !slices.ContainsFunc(words, func(m mark) bool {
		return !slices.ContainsFunc(tokens, func(t analysis.Token) bool { return m.words[0](t.Text) })
	})
}

func (q *suggestion) write(w http.ResponseWriter, values []map[string]any) error {
	reply := map[string]any{"value": values}
	if metadata(q.call.Request) != "none" {
		reply["@odata.context"] = q.call.URL("/indexes('" + q.of.Name + "')/$metadata#docs(*)")
	}
	if q.partly.MinimumCoverage != nil {
		reply["@search.coverage"] = 100.0
	}
	return writeJSON(w, q.call, http.StatusOK, reply)
}
