package lucene

// Query is a node of a parsed query: Bool, Boost, Text, Phrase, Prefix, Wildcard,
// Regex, Fuzzy or All. Nodes are values, and no node is nil.
//
// A Field is a field's path as the query writes it (Address/City); empty, it stands
// for the fields that the request searches. The parser knows no index, so whether
// there is such a field is for the caller to check, as is what its analyzer makes of
// a Text or a Phrase.
type Query interface {
	// Pos is the byte of the query text at which the node begins.
	Pos() int
}

// At is the byte of the query text at which a node begins.
type At int

// Pos is the byte of the query text at which the node begins.
func (a At) Pos() int { return int(a) }

// Bool joins clauses as Lucene's BooleanQuery does. A document matches if it matches
// all of Must, none of Not, and, where Must is empty, at least one of Should; what
// else of Should matches only adds to the score. So a Bool of nothing but Not
// matches no document: the simple syntax therefore adds an All where it negates.
type Bool struct {
	At
	Must, Should, Not []Query
}

// Boost multiplies the score of a query.
type Boost struct {
	At
	Query  Query
	Factor float64
}

// Text is a word outside quotes. Its field's analyzer may make of it several terms:
// they are joined by the request's default operator, as Lucene's parsers do it, and
// never a phrase. If it makes none, the clause is left out of its Bool.
type Text struct {
	At
	Text, Field string
}

// Phrase is text in quotes. Its terms follow each other, Slop moves apart at most.
type Phrase struct {
	At
	Text, Field string
	Slop        int
}

// Prefix matches terms that begin with Text.
type Prefix struct {
	At
	Text, Field string
}

// Wildcard matches terms by a pattern of * and ?, in which a backslash escapes.
type Wildcard struct {
	At
	Pattern, Field string
}

// Regex matches whole terms by a pattern of Lucene's regular expressions.
type Regex struct {
	At
	Pattern, Field string
}

// Fuzzy matches terms that at most Edits (0 to 2) insertions, deletions,
// substitutions or swaps of neighbours turn into Text.
type Fuzzy struct {
	At
	Text, Field string
	Edits       int
}

// All matches every document.
type All struct{ At }
