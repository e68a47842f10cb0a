package authorization_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/servicetest"
)

// The types that kubeguard/guard sends and reads, field for field
// (authz/providers/azure/rbac/checkaccessreqhelper.go, util/azure/utils.go).
type (
	guardAction struct {
		ID   string `json:"Id"`
		Data bool   `json:"IsDataAction"`
	}
	guardRequest struct {
		Subject struct {
			Attributes struct {
				ObjectID string   `json:"ObjectId"`
				Groups   []string `json:"Groups,omitempty"`
			} `json:"Attributes"`
		} `json:"Subject"`
		Actions  []guardAction `json:"Actions"`
		Resource struct {
			ID string `json:"Id"`
		} `json:"Resource"`
	}
	guardDecision struct {
		Decision       string `json:"accessDecision"`
		ActionID       string `json:"actionId"`
		IsDataAction   bool   `json:"isDataAction"`
		RoleAssignment struct {
			DelegatedManagedIdentityResourceID string `json:"delegatedManagedIdentityResourceId"`
			ID                                 string `json:"id"`
			RoleDefinitionID                   string `json:"roleDefinitionId"`
			PrincipalID                        string `json:"principalId"`
			PrincipalType                      string `json:"principalType"`
			Scope                              string `json:"scope"`
			Condition                          string `json:"condition"`
			ConditionVersion                   string `json:"conditionVersion"`
			CanDelegate                        bool   `json:"canDelegate"`
		} `json:"roleAssignment,omitempty"`
		DenyAssignment struct {
			IsSystemProtected string   `json:"isSystemProtected"`
			IsBuiltIn         bool     `json:"isBuiltIn"`
			ID                string   `json:"id"`
			Name              string   `json:"name"`
			Actions           []string `json:"actions,omitempty"`
			DataActions       []string `json:"dataactions,omitempty"`
			Scope             string   `json:"scope"`
		} `json:"denyAssignment,omitempty"`
		TimeToLiveInMs int `json:"timeToLiveInMs"`
	}
)

const (
	guardVersion = "?api-version=2018-09-01-preview"
	clusterAdmin = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b" // Azure Kubernetes Service RBAC Cluster Admin
	podsRead     = "Microsoft.ContainerService/managedClusters/pods/read"
)

// guard asks as guard does: the body by json.Encoder, which ends it with a line
// feed, to the path of the cluster or of a namespace in it.
func (w pim) guard(as servicetest.Principal, cluster, namespace string, r guardRequest) (servicetest.Reply, []guardDecision) {
	r.Resource.ID = cluster + namespace
	var body bytes.Buffer
	json.NewEncoder(&body).Encode(r)
	reply := w.ARMAs(as, "POST", cluster+namespace+authorization+"checkaccess"+guardVersion, body.String())
	var decisions []guardDecision
	if err := json.Unmarshal([]byte(reply.Body), &decisions); reply.Status == http.StatusOK && err != nil {
		panic(err)
	}
	return reply, decisions
}

func asking(principal string, groups []string, actions ...string) (r guardRequest) {
	r.Subject.Attributes.ObjectID, r.Subject.Attributes.Groups = principal, groups
	for _, a := range actions {
		r.Actions = append(r.Actions, guardAction{a, true})
	}
	return r
}

