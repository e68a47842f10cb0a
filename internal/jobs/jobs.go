package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sekisho/internal/store"
)

const (
	lease      = time.Minute
	renewal    = lease / 3
	maxBackoff = 15 * time.Minute
	// concurrency is how many jobs a loop runs at a time.
	concurrency = 4
)

// Jobs are the jobs in a store.
type Jobs struct {
	store    *store.Store
	now      func() time.Time
	log      *slog.Logger
	handlers map[string]Handler
}

// New makes Jobs of a store. Handlers are registered before Run.
func New(s *store.Store, now func() time.Time, log *slog.Logger) *Jobs {
	return &Jobs{store: s, now: now, log: log, handlers: map[string]Handler{}}
}

// Register says who does the jobs of a kind. Jobs of a kind without a handler
// wait.
func (j *Jobs) Register(kind string, h Handler) { j.handlers[kind] = h }

// Recover ends every lease: only who has the store for himself, and runs no
// loop yet, may call it. What a job did when its process died counts as a
// failure, so that a job which kills the process does not do so at once again.
func (j *Jobs) Recover(ctx context.Context) error {
	return j.store.Update(ctx, func(tx *store.Tx) error {
		recs, err := tx.List(documentKind, store.Query{})
		if err != nil {
			return err
		}
		for _, rec := range recs {
			job, err := store.Decode[record](rec)
			if err != nil {
				return err
			}
			if job.Owner == "" {
				continue
			}
			if stays, touched := job.release(j.now()); !stays {
				err = tx.Delete(documentKind, rec.ID)
			} else {
				if !touched {
					job.Due = j.now().Add(backoff(job.Attempt - 1))
				}
				_, err = store.Save(tx, rec, job)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// claim takes the lease of a job, if it is due and nobody has it.
func (j *Jobs) claim(ctx context.Context, owner, id string) (*Run, error) {
	var run *Run
	err := j.store.Update(ctx, func(tx *store.Tx) error {
		run = nil
		job, rec, err := store.Load[record](tx, documentKind, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now := j.now()
		if job.ready().After(now) {
			return nil
		}
		if job.Owner != "" { // and is gone
			if stays, _ := job.release(now); !stays {
				return tx.Delete(documentKind, rec.ID)
			}
			if job.Due.After(now) {
				_, err := store.Save(tx, rec, job)
				return err
			}
		}
		job.Owner, job.Expires = owner, now.Add(lease)
		job.Epoch++
		job.Attempt++
		if _, err := store.Save(tx, rec, job); err != nil {
			return err
		}
		run = &Run{Kind: job.Kind, ID: job.ID, Tenant: rec.Tenant, Payload: job.Payload, Epoch: job.Epoch, Attempt: job.Attempt, jobs: j, owner: owner}
		return nil
	})
	return run, err
}

// ready is when a job may be claimed.
func (r *record) ready() time.Time {
	if r.Owner != "" && r.Expires.After(r.Due) {
		return r.Expires
	}
	return r.Due
}
