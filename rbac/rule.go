package rbac

import (
	"time"

	"sekisho/rbac/condition"
)

// rule is a condition made ready. The nil rule holds always; one that does not
// parse never does, and denies always.
type rule struct {
	source string
	parsed *condition.Condition
	bad    error
}

func newRule(source string) *rule {
	if source == "" {
		return nil
	}
	r := &rule{source: source}
	r.parsed, r.bad = condition.Parse(source)
	return r
}

func (r *rule) holds(q *Question) bool {
	return r == nil || r.parsed != nil && r.parsed.Holds(q.input())
}

// denies is holds for a deny assignment: what can't be read must not open what
// the assignment closes.
func (r *rule) denies(q *Question) bool { return r != nil && r.parsed == nil || r.holds(q) }

// input is the question as a condition sees it: a copy, so that a question
// which meets no condition stays on the stack.
func (q *Question) input() condition.Input {
	own := *q
	return condition.Input{Action: q.Action, SubOperation: q.SubOperation, Attribute: own.attribute}
}

func (q *Question) attribute(source condition.Source, key string) (any, bool) {
	if q.Attribute != nil {
		if v, ok := q.Attribute(source, key); ok {
			return v, true
		}
	}
	if source == condition.Environment && key == "utcnow" {
		return q.moment(), true
	}
	return nil, false
}

func (q *Question) moment() time.Time {
	if q.Time.IsZero() {
		return time.Now()
	}
	return q.Time
}

// limit is what bounds an assignment: a condition, or a time.
type limit struct {
	rule        *rule
	from, until time.Time
}

// limitOf is the limit of an assignment; nil for nearly all.
func limitOf(a *RoleAssignment) *limit {
	if a.Condition == "" && a.From.IsZero() && a.Until.IsZero() {
		return nil
	}
	return &limit{rule: newRule(a.Condition), from: a.From, until: a.Until}
}

func (l *limit) holds(q *Question) bool { return l == nil || l.inTime(q) && l.rule.holds(q) }

func (l *limit) inTime(q *Question) bool {
	if l == nil || l.from.IsZero() && l.until.IsZero() {
		return true
	}
	now := q.moment()
	return !now.Before(l.from) && (l.until.IsZero() || now.Before(l.until))
}
