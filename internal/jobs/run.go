package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sekisho/internal/store"
)

// ErrLost says that a run has no lease any more: the job was cancelled, or has
// begun elsewhere.
var ErrLost = errors.New("the lease of the job is lost")

// Handler does the work of a kind of jobs. When it fails, the job begins again
// after a while; what cannot be mended by trying again is no failure of the job
// but a result, which the handler writes. It must end when ctx does.
type Handler func(ctx context.Context, run *Run) error

// Run is one beginning of a job.
type Run struct {
	Kind, ID string
	Tenant   string
	Payload  json.RawMessage
	Epoch    int64 // greater with each beginning
	Attempt  int   // 1 is the first

	jobs   *Jobs
	owner  string
	cancel context.CancelFunc
}

// Update writes what the run found, like store.Update, or fails with ErrLost.
func (r *Run) Update(ctx context.Context, fn func(*store.Tx) error) error {
	return r.jobs.store.Update(ctx, func(tx *store.Tx) error {
		if _, _, err := r.held(tx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// held reads the job of a run whose lease is alive.
func (r *Run) held(tx *store.Tx) (record, store.Record, error) {
	now, rec, err := r.own(tx)
	if err == nil && now.Cancelled {
		err = fmt.Errorf("%s: %w", key(r.Kind, r.ID), ErrLost)
	}
	return now, rec, err
}

// own reads the job of a run, which may have been cancelled.
func (r *Run) own(tx *store.Tx) (record, store.Record, error) {
	now, rec, err := store.Load[record](tx, documentKind, key(r.Kind, r.ID))
	if errors.Is(err, store.ErrNotFound) || err == nil && (now.Owner != r.owner || now.Epoch != r.Epoch) {
		err = fmt.Errorf("%s: %w", key(r.Kind, r.ID), ErrLost)
	}
	return now, rec, err
}

// renew moves the end of the lease on.
func (r *Run) renew(ctx context.Context) error {
	return r.jobs.store.Update(ctx, func(tx *store.Tx) error {
		now, rec, err := r.held(tx)
		if err != nil {
			return err
		}
		now.Expires = r.jobs.now().Add(lease)
		_, err = store.Save(tx, rec, now)
		return err
	})
}

// finish writes what becomes of the job after its handler has ended.
func (r *Run) finish(ctx context.Context, failed error, stopping bool) error {
	return r.jobs.store.Update(ctx, func(tx *store.Tx) error {
		job, rec, err := r.own(tx)
		if errors.Is(err, ErrLost) {
			return nil // it is another's
		}
		if err != nil {
			return err
		}
		now := r.jobs.now()
		stays, touched := job.release(now)
		switch {
		case !stays:
			return tx.Delete(documentKind, rec.ID)
		case touched:
		case stopping:
			job.Due, job.Attempt = now, job.Attempt-1
		case failed != nil:
			job.Due = now.Add(backoff(job.Attempt))
		case job.Every > 0:
			job.Due, job.Attempt = job.next(now.Add(1)), 0
		default:
			return tx.Delete(documentKind, rec.ID)
		}
		_, err = store.Save(tx, rec, job)
		return err
	})
}

// backoff is how long a job waits after so many failures.
func backoff(failures int) time.Duration {
	if failures < 1 {
		return 0
	}
	return min(time.Second<<min(failures-1, 20), maxBackoff)
}
