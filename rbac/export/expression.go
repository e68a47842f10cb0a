package export

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An expression is what a template has in brackets (azure-docs
// azure-resource-manager/templates/template-expressions.md): calls, texts in
// single quotes, whole numbers, and members and elements of these.

// isExpression tells a text in brackets from one that only starts with one.
func isExpression(s string) (string, bool) {
	if strings.HasPrefix(s, "[[") || !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") || len(s) < 2 {
		return s, false
	}
	return s[1 : len(s)-1], true
}

// depthLimit bounds calls within calls, and deployments within deployments.
const depthLimit = 64

// evaluator evaluates one expression in a frame.
type evaluator struct {
	text  string
	at    int
	frame *frame
	depth int
}

func (f *frame) evaluate(text string, depth int) (any, error) {
	e := &evaluator{text: text, frame: f, depth: depth}
	v, err := e.value()
	if err != nil {
		return nil, err
	}
	if e.space(); e.at < len(e.text) {
		return nil, e.unexpected()
	}
	return v, nil
}

func (e *evaluator) space() {
	for e.at < len(e.text) && strings.IndexByte(" \t\r\n", e.text[e.at]) >= 0 {
		e.at++
	}
}

func (e *evaluator) byte(want byte) bool {
	e.space()
	if e.at < len(e.text) && e.text[e.at] == want {
		e.at++
		return true
	}
	return false
}

func (e *evaluator) unexpected() error {
	if e.at >= len(e.text) {
		return fmt.Errorf("the expression [%s] ends too early", e.text)
	}
	return fmt.Errorf("in the expression [%s], %q is not expected", e.text, e.text[e.at:])
}

func (e *evaluator) value() (any, error) {
	e.depth++
	defer func() { e.depth-- }()
	if *e.frame.steps++; *e.frame.steps > stepLimit {
		return nil, errors.New("the template is too large to evaluate")
	}
	if e.depth > depthLimit {
		return nil, fmt.Errorf("the expression [%s] is nested too deep, or in a circle", e.text)
	}
	v, err := e.operand()
	for err == nil {
		switch {
		case e.byte('.'):
			name := e.word()
			if name == "" {
				return nil, e.unexpected()
			}
			v, err = memberOf(v, name)
		case e.byte('['):
			var key any
			if key, err = e.value(); err != nil {
				return nil, err
			}
			if !e.byte(']') {
				return nil, e.unexpected()
			}
			v, err = element(v, key)
		default:
			return v, nil
		}
	}
	return nil, err
}

func (e *evaluator) operand() (any, error) {
	e.space()
	if e.at < len(e.text) && e.text[e.at] == '\'' {
		return e.quoted()
	}
	word := e.word()
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n, nil
	}
	if word == "" || !e.byte('(') {
		return nil, e.unexpected()
	}
	lazy := strings.EqualFold(word, "if")
	var args []any
	for !e.byte(')') {
		if len(args) > 0 && !e.byte(',') {
			return nil, e.unexpected()
		}
		start := e.at
		v, err := e.value()
		if err != nil && lazy && len(args) > 0 { // the side that is not taken may be unknown
			e.at = start
			v, err = unknown{err}, e.skip()
		}
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	v, err := e.frame.call(word, args, e.depth)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", word, err)
	}
	if size(v) > stepLimit {
		return nil, fmt.Errorf("%s: its value is too large", word)
	}
	return v, nil
}

// unknown is the value of an argument of if that cannot be told.
type unknown struct{ err error }

// skip goes to the end of an argument.
func (e *evaluator) skip() error {
	open := 0
	for ; e.at < len(e.text); e.at++ {
		switch e.text[e.at] {
		case '\'':
			if _, err := e.quoted(); err != nil {
				return err
			}
			e.at--
		case '(', '[':
			open++
		case ']':
			open--
		case ')':
			if open == 0 {
				return nil
			}
			open--
		case ',':
			if open == 0 {
				return nil
			}
		}
	}
	return e.unexpected()
}

func (e *evaluator) word() string {
	e.space()
	start := e.at
	for e.at < len(e.text) {
		c := e.text[e.at]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			break
		}
		e.at++
	}
	return e.text[start:e.at]
}

func (e *evaluator) quoted() (any, error) {
	var out strings.Builder
	for i := e.at + 1; i < len(e.text); i++ {
		if e.text[i] != '\'' {
			out.WriteByte(e.text[i])
			continue
		}
		if i+1 < len(e.text) && e.text[i+1] == '\'' {
			out.WriteByte('\'')
			i++
			continue
		}
		e.at = i + 1
		return out.String(), nil
	}
	e.at = len(e.text)
	return nil, e.unexpected()
}

func memberOf(v any, name string) (any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is asked of something that is no object", name)
	}
	if m, ok := object[name]; ok {
		return m, nil
	}
	for key, m := range object {
		if strings.EqualFold(key, name) {
			return m, nil
		}
	}
	return nil, fmt.Errorf("there is no member %s", name)
}

func element(v, key any) (any, error) {
	if name, ok := key.(string); ok {
		return memberOf(v, name)
	}
	list, ok := v.([]any)
	i, number := whole64(key)
	if !ok || !number || i < 0 || i >= int64(len(list)) {
		return nil, fmt.Errorf("there is no element %v", key)
	}
	return list[i], nil
}
