package search

import (
	"slices"
	"strings"

	"github.com/blevesearch/vellum"

	"sekisho/internal/api"
	"sekisho/internal/services/search/analysis"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/lucene"
	"sekisho/internal/services/search/lucene/terms"
	"sekisho/internal/services/search/schema"
)

// compiler makes of a query's text what the engine evaluates, and remembers what is
// to be marked in what is found.
type compiler struct {
	of      *schema.Index
	text    texts
	fields  []string // that a word without a field is looked for in
	all     bool     // searchMode all
	profile *profile
	marks   marks
	// thesaurus are the synonyms of fields.
	thesaurus map[string]*analysis.Thesaurus
	counts    counts
	denied    int  // below a negation nothing is marked
	partial   bool // of a suggestion, whose filter may not search
}

// counts are what is bounded of all texts of a query.
type counts struct {
	clauses  int // words, phrases and patterns, each times its fields
	patterns int // wildcards, regular expressions and fuzzy words
}

// maxPatterns bounds what automata take: one may have 20 MB.
const maxPatterns = 64

// maxClauses bounds the clauses of a query.
// Source: azure-docs search/search-limits-quotas-capacity.md, "API request limits"; of
// the text of the error and what it counts, Azure/azure-sdk-for-python#39837.
const maxClauses = 3000

// searchFields reads the fields that are searched: those named, or all searchable.
func searchFields(of *schema.Index, text texts, named string) ([]string, error) {
	var fields []string
	for path := range strings.SplitSeq(named, ",") {
		switch path = strings.TrimSpace(path); {
		case path == "":
		case !text[path].searched():
			return nil, badInput("searchFields", "The field '%s' in the search field list is not searchable.\r\nParameter name: searchFields", path)
		case !slices.Contains(fields, path):
			fields = append(fields, path)
		}
	}
	if fields == nil {
		of.Walk(func(path string, _ *schema.Field, _ bool) {
			if text[path].searched() {
				fields = append(fields, path)
			}
		})
	}
	return fields, nil
}

// parse reads a query's text; nil matches everything.
func (c *compiler) parse(text, syntax string) (lucene.Query, error) {
	if text = strings.TrimSpace(text); text == "" || text == "*" {
		return nil, nil
	}
	if syntax == "full" {
		return lucene.ParseFull(text, c.all)
	}
	return lucene.ParseSimple(text, c.all)
}

// node is a query as the engine evaluates it, in one search.
func (c *compiler) node(q lucene.Query) (engine.Node, error) {
	n, err := c.compile(q, 1)
	if n == nil {
		n = engine.Nothing{} // the analyzers left nothing to look for
	}
	return n, malformedQuery(err)
}

// compile gives nil for a query of which the analyzers leave nothing.
func (c *compiler) compile(q lucene.Query, boost float64) (engine.Node, error) {
	switch q := q.(type) {
	case lucene.Bool:
		return c.bool(q, boost)
	case lucene.Boost:
		return c.compile(q.Query, boost*q.Factor)
	case lucene.All:
		return engine.Everything{Boost: boost}, nil
	case lucene.Text:
		return c.eachField(q.Field, boost, func(path string, boost float64) (engine.Node, error) { return c.words(path, q.Text, boost) })
	case lucene.Phrase:
		return c.eachField(q.Field, boost, func(path string, boost float64) (engine.Node, error) {
			return c.phrase(path, q.Text, q.Slop, boost)
		})
	}
	return c.automaton(q, boost)
}

func (c *compiler) bool(q lucene.Bool, boost float64) (engine.Node, error) {
	list := func(queries []lucene.Query) (nodes []engine.Node, err error) {
		for _, q := range queries {
			n, err := c.compile(q, boost)
			if err != nil {
				return nil, err
			}
			if n != nil {
				nodes = append(nodes, n)
			}
		}
		return nodes, nil
	}
	var b engine.Bool
	var err error
	if b.Must, err = list(q.Must); err != nil {
		return nil, err
	}
	if b.Should, err = list(q.Should); err != nil {
		return nil, err
	}
	c.denied++
	b.Not, err = list(q.Not)
	c.denied--
	if err != nil {
		return nil, err
	}
	if len(b.Must)+len(b.Should)+len(b.Not) == 0 {
		return nil, nil
	}
	return &b, nil
}

