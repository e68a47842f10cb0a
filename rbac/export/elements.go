package export

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
)

const (
	managementGroups = "/providers/Microsoft.Management/managementGroups/"
	assignmentType   = "Microsoft.Authorization/roleAssignments"
	definitionType   = "Microsoft.Authorization/roleDefinitions"
	denyType         = "Microsoft.Authorization/denyAssignments"
)

// assignment is a role assignment as az prints it, or as ARM does.
type assignment struct {
	assignmentFields
	Properties *assignmentFields `json:"properties,omitempty"`
}

type assignmentFields struct {
	ID               string `json:"id,omitempty"`
	Name             string `json:"name,omitempty"`
	Type             string `json:"type,omitempty"`
	Scope            string `json:"scope,omitempty"`
	PrincipalID      string `json:"principalId,omitempty"`
	PrincipalType    string `json:"principalType,omitempty"`
	PrincipalName    string `json:"principalName,omitempty"`
	RoleID           string `json:"roleDefinitionId,omitempty"`
	RoleName         string `json:"roleDefinitionName,omitempty"`
	Condition        string `json:"condition,omitempty"`
	ConditionVersion string `json:"conditionVersion,omitempty"`
	// The bounds of roleAssignmentScheduleInstances.
	Start *time.Time `json:"startDateTime,omitempty"`
	End   *time.Time `json:"endDateTime,omitempty"`
}

func (b *builder) addAssignment(in assignment) error {
	f := in.assignmentFields
	if in.Properties != nil {
		f = *in.Properties
		f.ID, f.Name = in.ID, in.Name
		f.Scope = cmp.Or(f.Scope, in.Scope)
	}
	at := len(b.World.Assignments)
	scope, err := scopeOf(f.Scope, f.ID, assignmentType)
	if err != nil {
		return err
	}
	if f.PrincipalID == "" {
		return errors.New("principalId is missing")
	}
	if f.RoleID == "" && f.RoleName == "" {
		return errors.New("roleDefinitionId is missing")
	}
	if f.RoleID == "" {
		b.byName[at] = f.RoleName
	}
	if f.ID == "" { // two without an id are not one
		f.ID = strings.TrimSuffix(string(scope), "/") + "/providers/" + assignmentType + "/" + cmp.Or(f.Name, fmt.Sprint("element-", at))
	}
	a := rbac.RoleAssignment{ID: f.ID, Scope: scope, RoleDefinition: lastSegment(f.RoleID), Principal: f.PrincipalID,
		PrincipalType: f.PrincipalType, Condition: f.Condition}
	if f.Start != nil {
		a.From = *f.Start
	}
	if f.End != nil {
		a.Until = *f.End
	}
	b.World.Assignments = append(b.World.Assignments, a)
	if f.PrincipalName != "" {
		b.PutPrincipal(named(f.PrincipalID, f.PrincipalType, f.PrincipalName))
	}
	return nil
}

// named reads az's principalName: the user principal name of a user, the first
// name of a service principal, which is its application id, or a display name.
func named(id, kind, name string) Principal {
	p := Principal{ID: id, Type: kind}
	switch {
	case isGUID(name):
		p.AppID = name
	case kind == "User":
		p.UserPrincipalName = name
	default:
		p.DisplayName = name
	}
	return p
}

// definition is a role definition as az prints it, or as ARM does.
type definition struct {
	definitionFields
	Properties *definitionFields `json:"properties,omitempty"`
}

type definitionFields struct {
	ID               string            `json:"id,omitempty"`
	Name             string            `json:"name,omitempty"`
	RoleName         string            `json:"roleName,omitempty"`
	RoleType         string            `json:"roleType,omitempty"`
	Type             string            `json:"type,omitempty"` // ARM's roleType, below properties
	Description      string            `json:"description"`
	AssignableScopes []string          `json:"assignableScopes"`
	Permissions      []rbac.Permission `json:"permissions"`
}

