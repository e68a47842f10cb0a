package machinelearning

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// workspace is properties of Microsoft.MachineLearningServices/workspaces that
// are stored: what a client may write and, at its end, what creation gives.
type workspace struct {
	FriendlyName        string   `json:"friendlyName,omitempty"`
	Description         string   `json:"description,omitempty"`
	StorageAccount      string   `json:"storageAccount"`
	KeyVault            string   `json:"keyVault"`
	ApplicationInsights string   `json:"applicationInsights"`
	ContainerRegistry   string   `json:"containerRegistry,omitempty"`
	HBI                 arm.Bool `json:"hbiWorkspace"`
	PublicNetworkAccess string   `json:"publicNetworkAccess"`
	BehindVNet          arm.Bool `json:"allowPublicAccessWhenBehindVnet"`
	V1Legacy            arm.Bool `json:"v1LegacyMode"`
	ImageBuildCompute   string   `json:"imageBuildCompute,omitempty"`
	PrimaryIdentity     string   `json:"primaryUserAssignedIdentity,omitempty"`
	DatastoresAuthMode  string   `json:"systemDatastoresAuthMode"`

	WorkspaceID string `json:"workspaceId"`
}

// kindDefault is the kind of a workspace that is neither hub nor project.
const kindDefault = "Default"

