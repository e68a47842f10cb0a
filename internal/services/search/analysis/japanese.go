package analysis

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/ikawaha/kagome-dict/dict"
	"github.com/ikawaha/kagome-dict/ipa"
)

// morphology is kagome's IPA dictionary, which Lucene's kuromoji has too. It takes
// some 130 MB, so it is loaded when a Japanese text first comes.
var morphology = sync.OnceValue(ipa.Dict)

var lattices = sync.Pool{New: func() any { return &lattice{dict: morphology()} }}

// japanese cuts a text into morphemes as kuromoji does in SEARCH mode. With base it
// gives dictionary forms and leaves out particles, auxiliary verbs and symbols, as
// JapaneseBaseFormFilter and JapanesePartOfSpeechStopFilter do.
func japanese(base bool) tokenizer {
	return func(text string, out []Token) []Token {
		l := lattices.Get().(*lattice)
		position := 0
		l.segment(text, func(m morpheme) {
			token := Token{Text: text[m.start:m.end], Start: m.start, End: m.end, Position: position}
			if r, _ := utf8.DecodeRuneInString(token.Text); isPunctuation(r) {
				return
			}
			position++
			if base {
				if stopTag(l.dict, m) {
					return
				}
				if form := baseForm(l.dict, m); form != "" {
					token.Text = form
				}
			}
			out = append(out, token)
		})
		l.text = ""
		lattices.Put(l)
		return out
	}
}

// baseForm is the dictionary form of a word, empty for those that have none.
func baseForm(d *dict.Dict, m morpheme) string {
	if m.unknown || int(m.id) >= len(d.Contents) {
		return ""
	}
	row, at := d.Contents[m.id], int(d.ContentsMeta[dict.BaseFormIndex])-int(d.ContentsMeta[dict.POSHierarchy])
	if at < 0 || at >= len(row) || row[at] == "*" {
		return ""
	}
	return row[at]
}

// stopTag tells whether the part of speech of a word is left out.
func stopTag(d *dict.Dict, m morpheme) bool {
	var tag [64]byte
	name := tag[:0]
	put := func(part string) bool {
		if part == "*" {
			return false
		}
		if len(name) > 0 {
			name = append(name, '-')
		}
		name = append(name, part...)
		return true
	}
	if m.unknown {
		start := int(d.UnkDict.ContentsMeta[dict.POSStartIndex])
		for _, part := range d.UnkDict.Contents[m.id][start : start+int(d.UnkDict.ContentsMeta[dict.POSHierarchy])] {
			if !put(part) {
				break
			}
		}
	} else {
		for _, id := range d.POSTable.POSs[m.id] {
			if !put(d.POSTable.NameList[id]) {
				break
			}
		}
	}
	return stopTags[string(name)]
}

var stopTags = words(`接続詞 助詞 助詞-格助詞 助詞-格助詞-一般 助詞-格助詞-引用 助詞-格助詞-連語 助詞-接続助詞 助詞-係助詞
	助詞-副助詞 助詞-間投助詞 助詞-並立助詞 助詞-終助詞 助詞-副助詞／並立助詞／終助詞 助詞-連体化 助詞-副詞化 助詞-特殊 助動詞
	記号 記号-一般 記号-読点 記号-句点 記号-空白 記号-括弧開 記号-括弧閉 その他-間投 フィラー 非言語音`)

var stopJapanese = words(`の に は を た が で て と し れ さ ある いる も する から な こと として い や れる など なっ ない この ため その あっ よう
	また もの という あり まで られ なる へ か だ これ によって により おり より による ず なり られる において ば なかっ なく しかし について せ だっ
	その後 できる それ う ので なお のみ でき き つ における および いう さらに でも ら たり その他 に関する たち ます ん なら に対して 特に せる 及び
	これら とき では にて ほか ながら うち そして とともに ただし かつて それぞれ または お ほど ものの に対する ほとんど と共に といった です とも
	ところ ここ`)

// katakanaStem takes the long vowel mark off the end of words of at least four
// characters. Source: Lucene JapaneseKatakanaStemFilter.
func katakanaStem(word string) string {
	stemmed, ok := strings.CutSuffix(word, "ー")
	if !ok || utf8.RuneCountInString(word) < 4 {
		return word
	}
	for _, r := range word {
		if r < 0x30A0 || r > 0x30FF {
			return word
		}
	}
	return stemmed
}
