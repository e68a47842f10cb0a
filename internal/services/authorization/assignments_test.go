package authorization_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/servicetest"
)

const (
	assignments = "/providers/Microsoft.Authorization/roleAssignments/"
	definitions = "/providers/Microsoft.Authorization/roleDefinitions/"
)

func wantError(t *testing.T, r servicetest.Reply, status int, code, message string) {
	t.Helper()
	if r.Status != status || r.Code() != code || !strings.Contains(r.Message(), message) {
		t.Errorf("%d %s\nwant %d %s %q", r.Status, r.Body, status, code, message)
	}
}

// grant is the body that assigns a role, with more properties.
func grant(role, principal string, more ...string) string {
	return fmt.Sprintf(`{"properties":{"roleDefinitionId":%q,"principalId":%q%s}}`, definitions+role, principal, strings.Join(more, ""))
}

// Codes and texts: rbac.md §1.5, from azure-docs troubleshooting.md.
func TestAnAssignmentIsValidated(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	p := w.Principal("p")
	people := w.Group("people")
	absent := uuid.NewString()
	name := group + assignments + uuid.NewString()
	for _, c := range []struct{ name, id, body, code, message string }{
		{"name that is no GUID", group + assignments + "mine", grant(servicetest.Reader, p.ID), "InvalidRoleAssignmentId",
			"The role assignment ID 'mine' is not valid. The role assignment ID must be a GUID."},
		{"name without hyphens", group + assignments + strings.ReplaceAll(absent, "-", ""), grant(servicetest.Reader, p.ID), "InvalidRoleAssignmentId", ""},
		{"no properties", name, `{}`, "InvalidRequestContent", "properties"},
		{"properties null", name, `{"properties":null}`, "InvalidRequestContent", "properties"},
		{"flat", name, `{"roleDefinitionId":"x","principalId":"y"}`, "InvalidRequestContent", "properties"},
		{"properties of another type", name, `{"properties":[]}`, "InvalidRequestContent", "properties: array is not an object"},
		{"no role", name, `{"properties":{"principalId":"` + p.ID + `"}}`, "InvalidRequestContent", "roleDefinitionId"},
		// azure-cli#2458, pulumi-azure-native#779
		{"bare GUID of a role", name, `{"properties":{"roleDefinitionId":"` + servicetest.Reader + `","principalId":"` + p.ID + `"}}`, "BadRequestFormat", "The request was incorrectly formatted."},
		{"name of a role", name, grant("Reader", p.ID), "BadRequestFormat", ""},
		{"id of another type", name, `{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/policies/` + servicetest.Reader + `","principalId":"` + p.ID + `"}}`, "BadRequestFormat", ""},
		{"no principal", name, grant(servicetest.Reader, ""), "InvalidPrincipalId", ""},
		{"principal that is no GUID", name, grant(servicetest.Reader, "me@contoso.com"), "InvalidPrincipalId", "me@contoso.com"},
		{"principal that does not exist", name, grant(servicetest.Reader, absent), "PrincipalNotFound", "does not exist in the directory"},
		{"principal of another type", name, grant(servicetest.Reader, p.ID, `,"principalType":"User"`), "UnmatchedPrincipalType", "has type 'ServicePrincipal', which is different from specified PrincipalType 'User'"},
		{"group as a service principal", name, grant(servicetest.Reader, people, `,"principalType":"ServicePrincipal"`), "UnmatchedPrincipalType", "has type 'Group'"},
		{"type that is none", name, grant(servicetest.Reader, p.ID, `,"principalType":"Robot"`), "InvalidPrincipalType", "Robot"},
		{"condition without version", name, grant(servicetest.Reader, p.ID, `,"condition":"true"`), "InvalidRoleAssignmentCondition", "The given role assignment condition is invalid. The conditionVersion"},
		{"condition of version 1.0", name, grant(servicetest.Reader, p.ID, `,"condition":"true","conditionVersion":"1.0"`), "InvalidRoleAssignmentCondition", "The given role assignment condition is invalid. The conditionVersion"},
	} {
		t.Run(c.name, func(t *testing.T) { wantError(t, w.ARM("PUT", c.id, c.body), 400, c.code, c.message) })
	}
	wantError(t, w.ARM("PUT", name, grant(absent, p.ID)), 404, "RoleDefinitionDoesNotExist", "The specified role definition with ID '"+absent+"' does not exist.")
	wantError(t, w.ARM("PUT", w.Subscription+"/resourceGroups/absent"+assignments+absent, grant(servicetest.Reader, p.ID)), 404, "ResourceGroupNotFound", "")
	if names := w.ARM("GET", group+strings.TrimSuffix(assignments, "/")+"?$filter=atScope()", "").Names(); len(names) != 1 {
		t.Errorf("something was written: %v", names)
	}
}

