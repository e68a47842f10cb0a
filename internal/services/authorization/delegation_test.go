package authorization_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/servicetest"
)

// rbacAdministrator is Role Based Access Control Administrator.
const rbacAdministrator = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"

// constrain is a condition of the shape that delegate-role-assignments-examples.md
// gives: the expressions hold for what is assigned and for what is taken away.
func constrain(expressions ...string) string {
	part := func(source, verb string) string {
		var all []string
		for _, e := range expressions {
			all = append(all, "@"+source+"[Microsoft.Authorization/roleAssignments:"+e)
		}
		return "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/" + verb + "'})) OR (" + strings.Join(all, " AND ") + "))"
	}
	return part("Request", "write") + " AND " + part("Resource", "delete")
}

func under(condition string) string {
	return fmt.Sprintf(`,"condition":%q,"conditionVersion":"2.0"`, condition)
}

func roles(guids ...string) string {
	return "RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {" + strings.Join(guids, ", ") + "}"
}

// Source: delegate-role-assignments-examples.md.
func TestADelegateAssignsWhatItsConditionLetsIt(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	dara, sam := w.Principal("dara"), w.Principal("sam")
	people := w.Group("people")
	const reader, user, owner = servicetest.Reader, servicetest.OpenAIUser, servicetest.Owner
	for _, c := range []struct {
		name, condition string
		allowed         map[string]bool // grant: role principal [type]
	}{
		{"Constrain roles", constrain(roles(reader, user)), map[string]bool{
			reader + " " + dara.ID: true, strings.ToUpper(user) + " " + sam.ID: true, owner + " " + dara.ID: false}},
		{"Constrain roles and principal types", constrain(roles(reader, user), "PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'User', 'Group'}"), map[string]bool{
			reader + " " + people: true, reader + " " + dara.ID: false,
			// The directory says what a principal is, not the request.
			reader + " " + dara.ID + " User": false, reader + " " + uuid.NewString() + " User": true}},
		{"Constrain roles and specific principals", constrain(roles(reader), "PrincipalId] ForAnyOfAnyValues:GuidEquals {"+dara.ID+"}"), map[string]bool{
			reader + " " + strings.ToUpper(dara.ID): true, reader + " " + sam.ID: false, user + " " + dara.ID: false}},
		{"Allow most roles, but don't allow others to assign roles", constrain("RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {" + owner + ", " + rbacAdministrator + "}"), map[string]bool{
			reader + " " + dara.ID: true, owner + " " + dara.ID: false, rbacAdministrator + " " + sam.ID: false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			delegate := w.Principal("delegate")
			w.Need(201, w.ARM("PUT", w.Subscription+assignments+uuid.NewString(), grant(rbacAdministrator, delegate.ID, under(c.condition))))
			for what, allowed := range c.allowed {
				words := strings.Fields(what + " ")
				more := ""
				if len(words) == 3 {
					more = `,"principalType":"` + words[2] + `"`
				}
				body := grant(words[0], words[1], more)
				id := group + assignments + uuid.NewString()
				validate := w.ARMAs(delegate, "POST", id+"/validate", body)
				r := w.ARMAs(delegate, "PUT", id, body)
				if allowed {
					if validate.Get("isValid") != true || r.Status != 201 {
						t.Errorf("%s: %s, %d %s", what, validate.Body, r.Status, r.Body)
					}
					if r := w.ARMAs(delegate, "PUT", id, grant(words[0], words[1], more, `,"description":"changed"`)); r.Status != 200 {
						t.Errorf("%s, changed: %d %s", what, r.Status, r.Body)
					}
					w.Need(200, w.ARMAs(delegate, "DELETE", id, ""))
					continue
				}
				for _, r := range []servicetest.Reply{validate, r} {
					wantError(t, r, 403, "AuthorizationFailed", "does not have authorization or an ABAC condition not fulfilled to perform action 'Microsoft.Authorization/roleAssignments/write'")
					if why, _ := r.Get("error", "innererror", "decidedBy").(string); !strings.Contains(why, "is false: @Request[Microsoft.Authorization/roleAssignments:") {
						t.Errorf("%s: why is %q", what, why)
					}
				}
				if len(words) == 3 {
					continue // the Owner is refused it too: its type is another
				}
				w.Need(201, w.ARM("PUT", id, body))
				taken := w.ARMAs(delegate, "DELETE", id, "")
				wantError(t, taken, 403, "AuthorizationFailed", "Microsoft.Authorization/roleAssignments/delete")
				if why, _ := taken.Get("error", "innererror", "decidedBy").(string); !strings.Contains(why, "is false: @Resource[Microsoft.Authorization/roleAssignments:") {
					t.Errorf("%s: why is %q", what, why)
				}
				w.Need(200, w.ARM("DELETE", id, ""))
			}
		})
	}
}

