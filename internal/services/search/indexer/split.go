package indexer

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// SplitSkill cuts text into pages or sentences.
// Source: azure-docs search/cognitive-search-skill-textsplit.md.
type SplitSkill struct {
	Common
	Language string `json:"defaultLanguageCode,omitempty"`
	Mode     string `json:"textSplitMode,omitempty"`
	Length   *int   `json:"maximumPageLength"`
	Overlap  *int   `json:"pageOverlapLength" api:"2024-07-01,2023-10-01"`
	Take     *int   `json:"maximumPagesToTake" api:"2024-07-01,2023-10-01"`
}

const (
	splitPages     = "pages"
	splitSentences = "sentences"

	minPage, maxPage, defaultPage = 300, 50000, 5000
)

// Languages of the source, and of the enumeration SplitSkillLanguage.
var splitLanguages = []string{"en", "am", "bs", "cs", "da", "de", "es", "et", "fi", "fr", "he", "hi", "hr", "hu", "id", "is", "it", "ja", "ko",
	"lv", "nb", "nl", "no", "pl", "pt", "pt-br", "pt-PT", "ru", "sk", "sl", "sr", "sv", "tr", "ur", "zh", "zh-Hans"}

func (k *SplitSkill) plan(Skill) (err error) {
	if k.Language, err = oneOf("defaultLanguageCode", k.Language, splitLanguages...); err != nil {
		return err
	}
	if k.Mode == "" {
		return invalid("textSplitMode", "skill '%s' : textSplitMode is required: pages or sentences.", k.Name)
	}
	if k.Mode, err = oneOf("textSplitMode", k.Mode, splitPages, splitSentences); err != nil {
		return err
	}
	def := func(p **int, v int) {
		if *p == nil {
			*p = &v
		}
	}
	def(&k.Length, defaultPage)
	def(&k.Overlap, 0)
	def(&k.Take, 0)
	switch {
	case k.Mode == splitPages && *k.Length != 0 && (*k.Length < minPage || *k.Length > maxPage):
		return invalid("maximumPageLength", "skill '%s' : maximumPageLength is %d; it is between %d and %d.", k.Name, *k.Length, minPage, maxPage)
	case *k.Overlap < 0 || k.Mode == splitPages && *k.Overlap > k.length()/2:
		return invalid("pageOverlapLength", "skill '%s' : pageOverlapLength is %d; it is not negative and at most half of maximumPageLength.", k.Name, *k.Overlap)
	case *k.Take < 0:
		return invalid("maximumPagesToTake", "skill '%s' : maximumPagesToTake is %d; it is not negative.", k.Name, *k.Take)
	}
	return k.hold([]string{"text"}, []string{"languageCode"}, []string{"textItems", "ordinalPositions", "offsets", "lengths"})
}

func (k *SplitSkill) length() int {
	if *k.Length == 0 {
		return defaultPage
	}
	return *k.Length
}

func (k *SplitSkill) run(_ context.Context, _ Client, records []*record) error {
	for _, r := range records {
		text, ok := r.text("text")
		if !ok {
			continue
		}
		if code, ok := r.in["languageCode"].(string); ok && !slices.ContainsFunc(splitLanguages, func(l string) bool { return strings.EqualFold(l, code) }) {
			r.warn(inputInvalid, "Skill input 'languageCode' has the following language codes '"+code+"', at least one of which is invalid.", linkInput)
			continue
		}
		units := utf16.Encode([]rune(text)) // String.Length counts these
		var pieces []span
		if k.Mode == splitSentences {
			pieces = sentences(units)
		} else {
			pieces = pages(units, k.length(), *k.Overlap, *k.Take)
		}
		items, ordinals, offsets, lengths := []any{}, []any{}, []any{}, []any{}
		for i, piece := range pieces {
			items = append(items, string(utf16.Decode(units[piece.from:piece.to])))
			ordinals = append(ordinals, toNumber(float64(i+1)))
			offsets = append(offsets, toNumber(float64(piece.from)))
			lengths = append(lengths, toNumber(float64(piece.to-piece.from)))
		}
		r.out = map[string]any{"textItems": items, "ordinalPositions": ordinals, "offsets": offsets, "lengths": lengths}
	}
	return nil
}

// span is part of a text.
type span struct{ from, to int }

// ends tells whether a sentence ends before a place: after a full stop and a space,
// after one of East Asia, or at the end of a line.
func ends(units []uint16, at int) bool {
	last := rune(units[at-1])
	switch last {
	case '\n', '。', '！', '？', '．', '｡':
		return true
	}
	if !unicode.IsSpace(last) || at < 2 {
		return false
	}
	switch units[at-2] {
	case '.', '!', '?':
		return true
	}
	return false
}

// sentences cuts after each sentence that is not blank.
func sentences(units []uint16) (all []span) {
	from := 0
	for at := 1; at <= len(units); at++ {
		if at == len(units) || ends(units, at) {
			s := trim(units, span{from, at})
			if s.from < s.to {
				all = append(all, s)
			}
			from = at
		}
	}
	return all
}

func trim(units []uint16, s span) span {
	for s.from < s.to && unicode.IsSpace(rune(units[s.from])) {
		s.from++
	}
	for s.from < s.to && unicode.IsSpace(rune(units[s.to-1])) {
		s.to--
	}
	return s
}

// pages cuts text into pieces of at most a length: after a sentence if one ends in
// the second half, else at a space, else anywhere but within a character. The next
// page begins so many characters before the end of the last.
func pages(units []uint16, length, overlap, take int) (all []span) {
	for from := 0; from < len(units) && (take == 0 || len(all) < take); {
		to := min(from+length, len(units))
		if to < len(units) {
			to = breakAt(units, from+max(length/2, overlap+1), to)
		}
		all = append(all, span{from, to})
		if to == len(units) {
			break
		}
		from = to - overlap
		if lowHalf(units[from]) {
			from--
		}
	}
	return all
}

// breakAt finds the best place for the end of a page, after least and up to most.
func breakAt(units []uint16, least, most int) int {
	for at := most; at > least; at-- {
		if ends(units, at) {
			return at
		}
	}
	for at := most; at > least; at-- {
		if unicode.IsSpace(rune(units[at-1])) {
			return at
		}
	}
	if lowHalf(units[most]) {
		return most - 1
	}
	return most
}

// lowHalf tells of the second unit of a character that has two.
func lowHalf(unit uint16) bool { return unit>>10 == 0xdc00>>10 }
