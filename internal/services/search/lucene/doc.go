// Package lucene parses the query text of AI Search, in both of its syntaxes, into a
// tree of Query nodes. It knows no index: what fields there are, and what an
// analyzer makes of a word, is for its caller.
//
// The parsers follow Lucene 6.6, which Azure names. The full syntax differs where
// Azure's documents do:
//   - a field is a path: Address/City:Portland (Lucene would begin a regular
//     expression at the slash); behind its colon AND, OR and NOT are words;
//   - ~ and ! within a word are characters of it: business~analyst;
//   - * alone matches all documents, and ranges are refused.
//
// A query of nothing but negations is a Bool of only Not in the full syntax. Lucene
// finds nothing by it; Azure's document calls it "not allowed" but gives no error.
//
// # Scores
//
// A Prefix, a Wildcard and a Regex give each document that matches the same score,
// 1 times the boost: "the frequency factor is ignored" (azure-docs
// search/query-lucene-syntax.md, "Scoring wildcard and regex queries"), and "all
// results receive a search score of 1.0" (query-simple-syntax.md, "Prefix queries").
// So does All.
//
// A Fuzzy is Lucene's TopTermsBlendedFreqScoringRewrite: the 50 terms that are most
// like it (package terms) are each scored as a word is, times their similarity, as if
// each were in as many documents as the most frequent of them, so that a rare
// misspelling does not rank above the word that was meant.
package lucene
