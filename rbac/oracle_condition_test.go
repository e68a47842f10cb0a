package rbac

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"sekisho/rbac/condition"
	"sekisho/rbac/internal/text/texttest"
)

// tree is a condition that the tests write, and judge themselves: nothing here
// is of package condition but the type of an attribute's source.
type tree struct {
	operator string // AND, OR, NOT, or that of an atom
	below    []*tree
	left     attribute
	values   []any
	right    attribute // in place of values
}

// attribute is an attribute's source and its name, as written.
type attribute struct{ source, name string }

func (a attribute) String() string { return "@" + a.source + "[" + a.name + "]" }

// A result is one of three, so that AND is the least and OR the greatest.
const (
	isFalse     = -1
	isUndecided = 0
	isTrue      = 1
)

// malformed is no condition. What stands under it never holds.
const malformed = "true"

// holds judges a condition by its text.
func (q asked) holds(source string) bool {
	if source == "" {
		return true
	}
	drawn, ok := q.trees[source]
	return ok && q.judge(drawn) == isTrue
}

func (q asked) judge(c *tree) int {
	var results []int
	for _, below := range c.below {
		results = append(results, q.judge(below))
	}
	switch c.operator {
	case "AND":
		return slices.Min(results)
	case "OR":
		return slices.Max(results)
	case "NOT":
		return -results[0]
	case "ActionMatches":
		return result(texttest.Match(strings.ToLower(c.values[0].(string)), strings.ToLower(q.Action)))
	case "SubOperationMatches":
		return result(q.SubOperation != "" && texttest.Match(strings.ToLower(c.values[0].(string)), strings.ToLower(q.SubOperation)))
	case "Exists":
		return result(len(q.valuesOf(c.left)) > 0)
	}
	left, right := q.valuesOf(c.left), c.values
	if right == nil {
		right = q.valuesOf(c.right)
	}
	operator, quantified := strings.CutPrefix(c.operator, "ForAnyOfAnyValues:")
	if len(left) == 0 || len(right) == 0 || !quantified && (len(left) > 1 || len(right) > 1) {
		return isUndecided
	}
	any := isFalse
	for _, l := range left {
		for _, r := range right {
			truth, fits := compare(operator, l, r)
			if !fits {
				return isUndecided
			}
			any = max(any, result(truth))
		}
	}
	return any
}

func result(truth bool) int {
	if truth {
		return isTrue
	}
	return isFalse
}

func compare(operator string, left, right any) (truth, fits bool) {
	switch operator {
	case "NumericLessThan":
		l, lok := left.(int)
		r, rok := right.(int)
		return l < r, lok && rok
	case "BoolEquals":
		l, lok := left.(bool)
		r, rok := right.(bool)
		return l == r, lok && rok
	case "DateTimeGreaterThanEquals":
		l, lok := left.(time.Time)
		r, rok := right.(time.Time)
		return !l.Before(r), lok && rok
	}
	l, lok := left.(string)
	r, rok := right.(string)
	if !lok || !rok {
		return false, false
	}
	switch operator {
	case "StringEquals":
		return l == r, true
	case "StringNotEquals":
		return l != r, true
	case "StringLike":
		return like(l, r), true
	case "GuidEquals":
		return strings.EqualFold(l, r), slices.ContainsFunc(guids, func(g string) bool { return strings.EqualFold(g, l) }) &&
			slices.ContainsFunc(guids, func(g string) bool { return strings.EqualFold(g, r) })
	}
	panic("no operator " + operator)
}

// like is StringLike without escapes, by the definition.
func like(s, pattern string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return like(s, pattern[1:]) || s != "" && like(s[1:], pattern)
	}
	return s != "" && (pattern[0] == '?' || pattern[0] == s[0]) && like(s[1:], pattern[1:])
}

// valuesOf are the values of an attribute; none if it is absent.
func (q asked) valuesOf(a attribute) []any {
	for name, v := range q.attributes {
		if name.source != a.source || !strings.EqualFold(name.name, a.name) {
			continue
		}
		if list, ok := v.([]any); ok {
			return list
		}
		return []any{v}
	}
	if a.source == "Environment" && strings.EqualFold(a.name, "UtcNow") {
		if q.Time.IsZero() {
			return []any{time.Now()}
		}
		return []any{q.Time}
	}
	return nil
}

// attribute gives the engine what valuesOf gives the oracle.
func (q asked) attribute(source condition.Source, key string) (any, bool) {
	for name, v := range q.attributes {
		if name.source == string(source) && strings.EqualFold(name.name, key) {
			return v, true
		}
	}
	return nil, false
}

var (
	guids = []string{"4e50c84c-c78e-4e37-b47e-e60ffea0a775", "B24988AC-6180-42A0-AB88-20F7382DD24C", "acdd72a7-3385-48ef-bd42-f606fba81ae7"}

	texts  = []attribute{{"Resource", "X/things:name"}, {"Request", "X/things:name"}, {"Principal", "Microsoft.Directory/CustomSecurityAttributes/Id:set_team"}, {"Resource", "X/things/tags:Team<$key_case_sensitive$>"}}
	size   = attribute{"Resource", "X/things:size"}
	owners = attribute{"Request", "X/things:owners"}
	link   = attribute{"Environment", "isPrivateLink"}
	utcNow = attribute{"Environment", "UtcNow"}

	// instants bound assignments, and are the times that are asked about.
	instants = []time.Time{time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 5, 1, 0, 0, 1, 0, time.UTC), time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)}
	words    = []string{"mine", "Mine", "yours"}
)

