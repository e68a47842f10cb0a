package condition

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/rbac/internal/text/texttest"
)

// tree is a condition as it was drawn. It has its own evaluator, which goes by
// the words of the documents and shares nothing with the real one.
type tree struct {
	join        string // "AND", "OR", "NOT", or "" of an atom
	below       []tree
	operator    string // of an atom, as Atom.Operator
	left, right side
}

type side struct {
	source, name string
	values       []any // string, bool, int, guid, instant
}

type (
	guidText    string
	instantText string
)

type world struct {
	action, sub string
	attributes  map[string]any // by "Source name"
}

// holds is nil for what cannot be decided.
func (w world) holds(t tree) *bool {
	truth := func(b bool) *bool { return &b }
	switch t.join {
	case "NOT":
		if r := w.holds(t.below[0]); r != nil {
			return truth(!*r)
		}
		return nil
	case "AND", "OR":
		decisive := t.join == "OR"
		undecided := false
		for _, b := range t.below {
			switch r := w.holds(b); {
			case r == nil:
				undecided = true
			case *r == decisive:
				return r
			}
		}
		if undecided {
			return nil
		}
		return truth(!decisive)
	}
	switch t.operator {
	case "ActionMatches":
		return truth(texttest.Match(strings.ToLower(t.right.values[0].(string)), strings.ToLower(w.action)))
	case "SubOperationMatches":
		return truth(w.sub != "" && texttest.Match(strings.ToLower(t.right.values[0].(string)), strings.ToLower(w.sub)))
	case "Exists":
		return truth(len(w.all(t.left)) > 0)
	}
	quantifier, operator, quantified := strings.Cut(t.operator, ":")
	if !quantified {
		quantifier, operator = "", quantifier
	}
	left, right := w.all(t.left), w.all(t.right)
	if len(left) == 0 || len(right) == 0 || !quantified && (len(left) > 1 || len(right) > 1) {
		return nil
	}
	if strings.HasPrefix(operator, "String") {
		left, right = naiveTexts(left), naiveTexts(right)
	}
	for _, v := range slices.Concat(left, right) {
		if !naiveFits(operator, v) {
			return nil
		}
	}
	switch quantifier {
	case "ForAllOfAnyValues":
		return truth(all(left, func(l any) bool { return anyOf(right, func(r any) bool { return naiveCompare(operator, l, r) }) }))
	case "ForAnyOfAllValues":
		return truth(anyOf(left, func(l any) bool { return all(right, func(r any) bool { return naiveCompare(operator, l, r) }) }))
	case "ForAllOfAllValues":
		return truth(all(left, func(l any) bool { return all(right, func(r any) bool { return naiveCompare(operator, l, r) }) }))
	}
	return truth(anyOf(left, func(l any) bool { return anyOf(right, func(r any) bool { return naiveCompare(operator, l, r) }) }))
}

func anyOf(values []any, yes func(any) bool) bool { return slices.ContainsFunc(values, yes) }

func all(values []any, yes func(any) bool) bool {
	return !slices.ContainsFunc(values, func(v any) bool { return !yes(v) })
}

