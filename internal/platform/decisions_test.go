package platform

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const chatURL = dataPlane + "/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21"

// chat asks the sample account; credential is a header and its value.
func (w *world) chat(credential ...string) reply {
	w.t.Helper()
	return w.send(http.MethodPost, chatURL, "{"+messages+"}", credential...)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// expect holds status and error code; an empty code is a call that is admitted.
func (w *world) expect(what string, r reply, status int, code string) {
	w.t.Helper()
	if r.status != status || r.at("error", "code") != code {
		w.t.Errorf("%s: %d %v, want %d %s", what, r.status, r.body, status, code)
	}
}

func (w *world) admitted(what string, r reply) { w.t.Helper(); w.expect(what, r, http.StatusOK, "") }
func (w *world) refused(what string, r reply) {
	w.t.Helper()
	w.expect(what, r, http.StatusUnauthorized, "PermissionDenied")
}

const openAIUser = "Cognitive Services OpenAI User"

// Source: azure-docs role-based-access-control/overview.md, "Groups": membership
// is transitive.
func TestARoleOfAGroupReachesMembersOfItsGroups(t *testing.T) {
	w := newWorld(t)
	who := w.actor("member")
	token := w.token(who, forData)
	inner, outer := uuid.NewString(), uuid.NewString()
	w.write(func(tx *store.Tx) error {
		for name, id := range map[string]string{"inner": inner, "outer": outer} {
			if err := entra.PutGroup(tx, w.sample.TenantID, entra.Group{ID: id, DisplayName: name, SecurityEnabled: true}); err != nil {
				return err
			}
		}
		return entra.AddMember(tx, w.sample.TenantID, inner, who.object)
	})
	w.assign(outer, openAIUser, w.account)
	w.refused("before the groups nest", w.chat(bearer(token)...))
	w.write(func(tx *store.Tx) error { return entra.AddMember(tx, w.sample.TenantID, outer, inner) })
	w.admitted("through two groups", w.chat(bearer(token)...))
	w.write(func(tx *store.Tx) error { return entra.RemoveMember(tx, inner, who.object) })
	w.refused("out of the group, with the old token", w.chat(bearer(token)...))
}

func TestARoleAtTheRootManagementGroupIsInherited(t *testing.T) {
	w := newWorld(t)
	who := w.actor("global")
	token := w.token(who, forData)
	w.assign(who.object, openAIUser, "/providers/Microsoft.Management/managementGroups/"+uuid.NewString())
	w.refused("another management group", w.chat(bearer(token)...))
	w.assign(who.object, openAIUser, string(access.RootGroup(w.sample.TenantID)))
	w.admitted("the tenant's root group", w.chat(bearer(token)...))
}

// A scope ends at a segment: rg1 does not cover rg10 (rbac.md §1.8).
func TestARoleOnAGroupDoesNotReachItsSiblingOfALongerName(t *testing.T) {
	w := newWorld(t)
	owner := w.token(w.owner(), forARM)
	w.must(owner, "PUT", w.sub+"/resourceGroups/rg1", `{"location":"japaneast"}`)
	w.must(owner, "PUT", w.sub+"/resourceGroups/rg10", `{"location":"japaneast"}`)
	who := w.actor("contributor of rg1")
	w.assign(who.object, "Contributor", w.sub+"/resourceGroups/RG1")
	token := w.token(who, forARM)
	for group, status := range map[string]int{"rg1": http.StatusCreated, "rg10": http.StatusForbidden, "rg": http.StatusForbidden, "rg-sample": http.StatusForbidden} {
		path := w.sub + "/resourceGroups/" + group + "/providers/Microsoft.Compute/virtualMachines/vm"
		if r := w.arm(token, "PUT", path, machine); r.status != status {
			t.Errorf("a machine in %s: %d %v, want %d", group, r.status, r.body, status)
		}
	}
	// Nor does a name that unescapes into a path below the group.
	for _, path := range []string{"/resourceGroups/rg1%2Fproviders%2FMicrosoft.Compute%2FvirtualMachines%2Fvm", "/resourceGroups/rg10/../rg1", "/resourceGroups/rg1%2f..%2frg10"} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if r := w.arm(token, method, w.sub+path, `{"location":"japaneast","tags":{"mine":"now"}}`); r.status/100 != 4 {
				t.Errorf("%s %s: %d %v", method, path, r.status, r.body)
			}
		}
	}
	if r := w.must(owner, "GET", w.sub+"/resourceGroups/rg10", ""); r.at("tags", "mine") != "" {
		t.Error("the contributor of rg1 wrote rg10")
	}
}

