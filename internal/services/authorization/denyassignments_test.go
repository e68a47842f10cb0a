package authorization_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const denies = "/providers/Microsoft.Authorization/denyAssignments/"

// deny is the body of a deny assignment; parts are members of properties.
func deny(name string, parts ...string) string {
	return fmt.Sprintf(`{"properties":{"denyAssignmentName":%q,%s}}`, name, strings.Join(parts, ","))
}

func denied(actions ...string) string {
	return fmt.Sprintf(`"permissions":[{"actions":["%s"]}]`, strings.Join(actions, `","`))
}

func toSP(id string) string {
	return fmt.Sprintf(`"principals":[{"id":%q,"type":"ServicePrincipal"}]`, id)
}

func toEveryoneBut(id string) string {
	return fmt.Sprintf(`"principals":[{"id":%q,"type":"SystemDefined"}],"excludePrincipals":[{"id":%q,"type":"ServicePrincipal"}]`, rbac.Everyone, id)
}

// Source: deny-assignments.md: a deny assignment blocks even if a role grants.
func TestADenyAssignmentComesBeforeAnyRole(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	second := w.Principal("second")
	w.Grant(second.ID, servicetest.Owner, w.Subscription)
	name := uuid.NewString()
	id := group + denies + name
	r := w.Need(http.StatusCreated, w.ARM("PUT", id, deny("No changes", denied("Microsoft.CognitiveServices/accounts/write", "*/delete"), toEveryoneBut(second.ID))))
	if r.Get("id") != id || r.Get("properties", "scope") != group || r.Get("properties", "denyAssignmentEffect") != "enforced" ||
		r.Get("properties", "isSystemProtected") != false || r.Get("properties", "createdBy") != w.Owner.ID {
		t.Errorf("PUT printed %s", r.Body)
	}

	r = w.ARM("PATCH", account, `{"tags":{"a":"b"}}`)
	want := fmt.Sprintf("The client '%s' with object id '%s' has permission to perform action 'Microsoft.CognitiveServices/accounts/write' on scope '%s'; however, the access is denied because of the deny assignment with name 'No changes' and Id '%s' at scope '%s'.",
		w.Owner.AppID, w.Owner.ID, account, strings.ReplaceAll(name, "-", ""), group)
	if r.Status != http.StatusForbidden || r.Code() != "DenyAssignmentAuthorizationFailed" || r.Message() != want {
		t.Errorf("a denied write: %d %s, want %s", r.Status, r.Body, want)
	}
	if inner := r.Get("error", "innererror").(map[string]any); inner["smallestRole"] != nil || r.Get("error", "innererror", "denyAssignment", "id") != id ||
		r.Get("error", "innererror", "denyAssignment", "name") != "No changes" || r.Get("error", "innererror", "denyAssignment", "scope") != group {
		t.Errorf("innererror: %v", inner)
	}
	w.Need(http.StatusOK, w.ARM("GET", account, ""))
	w.Need(http.StatusOK, w.ARMAs(second, "PATCH", account, `{"tags":{"a":"b"}}`))
	// A user's own deny assignment never keeps itself, whatever it denies.
	w.Need(http.StatusOK, w.ARM("DELETE", id, ""))
	w.Need(http.StatusOK, w.ARM("PATCH", account, `{"tags":{"a":"c"}}`))
	w.Need(http.StatusNoContent, w.ARM("DELETE", id, ""))
	if r := w.ARM("GET", id, ""); r.Status != http.StatusNotFound || r.Code() != "DenyAssignmentNotFound" {
		t.Errorf("GET of none: %d %s", r.Status, r.Body)
	}
}

func TestADenyAssignmentReachesTheDataPlane(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "acc")
	w.Deploy(account, "d", "gpt-4o")
	user := w.Principal("user")
	w.Grant(user.ID, servicetest.OpenAIUser, account)
	chat := func() servicetest.Reply {
		return w.Do(servicetest.Request{Method: "POST", URL: "https://acc.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
			Body: `{"messages":[{"role":"user","content":"hi"}]}`, As: &user})
	}
	w.Need(http.StatusOK, chat())
	id := account + denies + uuid.NewString()
	permissions := `"permissions":[{"dataActions":["Microsoft.CognitiveServices/accounts/OpenAI/*"],"notDataActions":[]}]`
	w.Need(http.StatusCreated, w.ARM("PUT", id, deny("No chat", permissions, toSP(user.ID))))
	r := chat()
	if r.Status != http.StatusUnauthorized || r.Code() != "PermissionDenied" || r.Get("error", "innererror", "denyAssignment", "id") != id ||
		!strings.Contains(r.Body, "No chat") || r.Get("error", "innererror", "smallestRole") != nil {
		t.Errorf("a denied call: %d %s", r.Status, r.Body)
	}
	audit := deny("No chat", permissions, toSP(user.ID), `"denyAssignmentEffect":"Audit"`)
	w.Need(http.StatusOK, w.ARM("PUT", id, audit))
	w.Need(http.StatusOK, chat())
}

