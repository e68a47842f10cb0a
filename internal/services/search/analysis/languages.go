package analysis

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/analysis/lang/bg"
	"github.com/blevesearch/bleve/v2/analysis/lang/ca"
	"github.com/blevesearch/bleve/v2/analysis/lang/ckb"
	"github.com/blevesearch/bleve/v2/analysis/lang/cs"
	"github.com/blevesearch/bleve/v2/analysis/lang/da"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/el"
	"github.com/blevesearch/bleve/v2/analysis/lang/es"
	"github.com/blevesearch/bleve/v2/analysis/lang/eu"
	"github.com/blevesearch/bleve/v2/analysis/lang/fa"
	"github.com/blevesearch/bleve/v2/analysis/lang/fi"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/ga"
	"github.com/blevesearch/bleve/v2/analysis/lang/gl"
	"github.com/blevesearch/bleve/v2/analysis/lang/hi"
	"github.com/blevesearch/bleve/v2/analysis/lang/hu"
	"github.com/blevesearch/bleve/v2/analysis/lang/hy"
	"github.com/blevesearch/bleve/v2/analysis/lang/id"
	indic "github.com/blevesearch/bleve/v2/analysis/lang/in"
	"github.com/blevesearch/bleve/v2/analysis/lang/it"
	"github.com/blevesearch/bleve/v2/analysis/lang/nl"
	"github.com/blevesearch/bleve/v2/analysis/lang/no"
	"github.com/blevesearch/bleve/v2/analysis/lang/pt"
	"github.com/blevesearch/bleve/v2/analysis/lang/ro"
	"github.com/blevesearch/bleve/v2/analysis/lang/ru"
	"github.com/blevesearch/bleve/v2/analysis/lang/sv"
	"github.com/blevesearch/bleve/v2/analysis/lang/tr"
	porter "github.com/blevesearch/go-porterstemmer"
	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/irish"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/turkish"
)

// snowball makes a stemmer of a program of the Snowball project.
func snowball(program func(*snowballstem.Env) bool) func(string) string {
	return func(word string) string {
		env := snowballstem.NewEnv(word)
		program(env)
		return env.Current()
	}
}

// byWord lets a filter of bleve that looks at words one by one change a word.
func byWord(f analysis.TokenFilter) func(string) string {
	return func(word string) string {
		out := f.Filter(analysis.TokenStream{{Term: []byte(word)}})
		if len(out) == 0 {
			return ""
		}
		return string(out[0].Term)
	}
}

// stemPorter is Porter's stemmer of 1980, which Lucene's PorterStemFilter is.
func stemPorter(word string) string {
	return string(porter.StemWithoutLowerCasing([]rune(word)))
}

var (
	spanishAccents = strings.NewReplacer("à", "a", "á", "a", "â", "a", "ä", "a", "ò", "o", "ó", "o", "ô", "o", "ö", "o",
		"è", "e", "é", "e", "ê", "e", "ë", "e", "ù", "u", "ú", "u", "û", "u", "ü", "u", "ì", "i", "í", "i", "î", "i", "ï", "i")
	lightSpanish = byWord(es.NewSpanishLightStemmerFilter())
	plainRussian = strings.NewReplacer("ё", "е")
	russianStems = snowball(russian.Stem)
)

// stemSpanish folds accents before it stems, which bleve's stemmer means to and
// does not.
func stemSpanish(word string) string {
	if utf8.RuneCountInString(word) < 5 {
		return word
	}
	return lightSpanish(spanishAccents.Replace(word))
}

// stemRussian takes ё for е, as newer versions of the Snowball program do.
func stemRussian(word string) string { return russianStems(plainRussian.Replace(word)) }

// snowballs are the languages of the snowball filter that there are programs for.
var snowballs = map[string]func(string) string{
	"danish":     snowball(danish.Stem),
	"dutch":      snowball(dutch.Stem),
	"english":    snowball(english.Stem),
	"finnish":    snowball(finnish.Stem),
	"french":     snowball(french.Stem),
	"german":     snowball(german.Stem),
	"hungarian":  snowball(hungarian.Stem),
	"italian":    snowball(italian.Stem),
	"norwegian":  snowball(norwegian.Stem),
	"porter":     stemPorter,
	"portuguese": snowball(portuguese.Stem),
	"romanian":   snowball(romanian.Stem),
	"russian":    stemRussian,
	"spanish":    snowball(spanish.Stem),
	"swedish":    snowball(swedish.Stem),
	"turkish":    snowball(turkish.Stem),
}