func TestARevokedRoleIsGoneOnTheVeryNextCall(t *testing.T) {
	w := newWorld(t)
	who := w.actor("revoked")
	token := w.token(who, forData)
	assignment := w.assign(who.object, openAIUser, w.account)
	w.admitted("with the role", w.chat(bearer(token)...))
	w.must(w.token(w.owner(), forARM), "DELETE", assignment, "")
	w.refused("without it, with the same token", w.chat(bearer(token)...))
}

func TestADisabledPrincipalIsOutOnTheVeryNextCall(t *testing.T) {
	w := newWorld(t)
	who := w.actor("disabled")
	w.assign(who.object, "Owner", w.sub)
	w.assign(who.object, openAIUser, w.sub)
	dataToken, armToken := w.token(who, forData), w.token(who, forARM)
	w.admitted("enabled", w.chat(bearer(dataToken)...))
	w.write(func(tx *store.Tx) error {
		return entra.PutServicePrincipal(tx, w.sample.TenantID, w.principal(who, false))
	})
	if r := w.chat(bearer(dataToken)...); r.status != http.StatusUnauthorized || r.at("innererror", "code") != "InvalidToken" || !strings.Contains(r.at("innererror", "decidedBy"), "disabled") {
		t.Errorf("data plane: %d %v", r.status, r.body)
	}
	w.expect("ARM", w.arm(armToken, "GET", w.sub, ""), http.StatusUnauthorized, "InvalidAuthenticationToken")
}

// Source: azure-docs managed-identities how-to-configure: to give a machine an
// identity takes the machine's write and the identity's assign.
func TestAMachineBearsAnIdentityOnlyForOneWhoMayAssignIt(t *testing.T) {
	w := newWorld(t)
	owner := w.token(w.owner(), forARM)
	w.must(owner, "PUT", w.sub+"/resourceGroups/identities", `{"location":"japaneast"}`)
	identity := w.sub + "/resourceGroups/identities/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shared"
	w.must(owner, "PUT", identity, `{"location":"japaneast"}`)
	who := w.actor("operator")
	w.assign(who.object, "Virtual Machine Contributor", w.group)
	w.assign(who.object, "Managed Identity Contributor", identity) // which may write it, not assign it
	token := w.token(who, forARM)
	vm := w.group + "/providers/Microsoft.Compute/virtualMachines/bearer"
	bearing := `{"location":"japaneast","properties":{},"identity":{"type":"UserAssigned","userAssignedIdentities":{"` + identity + `":{}}}}`
	for _, method := range []string{"PUT", "PATCH"} {
		if method == "PATCH" {
			w.must(token, "PUT", vm, machine)
		}
		r := w.arm(token, method, vm, bearing)
		if r.status != http.StatusForbidden || r.at("error", "innererror", "scope") != identity ||
			r.at("error", "innererror", "action") != "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action" {
			t.Errorf("%s without assign: %d %v", method, r.status, r.body)
		}
	}
	// A body that one reader refuses and another takes must not pass unchecked.
	for _, tail := range []string{"}", "]", " {}", ","} {
		for _, method := range []string{"PUT", "PATCH"} {
			if r := w.arm(token, method, vm, bearing+tail); r.status/100 != 4 {
				t.Errorf("%s with %q at the end: %d %v", method, tail, r.status, r.body)
			}
		}
	}
	w.assign(who.object, "Managed Identity Operator", identity)
	w.must(token, "PUT", vm, bearing)
}
