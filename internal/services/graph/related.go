package graph

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
)

// listRelated lists members, owners, ownedObjects.
// Source: group-list-members.md, group-list-owners.md, user-list-ownedobjects.md.
func (s *Graph) listRelated(r relation) itemHandler { return s.listObjects(s.relatedBy(r)) }

func (s *Graph) countRelated(r relation) itemHandler { return countObjects(s.relatedBy(r)) }

// listMemberships lists memberOf, transitiveMemberOf: groups and directory roles.
// Source: user-list-memberof.md.
func (s *Graph) listMemberships(r relation) itemHandler { return s.listObjects(s.memberships(r)) }

func (s *Graph) countMemberships(r relation) itemHandler { return countObjects(s.memberships(r)) }

// find gives objects that stand in a relation to the target.
type find func(*api.Call, target) ([]map[string]any, error)

func (s *Graph) relatedBy(r relation) find {
	return func(call *api.Call, t target) ([]map[string]any, error) { return s.related(call, t, r) }
}

func (s *Graph) memberships(r relation) find {
	return func(call *api.Call, t target) ([]map[string]any, error) {
		in, err := s.related(call, t, r)
		if err != nil {
			return nil, err
		}
		held, err := s.rolesOf(call, t)
		return sorted(append(in, held...)), err
	}
}

// sorted puts objects in the order of their ids.
func sorted(all []map[string]any) []map[string]any {
	slices.SortFunc(all, func(a, b map[string]any) int {
		return strings.Compare(strings.ToLower(a["id"].(string)), strings.ToLower(b["id"].(string)))
	})
	return all
}

// found are the objects that the filter lets through, as far as the caller may
// see them.
func (f find) found(call *api.Call, t target) (q query, matched []map[string]any, err error) {
	if q, err = parseQuery(call); err != nil {
		return q, nil, err
	}
	entities, err := f(call, t)
	if err != nil {
		return q, nil, err
	}
	for _, entity := range entities {
		entity = seen(call, collectionOfType(entity), entity)
		ok, err := q.match(entity)
		if err != nil {
			return q, nil, err
		}
		if ok {
			matched = append(matched, entity)
		}
	}
	return q, matched, nil
}

func (s *Graph) listObjects(f find) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		q, matched, err := f.found(call, t)
		if err != nil {
			return err
		}
		return s.replyList(w, call, q, "directoryObjects", hiddenOf, matched)
	}
}

// countObjects answers with the bare number.
func countObjects(f find) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		if !eventual(call) {
			return errNoCount
		}
		_, matched, err := f.found(call, t)
		if err != nil {
			return err
		}
		return replyCount(w, call, len(matched))
	}
}

// errNoCount is the answer where ConsistencyLevel is not eventual.
var errNoCount = api.BadRequest("Request_BadRequest", "", "$count is not currently supported.")

func replyCount(w http.ResponseWriter, call *api.Call, n int) error {
	setHeaders(w, call)
	w.Header().Set("Content-Type", "text/plain")
	_, err := io.WriteString(w, strconv.Itoa(n))
	return err
}
