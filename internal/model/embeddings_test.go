package model

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type embeddingsReply[V any] struct {
	Object, Model string
	Data          []struct {
		Object    string
		Index     int
		Embedding V
	}
	Usage map[string]int
}

func TestEmbeddings(t *testing.T) {
	for _, c := range []struct {
		name, model, body string
		count, length     int
		tokens            int
	}{
		{"one text", "text-embedding-ada-002", `{"input": "hello world"}`, 1, 1536, 2},
		{"several texts", "text-embedding-3-small", `{"input": ["hello world", "hello"], "encoding_format": "float", "user": "u"}`, 2, 1536, 3},
		{"tokens", "text-embedding-ada-002", `{"input": [15339, 1917]}`, 1, 1536, 2},
		{"tokens of several texts", "text-embedding-ada-002", `{"input": [[15339, 1917], [15339]]}`, 2, 1536, 3},
		{"the model's own dimensions", "text-embedding-3-large", `{"input": "hello"}`, 1, 3072, 1},
		{"fewer dimensions", "text-embedding-3-large", `{"input": "hello", "dimensions": 256}`, 1, 256, 1},
		{"one dimension", "text-embedding-3-small", `{"input": "hello world", "dimensions": 1}`, 1, 1, 2},
		{"as many as there may be", "my-own", `{"input": "hello", "dimensions": 3072}`, 1, 3072, 1},
		{"a model that nobody knows", "my-own", `{"input": "hello"}`, 1, 1536, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			reply, data := send(t, Embeddings, c.model, c.body)
			got := parse[embeddingsReply[[]float32]](t, data)
			if got.Object != "list" || got.Model != c.model || len(got.Data) != c.count || len(got.Usage) != 2 {
				t.Fatalf("got %.200s", data)
			}
			for i, d := range got.Data {
				if d.Object != "embedding" || d.Index != i || len(d.Embedding) != c.length || math.Abs(dot(d.Embedding, d.Embedding)-1) > 1e-5 {
					t.Errorf("embedding %d: %s, index %d, %d dimensions", i, d.Object, d.Index, len(d.Embedding))
				}
			}
			if got.Usage["prompt_tokens"] != c.tokens || got.Usage["total_tokens"] != c.tokens || reply.Usage.TotalTokens != c.tokens {
				t.Errorf("usage %v and %+v, want %d", got.Usage, reply.Usage, c.tokens)
			}
		})
	}
}

func TestTokensEmbedAsTheirText(t *testing.T) {
	_, a := send(t, Embeddings, "text-embedding-ada-002", `{"input": "hello world"}`)
	_, b := send(t, Embeddings, "text-embedding-ada-002", `{"input": [[15339, 1917]]}`)
	if string(a) != string(b) {
		t.Error("they differ")
	}
}

