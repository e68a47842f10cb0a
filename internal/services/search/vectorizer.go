package search

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
)

const (
	// vectorizeTimeout is how long a vectorizer may take. Source: azure-rest-api-specs
	// searchservice.json WebApiVectorizer.timeout: 30 seconds.
	vectorizeTimeout = 30 * time.Second
	// maxVectorized bounds a vectorizer's answer.
	maxVectorized = 4 << 20
	// embeddingsVersion is the api-version by which deployments are called.
	embeddingsVersion = "2024-10-21"
	// embeddingsAudience is what tokens for Azure OpenAI are for.
	embeddingsAudience = "https://cognitiveservices.azure.com"
)

// madeBy is a vector that a request needs: one text is made into a vector once for
// all fields of one vectorizer and one number of dimensions.
type madeBy struct {
	vectorizer, text string
	dimensions       int
}

// vectorOf makes the vector of a text, as the profile of a field says.
func (s *Search) vectorOf(call *api.Call, of *schema.Index, f *schema.Field, text string, made map[madeBy][]float32) ([]float32, error) {
	v := vectorizerOf(of, f)
	if v == nil {
		// The text is Azure's, to the letter.
		return nil, invalidVector("InvalidVectorQuery", "vector.fields", "Field '%s' does not have a vectorizer defined in it's vector profile.", f.Name)
	}
	as := madeBy{v.Name, text, f.Dimensions}
	if known, ok := made[as]; ok {
		return known, nil
	}
	var values []float32
	var err error
	service := string(call.Target.Scope)
	switch {
	case v.Kind == "azureOpenAI" && v.AzureOpenAI != nil:
		values, err = s.embed(call.Request.Context(), service, *v.AzureOpenAI, text, f.Dimensions)
	case v.Kind == "customWebApi" && v.WebAPI != nil:
		values, err = s.callWebAPI(call.Request.Context(), service, *v.WebAPI, text)
	default:
		err = api.Errorf(http.StatusBadRequest, "FeatureNotSupported", "Vectorizers of the kind '%s' are not supported.", v.Kind)
	}
	if err == nil {
		made[as] = values
	}
	return values, err
}

func vectorizerOf(of *schema.Index, f *schema.Field) *schema.Vectorizer {
	if of.Vectors == nil {
		return nil
	}
	for _, p := range of.Vectors.Profiles {
		if p.Name != f.VectorProfile || p.Vectorizer == "" {
			continue
		}
		for i := range of.Vectors.Vectorizers {
			if of.Vectors.Vectorizers[i].Name == p.Vectorizer {
				return &of.Vectors.Vectorizers[i]
			}
		}
	}
	return nil
}

// embed calls a deployment of Azure OpenAI, with its key or as the search service.
// Source: azure-ai-docs search/vector-search-vectorizer-azure-open-ai.
func (s *Search) embed(ctx context.Context, service string, with schema.AzureOpenAI, text string, dimensions int) ([]float32, error) {
	body := map[string]any{"input": text}
	if strings.HasPrefix(with.ModelName, "text-embedding-3-") {
		body["dimensions"] = dimensions // models of the third generation shorten what they make
	}
	at := strings.TrimSuffix(with.ResourceURI, "/") + "/openai/deployments/" + url.PathEscape(with.DeploymentID) + "/embeddings?api-version=" + embeddingsVersion
	header, audience := http.Header{}, embeddingsAudience
	if with.APIKey != "" {
		header.Set("api-key", with.APIKey)
		audience = ""
	}
	ctx, cancel := context.WithTimeout(ctx, vectorizeTimeout)
	defer cancel()
	var out struct {
		Data []struct {
			Embedding numbers `json:"embedding"`
		} `json:"data"`
	}
	if err := s.vectorize(ctx, service, with.AuthIdentity, audience, http.MethodPost, at, header, body, &out); err != nil {
		return nil, err
	}
	if len(out.Data) != 1 || out.Data[0].Embedding == nil {
		return nil, failedToVectorize("The vectorization endpoint returned an invalid response.", errors.New("it has no embedding"))
	}
	return out.Data[0].Embedding, nil
}

// callWebAPI calls a vectorizer that anyone may write.
// Source: azure-ai-docs search/vector-search-vectorizer-custom-web-api.
func (s *Search) callWebAPI(ctx context.Context, service string, with schema.WebAPI, text string) ([]float32, error) {
	timeout := vectorizeTimeout
	if with.Timeout != "" {
		var err error
		if timeout, err = schema.ParseDuration(with.Timeout); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	header := http.Header{}
	for name, value := range with.Headers {
		header.Set(name, value)
	}
	method := cmp.Or(with.Method, http.MethodPost)
	type record struct {
		ID   string `json:"recordId"`
		Data any    `json:"data"`
	}
	body := map[string]any{"values": []record{{ID: "0", Data: map[string]any{"text": text}}}}
	var out struct {
		Values []struct {
			Data struct {
				Vector numbers `json:"vector"`
			} `json:"data"`
			Errors []struct {
				Message string `json:"message"`
			} `json:"errors"`
		} `json:"values"`
	}
	audience := strings.TrimSuffix(with.AuthResourceID, "/.default")
	if err := s.vectorize(ctx, service, with.AuthIdentity, audience, method, with.URI, header, body, &out); err != nil {
		return nil, err
	}
	const invalid = "The vectorization endpoint returned an invalid response."
	switch {
	case len(out.Values) != 1:
		return nil, failedToVectorize(invalid, fmt.Errorf("it has %d values for the 1 that was sent", len(out.Values)))
	case len(out.Values[0].Errors) > 0:
		return nil, failedToVectorize("The vectorization endpoint returned an error.", errors.New(out.Values[0].Errors[0].Message))
	case out.Values[0].Data.Vector == nil:
		return nil, failedToVectorize(invalid, errors.New("the value has no data.vector"))
	}
	return out.Values[0].Data.Vector, nil
}

// failedToVectorize is Azure's answer where a vectorizer does not do its work; why is
// what it is silent about.
// Source: Azure/azure-search-vector-samples#133 and #325.
func failedToVectorize(how string, why error) *api.Error {
	e := api.Errorf(http.StatusBadGateway, "", "Could not complete vectorization action. %s", how)
	if why != nil {
		e.Details = []api.Error{{Message: why.Error()}}
	}
	return e
}

// vectorize makes one call of a vectorizer.
func (s *Search) vectorize(ctx context.Context, service string, identity json.RawMessage, audience, method, at string, header http.Header, body, out any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	const unreached = "Could not reach the vectorization endpoint."
	req, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(raw))
	if err != nil {
		return failedToVectorize(unreached, nil) // err has the URI, and that may have a key
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	res, err := s.out.Do(ctx, service, identity, audience, req)
	if errors.Is(err, ErrIdentity) {
		return failedToVectorize("The service failed to authenticate to the vectorization endpoint.", err)
	}
	if err != nil {
		return failedToVectorize(unreached, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxVectorized+1))
	switch {
	case err != nil:
		return failedToVectorize(unreached, err)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return failedToVectorize(fmt.Sprintf("The vectorization endpoint returned status code '%d' (%s).", res.StatusCode, strings.ReplaceAll(http.StatusText(res.StatusCode), " ", "")), nil)
	case len(answer) > maxVectorized:
		err = fmt.Errorf("it has more than %d bytes", maxVectorized)
	default:
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		return failedToVectorize("The vectorization endpoint returned an invalid response.", err)
	}
	return nil
}
