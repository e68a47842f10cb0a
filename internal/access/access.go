package access

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
	"sekisho/rbac/builtin"
	"sekisho/rbac/operations"
)

// Kinds of documents that access writes. An assignment's id is its ARM id, a
// parent's is the scope of the child.
const (
	kindAssignment = "roleAssignment"
	kindParent     = "managementGroupParent"
)

// Assignment is a role assignment, as stored.
type Assignment struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"` // a GUID
	Scope         string    `json:"scope"`
	Role          string    `json:"role"` // the GUID of the role definition
	PrincipalID   string    `json:"principalId"`
	PrincipalType string    `json:"principalType"`
	Description   string    `json:"description,omitempty"`
	Condition     string    `json:"condition,omitempty"`
	ConditionVer  string    `json:"conditionVersion,omitempty"`
	Delegated     string    `json:"delegatedManagedIdentityResourceId,omitempty"`
	CreatedOn     time.Time `json:"createdOn"`
	UpdatedOn     time.Time `json:"updatedOn"`
	CreatedBy     string    `json:"createdBy"`
	UpdatedBy     string    `json:"updatedBy"`
}

// Parent places a subscription or management group below a management group.
type Parent struct {
	Child  string `json:"child"`
	Parent string `json:"parent"`
}

// RootGroup is the tenant root management group, which bears the tenant's id.
func RootGroup(tenant string) rbac.Scope {
	return rbac.Scope(GroupPrefix + tenant)
}

// Access answers questions to Azure RBAC.
type Access struct {
	store    *store.Store
	follower *store.Follower
	snapshot atomic.Pointer[rbac.Snapshot]
	// documents is about how many the snapshot is made of; the follower's.
	documents int
	catalog   *rbac.Catalog
	builtIn   []rbac.RoleDefinition
	byGUID    map[string]rbac.RoleDefinition // of builtIn, in lower case

	now         func() time.Time
	propagation *propagation // nil: writes decide at once
}

// New makes an Access on the assignments in s and the built-in roles.
func New(s *store.Store, o Options) *Access {
	a := &Access{store: s, builtIn: builtin.Roles(), byGUID: map[string]rbac.RoleDefinition{}, now: o.Now}
	for _, role := range a.builtIn {
		a.byGUID[strings.ToLower(role.Name)] = role
	}
	if o.Delay > 0 {
		a.propagation = &propagation{delay: o.Delay}
	}
	a.catalog = rbac.NewCatalog(a.builtIn, builtin.Advised(), operations.All)
	a.snapshot.Store(rbac.NewSnapshot(rbac.World{Roles: a.builtIn}))
	a.follower = store.NewFollower(s, []string{kindDefinition, kindAssignment, kindParent, kindDeny, kindSchedule, entra.KindMember}, a.apply)
	return a
}

func (a *Access) apply(tx *store.Tx, changes []store.Change) error {
	next, err := a.follow(tx, changes)
	if err != nil {
		return err
	}
	a.snapshot.Store(next)
	if a.propagation != nil {
		a.propagation.add(next, a.clock())
	}
	return nil
}

// bulk is from how many changes on it may be cheaper to read all that there is
// than to make a snapshot of each change.
const bulk = 1000

// follow is the snapshot after some changes.
func (a *Access) follow(tx *store.Tx, changes []store.Change) (next *rbac.Snapshot, err error) {
	if len(changes) >= max(bulk, a.documents/8) {
		next, a.documents, err = a.load(tx)
		return next, err
	}
	a.documents += len(changes)
	return applyEach(a.snapshot.Load(), tx, changes)
}

func applyEach(next *rbac.Snapshot, tx *store.Tx, changes []store.Change) (*rbac.Snapshot, error) {
	for _, c := range changes {
		var err error
		switch c.Kind {
		case kindDefinition:
			next, err = applyDefinition(next, tx, c)
		case kindAssignment:
			next, err = applyAssignment(next, tx, c)
		case kindParent:
			next, err = applyParent(next, tx, c)
		case kindDeny:
			next, err = applyDeny(next, tx, c)
		case kindSchedule:
			next, err = applySchedule(next, tx, c)
		case entra.KindMember:
			_, member, _ := strings.Cut(c.ID, "/")
			next, err = applyMember(next, tx, member)
		}
		if err != nil {
			return nil, err
		}
	}
	return next, nil
}

func applyAssignment(s *rbac.Snapshot, tx *store.Tx, c store.Change) (*rbac.Snapshot, error) {
	doc, _, err := store.Load[Assignment](tx, kindAssignment, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return s.WithoutAssignment(c.ID), nil
	}
	if err != nil {
		return s, err
	}
	return s.WithAssignment(doc.decides()), nil
}

// decides is what the assignment is to decisions.
func (a Assignment) decides() rbac.RoleAssignment {
	return rbac.RoleAssignment{ID: a.ID, Scope: rbac.Scope(a.Scope), RoleDefinition: a.Role,
		Principal: a.PrincipalID, PrincipalType: a.PrincipalType, Condition: a.Condition}
}

