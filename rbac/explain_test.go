package rbac

import "testing"

// What would have allowed, had nothing denied, is no condition that is false.
func TestADenialTellsWhatWouldHaveAllowed(t *testing.T) {
	at := town(give("own", "ann", "owner", sub), under(iff, give("iffy", "ann", "most", sub)), give("group", "staff", "most", group)).
		WithDeny(DenyAssignment{ID: "d", Name: "stop", Scope: sub, Principals: []string{Everyone}, Permissions: []Permission{{Actions: []string{"*"}}}})
	e := at.Explain(ask("ann", "Microsoft.X/things/read", false, account))
	if e.Decision != Denied || len(e.Misses) != 3 {
		t.Fatalf("%+v", e)
	}
	for i, want := range []struct {
		id   string
		kind MissKind
	}{{"group", OnlyDenied}, {"own", OnlyDenied}, {"iffy", ConditionFalse}} {
		if m := e.Misses[i]; m.Assignment.ID != want.id || m.Kind != want.kind {
			t.Errorf("%d: %s %s (%s), want %v", i, m.Assignment.ID, m.Kind, m.Why, want)
		}
	}
	if why := e.Misses[1].Why; why != "the principal has Owner at "+string(sub)+", which allows this, and a deny assignment comes before it" {
		t.Error(why)
	}
}
