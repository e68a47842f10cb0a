package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Source: invitation-post.md; the roles that have users/inviteGuest in
// permissions-reference.md, less Directory Writers. Entra's default lets every
// user invite; here it takes a role, as where the tenant restricts it.
var inviteGuests = permit([]string{"User.Invite.All", userWriteAll, directoryWriteAll},
	entra.GlobalAdministrator, entra.UserAdministrator, entra.GuestInviter)

// invitation is what a client says of one.
type invitation struct {
	address, name, userType, redirect string
	message                           json.RawMessage
}

func readInvitation(b *body) (in invitation) {
	b.require("invitedUserEmailAddress", "inviteRedirectUrl")
	in.userType = "Guest"
	b.text("invitedUserEmailAddress", &in.address, maxName)
	b.text("invitedUserDisplayName", &in.name, maxName)
	b.text("invitedUserType", &in.userType, maxName)
	b.text("inviteRedirectUrl", &in.redirect, 2*maxText)
	b.decode("invitedUserMessageInfo", &in.message)
	var send, reset bool
	b.boolean("sendInvitationMessage", &send)
	b.boolean("resetRedemption", &reset)
	if parsed, err := mail.ParseAddress(in.address); err != nil || parsed.Address != in.address || strings.ContainsAny(in.address, `"#`) || !ascii(in.address) {
		b.invalid("invitedUserEmailAddress", "")
	}
	if u, err := url.Parse(in.redirect); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		b.invalid("inviteRedirectUrl", "")
	}
	if in.userType != "Guest" && in.userType != "Member" {
		b.invalid("invitedUserType", "")
	}
	if send {
		b.fail(api.BadRequest("Request_BadRequest", "sendInvitationMessage",
			"Sekisho sends no mail. Leave 'sendInvitationMessage' out, and tell the invited user of 'inviteRedeemUrl'."))
	}
	if reset {
		b.fail(api.BadRequest("Request_BadRequest", "resetRedemption",
			"Sekisho does not reset a redemption. Delete the guest and send a new invitation; the guest gets another object id."))
	}
	return in
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' || r <= ' ' })
}

// invite makes a guest of who has an address: a user of another tenant, by the
// name that they sign in with there. Of an address that is nobody's here the
// guest waits: an invitation that is sent again finds who has it then.
func (s *Graph) invite(w http.ResponseWriter, call *api.Call) error {
	b, err := readBody(call, "Invitation", false)
	if err != nil {
		return err
	}
	in := readInvitation(b)
	if err := b.done(); err != nil {
		return err
	}
	var guest entra.User
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		guest, err = s.putGuest(tx, call.Caller.Tenant, in)
		return err
	})
	if err != nil {
		return conflict(err)
	}
	status := entra.PendingAcceptance
	if guest.ExternalState == entra.Accepted {
		status = "Completed"
	}
	return replyWith(w, call, http.StatusCreated, map[string]any{
		"@odata.context": call.URL("/v1.0/$metadata#invitations/$entity"), "id": uuid.NewString(),
		// The direct link: who signs in to this tenant from there redeems.
		// Source: redemption-experience.md, "Redemption process through a direct link".
		"inviteRedeemUrl":        in.redirect,
		"invitedUserDisplayName": optional(in.name), "invitedUserType": in.userType, "invitedUserEmailAddress": in.address,
		"sendInvitationMessage": false, "resetRedemption": false, "inviteRedirectUrl": in.redirect, "status": status,
		"invitedUserMessageInfo": in.message, "invitedUser": map[string]any{"id": guest.ID},
	})
}

// putGuest writes the guest, or finds the one that was invited before.
func (s *Graph) putGuest(tx *store.Tx, tenant string, in invitation) (entra.User, error) {
	t, _, err := store.Load[entra.Tenant](tx, entra.KindTenant, tenant)
	if err != nil {
		return entra.User{}, err
	}
	home, err := s.homeOf(tx, t, in.address)
	if err != nil {
		return entra.User{}, err
	}
	name := entra.GuestName(in.address, t)
	guest, err := invited(tx, tenant, name, home)
	switch {
	case err == nil && (guest.Home != nil || home == nil):
		return guest, nil
	case err == nil:
		guest.Home = home
	case errors.Is(err, store.ErrNotFound):
		local, _, _ := strings.Cut(in.address, "@")
		nickname, _, _ := strings.Cut(name, "@")
		now := s.now().UTC()
		guest = entra.User{ID: uuid.NewString(), UserPrincipalName: name, DisplayName: in.name, Mail: in.address, MailNickname: nickname,
			Profile: map[string]string{"userType": in.userType}, AccountEnabled: true, Created: now,
			Home: home, ExternalState: entra.PendingAcceptance, ExternalStateChanged: now}
		if guest.DisplayName == "" {
			guest.DisplayName = local
		}
	default:
		return entra.User{}, err
	}
	return guest, entra.PutUser(tx, tenant, guest)
}

// homeOf finds the account that an address is the name of; nil if there is none
// in another tenant.
// Source: redemption-experience.md, "Invitation redemption flow", 1; of the
// tenant's own users the text is what Graph answers.
func (s *Graph) homeOf(tx *store.Tx, t entra.Tenant, address string) (*entra.HomeAccount, error) {
	record, err := tx.Lookup(entra.KindUser, store.Key{Name: "upn", Value: address})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	domain := address[strings.LastIndexByte(address, '@')+1:]
	switch {
	case err == nil && strings.EqualFold(record.Tenant, t.ID):
		return nil, api.BadRequest("BadRequest", "",
			"The invited user already exists in the directory as object ID: %s. They can use that account to sign in to shared apps and resources.", record.ID)
	case slices.ContainsFunc(t.Domains, func(d string) bool { return strings.EqualFold(d, domain) }):
		return nil, api.BadRequest("BadRequest", "", "'%s' can't be invited: its domain is one of this directory's own. Create the user instead.", address)
	case err != nil:
		return nil, nil
	}
	return &entra.HomeAccount{Tenant: record.Tenant, Object: record.ID}, nil
}

// invited finds who was invited before: by the account at home or by name.
func invited(tx *store.Tx, tenant, name string, home *entra.HomeAccount) (u entra.User, err error) {
	record, err := store.Record{}, store.ErrNotFound
	if home != nil {
		record, err = tx.Lookup(entra.KindUser, store.Key{Name: "home", Value: tenant + "/" + home.Object})
	}
	if errors.Is(err, store.ErrNotFound) {
		record, err = tx.Lookup(entra.KindUser, store.Key{Name: "upn", Value: name})
	}
	if err != nil {
		return u, err
	}
	if u, err = store.Decode[entra.User](record); err == nil && u.ExternalState == "" {
		err = store.ErrNotFound // another user of that name, which is in the way
	}
	return u, err
}

// invitesMember asks for more where the invited user shall be a member: that may
// who creates members.
// Source: resources/invitation.md, invitedUserType.
func (s *Graph) invitesMember(call *api.Call) ([]api.Permission, error) {
	b, err := peekBody(call, "Invitation")
	if err != nil {
		return nil, err
	}
	userType := ""
	if b.text("invitedUserType", &userType, maxName); userType == "Member" {
		return []api.Permission{createUsers}, nil
	}
	return nil, nil
}
