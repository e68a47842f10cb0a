package indexer

import (
	"context"
	"sort"
	"strings"
	"unicode/utf16"
)

// MergeSkill puts texts into a text, at places or at its end.
// Source: azure-docs search/cognitive-search-skill-textmerger.md.
type MergeSkill struct {
	Common
	Pre  *string `json:"insertPreTag"`
	Post *string `json:"insertPostTag"`
}

func (k *MergeSkill) plan(Skill) error {
	space := " "
	if k.Pre == nil {
		k.Pre = &space
	}
	if k.Post == nil {
		k.Post = &space
	}
	return k.hold([]string{"itemsToInsert"}, []string{"text", "offsets"}, []string{"mergedText", "mergedOffsets"})
}

func (k *MergeSkill) run(_ context.Context, _ Client, records []*record) error {
	for _, r := range records {
		k.merge(r)
	}
	return nil
}

// badOffsets is what the skill says of them. Source: azure-docs
// cognitive-search-common-errors-warnings.md.
const badOffsets = "One or more offset values were invalid and could not be parsed. Items were inserted at the end of the text"

func (k *MergeSkill) merge(r *record) {
	text, _ := r.in["text"].(string)
	list, ok := r.in["itemsToInsert"].([]any)
	if one, single := r.in["itemsToInsert"].(string); single {
		list, ok = []any{one}, true
	}
	if !ok {
		r.missing("itemsToInsert")
		return
	}
	units := utf16.Encode([]rune(text))
	type item struct {
		text string
		at   int
	}
	var items []item
	offsets, _ := r.in["offsets"].([]any)
	bad := false
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			continue
		}
		at := len(units)
		if i < len(offsets) {
			if n, ok := number(offsets[i]); ok && n >= 0 && n <= float64(len(units)) && n == float64(int(n)) {
				at = int(n)
			} else {
				bad = true
			}
		}
		items = append(items, item{s, at})
	}
	if bad {
		r.warn(couldNotExecute, badOffsets, linkSkill)
	}
	sort.SliceStable(items, func(i, j int) bool { return items[i].at < items[j].at })
	var out strings.Builder
	places, from, length := []any{}, 0, 0
	write := func(s string) {
		out.WriteString(s)
		length += len(utf16.Encode([]rune(s)))
	}
	for _, it := range items {
		write(string(utf16.Decode(units[from:it.at])))
		from = it.at
		write(*k.Pre)
		places = append(places, toNumber(float64(length)))
		write(it.text)
		write(*k.Post)
	}
	write(string(utf16.Decode(units[from:])))
	r.out = map[string]any{"mergedText": out.String(), "mergedOffsets": places}
}
