package indexer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf16"
)

// planned reads and plans a skillset.
func planned(t testing.TB, skills string) *Skillset {
	t.Helper()
	var s Skillset
	if err := json.Unmarshal([]byte(`{"name":"s","skills":`+skills+`}`), &s); err != nil {
		t.Fatal(err)
	}
	if err := s.Plan(nil); err != nil {
		t.Fatal(err)
	}
	return &s
}

// enriched runs skills over a document.
func enriched(t testing.TB, skills, document string, client Client) *Enriched {
	t.Helper()
	set := planned(t, skills)
	r := &Run{Skillset: set, Client: client}
	var err error
	if r.skills, err = set.order(); err != nil {
		t.Fatal(err)
	}
	e := &Enriched{root: NewNode(parseJSON(t, document))}
	if err := r.enrich(context.Background(), []*Enriched{e}); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *Enriched) at(t testing.TB, path string) any {
	p, err := ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := whole(e.root).get(p)
	return v
}

// Source: azure-docs cognitive-search-skill-textmerger.md, -shaper.md, -conditional.md.
func TestTheDocumentedSkills(t *testing.T) {
	for _, tt := range []struct{ name, skills, document, path, want string }{
		{"merge", `[{"@odata.type":"#Microsoft.Skills.Text.MergeSkill","insertPreTag":" ","insertPostTag":"",
			"inputs":[{"name":"text","source":"/document/text"},{"name":"itemsToInsert","source":"/document/items"},{"name":"offsets","source":"/document/offsets"}],
			"outputs":[{"name":"mergedText","targetName":"merged"}]}]`,
			`{"text":"The brown fox jumps over the dog","items":["quick","lazy"],"offsets":[3,28]}`, "/document/merged", `"The quick brown fox jumps over the lazy dog"`},
		{"shaper", `[{"@odata.type":"#Microsoft.Skills.Util.ShaperSkill","context":"/document/content/phrases/*",
			"inputs":[{"name":"text","source":"/document/content/phrases/*"},{"name":"sentiment","source":"= 0.9"}],"outputs":[{"name":"output","targetName":"analyzedText"}]}]`,
			`{"content":{"phrases":["this movie is awesome"]}}`, "/document/content/phrases/0/analyzedText", `{"text":"this movie is awesome","sentiment":0.9}`},
		{"shaper that flattens", `[{"@odata.type":"#Microsoft.Skills.Util.ShaperSkill",
			"inputs":[{"name":"title","source":"/document/title"},{"name":"chapterTitles","source":"/document/pages/*/chapterTitles/*"}],"outputs":[{"name":"output","targetName":"both"}]}]`,
			`{"title":"How to be happy","pages":[{"chapterTitles":["Start young","Laugh often"]},{"chapterTitles":["Eat, sleep and exercise"]}]}`,
			"/document/both", `{"title":"How to be happy","chapterTitles":["Start young","Laugh often","Eat, sleep and exercise"]}`},
		{"shaper with a source context", `[{"@odata.type":"#Microsoft.Skills.Util.ShaperSkill",
			"inputs":[{"name":"chapters","sourceContext":"/document/pages/*","inputs":[{"name":"title","source":"/document/pages/*/t"},{"name":"book","source":"/document/title"}]}],
			"outputs":[{"name":"output","targetName":"shaped"}]}]`,
			`{"title":"B","pages":[{"t":"1"},{"t":"2"}]}`, "/document/shaped", `{"chapters":[{"title":"1","book":"B"},{"title":"2","book":"B"}]}`},
		{"a default", `[{"@odata.type":"#Microsoft.Skills.Util.ConditionalSkill",
			"inputs":[{"name":"condition","source":"= $(/document/language) == null"},{"name":"whenTrue","source":"= 'es'"},{"name":"whenFalse","source":"= $(/document/language)"}],
			"outputs":[{"name":"output","targetName":"l"}]}]`, `{}`, "/document/l", `"es"`},
		{"a transformation of each", `[{"@odata.type":"#Microsoft.Skills.Util.ConditionalSkill","context":"/document/sentences/*",
			"inputs":[{"name":"condition","source":"= true"},{"name":"whenTrue","source":"= $(/document/sentences/*/sentiment) * 2 - 1"},{"name":"whenFalse","source":"= 0"}],
			"outputs":[{"name":"output","targetName":"n"}]}]`, `{"sentences":[{"sentiment":0.5},{"sentiment":1}]}`, "/document/sentences/*/n", `[0,1]`},
	} {
		e := enriched(t, tt.skills, tt.document, nil)
		if got := e.at(t, tt.path); !reflect.DeepEqual(normal(t, got), normal(t, parseJSON(t, tt.want))) || len(e.failures)+len(e.warnings) > 0 {
			t.Errorf("%s: %v %v %v, want %s", tt.name, got, e.failures, e.warnings, tt.want)
		}
	}
}

