package arm

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"sekisho/rbac"
)

// kindResource is the store's kind of every ARM resource, resource groups and
// subscriptions included; their ids are their ARM ids.
const kindResource = "resource"

// Resource is an ARM resource, as stored.
type Resource struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Kind       string            `json:"kind,omitempty"`
	Location   string            `json:"location,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	SKU        *SKU              `json:"sku,omitempty"`
	Identity   *Identity         `json:"identity,omitempty"`
	ManagedBy  string            `json:"managedBy,omitempty"` // of a resource group
	Properties json.RawMessage   `json:"properties,omitempty"`
	SystemData *SystemData       `json:"systemData,omitempty"`
	Etag       string            `json:"etag,omitempty"`
	// Tenant owns the subscription; it is the store's column, not in the body.
	Tenant string `json:"-"`
}

// SKU is a resource's pricing tier and capacity.
type SKU struct {
	Name     string `json:"name"`
	Tier     string `json:"tier,omitempty"`
	Size     string `json:"size,omitempty"`
	Family   string `json:"family,omitempty"`
	Capacity *Int   `json:"capacity,omitempty"`
}

// Identity is the managed identities that a resource bears.
type Identity struct {
	Type         string                   `json:"type"`
	PrincipalID  string                   `json:"principalId,omitempty"`
	TenantID     string                   `json:"tenantId,omitempty"`
	UserAssigned map[string]*UserIdentity `json:"userAssignedIdentities,omitempty"`
}

// UserIdentity is one user-assigned identity, as a resource that bears it shows it.
type UserIdentity struct {
	PrincipalID string `json:"principalId"`
	ClientID    string `json:"clientId"`
}

// System tells whether the identity includes a system-assigned one.
func (i *Identity) System() bool {
	return i != nil && strings.Contains(strings.ToLower(i.Type), "systemassigned")
}

// SystemData is who created and last changed a resource, and when.
type SystemData struct {
	CreatedBy          string    `json:"createdBy"`
	CreatedByType      string    `json:"createdByType"`
	CreatedAt          time.Time `json:"createdAt"`
	LastModifiedBy     string    `json:"lastModifiedBy"`
	LastModifiedByType string    `json:"lastModifiedByType"`
	LastModifiedAt     time.Time `json:"lastModifiedAt"`
}

// Scope is the resource as a scope of RBAC.
func (r *Resource) Scope() rbac.Scope { return rbac.Scope(r.ID) }

// DecodeProperties reads a resource's properties into T. Its error is a 400
// that names the property.
func DecodeProperties[T any](r *Resource) (T, error) {
	var v T
	if len(r.Properties) == 0 {
		return v, nil
	}
	dec := json.NewDecoder(bytes.NewReader(r.Properties))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return v, badJSON(err, "properties")
	}
	return v, nil
}

// SetProperties writes v as the resource's properties.
func (r *Resource) SetProperties(v any) error {
	raw, err := json.Marshal(v)
	r.Properties = raw
	return err
}
