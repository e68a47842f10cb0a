package edge

import (
	"net/http"
	"testing"

	"sekisho/internal/api"
)

func TestOwnNamesLeadToEveryService(t *testing.T) {
	for path, want := range map[string]struct {
		target api.Target
		path   string // that the service sees
		base   string // below the own name
	}{
		"/subscriptions?api-version=2022-12-01":         {api.Target{Service: "arm"}, "/subscriptions", ""},
		"/Providers/Microsoft.Authorization/x":          {api.Target{Service: "arm"}, "/Providers/Microsoft.Authorization/x", ""},
		"/metadata/endpoints":                           {api.Target{Service: "arm"}, "/metadata/endpoints", ""},
		"/v1.0/users":                                   {api.Target{Service: "graph"}, "/v1.0/users", ""},
		"/adfs/oauth2/token":                            {api.Target{Service: "login"}, "/adfs/oauth2/token", ""},
		"/contoso.com/v2.0/x":                           {api.Target{Service: "login"}, "/contoso.com/v2.0/x", ""},
		"/-/openai/contoso/openai/deployments/d":        {api.Target{Service: "openai", Scope: "/contoso"}, "/openai/deployments/d", "/-/openai/contoso"},
		"/-/OpenAI/Contoso/openai/a%2Fb":                {api.Target{Service: "openai", Scope: "/contoso"}, "/openai/a/b", "/-/OpenAI/Contoso"},
		"/-/openai/contoso//openai/models":              {api.Target{Service: "openai", Scope: "/contoso"}, "//openai/models", "/-/openai/contoso"},
		"/-/ai/contoso/":                                {api.Target{Service: "openai", Scope: "/contoso"}, "/", "/-/ai/contoso"},
		"/-/cognitiveservices/contoso":                  {api.Target{Service: "openai", Scope: "/contoso"}, "/", "/-/cognitiveservices/contoso"},
		"/-/region/japaneast/openai/models?api-version": {api.Target{Service: "openai", Location: "japaneast"}, "/openai/models", "/-/region/japaneast"},
	} {
		t.Run(path, func(t *testing.T) {
			w := start(t, func(c *Config) { c.Names = []string{"Sekisho.corp.example"} })
			w.neverDial(t)
			for own, direct := range map[string]bool{
				"https://localhost":                 true,
				"https://" + w.tls:                  true, // an address, without SNI
				"https://sekisho.corp.example:4443": false,
			} {
				for _, client := range w.clients(t, direct) {
					response, err := client.Get(own + path)
					if err != nil {
						t.Fatal(err)
					}
					if got := body(t, response); response.StatusCode != http.StatusOK {
						t.Fatalf("%s: %s %s", own, response.Status, got)
					}
					got := w.lastCall(t)
					if got.target != want.target || got.path != want.path || got.origin.Base != own+want.base || got.origin.Own != own {
						t.Errorf("got %+v %s at %+v", got.target, got.path, got.origin)
					}
				}
			}
		})
	}
}

func TestOwnNamesSayWhatIsNotThere(t *testing.T) {
	w := start(t, nil)
	client := w.clients(t, true)["HTTP/2.0"]
	for path, want := range map[string]struct {
		status     int
		code, word string
	}{
		"/":                             {404, "NotFound", "/-/openai/{name}/"},
		"/-/vault/contoso/":             {404, "ResourceNotFound", "/-/openai/{name}/"},
		"/-/openai/":                    {404, "ResourceNotFound", "/-/openai/{name}/"},
		"/-/openai/a.b/openai":          {404, "ResourceNotFound", "/-/openai/{name}/"},
		"/-/openai/nobody/openai":       {404, "ResourceNotFound", "https://nobody.openai.azure.com"},
		"/-/openai/%2e%2e/openai/x":     {404, "ResourceNotFound", "/-/openai/{name}/"},
		"/-/openai/kv.vault.azure.net/": {404, "ResourceNotFound", "/-/openai/{name}/"},
	} {
		response, err := client.Get("https://localhost" + path)
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, response, want.status, want.code, want.word)
	}
}
