// Package texttest matches action patterns naively, for tests that compare.
package texttest

import "strings"

// Match is text.Match by the definition: a star between slashes may be left
// out with one of them. It takes exponential time.
func Match(pattern, action string) bool {
	if stars(pattern, action) {
		return true
	}
	for i := range pattern {
		if strings.HasPrefix(pattern[i:], "/*/") && Match(pattern[:i]+pattern[i+2:], action) {
			return true
		}
	}
	return false
}

// stars takes a star for nothing, or for one byte and a star.
func stars(pattern, action string) bool {
	switch {
	case pattern == "":
		return action == ""
	case pattern[0] == '*':
		return stars(pattern[1:], action) || action != "" && stars(pattern, action[1:])
	}
	return action != "" && pattern[0] == action[0] && stars(pattern[1:], action[1:])
}
