package management_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const (
	groups      = "/providers/Microsoft.Management/managementGroups/"
	contributor = "5d58bcaf-24a5-4b20-bdb6-eed9f69fbe4c" // Management Group Contributor
)

func body(displayName, parent string) string {
	if parent == "" {
		return fmt.Sprintf(`{"properties":{"displayName":%q}}`, displayName)
	}
	return fmt.Sprintf(`{"properties":{"displayName":%q,"details":{"parent":{"id":%q}}}}`, displayName, groups+parent)
}

func wantError(t *testing.T, r servicetest.Reply, status int, code, says string) {
	t.Helper()
	if r.Status != status || r.Code() != code || !strings.Contains(r.Message(), says) {
		t.Errorf("%d %s\nwant %d %s %q", r.Status, r.Body, status, code, says)
	}
}

// chain makes groups, each below the one before, and gives their ids.
func chain(w *servicetest.World, names ...string) {
	parent := ""
	for _, name := range names {
		w.Need(200, w.ARM("PUT", groups+name, body(name, parent)))
		parent = name
	}
}

func TestATreeOfGroups(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	r := w.Need(200, w.ARM("PUT", groups+"Corp", `{"name":"Corp","properties":{"displayName":"Corporation"}}`))
	if r.Get("id") != groups+"Corp" || r.Get("properties", "displayName") != "Corporation" || r.Get("properties", "details", "parent", "name") != w.Tenant {
		t.Errorf("created: %s", r.Body)
	}
	w.Need(200, w.ARM("PUT", groups+"team", body("Team", "CORP")))
	r = w.Need(200, w.ARM("PUT", groups+"team/subscriptions/"+strings.TrimPrefix(w.Subscription, "/subscriptions/"), ""))
	if r.Get("properties", "parent", "id") != groups+"team" || r.Get("properties", "state") != "Enabled" {
		t.Errorf("subscription: %s", r.Body)
	}
	r = w.Need(200, w.ARM("GET", groups+"corp?$expand=children&$recurse=true", ""))
	team := r.Get("properties", "children").([]any)[0].(map[string]any)
	if r.Get("id") != groups+"Corp" || team["id"] != groups+"team" || team["children"].([]any)[0].(map[string]any)["id"] != w.Subscription {
		t.Errorf("children: %s", r.Body)
	}
	if r := w.ARM("GET", groups+"corp?$expand=children", ""); strings.Contains(r.Body, w.Subscription) {
		t.Errorf("not recursive: %s", r.Body)
	}
	if r := w.ARM("GET", groups+"team?$expand=path", ""); fmt.Sprint(r.Get("properties", "details", "path")) != fmt.Sprintf("[map[displayName:Corporation name:Corp] map[displayName:Tenant Root Group name:%s]]", w.Tenant) {
		t.Errorf("path: %s", r.Body)
	}
	wantError(t, w.ARM("GET", groups+"team?$expand=all", ""), 400, "InvalidExpand", "all")
	guid := strings.TrimPrefix(w.Subscription, "/subscriptions/")
	for _, c := range []struct {
		method, path string
		want         []string
	}{
		{"GET", strings.TrimSuffix(groups, "/"), []string{"Corp", "team"}},
		{"POST", "/providers/Microsoft.Management/getEntities", []string{"Corp", "team", guid}},
		{"GET", groups + "corp/descendants", []string{"team", guid}},
		{"GET", groups + "team/subscriptions", []string{guid}},
		{"GET", groups + "corp/subscriptions", []string{}},
	} {
		if got := w.Need(200, w.ARM(c.method, c.path, "")).Names(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.path, got, c.want)
		}
	}
	w.Need(200, w.ARM("GET", groups+"team/subscriptions/"+guid, ""))
	wantError(t, w.ARM("GET", groups+"corp/subscriptions/"+guid, ""), 404, "NotFound", guid)

	r = w.Need(200, w.ARM("PATCH", groups+"team", `{"displayName":"Crew","parentGroupId":null}`)) // as az sends it
	if r.Get("properties", "displayName") != "Crew" || r.Get("properties", "details", "parent", "name") != "Corp" {
		t.Errorf("patched: %s", r.Body)
	}
	wantError(t, w.ARM("DELETE", groups+"corp", ""), 400, "BadRequest", "move or delete '"+groups+"team' first")
	wantError(t, w.ARM("DELETE", groups+"team", ""), 400, "BadRequest", w.Subscription)
	w.Need(200, w.ARM("DELETE", groups+"team/subscriptions/"+guid, ""))
	w.Need(204, w.ARM("DELETE", groups+"team/subscriptions/"+guid, ""))
	w.Need(204, w.ARM("DELETE", groups+"team", ""))
	w.Need(204, w.ARM("DELETE", groups+"corp", ""))
	if got := w.ARM("GET", strings.TrimSuffix(groups, "/"), "").Names(); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	// The name is free, and who had roles at the old one has none at the new.
	p := w.Principal("new")
	w.Need(200, w.ARMAs(p, "PUT", groups+"team", body("Team", "")))
	w.Need(403, w.ARM("GET", groups+"team", ""))
}

