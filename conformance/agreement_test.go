package conformance

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
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
	before made // what the sample has
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
	// The operator's notActions take listKeys away; the chatter may not embed.
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
// with the third and the administrator; the fourth is in none.
func (a *agreement) people() {
	a.t.Helper()
	var programs []holder
	for _, name := range []string{"one", "two", "three", "four"} {
		p := a.ServicePrincipal(name)
		programs = append(programs, holder{id: p.ObjectID, name: name, kind: "ServicePrincipal",
			tokens: map[bool]string{false: a.Token(p, forResourceManager), true: a.Token(p, forOpenAI)}})
	}
	inner := a.Group("inner", programs[0].id, programs[1].id)
	// A user has no token here, and is Owner of the subscription from the start.
	user := holder{id: a.administrator(), name: "the administrator", kind: "User"}
	outer := a.Group("outer", inner, programs[2].id, user.id)
	user.in = []string{outer}
	a.before = made{role: "Owner", scope: a.Subscription(), to: user}
	for i, groups := range [][]string{{inner, outer}, {inner, outer}, {outer}, nil} {
		programs[i].in = groups
	}
	a.who = append(programs, user, holder{id: inner, name: "inner", kind: "Group", in: []string{outer}}, holder{id: outer, name: "outer", kind: "Group"})
}

// administrator is the object id of the sample's user, by Microsoft Graph.
func (a *agreement) administrator() string {
	a.t.Helper()
	var user struct{ ID string }
	status, raw := a.call(a.Token(a.Automation(), "https://graph.microsoft.com/.default"), http.MethodGet,
		"https://graph.microsoft.com/v1.0/users/"+a.Credentials.Administrator.UserPrincipalName, nil)
	if err := json.Unmarshal(raw, &user); err != nil || user.ID == "" {
		a.t.Fatalf("the administrator: %d %s %v", status, raw, err)
	}
	return user.ID
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

// questions are all that can be asked.
func (a *agreement) questions() (all []probe) {
	for _, h := range a.who {
		if h.kind == "Group" {
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
	for _, m := range append(a.made, a.before) {
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
			if got := answers[way][i]; got != want && got != unasked {
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
