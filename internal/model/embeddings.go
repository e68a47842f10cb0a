package model

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
)

// maxEmbedded is how many tokens all inputs of a request may have together.
const maxEmbedded = 300000

type embeddingsRequest struct {
	inputs     []input
	dimensions int
	base64     bool
}

type embeddingList struct {
	Object string         `json:"object"`
	Data   []embedding    `json:"data"`
	Model  string         `json:"model"`
	Usage  embeddingUsage `json:"usage"`
}

type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	// Embedding is a []float32, or its little-endian bytes in base64.
	Embedding any `json:"embedding"`
}

// embeddingUsage has no completion_tokens, as there is no completion.
type embeddingUsage struct {
	PromptTokens int `json:"prompt_tokens"`
	TotalTokens  int `json:"total_tokens"`
}

func embed(ctx context.Context, req Request) (*Reply, error) {
	r, cost, bad := decodeEmbeddings(req)
	if bad != nil {
		return nil, bad
	}
	list := embeddingList{Object: "list", Model: req.Model, Usage: embeddingUsage{cost.PromptTokens, cost.TotalTokens}}
	for i, in := range r.inputs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e := embedding{Object: "embedding", Index: i}
		v := vector(in.text, r.dimensions)
		if e.Embedding = v; r.base64 {
			e.Embedding = littleEndian(v)
		}
		list.Data = append(list.Data, e)
	}
	body, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	return &Reply{ContentType: JSON, Body: io.NopCloser(bytes.NewReader(body)), Usage: cost}, nil
}

func decodeEmbeddings(req Request) (r embeddingsRequest, cost *Usage, bad *InputError) {
	d := &decoder{}
	root := d.body(req.Body)
	if v := root.get("input"); d.required(v) {
		r.inputs = d.inputs(v, req.Model)
	}
	known := factsOf(req.Model)
	asked := root.get("dimensions")
	if !asked.absent() && known.fixed {
		d.fail(badInput("", "dimensions", "This model does not support specifying dimensions."))
	}
	r.dimensions = d.integer(asked, 1, known.maxDimensions, known.dimensions)
	r.base64 = d.oneOf(root.get("encoding_format"), "float", "base64") == "base64"
	d.text(root.get("user"))
	cost = &Usage{}
	for _, in := range r.inputs {
		if in.text == "" {
			d.fail(badInput("", "input", "Invalid 'input': input cannot be an empty string."))
		}
		d.fits(req.Model, "input", in.tokens, 0)
		cost.PromptTokens += in.tokens
	}
	cost.TotalTokens = cost.PromptTokens
	if cost.PromptTokens > maxEmbedded {
		d.fail(badInput("max_tokens_per_request", "input", "Requested %d tokens, max %d tokens per request", cost.PromptTokens, maxEmbedded))
	}
	return r, cost, d.err
}

func littleEndian(v []float32) string {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
