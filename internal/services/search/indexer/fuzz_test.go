package indexer

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
)

// offline is a client that reaches nobody.
type offline struct{}

func (offline) Do(context.Context, json.RawMessage, string, *http.Request) (*http.Response, error) {
	return nil, errors.New("offline")
}

// Whatever a client defines and a file holds, skills end, and what they make is JSON.
func FuzzSkills(f *testing.F) {
	const document = `{"content":"One. Two three.","pages":[{"t":"a","n":[1,2]},{"t":null}],"o":{"x":1.5}}`
	for _, skills := range []string{
		`[{"@odata.type":"#Microsoft.Skills.Text.SplitSkill","textSplitMode":"pages","maximumPageLength":300,"pageOverlapLength":20,"inputs":[{"name":"text","source":"/document/content"}],"outputs":[{"name":"textItems","targetName":"p"}]}]`,
		`[{"@odata.type":"#Microsoft.Skills.Util.ShaperSkill","context":"/document/pages/*","inputs":[{"name":"a","sourceContext":"/document/pages/*/n/*","inputs":[{"name":"b","source":"/document/pages/*/n/*"}]}],"outputs":[{"name":"output"}]}]`,
		`[{"@odata.type":"#Microsoft.Skills.Text.MergeSkill","inputs":[{"name":"text","source":"/document/content"},{"name":"itemsToInsert","source":"/document/pages/*/t"},{"name":"offsets","source":"/document/pages/0/n"}],"outputs":[{"name":"mergedText"}]}]`,
		`[{"@odata.type":"#Microsoft.Skills.Util.ConditionalSkill","inputs":[{"name":"condition","source":"= $(/document/o/x) > 1"},{"name":"whenTrue","source":"/document/pages/#"},{"name":"whenFalse","source":"= null"}],"outputs":[{"name":"output"}]}]`,
		upperSkill,
	} {
		f.Add(skills, document)
	}
	f.Fuzz(func(t *testing.T, skills, document string) {
		var set Skillset
		var tree any
		if json.Unmarshal([]byte(`{"name":"s","skills":`+skills+`}`), &set) != nil || decodeNumbers([]byte(document), &tree) != nil {
			return
		}
		if set.Plan(nil) != nil {
			return
		}
		for _, skill := range set.Skills {
			switch k := skill.(type) {
			case *WebAPISkill:
				k.pause = 0
			case *EmbeddingSkill:
				k.pause = 0
			}
		}
		r := &Run{Skillset: &set, Client: offline{}}
		var err error
		if r.skills, err = set.order(); err != nil {
			t.Fatal(err)
		}
		e := &Enriched{root: NewNode(tree)}
		if err := r.enrich(context.Background(), []*Enriched{e}); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(e.root.Value()); err != nil {
			t.Error(err)
		}
		kept, err := json.Marshal(&set)
		if err != nil {
			t.Fatal(err)
		}
		var again Skillset
		if err := json.Unmarshal(kept, &again); err != nil {
			t.Fatal(err)
		}
		if err := again.Prepare(); err != nil {
			t.Errorf("what was planned cannot be prepared: %v", err)
		}
	})
}
