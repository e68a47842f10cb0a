package conformance

// The ways of asking that the agreement story compares.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	checkaccess "github.com/Azure/checkaccess-v2-go-sdk/client"
)

func (a *agreement) each(asked []probe, way func(probe) string) (answers []string) {
	for _, q := range asked {
		answers = append(answers, way(q))
	}
	return answers
}

// sekisho runs a command of sekisho's.
func (a *agreement) sekisho(args ...string) string {
	a.t.Helper()
	return (&sekisho{t: a.t, home: a.home}).cli(args...).ok()
}

func (a *agreement) batch(asked []probe, from ...string) (answers []string) {
	a.t.Helper()
	var lines bytes.Buffer
	for _, q := range asked {
		raw, err := json.Marshal(object{"principal": q.by.id, "action": q.call.action, "dataAction": q.call.data, "scope": q.scope})
		if err != nil {
			a.t.Fatal(err)
		}
		lines.Write(append(raw, '\n'))
	}
	file := filepath.Join(a.home, "questions.jsonl")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		a.t.Fatal(err)
	}
	for line := range strings.Lines(a.sekisho(append([]string{"rbac", "check", "--batch", file}, from...)...)) {
		var one struct{ Decision string }
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			a.t.Fatalf("%s: %v", line, err)
		}
		answers = append(answers, one.Decision)
	}
	if len(answers) != len(asked) {
		a.t.Fatalf("%d answers to %d questions", len(answers), len(asked))
	}
	return answers
}

// checkAccess1 asks as guard does, at the resource and with the groups that it
// has read from a token: without them this version asks for the principal alone.
func (a *agreement) checkAccess1(q probe) string {
	a.t.Helper()
	var answer []struct{ AccessDecision string }
	raw := a.must(http.MethodPost, q.scope+"/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview", object{
		"Subject": object{"Attributes": object{"ObjectId": q.by.id, "Groups": q.by.in}}, "Resource": object{"Id": q.scope},
		"Actions": []object{{"Id": q.call.action, "IsDataAction": q.call.data}}})
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer) != 1 {
		a.t.Fatalf("checkAccess v1: %s %v", raw, err)
	}
	return answer[0].AccessDecision
}

func (a *agreement) checkAccess2(q probe) string {
	a.t.Helper()
	got, err := a.pdp.CheckAccess(a.t.Context(), checkaccess.AuthorizationRequest{
		Subject: checkaccess.SubjectInfo{Attributes: checkaccess.SubjectAttributes{ObjectId: q.by.id, ClaimName: checkaccess.GroupExpansion}},
		Actions: []checkaccess.ActionInfo{{Id: q.call.action, IsDataAction: q.call.data}}, Resource: checkaccess.ResourceInfo{Id: q.scope}})
	if err != nil || len(got.Value) != 1 {
		a.t.Fatalf("checkAccess v2: %+v %v", got, err)
	}
	return string(got.Value[0].AccessDecision)
}

// unasked is the answer of a user, who cannot sign in without a browser.
const unasked = "unasked"

// really makes the call with the principal's token. Azure OpenAI refuses what is
// denied with the code of what is not allowed, and names the deny assignment in
// Sekisho's own innererror alone.
func (a *agreement) really(q probe) string {
	a.t.Helper()
	if q.by.tokens == nil {
		return unasked
	}
	at := q.scope
	if q.call.data {
		at = "https://" + q.scope[strings.LastIndexByte(q.scope, '/')+1:] + ".openai.azure.com"
	}
	status, answer := a.call(q.by.tokens[q.call.data], q.call.method, at+q.call.path, q.call.body)
	var reply struct {
		Error struct {
			Code       string
			InnerError json.RawMessage
		}
	}
	if status/100 == 2 {
		return "Allowed"
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		a.t.Fatalf("%d %s: %v", status, answer, err)
	}
	switch code := reply.Error.Code; {
	case status == http.StatusForbidden && code == "AuthorizationFailed":
		return "NotAllowed"
	case status == http.StatusForbidden && code == "DenyAssignmentAuthorizationFailed":
		return "Denied"
	case status == http.StatusUnauthorized && code == "PermissionDenied" && strings.Contains(string(reply.Error.InnerError), "Drawn"):
		return "Denied"
	case status == http.StatusUnauthorized && code == "PermissionDenied":
		return "NotAllowed"
	}
	return fmt.Sprintf("%d %s", status, answer)
}