func TestADelegateIsToldNothingOfARequestThatItMayNotMake(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	delegate := w.Principal("delegate")
	w.Need(201, w.ARM("PUT", w.Subscription+assignments+uuid.NewString(), grant(rbacAdministrator, delegate.ID, under(constrain(roles(servicetest.Reader))))))
	id := w.Subscription + assignments + uuid.NewString()
	for _, body := range []string{"", "{}", "nonsense", `{"properties":{"roleDefinitionId":"` + servicetest.Reader + `","principalId":"` + delegate.ID + `"}}`} {
		wantError(t, w.ARMAs(delegate, "PUT", id, body), 403, "AuthorizationFailed", "")
	}
	// A key that is given twice is read once, in one way.
	twice := `{"properties":{"roleDefinitionId":"` + definitions + servicetest.Reader + `","principalId":"` + delegate.ID + `","RoleDefinitionId":"` + definitions + servicetest.Owner + `"}}`
	wantError(t, w.ARMAs(delegate, "PUT", id, twice), 403, "AuthorizationFailed", "")
	wantError(t, w.ARMAs(delegate, "DELETE", id, ""), 403, "AuthorizationFailed", "")
}

func TestAConditionIsReadWhenItIsWritten(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	p := w.Principal("p")
	const container = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals "
	for _, c := range []struct{ name, more, code, message string }{
		{"ok/one", under(container + "'a'"), "", ""},
		{"ok/grouped", under("(" + container + "'a' AND " + container + "'b') OR " + container + "'c'"), "", ""},
		{"ok/longest", under(container + "'" + strings.Repeat("a", 8192-len(container)-2) + "'"), "", ""},
		{"ok/no condition, of no version", `,"condition":null,"conditionVersion":null`, "", ""},
		{"ok/longest description", `,"description":"` + strings.Repeat("d", 2048) + `"`, "", ""},
		{"ok/environment", under("@Environment[UtcNow] DateTimeLessThan '2040-01-01T00:00:00.0Z' OR @Environment[isPrivateLink] BoolEquals true"), "", ""},
		{"ok/principal", under("@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:a_b] StringEquals 'c'"), "", ""},
		{"ok/attribute of a provider that is not all known", under("@Resource[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'a'"), "", ""},
		{"fail/no such attribute of assignments", under("@Request[Microsoft.Authorization/roleAssignments:Role] StringEquals 'a'"), "InvalidRoleAssignmentCondition",
			"Request attribute Microsoft.Authorization/roleAssignments:Role is not valid."},
		{"fail/attribute of another source", under("@Principal[Microsoft.Authorization/roleAssignments:PrincipalId] StringEquals 'a'"), "InvalidRoleAssignmentCondition", "Principal attribute"},
		{"fail/no such attribute of the environment", under("@Environment[weather] StringEquals 'a'"), "InvalidRoleAssignmentCondition", "Environment attribute weather is not valid."},
		{"fail/text", under("nonsense"), "InvalidRoleAssignmentCondition", "The given role assignment condition is invalid. "},
		{"fail/place", under(container + "'a' AND"), "InvalidRoleAssignmentCondition", "found the end"},
		{"fail/ambiguous", under(container + "'a' AND " + container + "'b' OR " + container + "'c'"), "InvalidRoleAssignmentCondition", "add parentheses"},
		{"fail/too long", under(container + "'" + strings.Repeat("a", 8193-len(container)-2) + "'"), "InvalidRoleAssignmentCondition", "8192"},
		{"fail/version 1.0", `,"condition":"` + container + `'a'","conditionVersion":"1.0"`, "InvalidRoleAssignmentCondition", "'1.0'"},
		{"fail/no version", `,"condition":"` + container + `'a'"`, "InvalidRoleAssignmentCondition", "'2.0'"},
		{"fail/long description", `,"description":"` + strings.Repeat("d", 2049) + `"`, "InvalidRoleAssignmentDescription", "2049 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := w.Subscription + assignments + uuid.NewString()
			body := grant(servicetest.Reader, p.ID, c.more)
			validate := w.Need(200, w.ARM("POST", id+"/validate", body))
			r := w.ARM("PUT", id, body)
			if c.code == "" {
				if r.Status != 201 || validate.Body != `{"isValid":true}` {
					t.Fatalf("%d %s, %s", r.Status, r.Body, validate.Body)
				}
				w.Need(200, w.ARM("DELETE", id, ""))
				return
			}
			wantError(t, r, 400, c.code, c.message)
			if validate.Get("isValid") != false || validate.Get("errorInfo", "code") != c.code || validate.Get("errorInfo", "message") != r.Message() {
				t.Errorf("validate: %s", validate.Body)
			}
		})
	}
}

