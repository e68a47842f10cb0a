package text

import (
	"unicode"
	"unicode/utf8"
)

// Fold lower-cases an id, an action or a scope, so that what Azure calls equal
// is equal. It is narrower than strings.ToLower: a letter outside ASCII never
// becomes one inside (the Kelvin sign is not a k, so a resource group cannot be
// named to look like another), and bytes that are not UTF-8 stay as they are.
func Fold(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(AppendFold(nil, s))
		}
	}
	return s
}

// AppendFold appends Fold(s). It allocates only where dst is too short.
func AppendFold(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, s...)
	var bits byte
	tail := dst[start:]
	for i, c := range tail {
		bits |= c
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		tail[i] = c
	}
	if bits < utf8.RuneSelf {
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
