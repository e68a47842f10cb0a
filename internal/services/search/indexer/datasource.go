package indexer

import (
	"encoding/json"
	"regexp"
	"strings"
)

// DataSource is where an indexer reads. The tag "api" is that of package schema.
// Source: searchservice.json SearchIndexerDataSource.
type DataSource struct {
	Name            string          `json:"name"`
	Description     *string         `json:"description"`
	Type            string          `json:"type"`
	SubType         *string         `json:"subtype"`
	Credentials     *Credentials    `json:"credentials"`
	Container       *Container      `json:"container"`
	Identity        json.RawMessage `json:"identity" api:"2026-04-01,2021-04-30"`
	Permissions     []string        `json:"indexerPermissionOptions,omitempty" api:"-,2025-05-01"`
	ChangeDetection *ChangePolicy   `json:"dataChangeDetectionPolicy"`
	Deletion        *DeletionPolicy `json:"dataDeletionDetectionPolicy"`
	EncryptionKey   json.RawMessage `json:"encryptionKey"`
}

// Credentials of a data source are never shown again.
type Credentials struct {
	ConnectionString *string `json:"connectionString"`
}

// Container is what is read: a container of blobs, and a folder in it.
type Container struct {
	Name  string  `json:"name"`
	Query *string `json:"query"`
}

// Folder is the prefix of the blobs that are read.
func (c *Container) Folder() string {
	if c.Query == nil || strings.Trim(*c.Query, "/") == "" {
		return ""
	}
	return strings.Trim(*c.Query, "/") + "/"
}

// ChangePolicy tells which items changed.
type ChangePolicy struct {
	ODataType string `json:"@odata.type"`
	Column    string `json:"highWaterMarkColumnName,omitempty"`
}

// byLastChange is the one policy that blobs may have, which is how they are read without
// one, too. Source: azure-rest-api-specs search/data-plane/Search/2026-04-01, examples
// SearchServiceCreateDataSource.json.
var byLastChange = ChangePolicy{"#Microsoft.Azure.Search.HighWaterMarkChangeDetectionPolicy", "metadata_storage_last_modified"}

// DeletionPolicy tells which items are no more.
type DeletionPolicy struct {
	ODataType string `json:"@odata.type"`
	Column    string `json:"softDeleteColumnName,omitempty"`
	Marker    string `json:"softDeleteMarkerValue,omitempty"`
}

// Since is 2026-04-01 for what blobs keep of their own. Source: searchservice.json.
func (p *DeletionPolicy) Since() (stable, preview string) {
	if p.ODataType == NativeSoftDelete {
		return "2026-04-01", "2020-06-30"
	}
	return "", ""
}

// The policies, and the identities. Source: searchservice.json.
const (
	SoftDeleteColumn = "#Microsoft.Azure.Search.SoftDeleteColumnDeletionDetectionPolicy"
	NativeSoftDelete = "#Microsoft.Azure.Search.NativeBlobSoftDeleteDeletionDetectionPolicy"
	NoIdentity       = "#Microsoft.Azure.Search.DataNoneIdentity"
	UserIdentity     = "#Microsoft.Azure.Search.DataUserAssignedIdentity"
)

// Types of data sources that are read here.
const (
	AzureBlob = "azureblob"
	ADLSGen2  = "adlsgen2"
)

// otherTypes are those that Azure has beside.
var otherTypes = []string{"azuresql", "cosmosdb", "azuretable", "mysql", "azurefile", "onelake", "sharepoint"}

// Unchanged stands for a connection string that stays as it is.
const Unchanged = "<unchanged>"

// Source: azure-docs "Naming and referencing containers".
var containerNames = regexp.MustCompile(`^(\$root|\$web|[a-z0-9](-?[a-z0-9]){2,62})$`)

