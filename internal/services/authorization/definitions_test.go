package authorization_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/entra"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
)

const accountsRead = "Microsoft.CognitiveServices/accounts/read"

// role is the body that makes a custom role of control-plane actions, with
// changes to its properties.
func role(name, scope string, changes ...map[string]any) string {
	properties := map[string]any{
		"roleName": name, "description": "d", "type": "CustomRole", "assignableScopes": []string{scope},
		"permissions": []any{map[string]any{"actions": []string{accountsRead}, "notActions": []string{}}},
	}
	for _, change := range changes {
		for key, value := range change {
			properties[key] = value
		}
	}
	raw, err := json.Marshal(map[string]any{"properties": properties})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// permit is the permissions of one block with one list.
func permit(list string, actions ...string) map[string]any {
	return map[string]any{"permissions": []any{map[string]any{"actions": []string{accountsRead}, list: actions}}}
}

// Rules and texts: custom-roles.md, "Custom role properties" and "Custom role
// limits"; those of actions are Azure's as the issues quote them that
// badAction names.
func TestACustomRoleIsValidated(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	sub, group := w.Subscription, w.MakeGroup("rg")
	scopes := func(at ...string) map[string]any { return map[string]any{"assignableScopes": at} }
	many := make([]string, 2001)
	for i := range many {
		many[i] = sub
	}
	for _, c := range []struct{ name, body, code, message string }{
		{"ok/plain", role("plain", sub), "", ""},
		{"ok/longest texts", role(strings.Repeat("é", 512), sub, map[string]any{"description": strings.Repeat("d", 2048)}), "", ""},
		{"ok/no description, no type", role("no description", sub, map[string]any{"description": "", "type": ""}), "", ""},
		{"ok/resource group and resource", role("resources", sub, scopes(group, group+"/providers/Microsoft.CognitiveServices/accounts/a")), "", ""},
		{"ok/2000 scopes", role("scopes", sub, scopes(many[:2000]...)), "", ""},
		{"ok/star", role("star", sub, permit("actions", "*")), "", ""},
		{"ok/leading, inner and trailing star", role("stars", sub, permit("actions", "*/read", "Microsoft.Compute/*/read", "Microsoft.Compute/virtualMachines/*")), "", ""},
		{"ok/data actions only", role("data", sub, permit("dataActions", "Microsoft.CognitiveServices/accounts/OpenAI/*/read")), "", ""},
		{"ok/unknown action of a provider that is not all known", role("unknown", sub, permit("actions", "Microsoft.Compute/no/such/action")), "", ""},
		{"ok/unknown provider", role("foreign", sub, permit("actions", "Contoso.Fabrics/bolts/read")), "", ""},
		{"ok/known action in another case", role("case", sub, permit("actions", "microsoft.search/SEARCHSERVICES/read")), "", ""},
		{"ok/condition null", `{"properties":{"roleName":"null","assignableScopes":["` + sub + `"],"permissions":[{"Actions":["*"],"NotActions":null,"Condition":null,"ConditionVersion":null}]}}`, "", ""},

		{"fail/no properties", `{}`, "InvalidRoleDefinition", "no roleName"},
		{"fail/not an object", `[]`, "InvalidRequestContent", "not a JSON object"},
		{"fail/permissions of another type", `{"properties":{"permissions":{}}}`, "InvalidRequestContent", "permissions: object is not an array"},
		{"fail/no name", role("", sub), "InvalidRoleDefinition", "no roleName"},
		{"fail/blank name", role("  ", sub), "InvalidRoleDefinition", "no roleName"},
		{"fail/long name", role(strings.Repeat("n", 513), sub), "InvalidRoleDefinition", "513 characters; the maximum is 512"},
		{"fail/long description", role("n", sub, map[string]any{"description": strings.Repeat("d", 2049)}), "InvalidRoleDefinition", "2049 characters; the maximum is 2048"},
		{"fail/built-in type", role("n", sub, map[string]any{"type": "BuiltInRole"}), "InvalidRoleDefinition", "BuiltInRole"},
		{"fail/no scope", role("n", sub, scopes()), "InvalidAssignableScopes", "at least one"},
		{"fail/2001 scopes", role("n", sub, scopes(many...)), "InvalidAssignableScopes", "2001 assignableScopes; the maximum is 2000"},
		{"fail/root", role("n", "/"), "InvalidAssignableScopes", "root scope"},
		{"fail/root among others", role("n", sub, scopes(sub, "//")), "InvalidAssignableScopes", "root scope"},
		{"fail/wildcard", role("n", sub+"/*"), "InvalidAssignableScopes", "wildcards"},
		{"fail/wildcard for all subscriptions", role("n", "/subscriptions/*"), "InvalidAssignableScopes", "wildcards"},
		{"fail/empty scope", role("n", ""), "InvalidAssignableScopes", "invalid"},
		{"fail/relative scope", role("n", strings.TrimPrefix(sub, "/")), "InvalidAssignableScopes", "does not start with a slash"},
		{"fail/odd scope", role("n", sub+"/resourceGroups"), "InvalidAssignableScopes", "the resource group is due"},
		{"fail/no permission", role("n", sub, map[string]any{"permissions": []any{}}), "InvalidRoleDefinition", "0 entries in permissions"},
		{"fail/two permissions", role("n", sub, map[string]any{"permissions": []any{map[string]any{}, map[string]any{}}}), "InvalidRoleDefinition", "2 entries in permissions"},
		{"fail/condition", role("n", sub, map[string]any{"permissions": []any{map[string]any{"actions": []string{"*"}, "condition": "true"}}}), "InvalidRoleDefinition", "condition"},
		{"fail/nothing granted", role("n", sub, map[string]any{"permissions": []any{map[string]any{"notActions": []string{"*"}}}}), "InvalidRoleDefinition", "grants nothing"},
		{"fail/two wildcards", role("n", sub, permit("actions", "Microsoft.CostManagement/*/query/*")), "InvalidActionOrNotAction", "'Microsoft.CostManagement/*/query/*' contains multiple wildcards. Only one is allowed."},
		{"fail/two wildcards in a row", role("n", sub, permit("notActions", "**")), "InvalidActionOrNotAction", "multiple wildcards"},
		{"fail/two wildcards of data", role("n", sub, permit("notDataActions", "Microsoft.X/*/a/*")), "InvalidDataActionOrNotDataAction", "multiple wildcards"},
		{"fail/space", role("n", sub, permit("actions", "Microsoft.Compute/virtual Machines/read")), "InvalidActionOrNotAction", "invalid character(s)"},
		{"fail/other letters", role("n", sub, permit("actions", "Microsoft.Compute/ｖｍ/read")), "InvalidActionOrNotAction", "invalid character(s)"},
		{"fail/empty action", role("n", sub, permit("actions", "")), "InvalidActionOrNotAction", "is not of the form"},
		{"fail/no operation", role("n", sub, permit("actions", "Microsoft.Compute")), "InvalidActionOrNotAction", "is not of the form"},
		{"fail/trailing slash", role("n", sub, permit("actions", "Microsoft.Compute/virtualMachines/")), "InvalidActionOrNotAction", "is not of the form"},
		{"fail/leading slash", role("n", sub, permit("actions", "/Microsoft.Compute/virtualMachines/read")), "InvalidActionOrNotAction", "is not of the form"},
		{"fail/unknown action", role("n", sub, permit("actions", "Microsoft.Search/searchServices/dance/action")), "InvalidActionOrNotAction", "'Microsoft.Search/searchServices/dance/action' does not match any of the actions supported by the providers."},
		{"fail/unknown action of storage", role("n", sub, permit("actions", "Microsoft.Storage/storageAccounts/blobServices/containers/dance/action")), "InvalidActionOrNotAction", "does not match any"},
		{"fail/unknown data action of a vault", role("n", sub, permit("dataActions", "Microsoft.KeyVault/vaults/keys/copy/action")), "InvalidDataActionOrNotDataAction", "does not match any"},
		{"fail/unknown pattern of the AI services", role("n", sub, permit("dataActions", "Microsoft.CognitiveServices/accounts/OpenAl/*")), "InvalidDataActionOrNotDataAction", "does not match any"},
		{"fail/unknown pattern", role("n", sub, permit("notActions", "Microsoft.Search/dances/*")), "InvalidActionOrNotAction", "does not match any"},
		{"fail/an action as a data action", role("n", sub, permit("dataActions", "Microsoft.Search/searchServices/write")), "InvalidDataActionOrNotDataAction", "does not match any of the actions supported by the providers."},
		{"fail/a data action as an action", role("n", sub, permit("actions", "Microsoft.Search/searchServices/indexes/documents/read")), "InvalidActionOrNotAction", "does not match any"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.ARM("PUT", sub+definitions+uuid.NewString(), c.body)
			if c.code != "" {
				wantError(t, r, 400, c.code, c.message)
			} else if r.Status != 201 {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		})
	}
	wantError(t, w.ARM("PUT", sub+definitions+"mine", role("n", sub)), 400, "InvalidRoleDefinitionId", "must be a GUID")
	if names := w.ARM("GET", sub+strings.TrimSuffix(definitions, "/")+"?$filter=roleName eq 'n'", "").Names(); len(names) != 0 {
		t.Errorf("something was written: %v", names)
	}
}

func TestACustomRoleIsMadeAssignedChangedAndDeleted(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "aoai")
	p := w.Principal("p")
	guid := uuid.NewString()
	id := w.Subscription + definitions + guid
	made := w.Need(201, w.ARM("PUT", w.Subscription+definitions+strings.ToUpper(guid), role("Reader of accounts", strings.ToUpper(w.Subscription)+"/")))
	for path, want := range map[string]any{"id": id, "name": guid, "type": "Microsoft.Authorization/roleDefinitions"} {
		if made.Get(path) != want {
			t.Errorf("%s is %v, want %v", path, made.Get(path), want)
		}
	}
	for path, want := range map[string]any{"roleName": "Reader of accounts", "type": "CustomRole", "description": "d", "createdBy": w.Owner.ID, "updatedBy": w.Owner.ID} {
		if made.Get("properties", path) != want {
			t.Errorf("properties.%s is %v, want %v", path, made.Get("properties", path), want)
		}
	}
	if !strings.Contains(made.Body, `"permissions":[{"actions":["`+accountsRead+`"],"notActions":[],"dataActions":[],"notDataActions":[]}]`) {
		t.Errorf("permissions: %s", made.Body)
	}
	if r := w.Need(200, w.ARM("GET", strings.ToUpper(id[:len(id)-36])+guid, "")); r.Get("properties", "createdOn") != made.Get("properties", "createdOn") {
		t.Errorf("GET gives %s", r.Body)
	}

	// The very next call knows what was written.
	assignment := group + assignments + uuid.NewString()
	w.Need(201, w.ARM("PUT", assignment, grant(guid, p.ID)))
	w.Need(200, w.ARMAs(p, "GET", account, ""))
	wantError(t, w.ARMAs(p, "GET", group, ""), 403, "AuthorizationFailed", "Microsoft.Resources/subscriptions/resourceGroups/read")
	changed := w.Need(201, w.ARM("PUT", id, role("Reader of groups", w.Subscription,
		map[string]any{"permissions": []any{map[string]any{"actions": []string{"*/read"}, "notActions": []string{"microsoft.cognitiveservices/ACCOUNTS/read"}}}})))
	if changed.Get("properties", "createdOn") != made.Get("properties", "createdOn") || changed.Get("properties", "updatedOn") == made.Get("properties", "updatedOn") {
		t.Errorf("an update is dated %s", changed.Body)
	}
	w.Need(200, w.ARMAs(p, "GET", group, ""))
	refused := w.ARMAs(p, "GET", account, "")
	wantError(t, refused, 403, "AuthorizationFailed", accountsRead)
	if why, _ := refused.Get("error", "innererror", "decidedBy").(string); !strings.Contains(why, "whose notActions take this action away (microsoft.cognitiveservices/ACCOUNTS/read)") {
		t.Errorf("why: %s", why)
	}

	wantError(t, w.ARM("DELETE", id, ""), 400, "RoleDefinitionHasAssignments", "There are existing role assignments referencing role")
	w.Need(200, w.ARM("DELETE", assignment, ""))
	if r := w.Need(200, w.ARM("DELETE", id, "")); r.Get("properties", "roleName") != "Reader of groups" {
		t.Errorf("DELETE gives %s", r.Body)
	}
	w.Need(204, w.ARM("DELETE", id, ""))
	wantError(t, w.ARM("GET", id, ""), 404, "RoleDefinitionDoesNotExist", guid)
	wantError(t, w.ARM("PUT", assignment, grant(guid, p.ID)), 404, "RoleDefinitionDoesNotExist", guid)
}