func TestAnAssignmentIsMadeReadAndTakesEffectAtOnce(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("RG")
	p := w.Principal("p")
	if r := w.ARMAs(p, "GET", group, ""); r.Status != 403 {
		t.Fatalf("before: %d", r.Status)
	}
	guid := uuid.NewString()
	// Written in another case, it is of the scope as that is stored.
	r := w.Need(201, w.ARM("PUT", strings.ToLower(group)+assignments+strings.ToUpper(guid),
		grant(servicetest.Reader, strings.ToUpper(p.ID), `,"principalType":"serviceprincipal","description":"d"`)))
	id := group + assignments + guid
	for path, want := range map[string]any{
		"id": id, "name": guid, "type": "Microsoft.Authorization/roleAssignments",
	} {
		if r.Get(path) != want {
			t.Errorf("%s is %v, want %v", path, r.Get(path), want)
		}
	}
	for path, want := range map[string]any{
		"scope": group, "principalId": p.ID, "principalType": "ServicePrincipal", "description": "d", "condition": nil,
		"roleDefinitionId": w.Subscription + definitions + servicetest.Reader, "createdBy": w.Owner.ID, "updatedBy": w.Owner.ID,
	} {
		if r.Get("properties", path) != want {
			t.Errorf("properties.%s is %v, want %v", path, r.Get("properties", path), want)
		}
	}
	w.Need(200, w.ARMAs(p, "GET", group, ""))
	if got := w.Need(200, w.ARM("GET", strings.ToUpper(id), "")); got.Body != r.Body {
		t.Errorf("GET gives %s", got.Body)
	}
	w.Need(200, w.ARM("DELETE", id, ""))
	if r := w.ARMAs(p, "GET", group, ""); r.Status != 403 {
		t.Errorf("after: %d", r.Status)
	}
}

// Naming the type skips the look-up of a principal that is not there yet.
func TestAPrincipalOfANamedTypeNeedNotExist(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	r := w.ARM("PUT", w.MakeGroup("rg")+assignments+uuid.NewString(), grant(servicetest.Reader, uuid.NewString(), `,"principalType":"user"`))
	w.Need(201, r)
	if r.Get("properties", "principalType") != "User" {
		t.Errorf("type: %s", r.Body)
	}
}

func TestOfAnAssignmentOnlyTextAndConditionChange(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group, other := w.MakeGroup("rg"), w.MakeGroup("other")
	p, q := w.Principal("p"), w.Principal("q")
	guid := uuid.NewString()
	id := group + assignments + guid
	first := w.Need(201, w.ARM("PUT", id, grant(servicetest.Reader, p.ID)))
	again := w.Need(200, w.ARM("PUT", id, grant(servicetest.Reader, p.ID, `,"description":"new"`)))
	if again.Get("properties", "description") != "new" || again.Get("properties", "createdOn") != first.Get("properties", "createdOn") ||
		again.Get("properties", "updatedOn") == first.Get("properties", "updatedOn") {
		t.Errorf("after the update: %s", again.Body)
	}
	for name, r := range map[string]servicetest.Reply{
		"another principal": w.ARM("PUT", id, grant(servicetest.Reader, q.ID)),
		"another role":      w.ARM("PUT", id, grant(servicetest.Contributor, p.ID)),
		"another scope":     w.ARM("PUT", other+assignments+guid, grant(servicetest.Reader, p.ID)),
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, r, 400, "RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
		})
	}
	// The same grant under another name is a duplicate; at another scope it is not.
	wantError(t, w.ARM("PUT", group+assignments+uuid.NewString(), grant(servicetest.Reader, p.ID)), 409, "RoleAssignmentExists", "The role assignment already exists.")
	w.Need(201, w.ARM("PUT", other+assignments+uuid.NewString(), grant(servicetest.Reader, p.ID)))
	conditional := w.Need(200, w.ARM("PUT", id, grant(servicetest.Reader, p.ID, `,"condition":"@Resource[x] StringEquals 'y'","conditionVersion":"2.0"`)))
	if conditional.Get("properties", "conditionVersion") != "2.0" {
		t.Errorf("condition: %s", conditional.Body)
	}
	// A condition narrows: it may not let more through than it says.
	if r := w.ARMAs(p, "GET", group, ""); r.Status != 403 {
		t.Errorf("a conditional role passes: %d", r.Status)
	}
}

