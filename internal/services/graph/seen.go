package graph

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// What guests see of others, and what User.ReadBasic.All shows.
// Sources: entra-docs users-default-permissions.md; concepts/permissions-reference.md.
var (
	seenByGuests = []string{"id", "displayName", "mail", "userPrincipalName", "userType"}
	seenAsBasic  = []string{"id", "displayName", "givenName", "surname", "mail", "userPrincipalName"}
)

// seen empties the properties of an object that the caller may not read: of a
// type that they may not read at all, only the id is left.
// Source: concepts/permissions-overview.md, "Limited information returned for
// inaccessible member objects".
func seen(call *api.Call, c collection, entity map[string]any) map[string]any {
	if strings.EqualFold(entity["id"].(string), call.Caller.Object) {
		return entity
	}
	read := c.one
	if c.kind == entra.KindUser {
		read = readOther
	}
	var left []string
	switch {
	case !has(call, read):
		left = []string{"id"}
	case c.kind != entra.KindUser || !call.Caller.User:
		return entity
	case call.Caller.Guest && !has(call, without(readUsers)):
		left = seenByGuests
	case !readAll.Delegated(call.Caller):
		left = seenAsBasic
	default:
		return entity
	}
	for name := range entity {
		if !strings.HasPrefix(name, "@") && !slices.Contains(left, name) {
			entity[name] = nil
		}
	}
	return entity
}

// self tells whether the target is the user who calls.
func (s *Graph) self(call *api.Call, t target) (is bool, err error) {
	if !call.Caller.User {
		return false, nil
	}
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		is = err == nil && strings.EqualFold(record.ID, call.Caller.Object)
		return err
	})
	return is, err
}

// ofOther asks for more where the target is not the user who calls. Nobody
// learns by an answer whether there is such a user.
func (s *Graph) ofOther(needs ...api.Permission) func(*api.Call, target) ([]api.Permission, error) {
	return func(call *api.Call, t target) ([]api.Permission, error) {
		if mine, err := s.self(call, t); mine || err != nil && !isClientError(err) {
			return nil, err
		}
		return needs, nil
	}
}

// otherUser asks for the right to read others. Guests find them by object id.
// Source: users-default-permissions.md.
func (s *Graph) otherUser(call *api.Call, t target) ([]api.Permission, error) {
	needs := readOther
	if uuid.Validate(t.value) != nil {
		needs = readUsers
	}
	return s.ofOther(needs)(call, t)
}
