package text

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// Fold lower-cases an id, an action or a scope, so that what Azure calls equal
// is equal. It is narrower than strings.ToLower: a letter outside ASCII never
// becomes one inside (the Kelvin sign is not a k, so a resource group cannot be
// named to look like another), and bytes that are not UTF-8 stay as they are.
func Fold(s string) string {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if x := word(s[i : i+8]); x&high != 0 || capitals(x) != 0 {
			return string(AppendFold(nil, s))
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(AppendFold(nil, s))
		}
	}
	return s
}

// Eight bytes are looked at together, since every decision folds a scope and
// some ids. high has the top bit of each byte, which no ASCII has.
const high = 0x8080808080808080

func word(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// capitals has the top bit of each byte of x that is A to Z, if all are ASCII.
func capitals(x uint64) uint64 {
	const ones = 0x0101010101010101
	fromA, fromZ := x+(0x80-'A')*ones, x+(0x80-('Z'+1))*ones
	return fromA &^ fromZ & high
}

// AppendFold appends Fold(s). It allocates only where dst is too short.
func AppendFold(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, s...)
	tail := dst[start:]
	var seen uint64
	for len(tail) >= 8 {
		x := binary.LittleEndian.Uint64(tail)
		seen |= x
		binary.LittleEndian.PutUint64(tail, x|capitals(x)>>2)
		tail = tail[8:]
	}
	for i, c := range tail {
		seen |= uint64(c)
		if c-'A' < 26 {
			tail[i] = c + ('a' - 'A')
		}
	}
	if seen&high == 0 {
		return dst
	}
	dst = dst[:start]
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch lower := unicode.ToLower(r); {
		case size == 1 && r == utf8.RuneError, r >= utf8.RuneSelf && lower < utf8.RuneSelf:
			dst = append(dst, s[:size]...)
		default:
			dst = utf8.AppendRune(dst, lower)
		}
		s = s[size:]
	}
	return dst
}

// FoldsTo tells whether s folds to lower, which is lower-case ASCII.
func FoldsTo[T ~string | ~[]byte](s T, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(lower) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
