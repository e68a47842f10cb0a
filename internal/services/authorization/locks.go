package authorization

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/odata"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// lockNames is what the contract lets a lock be called.
// Source: ManagementLocks_CreateOrUpdateByScope, parameter lockName.
var lockNames = regexp.MustCompile(`^[^<>%&:\\?/\pC]{1,260}$`)

func (s *Authorization) putLock(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		Properties *struct {
			Level  string          `json:"level"`
			Notes  string          `json:"notes"`
			Owners []arm.LockOwner `json:"owners"`
		} `json:"properties"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	name := call.Var("name")
	switch {
	case !lockNames.MatchString(name):
		return api.BadRequest("InvalidLockName", "name", `The lock name '%s' is invalid: 1 to 260 characters, none of <,>,%%,&,:,\,?,/ or control characters.`, name)
	case in.Properties == nil:
		return api.BadRequest("InvalidRequestContent", "properties", "The request content was invalid: it has no properties.")
	case len(in.Properties.Notes) > 512:
		return api.BadRequest("InvalidLockNotes", "properties.notes", "The notes of a lock have at most 512 characters; %d were given.", len(in.Properties.Notes))
	}
	level, err := lockLevel(in.Properties.Level)
	if err != nil {
		return err
	}
	target, err := s.arm.Find(call.Request.Context(), call.Var("scope"))
	if err != nil {
		return err
	}
	lock := arm.Lock{ID: target.ID + "/providers/" + provider + "/locks/" + name, Name: name, Scope: target.ID,
		Level: level, Notes: in.Properties.Notes, Owners: in.Properties.Owners}
	created := false
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) (err error) {
		if err := arm.Enabled(tx, rbac.Scope(target.ID)); err != nil {
			return err
		}
		lock, created, err = arm.PutLock(tx, target.Tenant, lock, call.Caller)
		return err
	})
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, status, lockView(lock))
}

func lockLevel(written string) (string, error) {
	for _, level := range []string{arm.CanNotDelete, arm.ReadOnly} {
		if strings.EqualFold(level, written) {
			return level, nil
		}
	}
	return "", api.BadRequest("InvalidLockLevel", "properties.level", "The lock level '%s' is invalid: it is CanNotDelete or ReadOnly.", written)
}

func (s *Authorization) getLock(w http.ResponseWriter, call *api.Call) error {
	var lock arm.Lock
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		lock, err = arm.GetLock(tx, call.Path)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		if _, err := s.arm.Find(call.Request.Context(), call.Var("scope")); err != nil {
			return err
		}
		return api.Errorf(http.StatusNotFound, "LockNotFound", "The lock '%s' could not be found.", call.Var("name"))
	}
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, lockView(lock))
}

// deleteLock answers 204 for a lock that is not there, as Azure does. No lock
// keeps another.
func (s *Authorization) deleteLock(w http.ResponseWriter, call *api.Call) error {
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error { return arm.DeleteLock(tx, call.Path) })
	return deleted(w, call, err)
}

// listLocks gives the locks at, above and below a scope; atScope() leaves out
// those below.
// Source: Get-AzResourceLock, parameter AtScope.
func (s *Authorization) listLocks(w http.ResponseWriter, call *api.Call) error {
	f, err := arm.ParseFilter(call)
	if err != nil {
		return err
	}
	target, err := s.arm.Find(call.Request.Context(), call.Var("scope"))
	if err != nil {
		return err
	}
	var above, below []arm.Lock
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		var err error
		if above, err = arm.LocksAbove(tx, rbac.Scope(target.ID)); err != nil {
			return err
		}
		below, err = arm.LocksBelow(tx, rbac.Scope(target.ID))
		return err
	})
	if err != nil {
		return err
	}
	var views []any
	for i, lock := range append(above, below...) {
		ok, err := matchLock(f, lock, i < len(above))
		if err != nil {
			return arm.BadFilter(err)
		}
		if ok {
			views = append(views, lockView(lock))
		}
	}
	if _, err := matchLock(f, arm.Lock{}, false); err != nil { // even of no lock
		return arm.BadFilter(err)
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

func matchLock(f *odata.Filter, lock arm.Lock, above bool) (bool, error) {
	return f.Match(odata.Env{
		Get: func(path string) (any, bool) { return lock.Level, strings.EqualFold(path, "level") },
		Call: func(name string, args []string) (value, ok bool) {
			return above, strings.EqualFold(name, "atScope") && len(args) == 0
		},
	})
}

func lockView(l arm.Lock) map[string]any {
	properties := map[string]any{"level": l.Level}
	if l.Notes != "" {
		properties["notes"] = l.Notes
	}
	if len(l.Owners) > 0 {
		properties["owners"] = l.Owners
	}
	return map[string]any{"id": l.ID, "name": l.Name, "type": provider + "/locks", "properties": properties, "systemData": l.SystemData}
}