func (w world) all(s side) []any {
	if s.source == "" {
		return s.values
	}
	switch v := w.attributes[s.source+" "+s.name].(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// naiveTexts makes texts of GUIDs and times: callers give them as texts.
func naiveTexts(values []any) []any {
	values = slices.Clone(values)
	for i, v := range values {
		switch v := v.(type) {
		case guidText:
			values[i] = string(v)
		case instantText:
			values[i] = string(v)
		}
	}
	return values
}

func naiveFits(operator string, v any) bool {
	switch v.(type) {
	case bool:
		return strings.HasPrefix(operator, "Bool")
	case int:
		return strings.HasPrefix(operator, "Numeric")
	case guidText:
		return strings.HasPrefix(operator, "Guid")
	case instantText:
		return strings.HasPrefix(operator, "DateTime")
	}
	return strings.HasPrefix(operator, "String")
}

func naiveCompare(operator string, left, right any) bool {
	if positive := strings.Replace(operator, "Not", "", 1); positive != operator {
		return !naiveCompare(positive, left, right)
	}
	if sensitive, ok := strings.CutSuffix(operator, "IgnoreCase"); ok {
		return naiveCompare(sensitive, strings.ToLower(left.(string)), strings.ToLower(right.(string)))
	}
	order := 0
	switch l := left.(type) {
	case int:
		order = l - right.(int)
	case instantText:
		lt, _ := time.Parse(time.RFC3339, string(l))
		rt, _ := time.Parse(time.RFC3339, string(right.(instantText)))
		order = lt.Compare(rt)
	case guidText:
		plain := func(g any) string { return strings.ToLower(strings.ReplaceAll(string(g.(guidText)), "-", "")) }
		order = strings.Compare(plain(l), plain(right))
	case string:
		switch operator {
		case "StringStartsWith":
			return strings.HasPrefix(l, right.(string))
		case "StringLike":
			return naiveLike(l, right.(string))
		}
		order = strings.Compare(l, right.(string))
	case bool:
		if l != right.(bool) {
			order = 1
		}
	}
	switch {
	case strings.HasSuffix(operator, "LessThan"):
		return order < 0
	case strings.HasSuffix(operator, "LessThanEquals"):
		return order <= 0
	case strings.HasSuffix(operator, "GreaterThan"):
		return order > 0
	case strings.HasSuffix(operator, "GreaterThanEquals"):
		return order >= 0
	}
	return order == 0
}

func naiveLike(s, pattern string) bool {
	var expression strings.Builder
	for runes := []rune(pattern); len(runes) > 0; runes = runes[1:] {
		switch {
		case len(runes) > 1 && runes[0] == '\\' && (runes[1] == '*' || runes[1] == '?'):
			runes = runes[1:]
			expression.WriteString(regexp.QuoteMeta(string(runes[0])))
		case runes[0] == '*':
			expression.WriteString(".*")
		case runes[0] == '?':
			expression.WriteString(".")
		default:
			expression.WriteString(regexp.QuoteMeta(string(runes[0])))
		}
	}
	return regexp.MustCompile(`(?s)\A(?:` + expression.String() + `)\z`).MatchString(s)
}

var (
	drawnNames = []string{"a", "B", "c/d:e"}
	drawnWords = []any{"", "a", "A", "ab", "a*", "*", "a?b", `a\*`, `\`, "it's", "a/b", "ü"}
	drawnInts  = []any{-1, 0, 1, 7}
	drawnGUIDs = []any{guidText("b24988ac-6180-42a0-ab88-20f7382dd24c"), guidText("B24988AC618042A0AB8820F7382DD24C"), guidText("00000000-0000-0000-0000-000000000000")}
	drawnTimes = []any{instantText("2022-06-01T00:00:00Z"), instantText("2022-06-01T00:00:00.0Z"), instantText("2022-06-01T00:00:00.0000001Z")}
)

// drawValue draws a value that fits the operator.
func drawValue(t *rapid.T, operator string) any {
	values := drawnWords
	switch {
	case strings.HasPrefix(operator, "Bool"):
		values = []any{true, false}
	case strings.HasPrefix(operator, "Numeric"):
		values = drawnInts
	case strings.HasPrefix(operator, "Guid"):
		values = drawnGUIDs
	case strings.HasPrefix(operator, "DateTime"):
		values = drawnTimes
	}
	return rapid.SampledFrom(values).Draw(t, "value")
}

func drawTree(t *rapid.T, depth int) tree {
	shapes := []string{"", "", "AND", "OR", "NOT"}
	if depth == 0 {
		shapes = shapes[:1]
	}
	drawn := tree{join: rapid.SampledFrom(shapes).Draw(t, "shape")}
	switch drawn.join {
	case "AND", "OR":
		for range rapid.IntRange(2, 3).Draw(t, "nodes") {
			drawn.below = append(drawn.below, drawTree(t, depth-1))
		}
		return drawn
	case "NOT":
		drawn.below = []tree{drawTree(t, depth-1)}
		return drawn
	}
	attribute := func() side {
		return side{source: string(rapid.SampledFrom(sources[:2]).Draw(t, "source")), name: rapid.SampledFrom(drawnNames).Draw(t, "name")}
	}
	drawn.left = attribute()
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		drawn.operator = "Exists"
		return drawn
	case 1, 2:
		drawn.left = side{}
		drawn.operator = rapid.SampledFrom([]string{"ActionMatches", "SubOperationMatches"}).Draw(t, "function")
		drawn.right.values = []any{rapid.SampledFrom([]string{"*", "X/*", "X/a/read", "x/*/READ", "b.list"}).Draw(t, "pattern")}
		return drawn
	}
	operator := rapid.SampledFrom(operators[:]).Draw(t, "operator")
	drawn.operator = operator.name
	most := 1
	if operator.quantifiable() && rapid.Bool().Draw(t, "quantified") {
		drawn.operator = rapid.SampledFrom(quantifiers[1:]).Draw(t, "quantifier") + ":" + operator.name
		most = 3
	}
	set := func() (s side) {
		for range rapid.IntRange(1, most).Draw(t, "values") {
			s.values = append(s.values, drawValue(t, operator.name))
		}
		return s
	}
	drawn.right = set()
	if rapid.IntRange(0, 3).Draw(t, "attribute on the right") == 0 {
		drawn.right = attribute()
	}
	if most > 1 && rapid.IntRange(0, 5).Draw(t, "values on the left") == 0 {
		drawn.left = set()
	}
	return drawn
}

func drawSpace(t *rapid.T) string {
	return rapid.SampledFrom([]string{" ", " ", "\n", "\t ", "\r\n"}).Draw(t, "space")
}

func drawCase(t *rapid.T, word string) string {
	switch rapid.IntRange(0, 5).Draw(t, "case") {
	case 0:
		return strings.ToLower(word)
	case 1:
		return strings.ToUpper(word)
	}
	return word
}

// write spells a tree as text, in one of the many ways.
func write(t *rapid.T, drawn tree) string {
	var s string
	switch drawn.join {
	case "NOT":
		s = rapid.SampledFrom([]string{"!", "! ", "NOT ", "not\n"}).Draw(t, "not") + write(t, drawn.below[0])
	case "AND", "OR":
		sign := map[string]string{"AND": "&&", "OR": "||"}[drawn.join]
		for i, below := range drawn.below {
			if i > 0 {
				word := drawSpace(t) + drawCase(t, drawn.join) + drawSpace(t)
				s += rapid.SampledFrom([]string{word, word, sign}).Draw(t, "join")
			}
			s += write(t, below)
		}
		return "(" + s + ")"
	default:
		s = writeAtom(t, drawn)
	}
	if rapid.IntRange(0, 4).Draw(t, "parentheses") == 0 {
		s = "( " + s + ")"
	}
	return s
}

func writeAtom(t *rapid.T, drawn tree) string {
	side := func(s side) string {
		if s.source != "" {
			return "@" + drawCase(t, s.source) + "[" + drawCase(t, s.name) + "]"
		}
		var values []string
		for _, v := range s.values {
			switch v := v.(type) {
			case string:
				v = strings.ReplaceAll(v, `\`, `\\`)
				values = append(values, "'"+strings.ReplaceAll(v, "'", `\'`)+"'")
			case instantText:
				values = append(values, "'"+string(v)+"'")
			default:
				values = append(values, drawCase(t, fmt.Sprint(v)))
			}
		}
		if strings.Contains(drawn.operator, ":") || strings.HasSuffix(drawn.operator, "Matches") {
			return "{" + strings.Join(values, rapid.SampledFrom([]string{",", ", ", " ,\n"}).Draw(t, "comma")) + "}"
		}
		return values[0]
	}
	word := drawCase(t, drawn.operator)
	switch drawn.operator {
	case "Exists":
		return word + drawSpace(t) + side(drawn.left)
	case "ActionMatches", "SubOperationMatches":
		return word + side(drawn.right)
	}
	return side(drawn.left) + drawSpace(t) + word + drawSpace(t) + side(drawn.right)
}

