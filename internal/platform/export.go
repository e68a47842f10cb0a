package platform

import (
	"context"
	"encoding/json"
	"net/http"

	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac/export"
)

// Export is everything that decides now, and the names of who is in it. A
// principal or an assignment that is written meanwhile may be in one and not in
// the other.
func (p *Platform) Export(ctx context.Context) (*export.Export, error) {
	snapshot, err := p.grants.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	e := export.New(snapshot.World())
	return e, p.store.View(ctx, func(tx *store.Tx) error {
		if err := each(tx, entra.KindUser, func(u entra.User) {
			e.PutPrincipal(export.Principal{ID: u.ID, Type: "User", DisplayName: u.DisplayName, UserPrincipalName: u.UserPrincipalName})
		}); err != nil {
			return err
		}
		if err := each(tx, entra.KindGroup, func(g entra.Group) {
			e.PutPrincipal(export.Principal{ID: g.ID, Type: "Group", DisplayName: g.DisplayName})
		}); err != nil {
			return err
		}
		return each(tx, entra.KindServicePrincipal, func(sp entra.ServicePrincipal) {
			e.PutPrincipal(export.Principal{ID: sp.ID, Type: "ServicePrincipal", DisplayName: sp.DisplayName, AppID: sp.AppID})
		})
	})
}

func each[T any](tx *store.Tx, kind string, see func(T)) error {
	records, err := tx.List(kind, store.Query{})
	if err != nil {
		return err
	}
	for _, record := range records {
		doc, err := store.Decode[T](record)
		if err != nil {
			return err
		}
		see(doc)
	}
	return nil
}

func (c *control) export(w http.ResponseWriter, r *http.Request) {
	e, err := c.platform.Export(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(e)
}

// Export asks the running instance for everything that decides now.
func (c *Client) Export(ctx context.Context) (*export.Export, error) {
	resp, err := c.do(ctx, http.MethodGet, "/rbac", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	e := new(export.Export)
	return e, json.NewDecoder(resp.Body).Decode(e)
}