func TestTheNameOfARoleIsOneInTheTenant(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := w.Subscription + definitions + uuid.NewString()
	w.Need(201, w.ARM("PUT", id, role("Mine", w.Subscription)))
	w.Need(201, w.ARM("PUT", id, role("MINE", w.Subscription))) // itself
	const text = "A role definition cannot be updated with a name that already exists."
	other := w.Subscription + definitions + uuid.NewString()
	wantError(t, w.ARM("PUT", other, role("mine", w.Subscription)), 409, "RoleDefinitionWithSameNameExists", text)
	wantError(t, w.ARM("PUT", other, role("reader", w.Subscription)), 409, "RoleDefinitionWithSameNameExists", text)
	w.Need(201, w.ARM("PUT", other, role("Yours", w.Subscription)))
	wantError(t, w.ARM("PUT", other, role("Mine", w.Subscription)), 409, "RoleDefinitionWithSameNameExists", text)
}

// Built-in roles are everybody's: nobody's right in a subscription reaches them,
// nor any right at all.
func TestBuiltInRolesCantBeChanged(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := w.Subscription + definitions + servicetest.Reader
	for method, body := range map[string]string{"PUT": role("Mine", w.Subscription), "DELETE": ""} {
		wantError(t, w.ARM(method, id, body), 403, "LinkedAuthorizationFailed", "on the linked scope(s) '/'")
	}
	w.Grant(w.Owner.ID, servicetest.Owner, "/")
	for method, body := range map[string]string{"PUT": role("Mine", w.Subscription), "DELETE": ""} {
		wantError(t, w.ARM(method, id, body), 400, "BuiltInRoleNotModifiable", "built-in")
	}
}

