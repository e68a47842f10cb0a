package ask

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sekisho/internal/answer"
	"sekisho/rbac"
)

// Assertion is a line of a file of assertions:
//
//	can|cannot PRINCIPAL ACTION SCOPE [dataAction=true|false] [subOperation=NAME] [group=NAME]... [Source:attribute=value]...
//
// A word with spaces in it goes in quotes, double or single. What follows a # at
// the beginning of a word is a comment.
type Assertion struct {
	Line     int    `json:"line"`
	Text     string `json:"text"`
	Can      bool   `json:"can"`
	question rbac.Question
}

// Outcome is what became of an assertion.
type Outcome struct {
	Assertion
	OK bool `json:"ok"`
	// Answer explains one that does not hold.
	Answer *answer.Answer `json:"answer,omitempty"`
}

// Assertions reads a file of assertions. Its error has a line for each line that
// cannot be read.
func (w *World) Assertions(in io.Reader) (all []Assertion, err error) {
	var bad []error
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, lineLimit)
	number := 0
	for lines.Scan() {
		number++
		a, err := w.assertion(lines.Text())
		switch {
		case err != nil:
			bad = append(bad, fmt.Errorf("line %d: %w", number, err))
		case a != nil:
			a.Line = number
			all = append(all, *a)
		}
	}
	if err := lines.Err(); err != nil {
		bad = append(bad, fmt.Errorf("line %d: %w", number+1, err))
	}
	return all, errors.Join(bad...)
}

// assertion reads a line; nil for one without an assertion.
func (w *World) assertion(text string) (*Assertion, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	words, err := splitWords(text)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	a := &Assertion{Text: text, Can: words[0] == "can"}
	if !a.Can && words[0] != "cannot" {
		return nil, fmt.Errorf("%q is neither can nor cannot", words[0])
	}
	if len(words) < 4 {
		return nil, fmt.Errorf("expected: %s PRINCIPAL ACTION SCOPE", words[0])
	}
	in := Query{Principal: words[1], Action: words[2], Scope: words[3]}
	for _, word := range words[4:] {
		key, value, ok := strings.Cut(word, "=")
		switch {
		case !ok:
			return nil, fmt.Errorf("%q is not written key=value", word)
		case key == "dataAction":
			data, err := strconv.ParseBool(value)
			if err != nil {
				return nil, fmt.Errorf("dataAction is true or false, not %q", value)
			}
			in.Data = &data
		case key == "subOperation":
			in.SubOperation = value
		case key == "group":
			in.Groups = append(in.Groups, value)
		case strings.Contains(key, ":"):
			in.Attributes = append(in.Attributes, word)
		default:
			return nil, fmt.Errorf("%q is none of dataAction, subOperation, group and Source:attribute", key)
		}
	}
	a.question, err = w.Question(in)
	return a, err
}

// Assert checks an assertion.
func (w *World) Assert(a Assertion) Outcome {
	out := Outcome{Assertion: a, OK: w.Snapshot.Allows(a.question) == a.Can}
	if !out.OK {
		answer := w.Explain(a.question, shownMisses)
		out.Answer = &answer
	}
	return out
}

// shownMisses is how many misses a failed assertion tells of.
const shownMisses = 3

// splitWords splits a line at white space outside quotes.
func splitWords(text string) (words []string, err error) {
	var word strings.Builder
	in, keep, quote := false, false, rune(0)
	end := func() {
		if in {
			words = append(words, word.String())
		}
		word.Reset()
		in = false
	}
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			if keep {
				word.WriteRune(r)
			}
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == ' ' || r == '\t':
			end()
		case r == '#' && !in:
			return words, nil
		case (r == '"' || r == '\'') && (!in || strings.HasSuffix(word.String(), "=") && r == '\''):
			in, quote, keep = true, r, false
		case r == '"': // of JSON: a value keeps its quotes
			word.WriteRune(r)
			quote, keep = r, true
		default:
			in = true
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the %c is not closed", quote)
	}
	end()
	return words, nil
}
