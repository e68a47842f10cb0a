package schema

import (
	"net/url"
	"slices"
	"strings"
)

// What a client reads instead of a secret, and what it may write to leave the secret
// as it is.
// Source: azure-ai-docs search/vector-search-vectorizer-custom-web-api, "uri".
const (
	redacted  = "<redacted>"
	unchanged = "<unchanged>"
)

func stays(text string) bool { return text == redacted || text == unchanged }

// hideSecrets takes out the keys by which vectorizers are called.
func (x *Index) hideSecrets() {
	if x.Vectors == nil {
		return
	}
	for _, v := range x.Vectors.Vectorizers {
		if v.AzureOpenAI != nil && v.AzureOpenAI.APIKey != "" {
			v.AzureOpenAI.APIKey = redacted
		}
		if v.WebAPI != nil {
			v.WebAPI.URI = withCode(v.WebAPI.URI, redacted)
			for name := range v.WebAPI.Headers {
				if SecretHeader(name) {
					v.WebAPI.Headers[name] = redacted
				}
			}
		}
	}
}

// keepSecrets puts in those of the definition that is replaced, where the new one
// leaves them as they are.
func (x *Index) keepSecrets(old *Index) {
	if x.Vectors == nil || old.Vectors == nil {
		return
	}
	for _, v := range x.Vectors.Vectorizers {
		was := find(old.Vectors.Vectorizers, func(o Vectorizer) bool { return o.Name == v.Name })
		if was == nil {
			continue
		}
		if v.AzureOpenAI != nil && was.AzureOpenAI != nil && stays(v.AzureOpenAI.APIKey) {
			v.AzureOpenAI.APIKey = was.AzureOpenAI.APIKey
		}
		if v.WebAPI == nil || was.WebAPI == nil {
			continue
		}
		if code := codeOf(v.WebAPI.URI); v.WebAPI.URI == unchanged {
			v.WebAPI.URI = was.WebAPI.URI
		} else if stays(code) {
			v.WebAPI.URI = withCode(v.WebAPI.URI, codeOf(was.WebAPI.URI))
		}
		for name, value := range v.WebAPI.Headers {
			if known, ok := was.WebAPI.Headers[name]; ok && stays(value) {
				v.WebAPI.Headers[name] = known
			}
		}
	}
}

// SecretHeader tells whether a header, of a function that anyone may write, carries what
// others must not read: whoever may read definitions reads the rest.
func SecretHeader(name string) bool {
	return slices.ContainsFunc([]string{"key", "token", "secret", "auth", "code", "password"}, func(word string) bool {
		return strings.Contains(strings.ToLower(name), word)
	})
}

// codeOf is the key of an Azure function, which is a parameter of its URI.
func codeOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Query().Get("code")
}

func withCode(uri, code string) string {
	u, err := url.Parse(uri)
	if err != nil || !u.Query().Has("code") {
		return uri
	}
	query := u.Query()
	query.Set("code", code)
	u.RawQuery = query.Encode()
	return u.String()
}
