package graph

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// maxPasswords is our own bound; Entra's is the size of the object.
const maxPasswords = 100

// addPassword makes a client secret, which only this answer shows.
// Source: application-addpassword.md, serviceprincipal-addpassword.md.
func (s *Graph) addPassword(w http.ResponseWriter, call *api.Call, t target) error {
	b, err := readBody(call, "PasswordCredential", true)
	if err != nil {
		return err
	}
	var in struct {
		Name  string     `json:"displayName"`
		Start *time.Time `json:"startDateTime"`
		End   *time.Time `json:"endDateTime"`
	}
	b.decodeOpen("passwordCredential", &in)
	start := s.now().UTC()
	if in.Start != nil {
		start = in.Start.UTC()
	}
	end := start.AddDate(2, 0, 0)
	if in.End != nil {
		end = in.End.UTC()
	}
	switch {
	case !clean(in.Name) || len(in.Name) > maxName:
		b.invalid("displayName", "")
	case !end.After(start):
		b.invalid("endDateTime", " The credential ends before it starts.")
	case start.Year() > 9999 || end.Year() > 9999 || start.Year() < 1 || end.Year() < 1:
		b.invalid("endDateTime", "")
	}
	if err := b.done(); err != nil {
		return err
	}
	text, credential := s.directory.NewSecret(in.Name, start, end)
	err = s.changePasswords(call, t, func(all []entra.PasswordCredential) ([]entra.PasswordCredential, error) {
		if len(all) >= maxPasswords {
			return nil, api.BadRequest("Directory_QuotaExceeded", "passwordCredentials", "The object holds %d password credentials, which is the most.", maxPasswords)
		}
		return append(slices.Clone(all), credential), nil
	})
	if err != nil {
		return err
	}
	shown := showPassword(credential)
	shown["secretText"] = text
	shown["@odata.context"] = call.URL("/v1.0/$metadata#microsoft.graph.passwordCredential")
	return reply(w, call, shown)
}

// removePassword ends a client secret: it is refused from now on.
// Source: application-removepassword.md, serviceprincipal-removepassword.md.
func (s *Graph) removePassword(w http.ResponseWriter, call *api.Call, t target) error {
	b, err := readBody(call, "PasswordCredential", false)
	if err != nil {
		return err
	}
	b.require("keyId")
	var id string
	if b.text("keyId", &id, maxName); uuid.Validate(id) != nil {
		b.invalid("keyId", "")
	}
	if err := b.done(); err != nil {
		return err
	}
	err = s.changePasswords(call, t, func(all []entra.PasswordCredential) ([]entra.PasswordCredential, error) {
		kept := slices.DeleteFunc(slices.Clone(all), func(c entra.PasswordCredential) bool { return strings.EqualFold(c.KeyID, id) })
		if len(kept) == len(all) {
			return nil, api.BadRequest("Request_BadRequest", "keyId", "No password credential found with keyId '%s'.", id)
		}
		return kept, nil
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}

// changePasswords changes the secrets of an application or of a service
// principal.
func (s *Graph) changePasswords(call *api.Call, t target, change func([]entra.PasswordCredential) ([]entra.PasswordCredential, error)) error {
	if t.kind == entra.KindServicePrincipal {
		return s.changePrincipal(call, t, func(sp *entra.ServicePrincipal) (err error) {
			sp.PasswordCredentials, err = change(sp.PasswordCredentials)
			return err
		})
	}
	return s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		a, err := store.Decode[entra.Application](record)
		if err != nil {
			return err
		}
		if a.PasswordCredentials, err = change(a.PasswordCredentials); err != nil {
			return err
		}
		return entra.PutApplication(tx, record.Tenant, a)
	})
}

// Source: application-list-federatedidentitycredentials.md.
func (s *Graph) listFederated(w http.ResponseWriter, call *api.Call, t target) error {
	all, err := s.federated(call, t)
	if err != nil {
		return err
	}
	shown := []any{}
	for _, c := range all {
		shown = append(shown, showFederated(c))
	}
	return reply(w, call, map[string]any{"@odata.context": call.URL("/v1.0/$metadata#" + t.path + "('" + t.value + "')/federatedIdentityCredentials"), "value": shown})
}

