package platform

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/services/compute"
	"sekisho/internal/store"
)

// Status is what a first look at a running Sekisho shows.
type Status struct {
	Version string    `json:"version"`
	Since   time.Time `json:"since"`
	Data    string    `json:"data"`
	Profile string    `json:"profile"` // default or azure
	Addresses
	Counts   Counts   `json:"counts"`
	LastHour LastHour `json:"lastHour"`
	Denials  []Denial `json:"denials"` // newest first
	// Expiring are the secrets and certificates of applications that end within
	// noticeOfExpiry, the next one first.
	Expiring []Expiring `json:"expiring"`
}

// Expiring is a credential that ends soon.
type Expiring = entra.Expiring

// noticeOfExpiry is how long beforehand it is told that a credential ends.
const noticeOfExpiry = 30 * 24 * time.Hour

// Counts are how many there are of what people look for.
type Counts struct {
	Tenants           int `json:"tenants"`
	Subscriptions     int `json:"subscriptions"`
	ResourceGroups    int `json:"resourceGroups"`
	Accounts          int `json:"accounts"`
	Deployments       int `json:"deployments"`
	VirtualMachines   int `json:"virtualMachines"`
	ManagedIdentities int `json:"managedIdentities"`
	ServicePrincipals int `json:"servicePrincipals"` // of applications, less Microsoft's
	RoleAssignments   int `json:"roleAssignments"`
}

// LastHour are the calls that were decided within it.
type LastHour struct {
	Allowed int `json:"allowed"`
	Refused int `json:"refused"`
}

// Denial is a refused call, and the smallest role that would have allowed it.
type Denial struct {
	store.Entry
	SmallestRole string `json:"smallestRole,omitempty"`
}

const shownDenials = 5

// Status looks at everything once.
func (p *Platform) Status(ctx context.Context) (s Status, err error) {
	s = Status{Version: Release, Since: p.control.started.UTC(), Data: p.opts.Data, Profile: cmp.Or(p.opts.Profile, "default"), Addresses: p.Addresses()}
	if err := p.count(ctx, &s.Counts); err != nil {
		return s, err
	}
	if s.Expiring, err = p.directory.Expiring(ctx, time.Now().Add(noticeOfExpiry)); err != nil {
		return s, err
	}
	if s.LastHour.Allowed, s.LastHour.Refused, err = p.audit.Count(ctx, time.Now().Add(-time.Hour)); err != nil {
		return s, err
	}
	entries, err := p.audit.Query(ctx, store.AuditFilter{Denied: true, Limit: shownDenials})
	if err != nil {
		return s, err
	}
	s.Denials = make([]Denial, 0, len(entries))
	for i := len(entries) - 1; i >= 0; i-- {
		d := Denial{Entry: entries[i]}
		if d.Reason == string(api.NotPermitted) {
			d.SmallestRole = p.grants.SmallestRole(d.Action, d.Data)
		}
		s.Denials = append(s.Denials, d)
	}
	return s, nil
}

func (p *Platform) count(ctx context.Context, c *Counts) error {
	for typeName, n := range map[string]*int{
		"Microsoft.Resources/subscriptions":                &c.Subscriptions,
		arm.TypeGroup:                                      &c.ResourceGroups,
		"Microsoft.CognitiveServices/accounts":             &c.Accounts,
		"Microsoft.CognitiveServices/accounts/deployments": &c.Deployments,
		compute.VirtualMachine:                             &c.VirtualMachines,
	} {
		all, err := p.manager.OfType(ctx, typeName)
		if err != nil {
			return err
		}
		*n = len(all)
	}
	return p.store.View(ctx, func(tx *store.Tx) error {
		tenants, err := tx.List(entra.KindTenant, store.Query{})
		if err != nil {
			return err
		}
		c.Tenants = len(tenants)
		for _, tenant := range tenants {
			assignments, err := access.List(tx, tenant.ID)
			if err != nil {
				return err
			}
			c.RoleAssignments += len(assignments)
		}
		principals, err := tx.List(entra.KindServicePrincipal, store.Query{})
		if err != nil {
			return err
		}
		for _, record := range principals {
			sp, err := store.Decode[entra.ServicePrincipal](record)
			if err != nil {
				return err
			}
			switch {
			case sp.Type == "ManagedIdentity":
				c.ManagedIdentities++
			case !entra.FirstParty(sp.AppID):
				c.ServicePrincipals++
			}
		}
		return nil
	})
}

func (c *control) status(w http.ResponseWriter, r *http.Request) {
	s, err := c.platform.Status(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(s)
}

// Status asks the running instance for a first look at it.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	resp, err := c.do(ctx, http.MethodGet, "/status", nil)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// tellOfExpiry logs each day which credentials of applications end soon, until
// ctx ends.
func (p *Platform) tellOfExpiry(ctx context.Context) error {
	ticker := time.NewTicker(24 * time.Hour)
	defer ticker.Stop()
	for {
		all, err := p.directory.Expiring(ctx, time.Now().Add(noticeOfExpiry))
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, e := range all {
			p.opts.Log.Warn("a credential of an application ends soon", "application", e.Application, "appId", e.AppID, "kind", e.Kind, "keyId", e.KeyID, "ends", e.End.Format(time.RFC3339))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
