package graph

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Source: group-post-groups.md.
func (s *Graph) createGroup(w http.ResponseWriter, call *api.Call) error {
	b, err := readBody(call, "Group", false)
	if err != nil {
		return err
	}
	b.require("displayName", "mailEnabled", "mailNickname", "securityEnabled")
	g := entra.Group{ID: uuid.NewString(), Created: s.now().UTC()}
	readGroup(b, &g)
	members, owners := b.references("members"), b.references("owners")
	if err := b.done(); err != nil {
		return err
	}
	var record store.Record
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		if err := entra.PutGroup(tx, call.Caller.Tenant, g); err != nil {
			return err
		}
		for _, id := range members {
			if err := addMember(tx, call.Caller.Tenant, g.ID, id); err != nil {
				return err
			}
		}
		for _, id := range owners {
			if err := addOwner(tx, call.Caller.Tenant, g.ID, id); err != nil {
				return err
			}
		}
		if call.Caller.User && !has(call, without(updateGroups)) && !slices.ContainsFunc(owners, func(o string) bool { return strings.EqualFold(o, call.Caller.Object) }) {
			// Source: entra-docs users-default-permissions.md, "Group owner permissions".
			if err := entra.AddOwner(tx, call.Caller.Tenant, g.ID, call.Caller.Object); err != nil {
				return err
			}
		}
		record, err = tx.Get(entra.KindGroup, g.ID)
		return err
	})
	if err != nil {
		return err
	}
	return s.replyCreated(w, call, collectionOf(entra.KindGroup), record)
}

// readGroup reads what a client may say of a group. There are security groups
// with assigned members only: mail and rules are other services' work.
func readGroup(b *body, g *entra.Group) {
	b.text("displayName", &g.DisplayName, maxName)
	b.text("description", &g.Description, maxText)
	b.text("mailNickname", &g.MailNickname, 64)
	if strings.ContainsFunc(g.MailNickname, func(r rune) bool { return r > unicode.MaxASCII || strings.ContainsRune(` @()\[]";:.<>,`, r) }) {
		b.invalid("mailNickname", "")
	}
	mail, security := false, true
	b.boolean("mailEnabled", &mail)
	b.boolean("securityEnabled", &security)
	if g.SecurityEnabled = security; mail || !security {
		b.fail(api.BadRequest("Request_BadRequest", "mailEnabled", "The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set."))
	}
	var types []string
	if b.texts("groupTypes", &types, maxBind); len(types) > 0 {
		b.invalid("groupTypes", " Sekisho keeps security groups with assigned members only.")
	}
	assignable := false
	if b.boolean("isAssignableToRole", &assignable); assignable {
		b.invalid("isAssignableToRole", " Sekisho gives directory roles to users and service principals only.")
	}
}

// Source: group-update.md; members are added as group-post-members.md says.
func (s *Graph) updateGroup(w http.ResponseWriter, call *api.Call, t target) error {
	raw, err := readBody(call, "Group", false)
	if err != nil {
		return err
	}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		g, err := store.Decode[entra.Group](record)
		if err != nil {
			return err
		}
		b := raw.again()
		for _, name := range []string{"displayName", "mailNickname"} {
			if b.has(name) {
				b.require(name)
			}
		}
		readGroup(b, &g)
		members := b.references("members")
		if err := b.done(); err != nil {
			return err
		}
		for _, id := range members {
			if err := addMember(tx, record.Tenant, record.ID, id); err != nil {
				return err
			}
		}
		return entra.PutGroup(tx, record.Tenant, g)
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}

// Source: group-delete.md.
func (s *Graph) deleteGroup(w http.ResponseWriter, call *api.Call, t target) error {
	return s.deleteObject(w, call, t)
}