var snowballLanguages = []string{"armenian", "basque", "catalan", "danish", "dutch", "english", "finnish", "french", "german",
	"german2", "hungarian", "italian", "kp", "lovins", "norwegian", "porter", "portuguese", "romanian", "russian", "spanish",
	"swedish", "turkish"}

// stemmers are the languages of the stemmer filter that there are programs for.
var stemmers = map[string]func(string) string{
	"arabic":            byWord(ar.NewArabicStemmerFilter()),
	"danish":            snowballs["danish"],
	"dutch":             snowballs["dutch"],
	"english":           stemPorter,
	"finnish":           snowballs["finnish"],
	"french":            snowballs["french"],
	"german":            snowballs["german"],
	"hindi":             byWord(hi.NewHindiStemmerFilter()),
	"hungarian":         snowballs["hungarian"],
	"irish":             snowball(irish.Stem),
	"italian":           snowballs["italian"],
	"lightFrench":       byWord(fr.NewFrenchLightStemmerFilter()),
	"lightGerman":       byWord(de.NewGermanLightStemmerFilter()),
	"lightItalian":      byWord(it.NewItalianLightStemmerFilterFilter()),
	"lightPortuguese":   byWord(pt.NewPortugueseLightStemmerFilter()),
	"lightSpanish":      stemSpanish,
	"minimalFrench":     byWord(fr.NewFrenchMinimalStemmerFilter()),
	"norwegian":         snowballs["norwegian"],
	"porter2":           snowballs["english"],
	"portuguese":        snowballs["portuguese"],
	"possessiveEnglish": possessive,
	"romanian":          snowballs["romanian"],
	"russian":           snowballs["russian"],
	"sorani":            byWord(ckb.NewSoraniStemmerFilter()),
	"spanish":           snowballs["spanish"],
	"swedish":           snowballs["swedish"],
	"turkish":           snowballs["turkish"],
}

var stemmerLanguages = []string{"arabic", "armenian", "basque", "brazilian", "bulgarian", "catalan", "czech", "danish", "dutch",
	"dutchKp", "english", "lightEnglish", "minimalEnglish", "possessiveEnglish", "porter2", "lovins", "finnish", "lightFinnish",
	"french", "lightFrench", "minimalFrench", "galician", "minimalGalician", "german", "german2", "lightGerman", "minimalGerman",
	"greek", "hindi", "hungarian", "lightHungarian", "indonesian", "irish", "italian", "lightItalian", "sorani", "latvian",
	"norwegian", "lightNorwegian", "minimalNorwegian", "lightNynorsk", "minimalNynorsk", "portuguese", "lightPortuguese",
	"minimalPortuguese", "portugueseRslp", "romanian", "russian", "lightRussian", "spanish", "lightSpanish", "swedish",
	"lightSwedish", "turkish"}

// listed reads one of bleve's lists of words when it is first asked for.
func listed(list []byte) func() map[string]bool {
	return sync.OnceValue(func() map[string]bool {
		words := analysis.NewTokenMap()
		_ = words.LoadBytes(list) // reading from memory does not fail
		return words
	})
}

// stoplists are the predefined lists of stop words that there are.
var stoplists = map[string]func() map[string]bool{
	"arabic":     listed(ar.ArabicStopWords),
	"armenian":   listed(hy.ArmenianStopWords),
	"basque":     listed(eu.BasqueStopWords),
	"bulgarian":  listed(bg.BulgarianStopWords),
	"catalan":    listed(ca.CatalanStopWords),
	"czech":      listed(cs.CzechStopWords),
	"danish":     listed(da.DanishStopWords),
	"dutch":      listed(nl.DutchStopWords),
	"english":    func() map[string]bool { return stopEnglish },
	"finnish":    listed(fi.FinnishStopWords),
	"french":     listed(fr.FrenchStopWords),
	"galician":   listed(gl.GalicianStopWords),
	"german":     listed(de.GermanStopWords),
	"greek":      listed(el.GreekStopWords),
	"hindi":      listed(hi.HindiStopWords),
	"hungarian":  listed(hu.HungarianStopWords),
	"indonesian": listed(id.IndonesianStopWords),
	"irish":      listed(ga.IrishStopWords),
	"italian":    listed(it.ItalianStopWords),
	"norwegian":  listed(no.NorwegianStopWords),
	"persian":    listed(fa.PersianStopWords),
	"portuguese": listed(pt.PortugueseStopWords),
	"romanian":   listed(ro.RomanianStopWords),
	"russian":    listed(ru.RussianStopWords),
	"sorani":     listed(ckb.SoraniStopWords),
	"spanish":    listed(es.SpanishStopWords),
	"swedish":    listed(sv.SwedishStopWords),
	"turkish":    listed(tr.TurkishStopWords),
}