func TestBase64IsTheSameVector(t *testing.T) {
	_, asFloat := send(t, Embeddings, "my-own", `{"input": "鍵をローテーションする", "encoding_format": "float"}`)
	_, asBase64 := send(t, Embeddings, "my-own", `{"input": "鍵をローテーションする", "encoding_format": "base64"}`)
	want := parse[embeddingsReply[[]float32]](t, asFloat).Data[0].Embedding
	raw, err := base64.StdEncoding.DecodeString(parse[embeddingsReply[string]](t, asBase64).Data[0].Embedding)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, len(raw)/4)
	for i := range got {
		got[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	if !slices.Equal(got, want) {
		t.Error("they differ")
	}
}

func TestEmbeddingsRefuse(t *testing.T) {
	array := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") + "]" }
	for _, c := range []struct{ name, model, body, code, param, text string }{
		{"no input", "my-own", `{}`, "missing_required_parameter", "input", ""},
		{"null", "my-own", `{"input": null}`, "missing_required_parameter", "input", ""},
		{"an empty text", "my-own", `{"input": ""}`, "", "input", "empty string"},
		{"an empty text among others", "my-own", `{"input": ["a", ""]}`, "", "input", "empty string"},
		{"no texts", "my-own", `{"input": []}`, "empty_array", "input", ""},
		{"no tokens", "my-own", `{"input": [[]]}`, "empty_array", "input[0]", ""},
		{"another type", "my-own", `{"input": true}`, "invalid_type", "input", "got a boolean"},
		{"another type inside", "my-own", `{"input": ["a", {}]}`, "invalid_type", "input[1]", "got an object"},
		{"too many texts", "my-own", `{"input": ` + array(2049) + `}`, "array_above_max_length", "input", "maximum length 2048, but got an array with length 2049"},
		{"no dimensions", "my-own", `{"input": "a", "dimensions": 0}`, "integer_below_min_value", "dimensions", ""},
		{"too many dimensions", "my-own", `{"input": "a", "dimensions": 3073}`, "integer_above_max_value", "dimensions", "3072"},
		{"too many dimensions for the model", "text-embedding-3-small", `{"input": "a", "dimensions": 1537}`, "integer_above_max_value", "dimensions", "1536"},
		{"dimensions that are fixed", "text-embedding-ada-002", `{"input": "a", "dimensions": 1536}`, "", "dimensions", "does not support specifying dimensions"},
		{"an unknown encoding", "my-own", `{"input": "a", "encoding_format": "hex"}`, "invalid_value", "encoding_format", "hex"},
		{"too long a text", "text-embedding-ada-002", `{"input": "` + strings.Repeat("hello ", 8192) + `"}`, "context_length_exceeded", "input",
			"maximum context length is 8192 tokens, however you requested 8193 tokens (8193 in your prompt; 0 for the completion)"},
		{"too much text", "my-own", `{"input": "` + strings.Repeat("hello ", 300001) + `"}`, "max_tokens_per_request", "input", "max 300000"},
	} {
		t.Run(c.name, func(t *testing.T) { wantInputError(t, Embeddings, c.model, c.body, c.code, c.param, c.text) })
	}
	send(t, Embeddings, "my-own", `{"input": `+array(2048)+`, "dimensions": 2}`)
}

func TestLikeTextsAreNear(t *testing.T) {
	for _, c := range []struct{ text, near, far string }{
		{"How do I rotate the account keys?", "Rotating account keys without downtime", "The cafeteria serves lunch at noon."},
		{"Assign a role to the managed identity", "role assignments for managed identities", "Bicycles are sold in Kyoto"},
		{"The founders of the company", "Who founded this company?", "Who opened this window?"},
		{"private endpoint configuration", "configuring private endpoints", "vacation policy for employees"},
		{"アカウントキーをローテーションする", "アカウントのキーのローテーション手順", "京都の天気は晴れです"},
		{"マネージドIDにロールを割り当てる", "マネージド ID へのロールの割り当て", "有給休暇の申請方法"},
		{"有給休暇は何日ですか", "有給休暇は年に20日です。", "会議室は3階にあります。"},
		{"ｱｸｾｽ制御 ＡＺＵＲＥ", "Azure のアクセス制御", "りんごは赤いです"},
	} {
		for _, dimensions := range []int{256, 1536, 3072} {
			v := vector(c.text, dimensions)
			near, far := dot(v, vector(c.near, dimensions)), dot(v, vector(c.far, dimensions))
			if near < far+0.15 {
				t.Errorf("%q with %d dimensions: %.2f to %q, %.2f to %q", c.text, dimensions, near, c.near, far, c.far)
			}
		}
	}
}

func TestEveryTextHasAVectorOfLengthOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("ab 。、鍵キー!?")))).Draw(t, "text")
		dimensions := rapid.IntRange(1, 64).Draw(t, "dimensions")
		v := vector(text, dimensions)
		if len(v) != dimensions || math.Abs(dot(v, v)-1) > 1e-5 {
			t.Fatalf("the length of %v is %v", v, dot(v, v))
		}
		if fmt.Sprint(v) != fmt.Sprint(vector(text, dimensions)) {
			t.Fatal("a second time it is another")
		}
	})
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
