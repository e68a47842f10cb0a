package platform

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// What commands get over the control socket decides as the instance does, and
// has the names that its directory has.
func TestTheControlSocketGivesWhatDecides(t *testing.T) {
	w := newWorld(t)
	who, group := w.actor("reader"), uuid.NewString()
	w.write(func(tx *store.Tx) error {
		if err := entra.PutGroup(tx, w.sample.TenantID, entra.Group{ID: group, DisplayName: "Readers", SecurityEnabled: true}); err != nil {
			return err
		}
		return entra.AddMember(tx, w.sample.TenantID, group, who.object)
	})
	assigned := w.assign(group, "Reader", string(access.RootGroup(w.sample.TenantID)))
	client, err := Connect(context.Background(), w.p.opts.Data)
	check(t, err)
	e, err := client.Export(context.Background())
	check(t, err)
	found, err := e.Find(who.app)
	check(t, err)
	if found != who.object || e.NameOf(group) != "Readers" {
		t.Errorf("%s is %s, %s is called %s", who.app, found, group, e.NameOf(group))
	}
	r := rbac.NewSnapshot(e.World).Check(rbac.Question{Principal: found, Action: "Microsoft.CognitiveServices/accounts/read", Scope: rbac.Scope(w.account)})
	if r.Decision != rbac.Allowed || r.Assignment.ID != assigned || r.Role.RoleName != "Reader" {
		t.Errorf("%+v", r)
	}
	if owner, err := e.Find(w.owner().app); err != nil || !rbac.NewSnapshot(e.World).Allows(rbac.Question{Principal: owner, Action: "Microsoft.X/y/write", Scope: rbac.Scope(w.sub)}) {
		t.Error("the owner of the subscription:", err)
	}
}
