package rbac

import "testing"

// What stars do, package text tests.
func TestMatchFoldsBoth(t *testing.T) {
	if !Match("microsoft.X/*/READ", "Microsoft.x/a/Read") {
		t.Error("case counts")
	}
	if Match("Microsoft.X/*/read", "Microsoft.X/a/write") {
		t.Error("another verb matches")
	}
}
