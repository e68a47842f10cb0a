package conformance

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAnEligibleMachineMayNothingUntilItActivatesItsRoleAndNothingAfterTheEnd(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	machine := s.vmIdentity(s.arm())
	asMachine := func(args ...string) result {
		t.Helper()
		return s.run([]string{"AZURE_CONFIG_DIR=" + filepath.Join(s.home, "machine"), "AZ_INSTALLER=PIP"},
			append([]string{"--vm", "vm-sample", "--", python(t, "azure-cli"), "-m", "azure.cli"}, args...)...)
	}
	const reader, contributor = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c"
	s.assign(s.arm(), "00000000-0000-0000-0000-000000000041", s.scope(), reader, machine) // az login wants a subscription to see
	asMachine("login", "--identity").ok()

	request := func(kind, name, requestType, duration string) (uri, body string) {
		t.Helper()
		raw, err := json.Marshal(object{"properties": object{"principalId": machine, "requestType": requestType, "justification": "a story",
			"roleDefinitionId": "/subscriptions/" + s.SubscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/" + contributor,
			"scheduleInfo":     object{"expiration": object{"type": "AfterDuration", "duration": duration}}}})
		if err != nil {
			t.Fatal(err)
		}
		return s.scope() + "/providers/Microsoft.Authorization/" + kind + "/" + name + "?api-version=2020-10-01", string(raw)
	}
	write := func() result {
		t.Helper()
		return asMachine("rest", "-m", "patch", "--uri", s.scope(sampleAccount)+"?api-version=2023-05-01", "--body", `{"tags":{"by":"machine"}}`)
	}
	uri, body := request("roleEligibilityScheduleRequests", "00000000-0000-0000-0000-000000000042", "AdminAssign", "P1D")
	var made struct {
		Properties struct{ Status, PrincipalType string }
	}
	s.az("rest", "-m", "put", "--uri", uri, "--body", body).json(&made)
	if made.Properties.Status != "Provisioned" || made.Properties.PrincipalType != "ServicePrincipal" {
		t.Errorf("the request is %+v", made)
	}
	write().fails("AuthorizationFailed")
	var mine struct{ Value []struct{ Name string } }
	asMachine("rest", "--uri", s.scope()+"/providers/Microsoft.Authorization/roleEligibilityScheduleInstances?api-version=2020-10-01&$filter=asTarget()").json(&mine)
	if len(mine.Value) != 1 {
		t.Errorf("the machine is eligible for %+v", mine)
	}

	uri, body = request("roleAssignmentScheduleRequests", "00000000-0000-0000-0000-000000000043", "SelfActivate", "PT9H")
	asMachine("rest", "-m", "put", "--uri", uri, "--body", body).fails("RoleAssignmentRequestPolicyValidationFailed", "ExpirationRule")
	uri, body = request("roleAssignmentScheduleRequests", "00000000-0000-0000-0000-000000000044", "SelfActivate", "PT30S")
	asked := time.Now()
	asMachine("rest", "-m", "put", "--uri", uri, "--body", body).ok()
	if r := write(); r.status != 0 && time.Since(asked) < 30*time.Second {
		t.Errorf("active: %s%s", r.out, r.stderr)
	}
	time.Sleep(time.Until(asked.Add(30 * time.Second)))
	for r := write(); !strings.Contains(r.stderr, "AuthorizationFailed"); r = write() {
		if time.Since(asked) > patience {
			t.Fatalf("after the end: %s%s", r.out, r.stderr)
		}
	}
}
