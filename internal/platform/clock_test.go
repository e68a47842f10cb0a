package platform

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// A clock that jumps ends no more than what is bound to the time, and says so;
// when it is right again all is as before.
func TestAClockThatJumpsLosesNothing(t *testing.T) {
	var ahead atomic.Int64
	jump := func(by time.Duration) { ahead.Store(int64(by)) }
	w := worldOn(t, dataDir(t), func(o *Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		o.Profile = ProfileAzure
	})
	owner := w.owner()
	token := w.token(owner, forARM)
	c := caller{w, w.must(token, http.MethodPost, w.account+"/listKeys", "").at("key1")}
	before := w.must(token, http.MethodGet, w.account, "").at("etag")
	answers := func(when string) {
		t.Helper()
		if r := c.chat(); r.status != http.StatusOK {
			t.Errorf("a key %s: %d %v", when, r.status, r.body)
		}
	}
	refused := func(token, when string) {
		t.Helper()
		if r := w.arm(token, http.MethodGet, w.account, ""); r.status != http.StatusUnauthorized || r.at("error", "code") == "" {
			t.Errorf("a token %s: %d %v", when, r.status, r.body)
		}
	}
	answers("at first")

	const month = 40 * 24 * time.Hour // longer than a signing key lives, shorter than the secret
	jump(month)
	refused(token, "that has expired")
	answers("a month ahead, with a whole capacity")
	future := w.token(owner, forARM) // with another signing key
	w.must(future, http.MethodGet, w.account, "")

	jump(0)
	refused(future, "that begins in a month")
	answers("after the way back, with a whole capacity")
	token = w.token(owner, forARM)
	if now := w.must(token, http.MethodGet, w.account, "").at("etag"); now != before {
		t.Errorf("the account is another: etag %s, and was %s", now, before)
	}
	w.must(token, http.MethodPut, w.sub+"/resourceGroups/rg-after", `{"location":"japaneast"}`)

	jump(-time.Hour)
	refused(token, "that begins in an hour")
	answers("an hour back, with a whole capacity")
	jump(0)
	w.must(token, http.MethodGet, w.sub+"/resourceGroups/rg-after", "")
}