// normal has numbers as floats.
func normal(t testing.TB, v any) (out any) {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	json.Unmarshal(raw, &out)
	return out
}

func TestSkillsThatMissTheirInputsWarn(t *testing.T) {
	e := enriched(t, `[{"@odata.type":"#Microsoft.Skills.Text.SplitSkill","name":"cut","textSplitMode":"sentences","inputs":[{"name":"text","source":"/document/none"}],"outputs":[{"name":"textItems"}]},
		{"@odata.type":"#Microsoft.Skills.Text.SplitSkill","name":"cut2","textSplitMode":"sentences","inputs":[{"name":"text","source":"/document/number"}],"outputs":[{"name":"textItems","targetName":"x"}]}]`, `{"number":5}`, nil)
	if len(e.failures) != 0 || len(e.warnings) != 2 || e.warnings[0].Name != "Enrichment.SplitSkill.cut" || !strings.Contains(*e.warnings[0].Details, "'text'") ||
		!strings.Contains(*e.warnings[1].Details, "expected type 'String'") {
		t.Errorf("%+v %+v", e.failures, e.warnings)
	}
}

// Pages hold the whole text in order, with the overlap that was asked for.
func TestPages(t *testing.T) {
	for _, text := range []string{strings.Repeat("One sentence here. ", 200), strings.Repeat("word ", 900), strings.Repeat("x", 2000), strings.Repeat("日本語の文です。", 300), strings.Repeat("😀", 1000), "short", ""} {
		units := utf16.Encode([]rune(text))
		for _, overlap := range []int{0, 1, 100, 150} {
			all := pages(units, 300, overlap, 0)
			end := 0
			for i, s := range all {
				if s.to-s.from > 301 || s.from > end || i > 0 && (end-s.from < overlap || end-s.from > overlap+1) || s.to <= end {
					t.Fatalf("page %d is %v after %d, with overlap %d", i, s, end, overlap)
				}
				piece := string(utf16.Decode(units[s.from:s.to]))
				if strings.ContainsRune(piece, '\uFFFD') {
					t.Fatalf("page %d breaks a character: %q", i, piece)
				}
				if strings.HasPrefix(text, "One") && s.to < len(units) && !strings.HasSuffix(piece, ". ") {
					t.Errorf("page %d does not end with a sentence: %q", i, piece)
				}
				end = s.to
			}
			if end != len(units) {
				t.Errorf("the pages end at %d of %d", end, len(units))
			}
		}
	}
	if n := len(pages(utf16.Encode([]rune(strings.Repeat("a ", 1000))), 300, 0, 2)); n != 2 {
		t.Errorf("%d pages are taken, want 2", n)
	}
	var got []string
	units := utf16.Encode([]rune("First. Second! 第三。Fourth 4.5 ends"))
	for _, s := range sentences(units) {
		got = append(got, string(utf16.Decode(units[s.from:s.to])))
	}
	if want := []string{"First.", "Second!", "第三。", "Fourth 4.5 ends"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// web is a client that calls a handler.
type web struct{ handler http.HandlerFunc }

func (w web) Do(_ context.Context, identity json.RawMessage, audience string, r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Audience", audience+string(identity))
	rec := httptest.NewRecorder()
	w.handler(rec, r)
	return rec.Result(), nil
}

const upperSkill = `[{"@odata.type":"#Microsoft.Skills.Custom.WebApiSkill","name":"up","uri":"https://f.azurewebsites.net/api/up?code=secret","context":"/document/words/*",
	"httpHeaders":{"x-functions-key":"k","x-plain":"v"},"batchSize":2,"degreeOfParallelism":3,"authResourceId":"api://app",
	"inputs":[{"name":"w","source":"/document/words/*"}],"outputs":[{"name":"upper","targetName":"u"}]}]`

func TestAWebAPISkill(t *testing.T) {
	var calls, most atomic.Int32
	e := enriched(t, upperSkill, `{"words":["a","b","c","fail","warn"]}`, web{func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		var in struct{ Values []webRecord }
		json.NewDecoder(r.Body).Decode(&in)
		most.Store(max(most.Load(), int32(len(in.Values))))
		if r.Method != http.MethodPost || r.Header.Get("X-Audience") != "api://app" || r.Header.Get("X-Functions-Key") != "k" || r.URL.Query().Get("code") != "secret" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, `{"values":[{"recordId":"of another","data":{}}`)
		for _, v := range slices.Backward(in.Values) {
			word := v.Data["w"].(string)
			switch word {
			case "fail":
				fmt.Fprintf(w, `,{"recordId":%q,"data":{},"errors":[{"message":"no such word"}],"warnings":null}`, v.ID)
			case "warn":
				fmt.Fprintf(w, `,{"recordId":%q,"data":{"upper":"W"},"errors":null,"warnings":{"message":"careful"}}`, v.ID)
			default:
				fmt.Fprintf(w, `,{"recordId":%q,"data":{"upper":%q}}`, v.ID, strings.ToUpper(word))
			}
		}
		io.WriteString(w, "]}")
	}})
	if got := normal(t, e.at(t, "/document/words/*/u")); !reflect.DeepEqual(got, []any{"A", "B", "C", "W"}) || calls.Load() != 3 || most.Load() != 2 {
		t.Errorf("%v in %d calls of up to %d", got, calls.Load(), most.Load())
	}
	if len(e.failures) != 1 || *e.failures[0].Details != "no such word" || len(e.warnings) != 1 || *e.warnings[0].Details != "careful" {
		t.Errorf("%+v %+v", e.failures, e.warnings)
	}
}

