package storage_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const (
	leaseA = "00000000-0000-0000-0000-00000000000a"
	leaseB = "00000000-0000-0000-0000-00000000000b"
)

// step is one request of a story.
type step struct {
	method, path, body string
	headers            string // lines, with "; " between
	status             int
	code               string
	want               string // headers of the reply, likewise, or "body: " and a part of it
}

func (h *house) story(as *servicetest.Principal, steps []step) {
	h.t.Helper()
	for _, s := range steps {
		var headers []string
		if s.headers != "" {
			headers = strings.Split(s.headers, "; ")
		}
		r := h.call(s.method, s.path, s.body, as, headers...)
		if r.Status != s.status || r.Header.Get("x-ms-error-code") != s.code {
			h.t.Errorf("%s %s (%s): %d %s, want %d %s: %s", s.method, s.path, s.headers, r.Status, r.Header.Get("x-ms-error-code"), s.status, s.code, r.Body)
			continue
		}
		for _, line := range strings.Split(s.want, "; ") {
			name, value, _ := strings.Cut(line, ": ")
			got := r.Header.Get(name)
			switch {
			case line == "":
			case name == "body" && !strings.Contains(r.Body, value):
				h.t.Errorf("%s %s: the body lacks %s: %s", s.method, s.path, value, r.Body)
			case name != "body" && got != value:
				h.t.Errorf("%s %s: %s is %q, want %q", s.method, s.path, name, got, value)
			}
		}
	}
}

