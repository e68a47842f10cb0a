package storage_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/internal/servicetest"
)

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

func (h *house) accountSAS(services, types, letters string, change ...string) string {
	v := values(append([]string{"sv", sv, "ss", services, "srt", types, "sp", letters, "st", iso(time.Now().Add(-time.Hour)), "se", iso(time.Now().Add(time.Hour))}, change...)...)
	return query(h.keys["key1"], v, accountName, v.Get("sp"), v.Get("ss"), v.Get("srt"), v.Get("st"), v.Get("se"), v.Get("sip"), v.Get("spr"), sv, "", "")
}

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
		{"finds blobs", "GET", "/?comp=blobs&where=a%3D%27b%27", h.accountSAS("b", "o", "f"), 200, ""},
		{"finds blobs, of services", "GET", "/?comp=blobs&where=a%3D%27b%27", h.accountSAS("b", "s", "f"), 403, "AuthorizationResourceTypeMismatch"},
		{"undeletes", "PUT", "/con1/a?comp=undelete", h.accountSAS("b", "o", "w"), 200, ""},
		{"undeletes, to create", "PUT", "/con1/a?comp=undelete", h.accountSAS("b", "o", "c"), 403, "AuthorizationPermissionMismatch"},
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
	h.want(201, "", h.signed("PUT", "/con1/d/b/c", "hello", "x-ms-blob-type: BlockBlob"))
	sas := h.serviceSAS("key1", "d", "/con1/d/b", "rl", "sdd", "2")
	h.want(200, "", h.call("GET", "/con1/d/b/c?"+sas, "", nil))
	h.detail("Signature did not match", h.call("GET", "/con1/d/bc/c?"+sas, "", nil))
	h.detail("Signed Directory Depth Invalid", h.call("GET", "/con1/a?"+sas, "", nil))
	h.detail("Signed Directory Depth Invalid", h.call("GET", "/con1?restype=container&comp=list&"+sas, "", nil))
	h.detail("Signature did not match", h.call("GET", "/con1/d/b/c?"+strings.Replace(sas, "sdd=2", "sdd=1", 1), "", nil))
}

func TestADirectorySASReachesWhatIsInItAndNothingElse(t *testing.T) {
	h := newHouse(t, `"isHnsEnabled":true`)
	h.want(201, "", h.signed("PUT", "/con1/d/b/c", "hello", "x-ms-blob-type: BlockBlob"))
	h.want(201, "", h.signed("PUT", "/con1/d/x", "hello", "x-ms-blob-type: BlockBlob"))
	of := func(sr, path, letters string, more ...string) string {
		return h.serviceSAS("key1", sr, "/con1/"+path, letters, more...)
	}
	directory := of("d", "d/b", "racwdlmeop", "sdd", "2")
	for _, tt := range []struct {
		name, method, path, sas, header string
		status                          int
	}{
		{"a file in it", "GET", "/con1/d/b/c", directory, "", 200},
		{"what is in it", "GET", "/con1?resource=filesystem&recursive=true&directory=d/b", directory, "", 200},
		{"what is in it, without the letter", "GET", "/con1?resource=filesystem&recursive=true&directory=d/b", of("d", "d/b", "r", "sdd", "2"), "", 403},
		{"what is above it", "GET", "/con1?resource=filesystem&recursive=true&directory=d", directory, "", 403},
		{"all", "GET", "/con1?resource=filesystem&recursive=true", directory, "", 403},
		{"a file beside it", "GET", "/con1/d/x", directory, "", 403},
		{"out of it", "PUT", "/con1/d/n", directory, "x-ms-rename-source: /con1/d/b/c", 403},
		{"into it", "PUT", "/con1/d/b/n", directory, "x-ms-rename-source: /con1/d/x", 403},
		{"itself", "PUT", "/con1/d/b/n", directory, "x-ms-rename-source: /con1/d/b", 403},
		{"by a blob's", "PUT", "/con1/d/b/n", of("b", "d/b/n", "cwm"), "x-ms-rename-source: /con1/d/b/c", 403},
		{"another container", "PUT", "/con1/d/b/n", directory, "x-ms-rename-source: /con2/d/b/c", 403},
		{"its letters", "PUT", "/con1/d/b/n", of("d", "d/b", "rcw", "sdd", "2"), "x-ms-rename-source: /con1/d/b/c", 403},
		{"within it", "PUT", "/con1/d/b/n", directory, "x-ms-rename-source: /con1/d/b/c", 201},
		{"its access", "PATCH", "/con1/d/b?action=setAccessControl", directory, "x-ms-permissions: 0700", 200},
		{"its owner", "PATCH", "/con1/d/b?action=setAccessControl", of("d", "d/b", "rwp", "sdd", "2"), "x-ms-owner: $superuser", 403},
		{"access below, by a blob's", "PATCH", "/con1/d/b?action=setAccessControlRecursive&mode=modify", of("b", "d/b", "p"), "x-ms-acl: other::r--", 403},
		{"a tree, by a blob's", "DELETE", "/con1/d/b?recursive=true", of("b", "d/b", "d"), "", 403},
		{"a tree", "DELETE", "/con1/d/b?recursive=true", directory, "", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			glue := "?"
			if strings.Contains(tt.path, "?") {
				glue = "&"
			}
			r := servicetest.Request{Method: tt.method, URL: "https://" + accountName + ".dfs.core.windows.net" + tt.path + glue + tt.sas, Header: http.Header{"X-Ms-Version": {sv}}}
			if name, value, ok := strings.Cut(tt.header, ": "); ok {
				r.Header.Set(name, value)
			}
			if got := h.Do(r); got.Status != tt.status {
				t.Errorf("%d, want %d: %s", got.Status, tt.status, got.Body)
			}
		})
	}
}

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
