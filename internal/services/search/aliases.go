package search

import (
	"encoding/json"

	"sekisho/internal/store"
)

const kindAlias = "searchAlias"

// alias is another name of an index. Source: searchservice.json SearchAlias.
type alias struct {
	Name    string   `json:"name"`
	Indexes []string `json:"indexes"`
}

func (s *Search) aliasDefinition() *definition {
	return &definition{
		path: "aliases", singular: "alias", kind: kindAlias, action: "aliases", source: indexSource,
		stable: "2026-04-01", preview: "2021-04-30", // azure-rest-api-specs search/data-plane, Aliases_Create
		limit: func(t tier) int { return t.aliases },
		plan: func(_ change, _, in json.RawMessage) (json.RawMessage, error) {
			var a alias
			if err := decode(in, &a); err != nil {
				return nil, err
			}
			if len(a.Indexes) != 1 {
				return nil, badInput("indexes", "The request is invalid. Details: definition : An alias maps to exactly one index, and '%s' names %d.", a.Name, len(a.Indexes))
			}
			return json.Marshal(a)
		},
		commit: commitAlias,
	}
}

// commitAlias holds an alias to lead to an index, and to share no index's name.
func commitAlias(tx *store.Tx, at place, _, new json.RawMessage) error {
	if new == nil {
		return nil
	}
	var a alias
	if err := json.Unmarshal(new, &a); err != nil {
		return err
	}
	if _, err := tx.Get(kindIndex, at.id()); err == nil {
		return badInput("name", "The request is invalid. Details: definition : Cannot create alias '%s' because an index of this name exists.", at.name)
	}
	if _, err := tx.Get(kindIndex, place{service: at.service, name: a.Indexes[0]}.id()); err != nil {
		return badInput("indexes", "The request is invalid. Details: definition : No index with the name '%s' was found in the service '%s'.", a.Indexes[0], at.service)
	}
	return nil
}

// aliasOf names an alias that maps to an index; empty if none does.
func aliasOf(tx *store.Tx, at place) (string, error) {
	all, err := tx.List(kindAlias, store.Query{Prefix: at.service + "/"})
	if err != nil {
		return "", err
	}
	for _, rec := range all {
		a, err := store.Decode[alias](rec)
		if err != nil {
			return "", err
		}
		if a.Indexes[0] == at.name {
			return a.Name, nil
		}
	}
	return "", nil
}
