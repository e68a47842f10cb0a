package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sekisho/internal/api"
)

// credential knows the signatures of Storage on a request.
func (s *Storage) credential(call *api.Call) (*api.Signed, error) {
	scheme, rest, _ := strings.Cut(call.Request.Header.Get("Authorization"), " ")
	if scheme == "SharedKey" {
		return s.sharedKey(call, rest)
	}
	return nil, nil
}

// bad is the answer to a signature that does not verify.
func bad(call *api.Call, format string, args ...any) error {
	return &api.Refusal{Reason: api.BadSignature, Cause: fmt.Sprintf(format, args...), Caller: call.Caller, Tenant: call.Target.Tenant}
}

// maxAge is how old a signed request may be. Source:
// rest-storageservices authorize-with-shared-key.md, "Specifying the Date header".
const maxAge = 15 * time.Minute

// sharedKey verifies a request that an account key signed.
func (s *Storage) sharedKey(call *api.Call, rest string) (*api.Signed, error) {
	name, signature, ok := strings.Cut(rest, ":")
	if !ok || !strings.EqualFold(name, accountName(call)) {
		return nil, bad(call, "the Authorization header is not of the form \"SharedKey <account>:<signature>\" for this account")
	}
	r := call.Request
	date := r.Header.Get("x-ms-date")
	if date == "" {
		date = r.Header.Get("Date")
	}
	at, err := http.ParseTime(date)
	if err != nil {
		return nil, bad(call, "the request has neither x-ms-date nor Date")
	}
	if age := s.now().Sub(at); age > maxAge || age < -maxAge {
		return nil, bad(call, "the request is dated %s, which is more than 15 minutes away", date)
	}
	given, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return nil, bad(call, "the signature is not base64")
	}
	key, err := s.signingKey(call, []byte(stringToSign(r, name, canonicalPath(call))), given)
	if err != nil {
		return nil, err
	}
	if key == "" {
		return nil, bad(call, "the MAC signature found in the HTTP request is not the same as any computed signature. Server used following string to sign: %q", stringToSign(r, name, canonicalPath(call)))
	}
	return &api.Signed{Caller: api.Caller{Credential: "sharedKey", Tenant: call.Target.Tenant, Name: key}, Whole: true, ByKey: true}, nil
}

// signingKey names the account key that signed a text; empty if none did.
func (s *Storage) signingKey(call *api.Call, text, signature []byte) (string, error) {
	keys, err := s.keys.List(call.Request.Context(), string(call.Target.Scope))
	if err != nil {
		return "", err
	}
	found := ""
	for _, name := range keyNames {
		if hmac.Equal(sign(keys[name], text), signature) {
			found = name
		}
	}
	return found, nil
}

func sign(key string, text []byte) []byte {
	raw, _ := base64.StdEncoding.DecodeString(key)
	mac := hmac.New(sha256.New, raw)
	mac.Write(text)
	return mac.Sum(nil)
}

// canonicalPath is the path as the client wrote it: under Sekisho's own name it
// begins with what leads to the account.
func canonicalPath(call *api.Call) string {
	path := call.Request.URL.EscapedPath()
	if base, err := url.Parse(call.Origin.Base); err == nil {
		path = base.EscapedPath() + path
	}
	if path == "" {
		path = "/"
	}
	return path
}

// stringToSign is what a client signs. Source: rest-storageservices
// authorize-with-shared-key.md, "Blob, Queue, and File Services (Shared Key authorization)".
func stringToSign(r *http.Request, account, path string) string {
	h := r.Header
	length := h.Get("Content-Length")
	if length == "" && r.ContentLength > 0 {
		length = fmt.Sprint(r.ContentLength)
	}
	if length == "0" {
		length = ""
	}
	date := h.Get("Date")
	if h.Get("x-ms-date") != "" {
		date = ""
	}
	lines := []string{r.Method, h.Get("Content-Encoding"), h.Get("Content-Language"), length, h.Get("Content-MD5"), h.Get("Content-Type"), date,
		h.Get("If-Modified-Since"), h.Get("If-Match"), h.Get("If-None-Match"), h.Get("If-Unmodified-Since"), h.Get("Range")}
	var own []string
	for name, values := range h {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
			own = append(own, lower+":"+strings.Join(strings.Fields(strings.Join(values, ",")), " "))
		}
	}
	slices.SortFunc(own, func(a, b string) int {
		x, _, _ := strings.Cut(a, ":")
		y, _, _ := strings.Cut(b, ":")
		return strings.Compare(x, y)
	})
	return strings.Join(append(lines, own...), "\n") + "\n" + canonicalResource(r.URL, account, path)
}

func canonicalResource(u *url.URL, account, path string) string {
	all := map[string][]string{}
	var names []string
	for name, values := range u.Query() {
		lower := strings.ToLower(name)
		if all[lower] == nil {
			names = append(names, lower)
		}
		all[lower] = append(all[lower], values...)
	}
	slices.Sort(names)
	text := "/" + account + path
	for _, name := range names {
		slices.Sort(all[name])
		text += "\n" + name + ":" + strings.Join(all[name], ",")
	}
	return text
}
