package conformance

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// seenSteps are what is seen of each step of documents that some may see, in JSON.
var seenSteps = []seenStep{
	{"index", `["enabled", {"groups": "groupIds", "scope": "rbacScope", "users": "userIds"}]`},
	{"hanako", `[["all", "both", "inner", "outer", "scope"], 5, 5, ["report"]]`},
	{"taro", `[["all", "both", "other", "taro"], 4, 4, ["report"]]`},
	{"no user", `[["all"], 1, 1, ["report"]]`},
	{"outer without middle", `[["all", "both", "inner", "scope"], ["all", "both", "other", "taro"]]`},
	{"inner without hanako", `[["all", "both", "scope"], ["all", "both", "other", "taro"]]`},
	{"container without hanako", `[["all", "both"], ["all", "both", "other", "taro"]]`},
	{"tokens", `[["ClientAuthenticationError", 401, "Invalid header 'x-ms-query-source-authorization': BearerReadAccessTokenFailed"], ["ClientAuthenticationError", 401, "Invalid header 'x-ms-query-source-authorization': TokenValidationFailed"], ["ClientAuthenticationError", 401, "Invalid header 'x-ms-query-source-authorization': Audience claim is invalid in the JWT token."], ["ClientAuthenticationError", 401, "Invalid header 'x-ms-query-source-authorization': UnsupportedAccessTokenType"]]`},
	{"elevated", `[["HttpResponseError", 403, "Authorization failed."], ["HttpResponseError", 403, "Authorization failed."], ["all", "both", "inner", "nobody", "none", "other", "outer", "scope", "taro"]]`},
	{"of a stable version", `[["all"]]`},
	{"filtered", `[[], ["both", "other"]]`},
	{"filtered again", `[["inner"]]`},
}

const roleIndexContributor = "8ebe5a00-799e-43f5-93ac-243d3dce84a7"

// seen is the story of two users, one of them in three nested groups, who see through
// an application what of an index they may.
func (w *searchWorld) seen(name string) {
	t := w.t
	of := w.searchService(name)
	env := []string{"AZURE_TENANT_ID=" + w.TenantID, "SERVICE=https://" + name + ".search.windows.net", "SERVICE_KEY=" + of.adminKey}
	for who, role := range map[string]string{"READER": roleIndexReader, "CONTRIBUTOR": roleIndexContributor} {
		app, secret := w.application(strings.ToLower(who), of.id, role)
		env = append(env, who+"_ID="+app, who+"_SECRET="+secret)
	}

	browser := w.browser()
	people, users, groups := map[string]*somebody{}, map[string]string{}, map[string]string{}
	for _, who := range []string{"hanako", "taro"} {
		people[who], users[who] = w.user(browser.private(), who)
	}
	graph := w.graph()
	const v1 = "https://graph.microsoft.com/v1.0/"
	for _, group := range []string{"outer", "middle", "inner", "other"} {
		var made struct{ ID string }
		graph.do(t, http.MethodPost, v1+"groups", object{"displayName": group, "mailNickname": group, "mailEnabled": false, "securityEnabled": true}, &made)
		groups[group] = made.ID
	}
	join := func(group, member string) {
		graph.do(t, http.MethodPost, v1+"groups/"+group+"/members/$ref", object{"@odata.id": v1 + "directoryObjects/" + member}, nil)
	}
	leave := func(group, member string) {
		graph.do(t, http.MethodDelete, v1+"groups/"+group+"/members/"+member+"/$ref", nil, nil)
	}
	join(groups["outer"], groups["middle"])
	join(groups["middle"], groups["inner"])
	join(groups["inner"], users["hanako"])
	join(groups["other"], users["taro"])

	storage := w.scope("/providers/Microsoft.Storage/storageAccounts/" + strings.ReplaceAll(name, "-", ""))
	w.admin.do(t, http.MethodPut, storage+storageVersion, object{"location": "japaneast", "kind": "StorageV2", "sku": object{"name": "Standard_LRS"}, "properties": object{}}, nil)
	container := storage + "/blobServices/default/containers/files"
	w.admin.do(t, http.MethodPut, container+storageVersion, object{}, nil)
	assignment := container + "/providers/Microsoft.Authorization/roleAssignments/" + uuid.NewString() + "?api-version=2022-04-01"
	w.admin.do(t, http.MethodPut, assignment, object{"properties": object{
		"roleDefinitionId": "/subscriptions/" + w.SubscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/" + roleBlobReader,
		"principalId":      users["hanako"], "principalType": "User"}}, nil)

	asJSON := func(ids map[string]string) string {
		raw, err := json.Marshal(ids)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	env = append(env, "USERS="+asJSON(users), "GROUPS="+asJSON(groups), "CONTAINER_ID="+container)
	attend := func(said string) {
		switch said {
		case "outer without middle":
			leave(groups["outer"], groups["middle"])
		case "inner without hanako":
			leave(groups["inner"], users["hanako"])
		case "inner with hanako":
			join(groups["inner"], users["hanako"])
		case "container without hanako":
			w.admin.do(t, http.MethodDelete, assignment, nil, nil)
		default: // code NAME CODE
			words := strings.Fields(said)
			people[words[1]].enters(devicePage, words[2])
		}
	}
	hear(t, w.attended(attend, env, python(t, "azure-search-documents-preview"), program(t, "search/seen.py")).ok(), seenSteps)
}
