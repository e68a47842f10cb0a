package entra

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Expiring is a credential of an application that ends soon, or has ended.
type Expiring struct {
	Application string    `json:"application"` // display name
	AppID       string    `json:"appId"`
	Kind        string    `json:"kind"` // secret or certificate
	KeyID       string    `json:"keyId"`
	Name        string    `json:"displayName,omitempty"`
	End         time.Time `json:"endDateTime"`
}

// Expiring are the credentials of all applications that end before a time, the
// next one first. Those are left out that another of the same kind outlives: who
// rotates a secret has the new one.
func (d *Directory) Expiring(ctx context.Context, before time.Time) ([]Expiring, error) {
	return look(ctx, d, func() []Expiring {
		var all []Expiring
		for _, a := range d.registered {
			var secrets, certificates []Expiring
			for _, c := range a.PasswordCredentials {
				secrets = append(secrets, Expiring{a.DisplayName, a.AppID, "secret", c.KeyID, c.DisplayName, c.End})
			}
			for _, c := range a.KeyCredentials {
				certificates = append(certificates, Expiring{a.DisplayName, a.AppID, "certificate", c.KeyID, c.DisplayName, c.End})
			}
			for _, of := range [][]Expiring{secrets, certificates} {
				if len(of) == 0 {
					continue
				}
				last := slices.MaxFunc(of, func(x, y Expiring) int { return x.End.Compare(y.End) })
				if last.End.Before(before) {
					all = append(all, last)
				}
			}
		}
		slices.SortFunc(all, func(x, y Expiring) int {
			if c := x.End.Compare(y.End); c != 0 {
				return c
			}
			return strings.Compare(x.KeyID, y.KeyID)
		})
		return all
	})
}
