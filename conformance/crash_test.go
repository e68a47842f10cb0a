package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

const kills = 20

func TestEveryAcknowledgedWriteOutlivesTwentyKillsAmidWritesAndNoneIsTorn(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.arm().token // it goes on being good: the signing key survives, too
	l := &ledger{entries: map[string]*entry{}}
	random := rand.New(rand.NewPCG(20, 9))
	for round := range kills {
		l.interrupt(t, s, &caller{s.httpClient(), token}, 20+random.IntN(80))
		s.up()
		after := &caller{s.httpClient(), token}
		l.verify(t, s, after, func(e *entry) bool { return e.round == round })
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		l.round++
	}
	after := s.arm()
	l.verify(t, s, after, func(*entry) bool { return true })
	l.complete(t, s, after)
	t.Logf("%d resources; of the writes that were not acknowledged %d are there and %d are not", len(l.entries), l.landed, l.lost)
}

// ledger is what the clients know: for each id the last value that was
// acknowledged, and one that was on its way when the server died.
type ledger struct {
	mu      sync.Mutex
	entries map[string]*entry
	next    atomic.Int64 // the value of the next write
	round   int
	// What became of writes without an answer.
	landed, lost int
}

type entry struct {
	kind  *kind
	round int
	acked int // 0 is never
	sent  int // 0 is none on its way
	acks  []ack
}

// ack is an acknowledged write. Writes of a number above next began after it.
type ack struct{ n, next int }

// kind is a type that is written, with a number in it at more than one place,
// so that a mixture of two writes shows.
type kind struct {
	version string
	path    func(s *sekisho, writer, n int) string
	body    func(n int) object
	read    func(raw []byte) (n int, err error)
}

var kinds = []*kind{{
	// A resource group is written again and again.
	version: "2021-04-01",
	path: func(s *sekisho, writer, _ int) string {
		return fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-crash-%d", s.SubscriptionID, writer)
	},
	body: func(n int) object {
		return object{"location": "japaneast", "tags": object{"first": fmt.Sprint(n), "second": fmt.Sprint(n)}}
	},
	read: func(raw []byte) (int, error) {
		var g struct {
			Tags       struct{ First, Second number }
			Properties struct{ ProvisioningState string }
		}
		err := json.Unmarshal(raw, &g)
		return whole(err, g.Properties.ProvisioningState, g.Tags.First, g.Tags.Second)
	},
}, {
	// So is a deployment.
	version: "2025-06-01",
	path: func(s *sekisho, writer, _ int) string {
		return s.scope(sampleAccount, fmt.Sprintf("/deployments/crash-%d", writer))
	},
	body: func(n int) object {
		return object{"sku": object{"name": "Standard", "capacity": n}, "properties": object{"raiPolicyName": fmt.Sprint(n),
			"model": object{"format": "OpenAI", "name": "gpt-4o-mini", "version": "2024-07-18"}}}
	},
	read: func(raw []byte) (int, error) {
		var d struct {
			SKU        struct{ Capacity number }
			Properties struct {
				ProvisioningState string
				RAIPolicyName     number
			}
		}
		err := json.Unmarshal(raw, &d)
		return whole(err, d.Properties.ProvisioningState, d.SKU.Capacity, d.Properties.RAIPolicyName)
	},
}, {
	// A role assignment is another each time, of a principal with the same id.
	version: "2022-04-01",
	path: func(s *sekisho, _, n int) string {
		return s.scope("/providers/Microsoft.Authorization/roleAssignments/", guid(n))
	},
	body: func(n int) object {
		return object{"properties": object{"principalId": guid(n), "principalType": "ServicePrincipal", "description": fmt.Sprint(n),
			"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/" + roleOpenAIUser}}
	},
	read: func(raw []byte) (int, error) {
		var a struct {
			Name       string
			Properties struct {
				PrincipalID string
				Description number
			}
		}
		err := json.Unmarshal(raw, &a)
		if n := int(a.Properties.Description); err == nil && (a.Name != guid(n) || a.Properties.PrincipalID != guid(n)) {
			err = errors.New("a mixture")
		}
		return int(a.Properties.Description), err
	},
}, accountKind}

// accountKind is another account each time; with it go two keys, the identity
// and its service principal (complete looks for them).
var accountKind = &kind{
	version: "2025-06-01",
	path: func(s *sekisho, _, n int) string {
		return s.scope("/providers/Microsoft.CognitiveServices/accounts/", fmt.Sprintf("crash-%d", n))
	},
	body: func(n int) object {
		return object{"location": "japaneast", "kind": "OpenAI", "sku": object{"name": "S0"}, "identity": object{"type": "SystemAssigned"},
			"tags": object{"number": fmt.Sprint(n)}, "properties": object{"customSubDomainName": fmt.Sprintf("crash-%d", n)}}
	},
	read: func(raw []byte) (int, error) {
		var a struct {
			Name       string
			Identity   struct{ PrincipalID string }
			Tags       struct{ Number number }
			Properties struct{ ProvisioningState, CustomSubDomainName string }
		}
		err := json.Unmarshal(raw, &a)
		if name := fmt.Sprintf("crash-%d", a.Tags.Number); err == nil && (a.Name != name || a.Properties.CustomSubDomainName != name || a.Identity.PrincipalID == "") {
			err = errors.New("a mixture")
		}
		return whole(err, a.Properties.ProvisioningState, a.Tags.Number, a.Tags.Number)
	},
}

