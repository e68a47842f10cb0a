package blob

import (
	"fmt"
	"strings"

	"sekisho/internal/api"
)

// TagQuery asks for blobs by their index tags: alternatives, of which one must
// hold, each of comparisons that all must hold.
// Source: rest-storageservices find-blobs-by-tags.md, "Remarks";
// specifying-conditional-headers-for-blob-service-operations.md, "x-ms-if-tags".
type TagQuery [][]TagComparison

// TagComparison compares a tag, or the name of the container, with a value.
type TagComparison struct{ Key, Operator, Value string }

// containerKey stands for the container's name.
const containerKey = "@container"

// ParseFilter reads the where of Find Blobs by Tags: comparisons joined by AND.
// Errors name the place in the text.
func ParseFilter(text string) (TagQuery, error) {
	p := tagParser{text: text, filter: true}
	return p.parse()
}

// ParseTagCondition reads x-ms-if-tags, which also knows OR and <>, and no
// container. Errors name the place in the text.
func ParseTagCondition(text string) (TagQuery, error) {
	p := tagParser{text: text}
	return p.parse()
}

type tagParser struct {
	text   string
	at     int
	filter bool
}

func (p *tagParser) fail(format string, args ...any) error {
	return fmt.Errorf("at character %d: %s", p.at+1, fmt.Sprintf(format, args...))
}

func (p *tagParser) parse() (TagQuery, error) {
	q := TagQuery{nil}
	for {
		c, err := p.comparison()
		if err != nil {
			return nil, err
		}
		q[len(q)-1] = append(q[len(q)-1], c)
		p.space()
		if p.at == len(p.text) {
			return q, nil
		}
		start := p.at
		switch word := strings.ToUpper(p.word()); {
		case word == "AND":
		case word == "OR" && !p.filter:
			q = append(q, nil)
		default:
			p.at = start
			return nil, p.fail("AND is expected")
		}
	}
}

func (p *tagParser) space() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

func (p *tagParser) word() string {
	start := p.at
	for p.at < len(p.text) && (isAlphanumeric(p.text[p.at]) || p.text[p.at] == '_' || p.text[p.at] == '@' && p.at == start) {
		p.at++
	}
	return p.text[start:p.at]
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (p *tagParser) comparison() (c TagComparison, err error) {
	p.space()
	start := p.at
	if p.at < len(p.text) && p.text[p.at] == '"' {
		if c.Key, err = p.quoted('"'); err != nil {
			return c, err
		}
	} else if c.Key = p.word(); c.Key == "" {
		return c, p.fail("a tag's name is expected")
	}
	if strings.HasPrefix(c.Key, "@") && (c.Key != containerKey || !p.filter) {
		p.at = start
		return c, p.fail("%q is no tag", c.Key)
	}
	p.space()
	operators := []string{">=", "<=", "=", ">", "<"}
	if !p.filter {
		operators = append([]string{"<>"}, operators...)
	}
	for _, op := range operators {
		if strings.HasPrefix(p.text[p.at:], op) {
			c.Operator = op
			break
		}
	}
	if c.Operator == "" || c.Key == containerKey && c.Operator != "=" {
		return c, p.fail("an operator is expected")
	}
	p.at += len(c.Operator)
	p.space()
	if p.at == len(p.text) || p.text[p.at] != '\'' {
		return c, p.fail("a value in single quotes is expected")
	}
	c.Value, err = p.quoted('\'')
	return c, err
}

func (p *tagParser) quoted(quote byte) (string, error) {
	start := p.at + 1
	end := strings.IndexByte(p.text[start:], quote)
	if end < 0 {
		return "", p.fail("the closing %c is missing", quote)
	}
	p.at = start + end + 1
	return p.text[start : start+end], nil
}

// holds tells whether a blob with these tags, in that container, is asked for.
func (q TagQuery) holds(container string, tags map[string]string) bool {
	for _, all := range q {
		met := true
		for _, c := range all {
			met = met && c.holds(container, tags)
		}
		if met {
			return true
		}
	}
	return false
}

func (c TagComparison) holds(container string, tags map[string]string) bool {
	value, there := tags[c.Key]
	if c.Key == containerKey {
		value, there = container, true
	}
	if c.Operator == "<>" {
		return !there || value != c.Value
	}
	return there && map[string]bool{"=": value == c.Value, ">": value > c.Value, ">=": value >= c.Value, "<": value < c.Value, "<=": value <= c.Value}[c.Operator]
}

// Bounds of tags. Source: set-blob-tags.md, "Remarks".
const (
	maxTags     = 10
	maxTagName  = 128
	maxTagValue = 256
)

// CheckTags refuses tags that a blob can't have. Errors are *api.Error.
func CheckTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return api.BadRequest("TagsTooLarge", "tags", "The tags specified exceed the maximum permissible limit.")
	}
	for name, value := range tags {
		switch {
		case name == "":
			return api.BadRequest("EmptyTagName", "tags", "The name of one of the tag key-value pairs is empty.")
		case len(name) > maxTagName || len(value) > maxTagValue:
			return api.BadRequest("TagsTooLarge", name, "The tags specified exceed the maximum permissible limit.")
		case !tagText(name) || !tagText(value):
			return api.BadRequest("InvalidTag", name, "The tags specified are invalid. It contains characters that are not permitted.")
		}
	}
	return nil
}

func tagText(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && !strings.ContainsRune(" +-./:=_", rune(s[i])) {
			return false
		}
	}
	return true
}
