package conformance

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestABackupByTheCommandAmidWritesRestoresToOneMomentOfASekishoThatGoesOn(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.arm()
	key, _ := s.keys(c)
	l := &ledger{entries: map[string]*entry{}}
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	defer writers.Wait()
	defer cancel()
	var acknowledged atomic.Int64
	for i := range 2 * len(kinds) {
		writers.Go(func() {
			for ctx.Err() == nil && l.write(t, ctx, s, c, kinds[i/2], i) {
				acknowledged.Add(1)
			}
		})
	}
	for acknowledged.Load() < 60 && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	var file string
	var before, during int64
	var begun int
	for n := 0; during == 0 && n < 10; n++ { // the clients may stand still while the command runs
		file = filepath.Join(s.home, fmt.Sprintf("backup%d.tar.gz", n))
		before, begun = acknowledged.Load(), int(l.next.Add(1)) // no write has this number
		s.cli("backup", file).says("data version")
		during = acknowledged.Load() - before
	}
	if cancel(); during == 0 {
		t.Error("nothing was written during the backup")
	}
	writers.Wait()

	restored := &sekisho{t: t, home: t.TempDir()}
	restored.data = filepath.Join(restored.home, "data")
	restored.cli("restore", file, "--data", restored.data).says("restored the backup")
	restored.up()
	after := &caller{restored.httpClient(), c.token} // the signing key came along
	held := map[string]int{}
	for path, e := range l.entries {
		held[path] = l.held(t, after, path, e)
	}
	// One moment: no write is there without those that were acknowledged before
	// it began, nor without those acknowledged before the command began.
	moment := max(begun, slices.Max(slices.Collect(maps.Values(held))))
	for path, e := range l.entries {
		for _, a := range e.acks {
			if a.next < moment && held[path] < a.n {
				t.Errorf("%s holds %d, but %d was acknowledged before %d began", path, held[path], a.n, moment)
			}
		}
		if held[path] > max(e.acked, e.sent) {
			t.Errorf("%s holds %d, which nobody wrote", path, held[path])
		}
		e.acked, e.sent = held[path], 0
	}
	l.complete(t, restored, after)
	if status := restored.chatWithKey()(key); status != 200 {
		t.Errorf("the restored account answers its key with %d", status)
	}
	t.Logf("%d writes before the backup, %d during it, the last of them is %d of %d", before, during, moment, l.next.Load())

	// Both go on, each by itself.
	const group = "/resourceGroups/rg-after?api-version=2021-04-01"
	restored.arm().do(t, http.MethodPut, "/subscriptions/"+s.SubscriptionID+group, object{"location": "japaneast"}, nil)
	if status, _, err := c.call(t.Context(), http.MethodGet, "/subscriptions/"+s.SubscriptionID+group, nil); status != http.StatusNotFound {
		t.Errorf("what was written to the restored is in the original: %d %v", status, err)
	}
	s.cli("restore", file, "--data", restored.data, "--force").fails("in use by process")
}
