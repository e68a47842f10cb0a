package condition

import (
	"strings"

	"sekisho/rbac/internal/text"
)

// family is the type of what an operator compares.
type family byte

const (
	boolean family = iota
	words
	integer
	moment
	guid
)

// relation is what an operator asks of the left value and the right one.
type relation byte

const (
	equals relation = iota
	startsWith
	like
	less
	lessEquals
	greater
	greaterEquals
)

type operator struct {
	name       string
	family     family
	relation   relation
	negated    bool
	ignoreCase bool
}

// operators are those of conditions-format.md; there are no others.
var operators = [...]operator{
	{name: "BoolEquals", family: boolean, relation: equals},
	{name: "BoolNotEquals", family: boolean, relation: equals, negated: true},
	{name: "StringEquals", family: words, relation: equals},
	{name: "StringEqualsIgnoreCase", family: words, relation: equals, ignoreCase: true},
	{name: "StringNotEquals", family: words, relation: equals, negated: true},
	{name: "StringNotEqualsIgnoreCase", family: words, relation: equals, negated: true, ignoreCase: true},
	{name: "StringStartsWith", family: words, relation: startsWith},
	{name: "StringStartsWithIgnoreCase", family: words, relation: startsWith, ignoreCase: true},
	{name: "StringNotStartsWith", family: words, relation: startsWith, negated: true},
	{name: "StringNotStartsWithIgnoreCase", family: words, relation: startsWith, negated: true, ignoreCase: true},
	{name: "StringLike", family: words, relation: like},
	{name: "StringLikeIgnoreCase", family: words, relation: like, ignoreCase: true},
	{name: "StringNotLike", family: words, relation: like, negated: true},
	{name: "StringNotLikeIgnoreCase", family: words, relation: like, negated: true, ignoreCase: true},
	{name: "NumericEquals", family: integer, relation: equals},
	{name: "NumericNotEquals", family: integer, relation: equals, negated: true},
	{name: "NumericLessThan", family: integer, relation: less},
	{name: "NumericLessThanEquals", family: integer, relation: lessEquals},
	{name: "NumericGreaterThan", family: integer, relation: greater},
	{name: "NumericGreaterThanEquals", family: integer, relation: greaterEquals},
	{name: "DateTimeEquals", family: moment, relation: equals},
	{name: "DateTimeNotEquals", family: moment, relation: equals, negated: true},
	{name: "DateTimeLessThan", family: moment, relation: less},
	{name: "DateTimeLessThanEquals", family: moment, relation: lessEquals},
	{name: "DateTimeGreaterThan", family: moment, relation: greater},
	{name: "DateTimeGreaterThanEquals", family: moment, relation: greaterEquals},
	{name: "GuidEquals", family: guid, relation: equals},
	{name: "GuidNotEquals", family: guid, relation: equals, negated: true},
}

// quantifiable tells whether the operator may stand after a quantifier. The
// lists under "Cross product comparison operators" leave out the booleans, the
// times, and StringStartsWith.
func (o *operator) quantifiable() bool {
	return o.family == integer || o.family == guid || o.family == words && o.relation != startsWith
}

// quantifier tells how many values of the left side have to compare with how
// many of the right.
type quantifier byte

const (
	unquantified quantifier = iota
	anyOfAny
	allOfAny
	anyOfAll
	allOfAll
)

var quantifiers = [...]string{anyOfAny: "ForAnyOfAnyValues", allOfAny: "ForAllOfAnyValues", anyOfAll: "ForAnyOfAllValues", allOfAll: "ForAllOfAllValues"}

func (q quantifier) String() string { return quantifiers[q] }

// findOperator reads an operator with or without a quantifier, in any case.
func findOperator(word string) (quantifier, operator, bool) {
	word = text.Fold(word)
	q := unquantified
	if before, after, quantified := strings.Cut(word, ":"); quantified {
		for i, name := range quantifiers {
			if name != "" && text.Fold(name) == before {
				q = quantifier(i)
			}
		}
		if q == unquantified {
			return 0, operator{}, false
		}
		word = after
	}
	for _, o := range operators {
		if text.Fold(o.name) == word {
			return q, o, true
		}
	}
	return 0, operator{}, false
}

// compare tells whether the operator is true of two values of its family.
func (o *operator) compare(left, right *value) bool {
	var yes bool
	switch o.relation {
	case equals:
		yes = left.text == right.text && left.number == right.number && left.guid == right.guid
	case startsWith:
		yes = strings.HasPrefix(left.text, right.text)
	case like:
		yes = isLike(left.text, right.text)
	case less:
		yes = left.number < right.number
	case lessEquals:
		yes = left.number <= right.number
	case greater:
		yes = left.number > right.number
	case greaterEquals:
		yes = left.number >= right.number
	}
	return yes != o.negated
}
