package analysis

import "strings"

// standard is Lucene's StandardTokenizer: the words of UAX #29, ideographs and
// hiragana one by one, what is longer than max UTF-16 units split.
func standard(max int) tokenizer {
	return func(text string, out []Token) []Token {
		s := scanner{text: text, table: planeClasses(), max: max}
		position := 0
		for i := 0; i < len(text); {
			end, kind := s.word(i)
			if end == i {
				_, size := next(text, i)
				i += size
				continue
			}
			out = append(out, Token{Text: text[i:end], Start: i, End: end, Position: position, Type: kind})
			position++
			i = end
			if full(out) {
				break
			}
		}
		return out
	}
}

// scanner finds words. A word is the longest match of one of Lucene's rules; all
// but the rules of emoji need to look one character ahead only.
type scanner struct {
	text  string
	table *[0x10000]class
	max   int
}

// at is the class of the character at i that, with what came before it, still fits
// in the longest token; size 0 is the end.
func (s *scanner) at(i, used int) (c class, size, units int) {
	if i >= len(s.text) {
		return classOther, 0, 0
	}
	r, size := next(s.text, i)
	units = unitsOf(r)
	if used+units > s.max {
		return classOther, 0, 0
	}
	if r < 0x10000 {
		return s.table[r], size, units
	}
	return compute(r), size, units
}

// extended passes the character at i, of the size given, and what extends it.
func (s *scanner) extended(i, size, used, units int) (end, total int) {
	i, used = i+size, used+units
	for {
		c, size, units := s.at(i, used)
		if size == 0 || c != classExtend && c != classModifier {
			return i, used
		}
		i, used = i+size, used+units
	}
}

// word returns where the word that starts at i ends; i itself if none does.
func (s *scanner) word(i int) (int, Type) {
	c, size, units := s.at(i, 0)
	if end := s.emoji(i); end > i {
		return end, Emoji
	}
	switch c {
	case classOther, classExtend, classMidLetter, classMidNum, classMidNumLet, classSingleQuote, classDoubleQuote:
		return i, Word
	case classHan:
		end, _ := s.extended(i, size, 0, units)
		return end, Ideographic
	case classHiragana:
		end, _ := s.extended(i, size, 0, units)
		return end, Hiragana
	case classComplex:
		end, used := i, 0
		for size > 0 && c == classComplex {
			end, used = s.extended(end, size, used, units)
			c, size, units = s.at(end, used)
		}
		return end, SoutheastAsian
	}
	return s.run(i)
}

// run matches letters, numbers and katakana with what joins them.
func (s *scanner) run(i int) (int, Type) {
	var (
		end, used = i, 0
		accepted  = i // the end of the longest match so far
		before    = classExtendNumLet
		seen      [classModifier + 1]bool
	)
	for {
		c, size, units := s.at(end, used)
		if size == 0 {
			break
		}
		switch c {
		case classExtendNumLet:
		case classKatakana:
			if before != classKatakana && before != classExtendNumLet {
				return accepted, kind(&seen)
			}
		case classLetter, classHangul, classHebrew, classNumeric:
			if before == classKatakana {
				return accepted, kind(&seen)
			}
		case classSingleQuote, classMidLetter, classMidNumLet, classMidNum, classDoubleQuote:
			after, total := s.extended(end, size, used, units)
			follower, _, _ := s.at(after, total)
			if joins(before, c, follower) {
				end, used, before = after, total, c
				continue
			}
			if before == classHebrew && c == classSingleQuote {
				end, used, before = after, total, c
				accepted = end
				continue
			}
			return accepted, kind(&seen)
		default:
			return accepted, kind(&seen)
		}
		seen[c] = true
		end, used = s.extended(end, size, used, units)
		before = c
		if c != classExtendNumLet || accepted > i {
			accepted = end
		}
	}
	return accepted, kind(&seen)
}

// joins tells whether c stands within a word, between the classes before and after.
func joins(before, c, after class) bool {
	letter := func(c class) bool { return c == classLetter || c == classHangul || c == classHebrew }
	switch c {
	case classMidLetter:
		return letter(before) && letter(after)
	case classMidNumLet, classSingleQuote:
		return letter(before) && letter(after) || before == classNumeric && after == classNumeric
	case classMidNum:
		return before == classNumeric && after == classNumeric
	}
	return before == classHebrew && after == classHebrew // a double quote
}

// kind names the type of a run by the classes it has.
func kind(seen *[classModifier + 1]bool) Type {
	letters, joined := seen[classLetter] || seen[classHebrew], seen[classExtendNumLet]
	switch {
	case letters:
		return Word
	case seen[classNumeric] && !seen[classHangul] && !seen[classKatakana]:
		return Number
	case seen[classHangul] && !seen[classNumeric] && !seen[classKatakana] && !joined:
		return Hangul
	case seen[classKatakana] && !seen[classNumeric] && !seen[classHangul] && !joined:
		return Katakana
	}
	return Word
}

// emoji matches a sequence of UTS #51: characters joined by ZWJ, with modifiers
// and selectors, flags and keycaps. It returns i if there is none.
func (s *scanner) emoji(i int) int {
	c, size, units := s.at(i, 0)
	if size == 0 {
		return i
	}
	switch r, _ := next(s.text, i); {
	case c == classRegional:
		end, used := s.extended(i, size, 0, units)
		if c, size, units := s.at(end, used); size > 0 && c == classRegional {
			end, _ = s.extended(end, size, used, units)
			return end
		}
		return i
	case r >= '0' && r <= '9' || r == '#' || r == '*':
		end, _ := s.extended(i, size, 0, units)
		if strings.ContainsRune(s.text[i:end], keycap) {
			return end
		}
		return i
	}
	end, used, joined := s.element(i, 0)
	for joined {
		after, total, more := s.element(end, used)
		if after == end {
			break
		}
		end, used, joined = after, total, more
	}
	return end
}

const (
	keycap   = 0x20E3
	joiner   = 0x200D
	textual  = 0xFE0E // the selector of a textual presentation
	coloured = 0xFE0F
)

// element matches one emoji with its modifier and selector, and tells whether a
// joiner follows it.
func (s *scanner) element(i, used int) (end, total int, joined bool) {
	at := func(i, used int) (rune, class, int, int) {
		c, size, units := s.at(i, used)
		if size == 0 {
			return -1, c, 0, 0
		}
		r, _ := next(s.text, i)
		return r, c, size, units
	}
	j := i
	r, c, size, units := at(j, used)
	for r == joiner {
		j, used = j+size, used+units
		r, c, size, units = at(j, used)
	}
	if c != classEmoji && c != classModifier {
		return i, used, false
	}
	extend := func() {
		j, used = j+size, used+units
		for {
			r, c, size, units = at(j, used)
			if c != classExtend && c != classModifier || r == textual || r == coloured {
				return
			}
			joined = r == joiner
			j, used = j+size, used+units
		}
	}
	extend()
	if r == coloured {
		j, used, joined = j+size, used+units, false
		if r, _, _, _ = at(j, used); r == joiner {
			// Not part of this emoji unless another is joined.
			if after, total, more := s.element(j, used); after > j {
				return after, total, more
			}
		}
	}
	return j, used, joined
}
