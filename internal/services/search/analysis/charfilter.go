package analysis

import (
	"html"
	"sort"
	"strings"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"
)

// charFilter changes a text before it is cut into tokens, and tells what stands
// where in the original; nil where nothing changed.
type charFilter func(text string) (string, *correction)

// correction maps offsets of a changed text to those of the original.
type correction struct {
	out, in []int  // from out[i] on, the text is that of in[i] on
	fixed   []bool // a replacement: all of it stands at in[i]
}

func (c *correction) of(offset int) int {
	i := sort.Search(len(c.out), func(i int) bool { return c.out[i] > offset }) - 1
	switch {
	case i < 0:
		return offset
	case c.fixed[i]:
		return c.in[i]
	}
	return c.in[i] + offset - c.out[i]
}

// rewriter builds a changed text with its correction.
type rewriter struct {
	text string
	out  strings.Builder
	done int // the bytes of text that have been dealt with
	fix  correction
}

func (w *rewriter) mark(in int, fixed bool) {
	out, c := w.out.Len(), &w.fix
	n := len(c.out)
	if n > 0 && c.out[n-1] == out { // which nothing stands at
		n--
		c.out, c.in, c.fixed = c.out[:n], c.in[:n], c.fixed[:n]
	}
	if !fixed && c.of(out) == in && (n == 0 || !c.fixed[n-1]) { // it goes on
		return
	}
	c.out, c.in, c.fixed = append(c.out, out), append(c.in, in), append(c.fixed, fixed)
}

// replace keeps what is before start and puts the replacement for text[start:end].
// Its characters stand for those replaced one by one, what is more of them for the
// end, as Lucene's BaseCharFilter has it.
func (w *rewriter) replace(start, end int, with string) {
	w.out.WriteString(w.text[w.done:start])
	at := start
	for i, r := range with {
		_, size := utf8.DecodeRuneInString(w.text[at:end])
		if i == 0 || at < end {
			w.mark(at, size != utf8.RuneLen(r))
		}
		w.out.WriteRune(r)
		if at < end {
			if at += size; at >= end {
				w.mark(end, true)
			}
		}
	}
	w.done = end
	w.mark(end, false)
}

// most is how long the text may get.
func (w *rewriter) most() int { return max(maxBytes, len(w.text)) }

// long tells that the text has grown too much to go on.
func (w *rewriter) long() bool { return w.out.Len() > w.most() }

func (w *rewriter) result() (string, *correction) {
	if w.done == 0 && w.out.Len() == 0 {
		return w.text, nil
	}
	w.out.WriteString(w.text[w.done:])
	return w.out.String(), &w.fix
}

// mapping replaces the longest of keys at each place. Source: Lucene
// MappingCharFilter.
func mapping(of map[string]string) charFilter {
	longest := 0
	first := make(map[byte]bool)
	for from := range of {
		longest = max(longest, len(from))
		first[from[0]] = true
	}
	return func(text string) (string, *correction) {
		w := rewriter{text: text}
		for i := 0; i < len(text) && !w.long(); {
			if first[text[i]] {
				if size, to, ok := longestMatch(of, text[i:], longest); ok {
					w.replace(i, i+size, to)
					i += size
					continue
				}
			}
			i++
		}
		return w.result()
	}
}

func longestMatch(of map[string]string, text string, longest int) (int, string, bool) {
	for n := min(longest, len(text)); n > 0; n-- {
		if to, ok := of[text[:n]]; ok {
			return n, to, true
		}
	}
	return 0, "", false
}

// replaceChars is Lucene's PatternReplaceCharFilter.
func replaceChars(pattern *searcher, replacement replacement) charFilter {
	return func(text string) (string, *correction) {
		w := rewriter{text: text}
		var with []byte
		for m := range pattern.all(text) {
			with = replacement.expand(with[:0], text, m, w.most()+1)
			w.replace(m[0], m[1], string(with))
			if w.long() {
				break
			}
		}
		return w.result()
	}
}

// blocks are the elements whose tags html_strip puts a line break for; any other
// tag vanishes. Source: Lucene HTMLStripCharFilter, "block level elements".
var blocks = func() map[string]bool {
	set := make(map[string]bool)
	for name := range strings.FieldsSeq(`address blockquote br body caption center col colgroup dd div dir dl dt
		fieldset form frameset h1 h2 h3 h4 h5 h6 head hr html iframe isindex li link menu meta noframes noscript object
		ol option p param pre select script style table tbody td textarea tfoot th thead title tr ul`) {
		set[name] = true
	}
	return set
}()

// stripHTML leaves the text of an HTML page: tags, comments, scripts and styles
// go, character references are decoded.
func stripHTML(text string) (string, *correction) {
	if !strings.ContainsAny(text, "<&") {
		return text, nil
	}
	w := rewriter{text: text}
	z := nethtml.NewTokenizer(strings.NewReader(text))
	at, hidden := 0, false
	for {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			break
		}
		start := at
		at += len(z.Raw())
		switch kind {
		case nethtml.TextToken:
			if hidden {
				w.replace(start, at, "")
			} else {
				decodeReferences(&w, start, at)
			}
		case nethtml.StartTagToken, nethtml.EndTagToken, nethtml.SelfClosingTagToken:
			tag, _ := z.TagName()
			name := string(tag)
			if name == "script" || name == "style" {
				hidden = kind == nethtml.StartTagToken
			}
			if blocks[name] {
				w.replace(start, at, "\n")
			} else {
				w.replace(start, at, "")
			}
		default: // comments and doctypes
			w.replace(start, at, "")
		}
	}
	// A tag that never ends is text.
	return w.result()
}

func decodeReferences(w *rewriter, start, end int) {
	for i := start; i < end; {
		if w.text[i] != '&' {
			i++
			continue
		}
		stop := i + 1
		for stop < end && stop-i < 40 && w.text[stop] != ';' && w.text[stop] != '&' && w.text[stop] != ' ' {
			stop++
		}
		if stop < end && w.text[stop] == ';' {
			stop++
		}
		if decoded := html.UnescapeString(w.text[i:stop]); decoded != w.text[i:stop] {
			w.replace(i, stop, decoded)
		}
		i = stop
	}
}
