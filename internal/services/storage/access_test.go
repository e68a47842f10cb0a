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

	"github.com/google/uuid"

	"sekisho/internal/entra"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
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
func query(key string, values url.Values, text ...string) string {
	values.Set("sig", mac(key, strings.Join(text, "\n")))
	return values.Encode()
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v
}

const sv = "2020-12-06"

// accountSAS is one for an hour.
func (h *house) accountSAS(services, types, letters string, change ...string) string {
	v := values(append([]string{"sv", sv, "ss", services, "srt", types, "sp", letters, "st", iso(time.Now().Add(-time.Hour)), "se", iso(time.Now().Add(time.Hour))}, change...)...)
	return query(h.keys["key1"], v, accountName, v.Get("sp"), v.Get("ss"), v.Get("srt"), v.Get("st"), v.Get("se"), v.Get("sip"), v.Get("spr"), sv, "", "")
}

// serviceSAS is one for an hour, of /con1 or /con1/a.
func (h *house) serviceSAS(key, sr, resource, letters string, change ...string) string {
	v := values(append([]string{"sv", sv, "sr", sr, "sp", letters, "st", iso(time.Now().Add(-time.Hour)), "se", iso(time.Now().Add(time.Hour))}, change...)...)
	for name, all := range v {
		if all[0] == "-" {
			v.Del(name)
		}
	}
	return query(h.keys[key], v, v.Get("sp"), v.Get("st"), v.Get("se"), "/blob/"+accountName+resource, v.Get("si"), v.Get("sip"), v.Get("spr"), sv, sr, "", "",
		v.Get("rscc"), v.Get("rscd"), v.Get("rsce"), v.Get("rscl"), v.Get("rsct"))
}

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

func TestAccountSAS(t *testing.T) {
	h := newHouse(t, "")
	for _, tt := range []struct {
		name, method, path, sas string
		status                  int
		code                    string
	}{
		{"reads", "GET", "/con1/a", h.accountSAS("b", "o", "r"), 200, ""},
		{"lists containers", "GET", "/?comp=list", h.accountSAS("bq", "s", "l"), 200, ""},
		{"lists blobs", "GET", "/con1?restype=container&comp=list", h.accountSAS("b", "c", "l"), 200, ""},
		{"reads of a container", "GET", "/con1?restype=container", h.accountSAS("b", "c", "r"), 200, ""},
		{"of other services", "GET", "/con1/a", h.accountSAS("qtf", "o", "r"), 403, "AuthorizationServiceMismatch"},
		{"of other types", "GET", "/con1/a", h.accountSAS("b", "sc", "r"), 403, "AuthorizationResourceTypeMismatch"},
		{"of objects, for a container", "GET", "/con1?restype=container&comp=list", h.accountSAS("b", "o", "l"), 403, "AuthorizationResourceTypeMismatch"},
		{"without the letter", "GET", "/con1/a", h.accountSAS("b", "o", "w"), 403, "AuthorizationPermissionMismatch"},
		{"nothing gives an ACL", "GET", "/con1?restype=container&comp=acl", h.accountSAS("b", "sco", "rwdlacup"), 403, "AuthorizationFailure"},
		{"nothing sets an ACL", "PUT", "/con1?restype=container&comp=acl", h.accountSAS("b", "sco", "rwdlacup"), 403, "AuthorizationFailure"},
		{"HTTPS is what we speak", "GET", "/con1/a", h.accountSAS("b", "o", "r", "spr", "https"), 200, ""},
		{"from here", "GET", "/con1/a", h.accountSAS("b", "o", "r", "sip", "127.0.0.0-127.0.0.9"), 200, ""},
		{"from elsewhere", "GET", "/con1/a", h.accountSAS("b", "o", "r", "sip", "10.0.0.1"), 403, "AuthorizationSourceIPMismatch"},
		{"no delegation key for it", "POST", "/?restype=service&comp=userdelegationkey", h.accountSAS("b", "sco", "rwdlacup"), 403, "AuthenticationFailed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &house{h.World, t, h.account, h.keys}
			join := "?"
			if strings.Contains(tt.path, "?") {
				join = "&"
			}
			h.want(tt.status, tt.code, h.call(tt.method, tt.path+join+tt.sas, "", nil))
		})
	}
	h.detail("Signature not valid in the specified time frame: Start [", h.call("GET", "/con1/a?"+h.accountSAS("b", "o", "r", "se", iso(time.Now().Add(-time.Minute))), "", nil))
	h.detail("Signature not valid in the specified time frame: Start [", h.call("GET", "/con1/a?"+h.accountSAS("b", "o", "r", "st", iso(time.Now().Add(time.Minute))), "", nil))
	h.detail("must be after signed start time", h.call("GET", "/con1/a?"+h.accountSAS("b", "o", "r", "st", iso(time.Now().Add(2*time.Hour))), "", nil))
	h.detail("String to sign used was", h.call("GET", "/con1/a?"+strings.Replace(h.accountSAS("b", "o", "r"), "sp=r", "sp=rw", 1), "", nil))
}

