package analysis

import "regexp"

// The grammar of Lucene's ClassicTokenizer, which takes the longest match; the
// first of those that are as long. Letters are of any script, but Chinese and
// Japanese characters stand alone.
const (
	classicLetter = `\p{L}`
	classicWord   = `[\p{L}\p{Nd}\x{0E00}-\x{0E59}]+`
	classicDigits = `[\p{L}\p{Nd}]*\p{Nd}[\p{L}\p{Nd}]*`
	classicPoint  = `[_\-/.,]`
)

type classicRule struct {
	kind    Type
	pattern *regexp.Regexp
}

var classicRules = func() []classicRule {
	w, d, p, a := classicWord, classicDigits, classicPoint, classicLetter+"+"
	group := func(s string) string { return "(?:" + s + ")" }
	rules := []struct {
		kind Type
		text string
	}{
		{Word, w},
		{Apostrophe, a + group("'"+a) + "+"},
		{Acronym, classicLetter + `\.` + group(classicLetter+`\.`) + "+"},
		{Word, a + "[&@]" + a},
		{Word, w + group(`[.\-_]`+w) + "*@" + w + group(`[.\-]`+w) + "+"},
		{Word, w + group(`\.`+w) + "+"},
		{Number, w + p + d},
		{Number, d + p + w},
		{Number, w + group(p+d+p+w) + "+"},
		{Number, d + group(p+w+p+d) + "+"},
		{Number, w + p + d + group(p+w+p+d) + "+"},
		{Number, d + p + w + group(p+d+p+w) + "+"},
		{Word, w + `\.` + group(w+`\.`) + "+"},
	}
	var made []classicRule
	for _, r := range rules {
		pattern := regexp.MustCompile("^(?:" + r.text + ")")
		pattern.Longest()
		made = append(made, classicRule{r.kind, pattern})
	}
	return made
}()

// chineseOrJapanese stand alone in the classic tokenizer. Source: Lucene
// ClassicTokenizerImpl, CJ.
func chineseOrJapanese(r rune) bool {
	return r >= 0x3040 && r <= 0x312F || r >= 0x31F0 && r <= 0x31FF || r >= 0x3300 && r <= 0x337F || r >= 0x3400 && r <= 0x4DBF ||
		r >= 0x4E00 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF || r >= 0xFF65 && r <= 0xFF9F
}

// classic is Lucene's ClassicTokenizer. It looks for its rules in stretches of
// what they are made of, so that no rule reads to the end of the text.
func classic(max int) tokenizer {
	part := func(r rune) bool {
		return r < 0x10000 && (isLetter(r) || digit(r) || r >= 0xE00 && r <= 0xE59) && !chineseOrJapanese(r)
	}
	joins := func(r rune) bool {
		switch r {
		case '\'', '.', '&', '@', '-', '_', '/', ',':
			return true
		}
		return false
	}
	return func(text string, out []Token) []Token {
		position := 0
		emit := func(start, end int, kind Type) {
			for start < end {
				// Source: index-add-custom-analyzers.md, "Tokens longer than the maximum length are split".
				n, _ := cut(text[start:end], max)
				out = append(out, Token{Text: text[start : start+n], Start: start, End: start + n, Position: position, Type: kind})
				position++
				start += n
			}
		}
		for i := 0; i < len(text) && !full(out); {
			r, size := next(text, i)
			if chineseOrJapanese(r) {
				emit(i, i+size, Ideographic)
				i += size
				continue
			}
			if !part(r) {
				i += size
				continue
			}
			stretch := i
			for stretch < len(text) && stretch-i < longestStretch {
				r, size := next(text, stretch)
				if !part(r) && !joins(r) {
					break
				}
				stretch += size
			}
			end, kind := i, Word
			for _, rule := range classicRules {
				if m := rule.pattern.FindStringIndex(text[i:stretch]); m != nil && i+m[1] > end {
					end, kind = i+m[1], rule.kind
				}
			}
			if end == i {
				end = i + size
			}
			emit(i, end, kind)
			i = end
		}
		return out
	}
}

// longestStretch bounds what the rules look at. Source: the buffer of Lucene's
// ClassicTokenizerImpl.
const longestStretch = 4096