// Source: custom-roles.md, "Who can create, delete, update, or view a custom role".
func TestWhoWritesARoleHasTheRightAtEveryScopeOfIt(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	second := w.Subscribe(w.Tenant)
	admin := w.Principal("admin of both")
	w.Grant(admin.ID, servicetest.Owner, w.Subscription)
	w.Grant(admin.ID, servicetest.Owner, second)
	both := map[string]any{"assignableScopes": []string{w.Subscription, second}}
	id := w.Subscription + definitions + uuid.NewString()
	linked := "has permission to perform action 'Microsoft.Authorization/roleDefinitions/write' on scope '" + id +
		"'; however, it does not have permission to perform action(s) 'Microsoft.Authorization/roleDefinitions/write' on the linked scope(s) '" + second + "'"

	wantError(t, w.ARM("PUT", id, role("r", w.Subscription, both)), 403, "LinkedAuthorizationFailed", linked)
	w.Need(201, w.ARMAs(admin, "PUT", id, role("r", w.Subscription, both)))
	// Nor may a role be taken from where its writer has no say.
	wantError(t, w.ARM("PUT", id, role("r", w.Subscription)), 403, "LinkedAuthorizationFailed", linked)
	wantError(t, w.ARM("DELETE", id, ""), 403, "LinkedAuthorizationFailed", second)
	w.Need(201, w.ARMAs(admin, "PUT", id, role("r", w.Subscription)))
	w.Need(200, w.ARM("DELETE", id, ""))

	reader := w.Principal("reader")
	w.Grant(reader.ID, servicetest.Reader, w.Subscription)
	contributor := w.Principal("contributor")
	w.Grant(contributor.ID, servicetest.Contributor, w.Subscription)
	for _, p := range []servicetest.Principal{reader, contributor} {
		wantError(t, w.ARMAs(p, "PUT", id, role("r", w.Subscription)), 403, "AuthorizationFailed", "Microsoft.Authorization/roleDefinitions/write")
		wantError(t, w.ARMAs(p, "DELETE", id, ""), 403, "AuthorizationFailed", "Microsoft.Authorization/roleDefinitions/delete")
	}
	absent := "/subscriptions/" + uuid.NewString()
	wantError(t, w.ARM("PUT", id, role("r", absent)), 403, "LinkedAuthorizationFailed", absent)
}

