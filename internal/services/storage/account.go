package storage

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// controlSource documents the control plane of this provider.
const controlSource = "azure-rest-api-specs storage/stable/2024-01-01/storage.json; built-in-roles/storage.md"

// versions are api-versions of the provider's types, the newest first.
var versions = []string{"2024-01-01", "2023-05-01", "2023-01-01", "2022-09-01", "2021-09-01", "2019-06-01"}

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
	HierarchicalNames   arm.Bool     `json:"isHnsEnabled,omitempty"`
	DefaultToOAuth      *arm.Bool    `json:"defaultToOAuthAuthentication,omitempty"`
	CrossTenant         *arm.Bool    `json:"allowCrossTenantReplication,omitempty"`
}

type networkACLs struct {
	DefaultAction string         `json:"defaultAction"`
	Bypass        string         `json:"bypass,omitempty"`
	IPRules       []ipRule       `json:"ipRules"`
	VirtualRules  []any          `json:"virtualNetworkRules"`
	ResourceRules []resourceRule `json:"resourceAccessRules,omitempty"`
}

type ipRule struct {
	Value  string `json:"value"`
	Action string `json:"action,omitempty"`
}

type resourceRule struct {
	Tenant   string `json:"tenantId"`
	Resource string `json:"resourceId"`
}

var accountNames = regexp.MustCompile(`^[a-z0-9]{3,24}$`)

// keyNames are an account's two keys.
var keyNames = []string{"key1", "key2"}

// hostSuffix is where the blobs of accounts are.
const hostSuffix = ".blob.core.windows.net"

func (s *Storage) accounts() *arm.Type {
	return &arm.Type{
		Name: accountType, Source: controlSource, Versions: versions,
		Names: accountNames, NameRule: "3 to 24 lower-case letters and digits",
		Tracked: true, Identities: true,
		Plan: planAccount, Commit: s.commitAccount, Remove: s.removeAccount, View: viewAccount, Endpoint: endpoint,
		Actions: []api.Operation{
			{Method: http.MethodPost, Pattern: "listKeys", Name: "StorageAccounts_ListKeys", Action: accountType + "/listKeys/action", Handle: s.listKeys},
			{Method: http.MethodPost, Pattern: "regenerateKey", Name: "StorageAccounts_RegenerateKey", Action: accountType + "/regeneratekey/action", Handle: s.regenerateKey},
		},
	}
}

func planAccount(old, in *arm.Resource) (*arm.Resource, error) {
	if in.Kind == "" {
		if in.Kind = "StorageV2"; old != nil {
			in.Kind = old.Kind
		}
	}
	if in.SKU == nil && old != nil {
		in.SKU = old.SKU
	}
	if in.SKU == nil || in.SKU.Name == "" {
		return nil, api.BadRequest("InvalidRequestContent", "sku.name", "The request must name the account's sku, such as Standard_LRS.")
	}
	p, err := arm.DecodeProperties[account](in)
	if err != nil {
		return nil, err
	}
	if p.PublicNetworkAccess == "" {
		p.PublicNetworkAccess = "Enabled"
	}
	return in, in.SetProperties(p)
}

func (s *Storage) commitAccount(tx *store.Tx, old, new *arm.Resource) error {
	return s.keys.Create(tx, new.Tenant, new.ID, keyNames...)
}

func (s *Storage) removeAccount(tx *store.Tx, old *arm.Resource) error {
	return s.delegation.Forget(tx, old.ID)
}

func endpoint(r *arm.Resource) (arm.Endpoint, error) {
	p, err := arm.DecodeProperties[account](r)
	if err != nil {
		return arm.Endpoint{}, err
	}
	end := arm.Endpoint{Service: Service, Hosts: []string{r.Name + hostSuffix}, Guard: api.Guard{
		PublicAccess: p.PublicNetworkAccess != "Disabled", Keys: p.AllowSharedKey == nil || bool(*p.AllowSharedKey), Tokens: true,
		Anonymous: p.AllowBlobPublic != nil && bool(*p.AllowBlobPublic)}}
	if acls := p.NetworkACLs; acls != nil {
		end.Guard.DefaultDeny = acls.DefaultAction == "Deny"
		if strings.Contains(acls.Bypass, "AzureServices") {
			end.Guard.TrustedServices = trustedServices
		}
		for _, rule := range acls.ResourceRules {
			end.Guard.Instances = append(end.Guard.Instances, api.Instance{Tenant: rule.Tenant, Resource: rbac.Scope(rule.Resource)})
		}
		for _, rule := range acls.IPRules {
			value := rule.Value
			if !strings.Contains(value, "/") {
				value += "/32"
			}
			prefix, err := netip.ParsePrefix(value)
			if err != nil {
				return arm.Endpoint{}, fmt.Errorf("ipRule %q: %w", rule.Value, err)
			}
			end.Guard.IPRules = append(end.Guard.IPRules, prefix)
		}
	}
	return end, nil
}

type accountView struct {
	account
	State            string            `json:"provisioningState"`
	PrimaryEndpoints map[string]string `json:"primaryEndpoints"`
	PrimaryLocation  string            `json:"primaryLocation"`
	StatusOfPrimary  string            `json:"statusOfPrimary"`
	Created          string            `json:"creationTime,omitempty"`
	PrivateEndpoints []any             `json:"privateEndpointConnections"`
}

func viewAccount(r *arm.Resource, origin api.Origin) (any, error) {
	p, err := arm.DecodeProperties[account](r)
	if err != nil {
		return nil, err
	}
	return accountView{account: p, State: "Succeeded", PrimaryLocation: r.Location, StatusOfPrimary: "available", PrivateEndpoints: []any{},
		PrimaryEndpoints: map[string]string{"blob": origin.DataPlane(r.Name + hostSuffix)}}, nil
}

type keysView struct {
	Keys []keyView `json:"keys"`
}

type keyView struct {
	Name        string `json:"keyName"`
	Value       string `json:"value"`
	Permissions string `json:"permissions"`
}

func (s *Storage) writeKeys(w http.ResponseWriter, call *api.Call, keys map[string]string) error {
	v := keysView{}
	for _, name := range keyNames {
		v.Keys = append(v.Keys, keyView{name, keys[name], "FULL"})
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, v)
}

func (s *Storage) listKeys(w http.ResponseWriter, call *api.Call) error {
	r, err := s.resources.Find(call.Request.Context(), string(arm.PathScope(call)))
	if err != nil {
		return err
	}
	keys, err := s.keys.List(call.Request.Context(), r.ID)
	if err != nil {
		return err
	}
	return s.writeKeys(w, call, keys)
}

func (s *Storage) regenerateKey(w http.ResponseWriter, call *api.Call) error {
	r, err := s.resources.Find(call.Request.Context(), string(arm.PathScope(call)))
	if err != nil {
		return err
	}
	var in struct {
		Name string `json:"keyName"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	name := strings.ToLower(in.Name)
	if name != keyNames[0] && name != keyNames[1] {
		return api.BadRequest("InvalidRequestPropertyValue", "keyName", "The value '%s' is not allowed for property keyName: it is key1 or key2.", in.Name)
	}
	keys, err := s.keys.Regenerate(call.Request.Context(), r.ID, name)
	if err != nil {
		return err
	}
	return s.writeKeys(w, call, keys)
}
