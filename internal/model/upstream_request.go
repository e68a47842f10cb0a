package model

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
)

// rename puts the upstream's name for the model into a request and leaves every
// other byte as the client wrote it. It also reads whether the reply streams.
func rename(body []byte, name string) (renamed []byte, stream bool, bad *InputError) {
	quoted, err := json.Marshal(name)
	open := bytes.IndexByte(body, '{') + 1
	if err != nil || !IsObject(body) {
		return nil, false, badInput("", "", "The request body is not a JSON object.")
	}
	out := make([]byte, 0, len(body)+len(`"model":,`)+len(quoted))
	copied, found, members := 0, false, false
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		members = true
		// Some servers, those in Go among them, read "Model" as "model": left as
		// it is, it would let a client choose a model that was not deployed.
		if strings.EqualFold(key.Str, "model") {
			out = append(append(out, body[copied:value.Index]...), quoted...)
			copied, found = value.Index+len(value.Raw), true
		}
		if key.Str == "stream" {
			stream = value.Type == gjson.True
		}
		return true
	})
	if !found {
		out = append(append(append(out, body[:open]...), `"model":`...), quoted...)
		if members {
			out = append(out, ',')
		}
		copied = open
	}
	return append(out, body[copied:]...), stream, nil
}

// IsObject tells whether text is one JSON object.
func IsObject(text []byte) bool {
	start := bytes.TrimLeft(text, " \t\r\n")
	return len(start) > 0 && start[0] == '{' && gjson.ValidBytes(text)
}

// passedOn are the request's headers that an upstream may see. The others tell
// of the client's own connection, or are its credentials for Sekisho.
var passedOn = []string{"User-Agent", "X-Ms-Client-Request-Id", "Traceparent", "Tracestate"}

func passOn(header http.Header) http.Header {
	out := make(http.Header, len(passedOn)+2)
	for _, name := range passedOn {
		if values := header[name]; len(values) > 0 {
			out[name] = values
		}
	}
	return out
}