func TestGuardIsAnswered(t *testing.T) {
	w := newPIM(t)
	cluster := w.group + "/providers/Microsoft.ContainerService/managedClusters/aks"
	server, user := w.Principal("guard"), w.Principal("user")
	team := w.Group("team", user.ID)
	w.Grant(server.ID, servicetest.Reader, cluster)
	if r, _ := w.guard(user, cluster, "", asking(user.ID, nil, podsRead)); r.Code() != "AuthorizationFailed" {
		t.Errorf("asked by one who may not read role assignments: %d %s", r.Status, r.Body)
	}
	r, got := w.guard(server, cluster, "", asking(user.ID, nil, podsRead))
	if r.Status != http.StatusOK || len(got) != 1 || got[0].Decision != "NotAllowed" || got[0].ActionID != podsRead || !got[0].IsDataAction ||
		got[0].RoleAssignment.ID != "" || got[0].TimeToLiveInMs != 300000 || r.Header.Get("x-ms-ratelimit-remaining-subscription-reads") == "" {
		t.Errorf("without a role: %d %s", r.Status, r.Body)
	}
	assignment := w.Grant(team, clusterAdmin, cluster)
	// Guard sends the groups of the token; without any there are none.
	if _, got := w.guard(server, cluster, "", asking(user.ID, nil, podsRead)); got[0].Decision != "NotAllowed" {
		t.Errorf("a group that was not sent: %+v", got)
	}
	for _, namespace := range []string{"", "/namespaces/default", "/providers/Microsoft.KubernetesConfiguration/namespaces/default"} {
		_, got = w.guard(server, cluster, namespace, asking(user.ID, []string{team}, podsRead))
		if len(got) != 1 || got[0].Decision != "Allowed" || got[0].RoleAssignment.ID != assignment || got[0].RoleAssignment.PrincipalID != team ||
			!strings.HasSuffix(got[0].RoleAssignment.RoleDefinitionID, "/roleDefinitions/"+clusterAdmin) || got[0].RoleAssignment.Scope != cluster {
			t.Errorf("with the group, at %q: %+v", namespace, got)
		}
	}
	full := asking(user.ID, []string{team}, slices.Repeat([]string{podsRead}, 200)...)
	if _, got := w.guard(server, cluster, "", full); len(got) != 200 {
		t.Errorf("a whole batch: %d answers", len(got))
	}
	full.Actions = append(full.Actions, full.Actions[0])
	if r, _ := w.guard(server, cluster, "", full); r.Status != http.StatusBadRequest {
		t.Errorf("more than a batch: %d", r.Status)
	}
	denial := w.group + denies + uuid.NewString()
	w.Need(http.StatusCreated, w.ARM("PUT", denial, deny("No pods", fmt.Sprintf(`"permissions":[{"dataActions":[%q]}]`, podsRead), toSP(user.ID))))
	_, got = w.guard(server, cluster, "", asking(user.ID, []string{team}, podsRead, "Microsoft.ContainerService/managedClusters/pods/write"))
	if got[0].Decision != "Denied" || got[0].DenyAssignment.ID != denial || got[0].DenyAssignment.Name != "No pods" || got[0].DenyAssignment.IsSystemProtected != "false" || got[1].Decision != "Allowed" {
		t.Errorf("denied: %+v", got)
	}
}

