package indexer

import (
	"fmt"
	"strings"
)

// Path leads to nodes of an enriched document: /document/pages/*/text. A star
// enumerates an array; at the end, # is the array as one value.
//
// Source: azure-docs search/cognitive-search-skill-annotation-language.md.
type Path []string

const (
	star = "*"
	hash = "#"
	root = "document"
)

// maxPath bounds the segments of a path.
const maxPath = 64

// ParsePath reads a path.
func ParsePath(text string) (Path, error) {
	trimmed, ok := strings.CutPrefix(text, "/")
	if !ok {
		return nil, fmt.Errorf("the path '%s' does not begin with '/document'", text)
	}
	p := Path(strings.Split(strings.TrimSuffix(trimmed, "/"), "/"))
	if p[0] != root {
		return nil, fmt.Errorf("the path '%s' does not begin with '/document'", text)
	}
	if len(p) > maxPath {
		return nil, fmt.Errorf("the path '%s' has more than %d segments", text, maxPath)
	}
	for i, segment := range p {
		switch {
		case segment == "":
			return nil, fmt.Errorf("the path '%s' has an empty segment", text)
		case segment == hash && i < len(p)-1:
			return nil, fmt.Errorf("the path '%s' has '#' before its end", text)
		case segment == star, segment == hash:
		default:
			if p[i], ok = unescape(segment); !ok {
				return nil, fmt.Errorf("the path '%s' has a '~' that is neither '~0' nor '~1'", text)
			}
		}
	}
	return p, nil
}

// unescape reads ~0 as a slash and ~1 as a tilde, as the source says; it is the
// other way round in JSON Pointer.
func unescape(s string) (string, bool) {
	rest, out := s, ""
	for {
		before, after, found := strings.Cut(rest, "~")
		out += before
		switch {
		case !found:
			return out, true
		case strings.HasPrefix(after, "0"):
			out += "/"
		case strings.HasPrefix(after, "1"):
			out += "~"
		default:
			return "", false
		}
		rest = after[1:]
	}
}

// within tells whether a path is another or below it. A star stands for any index.
func (p Path) within(outer Path) bool {
	if len(p) < len(outer) {
		return false
	}
	for i, segment := range outer {
		if !same(p[i], segment) {
			return false
		}
	}
	return true
}

func same(a, b string) bool {
	if a == b {
		return true
	}
	enumerates := func(s string) bool { return s == star || s == hash }
	return enumerates(a) && (enumerates(b) || isIndex(b)) || enumerates(b) && isIndex(a)
}

func isIndex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && len(s) < 9
}

func (p Path) String() string { return "/" + strings.Join(p, "/") }