func TestGroupsMakeNoCircleAndNoAbyss(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	chain(w, "a", "b", "c", "d", "e", "f")
	wantError(t, w.ARM("PUT", groups+"g", body("g", "f")), 400, "BadRequest", "7 levels deep")
	wantError(t, w.ARM("GET", groups+"g", ""), 403, "AuthorizationFailed", "") // nothing of it is left
	for _, below := range []string{"a", "b", "f"} {
		for method, b := range map[string]string{"PUT": body("a", below), "PATCH": `{"parentGroupId":"` + groups + below + `"}`} {
			wantError(t, w.ARM(method, groups+"a", b), 400, "BadRequest", "management groups make no circle")
		}
	}
	chain(w, "x", "y")
	wantError(t, w.ARM("PATCH", groups+"x", `{"parentGroupId":"`+groups+`e"}`), 400, "BadRequest", "7 levels deep")
	w.Need(200, w.ARM("PATCH", groups+"x", `{"parentGroupId":"`+groups+`d"}`))
	w.Grant(w.Owner.ID, servicetest.Owner, "/")
	wantError(t, w.ARM("PUT", groups+"z", body("z", "absent")), 404, "ParentNotFound", "absent")
	wantError(t, w.ARM("PUT", groups+"z.", body("z", "")), 400, "InvalidGroupId", "z.")
	wantError(t, w.ARM("PUT", groups+"z", body(strings.Repeat("z", 251), "")), 400, "InvalidDisplayName", "250")
	wantError(t, w.ARM("PUT", groups+"z", `[]`), 400, "InvalidRequestContent", "")
	wantError(t, w.ARM("PATCH", groups+"z", `{}`), 404, "NotFound", "z")
	wantError(t, w.ARM("PUT", groups+w.Tenant, body("root", "a")), 400, "BadRequest", "root")
	wantError(t, w.ARM("DELETE", groups+w.Tenant, ""), 400, "BadRequest", "root")
	if r := w.Need(200, w.ARM("PATCH", groups+w.Tenant, `{"displayName":"All of us"}`)); r.Get("properties", "displayName") != "All of us" || r.Get("properties", "details", "parent") != nil {
		t.Errorf("root: %s", r.Body)
	}
	for name, want := range map[string]any{"a": false, "A": false, "free": true, "bad.": false} {
		if r := w.Need(200, w.ARM("POST", "/providers/Microsoft.Management/checkNameAvailability", `{"name":"`+name+`"}`)); r.Get("nameAvailable") != want {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
}

// A role at a group counts for what is below, and no longer when it is moved.
func TestRolesAreInheritedFromGroups(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	guid := strings.TrimPrefix(w.Subscription, "/subscriptions/")
	chain(w, "corp", "team")
	w.Need(200, w.ARM("PUT", groups+"other", body("other", "")))
	p := w.Principal("p")
	assignment := groups + "corp/providers/Microsoft.Authorization/roleAssignments/11111111-2222-3333-4444-555555555555"
	r := w.Need(201, w.ARM("PUT", assignment, fmt.Sprintf(`{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/%s","principalId":%q}}`, servicetest.Reader, p.ID)))
	if r.Get("properties", "scope") != groups+"corp" {
		t.Errorf("assignment: %s", r.Body)
	}
	may := func(want int) {
		t.Helper()
		if r := w.ARMAs(p, "GET", group, ""); r.Status != want {
			t.Errorf("%d, want %d: %s", r.Status, want, r.Body)
		}
	}
	may(403)
	w.Need(200, w.ARM("PUT", groups+"team/subscriptions/"+guid, ""))
	may(200)
	list := group + "/providers/Microsoft.Authorization/roleAssignments?$filter=" + url.QueryEscape("atScope() and principalId eq '"+p.ID+"'")
	if r := w.ARM("GET", list, ""); !strings.Contains(r.Body, assignment) {
		t.Errorf("inherited assignments: %s", r.Body)
	}
	w.Need(200, w.ARM("PATCH", groups+"team", `{"parentGroupId":"`+groups+`other"}`))
	may(403)
	if r := w.ARM("GET", list, ""); strings.Contains(r.Body, assignment) {
		t.Errorf("no longer inherited: %s", r.Body)
	}
	w.Need(200, w.ARM("PUT", groups+"corp/subscriptions/"+guid, ""))
	may(200)
	w.Need(200, w.ARM("DELETE", groups+"corp/subscriptions/"+guid, ""))
	may(403)
	wantError(t, w.ARM("GET", groups+"absent/providers/Microsoft.Authorization/roleAssignments", ""), 403, "AuthorizationFailed", "")
	w.Grant(w.Owner.ID, servicetest.Owner, "/")
	wantError(t, w.ARM("GET", groups+"absent/providers/Microsoft.Authorization/roleAssignments", ""), 404, "NotFound", "absent")
}

// Source: manage.md, "Moving management groups and subscriptions": write at the
// target and at the parent before, role assignment write at what moves; the root
// is free.
func TestWhatAMoveNeeds(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	guid := strings.TrimPrefix(w.Subscription, "/subscriptions/")
	chain(w, "from")
	chain(w, "to")
	chain(w, "moved")
	move := groups + "to/subscriptions/" + guid
	for _, c := range []struct {
		name   string
		grants map[string]string // scope → role
		from   string
		want   int
	}{
		{"all of it", map[string]string{w.Subscription: servicetest.Owner, groups + "from": contributor, groups + "to": contributor}, "from", 200},
		{"no Owner of the subscription", map[string]string{w.Subscription: servicetest.Contributor, groups + "from": contributor, groups + "to": contributor}, "from", 403},
		{"nothing at the target", map[string]string{w.Subscription: servicetest.Owner, groups + "from": contributor}, "from", 403},
		{"nothing at the parent before", map[string]string{w.Subscription: servicetest.Owner, groups + "to": contributor}, "from", 403},
		{"from the root", map[string]string{w.Subscription: servicetest.Owner, groups + "to": contributor}, w.Tenant, 200},
		{"reader of the target", map[string]string{w.Subscription: servicetest.Owner, groups + "to": servicetest.Reader}, w.Tenant, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.Need(200, w.ARM("PUT", groups+c.from+"/subscriptions/"+guid, ""))
			p := w.Principal(c.name)
			for scope, role := range c.grants {
				w.Grant(p.ID, role, scope)
			}
			if r := w.ARMAs(p, "PUT", move, ""); r.Status != c.want {
				t.Errorf("%d, want %d: %s", r.Status, c.want, r.Body)
			}
		})
	}
	// Groups the same; and who may not write below a group may not create there.
	p := w.Principal("p")
	w.Need(403, w.ARMAs(p, "PUT", groups+"mine", body("mine", "to")))
	w.Need(200, w.ARMAs(p, "PUT", groups+"mine", body("mine", ""))) // everybody, below the root
	w.Need(200, w.ARMAs(p, "PATCH", groups+"mine", `{"displayName":"of the Owner"}`))
	w.Need(403, w.ARMAs(p, "PATCH", groups+"mine", `{"parentGroupId":"`+groups+`to"}`))
	w.Need(403, w.ARMAs(p, "PUT", groups+"moved", body("taken", "")))
	w.Grant(p.ID, contributor, groups+"to")
	w.Need(200, w.ARMAs(p, "PATCH", groups+"mine", `{"parentGroupId":"`+groups+`to"}`))
	w.Grant(p.ID, contributor, groups+"moved")
	w.Need(403, w.ARMAs(p, "PATCH", groups+"moved", `{"parentGroupId":"`+groups+`to"}`)) // no Owner of it
	w.Need(200, w.ARMAs(p, "PATCH", groups+"moved", `{"displayName":"x"}`))
	w.Need(204, w.ARMAs(p, "DELETE", groups+"moved", ""))
}
