package storage

import (
	"net/http"
	"regexp"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
)

// controlSource documents the control plane of this provider.
const controlSource = "azure-rest-api-specs storage/stable/2024-01-01/storage.json; azure-docs role-based-access-control/permissions/storage.md"

// versions are api-versions of the provider's types, the newest first.
var versions = []string{"2025-08-01", "2025-06-01", "2025-01-01", "2024-01-01", "2023-05-01", "2023-04-01", "2023-01-01", "2022-09-01", "2022-05-01",
	"2021-09-01", "2021-08-01", "2021-06-01", "2021-04-01", "2021-02-01", "2021-01-01", "2020-08-01-preview", "2019-06-01", "2019-04-01", "2018-11-01",
	"2018-07-01", "2018-02-01", "2017-10-01", "2017-06-01", "2016-12-01", "2016-01-01", "2015-06-15"}

// account is properties of Microsoft.Storage/storageAccounts, as far as they can
// be written.
type account struct {
	AccessTier          string       `json:"accessTier,omitempty"`
	AllowSharedKey      *arm.Bool    `json:"allowSharedKeyAccess,omitempty"` // null is true
	AllowBlobPublic     *arm.Bool    `json:"allowBlobPublicAccess,omitempty"`
	HTTPSOnly           *arm.Bool    `json:"supportsHttpsTrafficOnly,omitempty"`
	MinimumTLS          string       `json:"minimumTlsVersion,omitempty"`
	PublicNetworkAccess string       `json:"publicNetworkAccess,omitempty"`
	NetworkACLs         *networkACLs `json:"networkAcls,omitempty"`
	HierarchicalNames   *arm.Bool    `json:"isHnsEnabled,omitempty"`
	DefaultToOAuth      *arm.Bool    `json:"defaultToOAuthAuthentication,omitempty"`
	CrossTenant         *arm.Bool    `json:"allowCrossTenantReplication,omitempty"`
	LargeFileShares     string       `json:"largeFileSharesState,omitempty"`
	KeyPolicy           *keyPolicy   `json:"keyPolicy,omitempty"`
	SASPolicy           *sasPolicy   `json:"sasPolicy,omitempty"`
	Encryption          *encryption  `json:"encryption,omitempty"`
	Routing             *routing     `json:"routingPreference,omitempty"`
	DNSEndpointType     string       `json:"dnsEndpointType,omitempty"`
}

type keyPolicy struct {
	Days arm.Int `json:"keyExpirationPeriodInDays"`
}

type sasPolicy struct {
	Period string `json:"sasExpirationPeriod"` // d.hh:mm:ss
	Action string `json:"expirationAction"`
}

type routing struct {
	Choice    string   `json:"routingChoice,omitempty"`
	Microsoft arm.Bool `json:"publishMicrosoftEndpoints"`
	Internet  arm.Bool `json:"publishInternetEndpoints"`
}

// stored is an account as it is kept: what clients write of it, and what they
// can't.
type stored struct {
	account
	KeyCreation map[string]time.Time `json:"keyCreationTime,omitempty"`
}

var accountNames = regexp.MustCompile(`^[a-z0-9]{3,24}$`)

// Host names of accounts. What is not served is no endpoint of an account: its
// clients are told so by a name that is missing, not by one that leads nowhere.
const (
	hostSuffix = ".blob.core.windows.net"
	fileSuffix = ".file.core.windows.net"
	lakeSuffix = ".dfs.core.windows.net"
)

func (s *Storage) accounts() *arm.Type {
	action := func(verb, name string, handle handler) api.Operation {
		return api.Operation{Method: http.MethodPost, Pattern: verb, Name: "StorageAccounts_" + name, Action: accountType + "/" + verb + "/action", Handle: handle}
	}
	return &arm.Type{
		Name: accountType, Source: controlSource, Versions: versions,
		Scopes:  []string{"blobServices/default/containers/*"}, // azure-docs storage/blobs/assign-azure-role-data-access.md
		Tracked: true, Identities: true,
		// storage.json StorageAccounts_Create answers 200 or 202, never 201.
		Created: http.StatusOK,
		Plan:    planAccount, Commit: s.commitAccount, Remove: s.removeAccount, View: viewAccount, Endpoint: endpoint,
		Actions: []api.Operation{
			action("listKeys", "ListKeys", s.listKeys),
			action("regenerateKey", "RegenerateKey", s.regenerateKey),
			action("listAccountSas", "ListAccountSAS", s.listAccountSAS),
			action("listServiceSas", "ListServiceSAS", s.listServiceSAS),
			action("revokeUserDelegationKeys", "RevokeUserDelegationKeys", s.revokeDelegationKeys),
		},
	}
}

// commitAccount holds the name to be the only one of the cloud, and gives a new
// account its keys.
func (s *Storage) commitAccount(tx *store.Tx, old, new *arm.Resource) error {
	p, err := arm.DecodeProperties[stored](new)
	if err != nil {
		return err
	}
	if old == nil {
		if err := nameFree(tx, new); err != nil {
			return err
		}
		if err := quotaLeft(tx, new); err != nil {
			return err
		}
		if err := s.keys.Create(tx, new.Tenant, new.ID, keyNames...); err != nil {
			return err
		}
		if p.KeyCreation, err = s.keys.Created(tx, new.ID); err != nil {
			return err
		}
	}
	if err := commitEncryption(tx, old, new, p.Encryption); err != nil {
		return err
	}
	return new.SetProperties(p)
}

// nameFree refuses a name that another account has.
// Source: azure-docs azure-resource-manager/troubleshooting/error-storage-account-name.md.
func nameFree(tx *store.Tx, new *arm.Resource) error {
	owner, err := nameOwner(tx, new.Name)
	switch {
	case err != nil || owner == "":
		return err
	case subscriptionOf(owner) == subscriptionOf(new.ID):
		return api.Errorf(http.StatusConflict, "StorageAccountInAnotherResourceGroup", "The account %s is already in another resource group in this subscription.", new.Name)
	}
	return api.Errorf(http.StatusConflict, "StorageAccountAlreadyTaken", "The storage account named %s is already taken.", new.Name)
}

// nameOwner is the id of the account of a name, in any subscription.
func nameOwner(tx *store.Tx, name string) (string, error) {
	for _, suffix := range []string{hostSuffix, fileSuffix} {
		if owner, err := arm.HostOwner(tx, name+suffix); err != nil || owner != "" {
			return owner, err
		}
	}
	return "", nil
}

// removeAccount takes everything away that is the account's: a new one of the
// same name is empty, and has other keys.
func (s *Storage) removeAccount(tx *store.Tx, old *arm.Resource) error {
	if _, err := s.keys.Take(tx, old.ID); err != nil {
		return err
	}
	if err := s.delegation.Forget(tx, old.ID); err != nil {
		return err
	}
	if err := removeShares(tx, old); err != nil {
		return err
	}
	return blob.ForgetAccount(tx, old.Name)
}
