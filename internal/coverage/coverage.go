// Package coverage keeps docs/COVERAGE.md. Each part of the page is written by
// the test that knows it, between markers, and the rest is left as it is.
package coverage

import (
	"fmt"
	"os"
	"strings"
)

// Page is the path of docs/COVERAGE.md.
type Page string

// Part reads what stands between a part's markers.
func (p Page) Part(name string) (string, error) {
	_, text, _, err := p.cut(name)
	return text, err
}

// Write puts text between a part's markers.
func (p Page) Write(name, text string) error {
	before, _, after, err := p.cut(name)
	if err != nil {
		return err
	}
	return os.WriteFile(string(p), []byte(before+text+after), 0o644)
}

// cut splits the page; the markers stay with before and after.
func (p Page) cut(name string) (before, text, after string, err error) {
	raw, err := os.ReadFile(string(p))
	if err != nil {
		return "", "", "", err
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->\n"
	before, rest, begun := strings.Cut(string(raw), begin)
	text, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		return "", "", "", fmt.Errorf("%s has no %s… %s", p, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin, text, end + after, nil
}
