package conformance

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	checkaccess "github.com/Azure/checkaccess-v2-go-sdk/client"

	"sekisho/sekishotest"
)

var agreementSeed = flag.Uint64("agreement-seed", 1, "what the role assignments and questions of the agreement story are drawn from")

// How much the agreement story draws.
const (
	drawnByAz, drawnByOthers = 7, 23
	drawnQuestions           = 36 // after all are made, and again after some are deleted
	drawnDeletions           = 7
)

func TestRandomAssignmentsOfThreeClientsAreAnsweredAlikeByCheckByBothPlanesAndByCheckAccess(t *testing.T) {
	t.Parallel()
	a := newAgreement(t)
	a.assignAll()
	a.deny()
	a.ask("after all are made")
	for range drawnDeletions {
		a.takeOneAway()
	}
	a.ask("after some are deleted")
	t.Logf("seed %d: %v", *agreementSeed, a.told)
	for _, decision := range []string{"Allowed", "NotAllowed", "Denied"} {
		if a.told[decision] == 0 {
			t.Errorf("seed %d: no question is %s, which shows little", *agreementSeed, decision)
		}
	}
}

// agreement is a Sekisho with principals in nested groups and two accounts below
// a management group.
type agreement struct {
	*sekishotest.Sekisho
	t      *testing.T
	random *rand.Rand
	home   string
	arm    string // a token of automation, which assigns
	sdk    *armauthorization.RoleAssignmentsClient
	pdp    checkaccess.RemotePDPClient
	scopes []string
	roles  []string
	who    []holder
	made   []made
	denied probe
	told   map[string]int
}

// holder is who may be given a role.
type holder struct {
	id, name, kind string
	in             []string        // the groups that it is in, by nesting too
	tokens         map[bool]string // by whether they are for data
}

// made is a role assignment that is there.
type made struct {
	id, role, scope string
	to              holder
}

// probe is a question that every way can be asked.
type probe struct {
	call  call
	scope string
	by    holder
}

// call is a real call, and what it needs.
type call struct {
	action       string
	data         bool
	method, path string // on the account, or on its data plane
	body         any
}

const (
	forResourceManager = "https://management.azure.com/.default"
	forOpenAI          = "https://cognitiveservices.azure.com/.default"
	roleOperator       = "Agreement operator"
	roleChatter        = "Agreement chatter"
	agreementGroup     = "/providers/Microsoft.Management/managementGroups/agreement"
	accountType        = "/providers/Microsoft.CognitiveServices/accounts/"
	roleAssignments    = "/providers/Microsoft.Authorization/roleAssignments/"
	openAIAccounts     = "Microsoft.CognitiveServices/accounts/"
)

var agreementCalls = []call{
	{openAIAccounts + "OpenAI/deployments/chat/completions/action", true, "POST", "/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21", object{"messages": []object{{"role": "user", "content": "hello"}}}},
	{openAIAccounts + "OpenAI/deployments/embeddings/action", true, "POST", "/openai/deployments/ada/embeddings?api-version=2024-10-21", object{"input": "hello"}},
	{openAIAccounts + "read", false, "GET", accountVersion, nil},
	{openAIAccounts + "write", false, "PATCH", accountVersion, object{"tags": object{"by": "agreement"}}},
	{openAIAccounts + "listKeys/action", false, "POST", "/listKeys" + accountVersion, nil},
	{openAIAccounts + "deployments/read", false, "GET", "/deployments" + accountVersion, nil},
	{"Microsoft.Resources/tags/write", false, "PUT", "/providers/Microsoft.Resources/tags/default?api-version=2021-04-01", object{"properties": object{"tags": object{"by": "tags"}}}},
	{"Microsoft.Authorization/roleAssignments/read", false, "GET", "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01", nil},
}

