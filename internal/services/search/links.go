package search

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// linkType are private endpoints by which indexers and vectorizers reach other
// resources.
const linkType = serviceType + "/sharedPrivateLinkResources"

// sharedLink is properties of a shared private link.
// Source: search.json SharedPrivateLinkResourceProperties.
type sharedLink struct {
	Target   string `json:"privateLinkResourceId"`
	Group    string `json:"groupId"`
	Message  string `json:"requestMessage"`
	Region   string `json:"resourceRegion,omitempty"`
	Status   string `json:"status"` // Pending until the target's owner approves it
	Progress string `json:"provisioningState"`
}

// linkTarget is a type of resources that a link may lead to.
type linkTarget struct {
	kind   string
	groups []string
}

// linkTargets are those types, with their sub-resources.
// Source: azure-docs search/search-indexer-howto-access-private.md, "Supported resource types".
var linkTargets = []linkTarget{
	{"Microsoft.Storage/storageAccounts", []string{"blob", "table", "dfs", "file"}},
	{"Microsoft.DocumentDB/databaseAccounts", []string{"Sql", "Gremlin"}},
	{"Microsoft.Sql/servers", []string{"sqlServer"}},
	{"Microsoft.Sql/managedInstances", []string{"managedInstance"}},
	{"Microsoft.KeyVault/vaults", []string{"vault"}},
	{"Microsoft.DBforMySQL/servers", []string{"mysqlServer"}},
	{"Microsoft.Web/sites", []string{"sites"}},
	{"Microsoft.MachineLearningServices/workspaces", []string{"amlworkspace"}},
	{"Microsoft.CognitiveServices/accounts", []string{"openai_account", "cognitiveservices_account", "foundry_account"}},
}

var linkNames = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,58}[A-Za-z0-9_])?$`)

func (s *Search) sharedLinks() *arm.Type {
	return &arm.Type{
		Name: linkType, Source: controlSource, Versions: versions, Created: http.StatusOK, Deleted: http.StatusNoContent,
		Names: linkNames, NameRule: "1 to 60 letters, digits, underscores, periods or dashes, beginning with a letter or digit",
		Plan: planLink, Commit: s.commitLink,
	}
}

// planLink: a link leads where it led when it was made, and waits for approval.
func planLink(old, in *arm.Resource) (*arm.Resource, error) {
	p, err := arm.DecodeProperties[sharedLink](in)
	if err != nil {
		return nil, err
	}
	target, err := rbac.ParseID(p.Target)
	if err != nil || len(target.Names) != 1 {
		return nil, api.BadRequest("InvalidPrivateLinkResourceId", "properties.privateLinkResourceId", "The privateLinkResourceId '%s' is not the id of a resource.", p.Target)
	}
	of := slices.IndexFunc(linkTargets, func(t linkTarget) bool { return strings.EqualFold(t.kind, target.Type()) })
	if of < 0 {
		return nil, api.BadRequest("UnsupportedResourceType", "properties.privateLinkResourceId", "A shared private link can't lead to a resource of type '%s'.", target.Type())
	}
	groups := linkTargets[of].groups
	at := slices.IndexFunc(groups, func(group string) bool { return strings.EqualFold(group, p.Group) })
	if at < 0 {
		return nil, api.BadRequest("InvalidGroupId", "properties.groupId", "The groupId '%s' is invalid for a resource of type '%s': it is one of %s.", p.Group, target.Type(), strings.Join(groups, ", "))
	}
	p.Group, p.Status, p.Progress = groups[at], "Pending", "Succeeded"
	if old != nil {
		before, err := arm.DecodeProperties[sharedLink](old)
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(before.Target, p.Target) || before.Group != p.Group {
			return nil, api.BadRequest("SharedPrivateLinkResourceChangeNotAllowed", "properties", "The privateLinkResourceId and the groupId of the shared private link '%s' can't be changed.", old.Name)
		}
		p.Status = before.Status
	}
	return in, in.SetProperties(p)
}

// commitLink holds a service to the links of its tier.
// Source: azure-docs search/search-limits-quotas-capacity.md, "Shared private link resource limits".
func (s *Search) commitLink(tx *store.Tx, old, new *arm.Resource) error {
	if old != nil {
		return nil
	}
	parent, _ := new.Scope().Parent()
	r, err := s.resources.FindTx(tx, string(parent))
	if err != nil {
		return err
	}
	of, err := arm.DecodeProperties[service](r)
	if err != nil {
		return err
	}
	t := tierOf(r.SKU.Name, of.HostingMode)
	if t.links == 0 {
		return api.BadRequest("SharedPrivateLinkResourcesNotSupported", "sku", "Shared private links are not supported for the SKU %s of the service '%s'.", t.name, r.Name)
	}
	p, err := arm.DecodeProperties[sharedLink](new)
	if err != nil {
		return err
	}
	all, err := arm.BelowTx(tx, r.ID)
	if err != nil {
		return err
	}
	links, groups := 0, map[string]bool{p.Group: true}
	for _, other := range all {
		if !strings.EqualFold(other.Type, linkType) {
			continue
		}
		q, err := arm.DecodeProperties[sharedLink](other)
		if err != nil {
			return err
		}
		links++
		groups[q.Group] = true
	}
	switch {
	case links >= t.links:
		return api.BadRequest("SharedPrivateLinkResourceQuotaExceeded", "", "The service '%s' has %d shared private links, which is the most that are possible for the SKU %s.", r.Name, links, t.name)
	case len(groups) > t.linkKinds:
		return api.BadRequest("SharedPrivateLinkResourceQuotaExceeded", "properties.groupId", "The shared private links of the service '%s' would have %d different groupIds, but at most %d are possible for the SKU %s.", r.Name, len(groups), t.linkKinds, t.name)
	}
	return nil
}