func (s *Graph) federated(call *api.Call, t target) (all []entra.FederatedCredential, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		all, err = entra.ListFederatedCredentials(tx, record.ID)
		return err
	})
	return all, err
}

// Source: federatedidentitycredential-get.md; the id may be its name.
func (s *Graph) getFederated(w http.ResponseWriter, call *api.Call, t target) error {
	all, err := s.federated(call, t)
	if err != nil {
		return err
	}
	wanted := call.Var("credential")
	i := slices.IndexFunc(all, func(c entra.FederatedCredential) bool { return strings.EqualFold(c.ID, wanted) || c.Name == wanted })
	if i < 0 {
		return errNotFound(wanted)
	}
	return s.replyFederated(w, call, t, http.StatusOK, all[i])
}

func (s *Graph) replyFederated(w http.ResponseWriter, call *api.Call, t target, status int, c entra.FederatedCredential) error {
	shown := showFederated(c)
	shown["@odata.context"] = call.URL("/v1.0/$metadata#" + t.path + "('" + t.value + "')/federatedIdentityCredentials/$entity")
	return replyWith(w, call, status, shown)
}

func showFederated(c entra.FederatedCredential) map[string]any {
	return map[string]any{"id": c.ID, "name": c.Name, "issuer": c.Issuer, "subject": c.Subject, "description": optional(c.Description), "audiences": list(c.Audiences)}
}

func readFederated(b *body, c *entra.FederatedCredential) {
	b.text("name", &c.Name, maxText)
	b.text("issuer", &c.Issuer, maxText)
	b.text("subject", &c.Subject, maxText)
	b.text("description", &c.Description, maxText)
	b.texts("audiences", &c.Audiences, maxBind)
}

// Source: application-post-federatedidentitycredentials.md.
func (s *Graph) createFederated(w http.ResponseWriter, call *api.Call, t target) error {
	b, err := readBody(call, "FederatedIdentityCredential", false)
	if err != nil {
		return err
	}
	b.require("name", "issuer", "subject", "audiences")
	in := entra.FederatedCredential{ID: uuid.NewString()}
	readFederated(b, &in)
	if err := b.done(); err != nil {
		return err
	}
	var kept entra.FederatedCredential
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		kept, err = entra.AddFederatedCredential(tx, record.ID, in)
		return err
	})
	if err != nil {
		return err
	}
	return s.replyFederated(w, call, t, http.StatusCreated, kept)
}

// Source: federatedidentitycredential-update.md.
func (s *Graph) updateFederated(w http.ResponseWriter, call *api.Call, t target) error {
	raw, err := readBody(call, "FederatedIdentityCredential", false)
	if err != nil {
		return err
	}
	return s.changeFederated(w, call, t, func(tx *store.Tx, id string, c entra.FederatedCredential) error {
		b := raw.again()
		readFederated(b, &c)
		if err := b.done(); err != nil {
			return err
		}
		return entra.UpdateFederatedCredential(tx, id, c)
	})
}

// Source: federatedidentitycredential-delete.md.
func (s *Graph) deleteFederated(w http.ResponseWriter, call *api.Call, t target) error {
	return s.changeFederated(w, call, t, func(tx *store.Tx, id string, c entra.FederatedCredential) error {
		return entra.RemoveFederatedCredential(tx, id, c.ID)
	})
}

func (s *Graph) changeFederated(w http.ResponseWriter, call *api.Call, t target, change func(tx *store.Tx, id string, c entra.FederatedCredential) error) error {
	wanted := call.Var("credential")
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		all, err := entra.ListFederatedCredentials(tx, record.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(c entra.FederatedCredential) bool { return strings.EqualFold(c.ID, wanted) || c.Name == wanted })
		if i < 0 {
			return errNotFound(wanted)
		}
		return change(tx, record.ID, all[i])
	})
	if errors.Is(err, store.ErrNotFound) {
		err = errNotFound(wanted)
	}
	if err != nil {
		return err
	}
	return noContent(w, call)
}
