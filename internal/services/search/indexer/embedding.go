package indexer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sekisho/internal/services/search/parallel"
)

// EmbeddingSkill has a deployment of Azure OpenAI make vectors of texts.
// Source: azure-docs search/cognitive-search-skill-azure-openai-embedding.md.
type EmbeddingSkill struct {
	Common
	Resource   string          `json:"resourceUri,omitempty"`
	Deployment string          `json:"deploymentId,omitempty"`
	Key        string          `json:"apiKey,omitempty"`
	Identity   json.RawMessage `json:"authIdentity"`
	Model      string          `json:"modelName,omitempty"`
	Dimensions *int            `json:"dimensions"`

	pause time.Duration
}

// Since is when skillsets had such. Source: searchservice.json AzureOpenAIEmbeddingSkill.
func (k *EmbeddingSkill) Since() (stable, preview string) { return "2024-07-01", "2023-10-01" }

const (
	// embeddingVersion is of the operation of Azure OpenAI that is called.
	embeddingVersion = "2024-10-21"
	// OpenAIAudience is what a token for Azure OpenAI is for.
	OpenAIAudience = "https://cognitiveservices.azure.com"
	// embeddingBatch is how many texts are sent together.
	embeddingBatch    = 16
	embeddingParallel = 2
	embeddingTimeout  = time.Minute
)

// embeddingModels, and the dimensions that each has at most.
var embeddingModels = map[string]int{"text-embedding-ada-002": 1536, "text-embedding-3-small": 1536, "text-embedding-3-large": 3072}

// openAIHosts are the zones of accounts that have deployments.
var openAIHosts = []string{".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"}

func (k *EmbeddingSkill) plan(old Skill) (err error) {
	before, _ := old.(*EmbeddingSkill)
	if k.Key == Redacted {
		k.Key = ""
		if before != nil {
			k.Key = before.Key
		}
	}
	u, err := url.Parse(k.Resource)
	if err != nil || u.Scheme != "https" || strings.Trim(u.Path, "/") != "" ||
		!slices.ContainsFunc(openAIHosts, func(zone string) bool { return strings.HasSuffix(strings.ToLower(u.Host), zone) }) {
		return invalid("resourceUri", "skill '%s' : resourceUri '%s' is not the endpoint of an Azure OpenAI resource, such as https://name.openai.azure.com.", k.Name, k.Resource)
	}
	if k.Deployment == "" || strings.ContainsAny(k.Deployment, "/?#") {
		return invalid("deploymentId", "skill '%s' : deploymentId is required.", k.Name)
	}
	most, known := embeddingModels[k.Model]
	if !known {
		return invalid("modelName", "skill '%s' : modelName '%s' is invalid. It is one of: text-embedding-ada-002, text-embedding-3-large, text-embedding-3-small.", k.Name, k.Model)
	}
	if d := k.Dimensions; d != nil && (*d < 1 || *d > most || k.Model == "text-embedding-ada-002" && *d != most) {
		return invalid("dimensions", "skill '%s' : dimensions is %d, which the model '%s' does not have.", k.Name, *d, k.Model)
	}
	if k.Identity, err = planIdentity("authIdentity", k.Identity, func() json.RawMessage {
		if before == nil {
			return nil
		}
		return before.Identity
	}); err != nil {
		return err
	}
	k.pause = time.Second
	return k.hold([]string{"text"}, nil, []string{"embedding"})
}

func (k *EmbeddingSkill) hide() {
	if k.Key != "" {
		k.Key = Redacted
	}
}

func (k *EmbeddingSkill) run(ctx context.Context, client Client, records []*record) error {
	var ready []*record
	for _, r := range records {
		text, ok := r.text("text")
		switch {
		case !ok:
		case strings.TrimSpace(text) == "":
			r.warn(inputInvalid, "Required skill input is empty. Name: 'text'", linkInput)
		default:
			ready = append(ready, r)
		}
	}
	parallel.Each(embeddingParallel, slices.Collect(slices.Chunk(ready, embeddingBatch)), func(batch []*record) { k.embed(ctx, client, batch) })
	return ctx.Err()
}

// embed has a batch embedded, or each of it, so that a text that the model refuses
// fails its own document only.
func (k *EmbeddingSkill) embed(ctx context.Context, client Client, batch []*record) {
	texts := make([]string, len(batch))
	for i, r := range batch {
		texts[i], _ = r.in["text"].(string)
	}
	body, _ := json.Marshal(struct {
		Input      []string `json:"input"`
		Dimensions *int     `json:"dimensions,omitempty"`
	}{texts, k.Dimensions})
	header, audience := http.Header{}, OpenAIAudience
	if k.Key != "" {
		header.Set("api-key", k.Key)
		audience = ""
	}
	raw, message, details := post(ctx, client, request{http.MethodPost,
		strings.TrimSuffix(k.Resource, "/") + "/openai/deployments/" + url.PathEscape(k.Deployment) + "/embeddings?api-version=" + embeddingVersion,
		header, body, k.Identity, audience, embeddingTimeout, k.pause})
	if message != "" {
		if len(batch) > 1 && strings.HasPrefix(details, "Web Api response status: 'BadRequest'") {
			for _, r := range batch {
				k.embed(ctx, client, []*record{r})
			}
			return
		}
		for _, r := range batch {
			r.fail(message, details, linkSkill)
		}
		return
	}
	var in struct {
		Data []struct {
			Index     int   `json:"index"`
			Embedding []any `json:"embedding"`
		} `json:"data"`
	}
	if err := decodeNumbers(raw, &in); err != nil || len(in.Data) != len(batch) {
		for _, r := range batch {
			r.fail(responseInvalid, fmt.Sprintf("The response has %d embeddings, and %d are expected.", len(in.Data), len(batch)), linkSkill)
		}
		return
	}
	for _, d := range in.Data {
		if d.Index >= 0 && d.Index < len(batch) {
			batch[d.Index].out = map[string]any{"embedding": d.Embedding}
		}
	}
}
