package storage_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/internal/servicetest"
)

// Built-in roles of Storage.

const (
	blobReader      = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
	blobContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
	blobOwner       = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
	blobDelegator   = "db58b8e5-c6ad-4a2a-8342-4190687cbf4a"
)

const (
	accountName = "stsample1"
	host        = "https://" + accountName + ".blob.core.windows.net"
	version     = "2026-02-06"
)

// house is an account with a key, and the blob c1/a of five bytes.

type house struct {
	*servicetest.World
	t       *testing.T
	account string // its id
	keys    map[string]string
}

func newHouse(t *testing.T, properties string) *house {
	t.Helper()
	w := servicetest.New(t, servicetest.Builtin)
	h := &house{World: w, t: t, account: w.MakeGroup("rg") + "/providers/Microsoft.Storage/storageAccounts/" + accountName}
	h.configure(properties)
	h.readKeys()
	h.want(201, "", h.signed("PUT", "/con1?restype=container", "", ""))
	h.want(201, "", h.signed("PUT", "/con1/a", "hello", "x-ms-blob-type: BlockBlob"))
	return h
}

// configure makes the account, or changes it.

func (h *house) configure(properties string) {
	h.t.Helper()
	r := h.ARM("PUT", h.account+"?api-version=2024-01-01", `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{`+properties+`}}`)
	if r.Status/100 != 2 {
		h.t.Fatalf("%d %s", r.Status, r.Body)
	}
}

func (h *house) readKeys() {
	h.t.Helper()
	r := h.Need(200, h.ARM("POST", h.account+"/listKeys?api-version=2024-01-01", ""))
	h.keys = map[string]string{}
	for _, one := range r.JSON["keys"].([]any) {
		k := one.(map[string]any)
		h.keys[k["keyName"].(string)] = k["value"].(string)
	}
}

// call makes a call; headers are lines.

func (h *house) call(method, path, body string, as *servicetest.Principal, headers ...string) servicetest.Reply {
	h.t.Helper()
	header := http.Header{"X-Ms-Version": {version}}
	for _, line := range headers {
		if name, value, ok := strings.Cut(line, ": "); ok {
			header.Set(name, value)
		}
	}
	return h.Do(servicetest.Request{Method: method, URL: host + path, Body: body, As: as, Header: header})
}

// signed makes a call that key1 signs.

func (h *house) signed(method, path, body string, headers ...string) servicetest.Reply {
	h.t.Helper()
	return h.signedBy("key1", method, path, body, time.Now(), headers...)
}

func (h *house) signedBy(key, method, path, body string, at time.Time, headers ...string) servicetest.Reply {
	h.t.Helper()
	date := at.UTC().Format(http.TimeFormat)
	u, _ := url.Parse(path)
	lines := []string{"x-ms-date:" + date, "x-ms-version:" + version}
	for _, line := range headers {
		if name, value, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(name, "x-ms-") {
			lines = append([]string{name + ":" + value}, lines...) // x-ms-blob-type sorts first
		}
	}
	length := ""
	if body != "" {
		length = itoa(len(body))
	}
	text := method + "\n\n\n" + length + "\n\n\n\n\n\n\n\n\n" + strings.Join(lines, "\n") + "\n/" + accountName + u.EscapedPath()
	for _, name := range []string{"comp", "restype"} {
		if v := u.Query().Get(name); v != "" {
			text += "\n" + name + ":" + v
		}
	}
	headers = append(headers, "x-ms-date: "+date, "Authorization: SharedKey "+accountName+":"+mac(h.keys[key], text))
	return h.call(method, path, body, nil, headers...)
}

