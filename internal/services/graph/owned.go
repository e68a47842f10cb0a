package graph

import (
	"errors"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// owned asks for more than Application.ReadWrite.OwnedBy, and of users for a
// directory role, where the caller does not own the object.
// Sources: microsoft-graph-docs-contrib concepts/permissions-reference.md;
// entra-docs users-default-permissions.md, "Object ownership".
func (s *Graph) owned(needs api.Permission) func(*api.Call, target) ([]api.Permission, error) {
	enough := without(needs, appWriteOwned)
	return func(call *api.Call, t target) ([]api.Permission, error) {
		if has(call, enough) {
			return nil, nil
		}
		mine := false
		err := s.store.View(call.Request.Context(), func(tx *store.Tx) error {
			record, err := t.find(tx, call)
			if err == nil {
				mine, err = owns(tx, call, record.ID)
			}
			return err
		})
		if mine {
			return nil, err
		}
		return []api.Permission{enough}, err
	}
}

// ofOwnApplication does the same for the application that a new service
// principal is of.
func (s *Graph) ofOwnApplication(call *api.Call) ([]api.Permission, error) {
	enough := without(writePrincipals, appWriteOwned)
	if has(call, enough) {
		return nil, nil
	}
	b, err := peekBody(call, "ServicePrincipal")
	if err != nil {
		return nil, err
	}
	var appID string
	b.text("appId", &appID, maxName)
	mine := false
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		record, err := tx.Lookup(entra.KindApplication, store.Key{Name: "appId", Value: appID})
		if errors.Is(err, store.ErrNotFound) || err == nil && !strings.EqualFold(record.Tenant, call.Caller.Tenant) {
			return noApplication(appID)
		}
		if err == nil {
			mine, err = owns(tx, call, record.ID)
		}
		return err
	})
	if mine {
		return nil, err
	}
	return []api.Permission{enough}, err
}

func owns(tx *store.Tx, call *api.Call, object string) (bool, error) {
	_, err := tx.Get(entra.KindOwner, object+"/"+call.Caller.Object)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
