package analysis

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/ga"
	"github.com/blevesearch/bleve/v2/analysis/lang/it"
	"github.com/blevesearch/bleve/v2/analysis/lang/pl"
)

// maxWord is the longest token where no option says otherwise.
const maxWord = 255

// chain is an analyzer without char filters.
func chain(t tokenizer, filters ...filter) *Analyzer {
	return &Analyzer{tokenize: t, filters: filters}
}

// western is what most of Lucene's analyzers of languages are: standard words,
// lower case, stop words, a stemmer.
func western(stopwords, stemmer string) *Analyzer {
	return chain(standard(maxWord), lower, stop(stoplists[stopwords]()), stem(stemmers[stemmer]))
}

// builtins make the predefined analyzers, each once. The names of languages are
// Lucene's analyzers; see microsoft for the others.
var builtins = func() map[string]func() *Analyzer {
	made := map[string]func() *Analyzer{
		"standard.lucene": func() *Analyzer { return chain(standard(maxWord), lower) },
		"standardasciifolding.lucene": func() *Analyzer {
			return chain(standard(maxWord), lower, each(foldASCII))
		},
		"keyword":    func() *Analyzer { return chain(whole(1 << 30)) },
		"pattern":    func() *Analyzer { return chain(separated(nonWord, -1), lower) },
		"simple":     func() *Analyzer { return chain(runs(isLetter, maxWord), lower) },
		"stop":       func() *Analyzer { return chain(runs(isLetter, maxWord), lower, stop(stopEnglish)) },
		"whitespace": func() *Analyzer { return chain(runs(notSpace, maxWord)) },

		"ar.lucene": func() *Analyzer {
			return chain(standard(maxWord), lower, each(digits), stop(stoplists["arabic"]()), each(normalizeArabic), stem(stemmers["arabic"]))
		},
		"da.lucene": func() *Analyzer { return western("danish", "danish") },
		"de.lucene": func() *Analyzer {
			return chain(standard(maxWord), lower, stop(stoplists["german"]()), each(normalizeGerman), stem(stemmers["lightGerman"]))
		},
		"en.lucene": func() *Analyzer {
			return chain(standard(maxWord), each(possessive), lower, stop(stopEnglish), stem(stemPorter))
		},
		"es.lucene": func() *Analyzer { return western("spanish", "lightSpanish") },
		"fa.lucene": func() *Analyzer {
			a := chain(standard(maxWord), lower, each(digits), each(normalizeArabic), each(normalizePersian), stop(stoplists["persian"]()))
			a.chars = []charFilter{mapping(map[string]string{"\u200c": " "})}
			return a
		},
		"fi.lucene": func() *Analyzer { return western("finnish", "finnish") },
		"fr.lucene": func() *Analyzer {
			return chain(standard(maxWord), elide(listed(fr.FrenchArticles)()), lower, stop(stoplists["french"]()), stem(stemmers["lightFrench"]))
		},
		"ga.lucene": func() *Analyzer {
			hyphenations := set([]string{"h", "n", "t"}, true)
			return chain(standard(maxWord), only(func(t *Token) bool { return !hyphenations(t.Text) }), elide(listed(ga.IrishArticles)()),
				each(lowerIrish), stop(stoplists["irish"]()), stem(stemmers["irish"]))
		},
		"hi.lucene": func() *Analyzer {
			return chain(standard(maxWord), lower, each(digits), each(normalizeIndic), each(normalizeHindi), stop(stoplists["hindi"]()), stem(stemmers["hindi"]))
		},
		"hu.lucene": func() *Analyzer { return western("hungarian", "hungarian") },
		"it.lucene": func() *Analyzer {
			return chain(standard(maxWord), elide(listed(it.ItalianArticles)()), lower, stop(stoplists["italian"]()), stem(stemmers["lightItalian"]))
		},
		"ja.lucene": func() *Analyzer {
			a := chain(japanese(true), stop(stopJapanese), stem(katakanaStem), lower)
			a.chars = []charFilter{widths}
			return a
		},
		"ko.lucene": cjk,
		"nl.lucene": func() *Analyzer {
			return chain(standard(maxWord), lower, stop(stoplists["dutch"]()),
				override(map[string]string{"fiets": "fiets", "bromfiets": "bromfiets", "ei": "eier", "kind": "kinder"}), stem(stemmers["dutch"]))
		},
		"no.lucene": func() *Analyzer { return western("norwegian", "norwegian") },
		"pl.lucene": func() *Analyzer {
			stemmer, err := pl.NewPolishStemmerFilter()
			if err != nil {
				panic(err) // the table is embedded
			}
			long := byWord(stemmer)
			return chain(standard(maxWord), lower, stop(listed(pl.PolishStopWords)()), stem(func(word string) string {
				// Source: Lucene StempelFilter, StempelStemmer.
				if length(word) < 3 {
					return word
				}
				if stemmed := long(word); stemmed != "" {
					return stemmed
				}
				return word
			}))
		},
		"pt-PT.lucene": func() *Analyzer { return western("portuguese", "lightPortuguese") },
		"ro.lucene":    func() *Analyzer { return western("romanian", "romanian") },
		"ru.lucene":    func() *Analyzer { return western("russian", "russian") },
		"sv.lucene":    func() *Analyzer { return western("swedish", "swedish") },
		"tr.lucene": func() *Analyzer {
			return chain(standard(maxWord), each(apostrophe), each(lowerTurkish), stop(stoplists["turkish"]()), stem(stemmers["turkish"]))
		},
		"zh-Hans.lucene": cjk,
		"zh-Hant.lucene": cjk,
	}
	made["standard"] = made["standard.lucene"]
	for microsoft, lucene := range microsoft {
		made[microsoft] = made[lucene]
	}
	for name, make := range made {
		made[name] = sync.OnceValue(make)
	}
	return made
}()