func drawWorld(t *rapid.T) world {
	w := world{
		action:     rapid.SampledFrom([]string{"X/a/read", "x/A/write", "Y/a"}).Draw(t, "action"),
		sub:        rapid.SampledFrom([]string{"", "Blob.List"}).Draw(t, "suboperation"),
		attributes: map[string]any{},
	}
	for _, source := range sources[:2] {
		for _, name := range drawnNames {
			kind := rapid.SampledFrom([]string{"none", "Bool", "Numeric", "Guid", "DateTime", "String", "String"}).Draw(t, "type")
			if kind == "none" {
				continue
			}
			values := make([]any, rapid.IntRange(0, 3).Draw(t, "several"))
			for i := range values {
				values[i] = drawValue(t, kind)
			}
			w.attributes[string(source)+" "+name] = values
			if len(values) == 1 && rapid.Bool().Draw(t, "alone") {
				w.attributes[string(source)+" "+name] = values[0]
			}
		}
	}
	return w
}

// input is the world as a caller gives it.
func (w world) input() Input {
	var plain func(v any) any
	plain = func(v any) any {
		switch v := v.(type) {
		case guidText:
			return string(v)
		case instantText:
			return string(v)
		case []any:
			var list []any
			for _, one := range v {
				list = append(list, plain(one))
			}
			return list
		}
		return v
	}
	return Input{Action: w.action, SubOperation: w.sub, Attribute: func(source Source, key string) (any, bool) {
		for name, v := range w.attributes {
			if strings.EqualFold(name, string(source)+" "+key) {
				return plain(v), true
			}
		}
		return nil, false
	}}
}

