package gate

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// keeper is a resource that keeps a list of who may.
type keeper struct {
	may   string
	err   error
	asked []api.Principal
}

func (k *keeper) check() api.Check {
	return api.Check{Scope: accountScope, Action: reads, Data: true, Otherwise: func(p api.Principal) (api.Verdict, error) {
		k.asked = append(k.asked, p)
		if k.may == p.Object || slices.Contains(p.Groups, k.may) {
			return api.Verdict{Allowed: true, Why: "the list has them"}, k.err
		}
		return api.Verdict{Why: "the list has them not"}, k.err
	}}
}

func deciding(t *testing.T, h *house, caller api.Caller) *decision {
	return &decision{gate: h.gate(t), call: &api.Call{Request: newRequest("GET", "/things"), Caller: caller}}
}

func TestTheResourceIsAskedWhereRolesDoNotAllow(t *testing.T) {
	user := api.Caller{Object: "user", Credential: api.Token}
	for _, tt := range []struct {
		name    string
		may     string
		caller  api.Caller
		grants  []string
		deny    bool
		signed  *api.Signed
		asked   bool
		granted string
		cause   string // of the refusal; empty if allowed
	}{
		{"a role is enough", "", user, []string{mayRead}, false, nil, false, "", ""},
		{"the list names the caller", "user", user, nil, false, nil, true, "the list has them", ""},
		{"the list names a group", "friends", user, nil, false, nil, true, "the list has them", ""},
		{"neither", "other", user, nil, false, nil, true, "", "nothing grants it; and the list has them not"},
		{"a deny assignment is the last word", "user", user, nil, true, nil, false, "", "denied"},
		{"nobody is on no list", "", api.Caller{}, nil, false, nil, false, "", "nothing grants it"},
		{"a signature goes as far as roles", "user", user, nil, false, &api.Signed{Delegated: true}, false, "", "nothing grants it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse()
			h.grants, h.groups = tt.grants, []string{"friends"}
			if tt.deny {
				h.deny = &rbac.DenyAssignment{Name: "No"}
			}
			k := &keeper{may: tt.may}
			d := deciding(t, h, tt.caller)
			d.signed = tt.signed
			err := d.ask(k.check())
			var refused *api.Refusal
			errors.As(err, &refused)
			if asked := len(k.asked) > 0; asked != tt.asked || d.granted != tt.granted {
				t.Errorf("asked %v, granted by %q", k.asked, d.granted)
			}
			switch {
			case tt.cause == "" && err != nil, tt.cause != "" && (refused == nil || refused.Cause != tt.cause):
				t.Errorf("%v, want %q", err, tt.cause)
			case refused != nil && tt.asked && refused.Inner()["resource"] != "the list has them not":
				t.Errorf("%v", refused.Inner())
			}
		})
	}
}

func TestAResourceThatFailsIsNoAnswer(t *testing.T) {
	broken := errors.New("no disk")
	err := deciding(t, newHouse(), api.Caller{Object: "user"}).ask((&keeper{may: "user", err: broken}).check())
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestASignatureForAnotherNeedsWhatTheResourceSaysOfThem(t *testing.T) {
	h := newHouse()
	h.grants, h.groups = []string{mayRead}, nil
	for _, tt := range []struct {
		may     string
		check   bool
		refused string
	}{{"other", true, ""}, {"user", true, "principal other, and the list has them not"}, {"other", false, "no access control list"}} {
		k := &keeper{may: tt.may}
		check := k.check()
		if !tt.check {
			check.Otherwise = nil
		}
		d := deciding(t, h, api.Caller{Object: "user", Credential: api.DelegationSAS})
		d.signed = &api.Signed{Delegated: true, Restricted: "other", Permissions: "r", Types: "o"}
		check.SAS, check.SASType = "r", "o"
		err := d.grants(check)
		if tt.refused == "" && err != nil || tt.refused != "" && (err == nil || !strings.Contains(err.Error(), tt.refused)) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestTheAuditTellsThatTheResourceAllowed(t *testing.T) {
	h := newHouse()
	d := deciding(t, h, api.Caller{Object: "user"})
	if err := d.ask((&keeper{may: "user"}).check()); err != nil {
		t.Fatal(err)
	}
	d.gate.record(d.call, d, nil)
	if e := h.last(t); e.Decision != store.Allowed || e.Cause != "the list has them" || e.Assignment != "" {
		t.Errorf("%+v", e)
	}
}