var stopLanguages = []string{"arabic", "armenian", "basque", "brazilian", "bulgarian", "catalan", "czech", "danish", "dutch",
	"english", "finnish", "french", "galician", "german", "greek", "hindi", "hungarian", "indonesian", "irish", "italian",
	"latvian", "norwegian", "persian", "portuguese", "romanian", "russian", "sorani", "spanish", "swedish", "thai", "turkish"}

var (
	normalizeArabic  = byWord(ar.NewArabicNormalizeFilter())
	normalizeGerman  = byWord(de.NewGermanNormalizeFilter())
	normalizeHindi   = byWord(hi.NewHindiNormalizeFilter())
	normalizeIndic   = byWord(indic.NewIndicNormalizeFilter())
	normalizePersian = byWord(fa.NewPersianNormalizeFilter())
	normalizeSorani  = byWord(ckb.NewSoraniNormalizeFilter())
)

// lowerTurkish knows the dotless i.
func lowerTurkish(word string) string {
	return strings.ToLowerSpecial(unicode.TurkishCase, word)
}

// lowerIrish parts the prothetic t and n of a vowel: "tAthair" is "t-athair".
// Source: Lucene IrishLowerCaseFilter.
func lowerIrish(word string) string {
	if len(word) > 1 && (word[0] == 't' || word[0] == 'n') && strings.ContainsRune("AEIOUÁÉÍÓÚ", []rune(word)[1]) {
		return word[:1] + "-" + strings.ToLower(word[1:])
	}
	return strings.ToLower(word)
}

// scandinavian folds the spellings of Swedish, Danish and Norwegian into one.
// Source: Lucene ScandinavianNormalizationFilter.
func scandinavian(word string) string {
	return vowels(word, func(r, after rune) (rune, bool) {
		second := unicode.ToLower(after)
		switch r {
		case 'ä':
			return 'æ', false
		case 'Ä':
			return 'Æ', false
		case 'ö':
			return 'ø', false
		case 'Ö':
			return 'Ø', false
		case 'a', 'A':
			switch second {
			case 'a', 'o':
				return map[rune]rune{'a': 'å', 'A': 'Å'}[r], true
			case 'e':
				return map[rune]rune{'a': 'æ', 'A': 'Æ'}[r], true
			}
		case 'o', 'O':
			if second == 'e' || second == 'o' {
				return map[rune]rune{'o': 'ø', 'O': 'Ø'}[r], true
			}
		}
		return r, false
	})
}

// foldScandinavian makes the vowels plain. Source: Lucene ScandinavianFoldingFilter.
func foldScandinavian(word string) string {
	return vowels(word, func(r, after rune) (rune, bool) {
		second := unicode.ToLower(after)
		switch r {
		case 'å', 'ä', 'æ':
			return 'a', false
		case 'Å', 'Ä', 'Æ':
			return 'A', false
		case 'ö', 'ø':
			return 'o', false
		case 'Ö', 'Ø':
			return 'O', false
		case 'a', 'A':
			return r, second == 'a' || second == 'o' || second == 'e'
		case 'o', 'O':
			return r, second == 'e' || second == 'o'
		}
		return r, false
	})
}

// vowels changes characters by themselves and what follows, which is left out
// where change says so.
func vowels(word string, change func(r, after rune) (to rune, both bool)) string {
	runes := []rune(word)
	out := runes[:0]
	for i := 0; i < len(runes); i++ {
		after := rune(0)
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		to, both := change(runes[i], after)
		out = append(out, to)
		if both {
			i++
		}
	}
	return string(out)
}
