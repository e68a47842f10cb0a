package openai

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// Windows of a deployment of a Standard type.
// Source: azure-ai-docs openai/how-to/quota.md (a capacity of 1 is 1,000 tokens
// and 6 requests a minute; the running count of tokens is reset each minute;
// requests are held to shorter periods); microsoft/aoai-api-simulator
// limiters.py, measured: ceil(TPM/1000) requests in 10 seconds.
const (
	tokensPerUnit = 1000
	tokenWindow   = time.Minute
	requestWindow = 10 * time.Second
)

// neverFits is what Azure says to a request above the whole capacity: no wait
// will help (many public logs: "Please retry after 86400 seconds").
const neverFits = 24 * time.Hour

// limits holds deployments to their capacity. The zero value is ready.
type limits struct {
	mu          sync.Mutex
	deployments map[string]*spent // by resource id in lower case
}

// spent is what a deployment has given away of its capacity.
type spent struct {
	tokens, requests window
	bucket           bucket
	seen             time.Time
}

type window struct {
	begun time.Time
	used  int
}

// roll begins the window anew when its time is over, or when the clock has
// jumped back before it.
func (w *window) roll(now time.Time, length time.Duration) {
	if now.Sub(w.begun) >= length || now.Before(w.begun) {
		*w = window{begun: now}
	}
}

// overLimit is a call that the capacity does not admit for now.
type overLimit struct {
	reason string // as Meter.Limited takes it
	wait   time.Duration
}

// admit takes a call's cost from the capacity. It gives the headers of the
// reply, whether the call may pass or not.
func (l *limits) admit(now time.Time, res *arm.Resource, model string, c cost) (http.Header, *overLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(now, res)
	capacity := capacityOf(res)
	if provisioned(res) {
		return s.bucket.admit(now, capacity, model, c)
	}
	s.tokens.roll(now, tokenWindow)
	s.requests.roll(now, requestWindow)
	var over *overLimit
	tokens := capacity * tokensPerUnit
	switch {
	case s.requests.used >= capacity:
		over = &overLimit{"requests", s.requests.begun.Add(requestWindow).Sub(now)}
	case c.total() > tokens:
		over = &overLimit{"tokens", neverFits}
	case s.tokens.used+c.total() > tokens:
		over = &overLimit{"tokens", s.tokens.begun.Add(tokenWindow).Sub(now)}
	default:
		s.requests.used++
		s.tokens.used += c.total()
	}
	// limit-requests counts those of the 10 seconds: Microsoft Q&A 2265464.
	h := http.Header{}
	set := func(name string, n int) { h.Set(name, strconv.Itoa(n)) }
	set("x-ratelimit-limit-requests", capacity)
	set("x-ratelimit-remaining-requests", max(0, capacity-s.requests.used))
	set("x-ratelimit-limit-tokens", tokens)
	set("x-ratelimit-remaining-tokens", max(0, tokens-s.tokens.used))
	return h, over
}

// settle corrects the utilization of a provisioned deployment by what a call
// really took.
func (l *limits) settle(now time.Time, res *arm.Resource, model string, estimated, actual cost) {
	if !provisioned(res) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(now, res).bucket.settle(model, estimated, actual)
}

// of finds what a deployment has spent; l.mu is held. A new one sweeps out
// those that nobody has called for a while.
func (l *limits) of(now time.Time, res *arm.Resource) *spent {
	key := strings.ToLower(res.ID)
	s, ok := l.deployments[key]
	if !ok {
		for id, old := range l.deployments {
			if now.Sub(old.seen) > time.Hour {
				delete(l.deployments, id)
			}
		}
		if l.deployments == nil {
			l.deployments = map[string]*spent{}
		}
		s = &spent{}
		l.deployments[key] = s
	}
	s.seen = now
	return s
}

// capacityOf is at least 1, which the deployment's type holds.
func capacityOf(res *arm.Resource) int {
	if res.SKU == nil || res.SKU.Capacity == nil {
		return 1
	}
	return int(*res.SKU.Capacity)
}

func provisioned(res *arm.Resource) bool {
	return res.SKU != nil && strings.Contains(strings.ToLower(res.SKU.Name), "provisioned")
}

// tooMany is Azure's answer, in the words of its public logs; accountKind is
// OpenAI or AIServices.
func tooMany(call *api.Call, accountKind string, over *overLimit) *api.Error {
	version := call.Request.URL.Query().Get("api-version")
	if version == "" {
		version = "v1"
	}
	seconds := int(math.Ceil(over.wait.Seconds()))
	what := "token" // of a provisioned deployment too: no log of its own words was found
	if over.reason == "requests" {
		what = "call"
	}
	e := api.Errorf(http.StatusTooManyRequests, "429",
		"Requests to the %s Operation under Azure OpenAI API version %s have exceeded %s rate limit of your current %s S0 pricing tier. Please retry after %d seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.",
		call.Operation.Name, version, what, accountKind, seconds)
	e.Header = retryHeaders(over.wait)
	return e
}

// retryHeaders say when to come back: openai-node and others read the
// milliseconds first.
func retryHeaders(wait time.Duration) http.Header {
	h := http.Header{}
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	h.Set("retry-after-ms", fmt.Sprint(int(math.Ceil(float64(wait)/float64(time.Millisecond)))))
	return h
}
