package conformance

import (
	"net/http"

	"github.com/google/uuid"
)

// challengeSteps are what is seen of each step of authentication by challenge, in JSON.
var challengeSteps = []seenStep{
	{"http403", `[["HttpResponseError", 403, null], ["HttpResponseError", 403, null], ["HttpResponseError", 403, null]]`},
	{"http401WithBearerChallenge", `[["ClientAuthenticationError", 401, ` + searchChallenge + `], ["ClientAuthenticationError", 401, ` + searchChallenge + `], ["ClientAuthenticationError", 401, ` + searchChallenge + `]]`},
	{"no role", `[["HttpResponseError", 403, null], ["HttpResponseError", 403, null]]`},
	{"keyless", `[1, 1]`},
	{"challenge followed", `[[200, "1"], 403]`},
}

const searchChallenge = `["Bearer", {"authorization_uri": "https://login.microsoftonline.com/TENANT/oauth2/authorize", "resource_id": "https://search.azure.com"}]`

// challenging is one more service, which answers a failed authentication with a
// challenge, and an application that may query one index of each.
func (w *searchWorld) challenging(of searchService) []string {
	other := w.searchService(of.name + "c")
	w.admin.do(w.t, http.MethodPatch, other.id+searchVersion, object{"properties": object{"authOptions": object{"aadOrApiKey": object{"aadAuthFailureMode": "http401WithBearerChallenge"}}}}, nil)
	app, secret, id := w.principal("searcher")
	for _, service := range []searchService{of, other} {
		w.assign(w.admin, uuid.NewString(), service.id+"/indexes/hotels", roleIndexReader, id)
	}
	return []string{"APP_ID=" + app, "APP_SECRET=" + secret, "CHALLENGING=https://" + other.name + ".search.windows.net", "CHALLENGING_KEY=" + other.adminKey}
}
