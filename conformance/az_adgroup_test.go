package conformance

import (
	"net/http"
	"slices"
	"testing"
)

// The member is a service principal; its calls are those of the data plane.
func TestAGroupMadeByTheAzureCLIGivesItsMemberARoleUntilTheMemberIsTakenOut(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	type group struct{ ID, DisplayName, MailNickname string }
	var team, parent, shown group
	s.az("ad", "group", "create", "--display-name", "Data team", "--mail-nickname", "data-team").json(&team)
	s.az("ad", "group", "create", "--display-name", "Everybody", "--mail-nickname", "everybody").json(&parent)
	s.az("ad", "group", "show", "--group", "Data team").json(&shown)
	if shown != team || team.ID == "" || team.MailNickname != "data-team" {
		t.Errorf("group create printed %+v, group show %+v", team, shown)
	}
	var again group
	s.az("ad", "group", "create", "--display-name", "Data team", "--mail-nickname", "data-team").json(&again)
	if again != team { // az looks for it first
		t.Errorf("made again: %+v", again)
	}

	var made struct{ AppID, Password string }
	s.az("ad", "sp", "create-for-rbac", "--name", "analyst").json(&made)
	member := s.az("ad", "sp", "show", "--id", made.AppID, "--query", "id", "-o", "tsv").line()
	s.az("role", "assignment", "create", "--assignee", parent.ID, "--role", "Cognitive Services OpenAI User", "--scope", s.scope(sampleAccount)).ok()

	analyst := s.elsewhere(made.AppID, made.Password)
	token := analyst("account", "get-access-token", "--resource", "https://cognitiveservices.azure.com", "--tenant", s.TenantID, "--query", "accessToken", "-o", "tsv").line()
	chat := s.chatWithToken(token)
	if status := chat(); status != http.StatusUnauthorized {
		t.Errorf("before the member is in: %d", status)
	}
	s.az("ad", "group", "member", "add", "--group", "Data team", "--member-id", member).ok()
	s.az("ad", "group", "member", "add", "--group", "Data team", "--member-id", member).fails("One or more added object references already exist for the following modified properties: 'members'.")
	if status := chat(); status != http.StatusUnauthorized {
		t.Errorf("before the team is in: %d", status)
	}
	s.az("ad", "group", "member", "add", "--group", parent.ID, "--member-id", team.ID).ok()
	if status := chat(); status != http.StatusOK { // with the token of before
		t.Errorf("as a member of the group in the group: %d", status)
	}

	var is struct{ Value bool }
	s.az("ad", "group", "member", "check", "--group", parent.ID, "--member-id", member).json(&is)
	if !is.Value {
		t.Error("member check says no")
	}
	ids := func(args ...string) (ids []string) {
		t.Helper()
		s.az(append([]string{"ad", "group"}, args...)...).json(&ids)
		return ids
	}
	if got := ids("member", "list", "--group", "Everybody", "--query", "[].id"); !slices.Equal(got, []string{team.ID}) {
		t.Errorf("member list: %v", got)
	}
	if got := ids("get-member-groups", "--group", team.ID); !slices.Equal(got, []string{parent.ID}) {
		t.Errorf("get-member-groups: %v", got)
	}
	if got := ids("list", "--display-name", "Data", "--query", "[].id"); !slices.Equal(got, []string{team.ID}) {
		t.Errorf("group list: %v", got)
	}

	s.az("ad", "group", "member", "remove", "--group", "Data team", "--member-id", member).ok()
	if status := chat(); status != http.StatusUnauthorized {
		t.Errorf("after the member is out: %d", status)
	}
	s.az("ad", "group", "member", "check", "--group", parent.ID, "--member-id", member).json(&is)
	if is.Value {
		t.Error("member check says yes")
	}
	// A member again, the group itself goes.
	s.az("ad", "group", "member", "add", "--group", parent.ID, "--member-id", member).ok()
	if status := chat(); status != http.StatusOK {
		t.Errorf("a member again: %d", status)
	}
	s.az("ad", "group", "delete", "--group", "Everybody").ok()
	if status := chat(); status != http.StatusUnauthorized {
		t.Errorf("after the group is gone: %d", status)
	}
	s.az("ad", "group", "show", "--group", parent.ID).fails("does not exist")
	s.cli("audit", "--json", "--data", s.data).says("groups_AddMember", "groups_RemoveMember", "groups_Delete")
}
