package sekishotest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// Principal is a service principal, with what it signs in by.
type Principal struct {
	TenantID     string
	ClientID     string
	ClientSecret string
	ObjectID     string
}

// ServicePrincipal registers an application and its service principal, with a
// client secret and no role.
func (s *Sekisho) ServicePrincipal(name string) Principal {
	s.t.Helper()
	p, err := s.platform.NewServicePrincipal(context.Background(), s.Credentials.TenantID, name)
	if err != nil {
		s.t.Fatal("sekishotest:", err)
	}
	return Principal{TenantID: s.Credentials.TenantID, ClientID: p.AppID, ClientSecret: p.Secret, ObjectID: p.ObjectID}
}

// Group makes a security group with its direct members, by their object ids, and
// gives its own. Groups may be members.
func (s *Sekisho) Group(name string, members ...string) (objectID string) {
	s.t.Helper()
	id, err := s.platform.NewGroup(context.Background(), s.Credentials.TenantID, name, members...)
	if err != nil {
		s.t.Fatal("sekishotest:", err)
	}
	return id
}

// Automation is the sample's service principal, Owner of its subscription.
func (s *Sekisho) Automation() Principal {
	a := s.Credentials.Automation
	return Principal{TenantID: s.Credentials.TenantID, ClientID: a.ClientID, ClientSecret: a.ClientSecret, ObjectID: a.ObjectID}
}

// Token signs in and gives an access token for a scope, such as
// https://cognitiveservices.azure.com/.default.
func (s *Sekisho) Token(p Principal, scope string) string {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.ClientID}, "client_secret": {p.ClientSecret}, "scope": {scope}}
	resp, err := s.client.PostForm("https://login.microsoftonline.com/"+p.TenantID+"/oauth2/v2.0/token", form)
	var reply struct {
		AccessToken string `json:"access_token"`
	}
	if err := read(resp, err, &reply); err != nil {
		s.t.Fatalf("sekishotest: no token for %s: %v", scope, err)
	}
	return reply.AccessToken
}

// Grant assigns a role, by its name, to a principal at a scope, and gives the
// assignment's id. It is the sample's automation principal that assigns, by
// Azure Resource Manager's own call: what it may not assign fails the test.
func (s *Sekisho) Grant(objectID, role, scope string) (assignment string) {
	s.t.Helper()
	definition := s.roleDefinition(role)
	assignment = scope + "/providers/Microsoft.Authorization/roleAssignments/" + uuid.NewString()
	body := map[string]any{"properties": map[string]string{"roleDefinitionId": definition, "principalId": objectID, "principalType": "ServicePrincipal"}}
	if err := s.arm(http.MethodPut, assignment+"?api-version=2022-04-01", body, nil); err != nil {
		s.t.Fatalf("sekishotest: %s for %s at %s: %v", role, objectID, scope, err)
	}
	return assignment
}

// Revoke takes a role assignment away.
func (s *Sekisho) Revoke(assignment string) {
	s.t.Helper()
	if err := s.arm(http.MethodDelete, assignment+"?api-version=2022-04-01", nil, nil); err != nil {
		s.t.Fatalf("sekishotest: delete %s: %v", assignment, err)
	}
}

// roleDefinition finds the id of a role by its name.
func (s *Sekisho) roleDefinition(name string) string {
	s.t.Helper()
	query := url.Values{"api-version": {"2022-04-01"}, "$filter": {"roleName eq '" + strings.ReplaceAll(name, "'", "''") + "'"}}
	var found struct{ Value []struct{ ID string } }
	if err := s.arm(http.MethodGet, s.Subscription()+"/providers/Microsoft.Authorization/roleDefinitions?"+query.Encode(), nil, &found); err != nil {
		s.t.Fatalf("sekishotest: role %q: %v", name, err)
	}
	if len(found.Value) != 1 {
		s.t.Fatalf("sekishotest: there is no role %q", name)
	}
	return found.Value[0].ID
}

// arm calls Azure Resource Manager as the automation principal.
func (s *Sekisho) arm(method, path string, body, out any) error {
	var text io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, "https://management.azure.com"+path, text)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token(s.Automation(), "https://management.azure.com/.default"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	return read(resp, err, out)
}

// read decodes a reply; one that is no success is an error with its text.
func read(resp *http.Response, err error, out any) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(text))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// Identity gives a resource, by its id, a system-assigned managed identity if
// it has none, and the object id of it.
func (s *Sekisho) Identity(resource string) (objectID string) {
	s.t.Helper()
	var out struct{ Identity struct{ PrincipalID string } }
	body := map[string]any{"identity": map[string]string{"type": "SystemAssigned"}}
	if err := s.arm(http.MethodPatch, resource+"?api-version=2024-07-01", body, &out); err != nil {
		s.t.Fatalf("sekishotest: identity of %s: %v", resource, err)
	}
	return out.Identity.PrincipalID
}
