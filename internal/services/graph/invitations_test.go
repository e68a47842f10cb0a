package graph

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const (
	inviter     = "62000000-0000-0000-0000-000000000001" // appId with User.Invite.All
	inviterRole = "62000000-0000-0000-0000-000000000002" // appId of a Guest Inviter
	eve         = `{"invitedUserEmailAddress":"eve@fabrikam.com","inviteRedirectUrl":"https://app.contoso.com/"}`
	eveHere     = "eve_fabrikam.com#EXT#@contoso.onmicrosoft.com"
)

func newInviters(t *testing.T) *server {
	t.Helper()
	s := newWriters(t)
	s.client(contoso, inviter, "User.Invite.All")
	s.client(contoso, inviterRole)
	s.update(func(tx *store.Tx) error {
		return entra.PutRoleAssignment(tx, contoso, entra.RoleAssignment{ID: uuid.NewString(), Principal: objectOf(inviterRole), Role: entra.RoleTemplate(entra.GuestInviter)})
	})
	return s
}

// invite sends an invitation that is taken, and gives the guest's id.
func (s *server) invite(client, body string) (string, response) {
	s.t.Helper()
	r := s.do(request{client: client, method: "POST", path: "/invitations", body: body})
	user, _ := r.json["invitedUser"].(map[string]any)
	id, _ := user["id"].(string)
	if r.Code != 201 || id == "" {
		s.t.Fatalf("POST /invitations %s: %d %s", body, r.Code, r.Body)
	}
	return id, r
}

