package search

import (
	"net/http"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

func (s *Search) statOperations() []api.Operation {
	const read = serviceType + "/indexes/read"
	return []api.Operation{
		{Method: http.MethodGet, Pattern: "/servicestats", Name: "Service_GetStatistics", Action: serviceType + "/read", Source: indexSource, Keys: true,
			Handle: s.versioned(s.serviceStats)},
		{Method: http.MethodGet, Pattern: "/indexes/{name}/stats", Name: "Indexes_GetStatistics", Action: read, Source: indexSource, Keys: true,
			Checks: atIndex(read, false), Handle: s.versioned(s.indexStats)},
	}
}

func (s *Search) indexStats(w http.ResponseWriter, call *api.Call) error {
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	u := o.x.Usage()
	return writeJSON(w, call, http.StatusOK, map[string]any{"@odata.context": call.URL("/$metadata#" + schema.Namespace(versionOf(call)) + "IndexStatistics"),
		"documentCount": u.Documents, "storageSize": u.Bytes, "vectorIndexSize": u.Vectors})
}

// serviceStats counts what is defined, beside what the tier allows.
func (s *Search) serviceStats(w http.ResponseWriter, call *api.Call) error {
	ctx := call.Request.Context()
	t, p, err := s.limits(ctx, string(call.Target.Scope))
	if err != nil {
		return err
	}
	counts := map[string]int{}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		for _, d := range s.definitions() {
			all, err := tx.List(d.kind, store.Query{Prefix: serviceName(call) + "/"})
			if err != nil {
				return err
			}
			counts[d.path] = len(all)
		}
		return nil
	})
	if err != nil {
		return err
	}
	u, err := s.used(ctx, placeOf(call))
	if err != nil {
		return err
	}
	counter := func(usage any, quota any) map[string]any { return map[string]any{"usage": usage, "quota": quota} }
	counters := map[string]any{
		"documentCount": counter(u.Documents, nil), "indexesCount": counter(counts["indexes"], t.indexes),
		"indexersCount": counter(counts["indexers"], max(t.indexers, 0)), "dataSourcesCount": counter(counts["datasources"], max(t.indexers, 0)),
		"skillsetCount": counter(counts["skillsets"], max(t.indexers, 0)), "synonymMaps": counter(counts["synonymmaps"], t.synonymMaps),
		"storageSize":     counter(u.Bytes, t.storageMB<<20*int64(p.Partitions)),
		"vectorIndexSize": counter(u.Vectors, t.vectorsMB<<20*int64(p.Partitions)),
	}
	limits := map[string]any{"maxFieldsPerIndex": t.fields, "maxFieldNestingDepthPerIndex": 10, "maxComplexCollectionFieldsPerIndex": 40,
		"maxComplexObjectsInCollectionsPerDocument": 3000, "maxStoragePerIndex": nil}
	if s.aliasDefinition().known(versionOf(call)) {
		counters["aliasesCount"] = counter(counts["aliases"], t.aliases)
	}
	if schema.Knows(versionOf(call), "2026-04-01", "2026-08-01") {
		limits["maxCumulativeIndexerRuntimeSeconds"] = nil
	}
	return writeJSON(w, call, http.StatusOK, map[string]any{
		"@odata.context": call.URL("/$metadata#" + schema.Namespace(versionOf(call)) + "ServiceStatistics"),
		"counters":       counters, "limits": limits,
	})
}
