package graph

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// target is the object that a path names: by object id, by a name that stands
// for it, or by an alternate key.
type target struct {
	collection
	key   string // empty for /{id} and ('id')
	value string
}

// keyedTarget reads users('upn') and servicePrincipals(appId='…'): the key in
// parentheses, as az writes a UPN with odd characters.
// Source: microsoft-graph-docs-contrib user-get.md, serviceprincipal-get.md.
func keyedTarget(segment string) (target, error) {
	path, rest, _ := strings.Cut(segment, "(")
	name, value, ok := parseKey(rest)
	for _, c := range collections {
		if ok && strings.EqualFold(c.path, path) && (name == "" || slices.Contains(c.keys, name)) {
			return target{c, name, value}, nil
		}
	}
	return target{}, noSegment(segment)
}

func noSegment(segment string) error {
	return api.BadRequest("BadRequest", "", "Resource not found for the segment '%s'.", segment)
}

// parseKey reads what follows the opening parenthesis: 'value') or name='value').
func parseKey(text string) (name, value string, ok bool) {
	name, rest, ok := strings.Cut(text, "'")
	quoted, closed := strings.CutSuffix(rest, "')")
	name, named := strings.CutSuffix(name, "=")
	value = strings.ReplaceAll(quoted, "''", "'")
	lone := strings.Contains(strings.ReplaceAll(quoted, "''", ""), "'")
	return name, value, ok && closed && !lone && value != "" && named == (name != "")
}

// find reads the object in the caller's tenant.
func (t target) find(tx *store.Tx, call *api.Call) (record store.Record, err error) {
	switch {
	case t.key == "appId" && t.kind == entra.KindServicePrincipal:
		record, err = tx.Lookup(t.kind, store.Key{Name: "appId", Value: call.Caller.Tenant + "/" + t.value})
	case t.key == "appId":
		record, err = tx.Lookup(t.kind, store.Key{Name: "appId", Value: t.value})
	case t.kind == entra.KindUser && (t.key == "userPrincipalName" || uuid.Validate(t.value) != nil):
		record, err = tx.Lookup(t.kind, store.Key{Name: "upn", Value: t.value})
	case uuid.Validate(t.value) != nil:
		return record, api.BadRequest("Request_BadRequest", "id", "Invalid object identifier '%s'.", t.value)
	case t.kind == "":
		return findObject(tx, call.Caller.Tenant, t.value)
	default:
		record, err = tx.Get(t.kind, t.value)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && !strings.EqualFold(record.Tenant, call.Caller.Tenant) {
		return store.Record{}, errNotFound(t.value)
	}
	return record, err
}

// findObject finds an object of any kind.
func findObject(tx *store.Tx, tenant, id string) (store.Record, error) {
	for _, c := range collections {
		record, err := tx.Get(c.kind, id)
		if err == nil && strings.EqualFold(record.Tenant, tenant) {
			return record, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return record, err
		}
	}
	return store.Record{}, errNotFound(id)
}

// collectionOf is the entity set of a kind.
func collectionOf(kind string) collection {
	return collections[slices.IndexFunc(collections, func(c collection) bool { return c.kind == kind })]
}

// collectionOfType is the entity set of an object that bears its type.
func collectionOfType(entity map[string]any) collection {
	for _, c := range collections {
		if entity["@odata.type"] == "#microsoft.graph."+c.odataType {
			return c
		}
	}
	return directoryRoleObjects
}

// errNotFound is the answer to the id of an object that the tenant does not have.
func errNotFound(id string) error {
	return api.Errorf(http.StatusNotFound, "Request_ResourceNotFound",
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)
}