func TestWhatADenyAssignmentReaches(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	p := w.Principal("p")
	w.Grant(p.ID, servicetest.Owner, w.Subscription)
	team := w.Group("team", p.ID)
	write := denied("Microsoft.CognitiveServices/accounts/write", "Microsoft.Resources/subscriptions/resourceGroups/write")
	for name, c := range map[string]struct {
		scope        string
		parts        []string
		group, below bool // whether it denies there
	}{
		"its scope and below":       {group, []string{write, toSP(p.ID)}, true, true},
		"from above":                {w.Subscription, []string{write, toSP(p.ID)}, true, true},
		"its scope only":            {group, []string{write, toSP(p.ID), `"doNotApplyToChildScopes":true`}, true, false},
		"another principal":         {group, []string{write, toSP(uuid.NewString())}, false, false},
		"its group":                 {group, []string{write, fmt.Sprintf(`"principals":[{"id":%q,"type":"Group"}]`, team)}, true, true},
		"everyone but its group":    {group, []string{write, fmt.Sprintf(`"principals":[{"id":%q,"type":"SystemDefined"}],"excludePrincipals":[{"id":%q,"type":"Group"}]`, rbac.Everyone, team)}, false, false},
		"less notActions":           {group, []string{`"permissions":[{"actions":["*"],"notActions":["Microsoft.CognitiveServices/*"]}]`, toSP(p.ID)}, true, false},
		"another plane":             {group, []string{`"permissions":[{"dataActions":["*"]}]`, toSP(p.ID)}, false, false},
		"a condition that is false": {group, []string{write, toSP(p.ID), `"condition":"@Environment[isPrivateLink] BoolEquals true","conditionVersion":"2.0"`}, false, false},
		"a condition that is true":  {group, []string{write, toSP(p.ID), `"condition":"@Environment[isPrivateLink] BoolEquals false","conditionVersion":"2.0"`}, true, true},
		"audit":                     {group, []string{write, toSP(p.ID), `"denyAssignmentEffect":"audit"`}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			id := c.scope + denies + uuid.NewString()
			w.Need(http.StatusCreated, w.ARM("PUT", id, deny(name, c.parts...)))
			for scope, want := range map[string]bool{group: c.group, account: c.below} {
				if r := w.ARMAs(p, "PATCH", scope, `{"tags":{"a":"b"}}`); (r.Code() == "DenyAssignmentAuthorizationFailed") != want || !want && r.Status != http.StatusOK {
					t.Errorf("%s: %d %s", scope, r.Status, r.Body)
				}
			}
			w.Need(http.StatusOK, w.ARM("DELETE", id, ""))
		})
	}
}

func TestBadDenyAssignments(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	p := uuid.NewString()
	const invalid = "UserAssignedDenyAssignmentPropertiesNotValid"
	ok := []string{denied("*/delete"), toSP(p)}
	for name, c := range map[string]struct{ body, code string }{
		"no properties":         {`{}`, "InvalidRequestContent"},
		"no name":               {deny("", ok...), invalid},
		"no permissions":        {deny("d", toSP(p)), invalid},
		"no action":             {deny("d", `"permissions":[{"notActions":["x"]}]`, toSP(p)), invalid},
		"no principals":         {deny("d", denied("*/delete")), invalid},
		"system protected":      {deny("d", append(ok, `"isSystemProtected":true`)...), invalid},
		"an effect":             {deny("d", append(ok, `"denyAssignmentEffect":"maybe"`)...), invalid},
		"everyone":              {deny("d", denied("*/delete"), fmt.Sprintf(`"principals":[{"id":%q,"type":"SystemDefined"}]`, rbac.Everyone)), invalid},
		"everyone as a user":    {deny("d", denied("*/delete"), fmt.Sprintf(`"principals":[{"id":%q,"type":"User"}]`, rbac.Everyone)), invalid},
		"everyone left out":     {deny("d", denied("*/delete"), toSP(p), fmt.Sprintf(`"excludePrincipals":[{"id":%q,"type":"SystemDefined"}]`, rbac.Everyone)), invalid},
		"a principal's id":      {deny("d", denied("*/delete"), toSP("someone")), invalid},
		"a principal's type":    {deny("d", denied("*/delete"), fmt.Sprintf(`"principals":[{"id":%q,"type":"Robot"}]`, p)), invalid},
		"its own removal":       {deny("d", denied("microsoft.authorization/denyAssignments/delete"), toSP(p)), "InvalidActionOrNotAction"},
		"a condition":           {deny("d", append(ok, `"condition":"@Resource[a] Equals","conditionVersion":"2.0"`)...), "InvalidRoleAssignmentCondition"},
		"a condition's version": {deny("d", append(ok, `"condition":"@Resource[a] StringEquals 'b'","conditionVersion":"1.0"`)...), "InvalidRoleAssignmentCondition"},
		"JSON":                  {`{"properties":`, "InvalidRequestContent"},
	} {
		if r := w.ARM("PUT", group+denies+uuid.NewString(), c.body); r.Status != http.StatusBadRequest || r.Code() != c.code {
			t.Errorf("%s: %d %s, want %s", name, r.Status, r.Body, c.code)
		}
	}
	if r := w.ARM("PUT", group+denies+"name", deny("d", ok...)); r.Code() != "InvalidDenyAssignmentId" {
		t.Errorf("an id that is no GUID: %s", r.Body)
	}
	if r := w.ARM("PUT", w.Subscription+"/resourceGroups/none"+denies+uuid.NewString(), deny("d", ok...)); r.Status != http.StatusNotFound {
		t.Errorf("at no scope: %d %s", r.Status, r.Body)
	}
	w.Need(http.StatusCreated, w.ARM("PUT", group+denies+uuid.NewString(), deny("Unique", ok...)))
	if r := w.ARM("PUT", group+denies+uuid.NewString(), deny("unique", ok...)); r.Status != http.StatusConflict {
		t.Errorf("the name again: %d %s", r.Status, r.Body)
	}
	w.Need(http.StatusCreated, w.ARM("PUT", w.Subscription+denies+uuid.NewString(), deny("Unique", ok...)))
	reader := w.Principal("reader")
	w.Grant(reader.ID, servicetest.Contributor, w.Subscription)
	if r := w.ARMAs(reader, "PUT", group+denies+uuid.NewString(), deny("d", ok...)); r.Code() != "AuthorizationFailed" {
		t.Errorf("by a Contributor: %s", r.Body)
	}
}

