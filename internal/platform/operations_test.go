package platform

import (
	"strings"
	"testing"

	"sekisho/rbac/operations"
)

// An action that Azure does not list was invented.
func TestEveryActionOfTheTablesIsAnOperationOfAzure(t *testing.T) {
	asked := 0
	for _, s := range tables(t) {
		for _, op := range s.Operations {
			// {namespace}/register/action stands for every provider's.
			if op.Action == "" || strings.Contains(op.Action, "{") {
				continue
			}
			asked++
			if !operations.Known(op.Action, op.Data) {
				t.Errorf("%s %s asks for %s (data: %v), which Azure does not list", s.Name, op.Name, op.Action, op.Data)
			}
		}
	}
	if asked < 50 {
		t.Errorf("only %d rows ask for an action", asked)
	}
}
