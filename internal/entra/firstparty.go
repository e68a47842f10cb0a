package entra

import (
	_ "embed"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/store"
)

// MicrosoftTenant owns the applications of Microsoft that every tenant has.
// Source: entra-docs application-management verify-first-party-apps-sign-in.md.
const MicrosoftTenant = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

// Application ids of Microsoft's public clients.
const (
	AzureCLIAppID        = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	AzurePowerShellAppID = "1950a258-227b-4e31-a9cf-717495945fc2"
	VSCodeAppID          = "aebc6443-996d-45c2-90f0-388ff96faa56"
)

// machineLearningAppID is the Azure Machine Learning that acts on resources; the
// one that takes tokens is another.
const machineLearningAppID = "0736f41a-0425-4b46-bdb5-1563eff02385"

// otherApps are Microsoft's applications that are no resources.
// Source: entra-docs verify-first-party-apps-sign-in.md; seed 001.
var otherApps = []Resource{
	{AppID: AzureCLIAppID, Name: "Microsoft Azure CLI"},
	{AppID: AzurePowerShellAppID, Name: "Microsoft Azure PowerShell"},
	{AppID: VSCodeAppID, Name: "Visual Studio Code"},
	{AppID: machineLearningAppID, Name: "Azure Machine Learning"},
}

// impersonation are the ids of the one scope, user_impersonation, that Azure's
// own resources offer, by application id.
// Sources: the permission reference of each (FortigiGraph, terraform-azuread,
// azure-search-openai-demo: the ids are the same in every tenant).
var impersonation = map[string]string{
	armAppID:                               "41094075-9dad-400e-a0bd-54e686782033",
	"7d312290-28c8-473c-a0ed-8e53749b6d6d": "5f1e8914-a52b-429f-9324-91b92b81adaf",
	"18a66f5f-dbdf-4c17-9dd7-1634712a9cbe": "1a7925b5-f871-417a-9b8b-303f9f29fa10",
	"880da380-985e-4198-81b9-e05b1cc53158": "a4165a31-5d9e-4120-bd1e-9d88c66fd3b8",
	"e406a681-f3d4-42a8-90b6-c2b029497af1": "03e0da56-190b-40ad-a80c-ea378c433f7f",
	"cfa8b339-82a2-471a-a3c9-0fc0be7a4093": "f53da476-18e3-4152-8e01-aec403e6edc0",
}

// PermissionScope is a delegated permission that an application defines.
// Source: microsoft-graph-docs-contrib resources/permissionscope.md.
type PermissionScope struct {
	ID               string `json:"id"`
	Value            string `json:"value"`
	Type             string `json:"type"` // User, or Admin where only they may consent
	Enabled          bool   `json:"isEnabled"`
	AdminDisplayName string `json:"adminConsentDisplayName"`
	AdminDescription string `json:"adminConsentDescription"`
	UserDisplayName  string `json:"userConsentDisplayName"`
	UserDescription  string `json:"userConsentDescription"`
}

// Offer is what an application lets others ask for.
type Offer struct {
	Scopes []PermissionScope `json:"oauth2PermissionScopes"`
	Roles  []AppRole         `json:"appRoles"`
}

// graphPermissions are the permissions of Microsoft Graph that its table asks
// for. Source: microsoftgraph/microsoft-graph-devx-content
// permissions/permissions-descriptions.json at 6cbd6bb.
//
//go:embed graph_permissions.json
var graphPermissions []byte

var graphOffer = sync.OnceValue(func() (o Offer) {
	if err := json.Unmarshal(graphPermissions, &o); err != nil {
		panic(err)
	}
	return o
})

// Offered is what one of Microsoft's applications offers; false if the id is not
// that of one.
func Offered(appID string) (Offer, bool) {
	if strings.EqualFold(appID, GraphAppID) {
		return graphOffer(), true
	}
	for _, app := range firstPartyApps() {
		if !strings.EqualFold(app.AppID, appID) {
			continue
		}
		id := impersonation[app.AppID]
		if id == "" {
			return Offer{}, true
		}
		name := "Access " + app.Name
		return Offer{Scopes: []PermissionScope{{ID: id, Value: "user_impersonation", Type: "User", Enabled: true,
			AdminDisplayName: name, AdminDescription: "Allows the application to access " + app.Name + " on behalf of the signed-in user.",
			UserDisplayName: name, UserDescription: "Allow the application to access " + app.Name + " on your behalf."}}}, true
	}
	return Offer{}, false
}

// FirstParty tells whether an application is one of Microsoft's.
func FirstParty(appID string) bool {
	_, ok := Offered(appID)
	return ok
}

// firstPartyApps are those of Microsoft's applications that every tenant has a
// service principal of.
func firstPartyApps() []Resource {
	all := append([]Resource(nil), otherApps...)
	for _, r := range firstParty {
		if r.AppID == GraphAppID || impersonation[r.AppID] != "" {
			all = append(all, r)
		}
	}
	return all
}

// FirstPartyID is the object id that one of Microsoft's applications has in a
// tenant.
func FirstPartyID(tenant, appID string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(MicrosoftTenant+"/"+tenant+"/"+appID))).String()
}

// PutFirstParty gives a tenant the service principals of Microsoft's
// applications that it does not have yet.
func PutFirstParty(tx *store.Tx, tenant string) error {
	for _, app := range firstPartyApps() {
		_, err := tx.Lookup(KindServicePrincipal, store.Key{Name: "appId", Value: tenant + "/" + app.AppID})
		if err == nil {
			continue
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		sp := ServicePrincipal{ID: FirstPartyID(tenant, app.AppID), AppID: app.AppID, DisplayName: app.Name, Type: "Application",
			AccountEnabled: true, Names: append([]string{app.AppID}, app.URIs...), Created: time.Now().UTC()}
		if err := PutServicePrincipal(tx, tenant, sp); err != nil {
			return err
		}
	}
	return nil
}

// Upgrade brings the directory of a tenant to what it would be if it were made
// now: Microsoft's applications, and app role assignments where older data has
// the names of permissions.
func Upgrade(tx *store.Tx, tenant string) error {
	if err := PutFirstParty(tx, tenant); err != nil {
		return err
	}
	records, err := tx.List(KindServicePrincipal, store.Query{})
	if err != nil {
		return err
	}
	for _, record := range records {
		sp, err := store.Decode[ServicePrincipal](record)
		if err != nil {
			return err
		}
		if len(sp.Permissions) == 0 || !strings.EqualFold(record.Tenant, tenant) {
			continue
		}
		for _, name := range sp.Permissions {
			if err := GrantAppRole(tx, tenant, sp.ID, GraphAppID, name, time.Now()); err != nil {
				return err
			}
		}
		sp.Permissions = nil
		if err := PutServicePrincipal(tx, tenant, sp); err != nil {
			return err
		}
	}
	return nil
}
