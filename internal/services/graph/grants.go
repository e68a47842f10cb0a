package graph

import (
	"errors"
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const grantSet = "oauth2PermissionGrants"

// showGrant: source resources/oauth2permissiongrant.md.
func showGrant(g entra.PermissionGrant) map[string]any {
	return map[string]any{"id": g.ID, "clientId": g.Client, "consentType": g.ConsentType, "principalId": optional(g.Principal), "resourceId": g.Resource, "scope": g.Scope}
}

// grants are the delegated permissions in the caller's tenant; where key is not
// empty, those that have the target by it.
func (s *Graph) grants(call *api.Call, key string, t target) (shown []map[string]any, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		shown = nil
		q := store.Query{}
		if key != "" {
			record, err := t.find(tx, call)
			if err != nil {
				return err
			}
			q.Key = &store.Key{Name: key, Value: record.ID}
		}
		records, err := tx.List(entra.KindPermissionGrant, q)
		if err != nil {
			return err
		}
		for _, record := range records {
			g, err := store.Decode[entra.PermissionGrant](record)
			if err != nil {
				return err
			}
			if strings.EqualFold(record.Tenant, call.Caller.Tenant) {
				shown = append(shown, showGrant(g))
			}
		}
		return nil
	})
	return shown, err
}

// Source: oauth2permissiongrant-list.md.
func (s *Graph) listGrants(w http.ResponseWriter, call *api.Call) error {
	shown, err := s.grants(call, "", target{})
	if err != nil {
		return err
	}
	return s.replyObjects(w, call, grantSet, shown)
}

// listGrantsOf lists what a client may, or what a user consented to.
// Source: serviceprincipal-list-oauth2permissiongrants.md, user-list-oauth2permissiongrants.md.
func (s *Graph) listGrantsOf(key string) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		shown, err := s.grants(call, key, t)
		if err != nil {
			return err
		}
		return s.replyObjects(w, call, grantSet, shown)
	}
}

func findGrant(tx *store.Tx, call *api.Call) (entra.PermissionGrant, error) {
	id := call.Var("id")
	g, record, err := store.Load[entra.PermissionGrant](tx, entra.KindPermissionGrant, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !strings.EqualFold(record.Tenant, call.Caller.Tenant) {
		return g, errNotFound(id)
	}
	return g, err
}

// Source: oauth2permissiongrant-get.md.
func (s *Graph) getGrant(w http.ResponseWriter, call *api.Call) error {
	var g entra.PermissionGrant
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		g, err = findGrant(tx, call)
		return err
	})
	if err != nil {
		return err
	}
	shown := showGrant(g)
	shown["@odata.context"] = call.URL("/v1.0/$metadata#" + grantSet + "/$entity")
	return reply(w, call, shown)
}

// maxScope is the length of a grant's scopes.
const maxScope = 3850

// Source: oauth2permissiongrant-post.md.
func (s *Graph) createGrant(w http.ResponseWriter, call *api.Call) error {
	b, err := readBody(call, "OAuth2PermissionGrant", false)
	if err != nil {
		return err
	}
	b.require("clientId", "consentType", "resourceId")
	var g entra.PermissionGrant
	b.text("clientId", &g.Client, maxName)
	b.text("consentType", &g.ConsentType, maxName)
	b.text("principalId", &g.Principal, maxName)
	b.text("resourceId", &g.Resource, maxName)
	b.text("scope", &g.Scope, maxScope)
	g.Scope = strings.Join(strings.Fields(g.Scope), " ")
	switch {
	case g.ConsentType != entra.AllPrincipals && g.ConsentType != entra.OnePrincipal:
		b.invalid("consentType", " It is AllPrincipals or Principal.")
	case (g.ConsentType == entra.OnePrincipal) != (g.Principal != ""):
		b.invalid("principalId", " It names the user of a grant with the consentType Principal, and of no other.")
	}
	if err := b.done(); err != nil {
		return err
	}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		for _, end := range []struct {
			kind string
			id   *string
		}{{entra.KindServicePrincipal, &g.Client}, {entra.KindServicePrincipal, &g.Resource}, {entra.KindUser, &g.Principal}} {
			if *end.id == "" {
				continue
			}
			record, err := findObject(tx, call.Caller.Tenant, *end.id)
			if err == nil && record.Kind != end.kind {
				err = errNotFound(*end.id)
			}
			if err != nil {
				return err
			}
			*end.id = record.ID
		}
		g.ID = entra.NewPermissionGrantID(g.Client, g.Resource, g.Principal)
		if _, err := tx.Get(entra.KindPermissionGrant, g.ID); !errors.Is(err, store.ErrNotFound) {
			if err != nil {
				return err
			}
			return api.Errorf(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
		}
		return entra.PutPermissionGrant(tx, call.Caller.Tenant, g)
	})
	if err != nil {
		return err
	}
	return replyNew(w, call, grantSet, showGrant(g))
}

// Source: oauth2permissiongrant-update.md: nothing but scope changes.
func (s *Graph) updateGrant(w http.ResponseWriter, call *api.Call) error {
	b, err := readBody(call, "OAuth2PermissionGrant", false)
	if err != nil {
		return err
	}
	if !b.has("scope") {
		b.require("scope")
	}
	var scope string
	b.text("scope", &scope, maxScope)
	if err := b.done(); err != nil {
		return err
	}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		g, err := findGrant(tx, call)
		if err != nil {
			return err
		}
		g.Scope = strings.Join(strings.Fields(scope), " ")
		return entra.PutPermissionGrant(tx, call.Caller.Tenant, g)
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}

// Source: oauth2permissiongrant-delete.md.
func (s *Graph) deleteGrant(w http.ResponseWriter, call *api.Call) error {
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		g, err := findGrant(tx, call)
		if err != nil {
			return err
		}
		return tx.Delete(entra.KindPermissionGrant, g.ID)
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}