func TestAWebAPISkillThatFails(t *testing.T) {
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	for _, tt := range []struct {
		handler          http.HandlerFunc
		calls            int32
		message, details string
	}{
		{answer(403, "application/json", `{"error":"closed"}`), 1, requestFailed, `Web Api response status: 'Forbidden', Web Api response details: '{"error":"closed"}'`},
		{answer(429, "text/plain", "slow"), 3, requestFailed, "Web Api response status: 'TooManyRequests', Web Api response details: 'slow'"},
		{answer(503, "text/plain", ""), 3, requestFailed, "Web Api response status: 'ServiceUnavailable', Web Api response details: ''"},
		{answer(200, "text/html", "<p>"), 1, responseInvalid, "The response has the content type 'text/html', and 'application/json' is expected."},
		{answer(200, "application/json", "{"), 1, responseInvalid, "The response is not JSON of the expected form: unexpected EOF"},
		{answer(200, "application/json", `{"values":[{"recordId":"0"},{"recordId":"0"}]}`), 1, responseInvalid, "The response has 2 records with the recordId '0', and one is expected."},
	} {
		var calls atomic.Int32
		set := planned(t, upperSkill)
		k := set.Skills[0].(*WebAPISkill)
		k.pause = 0
		r := &record{in: map[string]any{"w": "a"}}
		if err := k.run(context.Background(), web{func(w http.ResponseWriter, r *http.Request) { calls.Add(1); tt.handler(w, r) }}, []*record{r}); err != nil {
			t.Fatal(err)
		}
		if len(r.problems) != 1 || r.problems[0].message != tt.message || r.problems[0].details != tt.details || calls.Load() != tt.calls {
			t.Errorf("%+v after %d calls, want %s %s after %d", r.problems, calls.Load(), tt.message, tt.details, tt.calls)
		}
	}
}

const embedSkill = `[{"@odata.type":"#Microsoft.Skills.Text.AzureOpenAIEmbeddingSkill","name":"e","context":"/document/texts/*","resourceUri":"https://r.openai.azure.com/","deploymentId":"d",
	"modelName":"text-embedding-3-large","dimensions":2,"apiKey":%q,"inputs":[{"name":"text","source":"/document/texts/*"}],"outputs":[{"name":"embedding","targetName":"v"}]}]`