func TestOperationsOnBlobs(t *testing.T) {
	h := newHouse(t, "")
	owner := h.with(blobOwner)
	const block = "x-ms-blob-type: BlockBlob"
	t.Run("content and properties", func(t *testing.T) {
		h.story(owner, []step{
			{"PUT", "/con1/p", "hello", block + "; x-ms-meta-A_b: 1; Content-Type: text/plain; x-ms-blob-cache-control: no-cache; x-ms-access-tier: Cool", 201, "", "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==; x-ms-request-server-encrypted: true"},
			{"HEAD", "/con1/p", "", "", 200, "", "Content-Length: 5; Content-Type: text/plain; Cache-Control: no-cache; x-ms-access-tier: Cool; x-ms-blob-type: BlockBlob; Content-MD5: XUFAKrxLKna5cZ2REBfFkg=="},
			{"GET", "/con1/p", "", "Range: bytes=1-2", 206, "", "body: el; Content-Range: bytes 1-2/5; x-ms-blob-content-md5: XUFAKrxLKna5cZ2REBfFkg=="},
			{"GET", "/con1/p", "", "x-ms-range: bytes=3-; Range: bytes=0-0", 206, "", "body: lo; Content-Range: bytes 3-4/5"},
			{"GET", "/con1/p", "", "Range: bytes=5-", 416, "InvalidRange", "Content-Range: bytes */5"},
			{"GET", "/con1/p", "", "Range: bytes=0-1; x-ms-range-get-content-md5: true", 206, "", "Content-MD5: b5bP3+XMxifK3yS0FyXKpA=="},
			{"GET", "/con1/p", "", "x-ms-range-get-content-md5: true", 400, "InvalidHeaderValue", ""},
			{"GET", "/con1/p?versionid=2020", "", "", 400, "InvalidQueryParameterValue", ""},
			{"GET", "/con1/p?comp=metadata", "", "", 200, "", "Content-Type: "},
			{"PUT", "/con1/p?comp=properties", "", "x-ms-blob-content-type: a/b", 200, "", ""},
			{"PUT", "/con1/p?comp=metadata", "", "x-ms-meta-9: 1", 400, "InvalidMetadata", ""},
			{"HEAD", "/con1/p", "", "", 200, "", "Content-Type: a/b; Cache-Control: ; Content-MD5: "},
			{"PUT", "/con1/p?snapshot=2020-01-01T00:00:00.0000000Z", "x", block, 400, "InvalidQueryParameterValue", ""},
			{"PUT", "/con1/p", "x", block + "; x-ms-access-tier: Lukewarm", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/p", "x", block + "; x-ms-encryption-scope: mine", 400, "UnsupportedHeader", ""},
			{"PUT", "/con1/p", "x", "x-ms-blob-type: PageBlob", 400, "BlobTypeNotSupported", ""},
			{"PUT", "/con1/p", "x", "", 400, "MissingRequiredHeader", ""},
			{"PUT", "/none/p", "x", block, 404, "ContainerNotFound", ""},
			{"POST", "/con1/p?comp=query", "x", "", 405, "UnsupportedHttpVerb", ""},
			{"DELETE", "/con1/p", "", "If-Match: \"0x1\"", 412, "ConditionNotMet", ""},
			{"GET", "/con1/p", "", "If-None-Match: *", 400, "UnsatisfiableCondition", ""},
			{"PUT", "/con1/p", "x", block + "; If-None-Match: *", 409, "BlobAlreadyExists", ""},
			{"DELETE", "/con1/p", "", "", 202, "", "x-ms-delete-type-permanent: true"},
			{"DELETE", "/con1/p", "", "", 404, "BlobNotFound", ""},
		})
	})
	t.Run("tiers", func(t *testing.T) {
		h.story(owner, []step{
			{"PUT", "/con1/t", "x", block, 201, "", ""},
			{"HEAD", "/con1/t", "", "", 200, "", "x-ms-access-tier: Hot; x-ms-access-tier-inferred: true"},
			{"PUT", "/con1/t?comp=tier", "", "", 400, "MissingRequiredHeader", ""},
			{"PUT", "/con1/t?comp=tier", "", "x-ms-access-tier: P10", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/t?comp=tier", "", "x-ms-access-tier: Archive", 200, "", ""},
			{"GET", "/con1/t", "", "", 409, "BlobArchived", ""},
			{"PUT", "/con1/t?comp=snapshot", "", "", 409, "BlobArchived", ""},
			{"PUT", "/con1/t?comp=block&blockid=AAAA", "x", "", 409, "BlobArchived", ""},
			{"PUT", "/con1/t2", "", "x-ms-copy-source: " + host + "/con1/t", 409, "BlobArchived", ""},
			{"PUT", "/con1/t2", "", "x-ms-copy-source: " + host + "/con1/t; x-ms-access-tier: Hot", 202, "", ""},
			{"GET", "/con1/t2", "", "", 200, "", "body: x"},
			{"PUT", "/con1/t?comp=tier", "", "x-ms-access-tier: Cold; x-ms-rehydrate-priority: Low", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/t?comp=tier", "", "x-ms-access-tier: Cold; x-ms-rehydrate-priority: High", 202, "", ""},
			{"GET", "/con1/t", "", "", 200, "", "body: x"},
			{"HEAD", "/con1/t", "", "", 200, "", "x-ms-access-tier: Cold"},
		})
	})
	t.Run("append", func(t *testing.T) {
		h.story(owner, []step{
			{"PUT", "/con1/log", "x", "x-ms-blob-type: AppendBlob", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/log", "", "x-ms-blob-type: AppendBlob", 201, "", ""},
			{"PUT", "/con1/log?comp=appendblock", "abc", "", 201, "", "x-ms-blob-append-offset: 0; x-ms-blob-committed-block-count: 1"},
			{"PUT", "/con1/log?comp=appendblock", "", "", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/log?comp=appendblock", "d", "x-ms-blob-condition-appendpos: 2", 412, "AppendPositionConditionNotMet", ""},
			{"PUT", "/con1/log?comp=appendblock", "d", "x-ms-blob-condition-maxsize: 3", 412, "MaxBlobSizeConditionNotMet", ""},
			{"PUT", "/con1/log?comp=appendblock", "d", "x-ms-blob-condition-maxsize: -3", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/log?comp=appendblock", "", "x-ms-copy-source: " + host + "/con1/a; x-ms-source-range: bytes=1-2", 201, "", "x-ms-blob-append-offset: 3"},
			{"PUT", "/con1/log?comp=block&blockid=AAAA", "x", "", 409, "InvalidBlobType", ""},
			{"PUT", "/con1/log?comp=seal", "", "x-ms-blob-condition-appendpos: 3", 412, "AppendPositionConditionNotMet", ""},
			{"PUT", "/con1/log?comp=seal", "", "", 200, "", "x-ms-blob-sealed: true"},
			{"PUT", "/con1/log?comp=appendblock", "d", "", 409, "BlobIsSealed", ""},
			{"GET", "/con1/log", "", "", 200, "", "body: abcel; x-ms-blob-sealed: true; x-ms-blob-committed-block-count: 2"},
			{"PUT", "/con1/a?comp=appendblock", "d", "", 409, "InvalidBlobType", ""},
		})
	})
	t.Run("leases", func(t *testing.T) {
		lease := func(action string) string { return "x-ms-lease-action: " + action }
		h.story(owner, []step{
			{"PUT", "/con1/l", "x", block, 201, "", ""},
			{"PUT", "/con1/l?comp=lease", "", "", 400, "MissingRequiredHeader", ""},
			{"PUT", "/con1/l?comp=lease", "", lease("borrow"), 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/l?comp=lease", "", lease("acquire"), 400, "MissingRequiredHeader", ""},
			{"PUT", "/con1/l?comp=lease", "", lease("acquire") + "; x-ms-lease-duration: 14", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/l?comp=lease", "", lease("acquire") + "; x-ms-lease-duration: 15; x-ms-proposed-lease-id: mine", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/l?comp=lease", "", lease("acquire") + "; x-ms-lease-duration: -1; x-ms-proposed-lease-id: " + leaseA, 201, "", "x-ms-lease-id: " + leaseA},
			{"HEAD", "/con1/l", "", "", 200, "", "x-ms-lease-state: leased; x-ms-lease-status: locked; x-ms-lease-duration: infinite"},
			{"PUT", "/con1/l", "y", block, 412, "LeaseIdMissing", ""},
			{"PUT", "/con1/l", "y", block + "; x-ms-lease-id: " + leaseB, 412, "LeaseIdMismatchWithBlobOperation", ""},
			{"PUT", "/con1/l", "y", block + "; x-ms-lease-id: junk", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/l", "y", block + "; x-ms-lease-id: " + leaseA, 201, "", ""},
			{"PUT", "/con1/l?comp=lease", "", lease("change") + "; x-ms-lease-id: " + leaseA + "; x-ms-proposed-lease-id: " + leaseB, 200, "", "x-ms-lease-id: " + leaseB},
			{"PUT", "/con1/l?comp=lease", "", lease("renew") + "; x-ms-lease-id: " + leaseA, 409, "LeaseIdMismatchWithLeaseOperation", ""},
			{"PUT", "/con1/l?comp=lease", "", lease("break") + "; x-ms-lease-break-period: 61", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/l?comp=lease", "", lease("break") + "; x-ms-lease-break-period: 20", 202, "", "x-ms-lease-time: 20"},
			{"PUT", "/con1/l?comp=lease", "", lease("release") + "; x-ms-lease-id: " + leaseB, 200, "", ""},
			{"PUT", "/con1?restype=container&comp=lease", "", lease("acquire") + "; x-ms-lease-duration: 60; x-ms-proposed-lease-id: " + leaseA, 201, "", ""},
			{"DELETE", "/con1?restype=container", "", "", 412, "LeaseIdMissing", ""},
			{"PUT", "/con1?restype=container&comp=lease", "", lease("break") + "; x-ms-lease-break-period: 0", 202, "", "x-ms-lease-time: 0"},
		})
	})
	t.Run("tags", func(t *testing.T) {
		const tags = `<Tags><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tags>`
		h.story(owner, []step{
			{"PUT", "/con1/g", "x", block + "; x-ms-tags: a=1&b%20c=2", 201, "", ""},
			{"HEAD", "/con1/g", "", "", 200, "", "x-ms-tag-count: 2"},
			{"GET", "/con1/g?comp=tags", "", "", 200, "", "body: <Tag><Key>b c</Key><Value>2</Value></Tag>"},
			{"PUT", "/con1/g?comp=tags", tags, "", 204, "", ""},
			{"PUT", "/con1/g?comp=tags", strings.ReplaceAll(tags, "<Value>v", "<Value>v!"), "", 400, "InvalidTag", ""},
			{"PUT", "/con1/g?comp=tags", "<Tags>", "", 400, "InvalidXmlDocument", ""},
			{"GET", "/con1/g", "", "x-ms-if-tags: k='v'", 200, "", "body: x"},
			{"GET", "/con1/g", "", "x-ms-if-tags: k='w'", 412, "ConditionNotMet", ""},
			{"GET", "/con1/g", "", "x-ms-if-tags: k==w", 400, "InvalidHeaderValue", ""},
			{"GET", "/?comp=blobs&where=k%3D%27v%27", "", "", 200, "", "body: <Name>g</Name><ContainerName>con1</ContainerName><Tags><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tags>"},
			{"GET", "/con1?restype=container&comp=blobs&where=k%3D%27v%27", "", "", 200, "", "body: <Name>g</Name>"},
			{"GET", "/?comp=blobs", "", "", 400, "MissingRequiredQueryParameter", ""},
			{"GET", "/?comp=blobs&where=k", "", "", 400, "InvalidQueryParameterValue", "body: at character 2"},
			{"GET", "/con1?restype=container&comp=list&include=tags&prefix=g", "", "", 200, "", "body: <TagCount>1</TagCount>"},
		})
	})
	t.Run("copies", func(t *testing.T) {
		from := "x-ms-copy-source: " + host + "/con1/a"
		h.story(owner, []step{
			{"PUT", "/con1/c1", "", from, 202, "", "x-ms-copy-status: success"},
			{"HEAD", "/con1/c1", "", "", 200, "", "x-ms-copy-status: success; x-ms-copy-source: " + host + "/con1/a; x-ms-copy-progress: 5/5"},
			{"PUT", "/con1/c1", "", from + "; x-ms-source-if-match: \"0x1\"", 412, "SourceConditionNotMet", ""},
			{"PUT", "/con1/c1", "", from + "; If-None-Match: *", 409, "BlobAlreadyExists", ""},
			{"PUT", "/con1/c1", "", from + "; x-ms-requires-sync: true; x-ms-source-content-md5: AAAAAAAAAAAAAAAAAAAAAA==", 400, "Md5Mismatch", ""},
			{"PUT", "/con1/c1", "", from + "; x-ms-requires-sync: true; x-ms-source-content-md5: XUFAKrxLKna5cZ2REBfFkg==", 202, "", "x-ms-copy-status: success"},
			{"PUT", "/con1/c1", "", from + "; " + block + "; x-ms-blob-content-type: c/d", 201, "", ""},
			{"GET", "/con1/c1", "", "", 200, "", "body: hello; Content-Type: c/d; x-ms-copy-id: "},
			{"PUT", "/con1/c1", "", from + "none", 404, "CannotVerifyCopySource", ""},
			{"PUT", "/con1/c1", "", "x-ms-copy-source: https://example.com/a/b", 400, "CannotVerifyCopySource", ""},
			{"PUT", "/con1/c1", "", "x-ms-copy-source: https://nobody.blob.core.windows.net/a/b", 400, "CannotVerifyCopySource", ""},
			{"PUT", "/con1/c1", "", "x-ms-copy-source: a/b", 400, "InvalidHeaderValue", ""},
			{"PUT", "/con1/c1?comp=block&blockid=AAAA", "", from + "; x-ms-source-range: bytes=5-", 416, "InvalidRange", ""},
			{"PUT", "/con1/c1?comp=block&blockid=AAAA", "", from + "; x-ms-source-range: bytes=3-9", 201, "", ""},
			{"PUT", "/con1/c1?comp=blocklist", "<BlockList><Latest>AAAA</Latest></BlockList>", "", 201, "", ""},
			{"GET", "/con1/c1", "", "", 200, "", "body: lo"},
			{"PUT", "/con1/c1?comp=copy&copyid=x", "", "x-ms-copy-action: abort", 409, "NoPendingCopyOperation", ""},
		})
	})
	t.Run("soft delete", func(t *testing.T) {
		const on = `<StorageServiceProperties><DeleteRetentionPolicy><Enabled>true</Enabled><Days>3</Days></DeleteRetentionPolicy></StorageServiceProperties>`
		h.want(202, "", h.signed("PUT", "/?restype=service&comp=properties", on))
		h.story(owner, []step{
			{"PUT", "/con1/s", "x", block, 201, "", ""},
			{"DELETE", "/con1/s", "", "", 202, "", "x-ms-delete-type-permanent: false"},
			{"GET", "/con1/s", "", "", 404, "BlobNotFound", ""},
			{"GET", "/con1?restype=container&comp=list&include=deleted&prefix=s", "", "", 200, "", "body: <Name>s</Name><Deleted>true</Deleted>"},
			{"PUT", "/con1/s?comp=undelete", "", "", 200, "", ""},
			{"GET", "/con1/s", "", "", 200, "", "body: x"},
		})
		h.want(202, "", h.signed("PUT", "/?restype=service&comp=properties", strings.ReplaceAll(on, "true", "false")))
	})
}

// batchOf makes the body of a batch whose parts are requests without a body.
func batchOf(parts ...string) (body string) {
	for i, p := range parts {
		body += fmt.Sprintf("--b\r\nContent-Type: application/http\r\nContent-ID: %d\r\n\r\n%s\r\n\r\n", i, p)
	}
	return body + "--b--\r\n"
}

func TestBatches(t *testing.T) {
	h := newHouse(t, "")
	owner, reader, writer := h.with(blobOwner), h.with(blobReader), h.with(blobContributor)
	token := func(p *servicetest.Principal) string {
		return "Authorization: Bearer " + p.Token("https://storage.azure.com")
	}
	const kind = "Content-Type: multipart/mixed; boundary=b"
	for _, tt := range []struct {
		name, path, body string
		status           int
		code             string
		want             []string
	}{
		{"deletes", "/?comp=batch", batchOf("DELETE /con1/a HTTP/1.1\r\n"+token(owner), "DELETE /con1/none HTTP/1.1\r\n"+token(owner)), 202, "", []string{"HTTP/1.1 202 Accepted", "HTTP/1.1 404 Not Found", "x-ms-error-code: BlobNotFound"}},
		{"each part has its own credential", "/?comp=batch", batchOf("DELETE /con1/a HTTP/1.1\r\n"+token(reader), "DELETE /con1/a HTTP/1.1"), 202, "", []string{"HTTP/1.1 403 Forbidden", "HTTP/1.1 401 Unauthorized"}},
		{"in a container", "/con1?restype=container&comp=batch", batchOf("PUT /con1/none?comp=tier HTTP/1.1\r\nx-ms-access-tier: Cool\r\n" + token(owner)), 202, "", []string{"HTTP/1.1 404 Not Found"}},
		{"out of the container", "/con1?restype=container&comp=batch", batchOf("DELETE /con2/a HTTP/1.1"), 400, "InvalidInput", nil},
		{"mixed", "/?comp=batch", batchOf("DELETE /con1/a HTTP/1.1", "PUT /con1/a?comp=tier HTTP/1.1"), 400, "InvalidInput", nil},
		{"another operation", "/?comp=batch", batchOf("GET /con1/a HTTP/1.1"), 400, "InvalidInput", nil},
		{"a container", "/?comp=batch", batchOf("DELETE /con1?restype=container HTTP/1.1"), 400, "InvalidInput", nil},
		{"a batch", "/?comp=batch", batchOf("POST /?comp=batch HTTP/1.1"), 400, "InvalidInput", nil},
		{"nothing", "/?comp=batch", batchOf(), 400, "InvalidInput", nil},
		{"too many", "/?comp=batch", batchOf(strings.Split(strings.Repeat("DELETE /con1/a HTTP/1.1|", 256)+"DELETE /con1/a HTTP/1.1", "|")...), 400, "ExceedsMaxBatchRequestCount", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			r := h.want(tt.status, tt.code, h.call("POST", tt.path, tt.body, writer, kind))
			for _, want := range tt.want {
				if !strings.Contains(r.Body, want) {
					t.Errorf("%q is not in %s", want, r.Body)
				}
			}
		})
	}
	h.t = t
	h.want(400, "InvalidHeaderValue", h.call("POST", "/?comp=batch", batchOf("DELETE /con1/a HTTP/1.1"), writer, "Content-Type: text/plain"))
	h.want(401, "NoAuthenticationInformation", h.call("POST", "/?comp=batch", batchOf("DELETE /con1/a HTTP/1.1"), nil, kind))

	// The batch itself is the container's to write.
	allowed := batchOf("DELETE /con1/none HTTP/1.1\r\n" + token(owner))
	inContainer := h.Principal("in the container")
	h.Grant(inContainer.ID, blobContributor, h.account+"/blobServices/default/containers/con1")
	const service, container = "/?comp=batch", "/con1?restype=container&comp=batch"
	for _, tt := range []struct {
		name, path string
		as         *servicetest.Principal
		status     int
		code       string
	}{
		{"who reads", service, reader, 403, "AuthorizationPermissionMismatch"},
		{"who reads, a container", container, reader, 403, "AuthorizationPermissionMismatch"},
		{"who writes in the container", container, &inContainer, 202, ""},
		{"who writes there only", service, &inContainer, 403, "AuthorizationPermissionMismatch"},
		{"an account SAS", service + "&" + h.accountSAS("b", "o", "d"), nil, 202, ""},
		{"an account SAS, a container", container + "&" + h.accountSAS("b", "o", "w"), nil, 202, ""},
		{"an account SAS that reads", service + "&" + h.accountSAS("b", "sco", "rl"), nil, 403, "AuthorizationPermissionMismatch"},
		{"a service SAS", container + "&" + h.serviceSAS("key1", "c", "/con1", "d"), nil, 202, ""},
		{"a service SAS, the whole account", service + "&" + h.serviceSAS("key1", "c", "/con1", "d"), nil, 403, "AuthenticationFailed"},
		{"a user delegation SAS of who reads", container + "&" + h.delegated(reader, "c", "/con1", "rwd"), nil, 403, "AuthorizationPermissionMismatch"},
		{"a user delegation SAS", container + "&" + h.delegated(writer, "c", "/con1", "rwd"), nil, 202, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			h.want(tt.status, tt.code, h.call("POST", tt.path, allowed, tt.as, kind))
		})
	}
}

// Who restores a container under another name must be let write both.
// Source: restore-container.md, "Authorization".
func TestWhoRestoresAContainerWritesBothNames(t *testing.T) {
	h := newHouse(t, "")
	both, one := h.Principal("both"), h.Principal("one")
	for name, principals := range map[string][]servicetest.Principal{"con1": {both}, "con9": {both, one}} {
		for _, p := range principals {
			h.Grant(p.ID, blobContributor, h.account+"/blobServices/default/containers/"+name)
		}
	}
	headers := []string{"x-ms-deleted-container-name: con1", "x-ms-deleted-container-version: 01D60F8BB59A4652"}
	r := h.want(403, "AuthorizationPermissionMismatch", h.call("PUT", "/con9?restype=container&comp=undelete", "", &one, headers...))
	if !strings.Contains(r.Body, "/containers/con1") {
		t.Errorf("the refusal does not tell of what: %s", r.Body)
	}
	h.want(404, "ContainerNotFound", h.call("PUT", "/con9?restype=container&comp=undelete", "", &both, headers...))
}

// What each role may not do with a blob, beside what it may.
func TestWhatRolesMayDoWithBlobs(t *testing.T) {
	h := newHouse(t, "")
	h.want(201, "", h.signed("PUT", "/con1/log", "", "x-ms-blob-type: AppendBlob"))
	const from = "x-ms-copy-source: " + host + "/con1/a"
	operations := []struct {
		name, method, path, body string
		headers                  []string
		reader, contributor      bool
	}{
		{"read", "GET", "/con1/a", "", nil, true, true},
		{"read if tags", "GET", "/con1/a", "", []string{"x-ms-if-tags: a<>'b'"}, false, false},
		{"list", "GET", "/con1?restype=container&comp=list", "", nil, true, true},
		{"list with tags", "GET", "/con1?restype=container&comp=list&include=tags", "", nil, false, false},
		{"write", "PUT", "/con1/new", "x", []string{"x-ms-blob-type: BlockBlob"}, false, true},
		{"write with tags", "PUT", "/con1/new", "x", []string{"x-ms-blob-type: BlockBlob", "x-ms-tags: a=b"}, false, false},
		{"append", "PUT", "/con1/log?comp=appendblock", "x", nil, false, true},
		{"snapshot", "PUT", "/con1/a?comp=snapshot", "", nil, false, true},
		{"tier", "PUT", "/con1/a?comp=tier", "", []string{"x-ms-access-tier: Cool"}, false, true},
		{"lease", "PUT", "/con1/new?comp=lease", "", []string{"x-ms-lease-action: acquire", "x-ms-lease-duration: 15"}, false, true},
		{"lease a container", "PUT", "/con1?restype=container&comp=lease", "", []string{"x-ms-lease-action: acquire", "x-ms-lease-duration: 15"}, false, true},
		{"copy", "PUT", "/con1/copy", "", []string{from}, false, true},
		{"copy with tags", "PUT", "/con1/copy", "", []string{from, "x-ms-copy-source-tag-option: COPY"}, false, false},
		{"stage from a URL", "PUT", "/con1/staged?comp=block&blockid=AAAA", "", []string{from}, false, true},
		{"undelete", "PUT", "/con1/a?comp=undelete", "", nil, false, true},
		{"read tags", "GET", "/con1/a?comp=tags", "", nil, false, false},
		{"write tags", "PUT", "/con1/a?comp=tags", "<Tags><TagSet/></Tags>", nil, false, false},
		{"find", "GET", "/?comp=blobs&where=a%3D%27b%27", "", nil, false, false},
		{"find in a container", "GET", "/con1?restype=container&comp=blobs&where=a%3D%27b%27", "", nil, false, false},
		{"seal", "PUT", "/con1/log?comp=seal", "", nil, false, true},
		{"set service properties", "PUT", "/?restype=service&comp=properties", "<StorageServiceProperties/>", nil, false, false},
		{"get service properties", "GET", "/?restype=service&comp=properties", "", nil, false, false},
		{"account information", "GET", "/?restype=account&comp=properties", "", nil, false, false},
	}
	for _, role := range []struct {
		name string
		as   *servicetest.Principal
		may  func(i int) bool
	}{
		{"Storage Blob Data Reader", h.with(blobReader), func(i int) bool { return operations[i].reader }},
		{"Storage Blob Data Contributor", h.with(blobContributor), func(i int) bool { return operations[i].contributor }},
	} {
		for i, op := range operations {
			t.Run(role.name+"/"+op.name, func(t *testing.T) {
				r := h.call(op.method, op.path, op.body, role.as, op.headers...)
				refused := r.Status == http.StatusForbidden && r.Header.Get("x-ms-error-code") == "AuthorizationPermissionMismatch"
				if refused == role.may(i) || !refused && r.Status >= 400 {
					t.Errorf("%d %s", r.Status, r.Body)
				}
			})
		}
	}
}

// A signed URL of the copy says nothing of its source.
func TestWhoMayReadTheSourceOfACopy(t *testing.T) {
	h := newHouse(t, `"allowBlobPublicAccess":true`)
	h.want(201, "", h.signed("PUT", "/con2?restype=container", ""))
	writer, reader := h.with(blobContributor), h.with(blobReader)
	source := "x-ms-copy-source: " + host + "/con1/a"
	all := "?" + h.accountSAS("b", "co", "rwcdl")
	read := "?" + h.serviceSAS("key1", "b", "/con1/a", "r")
	write := "?" + h.serviceSAS("key1", "b", "/con1/a", "w")
	for _, tt := range []struct {
		name, path string
		as         *servicetest.Principal
		headers    []string
		status     int
		code       string
	}{
		{"the caller", "/con2/1", writer, []string{source}, 202, ""},
		{"a signed URL that may read it too", "/con2/2" + all, nil, []string{source}, 401, "CannotVerifyCopySource"},
		{"its own signed URL", "/con2/3" + all, nil, []string{source + read}, 202, ""},
		{"its own signed URL, to write", "/con2/4" + all, nil, []string{source + write}, 403, "CannotVerifyCopySource"},
		{"a token for it", "/con2/5" + all, nil, []string{source, "x-ms-copy-source-authorization: Bearer " + reader.Token("https://storage.azure.com")}, 202, ""},
		{"a bad token for it", "/con2/6", writer, []string{source, "x-ms-copy-source-authorization: Bearer x"}, 401, "CannotVerifyCopySource"},
		{"another operation in its query", "/con2/7" + all, nil, []string{source + read + "&comp=metadata"}, 202, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			h.want(tt.status, tt.code, h.call("PUT", tt.path, "", tt.as, tt.headers...))
		})
	}
	h.t = t
	h.want(200, "", h.signed("PUT", "/con1?restype=container&comp=acl", "", "x-ms-blob-public-access: blob"))
	h.want(202, "", h.call("PUT", "/con2/8"+all, "", nil, source)) // it is open to everybody
}

// A copy from another account is decided there: by its roles, and by its network
// rules for where the caller is.
func TestCopiesBetweenAccounts(t *testing.T) {
	h := newHouse(t, "")
	other := strings.TrimSuffix(h.account, accountName) + "stother1"
	configure := func(properties string) {
		t.Helper()
		r := h.ARM("PUT", other+"?api-version=2024-01-01", `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{`+properties+`}}`)
		if r.Status/100 != 2 {
			t.Fatal(r.Body)
		}
	}
	configure("")
	here, there := h.with(blobOwner), h.Principal("there")
	h.Grant(there.ID, blobOwner, other)
	theirs := func(method, path, body string, headers ...string) servicetest.Reply {
		header := http.Header{"X-Ms-Version": {version}}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			header.Set(name, value)
		}
		return h.Do(servicetest.Request{Method: method, URL: "https://stother1.blob.core.windows.net" + path, Body: body, As: &there, Header: header})
	}
	h.want(201, "", theirs("PUT", "/box?restype=container", ""))
	h.want(201, "", theirs("PUT", "/box/a", "theirs", "x-ms-blob-type: BlockBlob", "x-ms-tags: a=b"))
	const source = "x-ms-copy-source: https://stother1.blob.core.windows.net/box/a"
	bearer := func(p servicetest.Principal) string {
		return "x-ms-copy-source-authorization: Bearer " + p.Token("https://storage.azure.com")
	}
	copyWith := func(status int, code string, headers ...string) {
		t.Helper()
		h.want(status, code, h.call("PUT", "/con1/copy", "", here, append(headers, source)...))
	}
	copyWith(401, "CannotVerifyCopySource")
	copyWith(403, "CannotVerifyCopySource", bearer(*here))
	copyWith(202, "", bearer(there), "x-ms-copy-source-tag-option: COPY")
	h.story(here, []step{
		{"GET", "/con1/copy", "", "", 200, "", "body: theirs; x-ms-tag-count: 1"},
	})
	configure(`"networkAcls":{"defaultAction":"Deny"}`)
	copyWith(403, "CannotVerifyCopySource", bearer(there))
	configure(`"networkAcls":{"defaultAction":"Allow"}`)
	h.want(202, "", theirs("DELETE", "/box/a", ""))
	copyWith(404, "CannotVerifyCopySource", bearer(there))
	h.story(here, []step{{"GET", "/con1/copy", "", "", 200, "", "body: theirs"}})
}

func TestServiceProperties(t *testing.T) {
	h := newHouse(t, "")
	const path = "/?restype=service&comp=properties"
	contributor := h.with(servicetest.Contributor)
	set := func(body string, status int, code string) {
		t.Helper()
		h.want(status, code, h.call("PUT", path, "<StorageServiceProperties>"+body+"</StorageServiceProperties>", contributor))
	}
	const rule = "<CorsRule><AllowedOrigins>https://*.example.com</AllowedOrigins><AllowedMethods>GET,PUT</AllowedMethods><AllowedHeaders>x-ms-*</AllowedHeaders><ExposedHeaders>ETag</ExposedHeaders><MaxAgeInSeconds>7</MaxAgeInSeconds></CorsRule>"
	set("<Cors>"+rule+"</Cors>", 202, "")
	set("<DeleteRetentionPolicy><Enabled>true</Enabled><Days>366</Days></DeleteRetentionPolicy>", 400, "InvalidXmlNodeValue")
	set("<StaticWebsite><Enabled>true</Enabled></StaticWebsite>", 400, "UnsupportedXmlNode")
	set("<DefaultServiceVersion>new</DefaultServiceVersion>", 400, "InvalidXmlNodeValue")
	set("<HourMetrics><Version>1.0</Version><Enabled>true</Enabled></HourMetrics>", 400, "MissingRequiredXmlNode")
	set("<Cors>"+strings.Repeat(rule, 6)+"</Cors>", 400, "InvalidXmlNodeValue")
	set("<Cors>"+strings.ReplaceAll(rule, "PUT", "TAKE")+"</Cors>", 400, "InvalidXmlNodeValue")
	if r := h.want(200, "", h.signed("GET", path, "")); !strings.Contains(r.Body, "<AllowedOrigins>https://*.example.com</AllowedOrigins>") {
		t.Error(r.Body)
	}
	h.want(400, "InvalidQueryParameterValue", h.signed("GET", "/?restype=service&comp=stats", ""))
	h.story(nil, []step{
		{"OPTIONS", "/con1/a?comp=metadata", "", "Origin: https://a.example.com; Access-Control-Request-Method: GET; Access-Control-Request-Headers: X-MS-Date,x-ms-version", 200, "", "Access-Control-Allow-Origin: https://a.example.com; Access-Control-Max-Age: 7"},
		{"OPTIONS", "/con1?restype=container&comp=list", "", "Origin: https://a.example.org; Access-Control-Request-Method: GET", 403, "CorsPreflightFailure", ""},
		{"OPTIONS", "/con1/a", "", "Origin: https://a.example.com; Access-Control-Request-Method: DELETE", 403, "CorsPreflightFailure", ""},
		{"OPTIONS", "/con1/a", "", "Origin: https://a.example.com; Access-Control-Request-Method: GET; Access-Control-Request-Headers: x-other", 403, "CorsPreflightFailure", ""},
		{"OPTIONS", "/", "", "Access-Control-Request-Method: GET", 400, "MissingRequiredHeader", ""},
	})
	h.story(h.with(blobReader), []step{
		{"GET", "/con1/a", "", "Origin: https://a.example.com", 200, "", "Access-Control-Allow-Origin: https://a.example.com; Access-Control-Expose-Headers: ETag"},
		{"GET", "/con1/a", "", "Origin: https://example.org", 200, "", "Access-Control-Allow-Origin: "},
	})
}
