// Package answer is what people and programs are told of a decision of Azure
// RBAC, by a command as by a call: what decided, how near a refusal was, and
// which roles would allow it.
package answer

import (
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/operations"
)

// Answer is a decision, what decided it and, for a refusal, how near it was.
type Answer struct {
	Decision      string `json:"decision"`
	Principal     string `json:"principal"`
	PrincipalName string `json:"principalName,omitempty"`
	Action        string `json:"action"`
	Data          bool   `json:"dataAction"`
	Scope         string `json:"scope"`
	// Grant is what allowed; its fields stand beside the decision.
	*Grant
	// Deny is the id of the deny assignment that denied.
	Deny     string `json:"deny,omitempty"`
	DenyName string `json:"denyName,omitempty"`
	Why      string `json:"why,omitempty"`
	// Note is what is odd about the question itself.
	Note       string      `json:"note,omitempty"`
	Misses     []Miss      `json:"misses,omitempty"`
	MoreMisses int         `json:"moreMisses,omitempty"`
	Suggestion *Suggestion `json:"suggestion,omitempty"`
}

// Grant is a role assignment with names.
type Grant struct {
	Assignment string `json:"assignment"`
	Role       string `json:"role"`
	// AssignedTo is the principal, or a group that it is in.
	AssignedTo     string `json:"assignedTo"`
	AssignedToName string `json:"assignedToName,omitempty"`
	AssignedToType string `json:"assignedToType,omitempty"`
	AssignedAt     string `json:"assignedAt"`
	Condition      string `json:"condition,omitempty"`
}

// Miss is a role assignment that nearly allowed.
type Miss struct {
	Kind rbac.MissKind `json:"kind"`
	Grant
	// Lacked says what it lacked, and Steps which parts of its condition were
	// not true.
	Lacked string   `json:"lacked"`
	Steps  []string `json:"steps,omitempty"`
}

// Names gives what people call a principal: the id itself where no name is
// known.
type Names func(id string) string

// Review is a review's answer with the names of the principals in it, by id.
type Review[T any] struct {
	Answer T                 `json:"answer"`
	Names  map[string]string `json:"names"`
}

// Checked is the answer to a question in short.
func (n Names) Checked(q rbac.Question, r rbac.Result) Answer {
	a := n.answer(q, r)
	if r.Decision == rbac.Allowed {
		a.Grant = n.grant(r.Assignment, r.Role)
	}
	return a
}

// Explained is the answer with the misses of an explanation, but no more than
// limit; 0 is no limit.
func (n Names) Explained(q rbac.Question, e rbac.Explanation, limit int) Answer {
	a := n.Checked(q, e.Result)
	if e.Decision == rbac.Allowed {
		return a
	}
	for i, m := range e.Misses {
		if limit > 0 && i == limit {
			a.MoreMisses = len(e.Misses) - limit
			break
		}
		a.Misses = append(a.Misses, n.miss(m))
	}
	return a
}

func (n Names) answer(q rbac.Question, r rbac.Result) Answer {
	a := Answer{Decision: r.Decision.String(), Principal: q.Principal, Action: q.Action, Data: q.Data, Scope: string(q.Scope), Why: n.Named(r.Why), Note: note(q)}
	a.PrincipalName = n.nameOf(q.Principal)
	if r.Deny != nil {
		a.Deny, a.DenyName = r.Deny.ID, r.Deny.Name
	}
	return a
}

// note says what is odd about a question.
func note(q rbac.Question) string {
	if operations.Known(q.Action, q.Data) {
		return ""
	}
	if operations.Known(q.Action, !q.Data) {
		if q.Data {
			return "the catalogue of operations has this as a control-plane action only"
		}
		return "the catalogue of operations has this as a data action only"
	}
	provider, _, _ := strings.Cut(q.Action, "/")
	if operations.Complete(provider) {
		return "Azure has no such operation"
	}
	return "the catalogue of operations does not have this one; it may still exist"
}

func (n Names) grant(a *rbac.RoleAssignment, r *rbac.RoleDefinition) *Grant {
	return &Grant{Assignment: a.ID, Role: r.RoleName, AssignedTo: a.Principal, AssignedToName: n.nameOf(a.Principal),
		AssignedToType: a.PrincipalType, AssignedAt: string(a.Scope), Condition: conditionOf(a, r)}
}

// conditionOf is the condition of an assignment or else of its role.
func conditionOf(a *rbac.RoleAssignment, r *rbac.RoleDefinition) string {
	text := a.Condition
	for _, p := range r.Permissions {
		if text == "" {
			text = p.Condition
		}
	}
	if c, err := condition.Parse(text); err == nil && text != "" {
		return c.String()
	}
	return text
}

func (n Names) miss(m rbac.Miss) Miss {
	out := Miss{Kind: m.Kind, Grant: *n.grant(m.Assignment, m.Role), Lacked: m.Why}
	if m.Kind != rbac.ConditionFalse {
		out.Condition = ""
	}
	// The sentence starts with who has which role where, which Grant says.
	if _, lacked, ok := strings.Cut(m.Why, " at "+string(m.Assignment.Scope)+", "); ok {
		out.Lacked = lacked
	}
	out.Lacked = n.Named(out.Lacked)
	for _, s := range m.Steps {
		out.Steps = append(out.Steps, s.String())
	}
	return out
}

// nameOf is the name of a principal; empty where the id is all that is known.
func (n Names) nameOf(id string) string {
	if name := n(id); name != id {
		return name
	}
	return ""
}

// Named puts names beside the ids of groups in a sentence.
func (n Names) Named(why string) string {
	const mark = "the group "
	before, rest, ok := strings.Cut(why, mark)
	if !ok {
		return why
	}
	id, after, _ := strings.Cut(rest, " ")
	id, comma := strings.CutSuffix(id, ",")
	if name := n.nameOf(id); name != "" {
		id = name
	}
	if comma {
		id += ","
	}
	return before + mark + id + " " + after
}