// workspaceNames is WorkspaceNameParameter of the specification.
var workspaceNames = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$`)

func workspaces() *arm.Type {
	return &arm.Type{
		Name: workspaceType, Source: controlSource, Versions: versions,
		Names: workspaceNames, NameRule: "3 to 33 letters, digits, hyphens and underscores, beginning with a letter or digit",
		Tracked: true, Identities: true,
		Plan:     planWorkspace,
		Commit:   commitWorkspace,
		View:     viewWorkspace,
		Endpoint: endpoint,
	}
}

func planWorkspace(old, in *arm.Resource) (*arm.Resource, error) {
	if in.Kind != "" && !strings.EqualFold(in.Kind, kindDefault) {
		return nil, invalid("kind", "The workspace kind '%s' is not supported. Sekisho serves workspaces of kind %s.", in.Kind, kindDefault)
	}
	in.Kind = kindDefault
	if err := planSKU(in); err != nil {
		return nil, err
	}
	if err := refuseUnbuilt(in); err != nil {
		return nil, err
	}
	p, err := arm.DecodeProperties[workspace](in)
	if err != nil {
		return nil, err
	}
	p.WorkspaceID = ""
	if old != nil {
		before, err := arm.DecodeProperties[workspace](old)
		if err != nil {
			return nil, err
		}
		if err := keepImmutable(before, &p); err != nil {
			return nil, err
		}
	}
	if err := planLinked(p); err != nil {
		return nil, err
	}
	if err := planIdentity(in.Identity, p); err != nil {
		return nil, err
	}
	if p.PublicNetworkAccess, err = oneOf("publicNetworkAccess", p.PublicNetworkAccess, "Enabled", "Disabled"); err != nil {
		return nil, err
	}
	if p.DatastoresAuthMode, err = oneOf("systemDatastoresAuthMode", p.DatastoresAuthMode, "AccessKey", "Identity"); err != nil {
		return nil, err
	}
	return in, in.SetProperties(p)
}

// planSKU leaves the one sku; azureml-core writes its tier alone.
func planSKU(in *arm.Resource) error {
	if in.SKU != nil {
		for _, given := range []string{in.SKU.Name, in.SKU.Tier} {
			if given != "" && !strings.EqualFold(given, "Basic") {
				return invalid("sku", "The workspace sku '%s' is not supported: workspaces have the sku Basic.", given)
			}
		}
	}
	in.SKU = &arm.SKU{Name: "Basic", Tier: "Basic"}
	return nil
}

// unbuilt are properties, lower-cased, that Azure enforces and nothing here
// does. Each may have the value that says that it is off.
var unbuilt = map[string]func(value any) bool{
	"encryption":                 field("status", "Disabled"),
	"managednetwork":             field("isolationMode", "Disabled"),
	"hubresourceid":              never,
	"workspacehubconfig":         never,
	"featurestoresettings":       never,
	"associatedworkspaces":       empty,
	"sharedprivatelinkresources": empty,
	"serverlesscomputesettings":  never,
	"enabledataisolation":        func(value any) bool { return value == false },
}

func never(any) bool { return false }

func empty(value any) bool { list, ok := value.([]any); return ok && len(list) == 0 }

// field admits an object whose field says off.
func field(name, off string) func(any) bool {
	return func(value any) bool {
		object, _ := value.(map[string]any)
		text, _ := object[name].(string)
		return strings.EqualFold(text, off)
	}
}

func refuseUnbuilt(in *arm.Resource) error {
	given, err := arm.DecodeProperties[map[string]any](in)
	if err != nil {
		return err
	}
	for name, value := range given {
		if off := unbuilt[strings.ToLower(name)]; off != nil && value != nil && !off(value) {
			return invalid("properties."+name, "The workspace property '%s' is not supported by Sekisho.", name)
		}
	}
	return nil
}

// keepImmutable carries over what a write leaves out, and refuses a change of it.
// Source: workspaceRP.json, "This cannot be changed once the workspace has been
// created"; Azure-Samples/get-started-with-ai-chat#65 for the text.
func keepImmutable(before workspace, p *workspace) error {
	p.WorkspaceID = before.WorkspaceID
	for _, fixed := range []struct {
		what, before string
		now          *string
	}{
		{"Storage Account", before.StorageAccount, &p.StorageAccount},
		{"Key Vault", before.KeyVault, &p.KeyVault},
	} {
		if *fixed.now != "" && !strings.EqualFold(*fixed.now, fixed.before) {
			return api.BadRequest("BadRequest", "workspace", "%s update is not supported yet", fixed.what)
		}
		*fixed.now = fixed.before
	}
	p.ApplicationInsights = cmp.Or(p.ApplicationInsights, before.ApplicationInsights)
	if p.HBI != before.HBI {
		return api.BadRequest("BadRequest", "workspace", "hbiWorkspace update is not supported yet")
	}
	return nil
}

// planIdentity demands the identity that a workspace acts by. What it names
// exists, or arm refuses it.
// Source: azure-sdk-for-js#10473; workspaceRP.json, primaryUserAssignedIdentity.
func planIdentity(identity *arm.Identity, p workspace) error {
	if identity == nil || strings.EqualFold(identity.Type, "None") {
		return invalid("identity", "Make sure to create your workspace using a client which support MSI")
	}
	if p.PrimaryIdentity == "" {
		if !identity.System() {
			return invalid("properties.primaryUserAssignedIdentity", "A workspace without a system-assigned identity needs primaryUserAssignedIdentity.")
		}
		return nil
	}
	for id, user := range identity.UserAssigned {
		if user != nil && strings.EqualFold(id, p.PrimaryIdentity) {
			return nil
		}
	}
	return invalid("properties.primaryUserAssignedIdentity", "primaryUserAssignedIdentity '%s' is not among the workspace's user-assigned identities.", p.PrimaryIdentity)
}

// oneOf reads an enumeration in any case; the first value is the default.
func oneOf(name, value string, values ...string) (string, error) {
	if value == "" {
		return values[0], nil
	}
	for _, v := range values {
		if strings.EqualFold(v, value) {
			return v, nil
		}
	}
	return "", invalid("properties."+name, "%s is '%s', but must be one of %s.", name, value, strings.Join(values, ", "))
}

// commitWorkspace gives a new workspace its id, which its hosts are named by.
func commitWorkspace(_ *store.Tx, old, new *arm.Resource) error {
	if old != nil {
		return nil
	}
	p, err := arm.DecodeProperties[workspace](new)
	if err != nil {
		return err
	}
	p.WorkspaceID = uuid.NewString()
	return new.SetProperties(p)
}

// endpoint tells the workspace's own host name.
func endpoint(r *arm.Resource) (arm.Endpoint, error) {
	p, err := arm.DecodeProperties[workspace](r)
	if err != nil {
		return arm.Endpoint{}, err
	}
	return arm.Endpoint{Service: Service, Hosts: []string{workspaceHost(p.WorkspaceID, r.Location)},
		Guard: api.Guard{PublicAccess: p.PublicNetworkAccess != "Disabled", Tokens: true}}, nil
}

// workspaceHost is the host name of one workspace.
func workspaceHost(id, region string) string {
	return strings.ToLower(id) + ".workspace." + region + "." + zone
}

// workspaceView is what a client reads. containerRegistry is null where there
// is none, as on Azure.
type workspaceView struct {
	workspace
	ContainerRegistry *string `json:"containerRegistry"`
	DiscoveryURL      string  `json:"discoveryUrl"`
	MLFlowTrackingURI string  `json:"mlFlowTrackingUri"`
	ProvisioningState string  `json:"provisioningState"`
	TenantID          string  `json:"tenantId"`
	CreationTime      string  `json:"creationTime,omitempty"`
	StorageHNS        bool    `json:"storageHnsEnabled"`
	PrivateLinkCount  int     `json:"privateLinkCount"`
	PrivateEndpoints  []any   `json:"privateEndpointConnections"`
}

func viewWorkspace(r *arm.Resource, origin api.Origin) (any, error) {
	p, err := arm.DecodeProperties[workspace](r)
	if err != nil {
		return nil, err
	}
	regional := strings.TrimSuffix(origin.DataPlane(r.Location+"."+zone), "/")
	v := workspaceView{workspace: p, DiscoveryURL: regional + discoveryPath,
		MLFlowTrackingURI: "azureml" + strings.TrimPrefix(regional, "https") + "/mlflow/v1.0" + r.ID,
		ProvisioningState: "Succeeded", TenantID: r.Tenant, PrivateEndpoints: []any{}}
	if p.ContainerRegistry != "" {
		v.ContainerRegistry = &p.ContainerRegistry
	}
	if r.SystemData != nil {
		v.CreationTime = r.SystemData.CreatedAt.Format("2006-01-02T15:04:05.0000000Z")
	}
	return v, nil
}
