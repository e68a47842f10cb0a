package blob_test

import (
	"strings"
	"testing"
	"time"

	"sekisho/internal/services/storage/blob"
)

func TestConditions(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.Put(ctx, at("b"), blob.Blob{Tags: map[string]string{"k": "v"}}, strings.NewReader("x"), blob.Checks{}, blob.Conditions{})
	w.must(err)
	b, err := w.Get(ctx, at("b"), blob.Conditions{})
	w.must(err)
	before, after := b.Modified.Add(-time.Hour), b.Modified.Add(time.Hour)
	tags := func(text string) blob.TagQuery {
		q, err := blob.ParseTagCondition(text)
		w.must(err)
		return q
	}
	const unmet = "ConditionNotMet"
	tests := []struct {
		name                 string
		cond                 blob.Conditions
		read, write, missing string // of a blob that is there, and of a new one
	}{
		{"none", blob.Conditions{}, "", "", ""},
		{"its ETag", blob.Conditions{IfMatch: `"` + b.ETag + `"`}, "", "", unmet},
		{"its ETag without quotes", blob.Conditions{IfMatch: b.ETag}, "", "", unmet},
		{"another ETag", blob.Conditions{IfMatch: `"0x1"`}, unmet, unmet, unmet},
		{"any", blob.Conditions{IfMatch: "*"}, "", "", unmet},
		{"not its ETag", blob.Conditions{IfNoneMatch: b.ETag}, unmet, unmet, ""},
		{"not another ETag", blob.Conditions{IfNoneMatch: `"0x1"`}, "", "", ""},
		{"if there is none", blob.Conditions{IfNoneMatch: "*"}, "UnsatisfiableCondition", "BlobAlreadyExists", ""},
		{"modified since", blob.Conditions{IfModifiedSince: before}, "", "", ""},
		{"not modified since", blob.Conditions{IfModifiedSince: after}, unmet, unmet, ""},
		{"unmodified since", blob.Conditions{IfUnmodifiedSince: after}, "", "", ""},
		{"modified since, and must not be", blob.Conditions{IfUnmodifiedSince: before}, unmet, unmet, ""},
		{"the ETag matches, but it is modified", blob.Conditions{IfMatch: b.ETag, IfUnmodifiedSince: before}, unmet, unmet, unmet},
		{"the same ETag, but modified since", blob.Conditions{IfNoneMatch: b.ETag, IfModifiedSince: before}, "", "", ""},
		{"another ETag, but not modified since", blob.Conditions{IfNoneMatch: `"0x1"`, IfModifiedSince: after}, "", "", ""},
		{"tags", blob.Conditions{IfTags: tags(`"k"='v' AND x<>'y'`)}, "", "", unmet},
		{"other tags", blob.Conditions{IfTags: tags(`k='w' AND k<>'x'`)}, unmet, unmet, unmet},
		{"one or the other", blob.Conditions{IfTags: tags(`k='w' AND k='v' OR k>='v'`)}, "", "", unmet},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{Store: w.Store, t: t}
			_, err := w.Get(ctx, at("b"), tt.cond)
			w.wantCode(err, tt.read)
			// The last write of the table would end the conditions of the next.
			_, _, err = w.Put(ctx, at("b"), blob.Blob{}, strings.NewReader("x"), blob.Checks{MD5: make([]byte, 16)}, tt.cond)
			if want := tt.write; want == "" {
				w.wantCode(err, "Md5Mismatch")
			} else {
				w.wantCode(err, want)
			}
			_, err = w.CreateAppend(ctx, at(tt.name), blob.Blob{}, tt.cond)
			w.wantCode(err, tt.missing)
		})
	}
}

func FuzzTagQuery(f *testing.F) {
	for _, seed := range []string{`a='b'`, `"a b"='c' AND d>='e'`, `@container='x' AND y<'z'`, `a<>'b' OR c='d'`, `a='`, `"`, `a = ''''`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (blob.TagQuery, error){blob.ParseFilter, blob.ParseTagCondition} {
			q, err := parse(text)
			if err == nil && (len(q) == 0 || len(q[0]) == 0) {
				t.Errorf("%q asks for nothing", text)
			}
		}
	})
}