// Plan checks a data source that replaces old, which is nil on creation.
func (d *DataSource) Plan(old *DataSource) (err error) {
	known := append([]string{AzureBlob, ADLSGen2}, otherTypes...)
	if d.Type == "" {
		return invalid("type", "dataSource : The type of the data source is required.")
	}
	if d.Type, err = oneOf("type", d.Type, known...); err != nil {
		return err
	}
	if d.Type != AzureBlob && d.Type != ADLSGen2 {
		return invalid("type", "dataSource : Data source type '%s' is not supported.", d.Type)
	}
	if old != nil && old.Type != d.Type {
		return invalid("type", "dataSource : The type of data source '%s' is '%s' and cannot be changed.", d.Name, old.Type)
	}
	if d.Container == nil || d.Container.Name == "" {
		return invalid("container", "dataSource : Data source container name is required.")
	}
	if !containerNames.MatchString(d.Container.Name) || strings.Contains(d.Container.Name, "--") {
		return invalid("container.name", "dataSource : '%s' is not the name of a blob container.", d.Container.Name)
	}
	if d.ChangeDetection != nil && *d.ChangeDetection != byLastChange {
		return invalid("dataChangeDetectionPolicy", "dataSource : Data change detection policies are not supported for data sources of type '%s', but for the high water mark metadata_storage_last_modified: blobs that changed are found by themselves.", d.Type)
	}
	if len(d.Permissions) > 0 {
		return invalid("indexerPermissionOptions", "dataSource : indexerPermissionOptions are not supported here.")
	}
	if err := noEncryptionKey(d.EncryptionKey); err != nil {
		return err
	}
	if d.Identity, err = planIdentity("identity", d.Identity, func() json.RawMessage {
		if old == nil {
			return nil
		}
		return old.Identity
	}); err != nil {
		return err
	}
	if err := d.planCredentials(old); err != nil {
		return err
	}
	return d.planDeletion()
}

// planCredentials keeps the connection string of a data source that gives none, and
// takes it from one that gives "<redacted>". Source: searchservice.json
// DataSourceCredentials.
func (d *DataSource) planCredentials(old *DataSource) error {
	if d.Credentials == nil {
		d.Credentials = &Credentials{}
	}
	given := d.Credentials.ConnectionString
	if given == nil || *given == "" || *given == Unchanged || *given == Redacted {
		if old == nil {
			return invalid("credentials", "dataSource : Data source credentials are required: credentials.connectionString.")
		}
		if given != nil && *given == Redacted {
			d.Credentials.ConnectionString = new(string)
			return nil
		}
		d.Credentials = old.Credentials
		return nil
	}
	_, err := ParseConnection(*given, d.Container.Name)
	return err
}

func (d *DataSource) planDeletion() error {
	p := d.Deletion
	if p == nil {
		return nil
	}
	const at = "dataDeletionDetectionPolicy"
	switch p.ODataType {
	case SoftDeleteColumn:
		if p.Column == "" || p.Marker == "" {
			return invalid(at, "dataSource : A soft delete column policy needs softDeleteColumnName and softDeleteMarkerValue.")
		}
	case NativeSoftDelete:
		if d.Type != AzureBlob {
			return invalid(at, "dataSource : The native blob soft delete policy is not supported for data sources of type '%s'.", d.Type)
		}
		if p.Column != "" || p.Marker != "" {
			return invalid(at, "dataSource : The native blob soft delete policy has no softDeleteColumnName and no softDeleteMarkerValue.")
		}
	default:
		return invalid(at, "dataSource : The data deletion detection policy '%s' is not supported for data sources of type '%s'.", p.ODataType, d.Type)
	}
	return nil
}

// planIdentity reads a SearchIndexerDataIdentity: one that is absent stays as it
// was, "none" takes it away.
func planIdentity(at string, raw json.RawMessage, old func() json.RawMessage) (json.RawMessage, error) {
	if isNull(raw) {
		return old(), nil
	}
	var id struct {
		ODataType string  `json:"@odata.type"`
		UserID    string  `json:"userAssignedIdentity"`
		Federated *string `json:"federatedIdentityClientId"`
	}
	if err := json.Unmarshal(raw, &id); err != nil {
		return nil, invalid(at, "%s : The identity is not an object.", at)
	}
	switch id.ODataType {
	case NoIdentity:
		return nil, nil
	case UserIdentity:
		if id.UserID == "" {
			return nil, invalid(at, "%s : userAssignedIdentity is required.", at)
		}
		if id.Federated != nil {
			return nil, invalid(at, "%s : federatedIdentityClientId is not supported here.", at)
		}
		return raw, nil
	}
	return nil, invalid(at, "%s : The identity type '%s' is invalid.", at, id.ODataType)
}

// Hide is a data source as a client may read it. It changes the data source.
func (d *DataSource) Hide() *DataSource {
	d.Credentials = &Credentials{}
	return d
}
