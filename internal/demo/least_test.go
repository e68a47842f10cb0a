package demo

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/platform"
	"sekisho/internal/store"
	"sekisho/rbac"
	"sekisho/rbac/builtin"
	"sekisho/rbac/review"
)

// What review.Least proposes of a recorded telling is enough for another one,
// and nothing of it can be left out.
func TestTheStoryIsToldWithTheLeastRolesAndWithNoneLess(t *testing.T) {
	s := begin(t)
	s.tell("with Owner")
	record := s.record()
	least := review.New(rbac.World{Roles: builtin.Roles()}).Least(record, "")
	if len(least.Needs) != 2 {
		t.Fatalf("%d principals did something, want automation and the machine: %+v", len(least.Needs), least.Needs)
	}
	s.replay(record, least)
	for _, n := range least.Needs {
		if n.Principal != s.creds.Automation.ObjectID {
			continue
		}
		if len(n.Grants) < 2 {
			t.Fatalf("automation gets %+v: nothing to leave out", n.Grants)
		}
		s.revoke(s.creds.Automation.ObjectID)
		if err := s.told(); err == nil {
			t.Fatal("the story is told without any role")
		}
		var ids []string
		for _, g := range n.Grants {
			t.Logf("%s at %s, for %d calls", g.Role, g.Scope, len(g.For))
			ids = append(ids, s.grant(n.Principal, g))
		}
		s.tell("with the least roles")
		for i, g := range n.Grants {
			s.must(http.MethodDelete, ids[i], nil)
			if err := s.told(); err == nil {
				t.Errorf("the story is told without %s at %s, too", g.Role, g.Scope)
			}
			ids[i] = s.grant(n.Principal, g)
		}
		s.tell("with the least roles again")
	}
}

// stage is a Sekisho, and an owner who has no part in the story.
type stage struct {
	*client
	t     *testing.T
	p     *platform.Platform
	creds platform.Credentials
	dir   string
	owner string // object id
	began string // the request that made it one
	token string
}

func begin(t *testing.T) *stage {
	dir, err := os.MkdirTemp("", "sk") // short: the path of a Unix socket is bounded
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p, err := platform.Start(t.Context(), platform.Options{Data: dir, Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0", Private: true})
	check(t, err)
	t.Cleanup(func() { p.Shutdown(context.Background()) })
	s := &stage{t: t, p: p, dir: dir}
	s.creds, err = p.Credentials()
	check(t, err)
	s.client, err = newClient(p.Environment())
	check(t, err)
	t.Cleanup(s.http.CloseIdleConnections)
	owner, err := p.NewServicePrincipal(t.Context(), s.creds.TenantID, "owner")
	check(t, err)
	s.signIn(s.creds.Automation.ClientID, s.creds.Automation.ClientSecret)
	s.owner = owner.ObjectID
	a := s.put(owner.ObjectID, review.Grant{RoleDefinition: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", Scope: s.subscription()})
	s.began = a.header.Get("X-Ms-Request-Id")
	s.signIn(owner.AppID, owner.Secret)
	return s
}

func (s *stage) subscription() rbac.Scope {
	return rbac.Scope("/subscriptions/" + s.creds.SubscriptionID)
}

func (s *stage) signIn(id, secret string) {
	s.t.Helper()
	a, err := s.do(s.t.Context(), request{method: http.MethodPost, url: "https://login.microsoftonline.com/" + s.creds.TenantID + "/oauth2/v2.0/token",
		body: url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {armHost + "/.default"}}})
	check(s.t, err)
	s.token = a.at("access_token")
}

func (s *stage) must(method, id string, body any) *answer {
	s.t.Helper()
	a, err := s.do(s.t.Context(), request{method: method, url: armHost + id + "?api-version=2022-04-01", body: body, header: withToken(s.token)})
	check(s.t, err)
	if a.status >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, id, a.status, a.raw)
	}
	return a
}

func (s *stage) grant(principal string, g review.Grant) (id string) {
	s.t.Helper()
	return s.put(principal, g).at("id")
}

func (s *stage) put(principal string, g review.Grant) *answer {
	s.t.Helper()
	id := string(g.Scope) + "/providers/Microsoft.Authorization/roleAssignments/" + uuid.NewString()
	return s.must(http.MethodPut, id, map[string]any{"properties": map[string]string{"principalId": principal, "principalType": "ServicePrincipal",
		"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/" + g.RoleDefinition}})
}

// revoke takes away the roles that a principal has at the subscription or
// below; of all principals but the owner if it is empty, those of resources.
func (s *stage) revoke(principal string) {
	s.t.Helper()
	a := s.must(http.MethodGet, string(s.subscription())+"/providers/Microsoft.Authorization/roleAssignments", nil)
	values, _ := a.json["value"].([]any)
	for _, v := range values {
		of, _ := v.(map[string]any)
		id, _ := of["id"].(string)
		properties, _ := of["properties"].(map[string]any)
		if properties["principalId"] == principal || principal == "" && strings.Contains(id, "/accounts/aoai-sample/") {
			s.must(http.MethodDelete, id, nil)
		}
	}
}

// told tells the story on what an earlier telling left, but for the role that
// it would take as a sign to skip its end.
func (s *stage) told() error {
	s.t.Helper()
	s.revoke("")
	return Tell(s.t.Context(), io.Discard, false, s.p)
}

func (s *stage) tell(how string) {
	s.t.Helper()
	if err := s.told(); err != nil {
		s.t.Fatalf("%s: %v", how, err)
	}
}

// record is what the audit log says of the story's principals.
func (s *stage) record() (uses []review.Use) {
	s.t.Helper()
	c, err := platform.Connect(s.t.Context(), s.dir)
	check(s.t, err)
	entries, err := c.Audit(s.t.Context(), store.AuditFilter{})
	check(s.t, err)
	for _, e := range entries {
		if e.Principal == s.owner || e.RequestID == s.began {
			continue
		}
		raw, err := json.Marshal(e)
		check(s.t, err)
		var u review.Use
		check(s.t, json.Unmarshal(raw, &u))
		uses = append(uses, u)
	}
	return uses
}

// replay puts the recorded questions to the proposed roles, all of them and all
// but each one.
func (s *stage) replay(record []review.Use, least review.Least) {
	s.t.Helper()
	for _, n := range least.Needs {
		if len(n.Missing) > 0 || !n.Exact {
			s.t.Errorf("%s: no built-in role for %+v; exact: %v", n.Name, n.Missing, n.Exact)
		}
		for but := -1; but < len(n.Grants); but++ {
			w := rbac.World{Roles: builtin.Roles()}
			for i, g := range n.Grants {
				if i != but {
					w.Assignments = append(w.Assignments, rbac.RoleAssignment{ID: uuid.NewString(), Scope: g.Scope, RoleDefinition: g.RoleDefinition, Principal: n.Principal})
				}
			}
			snapshot, asked, failed := rbac.NewSnapshot(w), 0, 0
			for _, u := range record {
				if u.Principal != n.Principal || u.Decision != store.Allowed || u.Assignment == "" {
					continue
				}
				asked++
				if !snapshot.Allows(rbac.Question{Principal: u.Principal, Action: u.Action, Data: u.Data, Scope: u.Scope}) {
					failed++
				}
			}
			if asked == 0 || (failed > 0) != (but >= 0) {
				s.t.Errorf("%s without grant %d: %d of %d recorded calls fail", n.Name, but, failed, asked)
			}
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