func TestServiceSASKeepsToItsContainerOrBlob(t *testing.T) {
	h := newHouse(t, "")
	h.want(201, "", h.signed("PUT", "/con2?restype=container", "", ""))
	h.want(201, "", h.signed("PUT", "/con1/a/b", "hello", "x-ms-blob-type: BlockBlob"))
	h.want(201, "", h.signed("PUT", "/con2/a", "other", "x-ms-blob-type: BlockBlob"))
	blob, container := h.serviceSAS("key1", "b", "/con1/a", "racwd"), h.serviceSAS("key2", "c", "/con1", "racwdl")
	for _, tt := range []struct {
		name, method, path string
		status             int
		code               string
	}{
		{"its blob", "GET", "/con1/a?" + blob, 200, ""},
		{"another blob", "GET", "/con1/a/b?" + blob, 403, "AuthenticationFailed"},
		{"the blob of another container", "GET", "/con2/a?" + blob, 403, "AuthenticationFailed"},
		{"a list, of a blob's", "GET", "/con1?restype=container&comp=list&" + blob, 403, "AuthenticationFailed"},
		{"a blob of its container", "GET", "/con1/a/b?" + container, 200, ""},
		{"the list of its container", "GET", "/con1?restype=container&comp=list&" + container, 200, ""},
		{"a blob of another container", "GET", "/con2/a?" + container, 403, "AuthenticationFailed"},
		{"the list of another container", "GET", "/con2?restype=container&comp=list&" + container, 403, "AuthenticationFailed"},
		{"the properties of its container", "GET", "/con1?restype=container&" + container, 403, "AuthorizationFailure"},
		{"its container's end", "DELETE", "/con1?restype=container&" + container, 403, "AuthorizationFailure"},
		{"the containers", "GET", "/?comp=list&" + container, 403, "AuthenticationFailed"},
		{"a directory in a flat account", "GET", "/con1/a?" + h.serviceSAS("key1", "d", "/con1/a", "r", "sdd", "1"), 403, "AuthenticationFailed"},
		{"a letter that it lacks", "DELETE", "/con1/a?" + h.serviceSAS("key1", "b", "/con1/a", "racw"), 403, "AuthorizationPermissionMismatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			(&house{h.World, t, h.account, h.keys}).want(tt.status, tt.code, h.call(tt.method, tt.path, "", nil))
		})
	}

	r := h.want(200, "", h.call("GET", "/con1/a?"+h.serviceSAS("key1", "b", "/con1/a", "r", "rscc", "no-store", "rscd", "inline", "rsct", "text/x"), "", nil))
	if g := r.Header; g.Get("Cache-Control") != "no-store" || g.Get("Content-Disposition") != "inline" || g.Get("Content-Type") != "text/x" {
		t.Errorf("the reply does not have the headers that the signed URL names: %v", g)
	}
	if r := h.signed("GET", "/con1/a", ""); r.Header.Get("Content-Type") == "text/x" {
		t.Error("another request has them")
	}
}