func TestDeletingTwiceIs200Then204(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := w.Grant(w.Principal("p").ID, servicetest.Reader, group)
	if r := w.Need(200, w.ARM("DELETE", id, "")); r.Get("id") != id {
		t.Errorf("the first DELETE gives %s", r.Body)
	}
	w.Need(204, w.ARM("DELETE", id, ""))
	wantError(t, w.ARM("GET", id, ""), 404, "RoleAssignmentNotFound", "")
}

// Source: troubleshooting.md; code and status: terraform-provider-azurerm#26122.
func TestTheLastOwnerStays(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	list := w.ARM("GET", w.Subscription+strings.TrimSuffix(assignments, "/")+"?$filter=atScope()", "")
	if len(list.Names()) != 1 {
		t.Fatalf("owners: %v", list.Names())
	}
	own := w.Subscription + assignments + list.Names()[0]
	w.Grant(w.Principal("owner of a group").ID, servicetest.Owner, w.MakeGroup("rg"))
	wantError(t, w.ARM("DELETE", own, ""), 412, "CannotDeleteLastRbacAdminAssignment", "Cannot delete the last RBAC admin assignment")
	second := w.Grant(w.Principal("second").ID, servicetest.Owner, w.Subscription)
	w.Need(200, w.ARM("DELETE", second, ""))
}

func TestWritingAssignmentsNeedsItsPermission(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	p := w.Principal("contributor") // whose role takes Microsoft.Authorization/*/Write away
	w.Grant(p.ID, servicetest.Contributor, w.Subscription)
	existing := w.Grant(w.Principal("q").ID, servicetest.Reader, group)
	wantError(t, w.ARMAs(p, "PUT", group+assignments+uuid.NewString(), grant(servicetest.Owner, p.ID)), 403, "AuthorizationFailed", "'Microsoft.Authorization/roleAssignments/write'")
	wantError(t, w.ARMAs(p, "DELETE", existing, ""), 403, "AuthorizationFailed", "'Microsoft.Authorization/roleAssignments/delete'")
	w.Need(200, w.ARMAs(p, "GET", existing, ""))
	// The tenant root is above every subscription, and its owner's alone.
	wantError(t, w.ARM("PUT", assignments+uuid.NewString(), grant(servicetest.Reader, p.ID)), 403, "AuthorizationFailed", "")
	wantError(t, w.ARM("PUT", "/providers/Microsoft.Management/managementGroups/"+w.Tenant+assignments+uuid.NewString(), grant(servicetest.Reader, p.ID)), 403, "AuthorizationFailed", "")
}

