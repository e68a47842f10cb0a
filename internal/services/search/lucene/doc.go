// Package lucene parses the query text of AI Search, in both of its syntaxes, into a
// tree of Query nodes. It knows no index: what fields there are, and what an
// analyzer makes of a word, is for its caller.
package lucene
