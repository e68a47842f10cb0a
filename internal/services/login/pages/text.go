package pages

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

// texts are what the pages say, by language. {0}, {1} stand for what is told.
var texts = map[Lang]map[string]string{English: english, Japanese: japanese}

// plain is a text for titles and attributes.
func (l Lang) plain(key string, told ...string) (string, error) {
	text, ok := texts[l][key]
	if !ok {
		return "", fmt.Errorf("pages: no text %q in %s", key, l)
	}
	return fill(text, told), nil
}

// say is a text as HTML. What it tells comes from users and applications: it is
// escaped, and isolated so that its writing direction can't rearrange the text.
func (l Lang) say(key string, told ...string) (template.HTML, error) {
	text, ok := texts[l][key]
	if !ok {
		return "", fmt.Errorf("pages: no text %q in %s", key, l)
	}
	safe := make([]string, len(told))
	for i, s := range told {
		safe[i] = "<bdi>" + template.HTMLEscapeString(s) + "</bdi>"
	}
	return template.HTML(fill(template.HTMLEscapeString(text), safe)), nil
}

// fill goes through the text once, so that what is told is not searched again.
func fill(text string, told []string) string {
	var pairs []string
	for i, s := range told {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", s)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
