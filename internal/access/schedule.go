package access

import (
	"errors"
	"time"

	"sekisho/internal/store"
	"sekisho/rbac"
)

// Kinds of documents of Privileged Identity Management; the ids are ARM ids.
const (
	kindSchedule        = "roleSchedule"
	kindScheduleRequest = "roleScheduleRequest"
)

// Schedule is that a principal has a role at a scope for a time, or may give
// itself that role: an eligible one decides nothing.
type Schedule struct {
	ID            string `json:"id"`
	Name          string `json:"name"` // a GUID
	Scope         string `json:"scope"`
	Role          string `json:"role"` // the GUID of the role definition
	PrincipalID   string `json:"principalId"`
	PrincipalType string `json:"principalType"`
	Eligible      bool   `json:"eligible,omitempty"`
	// Linked is the name of the eligible schedule that this one was activated
	// from; empty where an administrator assigned it.
	Linked       string    `json:"linkedRoleEligibilityScheduleId,omitempty"`
	Request      string    `json:"request"` // the id of the last request that changed it
	Start        time.Time `json:"startDateTime"`
	End          time.Time `json:"endDateTime,omitzero"` // zero: never
	Condition    string    `json:"condition,omitempty"`
	ConditionVer string    `json:"conditionVersion,omitempty"`
	CreatedOn    time.Time `json:"createdOn"`
	UpdatedOn    time.Time `json:"updatedOn"`
}

// Ended tells whether the schedule is over.
func (s Schedule) Ended(now time.Time) bool { return !s.End.IsZero() && !now.Before(s.End) }

// Runs tells whether the schedule has begun and is not over.
func (s Schedule) Runs(now time.Time) bool { return !now.Before(s.Start) && !s.Ended(now) }

// ScheduleRequest is what somebody asked of a schedule.
type ScheduleRequest struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	Scope         string    `json:"scope"`
	Role          string    `json:"role"`
	PrincipalID   string    `json:"principalId"`
	PrincipalType string    `json:"principalType"`
	Eligible      bool      `json:"eligible,omitempty"`
	Type          string    `json:"requestType"`
	Status        string    `json:"status"`
	Schedule      string    `json:"schedule"` // the name of the schedule
	Linked        string    `json:"linkedRoleEligibilityScheduleId,omitempty"`
	Start         time.Time `json:"startDateTime"`
	Expiration    string    `json:"expiration,omitempty"` // its type
	Duration      string    `json:"duration,omitempty"`
	End           time.Time `json:"endDateTime,omitzero"`
	Justification string    `json:"justification,omitempty"`
	TicketNumber  string    `json:"ticketNumber,omitempty"`
	TicketSystem  string    `json:"ticketSystem,omitempty"`
	Condition     string    `json:"condition,omitempty"`
	ConditionVer  string    `json:"conditionVersion,omitempty"`
	CreatedOn     time.Time `json:"createdOn"`
	RequestorID   string    `json:"requestorId"`
}

// PutSchedule writes a schedule; store.ErrExists if the principal has another of
// that role at that scope.
func PutSchedule(tx *store.Tx, tenant string, s Schedule) error {
	_, err := store.Save(tx, store.Record{Tenant: tenant, Kind: kindSchedule, ID: s.ID, Unique: []store.Key{grantOf(s)}}, s)
	return err
}

func grantOf(s Schedule) store.Key {
	kind := "active"
	if s.Eligible {
		kind = "eligible"
	}
	return store.Key{Name: "grant", Value: kind + "|" + s.Scope + "|" + s.PrincipalID + "|" + s.Role}
}

// SameSchedule reads the schedule of the same principal, role and scope;
// store.ErrNotFound if there is none.
func SameSchedule(tx *store.Tx, s Schedule) (Schedule, error) {
	record, err := tx.Lookup(kindSchedule, grantOf(s))
	if err != nil {
		return Schedule{}, err
	}
	return store.Decode[Schedule](record)
}

// DeleteSchedule removes a schedule, and of an eligible one what was activated
// from it.
func DeleteSchedule(tx *store.Tx, tenant string, s Schedule) error {
	if s.Eligible {
		all, err := ListSchedules(tx, tenant)
		if err != nil {
			return err
		}
		for _, other := range all {
			if other.Linked == s.Name {
				if err := tx.Delete(kindSchedule, other.ID); err != nil {
					return err
				}
			}
		}
	}
	return tx.Delete(kindSchedule, s.ID)
}

// ListSchedules reads all schedules of a tenant, also those that are over.
func ListSchedules(tx *store.Tx, tenant string) ([]Schedule, error) {
	return ofTenant[Schedule](tx, kindSchedule, tenant)
}

// AddScheduleRequest writes a new request; store.ErrExists if there is one of
// that id.
func AddScheduleRequest(tx *store.Tx, tenant string, r ScheduleRequest) error {
	if _, err := tx.Get(kindScheduleRequest, r.ID); err == nil {
		return store.ErrExists
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return PutScheduleRequest(tx, tenant, r)
}

// PutScheduleRequest writes a request.
func PutScheduleRequest(tx *store.Tx, tenant string, r ScheduleRequest) error {
	_, err := store.Save(tx, store.Record{Tenant: tenant, Kind: kindScheduleRequest, ID: r.ID}, r)
	return err
}

// GetScheduleRequest reads a request; store.ErrNotFound if there is none.
func GetScheduleRequest(tx *store.Tx, id string) (ScheduleRequest, error) {
	r, _, err := store.Load[ScheduleRequest](tx, kindScheduleRequest, id)
	return r, err
}

// ListScheduleRequests reads all requests of a tenant.
func ListScheduleRequests(tx *store.Tx, tenant string) ([]ScheduleRequest, error) {
	return ofTenant[ScheduleRequest](tx, kindScheduleRequest, tenant)
}

// applySchedule gives the snapshot what is active, now or later, with its
// bounds: it begins and ends by the clock, without a write.
func applySchedule(s *rbac.Snapshot, tx *store.Tx, c store.Change) (*rbac.Snapshot, error) {
	doc, _, err := store.Load[Schedule](tx, kindSchedule, c.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && doc.Eligible {
		return s.WithoutAssignment(c.ID), nil
	}
	if err != nil {
		return s, err
	}
	return s.WithAssignment(doc.decides()), nil
}

// decides is what the schedule is to decisions; an eligible one decides nothing.
func (s Schedule) decides() rbac.RoleAssignment {
	return rbac.RoleAssignment{ID: s.ID, Scope: rbac.Scope(s.Scope), RoleDefinition: s.Role, Principal: s.PrincipalID,
		PrincipalType: s.PrincipalType, Condition: s.Condition, From: s.Start, Until: s.End}
}
