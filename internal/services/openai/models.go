package openai

import (
	"slices"
	"strings"
	"sync/atomic"

	"sekisho/internal/model"
)

// catalogModel is one version of a model that a deployment may name.
type catalogModel struct {
	Name, Version string
	Default       bool
	Operations    []model.Operation
}

// catalog is what can be deployed. The configuration may add to it while calls
// are under way.
type catalog struct {
	all atomic.Pointer[[]catalogModel]
}

var (
	chat  = []model.Operation{model.Chat}
	text  = []model.Operation{model.Completions}
	embed = []model.Operation{model.Embeddings}
)

// azureModels are Azure's names and versions of models.
// Source: azure-ai-docs openai/concepts/models.md.
var azureModels = []catalogModel{
	{"gpt-35-turbo", "0301", false, chat},
	{"gpt-35-turbo", "0613", false, chat},
	{"gpt-35-turbo", "1106", false, chat},
	{"gpt-35-turbo", "0125", true, chat},
	{"gpt-35-turbo-16k", "0613", true, chat},
	{"gpt-35-turbo-instruct", "0914", true, text},
	{"gpt-4", "0613", false, chat},
	{"gpt-4", "1106-Preview", false, chat},
	{"gpt-4", "0125-Preview", false, chat},
	{"gpt-4", "turbo-2024-04-09", true, chat},
	{"gpt-4-32k", "0613", true, chat},
	{"gpt-4o", "2024-05-13", false, chat},
	{"gpt-4o", "2024-08-06", false, chat},
	{"gpt-4o", "2024-11-20", true, chat},
	{"gpt-4o-mini", "2024-07-18", true, chat},
	{"gpt-4.1", "2025-04-14", true, chat},
	{"gpt-4.1-mini", "2025-04-14", true, chat},
	{"gpt-4.1-nano", "2025-04-14", true, chat},
	{"text-embedding-ada-002", "1", false, embed},
	{"text-embedding-ada-002", "2", true, embed},
	{"text-embedding-3-small", "1", true, embed},
	{"text-embedding-3-large", "1", true, embed},
}

func newCatalog(configured []string) *catalog {
	c := &catalog{}
	c.configure(configured)
	return c
}

// configure makes the catalog Azure's models and those that the configuration
// names beside them.
func (c *catalog) configure(names []string) {
	all := slices.Clone(azureModels)
	for _, name := range names {
		if !slices.ContainsFunc(all, func(m catalogModel) bool { return strings.EqualFold(m.Name, name) }) {
			all = append(all, catalogModel{name, "1", true, []model.Operation{model.Chat, model.Completions, model.Embeddings}})
		}
	}
	c.all.Store(&all)
}

// models is an iter.Seq2 over what is in the catalog.
func (c *catalog) models(yield func(int, catalogModel) bool) { slices.All(*c.all.Load())(yield) }

// find looks a model up; without a version, its default one.
func (c *catalog) find(name, version string) (catalogModel, bool) {
	for _, m := range *c.all.Load() {
		if strings.EqualFold(m.Name, name) && (strings.EqualFold(m.Version, version) || version == "" && m.Default) {
			return m, true
		}
	}
	return catalogModel{}, false
}

func (m catalogModel) can(op model.Operation) bool { return slices.Contains(m.Operations, op) }

// capabilities are as deployments and ARM's model lists name them.
func (m catalogModel) capabilities() map[string]string {
	names := map[model.Operation]string{model.Chat: "chatCompletion", model.Completions: "completion", model.Embeddings: "embeddings"}
	all := map[string]string{}
	for _, op := range m.Operations {
		all[names[op]] = "true"
	}
	return all
}

func (m catalogModel) armView() map[string]any {
	return map[string]any{
		"format": "OpenAI", "name": m.Name, "version": m.Version, "isDefaultVersion": m.Default,
		"maxCapacity": 3, "capabilities": m.capabilities(), "lifecycleStatus": "GenerallyAvailable",
		"skus": []any{map[string]any{"name": "Standard", "usageName": "OpenAI.Standard." + m.Name,
			"capacity": map[string]int{"maximum": 1000, "default": 10}}},
	}
}

// dataView is an entry of GET /openai/models.
func (m catalogModel) dataView() map[string]any {
	return map[string]any{
		"object": "model", "id": m.Name + "-" + strings.ToLower(m.Version), "status": "succeeded", "created_at": 0, "updated_at": 0,
		"lifecycle_status": "generally-available",
		"capabilities": map[string]bool{"fine_tune": false, "inference": true, "completion": m.can(model.Completions),
			"chat_completion": m.can(model.Chat), "embeddings": m.can(model.Embeddings)},
	}
}
