package authorization

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
	"sekisho/rbac/condition"
)

// requestInput is the body of a request.
type requestInput struct {
	Role        string `json:"roleDefinitionId"`
	PrincipalID string `json:"principalId"`
	Type        string `json:"requestType"`
	Linked      string `json:"linkedRoleEligibilityScheduleId"`
	Schedule    *struct {
		Start      *time.Time `json:"startDateTime"`
		Expiration *struct {
			Type     string     `json:"type"`
			End      *time.Time `json:"endDateTime"`
			Duration *string    `json:"duration"`
		} `json:"expiration"`
	} `json:"scheduleInfo"`
	Justification string `json:"justification"`
	Ticket        struct {
		Number string `json:"ticketNumber"`
		System string `json:"ticketSystem"`
	} `json:"ticketInfo"`
	Condition        string `json:"condition"`
	ConditionVersion string `json:"conditionVersion"`
}

// requestTypes are Azure's, with whether a caller asks for oneself.
var requestTypes = map[string]struct {
	name string
	self bool
}{
	"adminassign": {"AdminAssign", false}, "adminupdate": {"AdminUpdate", false}, "adminremove": {"AdminRemove", false},
	"adminextend": {"AdminExtend", false}, "adminrenew": {"AdminRenew", false},
	"selfactivate": {"SelfActivate", true}, "selfdeactivate": {"SelfDeactivate", true}, "selfextend": {"SelfExtend", true}, "selfrenew": {"SelfRenew", true},
}