func guid(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// number is written as a string or as a number.
type number int

func (v *number) UnmarshalJSON(raw []byte) error {
	_, err := fmt.Sscanf(string(raw), `"%d"`, v)
	if err != nil {
		_, err = fmt.Sscanf(string(raw), "%d", v)
	}
	return err
}

// whole is the number that both places hold.
func whole(err error, state string, first, second number) (int, error) {
	if err == nil && (state != "Succeeded" || first != second) {
		err = fmt.Errorf("state %q, numbers %d and %d", state, first, second)
	}
	return int(first), err
}

// interrupt has two writers of each kind at work, and kills the server as soon
// as it has acknowledged so many writes: the others are then on their way.
func (l *ledger) interrupt(t *testing.T, s *sekisho, c *caller, writes int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var acknowledged atomic.Int64
	var writers sync.WaitGroup
	for i := range 2 * len(kinds) {
		writers.Go(func() {
			for ctx.Err() == nil {
				if !l.write(t, ctx, s, c, kinds[i/2], i) {
					return
				}
				if acknowledged.Add(1) == int64(writes) {
					if err := s.process.signal(syscall.SIGKILL); err != nil {
						t.Errorf("it died before it was killed: %v\n%s", err, s.process.log)
					}
					cancel()
				}
			}
		})
	}
	writers.Wait()
	if s.process.wait() == nil {
		t.Error("a killed process ended with status 0")
	}
}

// write does one write, and tells whether the server still answers.
func (l *ledger) write(t *testing.T, ctx context.Context, s *sekisho, c *caller, k *kind, writer int) bool {
	n := int(l.next.Add(1))
	path := k.path(s, writer, n)
	l.mu.Lock()
	e := l.entries[path]
	if e == nil {
		e = &entry{kind: k}
		l.entries[path] = e
	}
	e.sent, e.round = n, l.round
	l.mu.Unlock()
	status, answer, err := c.call(ctx, http.MethodPut, path+"?api-version="+k.version, k.body(n))
	if err != nil {
		return false // it may have been written, or not
	}
	if got, err := k.read(answer); status/100 != 2 || err != nil || got != n {
		t.Errorf("PUT %s of %d: status %d, %v\n%s", path, n, status, err, answer)
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.acked, e.sent = n, 0
	e.acks = append(e.acks, ack{n, int(l.next.Load())})
	return true
}

// verify reads everything of the ledger that is chosen. What was on its way
// is there as a whole, or not at all; then the ledger knows.
func (l *ledger) verify(t *testing.T, s *sekisho, c *caller, chosen func(*entry) bool) {
	t.Helper()
	for path, e := range l.entries {
		if !chosen(e) {
			continue
		}
		got := l.held(t, c, path, e)
		if got != e.acked && (e.sent == 0 || got != e.sent) {
			t.Errorf("%s holds %d, but %d was acknowledged and %d sent (0 is none)", path, got, e.acked, e.sent)
		}
		switch {
		case e.sent == 0:
		case got == e.sent:
			l.landed++
		default:
			l.lost++
		}
		e.acked, e.sent = got, 0
	}
}

// held is the number that a path holds, as a whole; 0 is none.
func (l *ledger) held(t *testing.T, c *caller, path string, e *entry) (n int) {
	t.Helper()
	status, raw, err := c.call(t.Context(), http.MethodGet, path+"?api-version="+e.kind.version, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status == http.StatusOK {
		if n, err = e.kind.read(raw); err != nil {
			t.Errorf("torn: %s: %v\n%s", path, err, raw)
		}
	} else if status != http.StatusNotFound {
		t.Errorf("GET %s: status %d\n%s", path, status, raw)
	}
	return n
}

// complete looks for what belongs to each account that is there, and for
// accounts that nobody wrote.
func (l *ledger) complete(t *testing.T, s *sekisho, c *caller) {
	t.Helper()
	graph := s.caller("https://graph.microsoft.com/.default")
	next, seen := "/subscriptions/"+s.SubscriptionID+"/providers/Microsoft.CognitiveServices/accounts"+accountVersion, map[string]bool{}
	for next != "" {
		var page struct {
			Value []struct {
				ID, Name string
				Identity *struct{ PrincipalID string }
			}
			NextLink string
		}
		c.do(t, http.MethodGet, next, nil, &page)
		next = page.NextLink
		for _, a := range page.Value {
			if a.Name == "aoai-sample" {
				continue
			}
			seen[a.ID] = true
			var keys struct{ Key1, Key2 string }
			c.do(t, http.MethodPost, a.ID+"/listKeys"+accountVersion, nil, &keys)
			if len(keys.Key1) < 32 || len(keys.Key2) < 32 || keys.Key1 == keys.Key2 {
				t.Errorf("torn: %s has not two keys", a.ID)
			}
			var principal struct{ AlternativeNames []string }
			graph.do(t, http.MethodGet, "https://graph.microsoft.com/v1.0/servicePrincipals/"+a.Identity.PrincipalID, nil, &principal)
			if n := len(principal.AlternativeNames); n == 0 || principal.AlternativeNames[n-1] != a.ID {
				t.Errorf("torn: the service principal of %s is %+v", a.ID, principal)
			}
		}
	}
	for path, e := range l.entries {
		if e.kind == accountKind && seen[path] != (e.acked != 0) {
			t.Errorf("%s: listed %t, acknowledged or found %t", path, seen[path], e.acked != 0)
		}
		delete(seen, path)
	}
	for id := range seen {
		t.Errorf("nobody wrote %s", id)
	}
}
