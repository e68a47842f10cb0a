package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/api"
)

// Schemes of the Authorization header that an account key signs for.
const (
	sharedKeyScheme     = "SharedKey"
	sharedKeyLiteScheme = "SharedKeyLite"
)

// maxAge is how old a signed request may be. Source: rest-storageservices
// authorize-with-shared-key.md, "Specifying the Date header".
const maxAge = 15 * time.Minute

// sharedKey verifies a request that an account key signed.
func (s *Storage) sharedKey(call *api.Call, scheme, rest string) (*api.Signed, error) {
	r := call.Request
	name, given, ok := parseSharedKey(rest)
	if !ok {
		return nil, malformedAuthorization()
	}
	account := accountName(call)
	if name != account {
		return nil, bad(call, "the Authorization header is of account %q, the request of account %q", name, account)
	}
	date := r.Header.Get("x-ms-date")
	if date == "" {
		date = r.Header.Get("Date")
	}
	at, err := http.ParseTime(date)
	switch age := s.now().Sub(at); {
	case err != nil:
		return nil, bad(call, "the request has neither a valid x-ms-date nor a valid Date")
	case age > maxAge:
		return nil, bad(call, "Request date header too old: '%s'", httpTime(at))
	case age < -maxAge:
		return nil, bad(call, "Request date header is in the future: '%s'", httpTime(at))
	}
	text := stringToSign(r, account, canonicalPath(call))
	if scheme == sharedKeyLiteScheme {
		text = stringToSignLite(r, account, canonicalPath(call))
	}
	key, err := s.signingKey(call, []byte(text), given)
	if err != nil {
		return nil, err
	}
	if key == "" {
		return nil, bad(call, "The MAC signature found in the HTTP request '%s' is not the same as any computed signature. Server used following string to sign: '%s'.", base64.StdEncoding.EncodeToString(given), withoutSecrets(text))
	}
	return &api.Signed{Caller: api.Caller{Credential: api.SharedKey, Tenant: call.Target.Tenant, Name: key}, Whole: true, ByKey: true}, nil
}

// parseSharedKey takes "account:signature" apart.
func parseSharedKey(text string) (account string, signature []byte, ok bool) {
	account, encoded, found := strings.Cut(strings.TrimSpace(text), ":")
	signature, err := base64.StdEncoding.DecodeString(encoded)
	return account, signature, found && account != "" && err == nil && len(signature) == sha256.Size
}

// signingKey names the account key that signed a text; empty if none did. It
// tries both, however soon one fits.
func (s *Storage) signingKey(call *api.Call, text, signature []byte) (string, error) {
	keys, err := s.reader.Keys(call.Request.Context(), string(call.Target.Scope))
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

// sign signs with an account key, which is in base64.
func sign(key string, text []byte) []byte {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) == 0 {
		return nil // and fits no signature
	}
	return digest(raw, text)
}

func digest(key, text []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil)
}

