package ask

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/export"
)

const (
	sub     = "/subscriptions/5b000000-0000-0000-0000-000000000001"
	group   = sub + "/resourceGroups/rg-ai"
	account = group + "/providers/Microsoft.CognitiveServices/accounts/aoai"
	chat    = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
	remove  = "Microsoft.CognitiveServices/accounts/delete"
	blobs   = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
	named   = "Microsoft.Storage/storageAccounts/blobServices/containers:name"
	ann     = "a0000000-0000-0000-0000-000000000001"
	bob     = "a0000000-0000-0000-0000-000000000002"
	owner   = "c0000000-0000-0000-0000-000000000002"
)

func contoso(t testing.TB) *World {
	t.Helper()
	e, err := export.Read(os.DirFS("../../rbac/export/testdata/contoso"))
	if err != nil {
		t.Fatal(err)
	}
	return New(e)
}

// under is a world in which ann reads blobs under a condition.
func under(text string) *World {
	return New(export.New(rbac.World{Assignments: []rbac.RoleAssignment{
		{ID: "a", Scope: sub, Principal: ann, RoleDefinition: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", Condition: text}}}))
}

func ask(principal, action string, data bool, scope, more string) string {
	return fmt.Sprintf(`{"principal":%q,"action":%q,"dataAction":%v,"scope":%q%s}`, principal, action, data, scope, more)
}

type answerLine struct{ Decision, Assignment, Role, Deny, Why, Error string }

func batch(t testing.TB, w *World, why bool, lines ...string) ([]answerLine, BatchResult) {
	t.Helper()
	var out bytes.Buffer
	result, err := w.Batch(strings.NewReader(strings.Join(lines, "\n")+"\n"), &out, why)
	if err != nil {
		t.Fatal(err)
	}
	var all []answerLine
	for line := range strings.Lines(out.String()) {
		var a answerLine
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, a)
	}
	return all, result
}

func TestBatchGivesEveryDecision(t *testing.T) {
	w := contoso(t)
	lines := []string{
		ask(ann, chat, true, account, ""),
		ask(ann, chat, false, account, ""),
		ask(bob, blobs, true, group, `,"attributes":{"Resource":{"`+named+`":"manuals"}}`),
		ask(bob, blobs, true, group, `,"attributes":{"Resource":{"`+named+`":"other"}}`),
		ask(owner, remove, false, account, ""),
		ask(bob, remove, false, account, ""),
		strings.ToUpper(ann) + " is no JSON",
	}
	got, result := batch(t, w, false, lines...)
	assignments := "/providers/Microsoft.Authorization/roleAssignments/10000000-0000-0000-0000-00000000000"
	denial := group + "/providers/Microsoft.Authorization/denyAssignments/d0000000-0000-0000-0000-000000000001"
	taken := "the deny assignment Nobody deletes accounts at " + group + " takes this action away"
	want := []answerLine{
		{Decision: "Allowed", Assignment: account + assignments + "1", Role: "Cognitive Services OpenAI User"},
		{Decision: "NotAllowed"},
		{Decision: "Allowed", Assignment: group + assignments + "2", Role: "Storage Blob Data Reader"},
		{Decision: "NotAllowed"},
		{Decision: "Denied", Deny: denial, Why: taken},
		{Decision: "Denied", Deny: denial, Why: taken},
		{Error: "line 7: invalid character 'A' looking for beginning of value"},
	}
	if !reflect.DeepEqual(got, want) || result != (BatchResult{7, 1}) {
		t.Errorf("%+v\ngot  %+v\nwant %+v", result, got, want)
	}
	got, _ = batch(t, w, true, lines[3])
	if !strings.Contains(got[0].Why, "the group Readers of manuals, which the principal is in,") || got[0].Decision != "NotAllowed" {
		t.Errorf("with why: %+v", got)
	}
}

// Attribute names are written as a condition writes them, in any case, and a
// value may have any of the types that conditions compare.
func TestBatchAttributes(t *testing.T) {
	for _, tt := range []struct {
		condition, more string
		want            string
	}{
		{"@Request[x/y:limit] NumericLessThan 10", `"attributes":{"Request":{"X/Y:Limit":9}}`, "Allowed"},
		{"@Request[x/y:limit] NumericLessThan 10", `"attributes":{"Request":{"x/y:limit":9.5}}`, "NotAllowed"},
		{"@Request[x/y:limit] NumericLessThan 10", `"attributes":{"Request":{"x/y:limit":"9"}}`, "NotAllowed"},
		{"@Environment[isPrivateLink] BoolEquals true", `"attributes":{"Environment":{"isPrivateLink":true}}`, "Allowed"},
		{"@Environment[isPrivateLink] BoolEquals true", `"attributes":{"Environment":{"isPrivateLink":false}}`, "NotAllowed"},
		{"@Environment[isPrivateLink] BoolEquals true", `"attributes":{"Environment":{"isPrivateLink":null}}`, "NotAllowed"},
		{"@Environment[UtcNow] DateTimeGreaterThan '2026-01-01T00:00:00.0Z'", `"attributes":{"Environment":{"UtcNow":"2026-02-01T00:00:00Z"}}`, "Allowed"},
		{"@Environment[UtcNow] DateTimeGreaterThan '2026-01-01T00:00:00.0Z'", `"attributes":{"Environment":{"UtcNow":"2025-02-01T00:00:00.1234567Z"}}`, "NotAllowed"},
		{"@Environment[UtcNow] DateTimeLessThan '2020-01-01T00:00:00.0Z'", `"time":"2019-01-01T00:00:00Z"`, "Allowed"},
		{"@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Work_Project] ForAnyOfAnyValues:StringEquals {'a','b'}",
			`"attributes":{"Principal":{"Microsoft.Directory/CustomSecurityAttributes/Id:Work_Project":["z","b"]}}`, "Allowed"},
		{"@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Work_Project] ForAnyOfAnyValues:StringEquals {'a','b'}",
			`"attributes":{"Principal":{"Microsoft.Directory/CustomSecurityAttributes/Id:Work_Project":[]}}`, "NotAllowed"},
		{"@Resource[x/blobs/tags:Project<$key_case_sensitive$>] StringEquals 'p'", `"attributes":{"Resource":{"X/blobs/tags:Project<$key_case_sensitive$>":"p"}}`, "Allowed"},
		{"@Resource[x/blobs/tags:Project<$key_case_sensitive$>] StringEquals 'p'", `"attributes":{"Resource":{"x/blobs/tags:project<$key_case_sensitive$>":"p"}}`, "NotAllowed"},
		{"@Request[x:role] GuidEquals 8e3af657-a8ff-443c-a75c-2fe8c4bcb635", `"attributes":{"Request":{"x:role":"8E3AF657-A8FF-443C-A75C-2FE8C4BCB635"}}`, "Allowed"},
		{"Exists @Resource[x:v]", `"attributes":{"Resource":{"x:v":"関所"}}`, "Allowed"},
		{"@Resource[x:v] StringEquals '関所'", `"attributes":{"Resource":{"x:v":"\u95a2\u6240"}}`, "Allowed"},
		{"SubOperationMatches{'Blob.List'}", `"subOperation":"Blob.List"`, "Allowed"},
		{"SubOperationMatches{'Blob.List'}", `"subOperation":"Blob.Read"`, "NotAllowed"},
	} {
		got, _ := batch(t, under(tt.condition), false, ask(ann, blobs, true, sub, ","+tt.more))
		if len(got) != 1 || got[0].Decision != tt.want {
			t.Errorf("%s with %s: %+v, want %s", tt.condition, tt.more, got, tt.want)
		}
	}
}

func TestLinesThatAreNoQuestions(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                              "the object does not end",
		`[]`:                             "cannot unmarshal array",
		`{} {}`:                          "more than one object",
		`{}`:                             "principal is missing",
		`{"principal":"p"}`:              "action is missing",
		`{"principal":"p","action":"a"}`: "scope is missing",
		`{"principal":"p","action":"a","scope":"s"}`:                                         `scope \"s\" does not start with a slash`,
		`{"principal":"p","action":"a","scope":"/","dataAction":"yes"}`:                      "cannot unmarshal string",
		`{"principal":"p","action":"a","scope":"/","attributes":{"Resourse":{}}}`:            "is not a source of attributes",
		`{"principal":"p","action":"a","scope":"/","attributes":{"Resource":{"x":{}}}}`:      "attribute x: a value is a text",
		`{"principal":"p","action":"a","scope":"/","attributes":{"Resource":{"x":[[1]]}}}`:   "attribute x: a list may hold",
		`{"principal":"p","action":"a","scope":"/","attributes":{"Resource":{"x":1,"X":2}}}`: "is given twice",
		`{"principal":"p","action":"a","scope":"/","attributes":{"Resource":{"x":01}}}`:      "invalid character",
	} {
		var out bytes.Buffer
		result, err := contoso(t).Batch(strings.NewReader("\n"+text), &out, false) // the last line without an end
		if err != nil || result != (BatchResult{1, 1}) || !strings.HasPrefix(out.String(), `{"error":"line 2: `) || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v %+v %s", text, err, result, out.String())
		}
	}
}

func TestALineThatDoesNotEndIsBounded(t *testing.T) {
	long := `{"principal":"` + strings.Repeat("x", 3*lineLimit) + `"}`
	good := ask(ann, chat, true, account, "")
	got, result := batch(t, contoso(t), false, good, long, good, "x")
	if len(got) != 4 || got[0].Decision != "Allowed" || got[2].Decision != "Allowed" || result.Malformed != 2 ||
		!strings.HasPrefix(got[1].Error, "line 2: longer than") || !strings.HasPrefix(got[3].Error, "line 4: ") {
		t.Errorf("%+v %+v", result, got)
	}
}

// A hundred thousand questions are answered in order while memory stays where
// it is.
func TestBatchStreamsInOrder(t *testing.T) {
	const lines = 100_000
	w := contoso(t)
	allowed := func(i int) bool { return i%3 == 0 || i%7 == 0 }
	in, write := io.Pipe()
	go func() {
		to := bufio.NewWriter(write)
		for i := range lines {
			data := "false"
			if allowed(i) {
				data = "true"
			}
			fmt.Fprintf(to, `{"principal":"%s","action":"%s","dataAction":%s,"scope":"%s/n%d"}`+"\n", ann, chat, data, account, i)
		}
		to.Flush()
		write.Close()
	}()
	out, answers := io.Pipe()
	done := make(chan BatchResult)
	go func() {
		result, err := w.Batch(in, answers, false)
		answers.CloseWithError(err)
		done <- result
	}()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	read := bufio.NewScanner(out)
	i := 0
	for ; read.Scan(); i++ {
		if strings.HasPrefix(read.Text(), `{"decision":"Allowed"`) != allowed(i) {
			t.Fatalf("answer %d: %s", i, read.Text())
		}
		if i == lines*9/10 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
				t.Errorf("the heap has grown by %d bytes", grown)
			}
		}
	}
	if result := <-done; i != lines || result != (BatchResult{lines, 0}) {
		t.Errorf("%d answers, %+v", i, result)
	}
}

