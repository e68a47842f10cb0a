package arm

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// kindLock is the store's kind of a management lock; the id is its ARM id.
const kindLock = "managementLock"

// Levels of a lock.
const (
	CanNotDelete = "CanNotDelete"
	ReadOnly     = "ReadOnly"
)

// Lock is a management lock, as stored. It holds at its scope and below.
// Source: azure-docs azure-resource-manager/management/lock-resources.md.
type Lock struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Scope      string      `json:"scope"`
	Level      string      `json:"level"`
	Notes      string      `json:"notes,omitempty"`
	Owners     []LockOwner `json:"owners,omitempty"`
	SystemData *SystemData `json:"systemData,omitempty"`
}

// LockOwner is an application that a lock is said to belong to.
type LockOwner struct {
	ApplicationID string `json:"applicationId"`
}

// locksOf is what the ids of the locks at a scope begin with.
func locksOf(scope rbac.Scope) string {
	return strings.TrimSuffix(string(scope), "/") + "/providers/Microsoft.Authorization/locks/"
}

// PutLock writes a lock and tells whether it is new.
func PutLock(tx *store.Tx, tenant string, lock Lock, caller api.Caller) (saved Lock, created bool, err error) {
	old, err := GetLock(tx, lock.ID)
	created = errors.Is(err, store.ErrNotFound)
	if err != nil && !created {
		return Lock{}, false, err
	}
	if !created {
		lock.ID, lock.Name = old.ID, old.Name
	}
	now := &Resource{}
	stamp(&Resource{SystemData: old.SystemData}, now, caller)
	lock.SystemData = now.SystemData
	_, err = store.Save(tx, store.Record{Tenant: tenant, Kind: kindLock, ID: lock.ID}, lock)
	return lock, created, err
}

// GetLock reads a lock; store.ErrNotFound if there is none.
func GetLock(tx *store.Tx, id string) (Lock, error) {
	lock, _, err := store.Load[Lock](tx, kindLock, id)
	return lock, err
}

// DeleteLock removes a lock; store.ErrNotFound if there is none.
func DeleteLock(tx *store.Tx, id string) error { return tx.Delete(kindLock, id) }

// LocksAbove are the locks that hold at a scope: its own and those above it.
func LocksAbove(tx *store.Tx, scope rbac.Scope) (all []Lock, err error) {
	for _, above := range scope.Ancestors() {
		if above == rbac.Root {
			continue
		}
		locks, err := listLocks(tx, locksOf(above))
		if err != nil {
			return nil, err
		}
		all = append(all, locks...)
	}
	return all, nil
}

// LocksBelow are the locks of what is inside a scope, without its own.
func LocksBelow(tx *store.Tx, scope rbac.Scope) ([]Lock, error) {
	all, err := listLocks(tx, string(scope)+"/")
	return slices.DeleteFunc(all, func(l Lock) bool { return rbac.Scope(l.Scope).Key() == scope.Key() }), err
}

func listLocks(tx *store.Tx, prefix string) ([]Lock, error) {
	records, err := tx.List(kindLock, store.Query{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	all := make([]Lock, len(records))
	for i, record := range records {
		if all[i], err = store.Decode[Lock](record); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Writable refuses a write at a scope where a ReadOnly lock holds, or whose
// subscription is disabled.
func Writable(tx *store.Tx, scope rbac.Scope) error {
	if err := Enabled(tx, scope); err != nil {
		return err
	}
	return notReadOnly(tx, scope)
}

func notReadOnly(tx *store.Tx, scope rbac.Scope) error {
	locks, err := LocksAbove(tx, scope)
	if err != nil {
		return err
	}
	return locked(scope, "write", slices.DeleteFunc(locks, func(l Lock) bool { return l.Level != ReadOnly }))
}

// Deletable refuses to delete what a lock holds, or what has a lock inside it:
// never a part of it goes.
// Source: lock-resources.md, "Configure locks" and "Considerations before
// applying your locks".
func Deletable(tx *store.Tx, scope rbac.Scope) error {
	above, err := LocksAbove(tx, scope)
	if err != nil {
		return err
	}
	below, err := LocksBelow(tx, scope)
	if err != nil {
		return err
	}
	return locked(scope, "delete", append(above, below...))
}

func locked(scope rbac.Scope, verb string, locks []Lock) error {
	if len(locks) == 0 {
		return nil
	}
	var at []string
	for _, l := range locks {
		if !slices.Contains(at, l.Scope) {
			at = append(at, l.Scope)
		}
	}
	return api.Errorf(http.StatusConflict, "ScopeLocked",
		"The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please remove the lock and try again.", scope, verb, strings.Join(at, ","))
}

// unlocked lets a POST pass unless a ReadOnly lock holds where it is made: ARM
// can't tell which of them change something.
// Source: lock-resources.md, "the list keys operation is handled through a POST request".
func (m *Manager) unlocked(handle func(http.ResponseWriter, *api.Call) error) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		if err := m.writable(call.Request.Context(), PathScope(call)); err != nil {
			return err
		}
		return handle(w, call)
	}
}

func (m *Manager) writable(ctx context.Context, scope rbac.Scope) error {
	return m.store.View(ctx, func(tx *store.Tx) error { return Writable(tx, scope) })
}
