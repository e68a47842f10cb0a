package conformance

import (
	"slices"
	"testing"
)

func TestTheActivityLogThatTheAzureCLIReadsHasEachWriteAndWhoMadeItAndHowItEnded(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	const account = " -g rg-sample -n aoai-sample"
	s.typed("cognitiveservices account update --tags a=b" + account).ok()
	s.typed("lock create -n keep --lock-type CanNotDelete -g rg-sample").ok()
	s.typed("cognitiveservices account delete" + account).fails("ScopeLocked")
	s.typed("cognitiveservices account keys list" + account).ok()
	s.typed("cognitiveservices account show" + account).ok() // a read, which no activity log has

	type event struct{ Operation, Status, Caller, At string }
	read := func(options string) (events []event) {
		t.Helper()
		s.typed("monitor activity-log list "+options+" --query", "[].{operation: operationName.value, status: status.value, caller: caller, at: resourceId}").json(&events)
		return events
	}
	id := s.scope(sampleAccount)
	want := []event{ // the newest first
		{"Microsoft.CognitiveServices/accounts/listKeys/action", "Succeeded", s.Automation.ClientID, id},
		{"Microsoft.CognitiveServices/accounts/delete", "Failed", s.Automation.ClientID, id},
		{"Microsoft.Authorization/locks/write", "Succeeded", s.Automation.ClientID, s.scope("/providers/Microsoft.Authorization/locks/keep")},
		{"Microsoft.CognitiveServices/accounts/write", "Succeeded", s.Automation.ClientID, id},
	}
	if all := read("--offset 1h"); !slices.Equal(all, want) {
		t.Errorf("the activity log has %+v, want %+v", all, want)
	}
	if failed := read("--status Failed --resource-id " + id); !slices.Equal(failed, want[1:2]) {
		t.Errorf("of the account's failures it has %+v", failed)
	}
	if first := read("-g rg-sample --max-events 1"); !slices.Equal(first, want[:1]) {
		t.Errorf("the newest of the group is %+v", first)
	}
}
