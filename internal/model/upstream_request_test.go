package model

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRename(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		stream           bool
	}{
		{"in its place", `{ "a" : 1.0, "model" : "x" , "b":[ ] }`, `{ "a" : 1.0, "model" : "new" , "b":[ ] }`, false},
		{"added", "\n{\"a\":1}", "\n{\"model\":\"new\",\"a\":1}", false},
		{"added to nothing", ` { } `, ` {"model":"new" } `, false},
		{"each time", `{"model":1,"model":{"x":[1]}}`, `{"model":"new","model":"new"}`, false},
		{"in any case", `{"Model":"secret","MODEL":null}`, `{"Model":"new","MODEL":"new"}`, false},
		{"escaped", `{"mod\u0065l":"secret"}`, `{"mod\u0065l":"new"}`, false},
		{"not further in", `{"a":{"model":"x"},"stream":true}`, `{"model":"new","a":{"model":"x"},"stream":true}`, true},
		{"nor in texts", `{"a":"\"model\":","stream":false}`, `{"model":"new","a":"\"model\":","stream":false}`, false},
	} {
		got, stream, err := rename([]byte(c.body), "new")
		if err != nil || string(got) != c.want || stream != c.stream {
			t.Errorf("%s: got %s, %v, %v", c.name, got, stream, err)
		}
	}
	for _, body := range []string{``, ` `, `[]`, `null`, `{`, `{}{}`, `{"a":}`} {
		if _, _, err := rename([]byte(body), "new"); err == nil {
			t.Errorf("%q is taken", body)
		}
	}
}

// The naive way is to decode, replace and encode again.
func TestRenameAgreesWithANaiveOne(t *testing.T) {
	value := rapid.SampledFrom([]string{`1.0`, ` "a,}\"" `, `null`, `{"model": 1}`, `[{}, "model"]`, `true`, `"é\u0000"`})
	rapid.Check(t, func(t *rapid.T) {
		var members []string
		for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"model", "stream", "a", "", "models", "b\\\"", "é"}), rapid.ID).Draw(t, "keys") {
			members = append(members, `"`+key+`" :`+value.Draw(t, "value"))
		}
		body := []byte("{ " + strings.Join(members, ",") + "\n}")
		var naive map[string]any
		if err := json.Unmarshal(body, &naive); err != nil {
			t.Fatal(err)
		}
		naive["model"] = "n\"ew"
		renamed, stream, bad := rename(body, `n"ew`)
		if bad != nil {
			t.Fatal(bad)
		}
		var got map[string]any
		if err := json.Unmarshal(renamed, &got); err != nil {
			t.Fatalf("%v in %s", err, renamed)
		}
		if !reflect.DeepEqual(got, naive) || stream != (naive["stream"] == true) {
			t.Fatalf("got %s, %v from %s", renamed, stream, body)
		}
	})
}

func FuzzRename(f *testing.F) {
	for _, seed := range []string{`{}`, `{"model":"x","stream":true}`, `{"Model":1,"a":[{}]}`, `[`, "{\"\xff\":1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		got, _, bad := rename(body, "new")
		if bad != nil {
			return
		}
		var decoded struct{ Model string }
		if err := json.Unmarshal(got, &decoded); err != nil || decoded.Model != "new" {
			t.Fatalf("%s became %s: %v", before, got, err)
		}
		if !bytes.Equal(body, before) {
			t.Fatal("the client's body was changed")
		}
	})
}
