package arm_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

// bears are the ids of the user-assigned identities that a resource shows.
func bears(r servicetest.Reply) []string {
	users, _ := r.Get("identity", "userAssignedIdentities").(map[string]any)
	return slices.Sorted(maps.Keys(users))
}

func TestSystemAssignedIdentity(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	vm := w.Make(w.MakeGroup("rg")+machines+"vm", placeBody)
	exists := func(principal any) bool {
		p, err := w.Directory.Principal(t.Context(), fmt.Sprint(principal))
		if err != nil {
			t.Fatal(err)
		}
		return p != nil && p.Resource == vm
	}
	on := w.Need(200, w.ARM("PATCH", vm, `{"identity":{"type":"systemAssigned"}}`))
	principal := on.Get("identity", "principalId")
	if on.Get("identity", "type") != "SystemAssigned" || on.Get("identity", "tenantId") != w.Tenant || !exists(principal) {
		t.Fatalf("on: %s", on.Body)
	}
	for name, r := range map[string]servicetest.Reply{
		"PUT without identity":       w.ARM("PUT", vm, placeBody),
		"PUT with the same":          w.ARM("PUT", vm, `{"identity":{"type":"SystemAssigned","principalId":"forged"}}`),
		"PATCH of something else":    w.ARM("PATCH", vm, `{"tags":{"a":"b"}}`),
		"PATCH with identity null":   w.ARM("PATCH", vm, `{"identity":null}`),
		"PUT of what a GET has told": w.ARM("PUT", vm, on.Body),
	} {
		if r.Status != 200 || r.Get("identity", "principalId") != principal {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
	off := w.Need(200, w.ARM("PATCH", vm, `{"identity":{"type":"None"}}`))
	if off.Get("identity") != nil || exists(principal) {
		t.Errorf("off: %s", off.Body)
	}
	again := w.Need(200, w.ARM("PUT", vm, `{"identity":{"type":"SystemAssigned"}}`))
	if second := again.Get("identity", "principalId"); second == principal || !exists(second) {
		t.Errorf("on again: %s", again.Body)
	}
	w.Need(200, w.ARM("DELETE", vm, ""))
	if exists(again.Get("identity", "principalId")) {
		t.Error("a deleted machine leaves its service principal")
	}
}

func TestUserAssignedIdentities(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	vm := w.Make(group+machines+"vm", placeBody)
	one, two := w.Make(group+identities+"One", placeBody), w.Make(group+identities+"Two", placeBody)
	users := func(ids ...string) string {
		var all []string
		for _, id := range ids {
			all = append(all, fmt.Sprintf("%q:{}", id))
		}
		return `"userAssignedIdentities":{` + strings.Join(all, ",") + `}`
	}
	patch := func(identity string) servicetest.Reply { return w.ARM("PATCH", vm, `{"identity":{`+identity+`}}`) }

	// Ids are shown as they are stored.
	r := w.Need(200, patch(`"type":"UserAssigned",`+users(strings.ToLower(one))))
	if got := bears(r); !slices.Equal(got, []string{one}) {
		t.Fatalf("bears %v", got)
	}
	shown := r.Get("identity", "userAssignedIdentities", one, "principalId")
	if want := w.ARM("GET", one, "").Get("properties", "principalId"); shown != want || want == nil {
		t.Errorf("principal %v, want %v", shown, want)
	}
	if r := w.Need(200, patch(users(two))); !slices.Equal(bears(r), []string{one, two}) {
		t.Errorf("a PATCH adds: %v", bears(r))
	}
	if r := w.Need(200, patch(fmt.Sprintf(`"userAssignedIdentities":{%q:null}`, strings.ToUpper(one)))); !slices.Equal(bears(r), []string{two}) {
		t.Errorf("null takes away: %v", bears(r))
	}
	r = w.Need(200, patch(`"type":"UserAssigned, SystemAssigned"`))
	if r.Get("identity", "type") != "SystemAssigned, UserAssigned" || !slices.Equal(bears(r), []string{two}) || r.Get("identity", "principalId") == nil {
		t.Errorf("both: %s", r.Body)
	}
	if r := w.Need(200, w.ARM("PUT", vm, placeBody)); !slices.Equal(bears(r), []string{two}) {
		t.Errorf("a PUT without identity keeps it: %s", r.Body)
	}
	r = w.Need(200, patch(`"type":"SystemAssigned"`))
	if bears(r) != nil || r.Get("identity", "principalId") == nil {
		t.Errorf("system only: %s", r.Body)
	}
	for body, code := range map[string]string{
		`"type":"UserAssigned"`:       "InvalidIdentityValues",
		`"type":"None",` + users(one): "InvalidIdentityValues",
		`"type":"Robot"`:              "InvalidIdentityType",
		`"type":"UserAssigned",` + users(group+identities+"absent"):           "FailedIdentityOperation",
		`"type":"UserAssigned",` + users(vm):                                  "FailedIdentityOperation",
		`"type":"UserAssigned",` + users(one+"/"):                             "FailedIdentityOperation",
		`"type":"UserAssigned","userAssignedIdentities":{"` + one + `":null}`: "InvalidIdentityValues",
	} {
		wantError(t, patch(body), 400, code)
	}
	wantError(t, w.ARM("PUT", group, `{"location":"japaneast","identity":{"type":"SystemAssigned"}}`), 400, "InvalidRequestContent")
}

// To let a resource bear an identity is to use it: the caller must be allowed
// to assign it, however the body is written.
// Source: Managed Identity Operator, userAssignedIdentities/*/assign/action.
func TestAssigningAnIdentityNeedsItsOwnPermission(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	mine, theirs := w.MakeGroup("mine"), w.MakeGroup("theirs")
	vm := w.Make(mine+machines+"vm", placeBody)
	user := w.Make(theirs+identities+"user", placeBody)
	p := w.Principal("contributor of mine")
	w.Grant(p.ID, servicetest.Contributor, mine)

	users := fmt.Sprintf(`"userAssignedIdentities":{%q:{}}`, user)
	identity := `"identity":{"type":"UserAssigned",` + users + `}`
	for _, body := range []string{
		`{` + identity + `}`,
		`{"Identity":{"type":"UserAssigned",` + users + `}}`,
		`{` + identity + `,"Identity":null}`,
		`{"identity":{"type":"UserAssigned",` + users + `,"UserAssignedIdentities":null}}`,
		`{"identity":{"type":5,"type":"UserAssigned",` + users + `}}`,
		`{` + identity + `,"tags":5}`,
		`{` + identity + `}}`,
		`{` + identity + `}{}`,
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			r := w.ARMAs(p, method, vm, body)
			// A spelling that a method does not know may change nothing, or be
			// refused as a body; it may not assign.
			if r.Status != 400 && r.Status != 403 && r.Status != 200 {
				t.Errorf("%s %s: %d %s", method, body, r.Status, r.Body)
			}
			if got := bears(w.ARM("GET", vm, "")); got != nil {
				t.Fatalf("%s %s assigned %v without permission", method, body, got)
			}
		}
	}
	r := w.ARMAs(p, "PATCH", vm, `{`+identity+`}`)
	wantError(t, r, 403, "LinkedAuthorizationFailed")
	if action := "'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '" + user + "'"; !strings.Contains(r.Message(), action) {
		t.Errorf("message %q", r.Message())
	}
	w.Grant(p.ID, "f1a07417-d97a-45cb-824c-7a7467783830", user) // Managed Identity Operator
	w.Need(200, w.ARMAs(p, "PATCH", vm, `{`+identity+`}`))
}

func TestSecretsOfAMachineAreNotKept(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	vm := w.Make(w.MakeGroup("rg")+machines+"vm", `{"location":"japaneast","properties":{"userData":"hush","osProfile":{"computerName":"c","AdminPassword":"hush","customData":"hush",
		"windowsConfiguration":{"additionalUnattendContent":[{"content":"hush"}]}},"list":[{"protectedSettings":"hush"}],"vmId":"forged"}}`)
	r := w.ARM("GET", vm, "")
	if strings.Contains(r.Body, "hush") || r.Get("properties", "osProfile", "computerName") != "c" {
		t.Errorf("machine: %s", r.Body)
	}
	id := r.Get("properties", "vmId")
	if again := w.ARM("PUT", vm, placeBody).Get("properties", "vmId"); id == "forged" || again != id {
		t.Errorf("vmId %v, then %v", id, again)
	}
}
