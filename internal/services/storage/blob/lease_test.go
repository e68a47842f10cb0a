package blob_test

import (
	"testing"
	"time"

	"sekisho/internal/services/storage/blob"
)

const (
	idA = "00000000-0000-0000-0000-00000000000a"
	idB = "00000000-0000-0000-0000-00000000000b"
	idC = "00000000-0000-0000-0000-00000000000c"
)

// The rows are those of lease-blob.md, "Outcomes of lease operations on blobs by
// lease state": (A) is the lease that there is, or was.
func TestLeaseOperationsByState(t *testing.T) {
	acquire := func(id string) blob.LeaseAction {
		return blob.LeaseAction{Action: "acquire", Proposed: id, Seconds: 30}
	}
	end := func(period *int) blob.LeaseAction { return blob.LeaseAction{Action: "break", Period: period} }
	with := func(action, id, proposed string) blob.LeaseAction {
		return blob.LeaseAction{Action: action, ID: id, Proposed: proposed}
	}
	const (
		present  = "LeaseAlreadyPresent"
		absent   = "LeaseNotPresentWithLeaseOperation"
		mismatch = "LeaseIdMismatchWithLeaseOperation"
		noRenew  = "LeaseIsBrokenAndCannotBeRenewed"
	)
	tests := []struct {
		name                                          string
		action                                        blob.LeaseAction
		available, leased, breaking, broken, expired_ string
	}{
		{"acquire", acquire(""), blob.Leased, present, present, blob.Leased, blob.Leased},
		{"acquire (A)", acquire(idA), blob.Leased, blob.Leased, "LeaseIsBreakingAndCannotBeAcquired", blob.Leased, blob.Leased},
		{"acquire (B)", acquire(idB), blob.Leased, present, present, blob.Leased, blob.Leased},
		{"break at once", end(one(0)), absent, blob.Broken, blob.Broken, blob.Broken, blob.Broken},
		{"break later", end(one(10)), absent, blob.Breaking, blob.Breaking, blob.Broken, blob.Broken},
		{"break", end(nil), absent, blob.Breaking, blob.Breaking, blob.Broken, blob.Broken},
		{"change (A) to (B)", with("change", idA, idB), absent, blob.Leased, "LeaseIsBreakingAndCannotBeChanged", absent, absent},
		{"change (B) to (A)", with("change", idB, idA), absent, blob.Leased, "LeaseIsBreakingAndCannotBeChanged", absent, absent},
		{"change (B) to (C)", with("change", idB, idC), absent, mismatch, mismatch, absent, absent},
		{"renew (A)", with("renew", idA, ""), mismatch, blob.Leased, noRenew, noRenew, blob.Leased},
		{"renew (B)", with("renew", idB, ""), mismatch, mismatch, mismatch, mismatch, mismatch},
		{"release (A)", with("release", idA, ""), mismatch, blob.Available, blob.Available, blob.Available, blob.Available},
		{"release (B)", with("release", idB, ""), mismatch, mismatch, mismatch, mismatch, mismatch},
	}
	w := newWorld(t)
	for _, tt := range tests {
		for state, want := range map[string]string{blob.Available: tt.available, blob.Leased: tt.leased, blob.Breaking: tt.breaking, blob.Broken: tt.broken, blob.Expired: tt.expired_} {
			t.Run(tt.name+"/"+state, func(t *testing.T) {
				b, _, err := w.LeaseBlob(ctx, w.inState(t, state), tt.action, blob.Conditions{})
				got := code(err)
				if err == nil {
					got = b.Lease.State(w.now())
				}
				if got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}

// inState makes a blob of a test's own, with a lease (A) in a state.
func (w *world) inState(t *testing.T, state string) blob.Address {
	t.Helper()
	it := at(t.Name())
	w.put(it.Name, "x")
	do := func(a blob.LeaseAction) {
		t.Helper()
		if _, _, err := w.LeaseBlob(ctx, it, a, blob.Conditions{}); err != nil {
			t.Fatal(err)
		}
	}
	if state == blob.Available {
		return it
	}
	do(blob.LeaseAction{Action: "acquire", Proposed: idA, Seconds: 30})
	switch state {
	case blob.Breaking:
		do(blob.LeaseAction{Action: "break", Period: one(20)})
	case blob.Broken:
		do(blob.LeaseAction{Action: "break", Period: one(0)})
	case blob.Expired:
		w.later(time.Minute)
	}
	return it
}

// The rows are those of lease-blob.md, "Outcomes of use attempts on blobs by lease
// state".
func TestUseByLeaseState(t *testing.T) {
	const (
		missing  = "LeaseIdMissing"
		mismatch = "LeaseIdMismatchWithBlobOperation"
		absent   = "LeaseNotPresentWithBlobOperation"
		lost     = "LeaseLost"
	)
	tests := []struct {
		name                                          string
		id                                            string
		write                                         bool
		available, leased, breaking, broken, expired_ string
	}{
		{"write (A)", idA, true, absent, "", "", lost, lost},
		{"write (B)", idB, true, absent, mismatch, mismatch, absent, absent},
		{"write", "", true, "", missing, missing, "", ""},
		{"read (A)", idA, false, absent, "", "", lost, lost},
		{"read (B)", idB, false, absent, mismatch, mismatch, absent, absent},
		{"read", "", false, "", "", "", "", ""},
	}
	w := newWorld(t)
	for _, tt := range tests {
		for state, want := range map[string]string{blob.Available: tt.available, blob.Leased: tt.leased, blob.Breaking: tt.breaking, blob.Broken: tt.broken, blob.Expired: tt.expired_} {
			t.Run(tt.name+"/"+state, func(t *testing.T) {
				it := w.inState(t, state)
				cond := blob.Conditions{LeaseID: tt.id}
				if !tt.write {
					_, err := w.Get(ctx, it, cond)
					w.wantCode(err, want)
					return
				}
				_, err := w.Change(ctx, it, cond, func(*blob.Blob) error { return nil })
				w.wantCode(err, want)
				if want != "" {
					return
				}
				// A write without a lease ends one that is over: it can't be renewed.
				if _, _, err := w.LeaseBlob(ctx, it, blob.LeaseAction{Action: "renew", ID: idA}, blob.Conditions{}); tt.id == "" {
					w.wantCode(err, "LeaseIdMismatchWithLeaseOperation")
				}
			})
		}
	}
}

func TestHowLongABreakTakes(t *testing.T) {
	tests := []struct {
		name    string
		seconds int
		period  *int
		want    int
	}{
		{"what is left", 30, nil, 30},
		{"no longer than is left", 15, one(60), 15},
		{"sooner", 60, one(5), 5},
		{"endless, at once", blob.Forever, nil, 0},
		{"endless, later", blob.Forever, one(40), 40},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			it := at(t.Name())
			w.put(it.Name, "x")
			_, _, err := w.LeaseBlob(ctx, it, blob.LeaseAction{Action: "acquire", Seconds: tt.seconds}, blob.Conditions{})
			w.must(err)
			_, left, err := w.LeaseBlob(ctx, it, blob.LeaseAction{Action: "break", Period: tt.period}, blob.Conditions{})
			if err != nil || left != tt.want {
				t.Errorf("%d seconds, %v; want %d", left, err, tt.want)
			}
		})
	}
}

func TestALeasedContainerIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	c, _, err := w.LeaseContainer(ctx, "acc", "box", blob.LeaseAction{Action: "acquire", Seconds: blob.Forever}, blob.Conditions{})
	w.must(err)
	w.wantCode(w.DeleteContainer(ctx, "acc", "box", blob.Conditions{}), "LeaseIdMissing")
	w.wantCode(w.DeleteContainer(ctx, "acc", "box", blob.Conditions{LeaseID: idB}), "LeaseIdMismatchWithContainerOperation")
	_, err = w.ChangeContainer(ctx, "acc", "box", blob.Conditions{}, func(*blob.Container) error { return nil })
	w.must(err)
	w.put("b", "a lease of the container does not guard its blobs")
	w.must(w.DeleteContainer(ctx, "acc", "box", blob.Conditions{LeaseID: c.Lease.ID}))
}
