package conformance

import (
	"slices"
	"testing"
)

func TestTheAzureCLIRegistersAnApplicationAndChangesItAndTakesItBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	type application struct {
		ID, AppID, DisplayName, SignInAudience string
		IdentifierURIs                         []string
		Web                                    struct{ RedirectURIs []string }
		AppRoles                               []struct{ ID, Value string }
		PasswordCredentials                    []struct{ DisplayName string }
	}
	var app, shown application
	roles := s.file("roles.json", `[{"allowedMemberTypes":["User"],"description":"may read","displayName":"Reader","isEnabled":true,"value":"Read"}]`)
	s.az("ad", "app", "create", "--display-name", "shop", "--web-redirect-uris", "https://shop.contoso.com/signin", "--app-roles", "@"+roles).json(&app)
	if app.DisplayName != "shop" || app.SignInAudience != "AzureADMyOrg" || !slices.Equal(app.Web.RedirectURIs, []string{"https://shop.contoso.com/signin"}) ||
		len(app.AppRoles) != 1 || app.AppRoles[0].ID == "" || app.AppRoles[0].Value != "Read" {
		t.Errorf("app create printed %+v", app)
	}
	s.az("ad", "app", "update", "--id", app.AppID, "--display-name", "shop 2", "--identifier-uris", "api://"+app.AppID).ok()
	s.az("ad", "app", "update", "--id", app.AppID, "--identifier-uris", "https://shop.example.org").fails("must use a verified domain of the organization or its subdomain: 'https://shop.example.org'")
	s.az("ad", "app", "update", "--id", app.AppID, "--web-redirect-uris", "http://shop.contoso.com").fails("redirectUris")
	s.az("ad", "app", "show", "--id", "api://"+app.AppID).json(&shown)
	if shown.ID != app.ID || shown.DisplayName != "shop 2" || !slices.Equal(shown.IdentifierURIs, []string{"api://" + app.AppID}) || !slices.Equal(shown.Web.RedirectURIs, app.Web.RedirectURIs) {
		t.Errorf("app show printed %+v", shown)
	}
	var secret struct{ Password string }
	s.az("ad", "app", "credential", "reset", "--id", app.AppID, "--display-name", "ci").json(&secret)
	var listed []application
	s.az("ad", "app", "list", "--display-name", "shop").json(&listed)
	if len(listed) != 1 || listed[0].AppID != app.AppID || len(listed[0].PasswordCredentials) != 1 || listed[0].PasswordCredentials[0].DisplayName != "ci" || secret.Password == "" {
		t.Errorf("app list printed %+v", listed)
	}
	// A certificate beside the secret, and a trust in another issuer's tokens.
	s.az("ad", "app", "credential", "reset", "--id", app.AppID, "--create-cert", "--append").ok()
	var certificates []struct{ KeyID, Type string }
	s.az("ad", "app", "credential", "list", "--id", app.AppID, "--cert").json(&certificates)
	if len(certificates) != 1 || certificates[0].Type != "AsymmetricX509Cert" {
		t.Errorf("certificates: %+v", certificates)
	}
	s.az("ad", "app", "credential", "delete", "--id", app.AppID, "--cert", "--key-id", certificates[0].KeyID).ok()
	trust := s.file("trust.json", `{"name":"github","issuer":"https://token.actions.githubusercontent.com","subject":"repo:contoso/shop:ref:refs/heads/main","audiences":["api://AzureADTokenExchange"]}`)
	s.az("ad", "app", "federated-credential", "create", "--id", app.AppID, "--parameters", "@"+trust).ok()
	var subjects []string
	s.az("ad", "app", "federated-credential", "list", "--id", app.AppID, "--query", "[].subject").json(&subjects)
	if !slices.Equal(subjects, []string{"repo:contoso/shop:ref:refs/heads/main"}) {
		t.Errorf("federated credentials: %v", subjects)
	}
	s.az("ad", "app", "federated-credential", "show", "--id", app.AppID, "--federated-credential-id", "github").ok()
	s.az("ad", "app", "federated-credential", "delete", "--id", app.AppID, "--federated-credential-id", "github").ok()

	s.az("ad", "sp", "create", "--id", app.AppID).ok()
	s.az("ad", "sp", "create", "--id", app.AppID).fails("the service principal name " + app.AppID + " is already in use")
	s.az("ad", "sp", "create", "--id", "11111111-2222-3333-4444-555555555555").fails("does not reference a valid application object")
	s.az("ad", "app", "owner", "add", "--id", app.AppID, "--owner-object-id", s.Automation.ObjectID).ok()
	var owners []string
	s.az("ad", "app", "owner", "list", "--id", app.AppID, "--query", "[].id").json(&owners)
	if !slices.Equal(owners, []string{s.Automation.ObjectID}) {
		t.Errorf("owners: %v", owners)
	}
	s.az("ad", "app", "delete", "--id", app.AppID).ok()
	s.az("ad", "app", "show", "--id", app.AppID).fails("does not exist")
	s.az("ad", "sp", "show", "--id", app.AppID).fails("does not exist")
}