// canonicalPath is the path as the client wrote it: under Sekisho's own name it
// begins with what leads to the account, after which the slash may be missing.
func canonicalPath(call *api.Call) string {
	path := call.Request.URL.EscapedPath()
	if base, err := url.Parse(call.Origin.Base); err == nil {
		path = base.EscapedPath() + path
		if written, _, _ := strings.Cut(call.Request.RequestURI, "?"); written != "" && written == base.EscapedPath() {
			path = written
		}
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
	lines := []string{r.Method, h.Get("Content-Encoding"), h.Get("Content-Language"), signedLength(r), h.Get("Content-MD5"), h.Get("Content-Type"), signedDate(h),
		h.Get("If-Modified-Since"), h.Get("If-Match"), h.Get("If-None-Match"), h.Get("If-Unmodified-Since"), h.Get("Range")}
	lines = append(lines, canonicalHeaders(h)...)
	return strings.Join(lines, "\n") + "\n" + canonicalResource(r.URL, account, path)
}

// stringToSignLite is what SharedKeyLite signs. Source: authorize-with-shared-key.md,
// "Blob, Queue, and File Services (Shared Key Lite authorization)".
func stringToSignLite(r *http.Request, account, path string) string {
	h := r.Header
	lines := append([]string{r.Method, h.Get("Content-MD5"), h.Get("Content-Type"), signedDate(h)}, canonicalHeaders(h)...)
	resource := "/" + account + path
	if comp := r.URL.Query().Get("comp"); comp != "" {
		resource += "?comp=" + comp
	}
	return strings.Join(lines, "\n") + "\n" + resource
}

// secretHeaders bear secrets, and are signed.
var secretHeaders = []string{"authorization", "x-ms-copy-source", "x-ms-copy-source-authorization", "x-ms-encryption-key", "x-ms-source-encryption-key", "sig"}

// withoutSecrets is a text that was to be signed, as it may be shown and recorded.
func withoutSecrets(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if name, _, ok := strings.Cut(line, ":"); ok && slices.Contains(secretHeaders, strings.ToLower(name)) {
			lines[i] = name + ":(not shown)"
		}
	}
	return strings.Join(lines, "\n")
}

// signedLength is empty for a request without a body. Source:
// authorize-with-shared-key.md, "Content-Length header in version 2014-02-14 and earlier".
func signedLength(r *http.Request) string {
	length := r.Header.Get("Content-Length")
	if length == "" && r.ContentLength > 0 {
		length = strconv.FormatInt(r.ContentLength, 10)
	}
	if length == "0" && r.Header.Get("x-ms-version") > "2014-02-14" {
		return ""
	}
	return length
}

// signedDate is empty where x-ms-date is among the canonical headers.
func signedDate(h http.Header) string {
	if h.Get("x-ms-date") != "" {
		return ""
	}
	return h.Get("Date")
}

// canonicalHeaders are the x-ms- headers as lines, in Storage's order. White
// space within a value stays as it is, as every SDK signs it. Source:
// authorize-with-shared-key.md, "Constructing the canonicalized headers string"
// and, of empty values, "Shared Key authorization ... 2016-05-31".
func canonicalHeaders(h http.Header) []string {
	values := map[string]string{}
	var names []string
	for name, all := range h {
		lower := strings.ToLower(name)
		value := strings.TrimSpace(strings.Join(all, ","))
		if !strings.HasPrefix(lower, "x-ms-") || value == "" && h.Get("x-ms-version") < "2016-05-31" {
			continue
		}
		if _, twice := values[lower]; !twice {
			names = append(names, lower)
		}
		values[lower] = value
	}
	slices.SortFunc(names, compareHeaders)
	lines := make([]string, len(names))
	for i, name := range names {
		lines[i] = name + ":" + values[name]
	}
	return lines
}

// headerOrder is how Storage orders the characters of header names: as Windows
// sorts words, which is not by their codes. A hyphen and an apostrophe count only
// where names are otherwise the same. Source: the SDKs' own signing, azure-storage-blob
// _shared/authentication.py, @azure/storage-common SharedKeyComparator.ts.
const headerOrder = "!#$%&*.^_`|~+0123456789abcdefghijklmnopqrstuvwxyz"

func compareHeaders(a, b string) int {
	plain := strings.NewReplacer("-", "", "'", "")
	x, y := plain.Replace(a), plain.Replace(b)
	for i := range min(len(x), len(y)) {
		if c := strings.IndexByte(headerOrder, x[i]) - strings.IndexByte(headerOrder, y[i]); c != 0 {
			return c
		}
	}
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	for i := range min(len(a), len(b)) {
		if minor(a[i]) != minor(b[i]) {
			if minor(a[i]) {
				return 1
			}
			return -1
		}
	}
	return strings.Compare(a, b)
}

func minor(c byte) bool { return c == '-' || c == '\'' }

// canonicalResource names the account, the path and every query parameter.
// Source: authorize-with-shared-key.md, "Constructing the canonicalized resource
// string", "2009-09-19 and later Shared Key format".
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
