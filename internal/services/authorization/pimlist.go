package authorization

import (
	"net/http"
	"strings"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/odata"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// pimList is a list at the scope of a call. What one may list without a role is
// one's own.
func (s *Authorization) pimList(call *api.Call) (*scoped, error) {
	plain := *call
	plain.Vars = map[string]string{"scope": pimScope(call)}
	if _, _, err := s.pimPlace(call); err != nil {
		return nil, err
	}
	f, err := newScoped(s, &plain)
	if err == nil {
		f.pim = true
	}
	return f, err
}

// own tells whether a call that was asked for no role may see something of a
// principal.
func (f *scoped) own(call *api.Call, principal, requestor string) bool {
	return !onlyOwn(call) || f.is(f.caller, principal) || strings.EqualFold(f.caller, requestor)
}

func roleEnv(scope, role string) odata.Env {
	return odata.Env{Get: func(path string) (any, bool) { return roleID(scope, role), strings.EqualFold(path, "roleDefinitionId") },
		Call: func(name string, args []string) (value, ok bool) {
			return true, strings.EqualFold(name, "atScope") && len(args) == 0
		}}
}

func (s *Authorization) listRequests(w http.ResponseWriter, call *api.Call, k kind) error {
	f, err := s.pimList(call)
	if err != nil {
		return err
	}
	names, err := s.names(call)
	if err != nil {
		return err
	}
	var all []access.ScheduleRequest
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		all, err = access.ListScheduleRequests(tx, f.tenant)
		return err
	})
	if err != nil {
		return err
	}
	now := s.options.Now()
	match := func(r access.ScheduleRequest) (bool, error) {
		f.requestor = strings.EqualFold(r.RequestorID, f.caller)
		return f.match(r.Scope, func(path string) (any, bool) {
			switch strings.ToLower(path) {
			case "principalid":
				return r.PrincipalID, true
			case "roledefinitionid":
				return roleID(r.Scope, r.Role), true
			case "requestorid":
				return r.RequestorID, true
			case "status":
				return statusOf(r, now), true
			}
			return nil, false
		}, func(who string) bool { return f.is(who, r.PrincipalID) })
	}
	var views []any
	if _, err := match(access.ScheduleRequest{}); err != nil { // even of no request
		return err
	}
	for _, r := range all {
		if r.Eligible != k.eligible || !f.concerns(r.Scope) || !f.own(call, r.PrincipalID, r.RequestorID) {
			continue
		}
		ok, err := match(r)
		if err != nil {
			return err
		}
		if ok {
			views = append(views, names.request(r, now))
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

// schedules are those of a kind that are not over. What is assigned without
// Privileged Identity Management has a schedule too, without an end.
func (s *Authorization) schedules(call *api.Call, tenant string, k kind) (all []access.Schedule, err error) {
	now := s.options.Now()
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		stored, err := access.ListSchedules(tx, tenant)
		if err != nil {
			return err
		}
		for _, one := range stored {
			if one.Eligible == k.eligible && !one.Ended(now) {
				all = append(all, one)
			}
		}
		if k.eligible {
			return nil
		}
		assigned, err := access.List(tx, tenant)
		for _, a := range assigned {
			all = append(all, access.Schedule{ID: k.id(a.Scope, "Schedules", a.Name), Name: a.Name, Scope: a.Scope, Role: a.Role, PrincipalID: a.PrincipalID,
				PrincipalType: a.PrincipalType, Start: a.CreatedOn, Condition: a.Condition, ConditionVer: a.ConditionVer, CreatedOn: a.CreatedOn, UpdatedOn: a.UpdatedOn})
		}
		return err
	})
	return all, err
}

func (s *Authorization) listSchedules(w http.ResponseWriter, call *api.Call, k kind) error {
	return s.listOf(w, call, k, false)
}

// listInstances gives those that run now.
func (s *Authorization) listInstances(w http.ResponseWriter, call *api.Call, k kind) error {
	return s.listOf(w, call, k, true)
}