func TestATenantSeesAndAssignsItsOwnRolesOnly(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	other := uuid.NewString()
	w.Update(func(tx *store.Tx) error { return entra.PutTenant(tx, entra.Tenant{ID: other, DisplayName: "Fabrikam"}) })
	there := w.Subscribe(other)
	them := w.PrincipalIn(other, "them")
	w.Grant(them.ID, servicetest.Owner, there)
	guid := uuid.NewString()
	w.Need(201, w.ARM("PUT", w.Subscription+definitions+guid, role("Ours", w.Subscription)))

	wantError(t, w.ARM("PUT", w.Subscription+definitions+uuid.NewString(), role("r", there)), 403, "LinkedAuthorizationFailed",
		"however the current tenant '"+w.Tenant+"' is not authorized to access linked subscription '"+strings.TrimPrefix(there, "/subscriptions/")+"'.")
	wantError(t, w.ARMAs(them, "GET", there+definitions+guid, ""), 404, "RoleDefinitionDoesNotExist", guid)
	wantError(t, w.ARMAs(them, "PUT", there+assignments+uuid.NewString(), grant(guid, them.ID)), 404, "RoleDefinitionDoesNotExist", guid)
	w.Need(204, w.ARMAs(them, "DELETE", there+definitions+guid, ""))
	wantError(t, w.ARMAs(them, "PUT", there+definitions+guid, role("Theirs", there)), 409, "RoleDefinitionExists", guid)
	w.Need(201, w.ARMAs(them, "PUT", there+definitions+uuid.NewString(), role("Ours", there))) // the name is free there
	if r := w.Need(200, w.ARM("GET", w.Subscription+definitions+guid, "")); r.Get("properties", "roleName") != "Ours" {
		t.Errorf("the role is now %s", r.Body)
	}
}

