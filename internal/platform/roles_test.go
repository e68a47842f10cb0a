package platform

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/model"
)

const dataPlane = "https://" + sampleAccount + ".openai.azure.com/openai"

// column is a call of the role table. In url, body and scope, {sub}, {group},
// {account} and {identity} stand for scopes, {n} for the number of the role and
// {guid} for a fresh one.
type column struct {
	name         string
	method       string
	url          string
	body         string
	audience     string
	action       string // that a refusal names
	linked       string // a second action that the call needs, on another scope
	scope        string // that a refusal names
	smallestRole string // that a refusal advises
	text         string // of a refusal on the data plane, where it is the older one
	admitted     int    // status of an admitted call, where it is none of 2xx
}

const (
	cognitive  = "Microsoft.CognitiveServices/accounts/"
	openAI     = cognitive + "OpenAI/"
	messages   = `"messages":[{"role":"user","content":"hello"}]`
	newAccount = `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"},"properties":{}}`
	deployment = `{"sku":{"name":"Standard","capacity":1},"properties":{"model":{"format":"OpenAI","name":"gpt-4o"}}}`
	machine    = `{"location":"japaneast","properties":{}}`
	workspaces = "Microsoft.MachineLearningServices/workspaces"
	workspace  = `{"location":"japaneast","identity":{"type":"SystemAssigned"},"properties":{` +
		`"storageAccount":"{group}/providers/Microsoft.Storage/storageAccounts/st","keyVault":"{group}/providers/Microsoft.KeyVault/vaults/kv",` +
		`"applicationInsights":"{group}/providers/Microsoft.Insights/components/ai"}}`
	providerURL = "https://management.azure.com{group}/providers/"
)

