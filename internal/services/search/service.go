package search

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// service is properties of Microsoft.Search/searchServices, as far as they can be
// written. Source: search.json SearchServiceProperties.
type service struct {
	Replicas         arm.Int      `json:"replicaCount"`
	Partitions       arm.Int      `json:"partitionCount"`
	HostingMode      string       `json:"hostingMode"`
	PublicAccess     string       `json:"publicNetworkAccess"`
	Network          *networkRule `json:"networkRuleSet"`
	DisableLocalAuth arm.Bool     `json:"disableLocalAuth"`
	Auth             *authOptions `json:"authOptions"`
	Encryption       *encryption  `json:"encryptionWithCmk"`
	Semantic         string       `json:"semanticSearch"`
	Compute          string       `json:"computeType"`
	Exfiltration     []string     `json:"dataExfiltrationProtections"`
}

type networkRule struct {
	IPRules []ipRule `json:"ipRules"`
	Bypass  string   `json:"bypass"` // None, AzureServices
}

type ipRule struct {
	Value string `json:"value"`
}

// authOptions has one of the two.
type authOptions struct {
	KeyOnly *struct{} `json:"apiKeyOnly,omitempty"`
	Either  *struct {
		Failure string `json:"aadAuthFailureMode,omitempty"`
	} `json:"aadOrApiKey,omitempty"`
}

type encryption struct {
	Enforcement string `json:"enforcement"`
	Compliance  string `json:"encryptionComplianceStatus,omitempty"` // is read, and not written
}

const (
	http403      = "http403"
	http401      = "http401WithBearerChallenge"
	noKeys       = "None"
	bypassAzure  = "AzureServices"
	accessOpen   = "enabled"
	accessClosed = "disabled"
	hostDefault  = "default"
	hostDense    = "highDensity"
)

func (s *Search) services() *arm.Type {
	action := func(method, pattern, name, verb string, handle handler) api.Operation {
		return api.Operation{Method: method, Pattern: pattern, Name: name, Action: serviceType + "/" + verb, Handle: handle}
	}
	return &arm.Type{
		Name: serviceType, Source: controlSource, Versions: versions,
		Scopes:  []string{"indexes/*"}, // azure-docs search/search-security-rbac.md, "Grant access to a single index"
		Tracked: true, Identities: true,
		Plan: planService, Commit: s.commitService, Remove: s.removeService, View: s.viewService, Endpoint: endpoint,
		Actions: []api.Operation{
			action(http.MethodPost, "listAdminKeys", "AdminKeys_Get", "listAdminKeys/action", s.listAdminKeys),
			action(http.MethodPost, "regenerateAdminKey/{keyKind}", "AdminKeys_Regenerate", "regenerateAdminKey/action", s.regenerateAdminKey),
			action(http.MethodPost, "createQueryKey/{name}", "QueryKeys_Create", "createQueryKey/action", s.createQueryKey),
			action(http.MethodPost, "listQueryKeys", "QueryKeys_ListBySearchService", "listQueryKeys/action", s.listQueryKeys),
			action(http.MethodGet, "listQueryKeys", "QueryKeys_ListBySearchServiceGet", "listQueryKeys/action", s.listQueryKeys),
			action(http.MethodDelete, "deleteQueryKey/{key}", "QueryKeys_Delete", "deleteQueryKey/delete", s.deleteQueryKey),
		},
	}
}

// adminKeys are the names of a service's two admin keys.
var adminKeys = []string{"primary", "secondary"}

func (s *Search) commitService(tx *store.Tx, old, new *arm.Resource) error {
	if old == nil || old.SKU.Name != new.SKU.Name {
		if err := quotaLeft(tx, new); err != nil {
			return err
		}
	}
	if old != nil {
		return s.fits(tx, new)
	}
	owner, err := arm.HostOwner(tx, new.Name+hostSuffix)
	if err != nil {
		return err
	}
	if owner != "" {
		return api.Errorf(http.StatusConflict, "ServiceNameUnavailable", "Service name '%s' is already taken.", new.Name)
	}
	if err := s.keys.Create(tx, new.Tenant, new.ID, adminKeys...); err != nil {
		return err
	}
	// "One query key is generated with the service", and has no name.
	// Source: azure-docs search/search-security-api-keys.md; Azure/azure-cli
	// search/tests/latest/recordings/test_query_key_create_delete_list.yaml.
	_, err = s.keys.AddQuery(tx, new.ID, "")
	return err
}

// fits refuses a tier that has no room for what is defined on a service.
func (s *Search) fits(tx *store.Tx, r *arm.Resource) error {
	p, err := arm.DecodeProperties[service](r)
	if err != nil {
		return err
	}
	t := tierOf(r.SKU.Name, p.HostingMode)
	for _, d := range s.definitions() {
		all, err := tx.List(d.kind, store.Query{Prefix: strings.ToLower(r.Name) + "/"})
		if err != nil {
			return err
		}
		if limit := d.limit(t); limit != 0 && len(all) > max(limit, 0) {
			return api.BadRequest("SkuChangeNotAllowed", "sku.name", "The service '%s' has %d %s, but a service of the SKU %s has at most %d.", r.Name, len(all), d.path, t.name, max(limit, 0))
		}
	}
	return nil
}

// removeService takes everything away that is the service's.
func (s *Search) removeService(tx *store.Tx, old *arm.Resource) error {
	if _, err := s.keys.Take(tx, old.ID); err != nil {
		return err
	}
	if err := s.cancelIndexers(tx, old.Name); err != nil {
		return err
	}
	return s.indexes.forgetService(tx, old.Name)
}

// endpoint tells the service's host name.
func endpoint(r *arm.Resource) (arm.Endpoint, error) {
	p, err := arm.DecodeProperties[service](r)
	if err != nil {
		return arm.Endpoint{}, err
	}
	either := p.Auth != nil && p.Auth.Either != nil
	guard := api.Guard{
		PublicAccess: p.PublicAccess != accessClosed, Keys: !bool(p.DisableLocalAuth),
		Tokens:    bool(p.DisableLocalAuth) || either,
		Challenge: bool(p.DisableLocalAuth) || either && p.Auth.Either.Failure == http401,
	}
	if p.Network != nil {
		guard.DefaultDeny = len(p.Network.IPRules) > 0
		for _, rule := range p.Network.IPRules {
			prefix, err := parseIPRule(rule.Value)
			if err != nil {
				return arm.Endpoint{}, err
			}
			guard.IPRules = append(guard.IPRules, prefix)
		}
		if p.Network.Bypass == bypassAzure {
			guard.TrustedServices = trustedServices
		}
	}
	return arm.Endpoint{Service: Service, Hosts: []string{r.Name + hostSuffix}, Guard: guard}, nil
}

// trustedServices are those that networkRuleSet.bypass "AzureServices" lets in.
// Source: azure-docs search/search-security-overview, "networkRuleSet.bypass";
// azure-docs ai-services/openai/how-to/on-your-data-configuration.md.
var trustedServices = []string{"microsoft.cognitiveservices", "microsoft.machinelearningservices"}
