package ask

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sekisho/rbac"
	"sekisho/rbac/condition"
)

// line is a question as one line of a batch has it.
type line struct {
	Principal    string                    `json:"principal"`
	Groups       []string                  `json:"groups"` // of its token; beyond the contract
	Action       string                    `json:"action"`
	Data         bool                      `json:"dataAction"`
	Scope        string                    `json:"scope"`
	Attributes   map[string]map[string]any `json:"attributes"`
	SubOperation string                    `json:"subOperation"`
	Time         time.Time                 `json:"time"` // of the request; beyond the contract
}

// parseLine reads any line. Keys that it does not know are left alone.
func parseLine(text []byte) (q rbac.Question, err error) {
	var in line
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&in); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the object does not end")
		}
		return q, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return q, errors.New("there is more than one object")
	}
	q = rbac.Question{Principal: in.Principal, Groups: in.Groups, Action: in.Action, Data: in.Data, Scope: rbac.Scope(in.Scope), SubOperation: in.SubOperation, Time: in.Time}
	var attributes Attributes
	for name, values := range in.Attributes {
		source, err := sourceOf(name)
		if err != nil {
			return q, err
		}
		for name, value := range values {
			if value == nil {
				continue
			}
			if err := checkValue(value); err != nil {
				return q, fmt.Errorf("attribute %s: %w", name, err)
			}
			key := condition.Key(name)
			if _, again := attributes.Get(source, key); again {
				return q, fmt.Errorf("attribute %s is given twice", name)
			}
			attributes = append(attributes, Attribute{source, key, value})
		}
	}
	if attributes != nil {
		q.Attribute = attributes.Get
	}
	return q, complete(&q)
}

func complete(q *rbac.Question) error {
	switch {
	case q.Principal == "":
		return errors.New("principal is missing")
	case q.Action == "":
		return errors.New("action is missing")
	case q.Scope == "":
		return errors.New("scope is missing")
	case q.Scope[0] != '/':
		return fmt.Errorf("scope %q does not start with a slash", q.Scope)
	}
	return nil
}

// scanLine reads a line of the plain form that programs write, several times as
// fast as parseLine; ok is false where it has to be asked.
func scanLine(text string) (q rbac.Question, ok bool) {
	s := scanner{text: text}
	var attributes Attributes
	var seen [6]bool
	first := func(i int) bool { again := seen[i]; seen[i] = true; return !again }
	if !s.members(func(key string) bool {
		switch key {
		case "principal":
			return first(0) && s.string(&q.Principal)
		case "action":
			return first(1) && s.string(&q.Action)
		case "dataAction":
			return first(2) && s.bool(&q.Data)
		case "scope":
			return first(3) && s.string((*string)(&q.Scope))
		case "subOperation":
			return first(4) && s.string(&q.SubOperation)
		case "attributes":
			return first(5) && s.attributes(&attributes)
		}
		return false
	}) || !s.end() || complete(&q) != nil {
		return rbac.Question{}, false
	}
	if attributes != nil {
		q.Attribute = attributes.Get
	}
	return q, true
}

// scanner reads JSON without escapes, and gives up on anything else.
type scanner struct {
	text string
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t' || s.text[s.at] == '\r') {
		s.at++
	}
}

func (s *scanner) byte(want byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == want {
		s.at++
		return true
	}
	return false
}

func (s *scanner) end() bool {
	s.space()
	return s.at == len(s.text)
}

// members reads an object; each reads the value of a key.
func (s *scanner) members(each func(key string) bool) bool {
	if !s.byte('{') {
		return false
	}
	if s.byte('}') {
		return true
	}
	for {
		var key string
		if !s.string(&key) || !s.byte(':') || !each(key) {
			return false
		}
		if s.byte('}') {
			return true
		}
		if !s.byte(',') {
			return false
		}
	}
}

func (s *scanner) string(to *string) bool {
	if !s.byte('"') {
		return false
	}
	ascii := true
	for i := s.at; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			*to = s.text[s.at:i]
			s.at = i + 1
			return ascii || utf8.ValidString(*to)
		case c == '\\' || c < ' ':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return false
}

func (s *scanner) word(word string) bool {
	s.space()
	if !strings.HasPrefix(s.text[s.at:], word) {
		return false
	}
	s.at += len(word)
	return true
}

func (s *scanner) bool(to *bool) bool {
	*to = s.word("true")
	return *to || s.word("false")
}

func (s *scanner) attributes(to *Attributes) bool {
	return s.members(func(name string) bool {
		source := condition.Source(name)
		return slices.Contains(sources, source) && s.members(func(name string) bool {
			a := Attribute{Source: source, Key: condition.Key(name)}
			if _, again := to.Get(source, a.Key); again {
				return false
			}
			if !s.value(&a.Value, true) {
				return false
			}
			*to = append(*to, a)
			return true
		})
	})
}

func (s *scanner) value(to *any, lists bool) bool {
	s.space()
	if s.at == len(s.text) {
		return false
	}
	switch c := s.text[s.at]; {
	case c == '"':
		var text string
		ok := s.string(&text)
		*to = text
		return ok
	case c == 't' || c == 'f':
		var truth bool
		ok := s.bool(&truth)
		*to = truth
		return ok
	case c == '[' && lists:
		return s.list(to)
	}
	start := s.at
	for s.at < len(s.text) && strings.IndexByte("-0123456789", s.text[s.at]) >= 0 {
		s.at++
	}
	*to = json.Number(s.text[start:s.at])
	return isWhole(s.text[start:s.at]) && s.text[start:s.at] != "-0"
}

func (s *scanner) list(to *any) bool {
	list := []any{}
	*to = list
	if s.at++; s.byte(']') {
		return true
	}
	for {
		var one any
		if !s.value(&one, false) {
			return false
		}
		list = append(list, one)
		if s.byte(']') {
			*to = list
			return true
		}
		if !s.byte(',') {
			return false
		}
	}
}
