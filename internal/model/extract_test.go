package model

import (
	"slices"
	"strings"
	"testing"
)

func conversation(pairs ...string) []message {
	var all []message
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, message{role: pairs[i], texts: []string{pairs[i+1]}})
	}
	return all
}

func TestAnswersQuoteWhatIsRelevant(t *testing.T) {
	const company = "Contoso sells bicycles in Kyoto. Its founders were Aiko Tanaka and Ben Ito. The office closes at six."
	const rules = "有給休暇は年に20日です。申請は上長の承認が必要です。オフィスは京都にあります。"
	for _, c := range []struct {
		name   string
		asked  []message
		quoted []string
		not    []string
	}{
		{"a system message is a source", conversation("system", company, "user", "Who were the founders of Contoso?"),
			[]string{"Its founders were Aiko Tanaka and Ben Ito."}, []string{"closes at six", "Nothing in the prompt"}},
		{"endings of words do not matter", conversation("system", company, "user", "who founded it"),
			[]string{"Aiko Tanaka"}, []string{"closes at six"}},
		{"an earlier user message is a source", conversation("user", company, "assistant", "Noted.", "user", "When does the office close?"),
			[]string{"The office closes at six."}, []string{"Aiko"}},
		{"one message holds sources and then the question", conversation("user", "Use these sources.\n\n"+company+"\n\nQuestion: Who were the founders of Contoso?"),
			[]string{"Aiko Tanaka"}, []string{"closes at six", "Nothing"}},
		{"one message holds the question and then the sources", conversation("user", "Who were the founders of Contoso?\n\n"+company),
			[]string{"Aiko Tanaka"}, []string{"closes at six", "Nothing"}},
		{"Japanese is split at 。 and matched by characters", conversation("system", rules, "user", "有給休暇は何日ですか？"),
			[]string{noticeJapanese, "有給休暇は年に20日です。"}, []string{"京都", notice}},
		{"widths of characters do not matter", conversation("system", "ｱｸｾｽｷｰは二つあります。", "user", "アクセスキーはいくつですか"),
			[]string{"ｱｸｾｽｷｰは二つあります。"}, nil},
		{"parts of other katakana words do not matter", conversation("system", "コンピューターのネットワークを構成します。", "user", "タワーの高さは？"),
			[]string{"質問「タワーの高さは？」"}, []string{"構成します"}},
		{"short katakana words matter", conversation("system", "キーは二つあります。", "user", "キーの数は？"),
			[]string{"キーは二つあります。"}, nil},
		{"a passage's number is quoted with it", conversation("system", "Answer from the documents.\n[doc1]: The lake is deep.\n[doc2] Bears sleep in winter. They eat fish.", "user", "When do bears sleep?"),
			[]string{"Bears sleep in winter. [doc2]"}, []string{"[doc1]"}},
		{"an earlier question answers nothing", conversation("user", "Who were the founders of Contoso?", "assistant", "I am not sure.", "user", "Who were the founders of Contoso?"),
			[]string{"Nothing in the prompt answers “Who were the founders of Contoso?”"}, nil},
		{"its own earlier answer is no source", conversation("user", "Who founded Contoso?", "assistant", notice+"\n\nNothing answers who founded Contoso.", "user", "And who founded Contoso?"),
			[]string{"Nothing in the prompt"}, []string{"Nothing answers"}},
		{"a conversation without a user message", conversation("system", "Be kind."),
			[]string{notice}, nil},
		{"an empty question", conversation("user", ""), []string{notice}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := answer(c.asked)
			for _, want := range c.quoted {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in %q", want, got)
				}
			}
			for _, not := range c.not {
				if strings.Contains(got, not) {
					t.Errorf("%q in %q", not, got)
				}
			}
			if got != answer(c.asked) {
				t.Error("a second time it answers otherwise")
			}
		})
	}
}

func TestTheSeedQuestionHasNoSource(t *testing.T) {
	for question, want := range map[string][]string{
		"Who were the founders of Microsoft?": {notice, "Nothing in the prompt answers “Who were the founders of Microsoft?”", "configure an upstream"},
		"マイクロソフトの創業者は誰ですか？":                   {noticeJapanese, "質問「マイクロソフトの創業者は誰ですか？」", "upstream"},
	} {
		got := answer(conversation("system", "Assistant is a large language model trained by OpenAI.", "user", question))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("no %q in %q", w, got)
			}
		}
		if strings.Contains(got, "trained by OpenAI") {
			t.Errorf("it quotes what does not answer: %q", got)
		}
	}
}

func TestAnAnswerIsBounded(t *testing.T) {
	long := strings.Repeat("founders of Contoso ", 10000)
	got := answer(conversation("system", strings.Repeat(long+".\n", 10), "user", long+"?"))
	if n := len([]rune(got)); n > (quotes+1)*(quoteLength+20)+500 {
		t.Errorf("the answer has %d characters", n)
	}
}

func TestSentences(t *testing.T) {
	for text, want := range map[string][]string{
		"One. Two! Three? Four":               {"One.", "Two!", "Three?", "Four"},
		"Version 3.5 of a.b is out, e.g. now": {"Version 3.5 of a.b is out, e.g. now"},
		"一つ目。二つ目！三つ目？":                        {"一つ目。", "二つ目！", "三つ目？"},
		"彼は「行く。」と言った。":                        {"彼は「行く。」と言った。"},
		"- bullet\n  • other\n\n# Title":      {"bullet", "other", "Title"},
		" \n\t\n":                             nil,
		"Ends with 日本。And goes on.":           {"Ends with 日本。", "And goes on."},
	} {
		if got := sentences(text); !slices.Equal(got, want) {
			t.Errorf("%q splits into %q, want %q", text, got, want)
		}
	}
}

func TestStemsMeet(t *testing.T) {
	for _, family := range [][]string{
		{"founders", "founded", "founding", "founder"},
		{"policy", "policies"}, {"machine", "machines"}, {"role", "roles"}, {"key", "keys"},
	} {
		for _, word := range family {
			if stem(word) != stem(family[0]) {
				t.Errorf("%s becomes %s, %s becomes %s", word, stem(word), family[0], stem(family[0]))
			}
		}
	}
	if stem("access") != "access" || stem("user") == stem("used") {
		t.Error("a stem takes too much")
	}
}