// grantedBy says which of the calls each role allows, in their order, written
// from the roles' definitions in azure-docs and not asked of Sekisho.
var grantedBy = map[string]string{
	"Owner":                                 "nnYYYYYY",
	"Contributor":                           "nnYYYYYY",
	"Reader":                                "nnYnnYnY",
	"Cognitive Services OpenAI User":        "YYYnnYnY",
	"Cognitive Services OpenAI Contributor": "YYYnnYnY",
	roleOperator:                            "nnYYnYnn",
	roleChatter:                             "YnnnnYnn",
}

func newAgreement(t *testing.T) *agreement {
	t.Helper()
	s := sekishotest.Start(t)
	a := &agreement{Sekisho: s, t: t, random: rand.New(rand.NewPCG(*agreementSeed, 0)), home: t.TempDir(), told: map[string]int{},
		arm: s.Token(s.Automation(), forResourceManager)}
	other := s.Subscription() + "/resourceGroups/rg-other"
	otherAccount := other + accountType + "aoai-other"
	a.put(other+"?api-version=2024-03-01", object{"location": "japaneast"})
	a.put(otherAccount+accountVersion, object{"location": "japaneast", "kind": "OpenAI", "sku": object{"name": "S0"}, "properties": object{"customSubDomainName": "aoai-other"}})
	for name, model := range map[string]string{"gpt-35-turbo": "gpt-35-turbo", "ada": "text-embedding-ada-002"} {
		a.put(otherAccount+"/deployments/"+name+accountVersion, object{"sku": object{"name": "Standard", "capacity": 1}, "properties": object{"model": object{"format": "OpenAI", "name": model}}})
	}
	a.put(agreementGroup+"?api-version=2020-05-01", object{"properties": object{"displayName": "Agreement"}})
	a.put(agreementGroup+s.Subscription()+"?api-version=2020-05-01", nil)
	a.scopes = []string{agreementGroup, s.Subscription(), s.ResourceGroup(), s.Account(), other, otherAccount}
	// The operator's notActions take listKeys and tags away; the chatter may not embed.
	a.custom("00000000-0000-0000-0004-000000000001", roleOperator, object{"actions": []string{openAIAccounts + "*"}, "notActions": []string{openAIAccounts + "listKeys/*"}})
	a.custom("00000000-0000-0000-0004-000000000002", roleChatter, object{"actions": []string{openAIAccounts + "deployments/read"},
		"dataActions": []string{openAIAccounts + "OpenAI/deployments/*"}, "notDataActions": []string{openAIAccounts + "OpenAI/deployments/embeddings/*"}})
	for role := range grantedBy {
		a.roles = append(a.roles, role)
	}
	slices.Sort(a.roles)
	a.people()

	options := policy.ClientOptions{Transport: s.HTTPClient()}
	p := s.Automation()
	credential, err := azidentity.NewClientSecretCredential(p.TenantID, p.ClientID, p.ClientSecret, &azidentity.ClientSecretCredentialOptions{ClientOptions: options})
	if err == nil {
		a.sdk, err = armauthorization.NewRoleAssignmentsClient(s.Credentials.SubscriptionID, credential, &arm.ClientOptions{ClientOptions: options})
	}
	if err == nil {
		a.pdp, err = checkaccess.NewRemotePDPClient("https://westus.authorization.azure.net/providers/Microsoft.Authorization/checkAccess?api-version=2021-06-01-preview",
			"https://authorization.azure.net/.default", credential, &options)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.az("login", "--service-principal", "-u", p.ClientID, "-p", p.ClientSecret, "--tenant", p.TenantID).ok()
	return a
}

// people makes four service principals: two in a group, which is in another
// with the third; the fourth is in none.
func (a *agreement) people() {
	a.t.Helper()
	var programs []holder
	for _, name := range []string{"one", "two", "three", "four"} {
		p := a.ServicePrincipal(name)
		programs = append(programs, holder{id: p.ObjectID, name: name, kind: "ServicePrincipal",
			tokens: map[bool]string{false: a.Token(p, forResourceManager), true: a.Token(p, forOpenAI)}})
	}
	inner := a.Group("inner", programs[0].id, programs[1].id)
	outer := a.Group("outer", inner, programs[2].id)
	for i, groups := range [][]string{{inner, outer}, {inner, outer}, {outer}, nil} {
		programs[i].in = groups
	}
	a.who = append(programs, holder{id: inner, name: "inner", kind: "Group", in: []string{outer}}, holder{id: outer, name: "outer", kind: "Group"})
}

// put calls Resource Manager as automation, and demands success.
func (a *agreement) put(path string, body any) { a.t.Helper(); a.must(http.MethodPut, path, body) }

func (a *agreement) must(method, path string, body any) []byte {
	a.t.Helper()
	status, answer := a.call(a.arm, method, path, body)
	if status/100 != 2 {
		a.t.Fatalf("seed %d: %s %s: %d %s", *agreementSeed, method, path, status, answer)
	}
	return answer
}

func (a *agreement) call(token, method, path string, body any) (int, []byte) {
	a.t.Helper()
	c := &caller{a.HTTPClient(), token}
	status, answer, err := c.call(a.t.Context(), method, path, body)
	if err != nil {
		a.t.Fatal(err)
	}
	return status, answer
}

// custom makes a custom role of the subscription.
func (a *agreement) custom(guid, name string, permissions object) {
	a.t.Helper()
	a.put(a.Subscription()+"/providers/Microsoft.Authorization/roleDefinitions/"+guid+"?api-version=2022-04-01", object{"properties": object{
		"roleName": name, "type": "CustomRole", "assignableScopes": []string{a.Subscription()}, "permissions": []object{permissions}}})
}

func (a *agreement) az(args ...string) result {
	a.t.Helper()
	cmd := (&sekisho{t: a.t, home: a.home}).command(os.Environ(), append([]string{python(a.t, "azure-cli"), "-m", "azure.cli"}, args...)...)
	cmd.Env = append(append(cmd.Env, a.Environ()...), "AZ_INSTALLER=PIP")
	return execute(a.t, cmd)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// guid is a name as Terraform's provider makes one, but drawn.
func (a *agreement) guid() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", a.random.Uint32(), a.random.Uint64()>>16)
}

// draw is a role assignment that is not there yet.
func (a *agreement) draw() made {
	for {
		m := made{role: pick(a.random, a.roles), scope: pick(a.random, a.scopes), to: pick(a.random, a.who)}
		if m.scope == agreementGroup && (m.role == roleOperator || m.role == roleChatter) {
			continue // they are assignable in the subscription
		}
		if m.scope == a.Subscription() && a.random.IntN(2) == 0 || m.scope == agreementGroup && a.random.IntN(3) > 0 {
			continue // what holds everywhere leaves nothing to ask
		}
		if !slices.ContainsFunc(a.made, func(o made) bool { return o.role == m.role && o.scope == m.scope && o.to.id == m.to.id }) {
			return m
		}
	}
}

func (a *agreement) assignAll() {
	a.t.Helper()
	for i := range drawnByAz + drawnByOthers {
		m := a.draw()
		switch {
		case i%4 == 0 && i/4 < drawnByAz:
			m.id = a.az("role", "assignment", "create", "--assignee-object-id", m.to.id, "--assignee-principal-type", m.to.kind,
				"--role", m.role, "--scope", m.scope, "--query", "id", "-o", "tsv").line()
		case i%2 == 1:
			name := a.guid()
			got, err := a.sdk.Create(a.t.Context(), m.scope, name, armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
				RoleDefinitionID: to.Ptr(a.definition(m)), PrincipalID: &m.to.id, PrincipalType: to.Ptr(armauthorization.PrincipalType(m.to.kind))}}, nil)
			if err != nil {
				a.t.Fatalf("seed %d: armauthorization gives %s to %s at %s: %v", *agreementSeed, m.role, m.to.name, m.scope, err)
			}
			m.id = *got.ID
		default:
			m.id = a.terraform(m)
		}
		a.made = append(a.made, m)
	}
}

