package condition_test

import (
	"testing"

	"sekisho/rbac/builtin"
	"sekisho/rbac/condition"
)

// What Azure has in its own roles is what Azure takes.
func TestConditionsOfBuiltInRoles(t *testing.T) {
	found := 0
	for _, role := range builtin.Roles() {
		for _, block := range role.Permissions {
			if block.Condition == "" {
				continue
			}
			found++
			c, err := condition.Parse(block.Condition)
			if err != nil {
				t.Errorf("%s: %s\n%v", role.RoleName, block.Condition, err)
				continue
			}
			again, err := condition.Parse(c.String())
			if err != nil || again.String() != c.String() {
				t.Errorf("%s: %s prints as %s, and that as %s, %v", role.RoleName, block.Condition, c, again, err)
			}
			if c.Ambiguous() {
				t.Errorf("%s: %s is ambiguous", role.RoleName, block.Condition)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d conditions", found)
	}
}
