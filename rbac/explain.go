package rbac

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sekisho/rbac/condition"
	"sekisho/rbac/internal/text"
)

// MissKind says what an assignment lacked to allow an action.
type MissKind string

const (
	// NotMember: a group has what it takes, and the principal is not in it.
	NotMember MissKind = "notMember"
	// TakenAway: the role's own notActions take the action away.
	TakenAway MissKind = "notActions"
	// OtherPlane: the role has the action on the other plane.
	OtherPlane MissKind = "otherPlane"
	// OtherScope: the role has the action, the scope is not above.
	OtherScope MissKind = "otherScope"
	// NotBuiltIn: the operation asks for a built-in role.
	NotBuiltIn MissKind = "customRole"
	// OutOfTime: the assignment has not begun, or has ended.
	OutOfTime MissKind = "outOfTime"
	// ConditionFalse: the condition of the assignment, or of the role's block,
	// is not true of the request.
	ConditionFalse MissKind = "condition"
	// OnlyDenied: the assignment allows, and a deny assignment comes before it.
	OnlyDenied MissKind = "denied"
)

// nearness orders the kinds: the last is the nearest miss.
var nearness = []MissKind{NotMember, TakenAway, OtherPlane, OtherScope, NotBuiltIn, OutOfTime, ConditionFalse, OnlyDenied}

// Miss is an assignment that does not allow, and by how little.
type Miss struct {
	Kind       MissKind
	Assignment *RoleAssignment
	Role       *RoleDefinition
	// Holder is who has the assignment: the principal, or a group; in lower case.
	Holder string
	// Steps are the parts of a condition that are false, or can't be told.
	Steps []condition.Step
	// Why says it in one sentence.
	Why string

	common int    // segments that the two scopes share
	grant  *grant // until Why is said
}

// Explanation is a Result, and what else there is to say of it.
type Explanation struct {
	Result
	// Holder is who has the assignment that allowed: the principal, or the group
	// that it is in; in lower case.
	Holder string
	// Misses are the assignments that nearly allowed, the nearest first. They
	// stand with a denial too.
	Misses []Miss
}

// Explain decides a question as Check does, and says all that there is to say.
// It looks at every assignment of the snapshot.
func (s *Snapshot) Explain(q Question) Explanation {
	e := Explanation{Result: s.Check(q)}
	if e.Decision == Allowed {
		e.Holder = text.Fold(e.Assignment.Principal)
		return e
	}
	if q.refusal() != "" {
		return e
	}
	view := s.view(&q)
	e.Misses, _ = s.misses(&q, view)
	for i := range e.Misses {
		s.excuse(&e.Misses[i], &q)
	}
	e.Misses = append(e.Misses, s.strangers(&q, view)...)
	slices.SortFunc(e.Misses, Miss.compare)
	return e
}

func (m Miss) compare(other Miss) int {
	return cmp.Or(-cmp.Compare(slices.Index(nearness, m.Kind), slices.Index(nearness, other.Kind)),
		-cmp.Compare(m.common, other.common), strings.Compare(text.Fold(m.Assignment.ID), text.Fold(other.Assignment.ID)))
}

// miss is the Result of a question that nothing allows.
func (s *Snapshot) miss(q *Question) Result {
	if why := q.refusal(); why != "" {
		return Result{Why: why}
	}
	misses, applying := s.misses(q, s.view(q))
	if len(misses) == 0 {
		return Result{Why: noneGrants(applying)}
	}
	best := slices.MinFunc(misses, Miss.compare)
	s.excuse(&best, q)
	return Result{Assignment: best.Assignment, Role: best.Role, Why: best.Why}
}

// misses are the assignments of a principal and its groups that nearly allow,
// and how many there are at or above the scope. excuse says why of each.
func (s *Snapshot) misses(q *Question, view *view) (misses []Miss, applying int) {
	path := []byte(q.Scope.Key())
	levels := s.levels(nil, path)
	action := text.Fold(q.Action)
	here, other := s.roles.granting(q.Action, q.Data), s.roles.granting(q.Action, !q.Data)
	for _, h := range view.holders {
		for i := range h.grants {
			g := &h.grants[i]
			r := s.roles.roles[g.role]
			applies := hasLevel(levels, path, g.hash, g.scope)
			if applies {
				applying++
			}
			m := Miss{Assignment: g.assignment, Holder: h.id, grant: g}
			barred := q.BuiltInOnly && !s.roles.builtIn.has(g.role)
			switch named := here.plain.has(g.role) || here.conditioned.has(g.role); {
			case r == nil:
				continue
			case applies && named && barred:
				m.Kind = NotBuiltIn
			case applies && named && !g.limit.inTime(q):
				m.Kind = OutOfTime
			case applies && named && g.limit.holds(q) && r.grants(q): // there is a denial, or this would not be asked
				m.Kind = OnlyDenied
			case applies && named:
				m.Kind = ConditionFalse
			// What lacks anything more than the following is no near miss.
			case barred:
				continue
			case !applies && here.plain.has(g.role) && g.limit.holds(q):
				m.Kind = OtherScope
			case !applies:
				continue
			case r.exception(q, action) != "" && g.limit.holds(q):
				m.Kind = TakenAway
			case other.plain.has(g.role) && g.limit.holds(q):
				m.Kind = OtherPlane
			default:
				continue
			}
			m.Role, m.common = r.definition, commonSegments(g.scope, string(path))
			misses = append(misses, m)
		}
	}
	return misses, applying
}

