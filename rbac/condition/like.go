package condition

import "unicode/utf8"

// isLike tells whether a text is like a pattern: a star stands for any
// characters, slashes included, or for none, and a question mark for one
// character. A backslash before one of them makes it stand for itself; any other
// backslash is itself (conditions-format.md, "StringLike").
func isLike(s, pattern string) bool {
	at, in := 0, 0        // places in the text and in the pattern
	star, resume := -1, 0 // the last star, and where in the text it ends
	for at < len(s) {
		switch {
		case in == len(pattern):
		case pattern[in] == '*':
			star, resume = in, at
			in++
			continue
		case pattern[in] == '?':
			at += runeLen(s[at:])
			in++
			continue
		default:
			c, width := pattern[in], 1
			if c == '\\' && in+1 < len(pattern) && (pattern[in+1] == '*' || pattern[in+1] == '?') {
				c, width = pattern[in+1], 2
			}
			if c == s[at] {
				at, in = at+1, in+width
				continue
			}
		}
		if star < 0 {
			return false
		}
		// It does not fit: let the last star have one character more.
		resume += runeLen(s[resume:])
		at, in = resume, star+1
	}
	for in < len(pattern) && pattern[in] == '*' {
		in++
	}
	return in == len(pattern)
}

func runeLen(s string) int {
	_, size := utf8.DecodeRuneInString(s)
	return size
}