// A text that the model refuses fails by itself; an empty one is no more than a
// warning.
func TestTheEmbeddingSkill(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Input      []string
			Dimensions int
		}
		json.NewDecoder(r.Body).Decode(&in)
		if r.URL.String() != "https://r.openai.azure.com/openai/deployments/d/embeddings?api-version="+embeddingVersion || in.Dimensions != 2 {
			t.Errorf("%s %+v", r.URL, in)
		}
		w.Header().Set("Content-Type", "application/json")
		if slices.Contains(in.Input, "long") {
			w.WriteHeader(400)
			io.WriteString(w, `{"error":{"message":"too long"}}`)
			return
		}
		io.WriteString(w, `{"data":[`)
		for i := range in.Input {
			if i > 0 {
				io.WriteString(w, ",")
			}
			fmt.Fprintf(w, `{"index":%d,"embedding":[%d,0.5]}`, i, len(in.Input[i]))
		}
		io.WriteString(w, "]}")
	}
	for key, audience := range map[string]string{"secret": "", "": OpenAIAudience} {
		e := enriched(t, fmt.Sprintf(embedSkill, key), `{"texts":["a","long","bb"," "]}`, web{func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("api-key") != key || r.Header.Get("X-Audience") != audience {
				t.Errorf("%v", r.Header)
			}
			handler(w, r)
		}})
		if got := normal(t, e.at(t, "/document/texts/*/v")); !reflect.DeepEqual(got, []any{[]any{1.0, 0.5}, []any{2.0, 0.5}}) {
			t.Errorf("%v", got)
		}
		if len(e.failures) != 1 || !strings.Contains(*e.failures[0].Details, "too long") || len(e.warnings) != 1 {
			t.Errorf("%+v %+v", e.failures, e.warnings)
		}
	}
}

// Skills that double what others made fail their document, and not the process.
func TestSkillsThatGrowWithoutEnd(t *testing.T) {
	var skills []string
	from := "/document/content"
	for i := range maxSkills {
		skills = append(skills, fmt.Sprintf(`{"@odata.type":"#Microsoft.Skills.Util.ShaperSkill","inputs":[{"name":"a","source":%q},{"name":"b","source":%q}],"outputs":[{"name":"output","targetName":"d%d"}]}`, from, from, i))
		from = fmt.Sprint("/document/d", i)
	}
	e := enriched(t, "["+strings.Join(skills, ",")+"]", `{"content":"x"}`, nil)
	if len(e.failures) != 1 || !strings.Contains(*e.failures[0].Details, "more than 536870912 bytes") {
		t.Errorf("%+v", e.failures)
	}
}

// Skills run after those whose outputs they read, however they are listed.
func TestTheOrderOfSkills(t *testing.T) {
	shaper := func(name, context, source, target string) string {
		return fmt.Sprintf(`{"@odata.type":"#Microsoft.Skills.Util.ShaperSkill","name":%q,"context":%q,"inputs":[{"name":"x","source":%q}],"outputs":[{"name":"output","targetName":%q}]}`, name, context, source, target)
	}
	set := planned(t, "["+shaper("last", "/document/a/x/*", "/document/b/x", "c")+","+shaper("b", "/document", "= $(/document/a/x/0) == 1", "b")+","+shaper("a", "/document", "/document/list", "a")+"]")
	sorted, err := set.order()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range sorted {
		names = append(names, s.common().Name)
	}
	if !slices.Equal(names, []string{"a", "b", "last"}) && !slices.Equal(names, []string{"b", "a", "last"}) || names[2] != "last" || names[0] != "a" {
		t.Errorf("%v", names)
	}
	var loop Skillset
	json.Unmarshal([]byte(`{"name":"s","skills":[`+shaper("a", "/document", "/document/b", "a")+","+shaper("b", "/document", "/document/a", "b")+"]}"), &loop)
	if err := loop.Plan(nil); err == nil || !strings.Contains(err.Error(), "needs its own output") {
		t.Errorf("%v", err)
	}
}