// A signed URL of a snapshot does not reach the blob itself.
func TestASnapshotsSASDoesNotWrite(t *testing.T) {
	h := newHouse(t, "")
	const moment = "2026-01-01T00:00:00.0000000Z"
	v := values("sv", sv, "sr", "bs", "sp", "rw", "se", iso(time.Now().Add(time.Hour)))
	sas := query(h.keys["key1"], v, "rw", "", v.Get("se"), "/blob/"+accountName+"/con1/a", "", "", "", sv, "bs", moment, "", "", "", "", "", "")
	h.detail("Signature did not match", h.call("GET", "/con1/a?"+sas, "", nil))
	h.detail("Signature did not match", h.call("GET", "/con1/a?snapshot="+strings.Replace(moment, "01-01", "01-02", 1)+"&"+sas, "", nil))
	h.want(404, "BlobNotFound", h.call("GET", "/con1/a?snapshot="+moment+"&"+sas, "", nil)) // it fits, and there is none
	h.want(403, "AuthorizationFailure", h.call("PUT", "/con1/a?snapshot="+moment+"&"+sas, "x", nil, "x-ms-blob-type: BlockBlob"))
}

func TestADirectorySASNeedsAHierarchicalNamespace(t *testing.T) {
	h := newHouse(t, `"isHnsEnabled":true`)
	h.want(201, "", h.signed("PUT", "/con1/a/b/c", "hello", "x-ms-blob-type: BlockBlob"))
	sas := h.serviceSAS("key1", "d", "/con1/a/b", "rl", "sdd", "2")
	h.want(200, "", h.call("GET", "/con1/a/b/c?"+sas, "", nil))
	h.detail("Signature did not match", h.call("GET", "/con1/a/bc/c?"+sas, "", nil))
	h.detail("Signed Directory Depth Invalid", h.call("GET", "/con1/a?"+sas, "", nil))
	h.detail("Signed Directory Depth Invalid", h.call("GET", "/con1?restype=container&comp=list&"+sas, "", nil))
	h.detail("Signature did not match", h.call("GET", "/con1/a/b/c?"+strings.Replace(sas, "sdd=2", "sdd=1", 1), "", nil))
}

// Source: put-blob.md, "Permissions": create alone makes new blobs only.
func TestCreateDoesNotOverwrite(t *testing.T) {
	h := newHouse(t, "")
	put := func(blob, letters string) servicetest.Reply {
		return h.call("PUT", "/con1/"+blob+"?"+h.serviceSAS("key1", "c", "/con1", letters), "bytes", nil, "x-ms-blob-type: BlockBlob")
	}
	h.want(201, "", put("new", "c"))
	h.want(403, "AuthorizationPermissionMismatch", put("new", "c"))
	h.want(403, "AuthorizationPermissionMismatch", put("new", "a"))
	h.want(201, "", put("new", "w"))
	h.want(201, "", put("newer", "w"))
}

