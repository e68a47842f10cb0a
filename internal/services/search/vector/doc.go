// Package vector searches the vectors of one field of one index, in memory: by a
// scan of all of them (exhaustive k-nearest neighbors) or along an HNSW graph,
// over the values themselves or over compressed ones, and fuses rankings (RRF).
//
// It knows slots (the engine's dense numbers of documents) and numbers, not
// documents. An Index is not synchronized: the engine holds a sync.RWMutex, with
// RLock around what reads and Lock around Add, Remove and Link.
//
// A graph answers approximately. Where a scan costs no more than a walk of the
// graph, the scan answers, so results are then better than Azure's: below
// GraphAt vectors, and where a filter leaves few (see scanFiltered).
//
// Source: azure-ai-docs search/vector-search-ranking, vector-search-filters,
// vector-search-how-to-quantization, hybrid-search-ranking.
package vector