func (b *builder) addRole(in definition) error {
	f := in.definitionFields
	if in.Properties != nil {
		f = *in.Properties
		f.ID, f.Name = in.ID, in.Name
	}
	r := rbac.RoleDefinition{Name: cmp.Or(lastSegment(f.Name), lastSegment(f.ID)), RoleName: f.RoleName, Description: f.Description,
		AssignableScopes: f.AssignableScopes, Permissions: f.Permissions}
	if r.Name == "" {
		return errors.New("name, the GUID of the role, is missing")
	}
	if r.RoleName == "" {
		return errors.New("roleName is missing")
	}
	_, known := builtin.Find(r.Name)
	switch kind := cmp.Or(f.RoleType, f.Type); {
	case strings.EqualFold(kind, rbac.BuiltInRole):
		r.Type = rbac.BuiltInRole
	case strings.EqualFold(kind, rbac.CustomRole):
		r.Type = rbac.CustomRole
	case kind != "" && !strings.EqualFold(kind, definitionType):
		return fmt.Errorf("roleType %q is neither %s nor %s", kind, rbac.BuiltInRole, rbac.CustomRole)
	case known:
		r.Type = rbac.BuiltInRole
	default:
		r.Type = rbac.CustomRole
	}
	b.putRole(r)
	return nil
}

// deny is a deny assignment as ARM lists it.
type deny struct {
	denyFields
	Properties *denyFields `json:"properties,omitempty"`
}

type denyFields struct {
	ID            string            `json:"id,omitempty"`
	Name          string            `json:"name,omitempty"`
	Type          string            `json:"type,omitempty"`
	DenyName      string            `json:"denyAssignmentName,omitempty"`
	Description   string            `json:"description,omitempty"`
	Permissions   []rbac.Permission `json:"permissions,omitempty"`
	Scope         string            `json:"scope,omitempty"`
	ThisScopeOnly bool              `json:"doNotApplyToChildScopes,omitempty"`
	Principals    []subject         `json:"principals,omitempty"`
	Excluded      []subject         `json:"excludePrincipals,omitempty"`
	Protected     bool              `json:"isSystemProtected,omitempty"`
	Condition     string            `json:"condition,omitempty"`
	Effect        string            `json:"denyAssignmentEffect,omitempty"`
}

// subject is a principal of a deny assignment.
type subject struct {
	ID          string `json:"id"`
	Type        string `json:"type,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// UnmarshalJSON takes a bare id too.
func (s *subject) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &s.ID)
	}
	type plain subject
	return json.Unmarshal(raw, (*plain)(s))
}

func (b *builder) addDeny(in deny) error {
	f := in.denyFields
	if in.Properties != nil {
		f = *in.Properties
		f.ID, f.Name = in.ID, in.Name
	}
	scope, err := scopeOf(f.Scope, f.ID, denyType)
	if err != nil {
		return err
	}
	d := rbac.DenyAssignment{ID: f.ID, Name: cmp.Or(f.DenyName, f.Name), Description: f.Description, Permissions: f.Permissions, Scope: scope,
		ThisScopeOnly: f.ThisScopeOnly, SystemProtected: f.Protected, Condition: f.Condition}
	if d.ID == "" {
		d.ID = strings.TrimSuffix(string(scope), "/") + "/providers/" + denyType + "/" + cmp.Or(f.Name, fmt.Sprint("element-", len(b.World.Denies)))
	}
	if d.Principals, err = b.subjects(f.Principals); err != nil {
		return fmt.Errorf("principals: %w", err)
	}
	if len(d.Principals) == 0 {
		return errors.New("principals is empty")
	}
	if d.Excluded, err = b.subjects(f.Excluded); err != nil {
		return fmt.Errorf("excludePrincipals: %w", err)
	}
	if strings.EqualFold(f.Effect, "audit") { // it is logged, and denies nothing
		return nil
	}
	b.World.Denies = append(b.World.Denies, d)
	return nil
}

func (b *builder) subjects(all []subject) ([]string, error) {
	var ids []string
	for i, s := range all {
		if s.ID == "" && (strings.EqualFold(s.Type, "SystemDefined") || strings.EqualFold(s.Type, "Everyone")) {
			s.ID = rbac.Everyone
		}
		if s.ID == "" {
			return nil, fmt.Errorf("element %d has no id", i)
		}
		if s.ID != rbac.Everyone && s.DisplayName != "" {
			b.PutPrincipal(Principal{ID: s.ID, Type: s.Type, DisplayName: s.DisplayName})
		}
		ids = append(ids, s.ID)
	}
	return ids, nil
}

// entity is a management group or a subscription in its tree.
type entity struct {
	entityFields
	Properties *entityFields `json:"properties,omitempty"`
}

type entityFields struct {
	ID          string    `json:"id,omitempty"`
	Name        string    `json:"name,omitempty"`
	Type        string    `json:"type,omitempty"`
	DisplayName string    `json:"displayName,omitempty"`
	Parent      reference `json:"parent"`
}

type reference struct {
	ID string `json:"id,omitempty"`
}

func (b *builder) addPlace(in entity) error {
	f := in.entityFields
	if in.Properties != nil {
		f = *in.Properties
		f.ID = in.ID
	}
	child, parent := rbac.Scope(f.ID), f.Parent.ID
	if child == "" {
		return errors.New("id is missing")
	}
	if !strings.HasPrefix(child.Key(), "/subscriptions/") && !isManagementGroup(child) {
		return fmt.Errorf("id %q is neither a management group nor a subscription", f.ID)
	}
	if f.DisplayName != "" {
		b.Places[child.Key()] = f.DisplayName
	}
	if parent == "" {
		return nil
	}
	if !strings.Contains(parent, "/") {
		parent = managementGroups + parent
	}
	if !isManagementGroup(rbac.Scope(parent)) {
		return fmt.Errorf("parent.id %q is not a management group", parent)
	}
	if b.World.Parents == nil {
		b.World.Parents = map[string]rbac.Scope{}
	}
	b.World.Parents[child.Key()] = rbac.Scope(parent)
	return nil
}

func isManagementGroup(s rbac.Scope) bool {
	name, ok := strings.CutPrefix(s.Key(), strings.ToLower(managementGroups))
	return ok && name != "" && !strings.Contains(name, "/")
}

// group is a group with its direct members.
type group struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName,omitempty"`
	Members     []member `json:"members"`
}

