package authorization_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/servicetest"
)

const locks = "/providers/Microsoft.Authorization/locks/"

func lock(level string) string {
	return fmt.Sprintf(`{"properties":{"level":%q,"notes":"why"}}`, level)
}

// Source: lock-resources.md: CanNotDelete lets read and modify, ReadOnly lets
// read; both are inherited by what is below, and keep what is above from going.
func TestWhatALockHolds(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	deployment := w.Deploy(account, "d", "gpt-4o")
	other := w.MakeGroup("other")
	p := w.Principal("p")
	assignment := w.Grant(p.ID, servicetest.Reader, account)
	call := map[string]func() servicetest.Reply{
		"read":        func() servicetest.Reply { return w.ARM("GET", account, "") },
		"list":        func() servicetest.Reply { return w.ARM("GET", account+"/deployments", "") },
		"patch":       func() servicetest.Reply { return w.ARM("PATCH", account, `{"tags":{"a":"b"}}`) },
		"keys":        func() servicetest.Reply { return w.ARM("POST", account+"/listKeys", "") },
		"regenerate":  func() servicetest.Reply { return w.ARM("POST", account+"/regenerateKey", `{"keyName":"key1"}`) },
		"deploy":      func() servicetest.Reply { return w.ARM("PATCH", deployment, `{"sku":{"capacity":2}}`) },
		"elsewhere":   func() servicetest.Reply { return w.ARM("PATCH", other, `{"tags":{"a":"b"}}`) },
		"group patch": func() servicetest.Reply { return w.ARM("PATCH", group, `{"tags":{"a":"b"}}`) },
		"assign": func() servicetest.Reply {
			return w.ARM("PUT", assignment, grant(servicetest.Reader, p.ID))
		},
		"unassign":     func() servicetest.Reply { return w.ARM("DELETE", assignment, "") },
		"delete":       func() servicetest.Reply { return w.ARM("DELETE", account, "") },
		"delete child": func() servicetest.Reply { return w.ARM("DELETE", deployment, "") },
		"delete group": func() servicetest.Reply { return w.ARM("DELETE", group, "") },
		"delete nobody": func() servicetest.Reply {
			return w.ARM("DELETE", other+"/providers/Microsoft.Compute/virtualMachines/x", "")
		},
	}
	deletes := []string{"unassign", "delete", "delete child", "delete group"}
	writes := []string{"patch", "keys", "regenerate", "deploy", "assign"}
	for _, c := range []struct {
		scope, level string
		held         []string
	}{
		{w.Subscription, "CanNotDelete", deletes},
		{group, "cannotdelete", deletes},
		{account, "CanNotDelete", deletes},
		{deployment, "CanNotDelete", []string{"delete", "delete child", "delete group"}},
		{w.Subscription, "ReadOnly", append([]string{"elsewhere", "group patch"}, append(deletes, writes...)...)},
		{group, "ReadOnly", append([]string{"group patch"}, append(deletes, writes...)...)},
		{account, "readonly", append(deletes, writes...)},
		{deployment, "ReadOnly", []string{"delete", "delete child", "delete group", "deploy"}},
	} {
		id := c.scope + locks + "keep"
		w.Make(id, lock(c.level))
		held := map[string]bool{}
		for _, name := range c.held {
			held[name] = true
			r := call[name]()
			wantError(t, r, 409, "ScopeLocked", "operation because following scope(s) are locked: '"+c.scope+"'. Please remove the lock and try again.")
			if strings.Contains(r.Message(), "cannot perform delete") != strings.HasPrefix(strings.Replace(name, "unassign", "delete", 1), "delete") {
				t.Errorf("%s: %s", name, r.Message())
			}
		}
		for name, do := range call {
			if held[name] || strings.HasPrefix(name, "delete") && name != "delete nobody" || name == "unassign" {
				continue
			}
			if r := do(); r.Status >= 300 {
				t.Errorf("%s under %s at %s: %d %s", name, c.level, c.scope, r.Status, r.Body)
			}
		}
		w.Need(200, w.ARM("DELETE", id, ""))
	}
	// Nothing of it went, and without a lock it does.
	for _, id := range []string{deployment, account, group} {
		w.Need(200, w.ARM("GET", id, ""))
		w.Need(200, w.ARM("DELETE", id, ""))
	}
}

