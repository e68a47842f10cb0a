package conformance

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// auditRecord is a line of `sekisho audit --json`.
type auditRecord struct {
	Time                                                          time.Time
	Service, Operation, Decision, Reason, Cause, Action, Scope    string
	Principal, PrincipalName, App, Credential, Role, Path, Remote string
	Data                                                          bool
}

// audit reads the audit log of the instance that runs: without --data it is found.
func (s *sekisho) audit(args ...string) (records []auditRecord) {
	s.t.Helper()
	for line := range strings.Lines(s.cli(append([]string{"audit", "--json"}, args...)...).ok()) {
		var r auditRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			s.t.Fatalf("%v in %q", err, line)
		}
		records = append(records, r)
	}
	return records
}

func TestTheAuditTellsWhoWasAllowedByWhichRoleAndWhoWasRefusedAndWhy(t *testing.T) {
	t.Parallel()
	s := start(t)
	const chatURL = "https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21"
	chatAction := "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
	question := object{"messages": []object{{"role": "user", "content": "Who are you?"}}}

	admin := s.arm()
	key, _ := s.keys(admin)
	withKey := s.chatWithKey()
	withKey(key)
	withKey("wrong-" + key)
	data := s.caller("https://cognitiveservices.azure.com/.default")
	if status, _, err := data.call(t.Context(), http.MethodPost, chatURL, question); err != nil || status != 401 {
		t.Fatalf("a token without a role: %d %v", status, err)
	}
	middle := time.Now()
	s.assign(admin, "00000000-0000-0000-0000-000000000004", s.scope(), roleOpenAIUser, s.Automation.ObjectID)
	data.do(t, http.MethodPost, chatURL, question, nil)

	var calls []auditRecord
	for _, r := range s.audit() {
		if r.Service == "openai" {
			calls = append(calls, r)
		}
	}
	if len(calls) != 4 {
		t.Fatalf("records of the data plane: %+v", calls)
	}
	allowedKey, wrongKey, denied, allowed := calls[0], calls[1], calls[2], calls[3]
	if r := allowedKey; r.Decision != "Allowed" || r.PrincipalName != "key1" || r.Action != chatAction || !r.Data {
		t.Errorf("with key 1: %+v", r)
	}
	if r := wrongKey; r.Decision != "Refused" || r.Reason != "InvalidKey" {
		t.Errorf("with a wrong key: %+v", r)
	}
	if r := denied; r.Decision != "Refused" || r.Reason != "NotPermitted" || r.Cause == "" || r.Principal != s.Automation.ObjectID ||
		r.App != s.Automation.ClientID || r.Action != chatAction || r.Scope != s.scope(sampleAccount) || r.Role != "" {
		t.Errorf("without a role: %+v", r)
	}
	if r := allowed; r.Decision != "Allowed" || r.Role != "Cognitive Services OpenAI User" || r.Principal != s.Automation.ObjectID {
		t.Errorf("with a role: %+v", r)
	}

	if got := s.audit("--denied"); !slices.Equal(got, []auditRecord{wrongKey, denied}) {
		t.Errorf("--denied: %+v", got)
	}
	byObject := s.audit("--principal", s.Automation.ObjectID)
	for _, r := range byObject {
		if r.Principal != s.Automation.ObjectID {
			t.Errorf("--principal OBJECT: %+v", r)
		}
	}
	if !slices.Contains(byObject, denied) || !slices.Contains(byObject, allowed) || slices.Contains(byObject, wrongKey) {
		t.Errorf("--principal OBJECT: %+v", byObject)
	}
	if got := s.audit("--principal", strings.ToUpper(s.Automation.ClientID), "--denied"); !slices.Equal(got, []auditRecord{denied}) {
		t.Errorf("--principal APPLICATION --denied: %+v", got)
	}
	since := s.audit("--since", middle.Format(time.RFC3339Nano))
	if !slices.Contains(since, allowed) || slices.Contains(since, denied) {
		t.Errorf("--since the middle: %+v", since)
	}
	if hour := s.audit("--since", "1h"); len(hour) != len(s.audit()) {
		t.Errorf("--since 1h: %d records", len(hour))
	}
	s.cli("audit", "--since", "yesterday").fails("yesterday", "90m")

	table := s.cli("audit").ok()
	for _, words := range []string{"TIME", "DECISION", "Refused", "InvalidKey", "Cognitive Services OpenAI User"} {
		if !strings.Contains(table, words) {
			t.Errorf("the table has no %q:\n%s", words, table)
		}
	}
	// What was sent in secret stays so, in the audit and in the log.
	raw := s.cli("audit", "--json").ok() + s.process.log.String()
	for name, secret := range map[string]string{"the key": key, "the client secret": s.Automation.ClientSecret, "a token": data.token, "a token's signature": data.token[strings.LastIndex(data.token, ".")+1:]} {
		if strings.Contains(raw, secret) {
			t.Errorf("the audit or the log holds %s", name)
		}
	}
}