// definition is the id of a role, found by its name as Terraform's provider does.
func (a *agreement) definition(m made) string {
	a.t.Helper()
	var found struct{ Value []struct{ ID string } }
	query := url.Values{"api-version": {"2022-04-01"}, "$filter": {"roleName eq '" + m.role + "'"}}
	raw := a.must(http.MethodGet, m.scope+"/providers/Microsoft.Authorization/roleDefinitions?"+query.Encode(), nil)
	if err := json.Unmarshal(raw, &found); err != nil || len(found.Value) != 1 {
		a.t.Fatalf("seed %d: %d roles %s at %s: %v", *agreementSeed, len(found.Value), m.role, m.scope, err)
	}
	return found.Value[0].ID
}

// terraform sends what azurerm_role_assignment sends with
// skip_service_principal_aad_check: it looks whether the name is free, puts, and
// reads what it has put (terraform-provider-azurerm role_assignment_resource.go).
func (a *agreement) terraform(m made) (id string) {
	a.t.Helper()
	id = m.scope + roleAssignments + a.guid()
	if status, answer := a.call(a.arm, http.MethodGet, id+"?api-version=2022-04-01", nil); status != http.StatusNotFound {
		a.t.Errorf("seed %d: before it is there: %d %s", *agreementSeed, status, answer)
	}
	body := object{"roleDefinitionId": a.definition(m), "principalId": m.to.id, "principalType": m.to.kind}
	if status, answer := a.call(a.arm, http.MethodPut, id+"?api-version=2022-04-01", object{"properties": body}); status != http.StatusCreated {
		a.t.Fatalf("seed %d: put %s: %d %s", *agreementSeed, id, status, answer)
	}
	var read struct {
		Properties struct{ PrincipalID, Scope string }
	}
	if err := json.Unmarshal(a.must(http.MethodGet, id+"?api-version=2022-04-01", nil), &read); err != nil || read.Properties.PrincipalID != m.to.id || read.Properties.Scope != m.scope {
		a.t.Errorf("seed %d: read %s: %+v %v", *agreementSeed, id, read, err)
	}
	return id
}

