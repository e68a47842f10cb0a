package platform

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Source: azure-docs role-based-access-control/troubleshooting.md.
func TestTheProfileAzureLetsChangesOfRolesWait(t *testing.T) {
	for _, c := range []struct {
		name, profile, config string
		delay                 time.Duration
	}{
		{"without a profile", "", "", 0},
		{"the profile", ProfileAzure, "", azurePropagation},
		{"the profile, configured", ProfileAzure, "propagation: 5s", 5 * time.Second},
		{"the profile, without a delay", ProfileAzure, "propagation: 0s", 0},
		{"a delay without a profile", "", "propagation: 5s", 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ahead atomic.Int64
			start := inAnHour()
			w := worldOn(t, dataDir(t), func(o *Options) {
				o.Now = func() time.Time { return start.Add(time.Duration(ahead.Load())) }
				o.Profile = c.profile
				o.Config = writeConfig(t, c.config)
			})
			owner, a := w.owner(), w.actor("a")
			admin, token := w.token(owner, forARM), w.token(a, forARM)
			may := func() bool { return w.arm(token, http.MethodGet, w.account, "").status == http.StatusOK }
			may() // a question before, so that the write is one after the start
			id := w.group + "/providers/Microsoft.Authorization/roleAssignments/" + uuid.NewString()
			w.must(admin, http.MethodPut, id, fmt.Sprintf(`{"properties":{"roleDefinitionId":"%s/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7","principalId":%q,"principalType":"ServicePrincipal"}}`, w.sub, a.object))
			w.must(admin, http.MethodGet, id, "") // what is read is current
			if got := may(); got != (c.delay == 0) {
				t.Errorf("at once: %v", got)
			}
			ahead.Store(int64(c.delay))
			if !may() {
				t.Errorf("not after %v", c.delay)
			}
			w.must(admin, http.MethodDelete, id, "")
			if got := may(); got != (c.delay > 0) {
				t.Errorf("taken away, at once: %v", got)
			}
			ahead.Store(int64(2 * c.delay))
			if may() {
				t.Errorf("taken away, not after %v", c.delay)
			}
		})
	}
}

// Source: azure-cli role/custom.py, create_deny_assignment; entra-docs
// pim-resource-roles-configure-role-settings.md.
func TestTheProfileAzureTakesWhatAzureTakes(t *testing.T) {
	for _, profile := range []string{"", ProfileAzure} {
		w := worldOn(t, dataDir(t), func(o *Options) { o.Profile = profile })
		token, p := w.token(w.owner(), forARM), w.actor("p").object
		deny := func(parts string) string {
			return fmt.Sprintf(`{"properties":{"denyAssignmentName":%q,%s}}`, uuid.NewString(), parts)
		}
		user := fmt.Sprintf(`,"principals":[{"id":%q,"type":"ServicePrincipal"}]`, p)
		pim := func(kind, expiration, more string) string {
			return fmt.Sprintf(`{"properties":{"requestType":"AdminAssign","principalId":%q,"roleDefinitionId":"%s/providers/Microsoft.Authorization/roleDefinitions/%s","scheduleInfo":{"expiration":%s}%s}}`, p, w.sub, kind, expiration, more)
		}
		const reader, contributor, openAI = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c", "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
		const forever, day = `{"type":"NoExpiration"}`, `{"type":"AfterDuration","duration":"P1D"}`
		for name, c := range map[string]struct {
			kind, body string
			strict     string // the code with the profile; empty: taken
		}{
			"a write":                 {"denyAssignments", deny(`"permissions":[{"actions":["x/write"]}]` + user), ""},
			"a read":                  {"denyAssignments", deny(`"permissions":[{"actions":["x/read"]}]` + user), "InvalidActionOrNotAction"},
			"a data action":           {"denyAssignments", deny(`"permissions":[{"dataActions":["x/write"]}]` + user), "UserAssignedDenyAssignmentPropertiesNotValid"},
			"one scope":               {"denyAssignments", deny(`"doNotApplyToChildScopes":true,"permissions":[{"actions":["x/write"]}]` + user), "UserAssignedDenyAssignmentPropertiesNotValid"},
			"a group":                 {"denyAssignments", deny(fmt.Sprintf(`"permissions":[{"actions":["x/write"]}],"principals":[{"id":%q,"type":"Group"}]`, p)), "UserAssignedDenyAssignmentPropertiesNotValid"},
			"eligible for a day":      {"roleEligibilityScheduleRequests", pim(reader, day, ""), ""},
			"eligible for ever":       {"roleEligibilityScheduleRequests", pim(contributor, forever, ""), "RoleAssignmentRequestPolicyValidationFailed"},
			"active for a day":        {"roleAssignmentScheduleRequests", pim(reader, day, `,"justification":"why"`), ""},
			"active without a reason": {"roleAssignmentScheduleRequests", pim(contributor, day, ""), "RoleAssignmentRequestPolicyValidationFailed"},
			"active for ever":         {"roleAssignmentScheduleRequests", pim(openAI, forever, `,"justification":"why"`), "RoleAssignmentRequestPolicyValidationFailed"},
		} {
			r := w.arm(token, http.MethodPut, w.group+"/providers/Microsoft.Authorization/"+c.kind+"/"+uuid.NewString(), c.body)
			want := c.strict
			if profile == "" {
				want = ""
			}
			if got := r.at("error", "code"); got != want || want == "" && r.status != http.StatusCreated {
				t.Errorf("profile %q: %s: %d %v, want %q", profile, name, r.status, r.body, want)
			}
		}
	}
}
