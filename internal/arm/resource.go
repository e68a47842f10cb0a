package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/api"
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
	if err := json.Unmarshal(r.Properties, &v); err != nil {
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

// ReadBody decodes a request body into v; clients send unknown fields that
// later api-versions know, so they are let through.
func ReadBody(call *api.Call, v any) error {
	var raw json.RawMessage
	dec := json.NewDecoder(call.Request.Body)
	if err := dec.Decode(&raw); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return badJSON(err, "")
	}
	if dec.More() {
		return badJSON(errors.New("more than one JSON value"), "")
	}
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return badJSON(errors.New("the body is not a JSON object"), "")
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return badJSON(err, "")
	}
	return nil
}

// badJSON is ARM's answer to a body that it can't read, with the place.
func badJSON(err error, at string) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	text := err.Error()
	switch {
	case errors.As(err, &syntax):
		text = fmt.Sprintf("%v at position %d", err, syntax.Offset)
	case errors.As(err, &wrong):
		path := strings.Trim(at+"."+wrong.Field, ".")
		at, text = path, fmt.Sprintf("%s is a JSON %s, but must be of type %s", path, wrong.Value, wrong.Type)
	}
	return api.BadRequest("InvalidRequestContent", at,
		"The request content was invalid and could not be deserialized: '%s'.", text)
}

// Bool is a boolean property that also takes the strings "true" and "false",
// as ARM does (`az rest --body '{"properties":{"disableLocalAuth":"true"}}'`).
type Bool bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bool) UnmarshalJSON(raw []byte) error {
	switch strings.ToLower(strings.Trim(string(raw), `"`)) {
	case "true":
		*b = true
	case "false", "null":
		*b = false
	default:
		return fmt.Errorf("%s is not a boolean", raw)
	}
	return nil
}

// Int is a whole number that also takes a string of one, as ARM does: az sends
// "capacity": "1".
type Int int

// UnmarshalJSON implements json.Unmarshaler.
func (i *Int) UnmarshalJSON(raw []byte) error {
	n, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	if err != nil {
		return fmt.Errorf("%s is not a whole number", raw)
	}
	*i = Int(n)
	return nil
}
