package model

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold makes texts comparable that differ only in case or in width, such as
// Ａｚｕｒｅ and azure, or ｱｸｾｽ and アクセス.
func fold(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

// run is a stretch of folded text in one kind of writing: a word, or Japanese,
// which puts no spaces between its words.
type run struct {
	text     []rune
	japanese bool
}

func runs(folded string) []run {
	var all []run
	var current run
	end := func() {
		if len(current.text) > 0 {
			all = append(all, current)
		}
		current = run{}
	}
	for _, r := range folded {
		japanese := isJapanese(r)
		if !japanese && !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			end()
			continue
		}
		if japanese != current.japanese {
			end()
		}
		current.japanese = japanese
		current.text = append(current.text, r)
	}
	end()
	return all
}

// isJapanese also takes the long-vowel mark, which Unicode gives to no script.
func isJapanese(r rune) bool {
	return r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

func hasJapanese(s string) bool { return strings.ContainsFunc(s, isJapanese) }

func isKatakana(r rune) bool { return r == 'ー' || unicode.Is(unicode.Katakana, r) }

// grammatical tells of a group of Japanese characters with hiragana, which is
// more often particle or inflection than meaning.
func grammatical(gram []rune) bool {
	for _, r := range gram {
		if unicode.Is(unicode.Hiragana, r) {
			return true
		}
	}
	return false
}

// ngrams calls yield with every n characters in a row.
func ngrams(text []rune, n int, yield func([]rune)) {
	for i := 0; i+n <= len(text); i++ {
		yield(text[i : i+n])
	}
}

// stem takes off the commonest English endings, so that founders, founded and
// founding meet.
func stem(word string) string {
	for _, ending := range []struct {
		from, to string
		root     int // the shortest that may remain
	}{{"ies", "y", 3}, {"ing", "", 4}, {"ers", "", 4}, {"ed", "", 4}, {"er", "", 4}, {"s", "", 3}} {
		root, ok := strings.CutSuffix(word, ending.from)
		if ok && len(root) >= ending.root && !strings.HasSuffix(word, "ss") {
			word = root + ending.to
			break
		}
	}
	if len(word) > 4 {
		word = strings.TrimSuffix(word, "e")
	}
	return word
}

const functionWords = ` a about also am an and any are as at be been being but by can could did do does for from
	had has have he her him his how i if in into is it its just let me more most my no not now of on only or our
	please she should so some tell than that the their them then there these they this those to too us use using
	was we were what when where which who whom whose why will with would you your `

// isFunctionWord tells of an English word that says nothing of the subject.
func isFunctionWord(word string) bool { return strings.Contains(functionWords, " "+word+" ") }

// sentences splits English, Japanese and bulleted text. It keeps what ends a
// sentence, and drops the bullets.
func sentences(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		start := 0
		for i, r := range line {
			after := i + len(string(r))
			if after < start || !endsSentence(r, line[after:]) {
				continue
			}
			all = appendSentence(all, line[start:after])
			start = after
		}
		all = appendSentence(all, line[start:])
	}
	return all
}

func endsSentence(r rune, rest string) bool {
	switch r {
	case '。', '！', '？':
		return !strings.HasPrefix(rest, "」") && !strings.HasPrefix(rest, "』")
	case '.', '!', '?':
		next := strings.TrimLeft(rest, " \t")
		return next == "" || next != rest && !unicode.IsLower([]rune(clip(next, 1))[0])
	}
	return false
}

func appendSentence(all []string, s string) []string {
	s = strings.TrimSpace(s)
	s = strings.TrimSpace(strings.TrimLeft(s, "-*•・#>"))
	if s == "" {
		return all
	}
	return append(all, s)
}

// isQuestion goes by the mark, and by か where Japanese leaves the mark out.
func isQuestion(sentence string) bool {
	s := strings.TrimRight(sentence, " \"'”」』)）")
	return strings.HasSuffix(s, "?") || strings.HasSuffix(s, "？") || strings.HasSuffix(strings.TrimSuffix(s, "。"), "か")
}
