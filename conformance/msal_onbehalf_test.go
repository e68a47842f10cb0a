package conformance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestAMiddleTierActsOnBehalfOfItsUserWithMSALOnceTheUserConsented(t *testing.T) {
	t.Parallel()
	s := start(t)
	middle := s.website("Middle tier")
	s.graph().do(t, http.MethodPatch, "https://graph.microsoft.com/v1.0/applications/"+middle.id, object{
		"identifierUris": []string{"api://" + middle.app}, "api": object{"oauth2PermissionScopes": []object{{
			"id": "5d1a2b3c-0000-4000-8000-000000000001", "value": "access_as_user", "type": "User", "isEnabled": true,
			"userConsentDisplayName": "Use the middle tier", "userConsentDescription": "As you.",
			"adminConsentDisplayName": "Use the middle tier", "adminConsentDescription": "As its users."}}}}, nil)
	front, _ := s.registration(onDevices("Front"))
	user, _ := s.user(s.browser(pinOfTests(t)).private(), "hanako")

	attend := func(said string) {
		if said == "consent" { // to what the middle tier does, where they sign in to it
			user.opens(middle.entry(""))
			user.says("Hello " + user.name)
			return
		}
		user.opens(said)
	}
	taken := strings.Split(s.attended(attend, []string{"AZURE_TENANT_ID=" + s.TenantID, "FRONT=" + front, "MIDDLE=" + middle.app, "SECRET=" + middle.secret},
		python(t, "openai"), program(t, "signin/onbehalf.py")).line(), "\n")
	want := []string{"for the middle tier", "not consented invalid_grant 65001 consent_required", "on behalf", "as " + user.name, "cached",
		"by another invalid_client 7000215 None", "with its own invalid_grant 500131 None"}
	if !slices.Equal(taken, want) {
		t.Errorf("the steps taken are %q, want %q", taken, want)
	}
}
