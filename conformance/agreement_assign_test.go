package conformance

// What the agreement story draws and makes, by which client.

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// guid is a name as Terraform's provider makes one, but drawn.
func (a *agreement) guid() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", a.random.Uint32(), a.random.Uint64()>>16)
}

// draw is a role assignment that is not there yet.
func (a *agreement) draw() made {
	for {
		m := made{role: pick(a.random, a.roles), scope: pick(a.random, a.scopes), to: pick(a.random, a.who)}
		if m.scope == agreementGroup && (m.role == roleOperator || m.role == roleChatter) {
			continue // they are assignable in the subscription
		}
		if m.scope == a.Subscription() && a.random.IntN(2) == 0 || m.scope == agreementGroup && a.random.IntN(3) > 0 {
			continue // what holds everywhere leaves nothing to ask
		}
		if !slices.ContainsFunc(append(a.made, a.before), func(o made) bool { return o.role == m.role && o.scope == m.scope && o.to.id == m.to.id }) {
			return m
		}
	}
}

func (a *agreement) assignAll() {
	a.t.Helper()
	for i := range drawnByAz + drawnByOthers {
		m := a.draw()
		switch {
		case i%4 == 0 && i/4 < drawnByAz:
			m.id = a.az("role", "assignment", "create", "--assignee-object-id", m.to.id, "--assignee-principal-type", m.to.kind,
				"--role", m.role, "--scope", m.scope, "--query", "id", "-o", "tsv").line()
		case i%2 == 1:
			name := a.guid()
			got, err := a.sdk.Create(a.t.Context(), m.scope, name, armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
				RoleDefinitionID: to.Ptr(a.definition(m)), PrincipalID: &m.to.id, PrincipalType: to.Ptr(armauthorization.PrincipalType(m.to.kind))}}, nil)
			if err != nil {
				a.t.Fatalf("seed %d: armauthorization gives %s to %s at %s: %v", *agreementSeed, m.role, m.to.name, m.scope, err)
			}
			m.id = *got.ID
		default:
			m.id = a.terraform(m)
		}
		a.made = append(a.made, m)
	}
}

// definition is the id of a role, found by its name as Terraform's provider does.
func (a *agreement) definition(m made) string {
	a.t.Helper()
	var found struct{ Value []struct{ ID string } }
	query := url.Values{"api-version": {"2022-04-01"}, "$filter": {"roleName eq '" + m.role + "'"}}
	raw := a.must(http.MethodGet, m.scope+"/providers/Microsoft.Authorization/roleDefinitions?"+query.Encode(), nil)
	if err := json.Unmarshal(raw, &found); err != nil || len(found.Value) != 1 {
		a.t.Fatalf("seed %d: %d roles %s at %s: %v", *agreementSeed, len(found.Value), m.role, m.scope, err)
	}
	return found.Value[0].ID
}

// terraform sends what azurerm_role_assignment sends with
// skip_service_principal_aad_check: it looks whether the name is free, puts, and
// reads what it has put (terraform-provider-azurerm role_assignment_resource.go).
func (a *agreement) terraform(m made) (id string) {
	a.t.Helper()
	id = m.scope + roleAssignments + a.guid()
	if status, answer := a.call(a.arm, http.MethodGet, id+"?api-version=2022-04-01", nil); status != http.StatusNotFound {
		a.t.Errorf("seed %d: before it is there: %d %s", *agreementSeed, status, answer)
	}
	body := object{"roleDefinitionId": a.definition(m), "principalId": m.to.id, "principalType": m.to.kind}
	if status, answer := a.call(a.arm, http.MethodPut, id+"?api-version=2022-04-01", object{"properties": body}); status != http.StatusCreated {
		a.t.Fatalf("seed %d: put %s: %d %s", *agreementSeed, id, status, answer)
	}
	var read struct {
		Properties struct{ PrincipalID, Scope string }
	}
	if err := json.Unmarshal(a.must(http.MethodGet, id+"?api-version=2022-04-01", nil), &read); err != nil || read.Properties.PrincipalID != m.to.id || read.Properties.Scope != m.scope {
		a.t.Errorf("seed %d: read %s: %+v %v", *agreementSeed, id, read, err)
	}
	return id
}

// deny denies the principals of a group, or one, an action of the sample account.
func (a *agreement) deny() {
	a.t.Helper()
	var able []probe
	for _, q := range a.questions() {
		if q.scope == a.Account() && a.want(q) == "Allowed" {
			able = append(able, q)
		}
	}
	if len(able) == 0 {
		a.t.Fatalf("seed %d: nobody may do anything", *agreementSeed)
	}
	q := pick(a.random, able)
	denied := q.by
	if len(q.by.in) > 0 {
		denied = a.who[slices.IndexFunc(a.who, func(h holder) bool { return h.id == q.by.in[0] })]
	}
	permissions := object{"actions": []string{q.call.action}}
	if q.call.data {
		permissions = object{"dataActions": []string{q.call.action}}
	}
	a.denied = probe{q.call, a.ResourceGroup(), denied}
	a.put(a.denied.scope+"/providers/Microsoft.Authorization/denyAssignments/"+a.guid()+"?api-version=2024-07-01-preview", object{"properties": object{
		"denyAssignmentName": "Drawn", "denyAssignmentEffect": "enforced", "permissions": []object{permissions}, "principals": []object{{"id": denied.id, "type": denied.kind}}}})
}

// takeOneAway deletes an assignment by one of the clients.
func (a *agreement) takeOneAway() {
	a.t.Helper()
	i := a.random.IntN(len(a.made))
	m := a.made[i]
	a.made = slices.Delete(a.made, i, i+1)
	scope, name, _ := strings.Cut(m.id, roleAssignments)
	switch len(a.made) % 4 {
	case 0:
		a.az("role", "assignment", "delete", "--ids", m.id).ok()
	case 1:
		if _, err := a.sdk.Delete(a.t.Context(), scope, name, nil); err != nil {
			a.t.Fatalf("seed %d: armauthorization deletes %s: %v", *agreementSeed, m.id, err)
		}
	default:
		a.must(http.MethodDelete, m.id+"?api-version=2022-04-01", nil)
	}
}
