// Package analysis turns text into the tokens that an index of Azure AI Search
// holds: analyzers by name, those that an index composes itself, normalizers and
// synonym maps. It knows nothing of HTTP and of documents.
//
// The reference is Lucene, which Azure's analyzers are: testdata holds what Lucene
// makes of a few hundred texts (see testdata/README.md), and the tests compare.
//
// Offsets of a Token are bytes of the text as it was given, so that text[t.Start:t.End]
// is what the token was made of. The analyze API counts UTF-16 code units, as Lucene
// does: UTF16 converts.
//
// Sources: azure-docs search/index-add-custom-analyzers.md (components, options and
// their defaults), index-add-language-analyzers.md, search-normalizers.md;
// azure-rest-api-specs search/data-plane/Azure.Search (Indexes_Create, Indexes_Analyze).
package analysis
