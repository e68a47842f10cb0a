// Package extract reads what an indexer of Azure AI Search gets out of a file:
// its text and its metadata, or, for files that hold many documents, each of
// them.
//
// Files come from strangers, so they are read in worker processes: a reader
// that never ends, panics or takes all memory ends its worker and fails its
// document, and nothing else. A worker is the same program, started again to
// call Work; it gets the bytes of a file over a pipe and answers with
// documents, one file after the other, until it is closed or has to be killed.
//
// Source: Azure documentation, "Content metadata properties used in Azure AI
// Search", "Index JSON blobs", "Index CSV blobs", "Index plain text blobs",
// "Index Markdown blobs" and "Indexer errors and warnings".
package extract
