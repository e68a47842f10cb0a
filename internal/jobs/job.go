package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sekisho/internal/store"
)

// documentKind is the kind of the documents that jobs are.
const documentKind = "job"

// Job is work to be done.
type Job struct {
	Kind    string // names the handler
	ID      string // of the work within its kind; compares case-insensitively
	Tenant  string
	Payload any       // JSON, for the handler; must not hold a secret
	Due     time.Time // not before; zero is at once
}

// record is a job as it is stored.
type record struct {
	Kind    string          `json:"kind"`
	ID      string          `json:"id"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Due     time.Time       `json:"due"` // of the next run, or of the present one
	// Every and Start are the schedule; without one Every is 0.
	Every time.Duration `json:"every,omitempty"`
	Start time.Time     `json:"start,omitzero"`

	Epoch   int64     `json:"epoch"`             // of the last lease
	Owner   string    `json:"owner,omitempty"`   // the loop that runs it, if it runs
	Expires time.Time `json:"expires,omitzero"`  // of the lease
	Attempt int       `json:"attempt,omitempty"` // beginnings since it was last done
	// Again says that it was enqueued while it ran; Cancelled that it was
	// cancelled then, and perhaps enqueued or scheduled after that.
	Again     bool `json:"again,omitempty"`
	Cancelled bool `json:"cancelled,omitempty"`
}

// key is the id of a job's document.
func key(kind, id string) string { return kind + "/" + strings.ToLower(id) }

// load reads a job, or makes one that is not there yet.
func load(tx *store.Tx, job Job) (record, store.Record, error) {
	r, rec, err := store.Load[record](tx, documentKind, key(job.Kind, job.ID))
	if errors.Is(err, store.ErrNotFound) {
		rec = store.Record{Tenant: job.Tenant, Kind: documentKind, ID: key(job.Kind, job.ID)}
		return record{Kind: job.Kind, ID: job.ID}, rec, nil
	}
	return r, rec, err
}

// setPayload keeps the payload that is there if none is given.
func (r *record) setPayload(payload any) error {
	if payload == nil {
		return nil
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("jobs: payload of %s: %w", key(r.Kind, r.ID), err)
	}
	r.Payload = body
	return nil
}

// Enqueue has a job run, once.
func (j *Jobs) Enqueue(tx *store.Tx, job Job) error {
	r, rec, err := load(tx, job)
	if err != nil {
		return err
	}
	if err := r.setPayload(job.Payload); err != nil {
		return err
	}
	due := job.Due
	if due.IsZero() {
		due = j.now()
	}
	switch {
	case r.Owner != "":
		r.Again = true
	case r.Due.IsZero() || due.Before(r.Due):
		r.Due, r.Attempt = due, 0
	}
	_, err = store.Save(tx, rec, r)
	return err
}

// Schedule has a job run at start, and then at each interval after it. A start
// that is over is one that was missed: the first run is at the next. A job that
// was scheduled before gets the new schedule.
func (j *Jobs) Schedule(tx *store.Tx, job Job, every time.Duration, start time.Time) error {
	if every <= 0 {
		return fmt.Errorf("jobs: %s: an interval of %v", key(job.Kind, job.ID), every)
	}
	r, rec, err := load(tx, job)
	if err != nil {
		return err
	}
	if err := r.setPayload(job.Payload); err != nil {
		return err
	}
	r.Every, r.Start = every, start
	if r.Owner == "" {
		r.Due, r.Attempt = r.next(j.now()), 0
	}
	_, err = store.Save(tx, rec, r)
	return err
}

// next is when a schedule has its next run, not before a time.
func (r *record) next(from time.Time) time.Time {
	if !from.After(r.Start) {
		return r.Start
	}
	steps := (from.Sub(r.Start) + r.Every - 1) / r.Every
	return r.Start.Add(steps * r.Every)
}

// release ends the lease, and tells whether the job stays. One that was not
// touched while it ran is left due as it was.
func (r *record) release(now time.Time) (stays, touched bool) {
	again, cancelled := r.Again, r.Cancelled
	r.Owner, r.Expires, r.Again, r.Cancelled = "", time.Time{}, false, false
	switch {
	case again:
		r.Due, r.Attempt = now, 0
	case cancelled && r.Every > 0:
		r.Due, r.Attempt = r.next(now), 0
	case cancelled:
		return false, true
	}
	return true, again || cancelled
}

// Cancel ends a job and its schedule. A handler that runs has its context
// cancelled, and writes nothing more. A job that is not there is no error.
func (j *Jobs) Cancel(tx *store.Tx, kind, id string) error {
	r, rec, err := store.Load[record](tx, documentKind, key(kind, id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.Owner == "" {
		return tx.Delete(documentKind, rec.ID)
	}
	// The document stays until the handler has ended, so that no other run
	// begins beside it.
	r.Cancelled, r.Again, r.Every = true, false, 0
	_, err = store.Save(tx, rec, r)
	return err
}

// Status is what a job does.
type Status struct {
	Running bool      // a handler has it, or will have it again after a crash
	Due     time.Time // of the next run, unless it is running
	Every   time.Duration
}

// Get tells what a job does, or fails with store.ErrNotFound.
func (j *Jobs) Get(tx *store.Tx, kind, id string) (Status, error) {
	r, _, err := store.Load[record](tx, documentKind, key(kind, id))
	if err != nil {
		return Status{}, err
	}
	return Status{Running: r.Owner != "" && !r.Cancelled, Due: r.Due, Every: r.Every}, nil
}