// One of a role, a principal and a scope has a condition or none: not both.
func TestAGrantHasOneConditionOrNone(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	p := w.Principal("p")
	condition := under("@Resource[x:y] StringEquals 'a'")
	id := w.Subscription + assignments + uuid.NewString()
	w.Need(201, w.ARM("PUT", id, grant(servicetest.Reader, p.ID)))
	another := w.Subscription + assignments + uuid.NewString()
	wantError(t, w.ARM("PUT", another, grant(servicetest.Reader, p.ID, condition)), 409, "RoleAssignmentExists", "already exists")
	if r := w.Need(200, w.ARM("POST", another+"/validate", grant(servicetest.Reader, p.ID, condition))); r.Get("errorInfo", "code") != "RoleAssignmentExists" {
		t.Errorf("validate: %s", r.Body)
	}
	if r := w.Need(200, w.ARM("PUT", id, grant(servicetest.Reader, p.ID, condition))); r.Get("properties", "conditionVersion") != "2.0" {
		t.Errorf("updated: %s", r.Body)
	}
	wantError(t, w.ARMAs(p, "GET", w.Subscription, ""), 403, "AuthorizationFailed", "an ABAC condition not fulfilled")
	w.Need(200, w.ARM("PUT", id, grant(servicetest.Reader, p.ID)))
	w.Need(200, w.ARMAs(p, "GET", w.Subscription, ""))
}

// Source: RoleAssignments_ValidateInvalid.json.
func TestValidateWritesNothing(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	p := w.Principal("p")
	absent := uuid.NewString()
	id := w.Subscription + assignments + uuid.NewString()
	r := w.Need(200, w.ARM("POST", id+"/validate", grant(absent, p.ID)))
	if r.Body != `{"errorInfo":{"code":"InvalidRoleDefinitionId","message":"The specified role definition with ID '`+absent+`' does not exist."},"isValid":false}` {
		t.Errorf("invalid: %s", r.Body)
	}
	if r := w.Need(200, w.ARM("POST", id+"/VALIDATE", grant(servicetest.Reader, p.ID))); r.Body != `{"isValid":true}` {
		t.Errorf("valid: %s", r.Body)
	}
	wantError(t, w.ARM("GET", id, ""), 404, "RoleAssignmentNotFound", "")
	wantError(t, w.ARM("POST", id+"/validate", "{}"), 400, "InvalidRequestContent", "properties")
	wantError(t, w.ARMAs(p, "POST", id+"/validate", grant(servicetest.Reader, p.ID)), 403, "AuthorizationFailed", "roleAssignments/write")
	// What an update may not change, a validation says.
	w.Need(201, w.ARM("PUT", id, grant(servicetest.Reader, p.ID)))
	if r := w.Need(200, w.ARM("POST", id+"/validate", grant(servicetest.OpenAIUser, p.ID))); r.Get("errorInfo", "code") != "RoleAssignmentUpdateNotPermitted" {
		t.Errorf("update: %s", r.Body)
	}
}