// deny denies the principals of a group, or one, an action of the sample account.
func (a *agreement) deny() {
	a.t.Helper()
	var able []probe
	for _, q := range a.questions() {
		if q.scope == a.Account() && a.want(q) == "Allowed" {
			able = append(able, q)
		}
	}
	if len(able) == 0 {
		a.t.Fatalf("seed %d: nobody may do anything", *agreementSeed)
	}
	q := pick(a.random, able)
	denied := q.by
	if len(q.by.in) > 0 {
		denied = a.who[slices.IndexFunc(a.who, func(h holder) bool { return h.id == q.by.in[0] })]
	}
	permissions := object{"actions": []string{q.call.action}}
	if q.call.data {
		permissions = object{"dataActions": []string{q.call.action}}
	}
	a.denied = probe{q.call, a.ResourceGroup(), denied}
	a.put(a.denied.scope+"/providers/Microsoft.Authorization/denyAssignments/"+a.guid()+"?api-version=2024-07-01-preview", object{"properties": object{
		"denyAssignmentName": "Drawn", "denyAssignmentEffect": "enforced", "permissions": []object{permissions}, "principals": []object{{"id": denied.id, "type": denied.kind}}}})
}

// takeOneAway deletes an assignment by one of the clients.
func (a *agreement) takeOneAway() {
	a.t.Helper()
	i := a.random.IntN(len(a.made))
	m := a.made[i]
	a.made = slices.Delete(a.made, i, i+1)
	scope, name, _ := strings.Cut(m.id, roleAssignments)
	switch len(a.made) % 4 {
	case 0:
		a.az("role", "assignment", "delete", "--ids", m.id).ok()
	case 1:
		if _, err := a.sdk.Delete(a.t.Context(), scope, name, nil); err != nil {
			a.t.Fatalf("seed %d: armauthorization deletes %s: %v", *agreementSeed, m.id, err)
		}
	default:
		a.must(http.MethodDelete, m.id+"?api-version=2022-04-01", nil)
	}
}