func TestBatchAnswersWhatIsThereBeforeItWaitsForMore(t *testing.T) {
	in, write := io.Pipe()
	out, answers := io.Pipe()
	go contoso(t).Batch(in, answers, false)
	defer write.Close()
	read := bufio.NewReader(out)
	for range 3 {
		fmt.Fprintln(write, ask(ann, chat, true, account, ""))
		got := make(chan string, 1)
		go func() { line, _ := read.ReadString('\n'); got <- line }()
		select {
		case line := <-got:
			if !strings.Contains(line, "Allowed") {
				t.Fatal(line)
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("no answer to a question while the input stays open")
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
func (broken) Read([]byte) (int, error)  { return 0, errors.New("unplugged") }

func TestBatchEndsWhereItCannotReadOrWrite(t *testing.T) {
	w := contoso(t)
	if _, err := w.Batch(strings.NewReader(strings.Repeat("{}\n", 1_000_000)), broken{}, false); err == nil || err.Error() != "broken pipe" {
		t.Error(err)
	}
	if _, err := w.Batch(broken{}, io.Discard, false); err == nil || err.Error() != "unplugged" {
		t.Error(err)
	}
}

// FuzzLine holds the fast reader of lines against the one of the standard
// library.
func FuzzLine(f *testing.F) {
	for _, more := range []string{"", `,"subOperation":"Blob.List"`, `,"attributes":{"Resource":{"a:b":["x",1,true,-0]},"Request":{}}`, `,"time":"2026-01-01T00:00:00Z"`, `,"Scope":"/x"`, `,"x":"\n"`, ",\"x\":\"\xff\""} {
		f.Add([]byte(ask(ann, blobs, true, sub, more)))
	}
	f.Add([]byte(` { "principal" : "関" , "action":"a", "scope":"/", "attributes":{"Principal":{"a":[],"b":-12}} } `))
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.IndexByte(text, '\n') >= 0 {
			return
		}
		fast, ok := scanLine(string(text))
		if !ok {
			return
		}
		slow, err := parseLine(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var want Attributes
		if slow.Attribute != nil {
			var in line
			dec := json.NewDecoder(bytes.NewReader(text))
			dec.UseNumber()
			if err := dec.Decode(&in); err != nil {
				t.Fatal(err)
			}
			for source, values := range in.Attributes {
				for name, v := range values {
					want = append(want, Attribute{condition.Source(source), condition.Key(name), v})
				}
			}
		}
		for _, a := range want {
			if got, ok := fast.Attribute(a.Source, a.Key); !ok || !reflect.DeepEqual(got, a.Value) {
				t.Errorf("%s: attribute %v is %v", text, a, got)
			}
		}
		fast.Attribute, slow.Attribute = nil, nil
		if !reflect.DeepEqual(fast, slow) {
			t.Errorf("%s\nfast %+v\nslow %+v", text, fast, slow)
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	w := contoso(b)
	lines := []string{ask(ann, chat, true, account, ""), ask(bob, blobs, true, group, ""), ask(owner, remove, false, account, ""),
		ask(bob, blobs, true, group, `,"attributes":{"Resource":{"`+named+`":"manuals"}}`)}
	text := strings.Repeat(strings.Join(lines, "\n")+"\n", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := w.Batch(strings.NewReader(text), io.Discard, false); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*4000)/b.Elapsed().Seconds(), "lines/s")
}
