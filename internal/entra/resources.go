package entra

import "strings"

// Resource is what a token is for.
type Resource struct {
	AppID string
	Name  string
	URIs  []string
	// Version is the format of its access tokens, 1 or 2: the resource chooses
	// it, not the endpoint.
	Version int

	app *Application // nil for one of Microsoft's own
}

// Application ids of the first-party resources.
const (
	GraphAppID = "00000003-0000-0000-c000-000000000000"
	armAppID   = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
)

// firstParty are Microsoft's own resources, present in every tenant.
// Source: entra-docs reference-first-party-apps; the services' token scopes.
var firstParty = []Resource{
	{AppID: armAppID, Name: "Windows Azure Service Management API", URIs: []string{"https://management.azure.com", "https://management.core.windows.net"}, Version: 1},
	{AppID: GraphAppID, Name: "Microsoft Graph", URIs: []string{"https://graph.microsoft.com"}, Version: 1},
	{AppID: "7d312290-28c8-473c-a0ed-8e53749b6d6d", Name: "Microsoft Cognitive Services", URIs: []string{"https://cognitiveservices.azure.com"}, Version: 1},
	{AppID: "18a66f5f-dbdf-4c17-9dd7-1634712a9cbe", Name: "Azure Machine Learning Services", URIs: []string{"https://ai.azure.com", "https://ml.azure.com"}, Version: 1},
	{AppID: "880da380-985e-4198-81b9-e05b1cc53158", Name: "Azure Cognitive Search", URIs: []string{"https://search.azure.com"}, Version: 1},
	{AppID: "e406a681-f3d4-42a8-90b6-c2b029497af1", Name: "Azure Storage", URIs: []string{"https://storage.azure.com"}, Version: 1},
	{AppID: "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", Name: "Azure Key Vault", URIs: []string{"https://vault.azure.net"}, Version: 1},
	// What a managed identity asks a token for to be exchanged as the credential
	// of an application.
	{AppID: "fb60f99c-7a34-4190-8149-302f77469936", Name: "AAD Token Exchange Endpoint", URIs: []string{tokenExchange}, Version: 2},
	// Its application id is not published (Azure/ARO-RP, AzureRbacPDPEnvironment).
	{AppID: "", Name: "Azure RBAC Data Plane", URIs: []string{"https://authorization.azure.net"}, Version: 1},
}

// sameURI tells whether two names are one but for a trailing slash.
// Source: entra-docs scopes-oidc.md, "Trailing slash and .default".
func sameURI(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
}

func findFirstParty(name string) (Resource, bool) {
	for _, r := range firstParty {
		if r.AppID != "" && strings.EqualFold(r.AppID, name) {
			return r, true
		}
		for _, uri := range r.URIs {
			if sameURI(uri, name) {
				return r, true
			}
		}
	}
	return Resource{}, false
}

// ResourceOfScope reads the scope parameter of a client credentials request:
// one "<resource>/.default", beside the OpenID scopes that MSAL adds to it.
func ResourceOfScope(scope string) (string, error) {
	var resource string
	for s := range strings.FieldsSeq(scope) {
		switch s {
		case "openid", "offline_access", "profile", "email":
			continue
		}
		r, ok := strings.CutSuffix(s, "/.default")
		switch {
		case !ok || r == "":
			return "", notDefaultScope(s)
		case resource != "" && r != resource:
			return "", fail(700022, "invalid_scope", "The provided value for the input parameter scope '%s' isn't valid because it contains more than one resource.", scope)
		}
		resource = r
	}
	switch {
	case strings.TrimSpace(scope) == "":
		return "", fail(90014, "invalid_request", "The required field 'scope' is missing from the credential. Ensure that you have all the necessary parameters for the login request.")
	case resource == "":
		return "", notDefaultScope(scope)
	}
	return resource, nil
}

// notDefaultScope is today's answer to what 70011 once answered.
// Source: msgraph-sdk-python#181, azure-docs#99862.
func notDefaultScope(scope string) *Error {
	return fail(1002012, "invalid_scope", "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)
}
