package search

import (
	"encoding/json"

	"sekisho/internal/services/search/indexer"
	"sekisho/internal/store"
)

const kindSkillset = "searchSkillset"

func (s *Search) skillsetDefinition() *definition {
	return &definition{
		path: "skillsets", singular: "skillset", kind: kindSkillset, action: "skillsets", source: indexerSource, secret: true,
		limit:  func(t tier) int { return t.indexers },
		plan:   planAs[indexer.Skillset],
		commit: s.commitSkillset,
		view:   viewAs[indexer.Skillset],
	}
}

// commitSkillset holds projections to the indexes that they write to.
func (s *Search) commitSkillset(tx *store.Tx, at place, _, new json.RawMessage) error {
	if new == nil {
		return nil
	}
	var d indexer.Skillset
	if err := json.Unmarshal(new, &d); err != nil {
		return err
	}
	if d.Projections == nil {
		return nil
	}
	for i := range d.Projections.Selectors {
		selector := &d.Projections.Selectors[i]
		of, _, err := indexAt(tx, s.seal, place{service: at.service, name: selector.Index})
		if err != nil {
			return badInput("indexProjections", "The request is invalid. Details: indexProjections : No index with the name '%s' was found in the service '%s'.", selector.Index, at.service)
		}
		if err := selector.CheckIndex(of); err != nil {
			return refused(err)
		}
	}
	return nil
}