// Source: troubleshoot-limits.md: a subscription's assignments are those at it
// and at all in it; those of management groups count for themselves.
func TestThereAreSoManyAssignments(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	w.Authorization.Limits.PerSubscription, w.Authorization.Limits.PerGroup = 3, 2
	group, root := w.MakeGroup("rg"), string(access.RootGroup(w.Tenant))
	w.Grant(w.Owner.ID, servicetest.Owner, root)
	put := func(scope string) (string, servicetest.Reply) {
		id := scope + assignments + uuid.NewString()
		return id, w.ARM("PUT", id, grant(servicetest.Reader, w.Principal("p").ID))
	}
	full := func(scope string) {
		t.Helper()
		_, r := put(scope)
		wantError(t, r, 400, "RoleAssignmentLimitExceeded", "No more role assignments can be created.")
	}
	_, r := put(w.Subscription) // one is there: the Owner's
	w.Need(201, r)
	last, r := put(group)
	w.Need(201, r)
	full(group)
	full(w.Subscription)
	w.Need(200, w.ARM("PUT", last, grant(servicetest.Reader, r.Get("properties", "principalId").(string), `,"description":"an update is none more"`)))
	_, r = put(root)
	w.Need(201, r)
	full(root)
	w.Need(200, w.ARM("DELETE", last, ""))
	_, r = put(group)
	w.Need(201, r)
}

func TestAListOfAssignmentsComesInPages(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	w.Authorization.Limits.Page = 2
	group := w.MakeGroup("rg")
	var made []string
	for range 5 {
		id := group + assignments + uuid.NewString()
		w.Need(201, w.ARM("PUT", id, grant(servicetest.Reader, w.Principal("p").ID)))
		made = append(made, id[strings.LastIndex(id, "/")+1:])
	}
	list := group + strings.TrimSuffix(assignments, "/") + "?api-version=2022-04-01&$filter=" + url.QueryEscape("roleDefinitionId eq '"+w.Subscription+definitions+servicetest.Reader+"'")
	var names []string
	var sizes []int
	for next := "https://" + servicetest.ManagementHost + list; next != ""; {
		r := w.Need(200, w.Do(servicetest.Request{Method: "GET", URL: next, As: &w.Owner}))
		names, sizes = append(names, r.Names()...), append(sizes, len(r.Names()))
		next, _ = r.Get("nextLink").(string)
	}
	slices.Sort(names)
	slices.Sort(made)
	if !slices.Equal(names, made) || !slices.Equal(sizes, []int{2, 2, 1}) {
		t.Errorf("pages of %v: %v, want %v", sizes, names, made)
	}
	wantError(t, w.ARM("GET", list+"&$skipToken=%25", ""), 400, "InvalidSkipToken", "%")
}

func TestTheTenantOfAQueryIsTheCallers(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	list := w.Subscription + strings.TrimSuffix(assignments, "/") + "?tenantId="
	w.Need(200, w.ARM("GET", list+strings.ToUpper(w.Tenant), ""))
	absent := uuid.NewString()
	id := w.Subscription + assignments + absent + "?tenantId=" + absent
	for _, r := range []servicetest.Reply{w.ARM("GET", list+absent, ""), w.ARM("GET", id, ""), w.ARM("DELETE", id, "")} {
		wantError(t, r, 400, "InvalidTenantId", absent)
	}
}

func TestADelegatedManagedIdentityIsKept(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	p := w.Principal("p")
	const identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
	id := w.Subscription + assignments + uuid.NewString()
	w.Need(201, w.ARM("PUT", id, grant(servicetest.Reader, p.ID, `,"delegatedManagedIdentityResourceId":"`+identity+`"`)))
	w.Need(200, w.ARM("PUT", id, grant(servicetest.Reader, p.ID, `,"description":"d"`)))
	if r := w.Need(200, w.ARM("GET", id, "")); r.Get("properties", "delegatedManagedIdentityResourceId") != identity {
		t.Errorf("%s", r.Body)
	}
}
