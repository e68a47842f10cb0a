// Package engine is one index of AI Search: it finds the documents that a query
// matches, and ranks them.
//
// An index is derived from documents that are stored elsewhere. Each version of a
// document has an ordinal of its own, by which its text is known in bleve, which
// keeps it on disk; an index is right if it holds just the ordinals of what is
// stored, and Open mends it if not. In memory a document is a slot, a small number
// that text, filters, facets, sorts and vectors share: a filter is a bitset of
// slots to all of them.
//
// Postings are bleve's. Scores are not: k1, b and the weights of fields are an
// index's own here, and a package's variables there.
package engine
