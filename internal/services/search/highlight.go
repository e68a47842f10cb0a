package search

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"

	"sekisho/internal/services/search/analysis"
	"sekisho/internal/services/search/schema"
)

// mark is what a query looks for in a field: a word, or several that stand so far
// behind the first.
type mark struct {
	words []func(token string) bool
	at    []int
}

func wordMark(is func(string) bool) mark { return mark{words: []func(string) bool{is}, at: []int{0}} }

// marks are those of fields, by path.
type marks map[string][]mark

// highlighting is what a request wants to see of what was found.
type highlighting struct {
	fields    []highlighted
	pre, post string
}

type highlighted struct {
	path  string
	count int
}

// defaultFragments is how many a field shows. Source: azure-docs
// search/search-pagination-page-layout.md, "Hit highlighting".
const defaultFragments = 5

// readHighlights reads fields with commas between, each with a count behind a hyphen.
func readHighlights(of *schema.Index, in searchRequest) (*highlighting, error) {
	h := &highlighting{pre: "<em>", post: "</em>"}
	if (in.HighlightPre == "") != (in.HighlightPost == "") {
		return nil, badInput("highlightPreTag", "highlightPreTag and highlightPostTag are set both or not at all.\r\nParameter name: highlightPreTag")
	}
	if in.HighlightPre != "" {
		h.pre, h.post = in.HighlightPre, in.HighlightPost
	}
	for part := range strings.SplitSeq(in.Highlight, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		path, number, counted := strings.Cut(part, "-")
		one := highlighted{path: strings.TrimSpace(path), count: defaultFragments}
		f := of.Field(one.path)
		if f == nil || !schema.Is(f.Searchable) || f.Type.Element() != schema.String {
			return nil, badInput("highlight", "The field '%s' in the list of highlights is not a searchable field of the index.\r\nParameter name: highlight", one.path)
		}
		if counted {
			n, err := strconv.Atoi(strings.TrimSpace(number))
			if err != nil || n < 1 {
				return nil, badInput("highlight", "The number of fragments '%s' of the field '%s' is not an integer greater than 0.\r\nParameter name: highlight", number, one.path)
			}
			one.count = n
		}
		if i := slices.IndexFunc(h.fields, func(f highlighted) bool { return f.path == one.path }); i >= 0 {
			h.fields[i] = one
		} else {
			h.fields = append(h.fields, one)
		}
	}
	return h, nil
}

// show gives the fragments of a document's fields in which something is marked.
func (h *highlighting) show(text texts, marked marks, d stored) map[string][]string {
	found := map[string][]string{}
	for _, f := range h.fields {
		if marked[f.path] == nil {
			continue
		}
		var all []string
		for _, value := range valuesAt(d.Fields, f.path) {
			if len(all) < f.count {
				all = append(all, text[f.path].fragments(value, h, marked[f.path], f.count-len(all))...)
			}
		}
		if len(all) > 0 {
			found[f.path] = all
		}
	}
	return found
}

// valuesAt are the strings at a path of a document.
func valuesAt(from any, path string) (all []string) {
	switch v := from.(type) {
	case []any:
		for _, e := range v {
			all = append(all, valuesAt(e, path)...)
		}
	case map[string]any:
		name, below, _ := strings.Cut(path, "/")
		return valuesAt(v[name], below)
	case string:
		if path == "" {
			all = []string{v}
		}
	}
	return all
}

// span is a piece of a text, in bytes.
type span struct{ from, to int }

// spans are the words of a text that are marked.
func spans(tokens []analysis.Token, marks []mark) []span {
	var all []span
	at := map[int][]analysis.Token{}
	for _, t := range tokens {
		at[t.Position] = append(at[t.Position], t)
	}
	for _, t := range tokens {
		for _, m := range marks {
			here := make([]span, 0, len(m.words))
			for i, is := range m.words {
				j := slices.IndexFunc(at[t.Position+m.at[i]], func(t analysis.Token) bool { return is(t.Text) })
				if j < 0 {
					break
				}
				token := at[t.Position+m.at[i]][j]
				here = append(here, span{token.Start, token.End})
			}
			if len(here) == len(m.words) {
				all = append(all, here...)
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int { return a.from - b.from })
	var apart []span
	for _, s := range all {
		if n := len(apart); n > 0 && s.from < apart[n-1].to {
			apart[n-1].to = max(apart[n-1].to, s.to)
			continue
		}
		apart = append(apart, s)
	}
	return apart
}

// tagged puts tags around the words of a text that are marked.
func tagged(text string, base int, all []span, pre, post string) string {
	var out strings.Builder
	last := 0
	for _, s := range all {
		out.WriteString(text[last : s.from-base])
		out.WriteString(pre + text[s.from-base:s.to-base] + post)
		last = s.to - base
	}
	out.WriteString(text[last:])
	return out.String()
}

// fragments are the sentences of a value with most that is marked, in their order.
// Source: Lucene UnifiedHighlighter, whose passages are sentences.
func (t *textField) fragments(value string, h *highlighting, marks []mark, count int) []string {
	tokens, err := t.index.Analyze(value)
	if err != nil {
		return nil
	}
	all := spans(tokens, marks)
	type fragment struct {
		from, to int
		spans    []span
	}
	var found []fragment
	at := 0
	for rest, state := value, -1; rest != "" && len(all) > 0; {
		var sentence string
		sentence, rest, state = uniseg.FirstSentenceInString(rest, state)
		f := fragment{from: at, to: at + len(sentence)}
		at = f.to
		for len(all) > 0 && all[0].from < f.to {
			f.to = max(f.to, all[0].to) // a word that goes over the end
			f.spans, all = append(f.spans, all[0]), all[1:]
		}
		if len(f.spans) > 0 {
			if f.to > at {
				rest, at, state = value[f.to:], f.to, -1
			}
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b fragment) int { return len(b.spans) - len(a.spans) })
	found = found[:min(len(found), count)]
	slices.SortFunc(found, func(a, b fragment) int { return a.from - b.from })
	var texts []string
	for _, f := range found {
		texts = append(texts, strings.TrimSpace(tagged(value[f.from:f.to], f.from, f.spans, h.pre, h.post)))
	}
	return texts
}
