package model

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// rename puts the upstream's name for the model into a request and leaves every
// other byte as the client wrote it. It also reads whether the reply streams.
func rename(body []byte, name string) (renamed []byte, stream bool, bad *InputError) {
	quoted, err := json.Marshal(name)
	if err != nil || !json.Valid(body) || bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return nil, false, badInput("", "", "The request body is not a JSON object.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.Token() // the brace; a valid object gives no errors from here on
	out, copied, found, members := bytes.Buffer{}, 0, false, false
	open := d.InputOffset()
	for d.More() {
		members = true
		key, _ := d.Token()
		var raw json.RawMessage
		d.Decode(&raw)
		member, _ := key.(string)
		// Some servers, those in Go among them, read "Model" as "model": left as
		// it is, it would let a client choose a model that was not deployed.
		if strings.EqualFold(member, "model") {
			end := int(d.InputOffset())
			out.Write(body[copied : end-len(raw)])
			out.Write(quoted)
			copied, found = end, true
		}
		if member == "stream" {
			stream = string(raw) == "true"
		}
	}
	if !found {
		out.Write(body[:open])
		out.WriteString(`"model":`)
		out.Write(quoted)
		if members {
			out.WriteByte(',')
		}
		copied = int(open)
	}
	out.Write(body[copied:])
	return out.Bytes(), stream, nil
}

// ownConnection are the headers that describe the client's connection or its
// credentials for Sekisho, which are none of the upstream's business.
var ownConnection = []string{
	"Authorization", "Api-Key", "Ocp-Apim-Subscription-Key", "Cookie", "X-Ms-Authorization-Auxiliary",
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect",
	"Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Host",
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip",
}

func passOn(header http.Header) http.Header {
	out := header.Clone()
	if out == nil {
		out = http.Header{}
	}
	for _, list := range header.Values("Connection") {
		for name := range strings.SplitSeq(list, ",") {
			out.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range ownConnection {
		out.Del(name)
	}
	return out
}