// drawAttributes draws what a request tells of its attributes: some are absent,
// and a few have several values, none, or values of another type.
func drawAttributes(t *rapid.T) map[attribute]any {
	drawn := map[attribute]any{}
	put := func(a attribute, draw func() any) {
		switch rapid.IntRange(0, 9).Draw(t, "kind of "+a.name) {
		case 0, 1: // absent
		case 2:
			drawn[a] = []any{draw(), draw()}
		case 3:
			drawn[a] = rapid.SampledFrom([]any{[]any{}, "mine", 7, true, guids[0]}).Draw(t, "odd value")
		default:
			drawn[a] = draw()
		}
	}
	for _, a := range texts {
		put(a, func() any { return rapid.SampledFrom(words).Draw(t, "text") })
	}
	put(size, func() any { return rapid.IntRange(0, 3).Draw(t, "size") })
	put(owners, func() any { return anyCase(t, "owner", guids) })
	put(link, func() any { return rapid.Bool().Draw(t, "link") })
	return drawn
}

func drawTree(t *rapid.T, depth int) *tree {
	kind := 0
	if depth > 0 {
		kind = rapid.IntRange(0, 5).Draw(t, "kind")
	}
	switch kind {
	case 4:
		return &tree{operator: "NOT", below: []*tree{drawTree(t, depth-1)}}
	case 5:
		return &tree{operator: rapid.SampledFrom([]string{"AND", "OR"}).Draw(t, "join"), below: []*tree{drawTree(t, depth-1), drawTree(t, depth-1)}}
	}
	name := rapid.SampledFrom(texts)
	operator := rapid.SampledFrom([]string{"StringEquals", "StringNotEquals", "StringLike", "ActionMatches", "SubOperationMatches", "Exists",
		"NumericLessThan", "ForAnyOfAnyValues:GuidEquals", "GuidEquals", "BoolEquals", "DateTimeGreaterThanEquals"}).Draw(t, "operator")
	c := &tree{operator: operator}
	switch operator {
	case "ActionMatches":
		c.values = []any{rapid.SampledFrom(globs).Draw(t, "pattern")}
	case "SubOperationMatches":
		c.values = []any{rapid.SampledFrom([]string{"Blob.List", "blob.*", "*.Other"}).Draw(t, "pattern")}
	case "Exists":
		c.left = rapid.SampledFrom(append([]attribute{size, owners, utcNow}, texts...)).Draw(t, "attribute")
	case "NumericLessThan":
		c.left, c.values = size, []any{rapid.IntRange(0, 3).Draw(t, "number")}
	case "ForAnyOfAnyValues:GuidEquals":
		c.left = owners
		for range rapid.IntRange(1, 2).Draw(t, "guids") {
			c.values = append(c.values, anyCase(t, "guid", guids))
		}
	case "GuidEquals":
		c.left, c.values = owners, []any{anyCase(t, "guid", guids)}
	case "BoolEquals":
		c.left, c.values = link, []any{rapid.Bool().Draw(t, "truth")}
	case "DateTimeGreaterThanEquals":
		c.left, c.values = utcNow, []any{rapid.SampledFrom(instants).Draw(t, "instant")}
	case "StringLike":
		c.left, c.values = name.Draw(t, "attribute"), []any{rapid.SampledFrom([]string{"*", "m*", "?ine", "*n?"}).Draw(t, "pattern")}
	default:
		c.left = name.Draw(t, "attribute")
		if rapid.IntRange(0, 3).Draw(t, "attribute on the right") == 0 {
			c.right = name.Draw(t, "attribute")
		} else {
			c.values = []any{rapid.SampledFrom(words).Draw(t, "text")}
		}
	}
	return c
}

// write prints a condition, with words in any case.
func (c *tree) write(t *rapid.T) string {
	word := func(w string) string { return anyCase(t, "word", []string{w}) }
	switch c.operator {
	case "AND", "OR":
		return "(" + c.below[0].write(t) + " " + word(c.operator) + " " + c.below[1].write(t) + ")"
	case "NOT":
		return word("NOT") + " (" + c.below[0].write(t) + ")"
	case "ActionMatches", "SubOperationMatches":
		return word(c.operator) + "{'" + c.values[0].(string) + "'}"
	case "Exists":
		return word("Exists") + " " + c.left.String()
	}
	if c.values == nil {
		return c.left.String() + " " + word(c.operator) + " " + c.right.String()
	}
	var values []string
	for _, v := range c.values {
		switch v := v.(type) {
		case time.Time:
			values = append(values, v.Format("'2006-01-02T15:04:05.0Z'"))
		case string:
			if strings.HasSuffix(c.operator, "GuidEquals") {
				values = append(values, v)
			} else {
				values = append(values, "'"+v+"'")
			}
		default:
			values = append(values, fmt.Sprint(v))
		}
	}
	list := strings.Join(values, ", ")
	if strings.HasPrefix(c.operator, "For") {
		list = "{" + list + "}"
	}
	return c.left.String() + " " + word(c.operator) + " " + list
}