// questions are all that can be asked.
func (a *agreement) questions() (all []probe) {
	for _, h := range a.who {
		if h.tokens == nil {
			continue
		}
		for _, c := range agreementCalls {
			for _, scope := range a.scopes {
				if strings.Contains(scope, accountType) {
					all = append(all, probe{c, scope, h})
				}
			}
		}
	}
	return all
}

// covers tells whether what is at a scope holds at an account.
func covers(scope, account string) bool {
	return scope == agreementGroup || scope == account || strings.HasPrefix(account, scope+"/")
}

func (h holder) is(who holder) bool { return h.id == who.id || slices.Contains(h.in, who.id) }

// want is the answer, worked out by hand.
func (a *agreement) want(q probe) string {
	if q.by.is(a.denied.by) && q.call.action == a.denied.call.action && covers(a.denied.scope, q.scope) {
		return "Denied"
	}
	column := slices.IndexFunc(agreementCalls, func(c call) bool { return c.action == q.call.action })
	for _, m := range a.made {
		if q.by.is(m.to) && covers(m.scope, q.scope) && grantedBy[m.role][column] == 'Y' {
			return "Allowed"
		}
	}
	return "NotAllowed"
}

// ask asks drawn questions in every way.
func (a *agreement) ask(when string) {
	a.t.Helper()
	all := a.questions()
	a.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	// So many roles allow nearly everything: as many are asked that nobody allows,
	// as far as there are.
	most := map[string]int{"Denied": 4, "NotAllowed": drawnQuestions / 2, "Allowed": drawnQuestions}
	var asked []probe
	for _, answer := range []string{"Denied", "NotAllowed", "Allowed"} {
		for _, q := range all {
			if a.want(q) == answer && most[answer] > 0 && len(asked) < drawnQuestions {
				most[answer]--
				asked = append(asked, q)
			}
		}
	}
	export := filepath.Join(a.home, "export")
	a.sekisho("rbac", "export", export, "--data", a.DataDir())
	answers := map[string][]string{
		"rbac check":          a.batch(asked, "--data", a.DataDir()),
		"rbac check --export": a.batch(asked, "--export", export),
		"checkAccess v1":      a.each(asked, a.checkAccess1),
		"checkAccess v2":      a.each(asked, a.checkAccess2),
		"the call itself":     a.each(asked, a.really),
	}
	for i, q := range asked {
		want := a.want(q)
		a.told[want]++
		for _, way := range slices.Sorted(maps.Keys(answers)) {
			if got := answers[way][i]; got != want {
				a.t.Errorf("seed %d, %s: %s, %s of %s: %s says %s, want %s", *agreementSeed, when, q.by.name, q.call.action, q.scope, way, got, want)
			}
		}
	}
	for _, q := range asked[:4] {
		var one struct{ Decision string }
		raw := a.sekisho("rbac", "check", q.by.id, q.call.action, q.scope, "--json", "--data", a.DataDir(), fmt.Sprintf("--data-action=%t", q.call.data))
		if err := json.Unmarshal([]byte(raw), &one); err != nil || one.Decision != a.want(q) {
			a.t.Errorf("seed %d, %s: check --json says %s %v, want %s", *agreementSeed, when, raw, err, a.want(q))
		}
	}
}

func (a *agreement) each(asked []probe, way func(probe) string) (answers []string) {
	for _, q := range asked {
		answers = append(answers, way(q))
	}
	return answers
}