// Source: rbac.md §1.6: atScope() is at or above; principalId and assignedTo()
// are at, above and below, and assignedTo() counts nested groups.
func TestListingAssignments(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group, other := w.MakeGroup("rg"), w.MakeGroup("other")
	account := w.MakeAccount(group, "acc")
	p := w.Principal("p")
	inner := w.Group("inner", p.ID)
	outer := w.Group("outer", inner)
	root := "/providers/Microsoft.Management/managementGroups/" + w.Tenant
	named := map[string]string{ // the last segment of the id → what it is
		id(w.Grant(p.ID, servicetest.Reader, root)):                "root",
		id(w.Grant(p.ID, servicetest.Reader, w.Subscription)):      "subscription",
		id(w.Grant(outer, servicetest.Contributor, group)):         "group, by outer",
		id(w.Grant(p.ID, servicetest.OpenAIUser, account)):         "account",
		id(w.Grant(inner, servicetest.OpenAIContributor, account)): "account, by inner",
		id(w.Grant(p.ID, servicetest.Reader, other)):               "other",
	}
	for _, c := range []struct{ at, filter, want string }{
		{group, "", "[account account, by inner group, by outer owner root subscription]"},
		{group, "atScope()", "[group, by outer owner root subscription]"},
		{strings.ToUpper(group), "ATSCOPE()", "[group, by outer owner root subscription]"},
		{account, "atScope()", "[account account, by inner group, by outer owner root subscription]"},
		{other, "", "[other owner root subscription]"},
		{w.Subscription, "atScope()", "[owner root subscription]"},
		{w.Subscription, "principalId eq '" + p.ID + "'", "[account other root subscription]"},
		{group, "principalId eq '" + strings.ToUpper(p.ID) + "'", "[account root subscription]"},
		{group, "principalId eq '" + inner + "'", "[account, by inner]"},
		{group, "assignedTo('" + p.ID + "')", "[account account, by inner group, by outer root subscription]"},
		{group, "assignedTo('" + inner + "')", "[account, by inner group, by outer]"},
		{group, "atScope() and assignedTo('" + p.ID + "')", "[group, by outer root subscription]"},
		{root, "atScope()", "[]"},
	} {
		p := w.Owner
		if c.at == root {
			p = w.Principal("reader of the root")
			w.Grant(p.ID, servicetest.Reader, root)
			named[p.ID] = "itself"
		}
		r := w.Need(200, w.ARMAs(p, "GET", c.at+strings.TrimSuffix(assignments, "/")+"?$filter="+url.QueryEscape(c.filter), ""))
		got := []string{}
		for _, name := range r.Names() {
			if what, ok := named[name]; ok {
				got = append(got, what)
			} else {
				got = append(got, "owner")
			}
		}
		if c.at == root { // its own, and the other at the root
			if slices.Sort(got); fmt.Sprint(got) != "[owner root]" {
				t.Errorf("at the root: %v", got)
			}
			continue
		}
		if slices.Sort(got); fmt.Sprint(got) != c.want {
			t.Errorf("%s, %s:\n got %v\nwant %s", c.at, c.filter, got, c.want)
		}
	}
	for _, filter := range []string{"principalName eq 'x'", "atScope('x')", "assignedTo()", "nonsense()", "atScope() and", "principalId eq"} {
		r := w.ARM("GET", account+strings.TrimSuffix(assignments, "/")+"?$filter="+url.QueryEscape(filter), "")
		wantError(t, r, 400, "InvalidFilterInQueryString", "")
	}
	wantError(t, w.ARM("GET", w.Subscription+"/resourceGroups/absent"+strings.TrimSuffix(assignments, "/"), ""), 404, "ResourceGroupNotFound", "")
}

func id(assignment string) string { return assignment[strings.LastIndex(assignment, "/")+1:] }

func TestRoleDefinitions(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	list := func(filter string) servicetest.Reply {
		return w.ARM("GET", group+strings.TrimSuffix(definitions, "/")+"?$filter="+url.QueryEscape(filter), "")
	}
	r := w.Need(200, list("roleName eq 'cognitive services openai user'"))
	if !slices.Equal(r.Names(), []string{servicetest.OpenAIUser}) {
		t.Fatalf("by name: %s", r.Body)
	}
	one := w.Need(200, w.ARM("GET", w.Subscription+definitions+strings.ToUpper(servicetest.OpenAIUser), ""))
	if one.Get("id") != w.Subscription+definitions+servicetest.OpenAIUser || one.Get("properties", "roleName") != "Cognitive Services OpenAI User" ||
		one.Get("properties", "type") != "BuiltInRole" || !strings.Contains(one.Body, `"permissions":[{"actions":["Microsoft.CognitiveServices/*/read"`) {
		t.Errorf("by GUID: %s", one.Body)
	}
	all := len(w.Need(200, list("")).Names())
	if builtin := len(list("type eq 'BuiltInRole'").Names()); all < 100 || builtin != all {
		t.Errorf("%d roles, %d of them built in", all, builtin)
	}
	if n := len(list("type eq 'CustomRole'").Names()); n != 0 {
		t.Errorf("%d custom roles", n)
	}
	if n := len(w.Need(200, list("atScopeAndBelow()")).Names()); n != all {
		t.Errorf("atScopeAndBelow() leaves %d of %d", n, all)
	}
	absent := uuid.NewString()
	wantError(t, w.ARM("GET", w.Subscription+definitions+absent, ""), 404, "RoleDefinitionDoesNotExist", absent)
	wantError(t, list("description eq 'x'"), 400, "InvalidFilterInQueryString", "")
}