func (s *Authorization) listOf(w http.ResponseWriter, call *api.Call, k kind, instances bool) error {
	f, err := s.pimList(call)
	if err != nil {
		return err
	}
	names, err := s.names(call)
	if err != nil {
		return err
	}
	all, err := s.schedules(call, f.tenant, k)
	if err != nil {
		return err
	}
	match := func(one access.Schedule) (bool, error) {
		return f.match(one.Scope, func(path string) (any, bool) {
			switch strings.ToLower(path) {
			case "principalid":
				return one.PrincipalID, true
			case "roledefinitionid":
				return roleID(one.Scope, one.Role), true
			case "status":
				return "Provisioned", true
			}
			return nil, false
		}, func(who string) bool { return f.is(who, one.PrincipalID) })
	}
	if _, err := match(access.Schedule{}); err != nil { // even of no schedule
		return err
	}
	var views []any
	for _, one := range all {
		if instances && !one.Runs(s.options.Now()) || !f.concerns(one.Scope) || !f.own(call, one.PrincipalID, "") {
			continue
		}
		ok, err := match(one)
		if err != nil {
			return err
		}
		if ok {
			views = append(views, names.schedule(one, instances, f.member(one)))
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

// member tells how a schedule reaches the scope of the list, and whom.
func (f *scoped) member(s access.Schedule) string {
	switch {
	case !strings.EqualFold(s.Scope, f.scope) && f.above(s.Scope):
		return "Inherited"
	case s.PrincipalType == "Group":
		return "Group"
	}
	return "Direct"
}

func (s *Authorization) getSchedule(w http.ResponseWriter, call *api.Call, k kind) error {
	return s.getOf(w, call, k, false)
}

func (s *Authorization) getInstance(w http.ResponseWriter, call *api.Call, k kind) error {
	return s.getOf(w, call, k, true)
}

func (s *Authorization) getOf(w http.ResponseWriter, call *api.Call, k kind, instance bool) error {
	scope, tenant, err := s.pimPlace(call)
	if err != nil {
		return err
	}
	names, err := s.names(call)
	if err != nil {
		return err
	}
	all, err := s.schedules(call, tenant, k)
	if err != nil {
		return err
	}
	for _, one := range all {
		name := one.Name
		if instance {
			name = instanceName(one.Name)
		}
		if !strings.EqualFold(one.Scope, scope) || !strings.EqualFold(name, call.Var("name")) || instance && !one.Runs(s.options.Now()) {
			continue
		}
		arm.WriteHeaders(w, call)
		return arm.WriteJSON(w, http.StatusOK, names.schedule(one, instance, "Direct"))
	}
	return api.Errorf(http.StatusNotFound, "RoleAssignmentScheduleNotFound", "The role assignment schedule '%s' is not found.", call.Var("name"))
}

// eligibleChildren are the subscriptions or resource groups right below a scope
// in which the caller is eligible for something.
func (s *Authorization) eligibleChildren(w http.ResponseWriter, call *api.Call) error {
	f, err := s.pimList(call)
	if err != nil {
		return err
	}
	own, err := s.schedules(call, f.tenant, kind{eligible: true})
	if err != nil {
		return err
	}
	type child struct{ id, name, kind string }
	var children []child
	if rbac.Scope(f.scope).Subscription() != "" {
		groups, err := s.arm.Children(call.Request.Context(), f.scope, arm.GroupType().Name)
		if err != nil {
			return err
		}
		for _, g := range groups {
			children = append(children, child{g.ID, g.Name, "resourcegroup"})
		}
	}
	for _, id := range f.tree.Children(f.scope) {
		if g, ok := f.tree.Group(id); ok {
			children = append(children, child{g.ID, g.DisplayName, "managementgroup"})
		} else if sub, err := s.arm.Find(call.Request.Context(), id); err == nil {
			children = append(children, child{sub.ID, subscriptionName(sub), "subscription"})
		}
	}
	var views []any
	for _, c := range children {
		ok, err := f.filter.Match(odata.Env{Get: func(path string) (any, bool) { return c.kind, strings.EqualFold(path, "resourceType") }})
		if err != nil {
			return arm.BadFilter(err)
		}
		here := *f
		here.scope = c.id
		for _, one := range own {
			if ok && here.concerns(one.Scope) && f.is(f.caller, one.PrincipalID) {
				views = append(views, map[string]any{"id": c.id, "name": c.name, "type": c.kind})
				break
			}
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}
