package blob

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// States of a lease, as headers tell them.
const (
	Available = "available"
	Leased    = "leased"
	Expired   = "expired"
	Breaking  = "breaking"
	Broken    = "broken"
)

// Forever is the duration, in seconds, of a lease without an end.
const Forever = -1

// State is a lease's state at a time.
func (l Lease) State(now time.Time) string {
	switch {
	case l.ID == "":
		return Available
	case l.Broken && now.Before(l.Until):
		return Breaking
	case l.Broken:
		return Broken
	case l.Seconds == Forever || now.Before(l.Until):
		return Leased
	}
	return Expired
}

// Locked tells whether writes need the lease's id.
func (l Lease) Locked(now time.Time) bool {
	state := l.State(now)
	return state == Leased || state == Breaking
}

// What is leased, as it stands in codes of errors.
const (
	ofBlob      = "Blob"
	ofContainer = "Container"
)

var leasedThing = map[string]string{ofBlob: "blob", ofContainer: "container"}

// written holds the lease that a write bears against the one there is, and gives
// the lease that is there afterwards: a write ends what has expired or is broken.
// Source: rest-storageservices lease-blob.md, "Outcomes of use attempts on blobs
// by lease state".
func (l Lease) written(id, of string, now time.Time) (Lease, error) {
	if id == "" && l.Locked(now) {
		return l, fail(http.StatusPreconditionFailed, "LeaseIdMissing", "There is currently a lease on the "+leasedThing[of]+" and no lease ID was specified in the request.")
	}
	if id == "" {
		return Lease{}, nil
	}
	return l, l.read(id, of, now)
}

// read holds the lease that a read bears, if any, against the one there is.
func (l Lease) read(id, of string, now time.Time) error {
	switch locked := l.Locked(now); {
	case id == "" || locked && sameLease(id, l.ID):
		return nil
	case locked:
		return fail(http.StatusPreconditionFailed, "LeaseIdMismatchWith"+of+"Operation", "The lease ID specified did not match the lease ID for the "+leasedThing[of]+".")
	case sameLease(id, l.ID):
		return fail(http.StatusPreconditionFailed, "LeaseLost", "A lease ID was specified, but the lease for the "+leasedThing[of]+" has expired.")
	}
	return fail(http.StatusPreconditionFailed, "LeaseNotPresentWith"+of+"Operation", "There is currently no lease on the "+leasedThing[of]+".")
}

// sameLease compares ids, which are GUIDs in any of their forms.
func sameLease(a, b string) bool {
	x, errX := uuid.Parse(a)
	y, errY := uuid.Parse(b)
	return errX == nil && errY == nil && x == y
}

// LeaseAction is what a client does with a lease.
type LeaseAction struct {
	Action   string // acquire, renew, change, release or break
	ID       string // of the lease there is
	Proposed string // of acquire and change
	Seconds  int    // of acquire
	Period   *int   // of break; nil for what is left of the lease
}

func leaseConflict(code, text string) error { return fail(http.StatusConflict, code, text) }

func leaseNotPresent(of string) error {
	return leaseConflict("LeaseNotPresentWithLeaseOperation", "There is currently no lease on the "+leasedThing[of]+".")
}

func leaseMismatch(of string) error {
	return leaseConflict("LeaseIdMismatchWithLeaseOperation", "The lease ID specified did not match the lease ID for the "+leasedThing[of]+".")
}

