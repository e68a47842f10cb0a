package authorization

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const pimSource = "azure-rest-api-specs authorization/stable/2020-10-01; rest/api/authorization/privileged-role-eligibility-rest-sample, privileged-role-assignment-rest-sample (who may); entra-docs pim-resource-roles-activate-your-roles"

// pimOperations are Privileged Identity Management of Azure roles. Who is
// eligible for a role has nothing of it; an active assignment counts, from its
// start to its end.
func (s *Authorization) pimOperations() []api.Operation {
	var all []api.Operation
	add := func(method, path, name, action string, checks checks, handle handler) {
		all = append(all, row(method, "/"+path, name, action, pimSource, checks, handle))
	}
	const read, write = "/roleAssignments/read", "/roleAssignments/write"
	for _, k := range []kind{{eligible: true}, {eligible: false}} {
		requests, schedules, instances := k.path("ScheduleRequests"), k.path("Schedules"), k.path("ScheduleInstances")
		with := func(h func(http.ResponseWriter, *api.Call, kind) error) handler {
			return func(w http.ResponseWriter, call *api.Call) error { return h(w, call, k) }
		}
		add(http.MethodPut, requests+"/{name}", k.title("ScheduleRequests_Create"), write, s.mayRequest, with(s.putRequest))
		add(http.MethodPost, requests+"/{name}/validate", k.title("ScheduleRequests_Validate"), write, s.mayRequest, with(s.validateRequest))
		add(http.MethodPost, requests+"/{name}/cancel", k.title("ScheduleRequests_Cancel"), write, nothing, with(s.cancelRequest))
		add(http.MethodGet, requests+"/{name}", k.title("ScheduleRequests_Get"), read, atPIMScope, with(s.getRequest))
		add(http.MethodGet, requests, k.title("ScheduleRequests_ListForScope"), read, mayListSchedules, with(s.listRequests))
		add(http.MethodGet, schedules+"/{name}", k.title("Schedules_Get"), read, atPIMScope, with(s.getSchedule))
		add(http.MethodGet, schedules, k.title("Schedules_ListForScope"), read, mayListSchedules, with(s.listSchedules))
		add(http.MethodGet, instances+"/{name}", k.title("ScheduleInstances_Get"), read, atPIMScope, with(s.getInstance))
		add(http.MethodGet, instances, k.title("ScheduleInstances_ListForScope"), read, mayListSchedules, with(s.listInstances))
	}
	add(http.MethodGet, "eligibleChildResources", "EligibleChildResources_Get", read, nothing, s.eligibleChildren)
	add(http.MethodGet, "roleManagementPolicies", "RoleManagementPolicies_ListForScope", "/roleManagementPolicies/read", atPIMScope, s.listPolicies)
	add(http.MethodGet, "roleManagementPolicies/{name}", "RoleManagementPolicies_Get", "/roleManagementPolicies/read", atPIMScope, s.getPolicy)
	add(http.MethodGet, "roleManagementPolicyAssignments", "RoleManagementPolicyAssignments_ListForScope", "/roleManagementPolicyAssignments/read", atPIMScope, s.listPolicyAssignments)
	add(http.MethodGet, "roleManagementPolicyAssignments/{name}", "RoleManagementPolicyAssignments_Get", "/roleManagementPolicyAssignments/read", atPIMScope, s.getPolicyAssignment)
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

// mayListSchedules: everybody may list what is their own (asTarget()) or what
// they asked for (asRequestor()); the list holds them to it.
func mayListSchedules(call *api.Call) ([]api.Check, error) {
	if onlyOwn(call) {
		return nil, nil
	}
	return atPIMScope(call)
}

func onlyOwn(call *api.Call) bool {
	filter := strings.ToLower(call.Request.URL.Query().Get("$filter"))
	return strings.Contains(filter, "astarget()") || strings.Contains(filter, "asrequestor()")
}

// atPIMScope asks for the row's action at the scope of a call.
func atPIMScope(call *api.Call) ([]api.Check, error) {
	return []api.Check{{Scope: rbac.Scope(pimScope(call)), Action: call.Operation.Action}}, nil
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
		unlocked := arm.Writable
		if removes(r.Type) {
			unlocked = arm.Deletable
		}
		if err := unlocked(tx, rbac.Scope(r.ID)); err != nil {
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
	role, err := s.roleOf(tx, tenant, r.Role)
	if err == nil && !removes(r.Type) {
		err = mayBeAssigned(tx, tenant, r.Scope, role)
	}
	if err != nil {
		return err
	}
	r.Role = role.Name
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
		if err := s.unassigned(tx, r); err != nil {
			return err
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

// unassigned holds what would be one more role assignment now against those that
// there are.
func (s *Authorization) unassigned(tx *store.Tx, r *access.ScheduleRequest) error {
	if r.Eligible {
		return nil
	}
	taken, err := access.Granted(tx, access.Assignment{Scope: r.Scope, PrincipalID: r.PrincipalID, Role: r.Role}, s.options.Now())
	if err != nil || r.Start.After(s.options.Now()) && !taken {
		return err
	}
	if taken {
		return exists()
	}
	return s.room(tx, r.Scope)
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
			return badCondition("properties.condition", "It is not the one of the eligible assignment.")
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