// Source: role-definitions-list.md.
func TestARoleIsSeenWhereItCanBeAssigned(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group, other := w.MakeGroup("rg"), w.MakeGroup("other")
	byScope := map[string]string{"sub": w.Subscription, "group": group, "managed": string(access.RootGroup(w.Tenant))}
	w.Grant(w.Owner.ID, servicetest.Owner, byScope["managed"])
	for name, scope := range byScope {
		w.Need(201, w.ARM("PUT", w.Subscription+definitions+uuid.NewString(), role(name, scope)))
	}
	for _, c := range []struct{ at, filter, want string }{
		{w.Subscription, "type eq 'CustomRole'", "managed sub"},
		{w.Subscription, "type eq 'CustomRole' and atScopeAndBelow()", "group managed sub"},
		{w.Subscription, "atScopeAndBelow() and type eq 'customrole'", "group managed sub"},
		{group, "type eq 'CustomRole'", "group managed sub"},
		{other, "type eq 'CustomRole'", "managed sub"},
		{other, "atScopeAndBelow() and type eq 'CustomRole'", "managed sub"},
		{group, "roleName eq 'GROUP'", "group"},
		{other, "roleName eq 'group'", ""},
		{byScope["managed"], "type eq 'CustomRole'", "managed"},
		{byScope["managed"], "type eq 'CustomRole' and atScopeAndBelow()", "group managed sub"},
	} {
		r := w.Need(200, w.ARM("GET", c.at+strings.TrimSuffix(definitions, "/")+"?$filter="+url.QueryEscape(c.filter), ""))
		var names []string
		list, _ := r.JSON["value"].([]any)
		for _, entry := range list {
			names = append(names, entry.(map[string]any)["properties"].(map[string]any)["roleName"].(string))
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.at, c.filter, got, c.want)
		}
	}
	guid := w.ARM("GET", group+strings.TrimSuffix(definitions, "/")+"?$filter=roleName eq 'group'", "").Names()[0]
	w.Need(200, w.ARM("GET", group+definitions+guid, ""))
	w.Need(200, w.ARM("GET", w.Subscription+definitions+guid, ""))
	w.Need(404, w.ARM("GET", other+definitions+guid, ""))
}

