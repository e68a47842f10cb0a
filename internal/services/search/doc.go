// Package search is Azure AI Search: services as resources of Resource Manager
// (Microsoft.Search), and their data plane, {service}.search.windows.net.
//
// Definitions of indexes, indexers, data sources and skillsets are managed by
// actions, documents by data actions: who owns a service may define an index and
// not read what is in it.
package search