func TestHoldsAgreesWithTheDocuments(t *testing.T) {
	results := map[Result]int{}
	rapid.Check(t, func(t *rapid.T) {
		drawn := drawTree(t, 3)
		source := write(t, drawn)
		c, err := Parse(source)
		if err != nil {
			t.Fatalf("%s\n%v", source, err)
		}
		if printed := c.String(); len(printed) <= MaxLength {
			again, err := Parse(printed)
			if err != nil || !reflect.DeepEqual(again.root, c.root) {
				t.Fatalf("%s\nprints as\n%s\nand that as\n%v, %v", source, printed, again, err)
			}
		}
		for range 5 {
			w := drawWorld(t)
			want := Undecided
			if truth := w.holds(drawn); truth != nil {
				want = resultOf(*truth)
			}
			in := w.input()
			if got := c.Holds(in); got != (want == True) {
				t.Fatalf("%s\nin %+v\nholds: %v, want %v", source, w, got, want)
			}
			in.fold()
			if got := c.root.eval(&in); got != want {
				t.Fatalf("%s\nin %+v\nis %v, want %v", source, w, got, want)
			}
			results[want]++
			checkTrace(t, c, in)
		}
	})
	for r := False; r <= True; r++ {
		if results[r] < 10 {
			t.Errorf("%v came out %d times: the worlds say little", r, results[r])
		}
	}
}

// checkTrace sees that a trace is enough: with every atom that it leaves out
// turned round, the condition comes to the same.
func checkTrace(t *rapid.T, c *Condition, in Input) {
	traced := map[string]bool{}
	for _, step := range c.Trace(in) {
		traced[step.Atom.String()] = true
	}
	var turned func(n node) Result
	turned = func(n node) Result {
		switch n := n.(type) {
		case *negation:
			return -turned(n.node)
		case *group:
			worst, best := True, False
			for _, below := range n.nodes {
				r := turned(below)
				worst, best = min(worst, r), max(best, r)
			}
			if n.or {
				return best
			}
			return worst
		}
		r := n.eval(&in)
		if traced[n.(*atom).export(false).String()] {
			return r
		}
		return -r
	}
	want, got := c.root.eval(&in), turned(c.root)
	if want != got && !(want == Undecided && got == False) {
		t.Fatalf("%s\nis %v; with what the trace leaves out turned round, %v: %v", c, want, got, c.Trace(in))
	}
}
