package entra

import (
	"fmt"
	"testing"

	"sekisho/internal/store"
)

func TestDirectoryRolesCountAtOnce(t *testing.T) {
	w := newWorld(t)
	token := w.issue(armURI).AccessToken
	roles := func() string {
		t.Helper()
		caller, err := w.d.Verify(t.Context(), token, armAudiences)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(caller.DirectoryRoles)
	}
	give := func(id, principal, role string) {
		t.Helper()
		w.update(func(tx *store.Tx) error {
			return PutRoleAssignment(tx, contoso, RoleAssignment{ID: id, Principal: principal, Role: role})
		})
	}
	const first, second = "12000000-0000-0000-0000-000000000001", "12000000-0000-0000-0000-000000000002"
	if got := roles(); got != "[]" {
		t.Errorf("before: %s", got)
	}
	give(first, appObj, RoleTemplate(UserAdministrator))
	give(second, appObj, RoleTemplate(GlobalAdministrator))
	give("12000000-0000-0000-0000-000000000003", appObj, "99999999-0000-0000-0000-000000000009") // unknown
	give("12000000-0000-0000-0000-000000000004", apiV1, RoleTemplate(GlobalReader))              // another's
	if got := roles(); got != "[Global Administrator User Administrator]" {
		t.Errorf("given: %s", got)
	}
	if got := fmt.Sprint(w.open().rolesOf(appObj)); got != "[Global Administrator User Administrator]" {
		t.Errorf("after a restart: %s", got)
	}
	w.update(func(tx *store.Tx) error { return tx.Delete(KindRoleAssignment, second) })
	if got := roles(); got != "[User Administrator]" {
		t.Errorf("one taken away: %s", got)
	}
	give(first, appObj, RoleTemplate(GlobalReader)) // the same document, changed
	if got := roles(); got != "[Global Reader]" {
		t.Errorf("changed: %s", got)
	}
}

func TestEveryRoleHasATemplate(t *testing.T) {
	for id, name := range roleTemplates {
		if RoleTemplate(name) != id {
			t.Errorf("%s is %s and %s", name, id, RoleTemplate(name))
		}
	}
	if RoleTemplate("Owner") != "" { // a role of Azure, not of Entra
		t.Error("Owner has a template")
	}
}
