package platform

import (
	"context"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// ServicePrincipal is a new service principal with the secret that it signs in
// by, which is shown this once.
type ServicePrincipal struct{ ObjectID, AppID, Secret string }

// NewServicePrincipal registers an application in a tenant, and its service
// principal. It has no role.
func (p *Platform) NewServicePrincipal(ctx context.Context, tenant, name string) (ServicePrincipal, error) {
	now := p.opts.Now().UTC()
	secret, credential := p.directory.NewSecret("test", now, now.Add(365*24*time.Hour))
	sp := ServicePrincipal{ObjectID: uuid.NewString(), AppID: uuid.NewString(), Secret: secret}
	err := p.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Get(entra.KindTenant, tenant); err != nil {
			return err
		}
		app := entra.Application{ID: uuid.NewString(), AppID: sp.AppID, DisplayName: name, SignInAudience: "AzureADMyOrg",
			PasswordCredentials: []entra.PasswordCredential{credential}, Created: now}
		if err := entra.PutApplication(tx, tenant, app); err != nil {
			return err
		}
		return entra.PutServicePrincipal(tx, tenant, entra.ServicePrincipal{ID: sp.ObjectID, AppID: sp.AppID, DisplayName: name,
			Type: "Application", AccountEnabled: true, Names: []string{sp.AppID}, Created: now})
	})
	return sp, err
}

// NewGroup makes a security group of a tenant with its direct members, by their
// object ids, and gives its own. Groups may be members.
func (p *Platform) NewGroup(ctx context.Context, tenant, name string, members ...string) (objectID string, err error) {
	objectID = uuid.NewString()
	return objectID, p.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Get(entra.KindTenant, tenant); err != nil {
			return err
		}
		if err := entra.PutGroup(tx, tenant, entra.Group{ID: objectID, DisplayName: name, SecurityEnabled: true, Created: p.opts.Now().UTC()}); err != nil {
			return err
		}
		for _, member := range members {
			if err := entra.AddMember(tx, tenant, objectID, member); err != nil {
				return err
			}
		}
		return nil
	})
}