// columns are in the order of the table's letters.
var columns = []column{
	dataCall("chat", "POST", "/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21", "{"+messages+"}", "deployments/chat/completions/action", "Cognitive Services OpenAI User"),
	dataCall("chat on v1", "POST", "/v1/chat/completions", `{"model":"gpt-35-turbo",`+messages+"}", "deployments/chat/completions/action", "Cognitive Services OpenAI User"),
	dataCall("completions", "POST", "/deployments/instruct/completions?api-version=2024-10-21", `{"prompt":"hello"}`, "deployments/completions/action", "Cognitive Services OpenAI User"),
	dataCall("embeddings", "POST", "/deployments/ada/embeddings?api-version=2024-10-21", `{"input":"hello"}`, "deployments/embeddings/action", "Cognitive Services OpenAI User"),
	dataCall("models", "GET", "/models?api-version=2024-10-21", "", "models/read", "Cognitive Services OpenAI User"),
	older(dataCall("deployments", "GET", "/deployments?api-version=2022-12-01", "", "deployments/read", "Cognitive Services OpenAI User")),
	// Refused for the extensions' own action; admitted, it is not served yet.
	unserved(dataCall("chat on your data", "POST", "/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21",
		`{"data_sources":[],`+messages+"}", "deployments/extensions/chat/completions/action", "Cognitive Services OpenAI User")),

	armCall("GET account", "{account}", "", cognitive+"read", "{account}", "Cognitive Services OpenAI User"),
	armCall("PUT account", "{group}/providers/Microsoft.CognitiveServices/accounts/new-{n}", newAccount, cognitive+"write", "", "Cognitive Services Contributor"),
	armCall("PATCH account", "{account}", `{"tags":{"n":"{n}"}}`, cognitive+"write", "", "Cognitive Services Contributor"),
	armCall("DELETE account", "{group}/providers/Microsoft.CognitiveServices/accounts/old-{n}", "", cognitive+"delete", "", "Cognitive Services Contributor"),
	armCall("POST listKeys", "{account}/listKeys", "", cognitive+"listKeys/action", "{account}", "Cognitive Services Contributor"),
	armCall("POST regenerateKey", "{account}/regenerateKey", `{"keyName":"Key2"}`, cognitive+"regenerateKey/action", "{account}", "Cognitive Services Contributor"),

	armCall("PUT deployment", "{account}/deployments/d-{n}", deployment, cognitive+"deployments/write", "", "Cognitive Services OpenAI Contributor"),
	armCall("GET deployments", "{account}/deployments", "", cognitive+"deployments/read", "{account}", "Cognitive Services OpenAI User"),

	armCall("GET workspace", "{group}/providers/"+workspaces+"/ml-{n}", "", workspaces+"/read", "", "Data Labeling - Labeler"),
	armCall("PUT workspace", "{group}/providers/"+workspaces+"/new-{n}", workspace, workspaces+"/write", "", "Azure AI Administrator"),
	armCall("PATCH workspace", "{group}/providers/"+workspaces+"/ml-{n}", `{"properties":{"description":"{n}"}}`, workspaces+"/write", "", "Azure AI Administrator"),
	armCall("DELETE workspace", "{group}/providers/"+workspaces+"/ml-{n}", "", workspaces+"/delete", "", "Azure AI Administrator"),

	armCall("PUT group", "{sub}/resourceGroups/rg-{n}", `{"location":"japaneast"}`, "Microsoft.Resources/subscriptions/resourceGroups/write", "", "Contributor"),
	armCall("GET subscription", "{sub}", "", "Microsoft.Resources/subscriptions/read", "{sub}", "Reader"),
	armCall("POST register", "{sub}/providers/Microsoft.CognitiveServices/register", "", "Microsoft.CognitiveServices/register/action", "{sub}", "Cognitive Services Contributor"),

	armCall("PUT roleAssignment", "{account}/providers/Microsoft.Authorization/roleAssignments/{guid}",
		`{"properties":{"roleDefinitionId":"{sub}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7","principalId":"{guid}","principalType":"ServicePrincipal"}}`,
		"Microsoft.Authorization/roleAssignments/write", "", "Role Based Access Control Administrator"),
	armCall("GET roleAssignments", "{account}/providers/Microsoft.Authorization/roleAssignments", "", "Microsoft.Authorization/roleAssignments/read", "{account}", "Reader"),
	armCall("GET roleDefinitions", "{sub}/providers/Microsoft.Authorization/roleDefinitions", "", "Microsoft.Authorization/roleDefinitions/read", "{sub}", "Reader"),

	armCall("PUT virtualMachine", "{group}/providers/Microsoft.Compute/virtualMachines/vm-{n}", machine, "Microsoft.Compute/virtualMachines/write", "", "Virtual Machine Contributor"),
	armCall("PUT userAssignedIdentity", "{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{n}", `{"location":"japaneast"}`,
		"Microsoft.ManagedIdentity/userAssignedIdentities/write", "", "Managed Identity Contributor"),
	armCall("PUT federatedIdentityCredential", "{identity}/federatedIdentityCredentials/fic-{n}", `{"properties":{"issuer":"https://issuer.example","subject":"s-{n}","audiences":["a"]}}`,
		"Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", "", "Managed Identity Contributor"),
	withLinked(armCall("PUT virtualMachine with an identity", "{group}/providers/Microsoft.Compute/virtualMachines/bearer-{n}",
		`{"location":"japaneast","properties":{},"identity":{"type":"UserAssigned","userAssignedIdentities":{"{identity}":{}}}}`,
		"Microsoft.Compute/virtualMachines/write", "", "Virtual Machine Contributor"), "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"),

	{name: "Graph servicePrincipals", method: "GET", url: "https://graph.microsoft.com/v1.0/servicePrincipals", audience: forGraph},
}

func dataCall(name, method, path, body, action, smallest string) column {
	return column{name: name, method: method, url: dataPlane + path, body: body, audience: forData, action: openAI + action, scope: "{account}", smallestRole: smallest}
}

// armCall is a call to Resource Manager; an empty scope is the path itself.
func armCall(name, path, body, action, scope, smallest string) column {
	method, _, _ := strings.Cut(name, " ")
	if scope == "" {
		scope = path
	}
	return column{name: name, method: method, url: "https://management.azure.com" + path + "?api-version=2024-10-01", body: body,
		audience: forARM, action: action, scope: scope, smallestRole: smallest}
}

func withLinked(c column, action string) column { c.linked = action; return c }
func unserved(c column) column                  { c.admitted = http.StatusBadRequest; return c }
func older(c column) column                     { c.text = "Principal does not have access to API/Operation."; return c }

