package model

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

const (
	notice         = "This is Sekisho's built-in model: it quotes from the prompt and knows nothing else."
	noticeJapanese = "これはSekishoの組み込みモデルです。プロンプトからの引用だけで答え、ほかのことは何も知りません。"

	// quotes and quoteLength (characters) bound an answer.
	quotes      = 3
	quoteLength = 400
	// enough is the share of a question's terms that a sentence has to have for
	// it to say something about the question.
	enough = 0.25
)

// answer quotes from the conversation the sentences that are most relevant to
// its last question, or says that there are none.
func answer(messages []message) string {
	question, sources := ask(messages)
	found := relevant(question, sources)
	if hasJapanese(question) {
		if len(found) == 0 {
			return noticeJapanese + "\n\n質問「" + clip(question, quoteLength) + "」に答えられる文がプロンプトにありません。本物の答えを得るには、このデプロイの背後にOpenAI互換のモデルサーバー(upstream)を設定してください。"
		}
		return noticeJapanese + "\n\n" + quote(found)
	}
	if len(found) == 0 {
		return notice + "\n\nNothing in the prompt answers “" + clip(question, quoteLength) + "”. For real answers, configure an upstream for this deployment: any OpenAI-compatible model server."
	}
	return notice + "\n\n" + quote(found)
}

// source is a sentence that may be quoted. The mark is the [doc1] of the
// passage that it stands in, as On Your Data numbers what it retrieved.
type source struct{ text, mark string }

// ask finds the question in the last user message (a prompt may hold sources
// too, in the same message), and the sentences that may answer it.
func ask(messages []message) (question string, sources []source) {
	last := len(messages) - 1
	for i, m := range slices.Backward(messages) {
		if m.role == "user" {
			last = i
			break
		}
	}
	question = pick(passages(messages[last].text()))
	for _, m := range messages {
		// What this model said earlier is no source: it would quote itself.
		said := m.text()
		if m.role == "assistant" && (strings.Contains(said, notice) || strings.Contains(said, noticeJapanese)) {
			continue
		}
		sources = append(sources, passages(said)...)
	}
	// Neither the question nor other questions answer it.
	sources = slices.DeleteFunc(sources, func(s source) bool {
		return strings.HasSuffix(s.text, question) || isQuestion(s.text)
	})
	return question, sources
}

var label = regexp.MustCompile(`(?i)^(question|query|q|質問)\s*[:：]\s*`)

// pick takes the last question outside of numbered passages, else the last one
// inside (nothing marks the end of a passage), else the last sentence.
func pick(said []source) string {
	rank := func(s source) int {
		switch {
		case isQuestion(s.text) && s.mark == "":
			return 2
		case isQuestion(s.text):
			return 1
		}
		return 0
	}
	var best source
	for _, s := range said {
		if rank(s) >= rank(best) {
			best = s
		}
	}
	return label.ReplaceAllString(best.text, "")
}

var mark = regexp.MustCompile(`^\[doc\d+\]`)

func passages(text string) []source {
	var all []source
	current := ""
	for _, s := range sentences(text) {
		if m := mark.FindString(s); m != "" {
			current, s = m, strings.TrimLeft(s[len(m):], ": \t")
		}
		if s != "" {
			all = append(all, source{s, current})
		}
	}
	return all
}

// relevant gives the best few sources, in the order of the conversation.
func relevant(question string, sources []source) []source {
	wanted := terms(question)
	total := 0.0
	for _, weight := range wanted {
		total += weight
	}
	if total == 0 {
		return nil
	}
	has := make([]map[string]float64, len(sources))
	frequency := map[string]int{}
	for i, s := range sources {
		has[i] = terms(s.text)
		for term := range has[i] {
			frequency[term]++
		}
	}
	type scored struct {
		index int
		score float64
	}
	var candidates []scored
	seen := map[string]bool{}
	for i, s := range sources {
		// Sums over sorted terms: the order of additions must not change an answer.
		covered, score := 0.0, 0.0
		for _, term := range shared(wanted, has[i]) {
			covered += wanted[term]
			score += wanted[term] * math.Log(1+float64(len(sources))/float64(frequency[term]))
		}
		if covered < enough*total || seen[s.text] {
			continue
		}
		seen[s.text] = true
		// Of two sentences that say as much of the question, the shorter is nearer.
		candidates = append(candidates, scored{i, score / math.Log(10+float64(len(has[i])))})
	}
	slices.SortStableFunc(candidates, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	candidates = candidates[:min(len(candidates), quotes)]
	candidates = slices.DeleteFunc(candidates, func(c scored) bool { return c.score < candidates[0].score/2 })
	slices.SortFunc(candidates, func(a, b scored) int { return a.index - b.index })
	found := make([]source, len(candidates))
	for i, c := range candidates {
		found[i] = sources[c.index]
	}
	return found
}

func shared(a, b map[string]float64) []string {
	var both []string
	for term := range a {
		if _, ok := b[term]; ok {
			both = append(both, term)
		}
	}
	slices.Sort(both)
	return both
}

// terms weighs what a sentence is about: words and pairs of words; in Japanese
// pairs of characters, of which those with hiragana count little, and in
// katakana, where pairs repeat from word to word (ター, ーク), triples.
func terms(text string) map[string]float64 {
	weights := map[string]float64{}
	previous := ""
	for _, r := range runs(fold(text)) {
		if r.japanese {
			previous = ""
			japaneseTerms(r.text, weights)
			continue
		}
		word := string(r.text)
		if isFunctionWord(word) {
			continue
		}
		word = stem(word)
		weights[word] = 1
		if previous != "" {
			weights[previous+" "+word] = 0.5
		}
		previous = word
	}
	return weights
}

func japaneseTerms(text []rune, weights map[string]float64) {
	if len(text) == 1 {
		weights[string(text)] = weigh(text) / 2
	}
	ngrams(text, 2, func(pair []rune) {
		if !isKatakana(pair[0]) || !isKatakana(pair[1]) {
			weights[string(pair)] = weigh(pair)
		}
	})
	for word := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return !isKatakana(r) }) {
		katakana := []rune(word)
		if len(katakana) == 2 {
			weights[word] = 1
		}
		ngrams(katakana, 3, func(triple []rune) { weights[string(triple)] = 1 })
	}
}

func weigh(gram []rune) float64 {
	if grammatical(gram) {
		return 0.25
	}
	return 1
}

// quote joins sentences, each with its mark, without a space after a Japanese
// one.
func quote(found []source) string {
	var b strings.Builder
	for i, s := range found {
		if i > 0 && !strings.HasSuffix(b.String(), "。") {
			b.WriteByte(' ')
		}
		b.WriteString(clip(s.text, quoteLength))
		if s.mark != "" {
			b.WriteString(" " + s.mark)
		}
	}
	return b.String()
}