func TestStoredAccessPolicies(t *testing.T) {
	h := newHouse(t, "")
	const acl = "/con1?restype=container&comp=acl"
	policy := func(id, start, expiry, letters string) string {
		return "<SignedIdentifier><Id>" + id + "</Id><AccessPolicy><Start>" + start + "</Start><Expiry>" + expiry + "</Expiry><Permission>" + letters + "</Permission></AccessPolicy></SignedIdentifier>"
	}
	set := func(policies ...string) servicetest.Reply {
		return h.signed("PUT", acl, "<SignedIdentifiers>"+strings.Join(policies, "")+"</SignedIdentifiers>")
	}
	soon := iso(time.Now().Add(time.Hour))
	h.want(200, "", set(policy("p", "", soon, "r")))
	r := h.want(200, "", h.signed("GET", acl, ""))
	if !strings.Contains(r.Body, "<Id>p</Id>") || !strings.Contains(r.Body, "<Permission>r</Permission>") {
		t.Errorf("%s", r.Body)
	}

	by := func(change ...string) servicetest.Reply {
		return h.call("GET", "/con1/a?"+h.serviceSAS("key1", "c", "/con1", "-", append([]string{"si", "p", "st", "-", "se", "-"}, change...)...), "", nil)
	}
	h.want(200, "", by())
	h.detail("not both", by("sp", "r"))
	h.detail("not both", by("se", soon))
	h.detail("SAS identifier cannot be found", by("si", "q"))
	h.want(200, "", set(policy("p", "", soon, "")))
	h.detail("Signed permission must be specified", by())
	h.want(200, "", by("sp", "r"))
	h.want(200, "", set(policy("p", "", "", "r")))
	h.detail("Signed expiry must be specified", by())
	h.want(200, "", by("se", soon))
	h.want(200, "", set(policy("p", "2020-01-01", "2020-01-02", "r")))
	h.detail("Signature not valid in the specified time frame", by())
	h.want(200, "", set(policy("p", "", soon, "w")))
	h.want(403, "AuthorizationPermissionMismatch", by())
	h.want(200, "", set()) // which revokes it at once
	h.detail("SAS identifier cannot be found", by())

	for name, policies := range map[string][]string{
		"InvalidXmlDocument": {policy("1", "", "", ""), policy("2", "", "", ""), policy("3", "", "", ""), policy("4", "", "", ""), policy("5", "", "", ""), policy("6", "", "", "")},
	} {
		h.want(400, name, set(policies...))
	}
	for _, bad := range []string{policy("", "", "", "r"), policy(strings.Repeat("a", 65), "", "", "r"), policy("p", "yesterday", "", "r"), policy("p", "", "soon", "r"), policy("p", "", "", "wr"), policy("p", "", "", "q"),
		policy("p", "", "", "r") + policy("p", "", "", "r")} {
		h.want(400, "InvalidXmlNodeValue", set(bad))
	}
	h.want(400, "InvalidXmlDocument", h.signed("PUT", acl, "<SignedIdentifiers>"))
	h.want(400, "InvalidXmlDocument", h.signed("PUT", acl, "<Other></Other>"))
	h.want(412, "LeaseNotPresentWithContainerOperation", h.call("PUT", acl, "", h.with(blobOwner), "x-ms-lease-id: 11111111-2222-3333-4444-555555555555"))

	// Source: authorize-with-azure-active-directory.md: getAcl and setAcl are actions.
	h.want(200, "", h.call("GET", acl, "", h.with(blobOwner)))
	h.want(403, "AuthorizationPermissionMismatch", h.call("GET", acl, "", h.with(blobContributor)))
	h.want(403, "AuthorizationPermissionMismatch", h.call("PUT", acl, "", h.with(blobContributor)))
	h.want(200, "", h.call("GET", acl, "", h.with(servicetest.Contributor)))
	h.want(404, "ContainerNotFound", h.call("GET", "/none?restype=container&comp=acl", "", h.with(blobOwner)))
}

// with is a principal that has a role at the account.
func (h *house) with(role string) *servicetest.Principal {
	h.t.Helper()
	p := h.Principal("with " + role)
	h.Grant(p.ID, role, h.account)
	return &p
}