func applyParent(s *rbac.Snapshot, tx *store.Tx, c store.Change) (*rbac.Snapshot, error) {
	doc, _, err := store.Load[Parent](tx, kindParent, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return s.WithParent(rbac.Scope(c.ID), "/"), nil
	}
	return s.WithParent(rbac.Scope(doc.Child), rbac.Scope(doc.Parent)), err
}

func applyMember(s *rbac.Snapshot, tx *store.Tx, member string) (*rbac.Snapshot, error) {
	records, err := tx.List(entra.KindMember, store.Query{Key: &store.Key{Name: "member", Value: member}})
	if err != nil {
		return s, err
	}
	var groups []string
	for _, record := range records {
		m, err := store.Decode[entra.Member](record)
		if err != nil {
			return s, err
		}
		groups = append(groups, m.Group)
	}
	return s.WithGroups(member, groups), nil
}

// Snapshot is what decides now.
func (a *Access) Snapshot(ctx context.Context) (*rbac.Snapshot, error) {
	if err := a.follower.Sync(ctx); err != nil {
		return nil, err
	}
	if a.propagation != nil {
		return a.propagation.current(a.clock(), a.snapshot.Load()), nil
	}
	return a.snapshot.Load(), nil
}

// Latest has every write, also those that do not decide yet: for who is in
// which group.
func (a *Access) Latest(ctx context.Context) (*rbac.Snapshot, error) {
	err := a.follower.Sync(ctx)
	return a.snapshot.Load(), err
}

func (a *Access) clock() time.Time {
	if a.now == nil {
		return time.Now()
	}
	return a.now()
}

// Check implements gate.Access.
func (a *Access) Check(ctx context.Context, caller api.Caller, check api.Check) (rbac.Result, error) {
	s, err := a.Snapshot(ctx)
	if err != nil {
		return rbac.Result{}, err
	}
	q := question(caller, check)
	if a.now != nil { // else rbac looks at the clock where something depends on it
		q.Time = a.now()
	}
	return s.Check(q), nil
}

// Groups implements gate.Access.
func (a *Access) Groups(ctx context.Context, object string) ([]string, error) {
	s, err := a.Latest(ctx)
	if err != nil {
		return nil, err
	}
	return s.GroupsOf(object), nil
}

func question(caller api.Caller, check api.Check) rbac.Question {
	q := rbac.Question{Principal: caller.Object, Action: check.Action, Data: check.Data, Scope: check.Scope, BuiltInOnly: check.BuiltInOnly}
	if check.Attributes != nil {
		q.SubOperation, q.Attribute = check.Attributes.SubOperation, check.Attributes.Get
	}
	return q
}

// SmallestRole implements gate.Access.
func (a *Access) SmallestRole(action string, data bool) string {
	role, _ := a.catalog.SmallestRole(action, data)
	return role.RoleName
}

// Suggest finds the roles that would allow a question.
func (a *Access) Suggest(q rbac.Question) rbac.Suggestion { return a.catalog.Smallest(q) }

// PutParent places a subscription or management group below a management group.
func PutParent(tx *store.Tx, tenant string, p Parent) error {
	_, err := store.Save(tx, store.Record{Tenant: tenant, Kind: kindParent, ID: p.Child}, p)
	return err
}

// Put writes a role assignment.
func Put(tx *store.Tx, tenant string, a Assignment) error {
	_, err := store.Save(tx, store.Record{Tenant: tenant, Kind: kindAssignment, ID: a.ID,
		Unique: []store.Key{{Name: "name", Value: tenant + "/" + a.Name}, grantKey(a)},
		Keys:   []store.Key{{Name: "principal", Value: a.PrincipalID}, {Name: "role", Value: a.Role}}}, a)
	return err
}

// Get reads a role assignment; store.ErrNotFound if there is none.
func Get(tx *store.Tx, id string) (Assignment, error) {
	a, _, err := store.Load[Assignment](tx, kindAssignment, id)
	return a, err
}

// Named reads the role assignment of that name in a tenant.
func Named(tx *store.Tx, tenant, name string) (Assignment, error) {
	record, err := tx.Lookup(kindAssignment, store.Key{Name: "name", Value: tenant + "/" + name})
	if err != nil {
		return Assignment{}, err
	}
	return store.Decode[Assignment](record)
}

// Delete removes a role assignment; store.ErrNotFound if there is none.
func Delete(tx *store.Tx, id string) error { return tx.Delete(kindAssignment, id) }

// List reads all role assignments of a tenant.
func List(tx *store.Tx, tenant string) ([]Assignment, error) {
	records, err := tx.List(kindAssignment, store.Query{})
	if err != nil {
		return nil, err
	}
	var all []Assignment
	for _, record := range records {
		if record.Tenant != tenant {
			continue
		}
		a, err := store.Decode[Assignment](record)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// RemoveBelow implements arm.Assignments: what is deleted takes what access
// keeps at and below it along.
func (a *Access) RemoveBelow(tx *store.Tx, scope rbac.Scope) error {
	for _, kind := range []string{kindAssignment, kindDeny, kindSchedule, kindScheduleRequest} {
		records, err := tx.List(kind, store.Query{Prefix: string(scope) + "/"})
		if err != nil {
			return err
		}
		for _, record := range records {
			if err := tx.Delete(kind, record.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
