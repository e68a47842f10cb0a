package authorization

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
	"sekisho/rbac/condition"
)

const pimSource = "azure-rest-api-specs authorization/stable/2020-10-01; rest/api/authorization/privileged-role-eligibility-rest-sample, privileged-role-assignment-rest-sample (who may); entra-docs pim-resource-roles-activate-your-roles"

// pimOperations are Privileged Identity Management of Azure roles. Who is
// eligible for a role has nothing of it; an active assignment counts, from its
// start to its end.
func (s *Authorization) pimOperations() []api.Operation {
	var all []api.Operation
	row := func(method, path, name, action string, checks func(*api.Call) ([]api.Check, error), handle func(http.ResponseWriter, *api.Call) error) {
		all = append(all, api.Operation{Method: method, Pattern: "{scope}/providers/" + provider + "/" + path, Name: name, Action: provider + action,
			Source: pimSource, Checks: checks, Handle: handle})
	}
	const read, write = "/roleAssignments/read", "/roleAssignments/write"
	for _, k := range []kind{{eligible: true}, {eligible: false}} {
		requests, schedules, instances := k.path("ScheduleRequests"), k.path("Schedules"), k.path("ScheduleInstances")
		with := func(h func(http.ResponseWriter, *api.Call, kind) error) func(http.ResponseWriter, *api.Call) error {
			return func(w http.ResponseWriter, call *api.Call) error { return h(w, call, k) }
		}
		row(http.MethodPut, requests+"/{name}", k.title("ScheduleRequests_Create"), write, s.mayRequest, with(s.putRequest))
		row(http.MethodPost, requests+"/{name}/validate", k.title("ScheduleRequests_Validate"), write, s.mayRequest, with(s.validateRequest))
		row(http.MethodPost, requests+"/{name}/cancel", k.title("ScheduleRequests_Cancel"), write, nothing, with(s.cancelRequest))
		row(http.MethodGet, requests+"/{name}", k.title("ScheduleRequests_Get"), read, mayReadSchedules, with(s.getRequest))
		row(http.MethodGet, requests, k.title("ScheduleRequests_ListForScope"), read, mayReadSchedules, with(s.listRequests))
		row(http.MethodGet, schedules+"/{name}", k.title("Schedules_Get"), read, mayReadSchedules, with(s.getSchedule))
		row(http.MethodGet, schedules, k.title("Schedules_ListForScope"), read, mayReadSchedules, with(s.listSchedules))
		row(http.MethodGet, instances+"/{name}", k.title("ScheduleInstances_Get"), read, mayReadSchedules, with(s.getInstance))
		row(http.MethodGet, instances, k.title("ScheduleInstances_ListForScope"), read, mayReadSchedules, with(s.listInstances))
	}
	row(http.MethodGet, "eligibleChildResources", "EligibleChildResources_Get", read, nothing, s.eligibleChildren)
	row(http.MethodGet, "roleManagementPolicies", "RoleManagementPolicies_ListForScope", "/roleManagementPolicies/read", mayReadPolicies, s.listPolicies)
	row(http.MethodGet, "roleManagementPolicies/{name}", "RoleManagementPolicies_Get", "/roleManagementPolicies/read", mayReadPolicies, s.getPolicy)
	row(http.MethodGet, "roleManagementPolicyAssignments", "RoleManagementPolicyAssignments_ListForScope", "/roleManagementPolicyAssignments/read", mayReadPolicies, s.listPolicyAssignments)
	row(http.MethodGet, "roleManagementPolicyAssignments/{name}", "RoleManagementPolicyAssignments_Get", "/roleManagementPolicyAssignments/read", mayReadPolicies, s.getPolicyAssignment)
	return all
}

// kind tells what one is eligible for from what one has.
type kind struct{ eligible bool }

// path is a resource type of the kind, as paths spell it; title as Azure's
// operation ids and types do.
func (k kind) path(rest string) string {
	if k.eligible {
		return "roleEligibility" + rest
	}
	return "roleAssignment" + rest
}

func (k kind) title(rest string) string { return "R" + k.path(rest)[1:] }

// id is where Azure puts a resource of the kind.
func (k kind) id(scope, rest, name string) string {
	return strings.TrimSuffix(scope, "/") + "/providers/" + provider + "/" + k.title(rest) + "/" + name
}

// pimScope is the scope of a call, without the namespace that Azure's own
// samples put before a subscription.
func pimScope(call *api.Call) string {
	const namespace = "/providers/Microsoft.Subscription"
	scope := call.Var("scope")
	if cut := len(namespace); len(scope) > cut && strings.EqualFold(scope[:cut], namespace) && scope[cut] == '/' {
		return scope[cut:]
	}
	return scope
}