// Source: authorize-with-azure-active-directory.md, "Responses to anonymous read requests".
func TestAnonymousReads(t *testing.T) {
	h := newHouse(t, `"allowBlobPublicAccess":true`)
	const acl, list, older = "/con1?restype=container&comp=acl", "/con1?restype=container&comp=list", "x-ms-version: 2019-02-02"
	h.want(401, "NoAuthenticationInformation", h.call("GET", "/con1/a", "", nil))
	if r := h.call("GET", "/con1/a", "", nil); !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer authorization_uri=https://login.microsoftonline.com/"+h.Tenant+"/oauth2/authorize resource_id=https://storage.azure.com") {
		t.Errorf("%v", r.Header)
	}
	h.want(404, "ResourceNotFound", h.call("GET", "/con1/a", "", nil, older))

	h.want(200, "", h.signed("PUT", acl, "", "x-ms-blob-public-access: blob"))
	h.want(200, "", h.call("GET", "/con1/a", "", nil))
	h.want(200, "", h.call("GET", "/con1/a", "", nil, older))
	h.want(401, "NoAuthenticationInformation", h.call("GET", list, "", nil))
	h.want(401, "NoAuthenticationInformation", h.call("GET", "/con1?restype=container", "", nil))
	h.want(401, "NoAuthenticationInformation", h.call("DELETE", "/con1/a", "", nil))
	h.want(404, "ResourceNotFound", h.call("PUT", "/con1/b", "x", nil, older, "x-ms-blob-type: BlockBlob"))
	h.want(200, "", h.call("GET", "/con1/a?comp=blocklist", "", nil))
	h.want(401, "NoAuthenticationInformation", h.call("GET", "/con1/a?comp=blocklist&blocklisttype=all", "", nil))

	h.want(200, "", h.signed("PUT", acl, "", "x-ms-blob-public-access: container"))
	h.want(200, "", h.call("GET", list, "", nil))
	h.want(200, "", h.call("GET", "/con1?restype=container", "", nil))
	h.want(401, "NoAuthenticationInformation", h.call("GET", acl, "", nil))
	h.want(401, "NoAuthenticationInformation", h.call("GET", "/?comp=list", "", nil))
	h.want(401, "InvalidAuthenticationInfo", h.call("GET", "/con1/a", "", nil, "Authorization: Bearer a.b.c")) // a bad token is not nobody
	h.want(400, "InvalidHeaderValue", h.signed("PUT", acl, "", "x-ms-blob-public-access: all"))

	h.configure(`"allowBlobPublicAccess":false`)
	h.want(401, "NoAuthenticationInformation", h.call("GET", "/con1/a", "", nil))
	h.want(409, "PublicAccessNotPermitted", h.call("GET", "/con1/a", "", nil, older))
	h.want(409, "PublicAccessNotPermitted", h.signed("PUT", acl, "", "x-ms-blob-public-access: blob"))
	h.want(409, "PublicAccessNotPermitted", h.signed("PUT", "/con3?restype=container", "", "x-ms-blob-public-access: blob"))
	h.want(404, "ContainerNotFound", h.signed("GET", "/con3?restype=container", ""))
}

// delegationKey asks for a user delegation key, for an hour.
func (h *house) delegationKey(as *servicetest.Principal) (key struct {
	Object  string `xml:"SignedOid"`
	Tenant  string `xml:"SignedTid"`
	Start   string `xml:"SignedStart"`
	Expiry  string `xml:"SignedExpiry"`
	Service string `xml:"SignedService"`
	Version string `xml:"SignedVersion"`
	Value   string `xml:"Value"`
}) {
	h.t.Helper()
	r := h.want(200, "", h.call("POST", "/?restype=service&comp=userdelegationkey", keyInfo(time.Now().Add(-time.Minute), time.Now().Add(time.Hour)), as))
	if err := xml.Unmarshal([]byte(strings.TrimPrefix(r.Body, "\ufeff")), &key); err != nil {
		h.t.Fatal(err)
	}
	return key
}

func keyInfo(start, expiry time.Time) string {
	return "<KeyInfo><Start>" + iso(start) + "</Start><Expiry>" + iso(expiry) + "</Expiry></KeyInfo>"
}