var nonWord = &searcher{pattern: regexp.MustCompile(`\W+`)}

// cjk is Lucene's CJKAnalyzer.
func cjk() *Analyzer {
	english := maps.Clone(stopEnglish)
	for _, word := range []string{"s", "t", "www", ""} {
		english[word] = true
	}
	return chain(standard(maxWord), each(foldWidth), lower, bigrams(nil, false), stop(english))
}

// microsoft are the analyzers of Microsoft's own technology, whose lemmatizers are
// closed: each is Lucene's for the same language here. Words are found, but by
// stems where Azure has lemmas ("mice" does not find "mouse").
var microsoft = map[string]string{
	"ar.microsoft": "ar.lucene", "da.microsoft": "da.lucene", "de.microsoft": "de.lucene", "en.microsoft": "en.lucene",
	"es.microsoft": "es.lucene", "fi.microsoft": "fi.lucene", "fr.microsoft": "fr.lucene", "hi.microsoft": "hi.lucene",
	"hu.microsoft": "hu.lucene", "it.microsoft": "it.lucene", "ja.microsoft": "ja.lucene", "ko.microsoft": "ko.lucene",
	"nb.microsoft": "no.lucene", "nl.microsoft": "nl.lucene", "pl.microsoft": "pl.lucene", "pt-PT.microsoft": "pt-PT.lucene",
	"ro.microsoft": "ro.lucene", "ru.microsoft": "ru.lucene", "sv.microsoft": "sv.lucene", "tr.microsoft": "tr.lucene",
	"zh-Hans.microsoft": "zh-Hans.lucene", "zh-Hant.microsoft": "zh-Hant.lucene",
}

// unbuilt are analyzers of Azure that are not here: their stemmers are in no
// library, or (th) their dictionaries are not.
var unbuilt = words(`bg.lucene bg.microsoft bn.microsoft ca.lucene ca.microsoft cs.lucene cs.microsoft el.lucene el.microsoft
	et.microsoft eu.lucene gl.lucene gu.microsoft he.microsoft hr.microsoft hy.lucene id.lucene id.microsoft is.microsoft
	kn.microsoft lt.microsoft lv.lucene lv.microsoft ml.microsoft mr.microsoft ms.microsoft pa.microsoft pt-BR.lucene
	pt-BR.microsoft sk.microsoft sl.microsoft sr-cyrillic.microsoft sr-latin.microsoft ta.microsoft te.microsoft th.lucene
	th.microsoft uk.microsoft ur.microsoft vi.microsoft`)

// Names are the predefined analyzers, sorted.
func Names() []string { return slices.Sorted(maps.Keys(builtins)) }

// language tells whether a predefined analyzer is of a language.
func language(name string) bool {
	return !strings.HasPrefix(name, "standard") && (strings.HasSuffix(name, ".lucene") || strings.HasSuffix(name, ".microsoft"))
}

var normalizers = map[string]*Normalizer{
	"asciifolding": {filters: []filter{each(foldASCII)}},
	"elision":      {filters: []filter{elide(frenchArticles)}},
	"lowercase":    {filters: []filter{lower}},
	"standard":     {filters: []filter{lower, each(foldASCII)}},
	"uppercase":    {filters: []filter{upper}},
}
