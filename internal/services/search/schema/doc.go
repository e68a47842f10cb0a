// Package schema is what an index of Azure AI Search is made of: fields and
// their attributes, analyzers, scoring profiles, suggesters, vector search and
// semantic configurations, as the definition of an index has them on the wire.
//
// It reads and checks definitions; it knows nothing of documents and queries.
//
// Source: azure-rest-api-specs search/data-plane/Azure.Search, Indexes_Create.
package schema