func itoa(n int) string {
	return strings.TrimLeft(string([]byte{'0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)}), "0")
}

func mac(key, text string) string {
	raw, _ := base64.StdEncoding.DecodeString(key)
	m := hmac.New(sha256.New, raw)
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// want asks for a status and an error's code.

func (h *house) want(status int, code string, r servicetest.Reply) servicetest.Reply {
	h.t.Helper()
	if r.Status != status || r.Header.Get("x-ms-error-code") != code {
		h.t.Errorf("%d %s, want %d %s: %s", r.Status, r.Header.Get("x-ms-error-code"), status, code, r.Body)
	}
	return r
}

// detail asks for words in AuthenticationErrorDetail.

func (h *house) detail(words string, r servicetest.Reply) {
	h.t.Helper()
	h.want(403, "AuthenticationFailed", r)
	var e struct {
		Detail string `xml:"AuthenticationErrorDetail"`
	}
	if err := xml.Unmarshal([]byte(strings.TrimPrefix(r.Body, "\ufeff")), &e); err != nil || !strings.Contains(e.Detail, words) {
		h.t.Errorf("%v: %q, want %q", err, e.Detail, words)
	}
}

func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// query is a signed URL's; of what it signs, in order, some may be empty.

// accountSAS is one for an hour.

// serviceSAS is one for an hour, of /con1 or /con1/a.

func TestSharedKeys(t *testing.T) {
	h := newHouse(t, "")
	for _, key := range []string{"key1", "key2"} {
		h.want(200, "", h.signedBy(key, "GET", "/con1/a", "", time.Now()))
	}
	h.detail("Request date header too old", h.signedBy("key1", "GET", "/con1/a", "", time.Now().Add(-16*time.Minute)))
	h.detail("in the future", h.signedBy("key1", "GET", "/con1/a", "", time.Now().Add(16*time.Minute)))
	h.want(200, "", h.signedBy("key1", "GET", "/con1/a", "", time.Now().Add(-14*time.Minute)))

	date := "x-ms-date: " + time.Now().UTC().Format(http.TimeFormat)
	h.want(400, "InvalidAuthenticationInfo", h.call("GET", "/con1/a", "", nil, date, "Authorization: SharedKey nonsense"))
	h.want(400, "InvalidAuthenticationInfo", h.call("GET", "/con1/a", "", nil, date, "Authorization: Basic dTpw"))
	h.want(400, "InvalidAuthenticationInfo", h.call("GET", "/con1/a", "", nil, date, "Authorization: SharedKey "+accountName+":AAAA"))
	h.detail("the request of account", h.call("GET", "/con1/a", "", nil, date, "Authorization: SharedKey other:"+mac(h.keys["key1"], "x")))
	h.detail("neither", h.call("GET", "/con1/a", "", nil, "Authorization: SharedKey "+accountName+":"+mac(h.keys["key1"], "x")))
	r := h.call("GET", "/con1/a", "", nil, date, "Authorization: SharedKey "+accountName+":"+mac(h.keys["key1"], "x"))
	h.detail("The MAC signature found in the HTTP request", r)
	if strings.Contains(r.Body, h.keys["key1"]) {
		t.Error("the reply tells the key")
	}

	// A key that is regenerated is none at once, nor are the signatures of it.
	sas := h.serviceSAS("key1", "b", "/con1/a", "r")
	h.want(200, "", h.call("GET", "/con1/a?"+sas, "", nil))
	h.Need(200, h.ARM("POST", h.account+"/regenerateKey?api-version=2024-01-01", `{"keyName":"key1"}`))
	h.detail("Server used following string to sign", h.signed("GET", "/con1/a", ""))
	h.detail("Signature did not match", h.call("GET", "/con1/a?"+sas, "", nil))
	h.want(200, "", h.signedBy("key2", "GET", "/con1/a", "", time.Now()))

	h.readKeys()
	h.configure(`"allowSharedKeyAccess":false`)
	h.want(403, "KeyBasedAuthenticationNotPermitted", h.signed("GET", "/con1/a", ""))
	h.want(403, "KeyBasedAuthenticationNotPermitted", h.call("GET", "/con1/a?"+h.serviceSAS("key1", "b", "/con1/a", "r"), "", nil))
	h.want(403, "KeyBasedAuthenticationNotPermitted", h.call("GET", "/con1/a?"+h.accountSAS("b", "o", "r"), "", nil))
}

// A signed URL of a snapshot does not reach the blob itself.

// Source: put-blob.md, "Permissions": create alone makes new blobs only.

// with is a principal that has a role at the account.

func (h *house) with(role string) *servicetest.Principal {
	h.t.Helper()
	p := h.Principal("with " + role)
	h.Grant(p.ID, role, h.account)
	return &p
}

// Source: authorize-with-azure-active-directory.md, "Responses to anonymous read requests".

// delegationKey asks for a user delegation key, for an hour.

// delegated is a signed URL that a delegation key signs, of /con1 or /con1/a.

// Source: azure-docs storage/common/sas-expiration-policy.md.

func TestNetworkRulesBindSignedURLsToo(t *testing.T) {
	h := newHouse(t, "")
	sas := h.serviceSAS("key1", "b", "/con1/a", "r")
	h.configure(`"networkAcls":{"defaultAction":"Deny","ipRules":[{"value":"10.0.0.0/8"}]}`)
	h.want(403, "AuthorizationFailure", h.call("GET", "/con1/a?"+sas, "", nil))
	h.want(403, "AuthorizationFailure", h.signed("GET", "/con1/a", ""))
	h.configure(`"networkAcls":{"defaultAction":"Deny","ipRules":[{"value":"127.0.0.1"}]}`)
	h.want(200, "", h.call("GET", "/con1/a?"+sas, "", nil))
	h.configure(`"publicNetworkAccess":"Disabled"`)
	h.want(403, "AuthorizationFailure", h.call("GET", "/con1/a?"+sas, "", nil))
}
