package platform

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/services/compute"
	"sekisho/internal/store"
)

// Credentials are what the first start writes to credentials.json, once.
type Credentials struct {
	TenantID       string `json:"tenantId"`
	SubscriptionID string `json:"subscriptionId"`
	Administrator  struct {
		UserPrincipalName string `json:"userPrincipalName"`
		Password          string `json:"password"`
	} `json:"administrator"`
	Automation struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
		ObjectID     string `json:"objectId"`
	} `json:"automation"`
}

// Names of the sample environment, as seed 000 has them.
const (
	sampleLocation = "japaneast"
	sampleGroup    = "rg-sample"
	sampleAccount  = "aoai-sample"
	sampleVM       = "vm-sample"
)

// ownerRole is the GUID of Owner.
const ownerRole = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"

// createSample fills an empty store: a tenant with an administrator and an
// automation service principal, a subscription, and in it what seed 000 talks
// of. All is one transaction; the credentials are on disk before it commits.
func (p *Platform) createSample(ctx context.Context) error {
	return p.store.Update(ctx, func(tx *store.Tx) error {
		tenants, err := tx.List(entra.KindTenant, store.Query{})
		if err != nil {
			return err
		}
		if len(tenants) > 0 {
			return p.upgradeDirectory(tx, tenants)
		}
		var c Credentials
		c.TenantID, c.SubscriptionID = uuid.NewString(), uuid.NewString()
		if err := p.createDirectory(tx, &c); err != nil {
			return err
		}
		if err := p.createResources(tx, c); err != nil {
			return err
		}
		raw, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(p.opts.Data, credentialsFile), append(raw, '\n'), 0o600)
	})
}

func (p *Platform) createDirectory(tx *store.Tx, c *Credentials) error {
	now := time.Now().UTC()
	admin := &Administrator{UserPrincipalName: "admin@contoso.com", ObjectID: uuid.NewString(), Password: entra.NewPassword()}
	c.Administrator.UserPrincipalName, c.Administrator.Password = admin.UserPrincipalName, admin.Password
	tenant := Tenant{ID: c.TenantID, Name: "Contoso", Domains: []string{"contoso.com", "contoso.onmicrosoft.com"}, Administrator: admin}
	if err := putTenant(tx, tenant, admin.user(now)); err != nil {
		return err
	}
	app := entra.Application{ID: uuid.NewString(), AppID: uuid.NewString(), DisplayName: "automation", SignInAudience: "AzureADMyOrg", Created: now}
	secret, credential := p.directory.NewSecret("first start", now, now.AddDate(2, 0, 0))
	app.PasswordCredentials = []entra.PasswordCredential{credential}
	if err := entra.PutApplication(tx, tenant.ID, app); err != nil {
		return err
	}
	sp := entra.ServicePrincipal{ID: uuid.NewString(), AppID: app.AppID, DisplayName: app.DisplayName, Type: "Application", AccountEnabled: true,
		Names: []string{app.AppID}, Created: now}
	if err := entra.PutServicePrincipal(tx, tenant.ID, sp); err != nil {
		return err
	}
	if err := entra.GrantAppRole(tx, tenant.ID, sp.ID, entra.GraphAppID, "Directory.Read.All", now); err != nil {
		return err
	}
	c.Automation.ClientID, c.Automation.ClientSecret, c.Automation.ObjectID = app.AppID, secret, sp.ID
	if err := putGlobalAdministrator(tx, tenant.ID, sp.ID); err != nil {
		return err
	}
	if err := putSubscription(tx, tenant.ID, c.SubscriptionID, "Sekisho sample"); err != nil {
		return err
	}
	scope := "/subscriptions/" + c.SubscriptionID
	for principal, kind := range map[string]string{admin.ObjectID: entra.TypeUser, sp.ID: entra.TypeServicePrincipal} {
		if err := putOwner(tx, tenant.ID, scope, principal, kind, admin.ObjectID, now); err != nil {
			return err
		}
	}
	return nil
}

