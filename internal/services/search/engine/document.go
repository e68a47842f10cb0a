package engine

// Document is a version of a document, as an index takes it.
type Document struct {
	Ordinal uint64
	Key     string
	Texts   []Text
	// Values are those of fields that are filtered, sorted, or counted, by path: one
	// value, or a []any of a collection and of what is below one. Strings are
	// normalised.
	Values map[string]any
	// Nested are the decoded elements of complex collections, by path.
	Nested  map[string][]any
	Vectors map[string][]float32
	// Lengths are those of Texts in tokens, for a document whose text is in the index
	// already.
	Lengths map[string]int
}

// Text is what is searched in one field of a document.
type Text struct {
	Path   string
	Tokens []Token
}

// Token is a term, and where it stands among the others.
type Token struct {
	Text     string
	Position int // from 1
}

// gap is between the words of one value of a field and those of the next: no
// phrase goes over it. Source: Lucene's positionIncrementGap as Solr and
// Elasticsearch have it.
const gap = 100

// Add appends the tokens of one value, whose positions count from 1.
func (t *Text) Add(tokens []Token) {
	base := 0
	if n := len(t.Tokens); n > 0 {
		base = t.Tokens[n-1].Position + gap
	}
	for _, token := range tokens {
		token.Position += base
		t.Tokens = append(t.Tokens, token)
	}
}
