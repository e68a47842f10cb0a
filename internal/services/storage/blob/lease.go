package blob

import (
	"net/http"
	"time"
)

// States and statuses of a lease, as headers tell them.
const (
	Available = "available"
	Leased    = "leased"
	Expired   = "expired"
	Breaking  = "breaking"
	BrokenNow = "broken"
)

// State is a lease's state at a time.
func (l Lease) State(now time.Time) string {
	switch {
	case l.ID == "":
		return Available
	case l.Broken && now.Before(l.Until):
		return Breaking
	case l.Broken:
		return BrokenNow
	case l.Seconds == -1 || now.Before(l.Until):
		return Leased
	}
	return Expired
}

// Locked tells whether writes need the lease's id.
func (l Lease) Locked(now time.Time) bool {
	state := l.State(now)
	return state == Leased || state == Breaking
}

// writable holds the lease that a write bears against the one there is; of says
// what is leased, Blob or Container.
func (l Lease) writable(id, of string, now time.Time) error {
	text := map[string]string{"Blob": "blob", "Container": "container"}[of]
	switch locked := l.Locked(now); {
	case locked && id == "":
		return fail(http.StatusPreconditionFailed, "LeaseIdMissing", "There is currently a lease on the "+text+" and no lease ID was specified in the request.")
	case locked && id != l.ID:
		return fail(http.StatusPreconditionFailed, "LeaseIdMismatchWith"+of+"Operation", "The lease ID specified did not match the lease ID for the "+text+".")
	case !locked && id != "" && l.ID == id:
		return fail(http.StatusPreconditionFailed, "LeaseLost", "A lease ID was specified, but the lease for the "+text+" has expired.")
	case !locked && id != "":
		return fail(http.StatusPreconditionFailed, "LeaseNotPresentWith"+of+"Operation", "There is currently no lease on the "+text+".")
	}
	return nil
}
