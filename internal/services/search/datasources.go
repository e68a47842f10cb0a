package search

import (
	"encoding/json"
	"errors"

	"sekisho/internal/services/search/indexer"
	"sekisho/internal/services/search/schema"
)

const (
	kindDataSource = "searchDataSource"

	indexerSource = "azure-rest-api-specs search/data-plane/Azure.Search/stable/2024-07-01/searchservice.json; azure-docs role-based-access-control/permissions/ai-machine-learning.md"
)

// refused is an invalid definition as the service says it.
func refused(err error) error {
	var bad *indexer.Invalid
	if errors.As(err, &bad) {
		return badInput(bad.Target, "The request is invalid. Details: %s", bad.Text)
	}
	return malformed(err)
}

// decodeDefinition reads a definition strictly.
func decodeDefinition[T any](raw json.RawMessage) (*T, error) {
	v := new(T)
	if err := decodeInto(raw, v); err != nil {
		return nil, refused(err)
	}
	return v, nil
}

// planned is a definition of an indexer's that is held to what it replaces, and hides
// its secrets.
type planned[T any] interface {
	*T
	Plan(old *T) error
	Hide() *T
}

func planAs[T any, P planned[T]](c change, old, in json.RawMessage) (json.RawMessage, error) {
	d, err := decodeDefinition[T](in)
	if err != nil {
		return nil, err
	}
	if err := schema.Gate(d, c.version); err != nil {
		return nil, err
	}
	var was *T
	if old != nil {
		if err := json.Unmarshal(old, &was); err != nil {
			return nil, err
		}
		schema.Inherit(was, d, c.version)
	}
	if err := P(d).Plan(was); err != nil {
		return nil, refused(err)
	}
	return json.Marshal(d)
}

func viewAs[T any, P planned[T]](version string, raw json.RawMessage) (map[string]json.RawMessage, error) {
	d := P(new(T))
	if err := json.Unmarshal(raw, d); err != nil {
		return nil, err
	}
	schema.Hide(d, version)
	body, err := properties(d.Hide())
	for _, name := range schema.Hidden(d, version) {
		delete(body, name)
	}
	return body, err
}

func (s *Search) dataSourceDefinition() *definition {
	return &definition{
		path: "datasources", singular: "data source", kind: kindDataSource, action: "dataSources", source: indexerSource, secret: true,
		limit: func(t tier) int { return t.indexers },
		plan:  planAs[indexer.DataSource],
		view:  viewAs[indexer.DataSource],
	}
}

// properties are those of a definition, by name.
func properties(v any) (body map[string]json.RawMessage, err error) {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	return body, err
}
