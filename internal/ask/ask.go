// Package ask puts questions to a world of role assignments as people and
// programs put them: one by one, with names for ids; from a file of assertions;
// by the million. It prints nothing: commands draw what it answers.
package ask

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sekisho/internal/answer"
	"sekisho/rbac"
	"sekisho/rbac/builtin"
	"sekisho/rbac/condition"
	"sekisho/rbac/export"
	"sekisho/rbac/operations"
)

// World is an export made ready for questions.
type World struct {
	*export.Export
	Snapshot *rbac.Snapshot
	catalog  func() *rbac.Catalog
}

// New makes an export ready. The export may not change afterwards.
func New(e *export.Export) *World {
	return &World{e, rbac.NewSnapshot(e.World), sync.OnceValue(func() *rbac.Catalog {
		return rbac.NewCatalog(builtin.Roles(), builtin.Advised(), operations.All)
	})}
}

// Check answers a question in short. Batch writes the same fields.
func (w *World) Check(q rbac.Question) answer.Answer {
	return w.names().Checked(q, w.Snapshot.Check(q))
}

// Explain answers a question with all that there is to say, but no more than
// limit misses; 0 is no limit.
func (w *World) Explain(q rbac.Question, limit int) answer.Answer {
	e := w.Snapshot.Explain(q)
	a := w.names().Explained(q, e, limit)
	if e.Decision == rbac.NotAllowed {
		a.Suggest(q, w.catalog().Smallest(q))
	}
	return a
}

func (w *World) names() answer.Names { return w.NameOf }

// Query is a question as a person writes it.
type Query struct {
	// Principal is an object id, or a name that only one principal has.
	Principal, Action, Scope string
	// Data tells the plane; nil leaves it to the catalogue of operations.
	Data         *bool
	SubOperation string
	// Groups are more groups of the principal, by object id or name.
	Groups []string
	// Attributes are written Source:name=value; see ParseAttribute.
	Attributes []string
}

// Question finds out what a query means.
func (w *World) Question(in Query) (q rbac.Question, err error) {
	if q.Principal, err = w.Find(in.Principal); err != nil {
		return q, err
	}
	for _, name := range in.Groups {
		id, err := w.Find(name)
		if err != nil {
			return q, fmt.Errorf("group: %w", err)
		}
		q.Groups = append(q.Groups, id)
	}
	if err := CheckAction(in.Action); err != nil {
		return q, err
	}
	if q.Scope, err = ReadScope(in.Scope); err != nil {
		return q, err
	}
	q.Action, q.SubOperation = in.Action, in.SubOperation
	if in.Data != nil {
		q.Data = *in.Data
	} else {
		q.Data = DataOnly(in.Action)
	}
	var attributes Attributes
	for _, text := range in.Attributes {
		a, err := ParseAttribute(text)
		if err != nil {
			return q, err
		}
		attributes = append(attributes, a)
	}
	if attributes != nil {
		q.Attribute = attributes.Get
	}
	return q, nil
}

// CheckAction refuses what can be no operation.
func CheckAction(action string) error {
	if !strings.Contains(action, "/") || strings.ContainsAny(action, "* \t") {
		return fmt.Errorf("%q is not an action: give one operation, such as Microsoft.Search/searchServices/read", action)
	}
	return nil
}

// ReadScope reads a scope as a person writes it.
func ReadScope(scope string) (rbac.Scope, error) {
	if !strings.HasPrefix(scope, "/") {
		return "", fmt.Errorf("scope %q does not start with a slash: write it in full, such as /subscriptions/ID/resourceGroups/NAME", scope)
	}
	at, err := rbac.ParseScope(scope)
	if err != nil {
		return "", fmt.Errorf("scope %q: %w", scope, err)
	}
	return at, nil
}

// DataOnly tells whether the catalogue knows the action as a data action and
// not as a control-plane one.
func DataOnly(action string) bool {
	return operations.Known(action, true) && !operations.Known(action, false)
}

// Attribute is what a request says of one attribute.
type Attribute struct {
	Source condition.Source
	Key    string // see condition.Key
	Value  any
}

// Attributes are those of one request.
type Attributes []Attribute

// Get is what rbac.Question asks with.
func (a Attributes) Get(source condition.Source, key string) (any, bool) {
	for i := range a {
		if a[i].Key == key && a[i].Source == source {
			return a[i].Value, true
		}
	}
	return nil, false
}

var sources = []condition.Source{condition.Resource, condition.Request, condition.Environment, condition.Principal}

// sourceOf reads the name of a source, in any case.
func sourceOf(name string) (condition.Source, error) {
	for _, s := range sources {
		if name == string(s) || strings.EqualFold(name, string(s)) {
			return s, nil
		}
	}
	return "", fmt.Errorf("%q is not a source of attributes: Resource, Request, Environment or Principal", name)
}

const caseSensitive = "<$key_case_sensitive$>"

// ParseAttribute reads Source:name=value, the name as a condition writes it. A
// value is true, false, a whole number, a list in JSON or a text; a text that
// looks like one of the others goes in double quotes.
func ParseAttribute(text string) (a Attribute, err error) {
	source, rest, ok := strings.Cut(text, ":")
	if !ok {
		return a, fmt.Errorf("attribute %q is not written Source:name=value", text)
	}
	if a.Source, err = sourceOf(strings.TrimPrefix(source, "@")); err != nil {
		return a, err
	}
	// A tag's key may have an equals sign.
	head, tail := "", rest
	if i := strings.LastIndex(strings.ToLower(rest), caseSensitive+"="); i >= 0 {
		head, tail = rest[:i], rest[i:]
	}
	name, value, ok := strings.Cut(tail, "=")
	name = head + name
	if !ok || name == "" {
		return a, fmt.Errorf("attribute %q is not written Source:name=value", text)
	}
	a.Key = condition.Key(name)
	a.Value, err = parseValue(value)
	if err != nil {
		return a, fmt.Errorf("attribute %s: %w", name, err)
	}
	return a, nil
}

func parseValue(text string) (any, error) {
	if !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, `"`) && text != "true" && text != "false" && !isWhole(text) {
		return text, nil
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.InputOffset() != int64(len(text)) {
		return nil, fmt.Errorf("%s is neither a text in double quotes nor a list such as [\"a\",\"b\"]", text)
	}
	return v, checkValue(v)
}

// checkValue tells whether a value can be compared by a condition.
func checkValue(v any) error {
	switch v := v.(type) {
	case string, bool, json.Number:
		return nil
	case []any:
		for _, one := range v {
			if _, nested := one.([]any); nested || checkValue(one) != nil {
				return fmt.Errorf("a list may hold texts, true, false and numbers only")
			}
		}
		return nil
	}
	return fmt.Errorf("a value is a text, true, false, a number or a list of these")
}

func isWhole(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && (digits == "0" || digits[0] != '0') && !slices.ContainsFunc([]byte(digits), func(c byte) bool { return c < '0' || c > '9' })
}
