package analysis

import (
	"regexp"

	"sekisho/internal/services/search/schema"
)

// replacement is what a match is replaced by: texts, and groups of the match between
// them.
type replacement []piece

type piece struct {
	text  string
	group int // of the match; -1 for a text
}

var groupReference = regexp.MustCompile(`\\(.)|\$(\d)|\$\{(\w+)\}|(\$)`)

// readReplacement reads Java's: $1, ${name}, and \ before a character that is itself.
func readReplacement(at schema.Place, property, text string, pattern *regexp.Regexp) (r replacement, err error) {
	last := 0
	for _, m := range groupReference.FindAllStringSubmatchIndex(text, -1) {
		r = append(r, piece{text[last:m[0]], -1})
		last = m[1]
		sub := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		switch {
		case sub(1) != "":
			r = append(r, piece{sub(1), -1})
		case sub(2) != "":
			group := int(sub(2)[0] - '0')
			if group > pattern.NumSubexp() {
				return nil, refuse(at.In(property), "The pattern has no group %s", sub(2))
			}
			r = append(r, piece{"", group})
		case sub(3) != "":
			group := pattern.SubexpIndex(sub(3))
			if group < 0 {
				return nil, refuse(at.In(property), "The pattern has no group named '%s'", sub(3))
			}
			r = append(r, piece{"", group})
		default:
			return nil, refuse(at.In(property), "A $ must name a group; write \\$ for the character")
		}
	}
	return append(r, piece{text[last:], -1}), nil
}

// expand appends what stands for a match, as submatches of a text give it. It stops
// where out is of most bytes.
func (r replacement) expand(out []byte, text string, match []int, most int) []byte {
	for _, p := range r {
		part := p.text
		if p.group >= 0 && match[2*p.group] >= 0 {
			part = text[match[2*p.group]:match[2*p.group+1]]
		}
		out = append(out, part[:min(len(part), max(most-len(out), 0))]...)
	}
	return out
}
