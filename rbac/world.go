package rbac

// World is everything that decides. Ids and scopes in it compare without
// regard to case: of two roles or assignments with one id the later holds, and
// the keys of the maps must differ in more than case.
type World struct {
	Roles       []RoleDefinition
	Assignments []RoleAssignment
	// Groups gives the groups that a member, by object id, is directly in. A
	// group may be a member of groups.
	Groups map[string][]string
	// Parents gives the management group above a subscription or a management
	// group, by scope. What is not in it is right below the root.
	Parents map[string]Scope
}

// RoleAssignment gives a principal a role at a scope and below it. With a
// condition it grants nothing.
type RoleAssignment struct {
	// ID is unique: the resource id, or any other name of the assignment.
	ID    string
	Scope Scope
	// RoleDefinition is the GUID of the role.
	RoleDefinition string
	// Principal is the object id of a user, group or service principal.
	Principal     string
	PrincipalType string
	Condition     string
}

// Question asks: may the principal do the action at the scope?
type Question struct {
	// Principal is an object id. The groups that it is in count too.
	Principal string
	Action    string
	// Data asks the data plane (dataActions), not the control plane (actions).
	Data  bool
	Scope Scope
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
	// Assignment and Role are what allowed, or the nearest miss, or nil. They
	// belong to the snapshot: do not change them.
	Assignment *RoleAssignment
	Role       *RoleDefinition
	// Why says in one sentence why the action is not allowed; empty where it is.
	Why string
}
