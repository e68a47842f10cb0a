package indexer

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sekisho/internal/services/search/schema"
)

// Source: the examples of azure-docs search/search-indexer-field-mappings.md.
func TestTheDocumentedMappingFunctions(t *testing.T) {
	for _, tt := range []struct{ function, in, want string }{
		{`{"name":"base64Encode","parameters":{"useHttpServerUtilityUrlTokenEncode":false}}`, `"00>00?00"`, `"MDA-MDA_MDA"`},
		{`{"name":"base64Encode"}`, `"00>00?00"`, `"MDA-MDA_MDA1"`},
		{`{"name":"BASE64ENCODE"}`, `"abc"`, `"YWJj0"`},
		{`{"name":"base64Decode","parameters":{"useHttpServerUtilityUrlTokenDecode":false}}`, `"MDA-MDA_MDA"`, `"00>00?00"`},
		{`{"name":"base64Decode"}`, `"MDA-MDA_MDA1"`, `"00>00?00"`},
		{`{"name":"base64Decode"}`, `"MDA-MDA_MDA"`, ``},
		{`{"name":"extractTokenAtPosition","parameters":{"delimiter":" ","position":0}}`, `"Jane Doe"`, `"Jane"`},
		{`{"name":"extractTokenAtPosition","parameters":{"delimiter":" ","position":1}}`, `"Jane Doe"`, `"Doe"`},
		{`{"name":"extractTokenAtPosition","parameters":{"delimiter":" ","position":2}}`, `"Jane Doe"`, ``},
		{`{"name":"jsonArrayToStringCollection"}`, `"[\"red\",\"white\",\"blue\"]"`, `["red","white","blue"]`},
		{`{"name":"jsonArrayToStringCollection"}`, `"[1]"`, ``},
		{`{"name":"urlEncode"}`, `"a b/é"`, `"a+b%2F%C3%A9"`},
		{`{"name":"urlDecode"}`, `"a+b%2F%C3%A9"`, `"a b/é"`},
		{`{"name":"urlDecode"}`, `"%zz"`, ``},
		{`{"name":"toJson"}`, `{"a":1}`, `"{\"a\":1}"`},
		{`{"name":"base64Encode"}`, `null`, `null`},
		{`{"name":"base64Encode"}`, `["a"]`, ``},
	} {
		var f Function
		if err := json.Unmarshal([]byte(tt.function), &f); err != nil {
			t.Fatal(err)
		}
		m := Mapping{Source: "s", Function: &f}
		got, err := m.apply(parseJSON(t, tt.in))
		if tt.want == "" {
			if err == nil || !strings.HasPrefix(err.Error(), "could not apply mapping function '"+f.Name+"' to field 's'. ") {
				t.Errorf("%s of %s: %v %v, want an error", tt.function, tt.in, got, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, parseJSON(t, tt.want)) {
			t.Errorf("%s of %s: %v %v, want %s", tt.function, tt.in, got, err, tt.want)
		}
	}
	long := Mapping{Source: "s", Function: &Function{Name: "fixedLengthEncode"}}
	a, _ := long.apply(strings.Repeat("a", 5000))
	b, _ := long.apply("b")
	if len(a.(string)) != len(b.(string)) || a == b {
		t.Errorf("%v and %v", a, b)
	}
}

func TestMappingsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"sourceFieldName":""}`: "source field name is required",
		`{"sourceFieldName":"a","mappingFunction":{"name":"reverse"}}`:                                                                "'reverse' is not supported",
		`{"sourceFieldName":"a","mappingFunction":{"name":"urlEncode","parameters":{"x":1}}}`:                                         "has no parameter 'x'",
		`{"sourceFieldName":"a","mappingFunction":{"name":"extractTokenAtPosition"}}`:                                                 "needs the parameters",
		`{"sourceFieldName":"a","mappingFunction":{"name":"base64Encode","parameters":{"useHttpServerUtilityUrlTokenEncode":"yes"}}}`: "is not a boolean",
	} {
		var m Mapping
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		if err := m.plan("fieldMappings"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func testIndex(t testing.TB, fields string) *schema.Index {
	var of schema.Index
	if err := json.Unmarshal([]byte(`{"name":"i","fields":[`+fields+`]}`), &of); err != nil {
		t.Fatal(err)
	}
	return &of
}

// Names that are the same are mapped by themselves, in any case; the key is the
// blob's path.
func TestFieldsAreMappedByTheirNames(t *testing.T) {
	of := testIndex(t, `{"name":"id","type":"Edm.String","key":true},{"name":"Title","type":"Edm.String"},{"name":"copy","type":"Edm.String"},{"name":"other","type":"Edm.String"}`)
	target := "copy"
	from := map[string]any{"title": "T", "other": "O", storagePath: "https://x/y", documentKey: "https://x/y;1", "unknown": "U"}
	d := &Definition{Mappings: []Mapping{{Source: "TITLE", Target: &target}}}
	got, err := d.fields(of, from)
	want := map[string]any{"id": encode64("https://x/y", true), "Title": "T", "copy": "T", "other": "O"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	d.Parameters = &Parameters{Configuration: &Configuration{ParsingMode: "jsonLines"}}
	if got, _ := d.fields(of, from); got["id"] != encode64("https://x/y;1", true) {
		t.Errorf("one of many: %v", got["id"])
	}
	from["id"] = "own"
	if got, _ := d.fields(of, from); got["id"] != "own" {
		t.Errorf("an id of its own: %v", got["id"])
	}
}

func FuzzMappingFunctions(f *testing.F) {
	f.Add("base64Decode", "MDA-MDA_MDA1", ",", 0)
	f.Add("extractTokenAtPosition", "a,b", ",", 1)
	f.Fuzz(func(t *testing.T, name, value, delimiter string, position int) {
		function := &Function{Name: name}
		if name == "extractTokenAtPosition" {
			function.Parameters = map[string]any{"delimiter": delimiter, "position": position}
		}
		m := Mapping{Source: "s", Function: function}
		m.apply(value)
		encode := Mapping{Source: "s", Function: &Function{Name: "base64Encode"}}
		decode := Mapping{Source: "s", Function: &Function{Name: "base64Decode"}}
		key, _ := encode.apply(value)
		if back, err := decode.apply(key); err == nil && back != value {
			t.Errorf("%q comes back as %q", value, back)
		}
	})
}
