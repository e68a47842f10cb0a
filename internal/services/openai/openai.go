package openai

import (
	"net/http"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/model"
)

// Models gives the model that answers for a model name.
type Models interface {
	For(name string) model.Model
}

// OpenAI is the service.
type OpenAI struct {
	resources *arm.Manager
	reader    *arm.Reader
	keys      *arm.Keys
	models    Models
	catalog   *catalog
	duties    atomic.Pointer[Duties]
	limits    limits
	now       func() time.Time
	// known holds what deployments were decoded to, by etag.
	known *lru.Cache[string, deployment]
}

// versions are api-versions of the provider's types, the newest first.
var versions = []string{"2025-06-01", "2024-10-01", "2023-05-01", "2022-12-01"}

// knownDeployments bounds the cache of decoded deployments.
const knownDeployments = 4096

// New makes the service's declarations; Attach completes it. configured are
// names of models beside Azure's own.
func New(keys *arm.Keys, models Models, configured []string) *OpenAI {
	known, err := lru.New[string, deployment](knownDeployments)
	if err != nil {
		panic(err) // of a size below 1 only
	}
	s := &OpenAI{keys: keys, models: models, catalog: newCatalog(configured), known: known}
	s.Configure(Duties{}, configured)
	return s
}

// Attach gives the service the resources, which are made of its declarations,
// and the clock by which deleted accounts go.
func (s *OpenAI) Attach(resources *arm.Manager, reader *arm.Reader, now func() time.Time) {
	s.resources, s.reader, s.now = resources, reader, now
}

// Types are the resource types of Microsoft.CognitiveServices.
func (s *OpenAI) Types() []*arm.Type {
	return []*arm.Type{s.accounts(), s.deployments()}
}

// ControlPlane are the rows of ARM that belong to no resource.
func (s *OpenAI) ControlPlane() []api.Operation {
	return append(s.deletedOperations(), s.offerOperations()...)
}

// dataSource is where the data actions of the calls are from.
const dataSource = "azure-docs role-based-access-control/permissions/ai-machine-learning.md, Microsoft.CognitiveServices data actions"

// actions is the prefix of Azure OpenAI's data actions.
const actions = accountType + "/OpenAI/"

// maxBody bounds a request of the data plane.
const maxBody = 16 << 20

// DataPlane is the table of {account}.openai.azure.com.
func (s *OpenAI) DataPlane() api.Service {
	return api.Service{
		Name:        Service,
		Audiences:   []string{"https://cognitiveservices.azure.com", "https://ai.azure.com", "7d312290-28c8-473c-a0ed-8e53749b6d6d"},
		ForAccounts: true, MaxBody: maxBody, WriteError: writeError,
		Operations: append(s.inference(), s.lists()...),
	}
}

func (s *OpenAI) inference() []api.Operation {
	var rows []api.Operation
	for _, op := range []struct {
		name   string
		op     model.Operation
		checks func(*api.Call) ([]api.Check, error)
	}{
		{"ChatCompletions_Create", model.Chat, chatChecks},
		{"Completions_Create", model.Completions, nil},
		{"Embeddings_Create", model.Embeddings, nil},
	} {
		row := api.Operation{Method: http.MethodPost, Name: op.name, Action: actions + "deployments/" + string(op.op) + "/action", Data: true,
			Source: dataSource, Keys: true, Checks: op.checks}
		dated, v1 := row, row
		dated.Pattern = "/openai/deployments/{deployment-id}/" + string(op.op)
		dated.Handle = func(w http.ResponseWriter, call *api.Call) error { return s.inferDated(w, call, op.op) }
		v1.Pattern, v1.BearerKeys = "/openai/v1/"+string(op.op), true
		v1.Handle = func(w http.ResponseWriter, call *api.Call) error { return s.inferV1(w, call, op.op) }
		rows = append(rows, dated, v1)
	}
	return rows
}

func (s *OpenAI) lists() []api.Operation {
	read := func(pattern, name, action string, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		return api.Operation{Method: http.MethodGet, Pattern: pattern, Name: name, Action: actions + action, Data: true,
			Source: dataSource, Keys: true, Handle: dated(handle)}
	}
	v1 := func(op api.Operation, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		op.BearerKeys, op.Handle = true, handle
		return op
	}
	return []api.Operation{
		read("/openai/models", "Models_List", "models/read", s.listModels),
		read("/openai/models/{model-id}", "Models_Get", "models/read", s.getModel),
		read("/openai/deployments", "Deployments_List", "deployments/read", s.listDeployments),
		read("/openai/deployments/{deployment-id}", "Deployments_Get", "deployments/read", s.getDeployment),
		v1(read("/openai/v1/models", "Models_ListV1", "models/read", nil), s.listModelsV1),
		v1(read("/openai/v1/models/{model-id}", "Models_GetV1", "models/read", nil), s.getModelV1),
	}
}