func TestALockIsAResource(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	id := group + locks + "keep"
	r := w.Need(201, w.ARM("PUT", strings.ToUpper(group)+locks+"keep", lock("ReadOnly")))
	if r.Get("id") != id || r.Get("type") != "Microsoft.Authorization/locks" || r.Get("properties", "notes") != "why" || r.Get("systemData", "createdBy") == nil {
		t.Errorf("created: %s", r.Body)
	}
	// A lock does not hold locks: under ReadOnly it is changed and taken away.
	if r := w.Need(200, w.ARM("PUT", id, lock("CanNotDelete"))); r.Get("properties", "level") != "CanNotDelete" {
		t.Errorf("changed: %s", r.Body)
	}
	w.Make(w.Subscription+locks+"above", lock("CanNotDelete"))
	w.Make(account+locks+"below", lock("CanNotDelete"))
	w.Make(w.MakeGroup("rg2")+locks+"beside", lock("CanNotDelete"))
	for path, want := range map[string]string{
		group + locks: "[keep above below]",
		group + locks + "?$filter=" + url.QueryEscape("atScope()"): "[keep above]",
		account + locks: "[below keep above]",
		w.Subscription + locks + "?$filter=" + url.QueryEscape("level eq 'ReadOnly'"): "[]",
	} {
		if got := fmt.Sprint(w.Need(200, w.ARM("GET", path, "")).Names()); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	w.Need(204, w.ARM("DELETE", group+locks+"absent", ""))
	for _, c := range []struct{ method, id, body, code string }{
		{"GET", group + locks + "absent", "", "LockNotFound"},
		{"PUT", w.Subscription + "/resourceGroups/absent" + locks + "l", lock("ReadOnly"), "ResourceGroupNotFound"},
		{"GET", group + "/providers/Microsoft.Compute/virtualMachines/x" + locks + "l", "", "ResourceNotFound"},
	} {
		wantError(t, w.ARM(c.method, c.id, c.body), 404, c.code, "")
	}
	for body, code := range map[string]string{
		`{}`: "InvalidRequestContent", lock("Strict"): "InvalidLockLevel", lock("NotSpecified"): "InvalidLockLevel",
		`{"properties":{"level":"ReadOnly","notes":"` + strings.Repeat("x", 513) + `"}}`: "InvalidLockNotes",
	} {
		wantError(t, w.ARM("PUT", group+locks+"bad", body), 400, code, "")
	}
	wantError(t, w.ARM("PUT", group+locks+"a:b", lock("ReadOnly")), 400, "InvalidLockName", "")
	wantError(t, w.ARM("GET", group+locks+"?$filter=x", ""), 400, "InvalidFilterInQueryString", "")
}

// ARM can't tell which POST changes something: a registration does.
func TestAReadOnlySubscriptionRegistersNothing(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	register := w.Subscription + "/providers/Microsoft.Management/register"
	id := w.Make(w.Subscription+locks+"keep", lock("ReadOnly"))
	wantError(t, w.ARM("POST", register, ""), 409, "ScopeLocked", "")
	wantError(t, w.ARM("PUT", w.Subscription+"/resourceGroups/rg", `{"location":"japaneast"}`), 409, "ScopeLocked", "")
	w.Need(200, w.ARM("DELETE", id, ""))
	w.Need(200, w.ARM("POST", register, ""))
}

// Source: lock-resources.md, "Who can create or delete locks".
func TestOnlyOwnersLock(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := w.Make(group+locks+"keep", lock("CanNotDelete"))
	for role, allowed := range map[string]bool{servicetest.Contributor: false, servicetest.Owner: true, "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": true} {
		p := w.Principal(uuid.NewString())
		w.Grant(p.ID, role, group)
		put, del := w.ARMAs(p, "PUT", id, lock("CanNotDelete")), w.ARMAs(p, "DELETE", group+locks+"absent", "")
		if (put.Status == 200) != allowed || (del.Status == 204) != allowed {
			t.Errorf("%s: %d %d", role, put.Status, del.Status)
		}
		w.Need(200, w.ARMAs(p, "GET", id, ""))
	}
}