// eachField joins what one field makes of a part of the query with what the others
// make of it: a document's score is the sum of its fields'.
func (c *compiler) eachField(field string, boost float64, make func(path string, boost float64) (engine.Node, error)) (engine.Node, error) {
	fields := c.fields
	if field != "" {
		if !c.text[field].searched() {
			return nil, badInput("search", "The field '%s' in the search text is not a searchable field of the index.\r\nParameter name: search", field)
		}
		fields = []string{field}
	}
	var nodes []engine.Node
	for _, path := range fields {
		n, err := make(path, boost*c.profile.weight(path))
		if err != nil {
			return nil, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
		if c.counts.clauses > maxClauses {
			return nil, api.BadRequest("ClauseLimitExceeded", "search", "Failed to execute query because it exceeded the maximum clause limit of %[1]d. "+
				"This can happen when the query terms multiplied by fields specified in the query exceeds %[1]d. If fields are not explicitly specified, all searchable fields in the index are used. "+
				"Please limit the number of terms in the query or scope the query terms to a smaller number of searchable fields using the 'searchFields' parameter or fielded search syntax.", maxClauses)
		}
	}
	return either(nodes), nil
}

// either is what matches if one of the nodes does.
func either(nodes []engine.Node) engine.Node {
	switch len(nodes) {
	case 0:
		return nil
	case 1:
		return nodes[0]
	}
	return &engine.Bool{Should: nodes}
}

// words are those of one piece of text, of which an analyzer may make several: they
// are joined as searchMode says, for Azure generates no phrases.
func (c *compiler) words(path, text string, boost float64) (engine.Node, error) {
	tokens, err := c.analyse(path, text)
	if err != nil {
		return nil, err
	}
	var nodes []engine.Node
	add := func(n engine.Node) { nodes = append(nodes, n) }
	synonyms := c.synonyms(path, tokens)
	for i := 0; i < len(tokens); {
		if s, ok := synonyms[i]; ok {
			var alternatives []engine.Node
			for _, p := range s.Phrases {
				alternatives = append(alternatives, c.sequence(path, placesOf(p), 0, boost))
			}
			add(either(alternatives))
			i = s.End
			continue
		}
		same := []string{}
		for at := tokens[i].Position; i < len(tokens) && tokens[i].Position == at; i++ {
			same = append(same, tokens[i].Text)
		}
		add(c.sequence(path, []engine.PhraseTerm{{Texts: same}}, 0, boost))
	}
	if c.all && len(nodes) > 1 {
		return &engine.Bool{Must: nodes}, nil
	}
	return either(nodes), nil
}

func placesOf(p analysis.Phrase) (terms []engine.PhraseTerm) {
	for i, text := range p {
		terms = append(terms, engine.PhraseTerm{Texts: []string{text}, At: i})
	}
	return terms
}

func (c *compiler) analyse(path, text string) ([]analysis.Token, error) {
	tokens, err := c.text[path].search.Analyze(text)
	if err != nil {
		return nil, badInput("search", "The search text can't be analyzed for the field '%s': %v.\r\nParameter name: search", path, err)
	}
	return tokens, nil
}

// synonyms are those of tokens, by where they begin.
func (c *compiler) synonyms(path string, tokens []analysis.Token) map[int]analysis.Span {
	found := map[int]analysis.Span{}
	if t := c.thesaurus[path]; t != nil {
		for _, s := range t.Expand(tokens) {
			found[s.Start] = s
		}
	}
	return found
}

// phrase is text whose words stand near each other.
func (c *compiler) phrase(path, text string, slop int, boost float64) (engine.Node, error) {
	tokens, err := c.analyse(path, text)
	if err != nil || len(tokens) == 0 {
		return nil, err
	}
	if s, ok := c.synonyms(path, tokens)[0]; ok && s.End == len(tokens) {
		return c.words(path, text, boost)
	}
	var terms []engine.PhraseTerm
	for _, t := range tokens {
		at := t.Position - tokens[0].Position
		if n := len(terms); n > 0 && terms[n-1].At == at {
			terms[n-1].Texts = append(terms[n-1].Texts, t.Text)
			continue
		}
		terms = append(terms, engine.PhraseTerm{Texts: []string{t.Text}, At: at})
	}
	return c.sequence(path, terms, slop, boost), nil
}

// sequence looks for terms that follow each other.
func (c *compiler) sequence(path string, terms []engine.PhraseTerm, slop int, boost float64) engine.Node {
	c.counts.clauses++
	m := mark{}
	for _, t := range terms {
		m.words = append(m.words, func(token string) bool { return slices.Contains(t.Texts, token) })
		m.at = append(m.at, t.At)
	}
	if slop > 0 { // each for itself
		for _, is := range m.words {
			c.mark(path, wordMark(is))
		}
	} else {
		c.mark(path, m)
	}
	if len(terms) > 1 {
		return &engine.Phrase{Field: path, Terms: terms, Slop: slop, Boost: boost}
	}
	var nodes []engine.Node
	for _, text := range terms[0].Texts {
		nodes = append(nodes, &engine.Term{Field: path, Text: text, Boost: boost})
	}
	return either(nodes)
}

func (c *compiler) mark(path string, m mark) {
	if c.denied == 0 {
		c.marks[path] = append(c.marks[path], m)
	}
}

// automaton compiles prefixes, wildcards, regular expressions and fuzzy words: they
// are not analyzed but for their case.
// Source: azure-docs search/search-lucene-query-architecture.md, "Exceptions to lexical analysis".
func (c *compiler) automaton(q lucene.Query, boost float64) (engine.Node, error) {
	if _, ok := q.(lucene.Prefix); !ok {
		if c.counts.patterns++; c.counts.patterns > maxPatterns {
			return nil, badInput("search", "The query has more than %d wildcards, regular expressions and fuzzy words.\r\nParameter name: search", maxPatterns)
		}
	}
	accept, start, end, err := terms.Automaton(q)
	if err != nil {
		return nil, err
	}
	field := ""
	switch q := q.(type) {
	case lucene.Prefix:
		field = q.Field
	case lucene.Wildcard:
		field = q.Field
	case lucene.Regex:
		field = q.Field
	case lucene.Fuzzy:
		field = q.Field
	}
	return c.eachField(field, boost, func(path string, boost float64) (engine.Node, error) {
		c.counts.clauses++
		c.mark(path, wordMark(accepts(accept)))
		if fuzzy, ok := accept.(*terms.Fuzzy); ok {
			return &engine.Fuzzy{Field: path, Accept: accept, Likeness: fuzzy.Similarity, Most: terms.MaxExpansions, Boost: boost}, nil
		}
		return &engine.Words{Field: path, Accept: accept, From: start, Before: end, Boost: boost}, nil
	})
}

// accepts tells whether an automaton accepts a word.
func accepts(a vellum.Automaton) func(string) bool {
	return func(word string) bool {
		state := a.Start()
		for i := range len(word) {
			if !a.CanMatch(state) {
				return false
			}
			state = a.Accept(state, word[i])
		}
		return a.IsMatch(state)
	}
}