// pimPlace is place for a call of Privileged Identity Management. A caller who
// is asked for no role is still asked for the tenant.
func (s *Authorization) pimPlace(call *api.Call) (scope, tenant string, err error) {
	plain := *call
	plain.Vars = map[string]string{"scope": pimScope(call)}
	scope, tenant, err = s.place(call.Request.Context(), &plain)
	if err == nil && !strings.EqualFold(tenant, call.Caller.Tenant) {
		err = api.Errorf(http.StatusForbidden, "InsufficientPermissions", "The requestor does not have permissions for this request.")
	}
	return scope, tenant, err
}

func nothing(*api.Call) ([]api.Check, error) { return nil, nil }

// mayReadSchedules: everybody may list what is their own (asTarget()) or what
// they asked for (asRequestor()); the list holds them to it.
func mayReadSchedules(call *api.Call) ([]api.Check, error) {
	if onlyOwn(call) {
		return nil, nil
	}
	return []api.Check{{Scope: rbac.Scope(pimScope(call)), Action: call.Operation.Action}}, nil
}

func onlyOwn(call *api.Call) bool {
	filter := strings.ToLower(call.Request.URL.Query().Get("$filter"))
	return strings.Contains(filter, "astarget()") || strings.Contains(filter, "asrequestor()")
}

func mayReadPolicies(call *api.Call) ([]api.Check, error) {
	return []api.Check{{Scope: rbac.Scope(pimScope(call)), Action: call.Operation.Action}}, nil
}

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
	check := api.Check{Scope: rbac.Scope(pimScope(call)), Action: provider + "/roleAssignments/write"}
	source := condition.Request
	if in.Type == "AdminRemove" {
		check.Action, source = provider+"/roleAssignments/delete", condition.Resource
	}
	attributes := map[string]any{"principalid": in.PrincipalID}
	if guid, ok := roleGUID(in.Role); ok {
		attributes["roledefinitionid"] = guid
	}
	p, err := s.directory.Principal(call.Request.Context(), in.PrincipalID)
	if err != nil {
		return nil, err
	}
	if p != nil {
		attributes["principaltype"] = p.Type
	}
	check.Attributes = &api.Attributes{Get: func(from condition.Source, key string) (any, bool) {
		name, ok := strings.CutPrefix(key, "microsoft.authorization/roleassignments:")
		if !ok || from != source {
			return nil, false
		}
		v, ok := attributes[name]
		return v, ok
	}}
	return []api.Check{check}, nil
}

func (s *Authorization) putRequest(w http.ResponseWriter, call *api.Call, k kind) error {
	r, tenant, err := s.request(call, k)
	if err != nil {
		return err
	}
	fresh := uuid.NewString()
	groups, err := s.access.Latest(call.Request.Context())
	if err != nil {
		return err
	}
	var done access.ScheduleRequest
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		if err := arm.Writable(tx, rbac.Scope(r.ID)); err != nil {
			return err
		}
		done = r
		if err := s.perform(tx, tenant, &done, fresh, groups); err != nil {
			return err
		}
		err := access.AddScheduleRequest(tx, tenant, done)
		if errors.Is(err, store.ErrExists) {
			return api.Errorf(http.StatusConflict, "RoleAssignmentRequestExists", "There is a request of the name '%s' already; the name must be unique for each request.", r.Name)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.writeRequest(w, call, done, http.StatusCreated)
}

// errDry ends a transaction that was only tried.
var errDry = errors.New("only validated")

func (s *Authorization) validateRequest(w http.ResponseWriter, call *api.Call, k kind) error {
	r, tenant, err := s.request(call, k)
	if err != nil {
		return err
	}
	fresh := uuid.NewString()
	groups, err := s.access.Latest(call.Request.Context())
	if err != nil {
		return err
	}
	var done access.ScheduleRequest
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		done = r
		if err := s.perform(tx, tenant, &done, fresh, groups); err != nil {
			return err
		}
		return errDry
	})
	if !errors.Is(err, errDry) {
		return err
	}
	return s.writeRequest(w, call, done, http.StatusOK)
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
	role, known := s.access.Role(guid)
	principal, err := s.directory.Principal(call.Request.Context(), in.PrincipalID)
	if err != nil {
		return r, "", err
	}
	self := requestTypes[strings.ToLower(in.Type)].self
	switch {
	case !arm.IsGUID(call.Var("name")):
		return bad("InvalidRoleAssignmentId", "name", "The role assignment request ID '%s' is not valid. It must be a GUID.", call.Var("name"))
	case !known:
		return r, "", roleNotFound(guid)
	case principal == nil || !strings.EqualFold(principal.Tenant, tenant):
		return bad("PrincipalNotFound", "properties.principalId", "Principal %s does not exist in the directory %s.", strings.ReplaceAll(in.PrincipalID, "-", ""), tenant)
	case self && !strings.EqualFold(in.PrincipalID, call.Caller.Object):
		return r, "", api.Errorf(http.StatusForbidden, "InsufficientPermissions", "The requestor does not have permissions for this request.")
	case in.Type == "SelfExtend" || in.Type == "SelfRenew":
		return bad("RequestTypeNotSupported", "properties.requestType", "The requestType '%s' needs an approval, which Sekisho does not have; an administrator extends by AdminExtend.", in.Type)
	case self && k.eligible:
		return bad("InvalidRequestContent", "properties.requestType", "The requestType '%s' is not one of an eligible assignment.", in.Type)
	}
	if err := validateCondition(in.Condition, in.ConditionVersion, "properties.condition"); err != nil {
		return r, "", err
	}
	if namesPrincipal(in.Condition) {
		return bad("InvalidCondition", "properties.condition", "The given condition is invalid: Privileged Identity Management does not support attributes of @Principal.")
	}
	now := s.options.Now().UTC()
	r = access.ScheduleRequest{
		Name: strings.ToLower(call.Var("name")), Scope: scope, Role: role.Name, PrincipalID: principal.ID, PrincipalType: principal.Type,
		Eligible: k.eligible, Type: in.Type, Linked: strings.ToLower(lastSegment(in.Linked)), Start: now, Justification: in.Justification,
		TicketNumber: in.Ticket.Number, TicketSystem: in.Ticket.System, Condition: in.Condition, ConditionVer: in.ConditionVersion,
		CreatedOn: now, RequestorID: call.Caller.Object,
	}
	r.ID = k.id(scope, "ScheduleRequests", r.Name)
	if err := in.plan(&r, now); err != nil {
		return r, "", err
	}
	return r, tenant, s.policy().check(r)
}

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// namesPrincipal tells whether a condition has an attribute of the principal.
// Source: azure-docs conditions-faq.md: PIM supports none.
func namesPrincipal(text string) bool {
	parsed, err := condition.Parse(text)
	if text == "" || err != nil {
		return false
	}
	for _, atom := range parsed.Atoms() {
		if atom.Left.Attribute.Source == condition.Principal || atom.Right.Attribute.Source == condition.Principal {
			return true
		}
	}
	return false
}