// putGlobalAdministrator lets a principal administer the directory, as who
// makes a tenant may.
func putGlobalAdministrator(tx *store.Tx, tenant, principal string) error {
	return entra.PutRoleAssignment(tx, tenant, entra.RoleAssignment{ID: uuid.NewString(), Principal: principal, Role: entra.RoleTemplate(entra.GlobalAdministrator)})
}

// upgradeDirectory brings data of an earlier release up to date.
func (p *Platform) upgradeDirectory(tx *store.Tx, tenants []store.Record) error {
	for _, tenant := range tenants {
		if err := entra.Upgrade(tx, tenant.ID); err != nil {
			return err
		}
	}
	return p.keepAdministrator(tx)
}

// keepAdministrator gives the sample's automation its directory role where data
// is older than directory roles: a tenant is never without an administrator.
func (p *Platform) keepAdministrator(tx *store.Tx) error {
	given, err := tx.List(entra.KindRoleAssignment, store.Query{Limit: 1})
	if err != nil || len(given) > 0 {
		return err
	}
	c, err := p.Credentials()
	if errors.Is(err, os.ErrNotExist) { // removed, or another tenant's data
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.Get(entra.KindServicePrincipal, c.Automation.ObjectID); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}
	return putGlobalAdministrator(tx, c.TenantID, c.Automation.ObjectID)
}

func (p *Platform) createResources(tx *store.Tx, c Credentials) error {
	for _, namespace := range []string{"Microsoft.CognitiveServices", "Microsoft.Compute", "Microsoft.ManagedIdentity", "Microsoft.Storage"} {
		if err := arm.RegisterTx(tx, c.TenantID, c.SubscriptionID, namespace); err != nil {
			return err
		}
	}
	group := "/subscriptions/" + c.SubscriptionID + "/resourceGroups/" + sampleGroup
	account := group + "/providers/Microsoft.CognitiveServices/accounts/" + sampleAccount
	deployment := func(model, version string) map[string]any {
		return map[string]any{"model": map[string]string{"format": "OpenAI", "name": model, "version": version}}
	}
	for _, r := range []struct {
		typeName, id, kind, sku string
		properties              any
	}{
		{arm.TypeGroup, group, "", "", nil},
		{"Microsoft.CognitiveServices/accounts", account, "OpenAI", "S0", map[string]any{"customSubDomainName": sampleAccount}},
		{"Microsoft.CognitiveServices/accounts/deployments", account + "/deployments/gpt-35-turbo", "", "Standard", deployment("gpt-35-turbo", "0125")},
		{"Microsoft.CognitiveServices/accounts/deployments", account + "/deployments/ada", "", "Standard", deployment("text-embedding-ada-002", "2")},
		{compute.VirtualMachine, group + "/providers/Microsoft.Compute/virtualMachines/" + sampleVM, "", "", map[string]any{"hardwareProfile": map[string]string{"vmSize": "Standard_B2s"}}},
	} {
		in := &arm.Resource{Kind: r.kind, Location: sampleLocation}
		if r.sku != "" {
			in.SKU = &arm.SKU{Name: r.sku}
		}
		if r.properties != nil {
			if err := in.SetProperties(r.properties); err != nil {
				return err
			}
		}
		t, _ := p.registry.Get(r.typeName)
		_, _, err := p.manager.PutTx(tx, arm.Write{Type: t, ID: r.id, Caller: api.Caller{Name: c.Automation.ClientID, Object: c.Automation.ObjectID},
			Change: func(*arm.Resource) (*arm.Resource, error) { return in, nil }})
		if err != nil {
			return err
		}
	}
	return nil
}

// Credentials reads what the first start wrote.
func (p *Platform) Credentials() (c Credentials, err error) {
	raw, err := os.ReadFile(filepath.Join(p.opts.Data, credentialsFile))
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(raw, &c)
}
