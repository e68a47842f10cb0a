package export

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
)

// document is an export as one object: its lists are the files.
type document struct {
	Assignments []assignment `json:"roleAssignments"`
	Roles       []definition `json:"roleDefinitions"`
	Denies      []deny       `json:"denyAssignments"`
	Places      []entity     `json:"managementGroups"`
	Groups      []group      `json:"groups"`
	Principals  []Principal  `json:"principals"`
}

// MarshalJSON writes the export as one object. Built-in roles are left out:
// whoever reads it has them.
func (e *Export) MarshalJSON() ([]byte, error) {
	return json.Marshal(e.document(func(r rbac.RoleDefinition) bool {
		known, ok := builtin.Find(r.Name)
		return !ok || !reflect.DeepEqual(known, r)
	}))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Export) UnmarshalJSON(raw []byte) error {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	b := newBuilder()
	if err := errors.Join(addAll(d.Assignments, b.addAssignment), addAll(d.Roles, b.addRole), addAll(d.Denies, b.addDeny),
		addAll(d.Places, b.addPlace), addAll(d.Groups, b.addGroup), addAll(d.Principals, b.addPrincipal)); err != nil {
		return err
	}
	read, err := b.finish()
	if err == nil {
		*e = *read
	}
	return err
}

func addAll[T any](all []T, add func(T) error) error {
	for _, one := range all {
		if err := add(one); err != nil {
			return err
		}
	}
	return nil
}

// Write writes the files of the export, each to what create gives for its name.
func (e *Export) Write(create func(name string) (io.WriteCloser, error)) error {
	d := e.document(func(rbac.RoleDefinition) bool { return true })
	for _, f := range []struct {
		name    string
		content any
	}{
		{assignmentsFile, d.Assignments}, {rolesFile, d.Roles}, {deniesFile, map[string]any{"value": d.Denies}},
		{placesFile, d.Places}, {groupsFile, d.Groups}, {principalsFile, d.Principals},
	} {
		if err := writeFile(create, f.name, f.content); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(create func(string) (io.WriteCloser, error), name string, content any) error {
	w, err := create(name)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return errors.Join(enc.Encode(content), w.Close())
}

func (e *Export) document(keep func(rbac.RoleDefinition) bool) document {
	// Lists that are empty are written as [], as az does.
	d := document{[]assignment{}, []definition{}, []deny{}, []entity{}, []group{}, []Principal{}}
	roleNames := map[string]string{}
	for _, r := range e.World.Roles {
		roleNames[strings.ToLower(r.Name)] = r.RoleName
		if keep(r) {
			d.Roles = append(d.Roles, definition{definitionFields: definitionFields{ID: "/providers/" + definitionType + "/" + r.Name, Name: r.Name,
				RoleName: r.RoleName, RoleType: r.Type, Type: definitionType, Description: r.Description, AssignableScopes: r.AssignableScopes, Permissions: r.Permissions}})
		}
	}
	for _, a := range e.World.Assignments {
		f := assignmentFields{ID: a.ID, Name: lastSegment(a.ID), Type: assignmentType, Scope: string(a.Scope), PrincipalID: a.Principal, PrincipalType: a.PrincipalType,
			RoleID: roleID(a), RoleName: roleNames[strings.ToLower(a.RoleDefinition)], Condition: a.Condition, Start: bound(a.From), End: bound(a.Until)}
		if name := e.NameOf(a.Principal); name != a.Principal {
			f.PrincipalName = name
		}
		if a.Condition != "" {
			f.ConditionVersion = "2.0"
		}
		d.Assignments = append(d.Assignments, assignment{assignmentFields: f})
	}
	for _, one := range e.World.Denies {
		d.Denies = append(d.Denies, deny{denyFields: denyFields{ID: one.ID, Name: lastSegment(one.ID), Type: denyType}, Properties: &denyFields{
			DenyName: one.Name, Description: one.Description, Permissions: one.Permissions, Scope: string(one.Scope), ThisScopeOnly: one.ThisScopeOnly,
			Principals: e.subjectsOf(one.Principals), Excluded: e.subjectsOf(one.Excluded), Protected: one.SystemProtected, Condition: one.Condition}})
	}
	d.Places = append(d.Places, e.entities()...)
	d.Groups = append(d.Groups, e.groups()...)
	for _, key := range slices.Sorted(maps.Keys(e.Principals)) {
		d.Principals = append(d.Principals, e.Principals[key])
	}
	return d
}

// roleID is a role definition id as az prints it: below the subscription of the
// scope, if there is one.
func roleID(a rbac.RoleAssignment) string {
	id := "/providers/" + definitionType + "/" + a.RoleDefinition
	if s := a.Scope.Subscription(); s != "" {
		return "/subscriptions/" + s + id
	}
	return id
}

func bound(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (e *Export) subjectsOf(ids []string) []subject {
	var all []subject
	for _, id := range ids {
		p := e.Principals[strings.ToLower(id)]
		if id == rbac.Everyone {
			p = Principal{Type: "SystemDefined"}
		}
		all = append(all, subject{ID: id, Type: p.Type, DisplayName: p.DisplayName})
	}
	return all
}

func (e *Export) entities() (all []entity) {
	keys := map[string]rbac.Scope{}
	for child, parent := range e.World.Parents {
		keys[rbac.Scope(child).Key()] = parent
	}
	for key := range e.Places {
		if _, ok := keys[key]; !ok {
			keys[key] = ""
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		kind := "/subscriptions"
		if isManagementGroup(rbac.Scope(key)) {
			kind = "Microsoft.Management/managementGroups"
		}
		parent := keys[key]
		if parent == rbac.Root {
			parent = ""
		}
		all = append(all, entity{entityFields: entityFields{ID: key, Name: lastSegment(key), Type: kind, DisplayName: e.Places[key], Parent: reference{string(parent)}}})
	}
	return all
}

func (e *Export) groups() (all []group) {
	members := map[string][]member{}
	for key, p := range e.Principals {
		if p.Type == "Group" {
			members[key] = []member{}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.World.Groups)) {
		m := member{Principal: Principal{ID: id}}
		if p, ok := e.Principals[strings.ToLower(id)]; ok {
			m.Principal = p
		}
		for _, g := range e.World.Groups[id] {
			members[strings.ToLower(g)] = append(members[strings.ToLower(g)], m)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		p := e.Principals[key]
		all = append(all, group{ID: cmp.Or(p.ID, key), DisplayName: p.DisplayName, Members: members[key]})
	}
	return all
}