type member struct {
	Principal
	ODataType string `json:"@odata.type,omitempty"`
}

// UnmarshalJSON takes a bare id too.
func (m *member) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &m.ID)
	}
	type plain member
	return json.Unmarshal(raw, (*plain)(m))
}

// graphTypes are the types of members in Microsoft Graph.
var graphTypes = map[string]string{"#microsoft.graph.user": "User", "#microsoft.graph.group": "Group", "#microsoft.graph.serviceprincipal": "ServicePrincipal"}

func (b *builder) addGroup(g group) error {
	if g.ID == "" {
		return errors.New("id is missing")
	}
	b.PutPrincipal(Principal{ID: g.ID, Type: "Group", DisplayName: g.DisplayName})
	for i, m := range g.Members {
		if m.ID == "" {
			return fmt.Errorf("members: element %d has no id", i)
		}
		if b.World.Groups == nil {
			b.World.Groups = map[string][]string{}
		}
		key := strings.ToLower(m.ID)
		b.World.Groups[key] = append(b.World.Groups[key], g.ID)
		if m.Type == "" {
			m.Type = graphTypes[strings.ToLower(m.ODataType)]
		}
		if m.Type != "" || m.Name() != m.ID {
			b.PutPrincipal(m.Principal)
		}
	}
	return nil
}

func (b *builder) addPrincipal(p Principal) error {
	if p.ID == "" {
		return errors.New("id is missing")
	}
	b.PutPrincipal(p)
	return nil
}

// scopeOf is the scope that an element says it is at or, where it does not, the
// one in front of its id.
func scopeOf(scope, id, extension string) (rbac.Scope, error) {
	if scope == "" {
		if at := strings.Index(strings.ToLower(id), strings.ToLower("/providers/"+extension+"/")); at >= 0 {
			scope = cmp.Or(id[:at], "/")
		}
	}
	switch {
	case scope == "":
		return "", errors.New("scope is missing")
	case !strings.HasPrefix(scope, "/"):
		return "", fmt.Errorf("scope %q does not start with a slash", scope)
	}
	return rbac.Scope(scope), nil
}

func lastSegment(id string) string { return id[strings.LastIndex(id, "/")+1:] }