// What each role may (Y) and may not (n) do when it is assigned at the
// subscription, written from what Microsoft's documents say of the roles
// (seeds 000 to 003; azure-docs built-in-roles; the matrix of Azure OpenAI).
//
// The words: data plane (chat, v1, completions, embeddings, models, deployments,
// on your data); account (GET, PUT, PATCH, DELETE, listKeys, regenerateKey);
// deployments (PUT, GET); workspace of Machine Learning (GET, PUT, PATCH, DELETE);
// group PUT, subscription GET, register; roleAssignments
// PUT and GET, roleDefinitions GET; machine, identity, its federated
// credential, machine with identity; Graph, which no Azure role opens.
var roleTable = []struct{ role, guid, cells string }{
	// The owner of everything does not reach the data: actions are no dataActions.
	{"Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "nnnnnnn YYYYYY YY YYYY YYY YYY YYYY n"},
	{"Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c", "nnnnnnn YYYYYY YY YYYY YYY nYY YYYY n"},
	{"Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "nnnnnnn Ynnnnn nY Ynnn nYn nYY nnnn n"},
	// A surprise: the role's control plane is Machine Learning's. It chats, but
	// can't see the account in ARM, nor deploy a model to it: the deployments that
	// it may make, Microsoft.Resources/deployments, are of templates. It sees the
	// subscription for the workspace in it, which it may neither make nor change.
	{"Azure AI Developer", "64702f94-c441-49e6-a78b-ef80e0188fee", "YYYYYYY nnnnnn nn Ynnn nYn nYY nnnn n"},
	// The same of its deployments; seed 001 prints both of its permissions.
	{"Azure AI Inference Deployment Operator", "3afb7f49-54cb-416e-8c09-6dc049efa503", "nnnnnnn nnnnnn nn nnnn nnn nYY nnnn n"},
	{"Azure AI Administrator", "b78c5d69-af96-48a3-bf8d-a8b4d589de94", "nnnnnnn YYYYYY YY YYYY YYY nYY nnnn n"},
	// It has no subscriptions/read; it sees the subscription for the account in it.
	{"Cognitive Services OpenAI User", "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", "YYYYYYY Ynnnnn nY nnnn nYn nYY nnnn n"},
	{"Cognitive Services OpenAI Contributor", "a001fd3d-188f-4b5d-821b-7da978bf7442", "YYYYYYY Ynnnnn YY nnnn nYn nYY nnnn n"},
	// It lists the keys (its definition says listkeys, ARM listKeys), and is the
	// one of the four that may not read role assignments.
	{"Cognitive Services User", "a97b65f3-24c7-4388-baec-2e87135dc908", "YYYYYYY YnnnYn nY nnnn nYn nnn nnnn n"},
	{"Cognitive Services Contributor", "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68", "nnnnnnn YYYYYY YY nnnn nYY nYY nnnn n"},
	// It may read resource groups, and so the subscription.
	{"Search Service Contributor", "7ca78c08-252a-4471-8644-bb5ff32d4ba0", "nnnnnnn nnnnnn nn nnnn nYn nYY nnnn n"},
	{"Search Index Data Contributor", "8ebe5a00-799e-43f5-93ac-243d3dce84a7", "nnnnnnn nnnnnn nn nnnn nnn nnn nnnn n"},
	{"Search Index Data Reader", "1407120a-92aa-4202-b7e9-c0e197c71c8f", "nnnnnnn nnnnnn nn nnnn nnn nnn nnnn n"},
	{"Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "nnnnnnn nnnnnn nn nnnn nnn nnn nnnn n"},
	{"Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "nnnnnnn nnnnnn nn nnnn nnn nnn nnnn n"},
	{"Storage File Data Privileged Contributor", "69566ab7-960f-475b-8e7c-b3118f30c6bd", "nnnnnnn nnnnnn nn nnnn nnn nnn nnnn n"},
	{"AcrPull", "7f951dda-4ed3-4680-a7ca-43fe172d538d", "nnnnnnn nnnnnn nn nnnn nnn nnn nnnn n"},
	{"no role", "", "nnnnnnn nnnnnn nn nnnn nnn nnn nnnn n"},
}

func TestWhatEachRoleOfTheSeedsMayAndMayNotDo(t *testing.T) {
	w := newWorld(t)
	owner := w.token(w.owner(), forARM)
	w.must(owner, "PUT", w.account+"/deployments/instruct", `{"sku":{"name":"Standard","capacity":1},"properties":{"model":{"format":"OpenAI","name":"gpt-35-turbo-instruct"}}}`)
	identity := w.group + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shared"
	w.must(owner, "PUT", identity, `{"location":"japaneast"}`)
	w.must(owner, "POST", w.sub+"/providers/Microsoft.MachineLearningServices/register", "")
	for n, row := range roleTable {
		t.Run(row.role, func(t *testing.T) {
			w := *w
			w.t = t
			cells := strings.ReplaceAll(row.cells, " ", "")
			if len(cells) != len(columns) {
				t.Fatalf("%d cells for %d columns", len(cells), len(columns))
			}
			w.must(owner, "PUT", fmt.Sprintf("%s/providers/Microsoft.CognitiveServices/accounts/old-%d", w.group, n), newAccount)
			w.must(owner, "PUT", fmt.Sprintf("%s/providers/%s/ml-%d", w.group, workspaces, n), strings.ReplaceAll(workspace, "{group}", w.group))
			who := w.actor(row.role)
			if row.guid != "" {
				w.assign(who.object, row.guid, w.sub)
			}
			tokens := map[string]string{}
			for _, audience := range []string{forARM, forData, forGraph} {
				tokens[audience] = w.token(who, audience)
			}
			for i, c := range columns {
				fill := strings.NewReplacer("{sub}", w.sub, "{group}", w.group, "{account}", w.account, "{identity}", identity,
					"{n}", fmt.Sprint(n), "{guid}", uuid.NewString())
				before := w.p.store.Head()
				r := w.send(c.method, fill.Replace(c.url), fill.Replace(c.body), "Authorization", "Bearer "+tokens[c.audience])
				if cells[i] == 'Y' {
					if r.status/100 != 2 && r.status != c.admitted || c.admitted != 0 && r.status != c.admitted {
						t.Errorf("%s: %d %v, but the role admits it", c.name, r.status, r.body)
					}
					continue
				}
				c.scope = fill.Replace(c.scope)
				checkRefusal(t, c, who, r)
				if after := w.p.store.Head(); after != before {
					t.Errorf("%s: the refused call changed the store", c.name)
				}
			}
		})
	}
}

// checkRefusal holds the whole error that Azure gives to one that may not.
// Source: azure-docs role-based-access-control/troubleshooting.md for ARM;
// recorded answers of Azure OpenAI; microsoft-graph-docs errors.md.
func checkRefusal(t *testing.T, c column, who actor, r reply) {
	t.Helper()
	var status int
	var code, text, inner string
	switch c.audience {
	case forARM:
		status, code, inner = http.StatusForbidden, "AuthorizationFailed", "innererror"
		text = "The client '" + who.app + "' with object id '" + who.object + "' does not have authorization to perform action '" + c.action +
			"' over scope '" + c.scope + "' or the scope is invalid. If access was recently granted, please refresh your credentials."
	case forData:
		status, code, inner = http.StatusUnauthorized, "PermissionDenied", "innererror"
		path, _, _ := strings.Cut(strings.TrimPrefix(c.url, strings.TrimSuffix(dataPlane, "/openai")), "?")
		for _, operation := range []model.Operation{model.Chat, model.Completions, model.Embeddings} {
			if strings.Contains(path, "/deployments/") && strings.HasSuffix(path, "/"+string(operation)) {
				path = "/openai/deployments/{deployment-id}/" + string(operation)
				break
			}
		}
		if text = c.text; text == "" {
			text = "The principal `" + who.object + "` lacks the required data action `" + c.action + "` to perform `" + c.method + " " + path + "` operation."
		}
	default:
		status, code, text = http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
	}
	if r.status != status || r.at("error", "code") != code || r.at("error", "message") != text {
		t.Errorf("%s: %d %v\nwant %d %s: %s", c.name, r.status, r.body, status, code, text)
		return
	}
	if inner == "" {
		return
	}
	plane := map[string]string{forARM: "control", forData: "data"}[c.audience]
	for name, want := range map[string]string{"code": "NotPermitted", "principal": who.object, "principalName": who.app, "action": c.action,
		"plane": plane, "scope": c.scope, "smallestRole": c.smallestRole} {
		if got := r.at("error", inner, name); got != want {
			t.Errorf("%s: innererror.%s is %q, want %q", c.name, name, got, want)
		}
	}
	if r.at("error", inner, "decidedBy") == "" {
		t.Errorf("%s: the refusal does not say what decided", c.name)
	}
}
