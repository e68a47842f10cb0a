package store

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever its fields hold, an entry reads back as what it was, and the way it
// is written holds no fewer of them than encoding/json's.
func TestAnEntryIsWrittenWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e Entry
		fill(t, reflect.ValueOf(&e).Elem())
		e.Time = time.Unix(0, rapid.Int64().Draw(t, "time")).UTC()
		var got, want Entry
		naive, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(naive, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(e.appendJSON(nil), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v in %s", err, e.appendJSON(nil))
		}
	})
}

// fill draws what a struct holds; but times.
func fill(t *rapid.T, v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `"\`, "<a&b>", "\x00\u2028é"})).Draw(t, v.Type().Field(i).Name))
		case reflect.Bool:
			f.SetBool(rapid.Bool().Draw(t, "bool"))
		case reflect.Int:
			f.SetInt(int64(rapid.IntRange(0, 599).Draw(t, "int")))
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), rapid.IntRange(0, 3).Draw(t, "length"), 3))
			for j := range f.Len() {
				fill(t, f.Index(j))
			}
		}
	}
}