// sekisho runs a command of sekisho's.
func (a *agreement) sekisho(args ...string) string {
	a.t.Helper()
	return (&sekisho{t: a.t, home: a.home}).cli(args...).ok()
}

func (a *agreement) batch(asked []probe, from ...string) (answers []string) {
	a.t.Helper()
	var lines bytes.Buffer
	for _, q := range asked {
		raw, err := json.Marshal(object{"principal": q.by.id, "action": q.call.action, "dataAction": q.call.data, "scope": q.scope})
		if err != nil {
			a.t.Fatal(err)
		}
		lines.Write(append(raw, '\n'))
	}
	file := filepath.Join(a.home, "questions.jsonl")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		a.t.Fatal(err)
	}
	for line := range strings.Lines(a.sekisho(append([]string{"rbac", "check", "--batch", file}, from...)...)) {
		var one struct{ Decision string }
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			a.t.Fatalf("%s: %v", line, err)
		}
		answers = append(answers, one.Decision)
	}
	if len(answers) != len(asked) {
		a.t.Fatalf("%d answers to %d questions", len(answers), len(asked))
	}
	return answers
}

// checkAccess1 asks as guard does, at the resource and with the groups that it
// has read from a token: without them this version asks for the principal alone.
func (a *agreement) checkAccess1(q probe) string {
	a.t.Helper()
	var answer []struct{ AccessDecision string }
	raw := a.must(http.MethodPost, q.scope+"/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview", object{
		"Subject": object{"Attributes": object{"ObjectId": q.by.id, "Groups": q.by.in}}, "Resource": object{"Id": q.scope},
		"Actions": []object{{"Id": q.call.action, "IsDataAction": q.call.data}}})
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer) != 1 {
		a.t.Fatalf("checkAccess v1: %s %v", raw, err)
	}
	return answer[0].AccessDecision
}

func (a *agreement) checkAccess2(q probe) string {
	a.t.Helper()
	got, err := a.pdp.CheckAccess(a.t.Context(), checkaccess.AuthorizationRequest{
		Subject: checkaccess.SubjectInfo{Attributes: checkaccess.SubjectAttributes{ObjectId: q.by.id, ClaimName: checkaccess.GroupExpansion}},
		Actions: []checkaccess.ActionInfo{{Id: q.call.action, IsDataAction: q.call.data}}, Resource: checkaccess.ResourceInfo{Id: q.scope}})
	if err != nil || len(got.Value) != 1 {
		a.t.Fatalf("checkAccess v2: %+v %v", got, err)
	}
	return string(got.Value[0].AccessDecision)
}

// really makes the call with the principal's token. Azure OpenAI refuses what is
// denied with the code of what is not allowed, and names the deny assignment in
// Sekisho's own innererror alone.
func (a *agreement) really(q probe) string {
	a.t.Helper()
	at := q.scope
	if q.call.data {
		at = "https://" + q.scope[strings.LastIndexByte(q.scope, '/')+1:] + ".openai.azure.com"
	}
	status, answer := a.call(q.by.tokens[q.call.data], q.call.method, at+q.call.path, q.call.body)
	var reply struct {
		Error struct {
			Code       string
			InnerError json.RawMessage
		}
	}
	if status/100 == 2 {
		return "Allowed"
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		a.t.Fatalf("%d %s: %v", status, answer, err)
	}
	switch code := reply.Error.Code; {
	case status == http.StatusForbidden && code == "AuthorizationFailed":
		return "NotAllowed"
	case status == http.StatusForbidden && code == "DenyAssignmentAuthorizationFailed":
		return "Denied"
	case status == http.StatusUnauthorized && code == "PermissionDenied" && strings.Contains(string(reply.Error.InnerError), "Drawn"):
		return "Denied"
	case status == http.StatusUnauthorized && code == "PermissionDenied":
		return "NotAllowed"
	}
	return fmt.Sprintf("%d %s", status, answer)
}
