package graph

import (
	"net/http"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// revokeSessions ends what a user signed in to before now.
// Source: user-revokesigninsessions.md.
func (s *Graph) revokeSessions(w http.ResponseWriter, call *api.Call, t target) error {
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		u, err := store.Decode[entra.User](record)
		if err != nil {
			return err
		}
		u.ValidFrom = s.now().UTC()
		return entra.PutUser(tx, record.Tenant, u)
	})
	if err != nil {
		return err
	}
	return reply(w, call, map[string]any{"@odata.context": call.URL("/v1.0/$metadata#Edm.Boolean"), "value": true})
}

// revokesOthers asks for more where the sessions are not the caller's own.
func (s *Graph) revokesOthers(call *api.Call, t target) ([]api.Permission, error) {
	if mine, err := s.self(call, t); mine || err != nil && !isClientError(err) {
		return nil, err
	}
	return both(s.ofOther(revokeOthers), s.administrator)(call, t)
}

// userInfo tells who the user is, as OpenID Connect does.
// Source: entra-docs userinfo.md.
func (s *Graph) userInfo(w http.ResponseWriter, call *api.Call) error {
	var u entra.User
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		u, _, err = store.Load[entra.User](tx, entra.KindUser, call.Caller.Object)
		return err
	})
	if err != nil {
		return err
	}
	delegates := func(scope string) bool { return api.Permission{Scopes: []string{scope}}.Delegated(call.Caller) }
	info := map[string]any{"sub": s.directory.Subject(call.Caller.Tenant, call.Caller.App, u.ID)}
	set := func(name, value string) {
		if value != "" {
			info[name] = value
		}
	}
	if delegates("profile") {
		set("name", u.DisplayName)
		set("family_name", u.Surname)
		set("given_name", u.GivenName)
	}
	if delegates("email") {
		set("email", u.Mail)
	}
	return reply(w, call, info)
}