func TestAnInvitationMakesAGuest(t *testing.T) {
	s := newInviters(t)
	id, r := s.invite(inviter, eve)
	if r.json["status"] != "PendingAcceptance" || r.json["inviteRedeemUrl"] != "https://app.contoso.com/" || r.json["invitedUserType"] != "Guest" ||
		r.json["sendInvitationMessage"] != false || r.json["@odata.context"] != base+"/v1.0/$metadata#invitations/$entity" {
		t.Errorf("invitation: %s", r.Body)
	}
	u := s.get("/users/"+strings.ReplaceAll(eveHere, "#", "%23"), "$select", "id,userPrincipalName,displayName,mail,userType,creationType,externalUserState,accountEnabled").json
	for name, want := range map[string]any{"id": id, "userPrincipalName": eveHere, "displayName": "eve", "mail": "eve@fabrikam.com",
		"userType": "Guest", "creationType": "Invitation", "externalUserState": "PendingAcceptance", "accountEnabled": true} {
		if u[name] != want {
			t.Errorf("%s of the guest is %v, want %v", name, u[name], want)
		}
	}
	p, err := s.directory.GuestOf(t.Context(), contoso, theirs)
	if err != nil || p == nil || p.ID != id || !p.Pending {
		t.Errorf("Eve in Contoso: %+v, %v", p, err)
	}
	if again, _ := s.invite(inviterRole, strings.ReplaceAll(eve, "eve@", "EVE@")); again != id {
		t.Errorf("invited again, Eve is another guest: %s, %s", id, again)
	}
	if err := s.directory.Redeem(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if _, r := s.invite(inviter, eve); r.json["status"] != "Completed" {
		t.Errorf("after the redemption: %s", r.Body)
	}
	if got := s.get("/users", "$filter", "userType eq 'Guest'").ids(); got != id {
		t.Errorf("guests: %s", got)
	}
	s.must(204, "DELETE", "/users/"+id, "")
	if p, _ := s.directory.GuestOf(t.Context(), contoso, theirs); p != nil {
		t.Error("a deleted guest is found")
	}
}

func TestWhoIsNobodyYetIsFoundByALaterInvitation(t *testing.T) {
	s := newInviters(t)
	body := strings.ReplaceAll(eve, "eve@", "new@")
	id, _ := s.invite(inviter, body)
	const object = "30000000-0000-0000-0000-00000000000a"
	s.update(func(tx *store.Tx) error {
		return entra.PutUser(tx, fabrikam, entra.User{ID: object, UserPrincipalName: "new@fabrikam.com", AccountEnabled: true})
	})
	if p, err := s.directory.GuestOf(t.Context(), contoso, object); p != nil || err != nil {
		t.Errorf("bound without an invitation: %+v, %v", p, err)
	}
	if again, _ := s.invite(inviter, body); again != id {
		t.Errorf("another guest: %s, %s", id, again)
	}
	if p, err := s.directory.GuestOf(t.Context(), contoso, object); err != nil || p == nil || p.ID != id {
		t.Errorf("not bound by the invitation: %+v, %v", p, err)
	}
}

func TestWhoMayInvite(t *testing.T) {
	s := newInviters(t)
	for client, want := range map[string]int{inviter: 201, inviterRole: 201, userWriter: 201, userAdmin: 201, admin: 201,
		readers: 403, nobody: 403, appWriter: 403, grpWriter: 403, appAdmin: 403} {
		if r := s.do(request{client: client, method: "POST", path: "/invitations", body: eve}); r.Code != want {
			t.Errorf("%s: %d %s", client, r.Code, r.Body)
		}
	}
	member := strings.Replace(strings.ReplaceAll(eve, "eve@", "max@"), "{", `{"invitedUserType":"Member",`, 1)
	for _, client := range []string{inviter, inviterRole} {
		wantError(t, s.do(request{client: client, method: "POST", path: "/invitations", body: member}), 403, "Authorization_RequestDenied", "")
	}
	id, _ := s.invite(userAdmin, member)
	if u := s.get("/users/"+id, "$select", "userType").json; u["userType"] != "Member" {
		t.Errorf("invited as a member: %v", u)
	}
}

func TestWhatIsNoInvitation(t *testing.T) {
	s := newInviters(t)
	s.update(func(tx *store.Tx) error {
		return entra.PutUser(tx, contoso, entra.User{ID: uuid.NewString(), UserPrincipalName: "odd_fabrikam.com#EXT#@contoso.onmicrosoft.com"})
	})
	with := func(more string) string { return strings.Replace(eve, "{", "{"+more+",", 1) }
	address := func(a string) string { return strings.ReplaceAll(eve, "eve@fabrikam.com", a) }
	redirect := func(u string) string { return strings.ReplaceAll(eve, "https://app.contoso.com/", u) }
	for _, c := range []struct{ body, code, text string }{
		{`{"inviteRedirectUrl":"https://x.org"}`, "Request_BadRequest", "invitedUserEmailAddress"},
		{`{"invitedUserEmailAddress":"eve@fabrikam.com"}`, "Request_BadRequest", "inviteRedirectUrl"},
		{address("eve"), "Request_BadRequest", "invitedUserEmailAddress"},
		{address("Eve <eve@fabrikam.com>"), "Request_BadRequest", "invitedUserEmailAddress"},
		{address("ev#EXT#@fabrikam.com"), "Request_BadRequest", "invitedUserEmailAddress"},
		{address("é@fabrikam.com"), "Request_BadRequest", "invitedUserEmailAddress"},
		{redirect("/home"), "Request_BadRequest", "inviteRedirectUrl"},
		{redirect("javascript:alert(1)"), "Request_BadRequest", "inviteRedirectUrl"},
		{with(`"invitedUserType":"Boss"`), "Request_BadRequest", "invitedUserType"},
		{with(`"sendInvitationMessage":true`), "Request_BadRequest", "sends no mail"},
		{with(`"resetRedemption":true`), "Request_BadRequest", "does not reset"},
		{with(`"status":"Completed"`), "Request_BadRequest", "can't be written"},
		{address("joe@contoso.com"), "BadRequest", "already exists in the directory as object ID: " + joe},
		{address("new@CONTOSO.com"), "BadRequest", "Create the user instead"},
		{address("odd@fabrikam.com"), "Request_BadRequest", "userPrincipalName already exists"},
	} {
		wantError(t, s.do(request{client: inviter, method: "POST", path: "/invitations", body: c.body}), 400, c.code, c.text)
	}
	if got := s.get("/users", "$filter", "userType eq 'Guest'").ids(); got != "" {
		t.Errorf("guests: %s", got)
	}
	_, r := s.invite(inviter, with(`"sendInvitationMessage":false,"invitedUserMessageInfo":{"customizedMessageBody":"hi"}`))
	if info, _ := r.json["invitedUserMessageInfo"].(map[string]any); info["customizedMessageBody"] != "hi" {
		t.Errorf("message: %s", r.Body)
	}
}
