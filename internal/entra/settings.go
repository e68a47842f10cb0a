package entra

import "encoding/json"

// AppSettings is what an application says of itself beyond its name and its
// credentials. Source: microsoft-graph-docs-contrib resources/application.md.
type AppSettings struct {
	Description      string           `json:"description,omitempty"`
	Notes            string           `json:"notes,omitempty"`
	Tags             []string         `json:"tags,omitempty"`
	FallbackPublic   *bool            `json:"isFallbackPublicClient,omitempty"`
	GroupClaims      string           `json:"groupMembershipClaims,omitempty"`
	ServiceReference string           `json:"serviceManagementReference,omitempty"`
	Web              Web              `json:"web,omitzero"`
	SPA              Redirects        `json:"spa,omitzero"`
	PublicClient     Redirects        `json:"publicClient,omitzero"`
	API              API              `json:"api,omitzero"`
	AppRoles         []AppRole        `json:"appRoles,omitempty"`
	RequiredAccess   []RequiredAccess `json:"requiredResourceAccess,omitempty"`
	OptionalClaims   json.RawMessage  `json:"optionalClaims,omitempty"`
}

// Web is a client that keeps its secrets on a server.
type Web struct {
	HomePageURL   string   `json:"homePageUrl,omitempty"`
	LogoutURL     string   `json:"logoutUrl,omitempty"`
	RedirectURIs  []string `json:"redirectUris"`
	ImplicitGrant struct {
		AccessToken bool `json:"enableAccessTokenIssuance"`
		IDToken     bool `json:"enableIdTokenIssuance"`
	} `json:"implicitGrantSettings"`
}

// Redirects are where a client without secrets takes its codes.
type Redirects struct {
	RedirectURIs []string `json:"redirectUris"`
}

// API is what an application offers as a resource, beside the version of its
// tokens.
type API struct {
	AcceptMappedClaims *bool             `json:"acceptMappedClaims,omitempty"`
	KnownClients       []string          `json:"knownClientApplications,omitempty"`
	Scopes             []json.RawMessage `json:"oauth2PermissionScopes,omitempty"`
	PreAuthorized      []json.RawMessage `json:"preAuthorizedApplications,omitempty"`
}

// AppRole is a permission that an application defines for its callers.
type AppRole struct {
	ID          string   `json:"id"`
	MemberTypes []string `json:"allowedMemberTypes"`
	DisplayName string   `json:"displayName"`
	Description string   `json:"description"`
	Enabled     bool     `json:"isEnabled"`
	Value       string   `json:"value"`
	Origin      string   `json:"origin,omitempty"`
}

// RequiredAccess is what an application asks of another one.
type RequiredAccess struct {
	Resource string `json:"resourceAppId"`
	Access   []struct {
		ID   string `json:"id"`
		Type string `json:"type"` // Scope or Role
	} `json:"resourceAccess"`
}