// Source: contract 2022-04-01, isSystemProtected.
func TestWhatAzureDeniesNobodyTakesAway(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	name := uuid.NewString()
	d := access.DenyAssignment{ID: group + denies + name, Name: name, Title: "managed", Scope: group, SystemProtected: true, Effect: access.Enforced,
		Permissions: []rbac.Permission{{Actions: []string{"Microsoft.Resources/subscriptions/resourceGroups/write"}}},
		Principals:  []access.DenyPrincipal{{ID: rbac.Everyone, Type: "SystemDefined"}}, CreatedOn: time.Now()}
	w.Update(func(tx *store.Tx) error { return access.PutDeny(tx, w.Tenant, d) })
	for _, method := range []string{"PUT", "DELETE"} {
		if r := w.ARM(method, d.ID, deny("managed", denied("*/delete"), toSP(uuid.NewString()))); r.Status != http.StatusForbidden || r.Code() != "DenyAssignmentIsSystemProtected" {
			t.Errorf("%s: %d %s", method, r.Status, r.Body)
		}
	}
	if r := w.ARM("PATCH", group, `{"tags":{}}`); r.Code() != "DenyAssignmentAuthorizationFailed" {
		t.Errorf("a write: %d %s", r.Status, r.Body)
	}
	// It goes with its scope.
	if r := w.ARM("DELETE", group, ""); r.Status >= 300 {
		t.Fatalf("the group: %d %s", r.Status, r.Body)
	}
	w.MakeGroup("rg")
	w.Need(http.StatusOK, w.ARM("PATCH", group, `{"tags":{}}`))
}

func TestListingDenyAssignments(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group, other := w.MakeGroup("rg"), w.MakeGroup("other")
	account := w.MakeAccount(group, "acc")
	p, q := uuid.NewString(), uuid.NewString()
	team := w.Group("team", q)
	make := func(scope, title string, parts ...string) string {
		name := uuid.NewString()
		w.Need(http.StatusCreated, w.ARM("PUT", scope+denies+name, deny(title, append(parts, denied("x/delete"))...)))
		return name
	}
	above := make(w.Subscription, "above", toSP(p))
	here := make(group, "here", toEveryoneBut(p))
	below := make(account, "below", fmt.Sprintf(`"principals":[{"id":%q,"type":"Group"}]`, team))
	make(other, "elsewhere", toSP(p))
	for filter, want := range map[string][]string{
		"":                              {above, here, below},
		"atScope()":                     {above, here},
		"principalId eq '" + p + "'":    {above},
		"principalId eq '" + team + "'": {below},
		"assignedTo('" + q + "')":       {below},
		"atScope() and principalId eq '" + team + "'": {},
		"denyAssignmentName eq 'Here'":                {here},
		"denyAssignmentName eq 'above'":               {},
	} {
		r := w.Need(http.StatusOK, w.ARM("GET", group+denies+"?$filter="+filter, ""))
		got := r.Names()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
	}
	r := w.Need(http.StatusOK, w.ARM("GET", group+denies+"?$filter=gdprExportPrincipalId eq '"+p+"'", ""))
	list := r.Get("value").([]any)
	if len(list) != 2 || strings.Contains(r.Body, "principals") || !strings.Contains(r.Body, `"denyAssignmentName":"here"`) || !strings.Contains(r.Body, `"denyAssignmentName":"above"`) {
		t.Errorf("the export: %s", r.Body)
	}
	for _, filter := range []string{"asTarget()", "color eq 'red'", "principalId"} {
		if r := w.ARM("GET", group+denies+"?$filter="+filter, ""); r.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", filter, r.Status, r.Body)
		}
	}
}