// delegated is a signed URL that a delegation key signs, of /con1 or /con1/a.
func (h *house) delegated(as *servicetest.Principal, sr, resource, letters string, change ...string) string {
	h.t.Helper()
	k := h.delegationKey(as)
	v := values(append([]string{"sv", "2025-07-05", "sr", sr, "sp", letters, "se", iso(time.Now().Add(2 * time.Hour)), "skoid", k.Object, "sktid", k.Tenant,
		"skt", k.Start, "ske", k.Expiry, "sks", k.Service, "skv", k.Version}, change...)...)
	return query(k.Value, v, v.Get("sp"), v.Get("st"), v.Get("se"), "/blob/"+accountName+resource, v.Get("skoid"), v.Get("sktid"), v.Get("skt"), v.Get("ske"), v.Get("sks"), v.Get("skv"),
		v.Get("saoid"), v.Get("suoid"), v.Get("scid"), v.Get("skdutid"), v.Get("sduoid"), v.Get("sip"), v.Get("spr"), v.Get("sv"), sr, "", "", "", "", "", "", "")
}

func TestUserDelegationSAS(t *testing.T) {
	h := newHouse(t, `"allowSharedKeyAccess":true`)
	reader := h.with(blobReader)
	sas := h.delegated(reader, "b", "/con1/a", "racwd")
	h.want(200, "", h.call("GET", "/con1/a?"+sas, "", nil))
	r := h.want(403, "AuthorizationPermissionMismatch", h.call("DELETE", "/con1/a?"+sas, "", nil)) // which the letters allow, and the reader may not
	if !strings.Contains(r.Body, reader.ID) || !strings.Contains(r.Body, "Storage Blob Data Contributor") {
		t.Errorf("the refusal does not explain itself: %s", r.Body)
	}
	h.want(403, "AuthorizationPermissionMismatch", h.call("GET", "/con1/a?"+h.delegated(reader, "b", "/con1/a", "w"), "", nil))
	h.want(200, "", h.call("GET", "/con1?restype=container&comp=list&"+h.delegated(reader, "c", "/con1", "rl"), "", nil))
	h.detail("Signature did not match", h.call("GET", "/con1/b?"+sas, "", nil))
	h.detail("Signature did not match", h.call("GET", "/con1/a?"+strings.Replace(sas, reader.ID, h.Owner.ID, 1), "", nil))
	h.detail("suoid", h.call("GET", "/con1/a?"+h.delegated(reader, "b", "/con1/a", "r", "suoid", h.Owner.ID), "", nil))
	h.want(200, "", h.call("GET", "/con1/a?"+h.delegated(reader, "b", "/con1/a", "r", "saoid", h.Owner.ID, "scid", h.Owner.ID), "", nil))

	// Only its own user may hold one that is bound to a user.
	bound := h.delegated(reader, "b", "/con1/a", "r", "sduoid", h.Owner.ID)
	h.detail("whose token the request lacks", h.call("GET", "/con1/a?"+bound, "", nil))
	h.want(200, "", h.call("GET", "/con1/a?"+bound, "", &h.Owner))
	h.detail("the token is of", h.call("GET", "/con1/a?"+bound, "", reader))
	h.want(401, "InvalidAuthenticationInfo", h.call("GET", "/con1/a?"+bound, "", nil, "Authorization: Bearer a.b.c"))

	// It needs no account key, and outlives none of: the role, the key, the user.
	h.configure(`"allowSharedKeyAccess":false`)
	h.want(200, "", h.call("GET", "/con1/a?"+sas, "", nil))
	h.Later = 61 * time.Minute
	h.detail("Signature not valid in key time frame", h.call("GET", "/con1/a?"+sas, "", nil))
	h.Later = 0
	other := h.Principal("for a while")
	grant := h.Grant(other.ID, blobReader, h.account)
	sas = h.delegated(&other, "b", "/con1/a", "r")
	h.want(200, "", h.call("GET", "/con1/a?"+sas, "", nil))
	h.Need(200, h.ARM("DELETE", grant+"?api-version=2022-04-01", ""))
	h.want(403, "AuthorizationPermissionMismatch", h.call("GET", "/con1/a?"+sas, "", nil))

	h.Grant(other.ID, blobReader, h.account)
	h.want(200, "", h.call("GET", "/con1/a?"+sas, "", nil))
	h.Need(200, h.ARM("POST", h.account+"/revokeUserDelegationKeys?api-version=2024-01-01", ""))
	h.detail("Signature did not match", h.call("GET", "/con1/a?"+sas, "", nil))
	sas = h.delegated(&other, "b", "/con1/a", "r")
	h.want(200, "", h.call("GET", "/con1/a?"+sas, "", nil))
	h.Update(func(tx *store.Tx) error {
		return entra.PutServicePrincipal(tx, h.Tenant, entra.ServicePrincipal{ID: other.ID, AppID: uuid.NewString(), DisplayName: "off", Type: "Application"})
	})
	h.detail("does not exist any more, or is disabled", h.call("GET", "/con1/a?"+sas, "", nil))
}

