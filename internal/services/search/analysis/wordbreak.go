package analysis

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// class is the part of a character's properties that the standard tokenizer
// looks at: Word_Break of UAX #29, with the scripts that Lucene tells apart.
type class uint8

const (
	classOther class = iota
	classLetter
	classHebrew
	classHangul
	classNumeric
	classKatakana
	classMidLetter
	classMidNum
	classMidNumLet
	classSingleQuote
	classDoubleQuote
	classExtendNumLet
	classHan
	classHiragana
	classComplex // South East Asian: no spaces, kept together
	classExtend  // Extend, Format and ZWJ: belong to what is before
	classRegional
	classEmoji
	classModifier
)

// complexScripts have Line_Break=Complex_Context.
var complexScripts = []*unicode.RangeTable{unicode.Thai, unicode.Lao, unicode.Myanmar, unicode.Khmer,
	unicode.Tai_Le, unicode.New_Tai_Lue, unicode.Tai_Tham, unicode.Tai_Viet, unicode.Ahom}

// planeClasses are the classes of the Basic Multilingual Plane.
var planeClasses = sync.OnceValue(func() *[0x10000]class {
	var table [0x10000]class
	for r := range rune(0x10000) {
		table[r] = compute(r)
	}
	return &table
})

func compute(r rune) class {
	switch r {
	case ':', 0xB7, 0x387, 0x5F4, 0x2027, 0xFE13, 0xFE55, 0xFF1A:
		return classMidLetter
	case '.', 0x2018, 0x2019, 0x2024, 0xFE52, 0xFF07, 0xFF0E:
		return classMidNumLet
	case ',', ';', 0x37E, 0x589, 0x60C, 0x60D, 0x66C, 0x7F8, 0x2044, 0xFE10, 0xFE14, 0xFE50, 0xFE54, 0xFF0C, 0xFF1B:
		return classMidNum
	case '\'':
		return classSingleQuote
	case '"':
		return classDoubleQuote
	case 0x202F:
		return classExtendNumLet
	case 0x66B:
		return classNumeric
	case 0x200B:
		return classOther
	case 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x309B, 0x309C, 0x30A0, 0x30FC, 0xFF70:
		return classKatakana
	case 0x2DE, 0x2DF, 0x2ED, 0x55B, 0x55C, 0x55E, 0x5F3:
		return classLetter
	}
	switch {
	case r >= 0x2C2 && r <= 0x2C5, r >= 0x2D2 && r <= 0x2D7, r >= 0x2EF && r <= 0x2FF: // modifier symbols
		return classLetter
	case r >= 0x1F1E6 && r <= 0x1F1FF:
		return classRegional
	case r >= 0x1F3FB && r <= 0x1F3FF:
		return classModifier
	case unicode.Is(emoji, r):
		return classEmoji
	case unicode.Is(unicode.Han, r):
		return classHan
	case unicode.In(r, complexScripts...) && unicode.In(r, unicode.L, unicode.M):
		return classComplex
	case unicode.In(r, unicode.M, unicode.Other_Grapheme_Extend, unicode.Cf):
		return classExtend
	case unicode.Is(unicode.Nd, r):
		return classNumeric
	case unicode.Is(unicode.Pc, r):
		return classExtendNumLet
	case unicode.Is(unicode.Katakana, r):
		return classKatakana
	case unicode.Is(unicode.Hiragana, r):
		return classHiragana
	case unicode.Is(unicode.Hebrew, r) && unicode.Is(unicode.Lo, r):
		return classHebrew
	case unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic) && !unicode.Is(unicode.Ideographic, r):
		if unicode.Is(unicode.Hangul, r) {
			return classHangul
		}
		return classLetter
	}
	return classOther
}

// next decodes the rune at i.
func next(s string, i int) (r rune, size int) {
	if c := s[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRuneInString(s[i:])
}
