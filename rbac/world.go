package rbac

import (
	"time"

	"sekisho/rbac/condition"
)

// World is everything that decides. Ids and scopes in it compare without
// regard to case: of two roles or assignments with one id the later holds, and
// the keys of the maps must differ in more than case.
type World struct {
	Roles       []RoleDefinition
	Assignments []RoleAssignment
	Denies      []DenyAssignment
	// Groups gives the groups that a member, by object id, is directly in. A
	// group may be a member of groups.
	Groups map[string][]string
	// Parents gives the management group above a subscription or a management
	// group, by scope. What is not in it is right below the root.
	Parents map[string]Scope
}

// RoleAssignment gives a principal a role at a scope and below it.
type RoleAssignment struct {
	// ID is unique: the resource id, or any other name of the assignment.
	ID    string
	Scope Scope
	// RoleDefinition is the GUID of the role.
	RoleDefinition string
	// Principal is the object id of a user, group or service principal.
	Principal     string
	PrincipalType string
	// Condition narrows what is granted (package condition). One that does not
	// parse grants nothing.
	Condition string
	// From and Until bound the assignment in time, as an active assignment of
	// Privileged Identity Management is; the zero Time is no bound. At Until
	// itself it has ended.
	From, Until time.Time
}

// Everyone is the id that deny assignments have for all principals.
const Everyone = "00000000-0000-0000-0000-000000000000"

// DenyAssignment takes actions away from principals at a scope and below it,
// whatever their roles.
// Source: azure-docs role-based-access-control/deny-assignments.md.
type DenyAssignment struct {
	ID          string       `json:"id"`
	Name        string       `json:"denyAssignmentName"`
	Description string       `json:"description,omitempty"`
	Permissions []Permission `json:"permissions"`
	Scope       Scope        `json:"scope"`
	// ThisScopeOnly leaves out what is below the scope (doNotApplyToChildScopes).
	ThisScopeOnly bool `json:"doNotApplyToChildScopes"`
	// Principals are object ids of users, groups and service principals, or
	// Everyone; Excluded are taken out of them again.
	Principals      []string `json:"principals"`
	Excluded        []string `json:"excludePrincipals"`
	SystemProtected bool     `json:"isSystemProtected"`
	// Condition narrows what is denied. One that does not parse narrows nothing.
	Condition string `json:"condition,omitempty"`
}

// Question asks: may the principal do the action at the scope?
type Question struct {
	// Principal is an object id. The groups that it is in count too.
	Principal string
	// Groups are more groups of the principal, such as those that its token
	// names.
	Groups []string
	// GroupsOnly leaves out of account the groups that the world knows the
	// principal to be in: Groups are all there are.
	GroupsOnly bool
	Action     string
	// Data asks the data plane (dataActions), not the control plane (actions).
	Data  bool
	Scope Scope
	// BuiltInOnly leaves custom roles out of account: some operations, such as
	// the creation of a hub, ask for that.
	BuiltInOnly bool
	// Time is the moment that is asked about; the zero Time is now. It bounds
	// assignments, and is UtcNow to conditions that are given none.
	Time time.Time
	// SubOperation and Attribute are what conditions see of the request
	// (condition.Input). Attribute may be nil.
	SubOperation string
	Attribute    func(source condition.Source, key string) (any, bool)
}

// Decision is one of Azure's three answers.
type Decision int

const (
	// NotAllowed is the zero Decision: nothing grants the action.
	NotAllowed Decision = iota
	// Allowed says that a role assignment grants the action.
	Allowed
	// Denied says that a deny assignment takes the action away.
	Denied
)

// String is the name that Azure's checkAccess gives the decision.
func (d Decision) String() string {
	switch d {
	case Allowed:
		return "Allowed"
	case Denied:
		return "Denied"
	}
	return "NotAllowed"
}

// Result is a decision and what decided it.
type Result struct {
	Decision Decision
	// Assignment and Role are what allowed, or the nearest miss, or nil; Deny is
	// what denied, or nil. They belong to the snapshot: do not change them.
	Assignment *RoleAssignment
	Role       *RoleDefinition
	Deny       *DenyAssignment
	// Why says in one sentence why the action is not allowed; empty where it is.
	Why string
}
