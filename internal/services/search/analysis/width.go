package analysis

import "strings"

// narrow are the full-width forms of the half-width katakana from U+FF65.
const narrow = "・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゙゚"

var (
	halfwidth  = []rune(narrow)
	voiced     = pairs("ウヴカガキギクグケゲコゴサザシジスズセゼソゾタダチヂツヅテデトドハバヒビフブヘベホボヽヾ")
	semivoiced = pairs("ハパヒピフプヘペホポ")
)

func pairs(list string) map[rune]rune {
	set, runes := make(map[rune]rune), []rune(list)
	for i := 0; i < len(runes); i += 2 {
		set[runes[i]] = runes[i+1]
	}
	return set
}

// foldWidth makes full-width ASCII basic Latin and half-width katakana full kana.
// Source: Lucene CJKWidthFilter.
func foldWidth(word string) string {
	folded, _ := widths(word)
	return folded
}

// widths is foldWidth as a char filter. Source: Lucene CJKWidthCharFilter.
func widths(text string) (string, *correction) {
	if !strings.ContainsFunc(text, wide) {
		return text, nil
	}
	w := rewriter{text: text}
	for i := 0; i < len(text); {
		r, size := next(text, i)
		start := i
		i += size
		if !wide(r) {
			continue
		}
		if r <= 0xFF5E {
			w.replace(start, i, string(r-0xFEE0))
			continue
		}
		kana := halfwidth[r-0xFF65]
		if i < len(text) {
			mark, size := next(text, i)
			with := rune(0)
			switch mark {
			case 0xFF9E:
				with = voiced[kana]
			case 0xFF9F:
				with = semivoiced[kana]
			}
			if with != 0 {
				kana = with
				i += size
			}
		}
		w.replace(start, i, string(kana))
	}
	return w.result()
}

func wide(r rune) bool { return r >= 0xFF01 && r <= 0xFF5E || r >= 0xFF65 && r <= 0xFF9F }
