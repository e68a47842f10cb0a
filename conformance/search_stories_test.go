package conformance

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// The stories of AI Search: every SDK does what it has calls for, on a service of
// its own for each of its programs. One Sekisho is told them all, so that its audit
// log tells which client drove which operation.

// searchClient is an SDK of the data plane and the stories that it tells.
type searchClient struct {
	name    string
	pins    []pin
	errors  *strings.Replacer // the classes of its errors, for those of Python
	lacks   []string          // the operations that it has no calls for
	tell    func(s *sekisho, program string, env []string) result
	stories []searchStory
}

// searchStory is a program, what is seen of each of its steps, and what it needs
// beside its service.
type searchStory struct {
	program string
	doors   []door
	steps   []seenStep
	other   map[string]string // what it sees of a step otherwise; nothing of one that it has no calls for
	needs   func(w *searchWorld, of searchService) (env []string)
}

// uncalled are the operations that no SDK has calls for: they ask by POST, and
// documents are reset in preview versions alone.
var uncalled = []string{"Documents_SearchGet", "Documents_SuggestGet", "Documents_AutocompleteGet", "Indexers_ResetDocs"}

// uncalledBy11 are those of the SDKs' stable versions 11, and noAliases is what they
// see of the step of the others.
var (
	uncalledBy11 = append(slices.Clone(uncalled), "Aliases_List", "Aliases_Create", "Aliases_Delete", "Aliases_Get", "Aliases_CreateOrUpdate")
	noAliases    = map[string]string{"alias": ""}
)

const pythonPreview = "Python preview"

func searchClients() []searchClient {
	return []searchClient{
		{"Python", pinsOf("clients/azure-search-documents.txt", "azure-search-documents"),
			strings.NewReplacer(), uncalled, searchByPython("azure-search-documents"), []searchStory{
				{"search.py", []door{intercept, ownNames}, searchSteps, nil, (*searchWorld).everyRole},
				{"queries.py", []door{intercept}, querySteps, nil, (*searchWorld).roleOfOneIndex},
				{"indexers.py", []door{intercept}, indexerSteps, nil, (*searchWorld).hops},
				{"challenge.py", []door{intercept}, challengeSteps, nil, (*searchWorld).challenging}}},
		{"Python 11", pinsOf("clients/azure-search-documents-11.txt", "azure-search-documents"),
			strings.NewReplacer(), uncalledBy11, searchByPython("azure-search-documents-11"), []searchStory{
				{"search.py", []door{intercept}, searchSteps, noAliases, (*searchWorld).everyRole},
				{"queries.py", []door{intercept}, querySteps, nil, (*searchWorld).roleOfOneIndex},
				{"indexers.py", []door{intercept}, indexerSteps, nil, (*searchWorld).hops}}},
		{pythonPreview, pinsOf("clients/azure-search-documents-preview.txt", "azure-search-documents"),
			strings.NewReplacer(), nil, searchByPython("azure-search-documents-preview"), []searchStory{
				{"indexers.py", []door{intercept}, previewIndexerSteps, nil, (*searchWorld).hops}}},
		{"JavaScript", pinsOf("clients/js-storage/package.json", "@azure/search-documents"),
			strings.NewReplacer("HttpResponseError", "RestError", "ResourceNotFoundError", "RestError", "ResourceExistsError", "RestError"), uncalled, searchByNode, []searchStory{
				{"search.cjs", []door{intercept}, searchSteps, map[string]string{"lookup": lookupByScript}, (*searchWorld).everyRole},
				{"indexers.cjs", []door{intercept}, indexerSteps, nil, (*searchWorld).hops}}},
		{"Java", pinsOf("clients/java/pom.xml", "azure-search-documents"),
			strings.NewReplacer(`ResourceNotFoundError", 404, null`, `ResourceNotFoundException", 404, null`,
				"HttpResponseError", "HttpResponseException", "ResourceNotFoundError", "HttpResponseException", "ResourceExistsError", "HttpResponseException"),
			uncalledBy11, searchByJava, []searchStory{
				{"Search.java", []door{intercept}, searchSteps, noAliases, (*searchWorld).everyRole},
				{"Indexers.java", []door{intercept}, indexerSteps, nil, (*searchWorld).hops}}},
	}
}

func searchByPython(client string) func(s *sekisho, program string, env []string) result {
	return func(s *sekisho, program string, env []string) result {
		return s.client(env, python(s.t, client), program)
	}
}

func searchByNode(s *sekisho, program string, env []string) result {
	node, modules := s.nodeIn("js-storage")
	return s.client(append(env, "NODE_PATH="+modules), node, program)
}

func searchByJava(s *sekisho, program string, env []string) result {
	cmd := s.command(os.Environ(), s.java(program)...)
	cmd.Env = append(cmd.Env, env...)
	return execute(s.t, cmd)
}

// managerClient is a client of the control plane. It is an owner of the subscription,
// of its own: this is what it is known by.
type managerClient struct {
	name string
	pins []pin
	tell func(s *sekisho)
}

func managerClients() []managerClient {
	return []managerClient{
		{"az", pinsOf("clients/azure-cli.txt", "azure-cli"), azManagesSearch},
		{"Python", pinsOf("clients/azure-mgmt.txt", "azure-mgmt-search", "azure-mgmt-resource"), pythonManagesSearch},
		{"HTTP", nil, httpManagesSearch},
	}
}

// searchWorld is what the stories share.
type searchWorld struct {
	*sekisho
	admin  *caller
	region string // of services
}

// searchRegions are where the services of each client are: a subscription has 16 of a
// tier in each.
var searchRegions = []string{"japaneast", "japanwest", "eastus", "westeurope", "southeastasia"}

