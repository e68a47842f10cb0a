package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/store"
)

func sortedWords(words []string) string {
	slices.Sort(words)
	return strings.Join(words, " ")
}

// answers are the parts of a batch's reply by id.
func (r response) answers(t *testing.T) map[string]answer {
	t.Helper()
	var body struct {
		Responses []answer `json:"responses"`
	}
	if err := json.Unmarshal(r.Body.Bytes(), &body); err != nil || r.Code != 200 {
		t.Fatalf("%d %s", r.Code, r.Body)
	}
	all := map[string]answer{}
	for _, a := range body.Responses {
		all[a.ID] = a
	}
	if len(all) != len(body.Responses) {
		t.Errorf("%d answers with %d ids", len(body.Responses), len(all))
	}
	return all
}

// Source: microsoft-graph-docs-contrib concepts/json-batching.md.
func TestEachPartOfABatchIsDecidedByItself(t *testing.T) {
	s := newPeople(t)
	s.audit = nil
	r := s.as(mia, asUser, "POST", "/$batch", `{"requests":[
		{"id":"1","method":"GET","url":"/me?$select=id"},
		{"id":"2","method":"DELETE","url":"groups/`+group+`"},
		{"id":"3","method":"GET","url":"/users/$count?$filter=displayName eq 'mia'","headers":{"ConsistencyLevel":"eventual"}},
		{"id":"4","method":"POST","url":"/groups","headers":{"Content-Type":"application/json"},"body":`+someGroup+`},
		{"id":"5","method":"GET","url":"/nothing"},
		{"id":"6","method":"GET","url":"/me","headers":{"Authorization":"Bearer user `+ada+` `+asUser+`"}},
		{"id":"7","method":"POST","url":"/$batch","headers":{"Content-Type":"application/json"},"body":{"requests":[{"id":"1","method":"GET","url":"/me"}]}},
		{"id":"8","method":"POST","url":"/groups","body":`+someGroup+`},
		{"id":"9","method":"GET","url":"https://management.azure.com/subscriptions"},
		{"id":"10","method":"PATCH","url":"/me","headers":{"content-type":"application/json"},"body":{"mobilePhone":"1"}}]}`)
	all := r.answers(t)
	want := map[string]int{"1": 200, "2": 403, "3": 200, "4": 201, "5": 400, "6": 200, "7": 400, "8": 400, "9": 400, "10": 204}
	for id, status := range want {
		if all[id].Status != status {
			t.Errorf("%s: %d %s, want %d", id, all[id].Status, all[id].Body, status)
		}
	}
	if string(all["3"].Body) != `"MQ=="` || all["10"].Body != nil {
		t.Errorf("bodies: %s, %s", all["3"].Body, all["10"].Body)
	}
	if !strings.Contains(string(all["6"].Body), mia) { // the token of the batch, whatever a part says
		t.Errorf("another token: %s", all["6"].Body)
	}
	if !strings.Contains(string(all["2"].Body), `"code":"Authorization_RequestDenied"`) || all["2"].Headers["Content-Type"] == "" {
		t.Errorf("refused: %+v %s", all["2"].Headers, all["2"].Body)
	}
	var audited []string
	for _, e := range s.audit {
		audited = append(audited, fmt.Sprint(e.Operation, " ", e.Decision))
	}
	for _, one := range []string{"batch " + string(store.Allowed), "me_Get " + string(store.Allowed), "groups_Delete " + string(store.Refused), "groups_Create " + string(store.Allowed)} {
		if !slices.Contains(audited, one) {
			t.Errorf("the audit lacks %q: %v", one, audited)
		}
	}
}

func TestPartsWaitForEachOther(t *testing.T) {
	s := newPeople(t)
	r := s.as(ada, asUser, "POST", "/$batch", `{"requests":[
		{"id":"c","dependsOn":["B"],"method":"GET","url":"/me"},
		{"id":"b","dependsOn":["a"],"method":"GET","url":"/users/`+theirs+`"},
		{"id":"a","method":"PATCH","url":"/users/`+joe+`","headers":{"Content-Type":"application/json"},"body":{"jobTitle":"First"}},
		{"id":"d","dependsOn":["a"],"method":"GET","url":"/users/`+joe+`?$select=jobTitle"}]}`)
	all := r.answers(t)
	if all["a"].Status != 204 || all["b"].Status != 404 || all["c"].Status != http.StatusFailedDependency || !strings.Contains(string(all["d"].Body), "First") {
		t.Errorf("%s", r.Body)
	}
}

func TestBatchesThatAreRefused(t *testing.T) {
	s := newPeople(t)
	part := func(id, more string) string { return `{"id":"` + id + `","method":"GET","url":"/me"` + more + `}` }
	var many []string
	for i := range maxBatch + 1 {
		many = append(many, part(fmt.Sprint(i), ""))
	}
	for name, body := range map[string]string{
		"no JSON":        "x",
		"none":           `{"requests":[]}`,
		"too many":       `{"requests":[` + strings.Join(many, ",") + `]}`,
		"one id twice":   `{"requests":[` + part("a", "") + `,` + part("A", "") + `]}`,
		"no id":          `{"requests":[` + part("", "") + `]}`,
		"no method":      `{"requests":[{"id":"1","url":"/me"}]}`,
		"an unknown one": `{"requests":[` + part("a", `,"dependsOn":["b"]`) + `]}`,
		"itself":         `{"requests":[` + part("a", `,"dependsOn":["a"]`) + `]}`,
		"a ring":         `{"requests":[` + part("a", `,"dependsOn":["b"]`) + `,` + part("b", `,"dependsOn":["a"]`) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, s.as(mia, asUser, "POST", "/$batch", body), 400, "BadRequest", "Invalid batch payload format")
		})
	}
	// Nothing of a batch that is refused is done.
	before := s.everything()
	ring := `{"requests":[{"id":"0","method":"POST","url":"/groups","headers":{"Content-Type":"application/json"},"body":` + someGroup + `},` + part("a", `,"dependsOn":["b"]`) + `,` + part("b", `,"dependsOn":["a"]`) + `]}`
	if wantError(t, s.as(mia, asUser, "POST", "/$batch", ring), 400, "BadRequest", "wait for each other"); s.everything() != before {
		t.Error("a part of it was done")
	}
	wantError(t, s.do(request{method: "POST", path: "/$batch", body: `{"requests":[` + part("a", "") + `]}`}), 401, "InvalidAuthenticationToken", "")
}

// No part of a batch reaches past Microsoft Graph's version, or has another
// token than the batch.
func FuzzPart(f *testing.F) {
	for _, seed := range []string{"/me", "me?$select=id", "//evil.example/x", "https://evil.example/", "/../oidc/userinfo", "/%2e%2e/x", "/me#x", "/me?a b", "/%zz", ""} {
		f.Add(seed, "Authorization")
	}
	batch, err := http.NewRequest(http.MethodPost, "https://graph.microsoft.com/v1.0/$batch", nil)
	if err != nil {
		f.Fatal(err)
	}
	batch.Header.Set("Authorization", "Bearer t")
	f.Fuzz(func(t *testing.T, text, header string) {
		r, problem := part{ID: "1", Method: "get", URL: text, Headers: map[string]string{header: "Bearer other"}}.request(batch)
		if problem != "" {
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/v1.0/") || r.URL.Host != "" || r.Host != "graph.microsoft.com" || len(r.Header.Values("Authorization")) != 1 || r.Header.Get("Authorization") != "Bearer t" {
			t.Errorf("%q: %s %s %v", text, r.Host, r.URL, r.Header)
		}
	})
}
