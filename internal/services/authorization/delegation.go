package authorization

import (
	"errors"
	"net/http"
	"strings"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
	"sekisho/rbac/condition"
)

const (
	assignmentSource = "azure-rest-api-specs authorization/stable/2022-04-01/authorization-RoleAssignmentsCalls.json; azure-docs role-assignments-rest.md, conditions-authorization-actions-attributes.md"
	validateSource   = "azure-rest-api-specs authorization/preview/2020-10-01-preview/authorization-RoleAssignmentsCalls.json, and its examples RoleAssignments_ValidateValid.json and _ValidateInvalid.json"
	writeAssignment  = provider + "/roleAssignments/write"
)

// assignmentOperations are the rows of role assignments. Those by id
// ("/{roleAssignmentId}") and those for a subscription, resource group or
// resource are the same paths.
func (s *Authorization) assignmentOperations() []api.Operation {
	const one = "/roleAssignments/{name}"
	return []api.Operation{
		row(http.MethodGet, "/roleAssignments", "RoleAssignments_ListForScope", "/roleAssignments/read", assignmentSource, atScope, s.list),
		row(http.MethodGet, one, "RoleAssignments_Get", "/roleAssignments/read", assignmentSource, atItself, s.get),
		row(http.MethodPut, one, "RoleAssignments_Create", "/roleAssignments/write", assignmentSource, s.toAssign, s.put),
		row(http.MethodDelete, one, "RoleAssignments_Delete", "/roleAssignments/delete", assignmentSource, s.toUnassign, s.delete),
		// No operation of the provider is a validation: who may not write has
		// nothing to validate.
		row(http.MethodPost, one+"/validate", "RoleAssignments_Validate", "/roleAssignments/write", validateSource, s.toAssign, s.check),
	}
}

// What the conditions of a delegate see of the assignment that is to be.
// Source: conditions-authorization-actions-attributes.md.
var (
	roleAttribute          = condition.Key(provider + "/roleAssignments:RoleDefinitionId")
	principalAttribute     = condition.Key(provider + "/roleAssignments:PrincipalId")
	principalTypeAttribute = condition.Key(provider + "/roleAssignments:PrincipalType")
)

// attributes are those of a request for wanted, on what is there; either may be
// nil.
func attributes(wanted, there *access.Assignment) *api.Attributes {
	return &api.Attributes{Get: func(source condition.Source, key string) (any, bool) {
		a := map[condition.Source]*access.Assignment{condition.Request: wanted, condition.Resource: there}[source]
		if a == nil {
			return nil, false
		}
		value := map[string]string{roleAttribute: a.Role, principalAttribute: a.PrincipalID, principalTypeAttribute: a.PrincipalType}[key]
		return value, value != ""
	}}
}

func assignmentCheck(call *api.Call, of *api.Attributes) api.Check {
	return api.Check{Scope: rbac.Scope(assignmentPath(call)), Action: call.Operation.Action, Attributes: of}
}

// assignmentPath is the id of the assignment that a call is about, as written.
func assignmentPath(call *api.Call) string {
	if call.Request.Method == http.MethodPost { // .../validate
		return call.Path[:strings.LastIndex(call.Path, "/")]
	}
	return call.Path
}

// toAssign asks with what the body says: the role, the principal, and its type
// as the directory has it. What is wrong with the body is told to who may write
// without regard to it.
func (s *Authorization) toAssign(call *api.Call) ([]api.Check, error) {
	var wanted *access.Assignment
	if in, err := readInput(call); err == nil {
		if wanted, err = s.wanted(call, in.RoleDefinitionID, in.PrincipalID, in.PrincipalType); err != nil {
			return nil, err
		}
	}
	there, err := s.there(call)
	if err != nil {
		return nil, err
	}
	return []api.Check{assignmentCheck(call, attributes(wanted, there))}, nil
}

// wanted is what conditions see of an assignment that a body names; of the type
// of the principal the directory knows better.
func (s *Authorization) wanted(call *api.Call, role, principal, principalType string) (*access.Assignment, error) {
	guid, _ := roleGUID(role)
	a := &access.Assignment{Role: guid, PrincipalID: principal, PrincipalType: principalType}
	known, err := s.principal(call, call.Caller.Tenant, principal)
	if known != nil {
		a.PrincipalType = known.Type
	}
	return a, err
}

// toUnassign asks with what the assignment is.
func (s *Authorization) toUnassign(call *api.Call) ([]api.Check, error) {
	there, err := s.there(call)
	if err != nil {
		return nil, err
	}
	return []api.Check{assignmentCheck(call, attributes(nil, there))}, nil
}

// check tells what a PUT of the body would answer, and writes nothing.
func (s *Authorization) check(w http.ResponseWriter, call *api.Call) error {
	in, err := readInput(call)
	if err != nil {
		return err
	}
	reply, err := s.verdict(call, in)
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, reply)
}

// verdict is the reply of a validation.
func (s *Authorization) verdict(call *api.Call, in *input) (any, error) {
	a, err := s.plan(call, in)
	if err == nil {
		err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
			_, err := s.assign(tx, call, &a)
			return err
		})
	}
	var bad *api.Error
	switch {
	case err == nil:
		return map[string]any{"isValid": true}, nil
	case !errors.As(err, &bad):
		return nil, err
	case bad.Code == codeNoRole:
		bad = &api.Error{Code: "InvalidRoleDefinitionId", Message: bad.Message} // as the example has it
	}
	return map[string]any{"isValid": false, "errorInfo": map[string]string{"code": bad.Code, "message": bad.Message}}, nil
}

// there is the assignment of the call's name; nil if there is none.
func (s *Authorization) there(call *api.Call) (there *access.Assignment, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		a, err := access.Get(tx, assignmentPath(call))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		there = &a
		return err
	})
	return there, err
}