func TestARoleIsAssignedWhereItCanBeOnly(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group, other := w.MakeGroup("rg"), w.MakeGroup("other")
	p := w.Principal("p")
	root := string(access.RootGroup(w.Tenant))
	w.Grant(w.Owner.ID, servicetest.Owner, root)
	guid, data := uuid.NewString(), uuid.NewString()
	id := w.Subscription + definitions + guid
	two := map[string]any{"assignableScopes": []string{group, other}}
	w.Need(201, w.ARM("PUT", id, role("two groups", group, two)))
	wantError(t, w.ARM("PUT", w.Subscription+assignments+uuid.NewString(), grant(guid, p.ID)), 404, "RoleDefinitionDoesNotExist", guid)
	w.Need(201, w.ARM("PUT", group+assignments+uuid.NewString(), grant(guid, p.ID)))
	there := other + assignments + uuid.NewString()
	w.Need(201, w.ARM("PUT", there, grant(guid, p.ID)))

	wantError(t, w.ARM("PUT", id, role("one group", group)), 400, "RoleScopeBeingRemovedContainsAssignments", "Role assignments found under scope '"+other+"' which is being removed.")
	w.Need(201, w.ARM("PUT", id, role("above", w.Subscription))) // still above both
	w.Need(201, w.ARM("PUT", id, role("two groups", group, two)))
	w.Need(200, w.ARM("DELETE", there, ""))
	w.Need(201, w.ARM("PUT", id, role("one group", group)))

	// A custom role with data actions may name a management group, and can be
	// assigned below it only: custom-roles.md, "Custom role limits".
	w.Need(201, w.ARM("PUT", root+definitions+data, role("data", root, permit("dataActions", "Microsoft.CognitiveServices/accounts/OpenAI/*"))))
	wantError(t, w.ARM("PUT", root+assignments+uuid.NewString(), grant(data, p.ID)), 400, "InvalidCreateRoleAssignmentRequest",
		"Role assignments to Management Groups can not be made to custom role definitions with DataActions")
	w.Need(201, w.ARM("PUT", w.Subscription+assignments+uuid.NewString(), grant(data, p.ID)))
	wantError(t, w.ARM("PUT", root+definitions+uuid.NewString(), role("two", root, map[string]any{"assignableScopes": []string{root, w.Subscription, access.GroupPrefix + w.Tenant}})), 400,
		"InvalidAssignableScopes", "You can define only one management group in AssignableScopes of a custom role.")
}

func TestATenantHasSoManyCustomRoles(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	w.Authorization.Limits.CustomRoles = 2
	first := w.Subscription + definitions + uuid.NewString()
	w.Need(201, w.ARM("PUT", first, role("1", w.Subscription)))
	w.Need(201, w.ARM("PUT", w.Subscription+definitions+uuid.NewString(), role("2", w.Subscription)))
	third := w.Subscription + definitions + uuid.NewString()
	wantError(t, w.ARM("PUT", third, role("3", w.Subscription)), 400, "RoleDefinitionLimitExceeded", "Role definition limit exceeded. No more role definitions can be created.")
	w.Need(201, w.ARM("PUT", first, role("changed", w.Subscription)))
	w.Need(200, w.ARM("DELETE", first, ""))
	w.Need(201, w.ARM("PUT", third, role("3", w.Subscription)))
}