func TestCheckAccessOfOtherKinds(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	team := w.Group("team", p.ID)
	w.Grant(team, servicetest.Contributor, w.group)
	ask := func(body string) servicetest.Reply {
		return w.ARM("POST", authorization+"checkAccess?api-version=2021-06-01-preview", body)
	}
	body := func(claims, resource string, action string) string {
		return fmt.Sprintf(`{"Subject":{"Attributes":{"ObjectId":%q%s}},"Actions":[{"Id":%q,"Attributes":null}],"Resource":{"Id":%q,"Attributes":null},"Environment":{"Attributes":null}}`, p.ID, claims, action, resource)
	}
	const overage = `,"_claim_names":"{\"groups\":\"src1\"}"`
	decision := func(r servicetest.Reply) any {
		list, _ := r.Get("value").([]any)
		if len(list) != 1 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		return list[0].(map[string]any)["accessDecision"]
	}
	write := "Microsoft.CognitiveServices/accounts/write"
	for name, c := range map[string]struct {
		body string
		want string
	}{
		"the groups of the directory":     {body(overage, w.account, write), "Allowed"},
		"no groups":                       {body("", w.account, write), "NotAllowed"},
		"a host before the resource":      {body(overage, "https://management.azure.com"+w.account, write), "Allowed"},
		"another resource":                {body(overage, w.Subscription, write), "NotAllowed"},
		"the other plane":                 {strings.Replace(body(overage, w.account, write), `"Attributes":null}],`, `"IsDataAction":true,"Attributes":null}],`, 1), "NotAllowed"},
		"an action that the role has not": {body(overage, w.account, "Microsoft.Authorization/roleAssignments/write"), "NotAllowed"},
	} {
		if got := decision(ask(c.body)); got != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	// What conditions see comes with the request.
	q := w.Principal("q")
	condition := "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'public' AND @Request[x:tier] StringEquals 'hot' AND @Environment[isPrivateLink] BoolEquals true"
	r := w.ARM("PUT", w.group+authorization+"roleAssignments/"+uuid.NewString(), fmt.Sprintf(
		`{"properties":{"roleDefinitionId":%q,"principalId":%q,"condition":%q,"conditionVersion":"2.0"}}`, w.Subscription+authorization+"roleDefinitions/"+servicetest.Contributor, q.ID, condition))
	w.Need(http.StatusCreated, r)
	conditioned := func(container, tier, private string) string {
		return fmt.Sprintf(`{"Subject":{"Attributes":{"ObjectId":%q}},"Actions":[{"Id":%q,"Attributes":{"x:tier":%q}}],"Resource":{"Id":%q,"Attributes":{"Microsoft.Storage/storageAccounts/blobServices/containers:name":%q}},"Environment":{"Attributes":{%s}}}`,
			q.ID, write, tier, w.account, container, private)
	}
	for body, want := range map[string]string{
		conditioned("public", "hot", `"isPrivateLink":true`): "Allowed", conditioned("secret", "hot", `"isPrivateLink":true`): "NotAllowed",
		conditioned("public", "cold", `"isPrivateLink":true`): "NotAllowed", conditioned("public", "hot", ``): "NotAllowed",
	} {
		if got := decision(ask(body)); got != want {
			t.Errorf("%s: %v, want %s", body, got, want)
		}
	}
	for name, bad := range map[string]string{"no JSON": `{`, "no subject": `{"Actions":[{"Id":"a/read"}],"Resource":{"Id":"` + w.account + `"}}`, "no actions": strings.Replace(body("", w.account, write), `"Actions":[`, `"Other":[`, 1),
		"another tenant": body(`,"tid":"`+uuid.NewString()+`"`, w.account, write), "no action": body("", w.account, "")} {
		if r := ask(bad); r.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
	if r := w.ARM("POST", w.group+authorization+"checkaccess"+guardVersion, body("", w.Subscription, write)); r.Status != http.StatusBadRequest {
		t.Errorf("a resource that is not in the path: %d %s", r.Status, r.Body)
	}
	// An answer is good for no longer than what it rests on.
	w.Need(http.StatusCreated, w.ask(w.Owner, w.account, "roleAssignmentScheduleRequests", request("AdminAssign", p.ID, servicetest.Contributor, lasting("PT2M"))))
	ttl := ask(body("", w.account, write)).Get("value").([]any)[0].(map[string]any)["timeToLiveInMs"].(float64)
	if ttl <= 0 || ttl > float64((2*time.Minute).Milliseconds()) {
		t.Errorf("an answer about an assignment of two minutes lives %v ms", ttl)
	}
}

func TestPermissionsAreTheCallers(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	team := w.Group("team", p.ID)
	if r := w.ARMAs(p, "GET", w.account+authorization+"permissions", ""); r.Code() != "AuthorizationFailed" {
		t.Errorf("without a role: %d %s", r.Status, r.Body)
	}
	w.Grant(team, servicetest.Reader, w.Subscription)
	w.Grant(p.ID, servicetest.OpenAIUser, w.account)
	w.Need(http.StatusCreated, w.ask(w.Owner, w.account, "roleAssignmentScheduleRequests", request("AdminAssign", p.ID, servicetest.Contributor, lasting("PT2M"))))
	w.eligible(p.ID, w.group, lasting("P1D"))
	count := func(scope string) int {
		t.Helper()
		r := w.Need(http.StatusOK, w.ARMAs(p, "GET", scope+authorization+"permissions", ""))
		return len(r.Get("value").([]any))
	}
	if at, above := count(w.account), count(w.group); at != 3 || above != 1 {
		t.Errorf("%d blocks at the account, %d at the group", at, above)
	}
	if w.Later = 3 * time.Minute; count(w.account) != 2 {
		t.Error("a block of what is over")
	}
	r := w.ARMAs(p, "GET", w.group+authorization+"permissions", "")
	block := r.Get("value").([]any)[0].(map[string]any)
	if fmt.Sprint(block["actions"]) != "[*/read]" || fmt.Sprint(block["notActions"], block["dataActions"], block["notDataActions"]) != "[] [] []" {
		t.Errorf("Reader is %s", r.Body)
	}
}

func TestExplainOverHTTP(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	explain := func(as servicetest.Principal, body string) servicetest.Reply {
		return w.ARMAs(as, "POST", w.account+"/providers/Sekisho.Authorization/explain?api-version=2026-11-01", body)
	}
	write := fmt.Sprintf(`{"principalId":%q,"action":"Microsoft.CognitiveServices/accounts/write"}`, p.ID)
	if r := explain(p, write); r.Code() != "AuthorizationFailed" {
		t.Errorf("who may not read role assignments: %d %s", r.Status, r.Body)
	}
	other := w.Grant(p.ID, servicetest.Contributor, w.MakeGroup("other"))
	r := w.Need(http.StatusOK, explain(w.Owner, write))
	misses := r.Get("misses").([]any)
	if r.Get("decision") != "NotAllowed" || len(misses) != 1 || misses[0].(map[string]any)["kind"] != "otherScope" ||
		misses[0].(map[string]any)["assignment"] != other || misses[0].(map[string]any)["role"] != "Contributor" || misses[0].(map[string]any)["assignedToName"] != "p" {
		t.Errorf("the role elsewhere: %s", r.Body)
	}
	suggested := r.Get("suggestion", "customRole")
	if r.Get("suggestion", "builtInRole") == nil || r.Get("suggestion", "operations").(float64) < 1 || r.Get("suggestion", "scope") != w.account ||
		fmt.Sprint(r.Get("suggestion", "customRole", "properties", "permissions")) != "[map[actions:[Microsoft.CognitiveServices/accounts/write] dataActions:[] notActions:[] notDataActions:[]]]" {
		t.Errorf("suggestion: %s", r.Body)
	}
	body, err := json.Marshal(suggested)
	if err != nil {
		t.Fatal(err)
	}
	guid := uuid.NewString()
	w.Need(http.StatusCreated, w.ARM("PUT", w.Subscription+authorization+"roleDefinitions/"+guid, string(body)))
	helps := w.Principal("helps")
	w.Grant(helps.ID, guid, w.account)
	if r := w.Need(http.StatusOK, explain(w.Owner, strings.ReplaceAll(write, p.ID, helps.ID))); r.Get("decision") != "Allowed" || r.Get("principalName") != "helps" {
		t.Errorf("the suggested role: %s", r.Body)
	}
	// Who may not read there does not learn of it.
	nearby := w.Principal("nearby")
	w.Grant(nearby.ID, servicetest.Reader, w.group)
	if r := w.Need(http.StatusOK, explain(nearby, write)); r.Get("misses") != nil || strings.Contains(r.Body, "other") {
		t.Errorf("told to one who may not see it: %s", r.Body)
	}
	assignment := w.Grant(p.ID, servicetest.Contributor, w.group)
	if r := w.Need(http.StatusOK, explain(w.Owner, write)); r.Get("decision") != "Allowed" || r.Get("assignment") != assignment || r.Get("role") != "Contributor" || r.Get("suggestion") != nil {
		t.Errorf("allowed: %s", r.Body)
	}
	id := w.group + denies + uuid.NewString()
	w.Need(http.StatusCreated, w.ARM("PUT", id, deny("No", denied("*/write"), toSP(p.ID), `"condition":"@Request[x:y] StringEquals 'z'","conditionVersion":"2.0"`)))
	with := strings.TrimSuffix(write, "}") + `,"attributes":{"Request":{"x:y":"z"}}}`
	if r := w.Need(http.StatusOK, explain(w.Owner, with)); r.Get("decision") != "Denied" || r.Get("deny") != id || r.Get("denyName") != "No" || r.Get("suggestion") != nil {
		t.Errorf("denied: %s", r.Body)
	}
	if r := w.Need(http.StatusOK, explain(w.Owner, write)); r.Get("decision") != "Allowed" {
		t.Errorf("a condition that is false: %s", r.Body)
	}
	for name, bad := range map[string]string{"no principal": `{"action":"a/read"}`, "no action": `{"principalId":"p"}`, "a source": `{"principalId":"p","action":"a","attributes":{"World":{}}}`, "no JSON": `{`} {
		if r := explain(w.Owner, bad); r.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
}

func TestWhoCanOverHTTP(t *testing.T) {
	w := newPIM(t)
	p, q := w.Principal("p"), w.Principal("q")
	team := w.Group("team", p.ID)
	ask := func(as servicetest.Principal, body string) servicetest.Reply {
		return w.ARMAs(as, "POST", w.account+"/providers/Sekisho.Authorization/whoCan?api-version=2026-11-01", body)
	}
	const write = `{"action":"Microsoft.CognitiveServices/accounts/write"}`
	if r := ask(p, write); r.Code() != "AuthorizationFailed" {
		t.Errorf("who may not read role assignments: %d %s", r.Status, r.Body)
	}
	w.Grant(team, servicetest.Contributor, w.group)
	w.Grant(q.ID, servicetest.Contributor, w.MakeGroup("other"))
	w.Grant(w.PrincipalIn(uuid.NewString(), "abroad").ID, servicetest.Owner, "/")
	r := w.Need(http.StatusOK, ask(w.Owner, write))
	var can []string
	for _, one := range r.Get("answer", "can").([]any) {
		id, _ := one.(map[string]any)["principal"].(string)
		can = append(can, fmt.Sprint(r.Get("names", id)))
	}
	slices.Sort(can)
	if fmt.Sprint(can) != "[owner p team]" || strings.Contains(r.Body, "abroad") {
		t.Errorf("%v: %s", can, r.Body)
	}
	for _, bad := range []string{`{}`, `{"action":"*/read"}`} {
		if r := ask(w.Owner, bad); r.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, r.Status, r.Body)
		}
	}
}