// do gives the lease after an action, and of a break how many seconds are left.
// Source: lease-blob.md, "Outcomes of lease operations on blobs by lease state".
func (l Lease) do(a LeaseAction, of string, now time.Time) (next Lease, left int, err error) {
	state := l.State(now)
	mine := sameLease(a.ID, l.ID)
	switch a.Action {
	case "acquire":
		next, err = l.acquire(a, state, now)
	case "renew":
		switch {
		case !mine:
			err = leaseMismatch(of)
		case state == Breaking || state == Broken:
			err = leaseConflict("LeaseIsBrokenAndCannotBeRenewed", "The lease ID matched, but the lease has been broken explicitly and cannot be renewed.")
		default:
			next = l.from(now)
		}
	case "change":
		switch {
		case state == Breaking && (mine || sameLease(a.Proposed, l.ID)):
			err = leaseConflict("LeaseIsBreakingAndCannotBeChanged", "The lease ID matched, but the lease is currently in breaking state and cannot be changed.")
		case state != Leased && state != Breaking:
			err = leaseNotPresent(of)
		case !mine && !sameLease(a.Proposed, l.ID):
			err = leaseMismatch(of)
		default:
			next = l
			next.ID = a.Proposed
		}
	case "release":
		if !mine {
			err = leaseMismatch(of)
		}
	case "break":
		if state == Available {
			return l, 0, leaseNotPresent(of)
		}
		next, left = l.broken(a.Period, state, now)
	}
	return next, left, err
}

func (l Lease) acquire(a LeaseAction, state string, now time.Time) (Lease, error) {
	switch {
	case state == Leased && !sameLease(a.Proposed, l.ID):
		return l, leaseConflict("LeaseAlreadyPresent", "There is already a lease present.")
	case state == Breaking && sameLease(a.Proposed, l.ID):
		return l, leaseConflict("LeaseIsBreakingAndCannotBeAcquired", "The lease ID matched, but the lease is currently in breaking state and cannot be acquired until it is broken.")
	case state == Breaking:
		return l, leaseConflict("LeaseAlreadyPresent", "There is already a lease present.")
	}
	id := a.Proposed
	if id == "" {
		id = uuid.NewString()
	}
	return Lease{ID: id, Seconds: a.Seconds}.from(now), nil
}

// from begins a lease's time again.
func (l Lease) from(now time.Time) Lease {
	l.Until = time.Time{}
	if l.Seconds != Forever {
		l.Until = now.Add(time.Duration(l.Seconds) * time.Second)
	}
	return l
}

// broken ends a lease after a period: no later than it would end anyway.
func (l Lease) broken(period *int, state string, now time.Time) (Lease, int) {
	var left time.Duration
	if state == Leased || state == Breaking {
		endless := state == Leased && l.Seconds == Forever
		if !endless {
			left = l.Until.Sub(now)
		}
		if period != nil {
			if asked := time.Duration(*period) * time.Second; endless || asked < left {
				left = asked
			}
		}
	}
	l.Broken, l.Until = true, now.Add(left)
	return l, int((left + time.Second - 1) / time.Second)
}

// LeaseBlob acts on the lease of a blob. Errors are *api.Error.
func (s *Store) LeaseBlob(ctx context.Context, at Address, a LeaseAction, cond Conditions) (b *Blob, left int, err error) {
	err = s.docs.Update(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return err
		}
		if b, err = loadBlob(tx, c.ID, at.Name, ""); err != nil {
			return err
		}
		if b == nil {
			return NotFound()
		}
		if err := cond.check(b.ETag, b.Modified, b.Tags, changes); err != nil {
			return err
		}
		if b.Lease, left, err = b.Lease.do(a, ofBlob, s.now()); err != nil {
			return err
		}
		return s.saveBlob(tx, b)
	})
	return b, left, err
}

// LeaseContainer acts on the lease of a container. Errors are *api.Error.
func (s *Store) LeaseContainer(ctx context.Context, account, name string, a LeaseAction, cond Conditions) (c *Container, left int, err error) {
	err = s.docs.Update(ctx, func(tx *store.Tx) (err error) {
		if c, err = loadContainer(tx, account, name); err != nil {
			return err
		}
		if err := cond.check(c.ETag, c.Modified, nil, changes); err != nil {
			return err
		}
		if c.Lease, left, err = c.Lease.do(a, ofContainer, s.now()); err != nil {
			return err
		}
		return saveContainer(tx, c)
	})
	return c, left, err
}

// noLease stops an operation on a snapshot that bears a lease.
func noLease(id string) *api.Error {
	if id == "" {
		return nil
	}
	return fail(http.StatusPreconditionFailed, "LeaseNotPresentWithBlobOperation", "There is currently no lease on the blob.")
}
