package rbac

import (
	"slices"
	"strings"
	"time"

	"sekisho/rbac/internal/text/texttest"
)

// oracle answers questions from the world itself, as Azure's documents have the
// steps (overview.md, "How Azure RBAC determines if a user has access to a
// resource"; deny-assignments.md), and with nothing of the engine but the types.
type oracle struct {
	World
	// without is a rule to leave out, for telling how often it matters.
	without step
}

// The rules that an oracle can leave out.
const (
	ruleNotActions      step = "notActions"
	ruleGroups          step = "groups in the world"
	ruleTokenGroups     step = "groups in the token"
	ruleParents         step = "management groups"
	ruleConditions      step = "conditions of assignments"
	ruleBlockConditions step = "conditions of roles"
	ruleTime            step = "times"
	ruleBuiltIn         step = "built-in roles only"
	ruleDenies          step = "deny assignments"
	ruleEveryone        step = "deny assignments for everyone"
	ruleExclusions      step = "exclusions from deny assignments"
	ruleThisScope       step = "deny assignments of one scope"
	ruleDenyConditions  step = "conditions of deny assignments"
)

type step string

var oracleRules = []step{ruleNotActions, ruleGroups, ruleTokenGroups, ruleParents, ruleConditions, ruleBlockConditions, ruleTime,
	ruleBuiltIn, ruleDenies, ruleEveryone, ruleExclusions, ruleThisScope, ruleDenyConditions}

// asked is a question, and what its conditions are in words that the oracle
// understands: one tree for each text.
type asked struct {
	Question
	attributes map[attribute]any
	trees      map[string]*tree
}

func (o oracle) decide(q asked) Decision {
	for _, d := range o.Denies {
		if o.denies(d, q) {
			return Denied
		}
	}
	for _, a := range o.Assignments {
		if o.allows(a, q) {
			return Allowed
		}
	}
	return NotAllowed
}

func (o oracle) denies(d DenyAssignment, q asked) bool {
	who := o.who(q)
	everyone := o.without != ruleEveryone && slices.Contains(d.Principals, Everyone)
	if o.without == ruleDenies || !everyone && !share(who, d.Principals) || o.without != ruleExclusions && share(who, d.Excluded) {
		return false
	}
	if d.ThisScopeOnly && o.without != ruleThisScope {
		if !strings.EqualFold(trimmed(q.Scope), trimmed(d.Scope)) {
			return false
		}
	} else if !o.covers(d.Scope, q.Scope) {
		return false
	}
	if o.without != ruleDenyConditions && !q.holds(d.Condition) {
		return false
	}
	return slices.ContainsFunc(d.Permissions, func(p Permission) bool {
		return o.names(p, q.Action, q.Data) && (o.without == ruleDenyConditions || q.holds(p.Condition))
	})
}

func (o oracle) allows(a RoleAssignment, q asked) bool {
	if !share(o.who(q), []string{a.Principal}) || !o.covers(a.Scope, q.Scope) {
		return false
	}
	now := q.Time
	if now.IsZero() {
		now = time.Now()
	}
	begun, ended := a.From.IsZero() || !a.From.After(now), !a.Until.IsZero() && !a.Until.After(now)
	if o.without != ruleTime && (!begun || ended) || o.without != ruleConditions && !q.holds(a.Condition) {
		return false
	}
	return slices.ContainsFunc(o.Roles, func(r RoleDefinition) bool {
		return strings.EqualFold(r.Name, a.RoleDefinition) && o.grants(r, q)
	})
}

func (o oracle) grants(r RoleDefinition, q asked) bool {
	if q.BuiltInOnly && r.Type != BuiltInRole && o.without != ruleBuiltIn {
		return false
	}
	return slices.ContainsFunc(r.Permissions, func(p Permission) bool {
		return o.names(p, q.Action, q.Data) && (o.without == ruleBlockConditions || q.holds(p.Condition))
	})
}

func (o oracle) names(p Permission, action string, data bool) bool {
	allow, except := p.Actions, p.NotActions
	if data {
		allow, except = p.DataActions, p.NotDataActions
	}
	named := func(pattern string) bool { return texttest.Match(strings.ToLower(pattern), strings.ToLower(action)) }
	return slices.ContainsFunc(allow, named) && (o.without == ruleNotActions || !slices.ContainsFunc(except, named))
}

// who is the principal and its groups, and theirs.
func (o oracle) who(q asked) []string {
	who := []string{q.Principal}
	if o.without != ruleTokenGroups {
		who = append(who, q.Groups...)
	}
	if o.without == ruleGroups {
		return who
	}
	for range o.Groups {
		for member, groups := range o.Groups {
			if share(who, []string{member}) {
				who = append(who, groups...)
			}
		}
		slices.Sort(who)
		who = slices.Compact(who)
	}
	return who
}

// covers tells whether a scope is another, or above it by path or by way of
// management groups.
func (o oracle) covers(above, scope Scope) bool {
	places := []Scope{scope}
	for range o.Parents {
		for child, parent := range o.Parents {
			if slices.ContainsFunc(places, func(p Scope) bool { return isBelow(p, Scope(child)) }) {
				places = append(places, parent)
			}
		}
		slices.Sort(places)
		places = slices.Compact(places)
		if o.without == ruleParents {
			places = []Scope{scope}
		}
	}
	return slices.ContainsFunc(places, func(p Scope) bool { return isBelow(p, above) })
}

func isBelow(s, above Scope) bool {
	if above == "/" {
		return true
	}
	have, want := strings.Split(trimmed(s), "/"), strings.Split(trimmed(above), "/")
	return len(have) >= len(want) && strings.EqualFold(strings.Join(have[:len(want)], "/"), trimmed(above))
}

// trimmed is a scope without a slash at its end.
func trimmed(s Scope) string {
	if s == "/" {
		return "/"
	}
	return strings.TrimRight(string(s), "/")
}

// share tells whether two lists of ids have one in common.
func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(one string) bool {
		return slices.ContainsFunc(b, func(other string) bool { return strings.EqualFold(one, other) })
	})
}