// plan fills in the times that a request asks for.
func (in *requestInput) plan(r *access.ScheduleRequest, now time.Time) error {
	invalid := func(format string, args ...any) error {
		return api.BadRequest("InvalidRoleAssignmentRequestSchedule", "properties.scheduleInfo", "The role assignment request schedule is invalid: "+format, args...)
	}
	removes := r.Type == "AdminRemove" || r.Type == "SelfDeactivate"
	if in.Schedule == nil || removes {
		if !removes {
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

func (s *Authorization) writeRequest(w http.ResponseWriter, call *api.Call, r access.ScheduleRequest, status int) error {
	names, err := s.names(call)
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, status, names.request(r, s.options.Now()))
}

// doesNotExist and exists are Azure's answers, as clients of PIM record them
// (status 400, both).
func doesNotExist() error {
	return api.BadRequest("RoleAssignmentDoesNotExist", "properties", "The Role assignment does not exist.")
}

func exists() error {
	return api.BadRequest("RoleAssignmentExists", "properties", "The Role assignment already exists.")
}

// perform does what a request asks for, and says so in it; fresh is the name of
// a schedule that may have to be made, groups knows who is in which.
func (s *Authorization) perform(tx *store.Tx, tenant string, r *access.ScheduleRequest, fresh string, groups *rbac.Snapshot) error {
	now := s.options.Now().UTC()
	wanted := access.Schedule{Name: fresh, Scope: r.Scope, Role: r.Role, PrincipalID: r.PrincipalID, PrincipalType: r.PrincipalType, Eligible: r.Eligible,
		Request: r.ID, Start: r.Start, End: r.End, Condition: r.Condition, ConditionVer: r.ConditionVer, CreatedOn: now, UpdatedOn: now}
	wanted.ID = kind{r.Eligible}.id(r.Scope, "Schedules", fresh)
	old, err := access.SameSchedule(tx, wanted)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	live := known && !old.Ended(now)
	r.Schedule, r.Status = fresh, "Provisioned"
	if known {
		r.Schedule = old.Name
	}
	switch r.Type {
	case "AdminRemove", "SelfDeactivate":
		switch {
		case !live || r.Type == "SelfDeactivate" && old.Linked == "":
			return doesNotExist()
		case r.Type == "SelfDeactivate" && now.Sub(old.Start) < 5*time.Minute:
			return api.BadRequest("ActiveDurationTooShort", "properties", "The Active duration is too short. Miniumum Required is 5 minutes.")
		}
		r.Status = "Revoked"
		return access.DeleteSchedule(tx, tenant, old)
	case "AdminAssign", "SelfActivate":
		if live {
			return exists()
		}
	case "AdminExtend", "AdminRenew":
		if !known || r.Type == "AdminExtend" && !live {
			return doesNotExist()
		}
	}
	if r.Type == "SelfActivate" {
		if err := s.activate(tx, tenant, r, &wanted, groups); err != nil {
			return err
		}
	}
	if r.Start.After(now) {
		r.Status = granted
	}
	if !live && known { // what is over makes room
		if err := access.DeleteSchedule(tx, tenant, old); err != nil {
			return err
		}
		r.Schedule = fresh
	}
	if live {
		wanted.ID, wanted.Name, wanted.CreatedOn, wanted.Linked = old.ID, old.Name, old.CreatedOn, old.Linked
		if r.Type == "AdminExtend" { // it goes on as it began
			wanted.Start, wanted.Condition, wanted.ConditionVer = old.Start, old.Condition, old.ConditionVer
		}
	}
	return access.PutSchedule(tx, tenant, wanted)
}

// granted is the status of what begins later; only that can be cancelled.
// Source: Microsoft Graph, unifiedRoleScheduleRequest: cancel; the ARM contract
// has the same statuses.
const granted = "Granted"

// activate finds what an activation rests on: the principal, or a group that it
// is in, is eligible for the role at the scope or above, now. It lasts no longer
// than that, and is under the same condition.
func (s *Authorization) activate(tx *store.Tx, tenant string, r *access.ScheduleRequest, wanted *access.Schedule, groups *rbac.Snapshot) error {
	now := wanted.CreatedOn
	all, err := access.ListSchedules(tx, tenant)
	if err != nil {
		return err
	}
	tree, err := access.LoadTree(tx, tenant)
	if err != nil {
		return err
	}
	f := scoped{scope: r.Scope, tree: tree, snapshot: groups}
	for _, e := range all {
		if !e.Eligible || e.Role != r.Role || !e.Runs(now) || r.Linked != "" && e.Name != r.Linked || !f.above(e.Scope) || !f.is(r.PrincipalID, e.PrincipalID) {
			continue
		}
		if r.Condition != "" && r.Condition != e.Condition {
			return api.BadRequest("InvalidCondition", "properties.condition", "The given condition is invalid: it is not the one of the eligible assignment.")
		}
		r.Linked, r.Condition, r.ConditionVer = e.Name, e.Condition, e.ConditionVer
		wanted.Linked, wanted.Condition, wanted.ConditionVer = e.Name, e.Condition, e.ConditionVer
		if !e.End.IsZero() && (wanted.End.IsZero() || e.End.Before(wanted.End)) {
			wanted.End = e.End
		}
		return nil
	}
	return doesNotExist()
}

func (s *Authorization) cancelRequest(w http.ResponseWriter, call *api.Call, k kind) error {
	scope, tenant, err := s.pimPlace(call)
	if err != nil {
		return err
	}
	id := k.id(scope, "ScheduleRequests", call.Var("name"))
	pending := func(tx *store.Tx) (access.ScheduleRequest, error) {
		r, err := access.GetScheduleRequest(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			return r, requestNotFound(call)
		}
		if status := statusOf(r, s.options.Now()); err == nil && status != granted {
			err = api.BadRequest("InvalidRequestStatus", "name", "A request of status '%s' can't be cancelled.", status)
		}
		return r, err
	}
	var requestor string
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		r, err := pending(tx)
		requestor = r.RequestorID
		return err
	})
	if err != nil {
		return err
	}
	if !strings.EqualFold(requestor, call.Caller.Object) {
		if err := call.Authorize(api.Check{Scope: rbac.Scope(scope), Action: call.Operation.Action}); err != nil {
			return err
		}
	}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		r, err := pending(tx)
		if err != nil {
			return err
		}
		schedule, err := access.SameSchedule(tx, access.Schedule{Scope: r.Scope, Role: r.Role, PrincipalID: r.PrincipalID, Eligible: r.Eligible})
		if err == nil && schedule.Name == r.Schedule {
			err = access.DeleteSchedule(tx, tenant, schedule)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		r.Status = "Canceled"
		return access.PutScheduleRequest(tx, tenant, r)
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(http.StatusOK)
	return nil
}

func requestNotFound(call *api.Call) error {
	return api.Errorf(http.StatusNotFound, "RoleAssignmentRequestNotFound", "The role assignment schedule request '%s' is not found.", call.Var("name"))
}

// statusOf is the status of a request now: what begins later has begun by then.
func statusOf(r access.ScheduleRequest, now time.Time) string {
	if r.Status == granted && !now.Before(r.Start) {
		return "Provisioned"
	}
	return r.Status
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
	}
	return end, nil
}
