// Package indexer is what an indexer of Azure AI Search does, without the service
// around it: the definitions of data sources, skillsets and indexers, the tree in
// which a document is enriched, the skills, field mappings and projections, and the
// run that leads from a data source to an index.
//
// What it needs of others it names as interfaces: a source of items, a reader of
// files, a sink of documents, a client for what skills call.
package indexer
