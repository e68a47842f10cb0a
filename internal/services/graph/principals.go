package graph

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Source: serviceprincipal-post-serviceprincipals.md.
func (s *Graph) createPrincipal(w http.ResponseWriter, call *api.Call) error {
	b, err := readBody(call, "ServicePrincipal", false)
	if err != nil {
		return err
	}
	b.require("appId")
	sp := entra.ServicePrincipal{ID: uuid.NewString(), Type: "Application", AccountEnabled: true, Created: s.now().UTC()}
	b.text("appId", &sp.AppID, maxName)
	readPrincipal(b, &sp)
	if err := b.done(); err != nil {
		return err
	}
	var record store.Record
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		found, err := tx.Lookup(entra.KindApplication, store.Key{Name: "appId", Value: sp.AppID})
		if errors.Is(err, store.ErrNotFound) || err == nil && !strings.EqualFold(found.Tenant, call.Caller.Tenant) {
			return noApplication(sp.AppID)
		}
		if err != nil {
			return err
		}
		a, err := store.Decode[entra.Application](found)
		if err != nil {
			return err
		}
		sp.AppID, sp.Names = a.AppID, append([]string{a.AppID}, a.IdentifierURIs...)
		if sp.DisplayName == "" {
			sp.DisplayName = a.DisplayName
		}
		if err := entra.PutServicePrincipal(tx, call.Caller.Tenant, sp); err != nil {
			return err
		}
		if err := own(tx, call, sp.ID); err != nil {
			return err
		}
		record, err = tx.Get(entra.KindServicePrincipal, sp.ID)
		return err
	})
	if err != nil {
		return conflict(err)
	}
	return s.replyCreated(w, call, collectionOf(entra.KindServicePrincipal), record)
}

// noApplication is the answer to an application id that the tenant does not
// have. Source: msgraph-sdk-powershell#846.
func noApplication(appID string) error {
	return api.BadRequest("Request_BadRequest", "appId", "The appId '%s' of the service principal does not reference a valid application object.", appID)
}

func readPrincipal(b *body, sp *entra.ServicePrincipal) {
	b.boolean("accountEnabled", &sp.AccountEnabled)
	b.text("displayName", &sp.DisplayName, maxName)
	b.text("description", &sp.Description, maxText)
	b.text("notes", &sp.Notes, maxText)
	b.text("homepage", &sp.Homepage, maxText)
	b.texts("tags", &sp.Tags, maxTags)
	b.boolean("appRoleAssignmentRequired", &sp.AssignmentRequired)
}

// Source: serviceprincipal-update.md.
func (s *Graph) updatePrincipal(w http.ResponseWriter, call *api.Call, t target) error {
	raw, err := readBody(call, "ServicePrincipal", false)
	if err != nil {
		return err
	}
	err = s.changePrincipal(call, t, func(sp *entra.ServicePrincipal) error {
		b := raw.again()
		if b.has("displayName") {
			b.require("displayName")
		}
		readPrincipal(b, sp)
		return b.done()
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}

// changePrincipal changes a service principal that is no managed identity, which
// changes with the resource that bears it, and none of Microsoft's: who could
// give those a secret would sign in as them.
// Source: entra-docs managed-identities-azure-resources/managed-identities-faq.md.
func (s *Graph) changePrincipal(call *api.Call, t target, change func(*entra.ServicePrincipal) error) error {
	return s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		sp, err := store.Decode[entra.ServicePrincipal](record)
		if err != nil {
			return err
		}
		if sp.Resource != "" || entra.FirstParty(sp.AppID) {
			return denied()
		}
		if err := change(&sp); err != nil {
			return err
		}
		return entra.PutServicePrincipal(tx, record.Tenant, sp)
	})
}

// denied is the answer to what nobody may.
func denied() error {
	return api.Errorf(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

// deletePrincipal deletes a service principal; its application stays.
// Source: serviceprincipal-delete.md.
func (s *Graph) deletePrincipal(w http.ResponseWriter, call *api.Call, t target) error {
	return s.deleteObject(w, call, t)
}

func (s *Graph) deleteObject(w http.ResponseWriter, call *api.Call, t target) error {
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		return remove(tx, record)
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}

// remove deletes a user, a group or a service principal, unless nobody were left
// to administer the tenant, or it is a resource's managed identity, or
// Microsoft's.
func remove(tx *store.Tx, record store.Record) error {
	if record.Kind == entra.KindServicePrincipal {
		sp, err := store.Decode[entra.ServicePrincipal](record)
		if err != nil {
			return err
		}
		if sp.Resource != "" || entra.FirstParty(sp.AppID) {
			return denied()
		}
	}
	last, err := entra.LastAdministrator(tx, record.Tenant, record.ID)
	if err != nil {
		return err
	}
	if last {
		return api.BadRequest("Request_BadRequest", "id", "'%s' is the last Global Administrator of the tenant and can't be deleted.", record.ID)
	}
	return entra.Remove(tx, record.Kind, record.ID)
}
