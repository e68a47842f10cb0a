package api

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestWhatARefusalTells(t *testing.T) {
	caller := Caller{Object: "oid", Name: "user@home", Tenant: "t"}
	tests := []struct {
		name    string
		refusal Refusal
		inner   map[string]any
		text    string
	}{
		{"a missing role on the data plane",
			Refusal{Reason: NotPermitted, Cause: "no role", Caller: caller, Check: Check{Scope: "/s", Action: "x/read", Data: true}, SmallestRole: "Reader"},
			map[string]any{"code": "NotPermitted", "decidedBy": "no role", "principal": "oid", "principalName": "user@home", "action": "x/read", "plane": "data", "scope": "/s", "smallestRole": "Reader"},
			"NotPermitted: user@home lacks x/read at /s: no role"},
		{"a missing role on the control plane, that no role would mend",
			Refusal{Reason: NotPermitted, Cause: "no role", Caller: caller, Check: Check{Scope: "/s", Action: "x/read"}},
			map[string]any{"code": "NotPermitted", "decidedBy": "no role", "principal": "oid", "principalName": "user@home", "action": "x/read", "plane": "control", "scope": "/s"},
			"NotPermitted: user@home lacks x/read at /s: no role"},
		// A refusal before RBAC says nothing of principal, action and scope: the
		// caller may be nobody, and may not learn what is behind the door.
		{"a closed network",
			Refusal{Reason: PublicAccessClosed, Cause: "closed", Caller: caller, Check: Check{Scope: "/s", Action: "x/read"}, SmallestRole: "Reader", Tenant: "t"},
			map[string]any{"code": "PublicAccessClosed", "decidedBy": "closed"}, "PublicAccessClosed: closed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.refusal.Inner(); !reflect.DeepEqual(got, tt.inner) {
				t.Errorf("inner: %v\nwant   %v", got, tt.inner)
			}
			if got := tt.refusal.Error(); got != tt.text {
				t.Errorf("%q, want %q", got, tt.text)
			}
		})
	}
}

func TestErrorsKeepTheirKindWhenTheyAreWrapped(t *testing.T) {
	cause := errors.New("expired")
	var refused *Refusal
	if err := fmt.Errorf("call: %w", &Refusal{Reason: InvalidToken, Err: cause}); !errors.As(err, &refused) || !errors.Is(err, cause) {
		t.Errorf("%v hides its refusal or its cause", err)
	}
	var e *Error
	err := fmt.Errorf("call: %w", BadRequest("BadThing", "properties.x", "%s is %d", "x", 1))
	if !errors.As(err, &e) || e.Status != 400 || e.Target != "properties.x" || e.Error() != "BadThing: x is 1" {
		t.Errorf("%+v", e)
	}
	if e := Errorf(404, "NotFound", "100%%"); e.Status != 404 || e.Target != "" || e.Message != "100%" {
		t.Errorf("%+v", e)
	}
}

func TestACallAnswersForItsCaller(t *testing.T) {
	call := &Call{
		Origin: Origin{Base: "https://management.azure.com"}, Vars: map[string]string{"name": "AbC"},
		Authorize: func(c Check) error {
			if strings.HasPrefix(string(c.Scope), "/mine") {
				return nil
			}
			return &Refusal{Reason: NotPermitted}
		},
	}
	if !call.Can(Check{Scope: "/mine/x"}) || call.Can(Check{Scope: "/yours"}) {
		t.Error("Can is not what Authorize says")
	}
	if call.Var("name") != "AbC" || call.Var("none") != "" {
		t.Error("Var")
	}
	if got := call.URL("/subscriptions?x=1"); got != "https://management.azure.com/subscriptions?x=1" {
		t.Error(got)
	}
}
