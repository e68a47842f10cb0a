package search

import (
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// parent is the service of a call to one of its verbs.
func (s *Search) parent(call *api.Call) (*arm.Resource, error) {
	path := string(arm.PathScope(call))
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) > 8 {
		path = "/" + strings.Join(parts[:8], "/")
	}
	return s.resources.Find(call.Request.Context(), path)
}

func (s *Search) listAdminKeys(w http.ResponseWriter, call *api.Call) error {
	r, err := s.parent(call)
	if err != nil {
		return err
	}
	keys, err := s.keys.List(call.Request.Context(), r.ID)
	if err != nil {
		return err
	}
	return writeAdminKeys(w, call, keys)
}

func writeAdminKeys(w http.ResponseWriter, call *api.Call, keys map[string]string) error {
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, map[string]string{"primaryKey": keys[adminKeys[0]], "secondaryKey": keys[adminKeys[1]]})
}

func (s *Search) regenerateAdminKey(w http.ResponseWriter, call *api.Call) error {
	r, err := s.parent(call)
	if err != nil {
		return err
	}
	kind := strings.ToLower(call.Var("keyKind"))
	if !slices.Contains(adminKeys, kind) {
		return api.BadRequest("InvalidKeyKind", "keyKind", "The key kind '%s' is invalid: it is primary or secondary.", call.Var("keyKind"))
	}
	keys, err := s.keys.Regenerate(call.Request.Context(), r.ID, kind)
	if err != nil {
		return err
	}
	return writeAdminKeys(w, call, keys)
}

func (s *Search) createQueryKey(w http.ResponseWriter, call *api.Call) error {
	r, err := s.parent(call)
	if err != nil {
		return err
	}
	var made arm.QueryKey
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) (err error) {
		made, err = s.keys.AddQuery(tx, r.ID, call.Var("name"))
		return err
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, made)
}

func (s *Search) listQueryKeys(w http.ResponseWriter, call *api.Call) error {
	r, err := s.parent(call)
	if err != nil {
		return err
	}
	all, err := s.keys.Queries(call.Request.Context(), r.ID)
	if err != nil {
		return err
	}
	values := []any{}
	for _, key := range all {
		values = append(values, key)
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(values, ""))
}

// deleteQueryKey answers alike whether or not there was such a key.
// Source: Azure/azure-cli search/tests/latest/recordings/test_query_key_create_delete_list.yaml.
func (s *Search) deleteQueryKey(w http.ResponseWriter, call *api.Call) error {
	r, err := s.parent(call)
	if err != nil {
		return err
	}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		return s.keys.DropQuery(tx, r.ID, call.Var("key"))
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