// strangers are the groups that would allow what the principal, who is not in
// them, may not do.
func (s *Snapshot) strangers(q *Question, view *view) (misses []Miss) {
	path := []byte(q.Scope.Key())
	levels := s.levels(nil, path)
	here := s.roles.granting(q.Action, q.Data)
	for _, shard := range s.principals.shards {
		for id, p := range shard {
			if slices.Contains(view.reached, id) {
				continue
			}
			for i := range p.grants {
				g := &p.grants[i]
				if g.assignment.PrincipalType != "Group" || g.limit != nil || !here.plain.has(g.role) ||
					q.BuiltInOnly && !s.roles.builtIn.has(g.role) || !hasLevel(levels, path, g.hash, g.scope) {
					continue
				}
				r := s.roles.roles[g.role].definition
				misses = append(misses, Miss{Kind: NotMember, Assignment: g.assignment, Role: r, Holder: id, common: commonSegments(g.scope, string(path)),
					Why: fmt.Sprintf("the group %s has %s at %s, and the principal is not in it", id, r.RoleName, g.assignment.Scope)})
			}
		}
	}
	return misses
}

// excuse fills in what a miss says.
func (s *Snapshot) excuse(m *Miss, q *Question) {
	g, r, action := m.grant, s.roles.roles[m.grant.role], text.Fold(q.Action)
	who := "the principal"
	if m.Holder != text.Fold(q.Principal) {
		who = "the group " + m.Holder + ", which the principal is in,"
	}
	if m.Kind == ConditionFalse {
		m.Steps = falseSteps(q, g, r, action)
	}
	m.Why = fmt.Sprintf("%s has %s at %s, %s", who, r.definition.RoleName, g.assignment.Scope, m.excuse(q, g, r, action))
	m.grant = nil
}

// excuse is the end of a sentence that starts with who has which role where.
func (m *Miss) excuse(q *Question, g *grant, r *role, action string) string {
	except, other := "notActions", "a data action only, and here it is asked for on the control plane"
	if q.Data {
		except, other = "notDataActions", "a control-plane action only, and here it is asked for on the data plane"
	}
	switch m.Kind {
	case OnlyDenied:
		return "which allows this, and a deny assignment comes before it"
	case OtherScope:
		return "which is not above this scope"
	case OtherPlane:
		return "which grants this as " + other
	case TakenAway:
		return fmt.Sprintf("whose %s take this action away (%s)", except, r.exception(q, action))
	case NotBuiltIn:
		return "which is a custom role, and this operation asks for a built-in one"
	case OutOfTime:
		if now := q.moment(); now.Before(g.limit.from) {
			return "which begins at " + g.limit.from.UTC().Format(timeFormat)
		}
		return "which ended at " + g.limit.until.UTC().Format(timeFormat)
	}
	if len(m.Steps) == 0 {
		return "but under a condition that does not parse"
	}
	told := make([]string, len(m.Steps))
	for i, step := range m.Steps {
		told[i] = step.String()
	}
	return "but under a condition: " + strings.Join(told, "; ")
}

const timeFormat = "2006-01-02T15:04:05Z"

// falseSteps are what makes the conditions of an assignment that names the
// action false.
func falseSteps(q *Question, g *grant, r *role, action string) []condition.Step {
	if g.limit != nil && !g.limit.rule.holds(q) {
		return g.limit.rule.trace(q)
	}
	for _, b := range r.blocks {
		if b.names(action, q.Data) && !b.rule.holds(q) {
			return b.rule.trace(q)
		}
	}
	return nil
}

func (r *rule) trace(q *Question) []condition.Step {
	if r.parsed == nil {
		return nil
	}
	return r.parsed.Trace(q.input())
}

// exception is the notActions, as written, that take the action from a block
// which would grant it but for them.
func (r *role) exception(q *Question, action string) string {
	for i, b := range r.blocks {
		allow, except := b.plane(q.Data)
		if !matchAny(allow, action) || !matchAny(except, action) || !b.rule.holds(q) {
			continue
		}
		_, written := r.definition.Permissions[i].plane(q.Data)
		var told []string
		for _, pattern := range written {
			if Match(pattern, action) {
				told = append(told, pattern)
			}
		}
		return strings.Join(told, ", ")
	}
	return ""
}

func (d *denial) why() string {
	name := d.assignment.Name
	if name == "" {
		name = d.assignment.ID
	}
	return fmt.Sprintf("the deny assignment %s at %s takes this action away", name, d.assignment.Scope)
}

func noneGrants(applying int) string {
	switch applying {
	case 0:
		return "no role assignment of the principal, or of a group that it is in, applies at this scope"
	case 1:
		return "1 role assignment applies here; its role does not grant this action"
	}
	return fmt.Sprintf("%d role assignments apply here; none of their roles grants this action", applying)
}

// commonSegments counts how far two folded paths go together.
func commonSegments(a, b string) int {
	count := 0
	for a != "" && b != "" {
		var left, right string
		left, a, _ = strings.Cut(a, "/")
		right, b, _ = strings.Cut(b, "/")
		if left != right {
			break
		}
		count++
	}
	return count
}