// Source: azure-docs storage/common/sas-expiration-policy.md.
func TestAnExpirationPolicyThatBlocks(t *testing.T) {
	h := newHouse(t, `"sasPolicy":{"sasExpirationPeriod":"0.02:00:00","expirationAction":"Block"}`)
	get := func(sas string) servicetest.Reply { return h.call("GET", "/con1/a?"+sas, "", nil) }
	later := iso(time.Now().Add(3 * time.Hour))
	h.want(200, "", get(h.serviceSAS("key1", "b", "/con1/a", "r")))
	h.want(200, "", get(h.accountSAS("b", "o", "r")))
	h.detail("valid for too long", get(h.serviceSAS("key1", "b", "/con1/a", "r", "se", later)))
	h.detail("valid for too long", get(h.accountSAS("b", "o", "r", "se", later)))
	h.detail("(st) is missing", get(h.serviceSAS("key1", "b", "/con1/a", "r", "st", "-")))
	h.detail("(st) is missing", get(h.delegated(h.with(blobReader), "b", "/con1/a", "r")))
	h.configure(`"sasPolicy":{"sasExpirationPeriod":"0.02:00:00","expirationAction":"Log"}`)
	h.want(200, "", get(h.serviceSAS("key1", "b", "/con1/a", "r", "se", later)))
}

func TestWhoGetsAUserDelegationKey(t *testing.T) {
	h := newHouse(t, "")
	const path = "/?restype=service&comp=userdelegationkey"
	now := time.Now()
	hour := keyInfo(now, now.Add(time.Hour))
	for _, role := range []string{blobReader, blobContributor, blobOwner, blobDelegator, servicetest.Owner, servicetest.Contributor} {
		h.want(200, "", h.call("POST", path, hour, h.with(role)))
	}
	h.want(403, "AuthorizationPermissionMismatch", h.call("POST", path, hour, h.with(servicetest.Reader)))
	atContainer := h.Principal("at the container")
	h.Grant(atContainer.ID, blobReader, h.account+"/blobServices/default/containers/con1")
	h.want(403, "AuthorizationPermissionMismatch", h.call("POST", path, hour, &atContainer))
	h.detail("Only authentication scheme Bearer is supported", h.signed("POST", path, hour))
	h.want(401, "NoAuthenticationInformation", h.call("POST", path, hour, nil))

	as := h.with(blobDelegator)
	for _, bad := range []string{keyInfo(now, now.Add(8*24*time.Hour)), keyInfo(now, now.Add(-time.Hour)), keyInfo(now.Add(2*time.Hour), now.Add(time.Hour)),
		keyInfo(now.Add(-8*24*time.Hour), now.Add(time.Hour)), "<KeyInfo><Start>x</Start></KeyInfo>", "<KeyInfo></KeyInfo>"} {
		h.want(400, "InvalidXmlNodeValue", h.call("POST", path, bad, as))
	}
	h.want(400, "InvalidXmlDocument", h.call("POST", path, "<KeyInfo>", as))
	h.want(400, "InvalidXmlDocument", h.call("POST", path, "", as))
	if h.delegationKey(as).Value == h.delegationKey(h.with(blobDelegator)).Value {
		t.Error("two users have one key")
	}
	h.detail("Bearer is not supported in this version", h.call("POST", path, hour, as, "x-ms-version: 2017-07-29"))
}

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