func newSearchWorld(t *testing.T) *searchWorld {
	s := start(t)
	w := &searchWorld{s, s.arm(), searchRegions[0]}
	for _, provider := range []string{"Microsoft.Search", "Microsoft.Storage"} {
		w.admin.do(t, http.MethodPost, "/subscriptions/"+s.SubscriptionID+"/providers/"+provider+"/register?api-version=2022-12-01", nil, nil)
	}
	return w
}

// in is the same world in a test below its own.
func (w *searchWorld) in(t *testing.T) *searchWorld {
	return &searchWorld{w.sekisho.in(t), w.admin, w.region}
}

// as is the same instance, whose automation is another application.
func (s *sekisho) as(app, secret string) *sekisho {
	s = s.in(s.t)
	s.Automation.ClientID, s.Automation.ClientSecret = app, secret
	return s
}

// application is a principal with a role at a scope.
func (w *searchWorld) application(name, scope, role string) (app, secret string) {
	w.t.Helper()
	app, secret, object := w.principal(name)
	w.assign(w.admin, uuid.NewString(), scope, role, object)
	return app, secret
}

const searchVersion = "?api-version=2025-05-01"

// searchService is a search service that takes keys and tokens, and has an identity.
type searchService struct{ id, name, identity, adminKey, queryKey string }

func (w *searchWorld) searchService(name string) searchService {
	w.t.Helper()
	made := searchService{id: w.scope("/providers/Microsoft.Search/searchServices/" + name), name: name}
	var service struct{ Identity struct{ PrincipalID string } }
	w.admin.do(w.t, http.MethodPut, made.id+searchVersion, object{"location": w.region, "sku": object{"name": "basic"}, "identity": object{"type": "SystemAssigned"},
		"properties": object{"semanticSearch": "free", "authOptions": object{"aadOrApiKey": object{"aadAuthFailureMode": "http403"}}}}, &service)
	var admins struct{ PrimaryKey string }
	w.admin.do(w.t, http.MethodPost, made.id+"/listAdminKeys"+searchVersion, nil, &admins)
	var query struct{ Key string }
	w.admin.do(w.t, http.MethodPost, made.id+"/createQueryKey/story"+searchVersion, nil, &query)
	made.identity, made.adminKey, made.queryKey = service.Identity.PrincipalID, admins.PrimaryKey, query.Key
	return made
}

// searchURL is where a door leads to a service.
func searchURL(d door, environment []string, name string) string {
	if own, ok := strings.CutPrefix(environment[0], "DOOR_URL="); ok && d.own() {
		return own + "/-/search/" + name
	}
	return "https://" + name + ".search.windows.net"
}

// servicesOf is how the names of a client's services begin.
func servicesOf(client string) string {
	return "srch-" + strings.ToLower(strings.ReplaceAll(client, " ", "")) + "-"
}

// ofServices are the records of a client's services.
func ofServices(client string) func(auditRecord) bool {
	return func(r auditRecord) bool { return strings.Contains(r.Scope, "/searchServices/"+servicesOf(client)) }
}

func (w *searchWorld) story(c searchClient, s searchStory, d door, name string) {
	w.t.Helper()
	of := w.searchService(name)
	env := d.environment(w.sekisho)
	env = append(env, "SERVICE="+searchURL(d, env, name), "SERVICE_KEY="+of.adminKey, "QUERY_KEY="+of.queryKey, "HOTELS="+program(w.t, "search/hotels.json"), "KINDS="+program(w.t, "search/kinds.json"))
	if s.needs != nil {
		env = append(env, s.needs(w, of)...)
	}
	var steps []seenStep
	for _, step := range s.steps {
		if seen, ok := s.other[step.name]; ok {
			step.seen = seen
		}
		if step.seen != "" {
			steps = append(steps, seenStep{step.name, c.errors.Replace(strings.ReplaceAll(step.seen, "SERVICE", name))})
		}
	}
	hear(w.t, c.tell(w.sekisho, program(w.t, filepath.Join("search", s.program)), env).ok(), steps)
}

func TestEverySDKDoesEveryOperationOfAISearchAndEachRoleOfAServiceIsOneHop(t *testing.T) {
	t.Parallel()
	w := newSearchWorld(t)
	data := driven{part: "search", service: "search"}
	control := driven{part: "search services", service: "arm", provider: "Microsoft.Search/"}
	t.Run("by", func(t *testing.T) {
		for n, c := range searchClients() {
			data.uses(t, c.name, c.pins)
			data.expect(c.name, ofServices(c.name), c.lacks...)
			for i, s := range c.stories {
				for _, d := range s.doors {
					t.Run(c.name+" "+s.program+" by "+d.String(), func(t *testing.T) {
						t.Parallel()
						w := w.in(t)
						w.region = searchRegions[n%len(searchRegions)]
						w.story(c, s, d, fmt.Sprintf("%s%d-%d", servicesOf(c.name), i, d))
					})
				}
			}
		}
		t.Run(pythonPreview+" shows each user their documents", func(t *testing.T) {
			t.Parallel()
			w.in(t).seen(servicesOf(pythonPreview) + "seen")
		})
		data.expect("HTTP", ofServices("HTTP"))
		t.Run("HTTP gets", func(t *testing.T) {
			t.Parallel()
			w.in(t).gets(servicesOf("HTTP") + "gets")
		})
		for _, c := range managerClients() {
			app, secret := w.application(c.name, "/subscriptions/"+w.SubscriptionID, roleOwner)
			if c.pins != nil {
				control.uses(t, c.name, c.pins)
			}
			control.expect(c.name, func(r auditRecord) bool { return r.App == app })
			t.Run(c.name+" manages", func(t *testing.T) {
				t.Parallel()
				c.tell(w.in(t).as(app, secret))
			})
		}
	})
	data.compare(t, w.audit())
	control.compare(t, w.audit())
}