// readRequest reads the body, and puts it back for the handler.
func readRequest(call *api.Call) (requestInput, error) {
	raw, err := arm.PeekBody(call)
	if err != nil {
		return requestInput{}, err
	}
	var body struct {
		Properties *requestInput `json:"properties"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return requestInput{}, api.BadRequest("InvalidRequestContent", "", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	if body.Properties == nil {
		return requestInput{}, api.BadRequest("InvalidRequestContent", "properties", "The request content was invalid: it has no properties.")
	}
	in := *body.Properties
	known, ok := requestTypes[strings.ToLower(in.Type)]
	if !ok {
		return in, api.BadRequest("InvalidRequestContent", "properties.requestType", "The requestType '%s' is not valid.", in.Type)
	}
	in.Type = known.name
	return in, nil
}

// mayRequest: an administrator needs to be allowed to write role assignments at
// the scope, and the conditions of that permission see which; who asks for
// oneself needs to be eligible, which the handler finds out.
func (s *Authorization) mayRequest(call *api.Call) ([]api.Check, error) {
	in, err := readRequest(call)
	if err != nil || requestTypes[strings.ToLower(in.Type)].self {
		return nil, err
	}
	a, err := s.wanted(call, in.Role, in.PrincipalID, "")
	if err != nil {
		return nil, err
	}
	check := api.Check{Scope: rbac.Scope(pimScope(call)), Action: writeAssignment, Attributes: attributes(a, nil)}
	if in.Type == "AdminRemove" {
		check.Action, check.Attributes = provider+"/roleAssignments/delete", attributes(nil, a)
	}
	return []api.Check{check}, nil
}

// request makes a request of a call, as far as it can be judged by itself.
func (s *Authorization) request(call *api.Call, k kind) (r access.ScheduleRequest, tenant string, err error) {
	in, err := readRequest(call)
	if err != nil {
		return r, "", err
	}
	scope, tenant, err := s.pimPlace(call)
	if err != nil {
		return r, "", err
	}
	bad := func(code, target, format string, args ...any) (access.ScheduleRequest, string, error) {
		return r, "", api.BadRequest(code, target, format, args...)
	}
	guid, isRole := roleGUID(in.Role)
	if !isRole {
		return bad("BadRequestFormat", "properties.roleDefinitionId", "The request was incorrectly formatted.")
	}
	if err := checkPrincipalID(in.PrincipalID); err != nil {
		return r, "", err
	}
	principal, err := s.principal(call, tenant, in.PrincipalID)
	if err != nil {
		return r, "", err
	}
	self := requestTypes[strings.ToLower(in.Type)].self
	switch {
	case !arm.IsGUID(call.Var("name")):
		return bad("InvalidRoleAssignmentId", "name", "The role assignment request ID '%s' is not valid. It must be a GUID.", call.Var("name"))
	case principal == nil:
		return r, "", principalNotFound(in.PrincipalID, tenant)
	case self && !strings.EqualFold(in.PrincipalID, call.Caller.Object):
		return r, "", api.Errorf(http.StatusForbidden, "InsufficientPermissions", "The requestor does not have permissions for this request.")
	case in.Type == "SelfExtend" || in.Type == "SelfRenew":
		return bad("RequestTypeNotSupported", "properties.requestType", "The requestType '%s' needs an approval, which Sekisho does not have; an administrator extends by AdminExtend.", in.Type)
	case self && k.eligible:
		return bad("InvalidRequestContent", "properties.requestType", "The requestType '%s' is not one of an eligible assignment.", in.Type)
	}
	// Source: azure-docs conditions-faq.md: PIM supports no attributes of the principal.
	version, err := readCondition("properties", in.Condition, in.ConditionVersion, condition.Principal)
	if err != nil {
		return r, "", err
	}
	now := s.options.Now().UTC()
	r = access.ScheduleRequest{
		Name: strings.ToLower(call.Var("name")), Scope: scope, Role: guid, PrincipalID: principal.ID, PrincipalType: principal.Type,
		Eligible: k.eligible, Type: in.Type, Linked: strings.ToLower(lastSegment(in.Linked)), Start: now, Justification: in.Justification,
		TicketNumber: in.Ticket.Number, TicketSystem: in.Ticket.System, Condition: in.Condition, ConditionVer: version,
		CreatedOn: now, RequestorID: call.Caller.Object,
	}
	r.ID = k.id(scope, "ScheduleRequests", r.Name)
	if err := in.plan(&r, now); err != nil {
		return r, "", err
	}
	return r, tenant, s.policy().check(r)
}

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// removes tells whether a request takes a schedule away.
func removes(requestType string) bool {
	return requestType == "AdminRemove" || requestType == "SelfDeactivate"
}

// plan fills in the times that a request asks for.
func (in *requestInput) plan(r *access.ScheduleRequest, now time.Time) error {
	invalid := func(format string, args ...any) error {
		return api.BadRequest("InvalidRoleAssignmentRequestSchedule", "properties.scheduleInfo", "The role assignment request schedule is invalid: "+format, args...)
	}
	if in.Schedule == nil || removes(r.Type) {
		if !removes(r.Type) {
			r.Expiration = "NoExpiration"
		}
		return nil
	}
	// A start that is past is now: Azure's own samples send such.
	if start := in.Schedule.Start; start != nil && start.After(now) {
		r.Start = start.UTC()
	}
	r.Expiration = "NoExpiration"
	e := in.Schedule.Expiration
	if e == nil {
		return nil
	}
	switch strings.ToLower(e.Type) {
	case "", "noexpiration":
	case "afterdatetime":
		if e.End == nil {
			return invalid("AfterDateTime has no endDateTime.")
		}
		r.Expiration, r.End = "AfterDateTime", e.End.UTC()
	case "afterduration":
		if e.Duration == nil {
			return invalid("AfterDuration has no duration.")
		}
		end, err := addDuration(r.Start, *e.Duration)
		if err != nil {
			return invalid("%v.", err)
		}
		r.Expiration, r.Duration, r.End = "AfterDuration", *e.Duration, end
	default:
		return invalid("the expiration type '%s' is not AfterDuration, AfterDateTime or NoExpiration.", e.Type)
	}
	if !r.End.IsZero() && (!r.End.After(r.Start) || !r.End.After(now)) {
		return invalid("it ends before it begins.")
	}
	return nil
}

// addDuration adds an ISO 8601 duration of days and less (P365D, PT8H, P1DT30M),
// or of years, months and weeks.
func addDuration(start time.Time, text string) (time.Time, error) {
	bad := fmt.Errorf("'%s' is not a duration of ISO 8601", text)
	rest, ok := strings.CutPrefix(strings.ToUpper(text), "P")
	if !ok || rest == "" || strings.HasSuffix(rest, "T") {
		return start, bad
	}
	end, clock := start, false
	for rest != "" {
		if rest[0] == 'T' {
			if clock {
				return start, bad
			}
			clock, rest = true, rest[1:]
			continue
		}
		n, digits := 0, 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			n, digits = n*10+int(rest[digits]-'0'), digits+1
		}
		if digits == 0 || digits > 6 || digits == len(rest) {
			return start, bad
		}
		switch unit := rest[digits]; {
		case unit == 'Y' && !clock:
			end = end.AddDate(n, 0, 0)
		case unit == 'M' && !clock:
			end = end.AddDate(0, n, 0)
		case unit == 'W' && !clock:
			end = end.AddDate(0, 0, 7*n)
		case unit == 'D' && !clock:
			end = end.AddDate(0, 0, n)
		case unit == 'H' && clock:
			end = end.Add(time.Duration(n) * time.Hour)
		case unit == 'M' && clock:
			end = end.Add(time.Duration(n) * time.Minute)
		case unit == 'S' && clock:
			end = end.Add(time.Duration(n) * time.Second)
		default:
			return start, bad
		}
		rest = rest[digits+1:]
		if end.Year() > 9999 || end.Before(start) { // JSON has no later times
			return start, fmt.Errorf("'%s' is too long", text)
		}
	}
	return end, nil
}
