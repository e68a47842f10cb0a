package storage_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const (
	dataOwner       = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
	dataContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
	dataReader      = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
)

// lake is a filesystem of an account with a hierarchical namespace, or without one,
// and the superuser who made it.
type lake struct {
	*servicetest.World
	t       *testing.T
	account string // its id
	host    string
	super   servicetest.Principal
}

func newLake(t *testing.T, hierarchical bool) *lake {
	t.Helper()
	w := servicetest.New(t, servicetest.Builtin)
	l := &lake{World: w, t: t, host: "lake.dfs.core.windows.net", super: w.Principal("super")}
	l.account = w.MakeGroup("rg") + "/providers/Microsoft.Storage/storageAccounts/lake"
	w.Need(http.StatusOK, w.ARM(http.MethodPut, l.account, fmt.Sprintf(`{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{"isHnsEnabled":%v}}`, hierarchical)))
	w.Grant(l.super.ID, dataOwner, l.account)
	l.need(http.StatusCreated, l.do(l.super, "PUT", "/lfs?resource=filesystem", ""))
	return l
}

// do makes a call to the dfs endpoint; headers are "Name: value".
func (l *lake) do(as servicetest.Principal, method, path, body string, headers ...string) servicetest.Reply {
	l.t.Helper()
	return l.at(l.host, as, method, path, body, headers...)
}

func (l *lake) at(host string, as servicetest.Principal, method, path, body string, headers ...string) servicetest.Reply {
	l.t.Helper()
	r := servicetest.Request{Method: method, URL: "https://" + host + path, Body: body, As: &as, Header: http.Header{"X-Ms-Version": {"2023-11-03"}}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return l.Do(r)
}

func (l *lake) need(status int, r servicetest.Reply) servicetest.Reply {
	l.t.Helper()
	if r.Status != status {
		l.t.Fatalf("status %d, want %d: %s %s", r.Status, status, r.Header.Get("x-ms-error-code"), r.Body)
	}
	return r
}

func (l *lake) mkdir(path string) {
	l.t.Helper()
	l.need(http.StatusCreated, l.do(l.super, "PUT", "/lfs/"+path+"?resource=directory", ""))
}

func (l *lake) write(path, text string) {
	l.t.Helper()
	l.need(http.StatusCreated, l.do(l.super, "PUT", "/lfs/"+path+"?resource=file", ""))
	l.need(http.StatusAccepted, l.do(l.super, "PATCH", "/lfs/"+path+"?action=append&position=0", text))
	l.need(http.StatusOK, l.do(l.super, "PATCH", fmt.Sprintf("/lfs/%s?action=flush&position=%d", path, len(text)), ""))
}

func (l *lake) acl(path, acl string) {
	l.t.Helper()
	l.need(http.StatusOK, l.do(l.super, "PATCH", "/lfs/"+path+"?action=setAccessControl", "", "x-ms-acl: "+acl))
}

// names are those of a list of paths; a directory ends with a slash.
func (l *lake) names(query string) string {
	l.t.Helper()
	r := l.need(http.StatusOK, l.do(l.super, "GET", "/lfs?resource=filesystem&"+query, ""))
	var all []string
	list, _ := r.Get("paths").([]any)
	for _, one := range list {
		p := one.(map[string]any)
		name := p["name"].(string)
		if p["isDirectory"] == "true" {
			name += "/"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestPathsAreMadeReadMovedAndDeleted(t *testing.T) {
	l := newLake(t, true)
	l.write("a/b/x.txt", "hello")
	l.mkdir("a/c")
	if got := l.names("recursive=true"); got != "a/ a/b/ a/b/x.txt a/c/" {
		t.Errorf("all: %s", got)
	}
	if got := l.names("recursive=false&directory=a"); got != "a/b/ a/c/" {
		t.Errorf("in a: %s", got)
	}
	r := l.need(http.StatusPartialContent, l.do(l.super, "GET", "/lfs/a/b/x.txt", "", "Range: bytes=1-3"))
	if r.Body != "ell" || r.Header.Get("x-ms-resource-type") != "file" {
		t.Errorf("%q %v", r.Body, r.Header)
	}
	l.need(http.StatusCreated, l.do(l.super, "PUT", "/lfs/moved", "", "x-ms-rename-source: /lfs/a/b"))
	if got := l.names("recursive=true"); got != "a/ a/c/ moved/ moved/x.txt" {
		t.Errorf("after the move: %s", got)
	}
	if r := l.need(http.StatusOK, l.do(l.super, "GET", "/lfs/moved/x.txt", "")); r.Body != "hello" {
		t.Errorf("%q", r.Body)
	}
	l.need(http.StatusOK, l.do(l.super, "DELETE", "/lfs/moved?recursive=true", ""))
	if got := l.names("recursive=true"); got != "a/ a/c/" {
		t.Errorf("after the deletion: %s", got)
	}
}

func TestAppendedBytesAreInAFileWhenTheyAreFlushed(t *testing.T) {
	l := newLake(t, true)
	l.write("f", "one")
	at := func(position int, text string) {
		l.need(http.StatusAccepted, l.do(l.super, "PATCH", fmt.Sprintf("/lfs/f?action=append&position=%d", position), text))
	}
	flush := func(position int, more string) servicetest.Reply {
		return l.do(l.super, "PATCH", fmt.Sprintf("/lfs/f?action=flush&position=%d%s", position, more), "")
	}
	read := func() string { return l.need(http.StatusOK, l.do(l.super, "GET", "/lfs/f", "")).Body }
	at(9, "four") // out of order
	at(3, "two")
	if r := flush(13, ""); r.Code() != "InvalidFlushPosition" || read() != "one" {
		t.Errorf("a gap: %d %s, %q", r.Status, r.Code(), read())
	}
	l.need(http.StatusOK, flush(6, "&retainUncommittedData=true"))
	at(6, "ten")
	l.need(http.StatusOK, flush(13, ""))
	if got := read(); got != "onetwotenfour" {
		t.Errorf("%q", got)
	}
	at(13, "gone")
	l.need(http.StatusOK, flush(13, ""))
	if r := flush(17, ""); r.Code() != "InvalidFlushPosition" {
		t.Errorf("what was not retained: %d %s", r.Status, r.Body)
	}
	l.at("lake.blob.core.windows.net", l.super, "PUT", "/lfs/b", "x", "x-ms-blob-type: BlockBlob")
	if r := l.do(l.super, "PATCH", "/lfs/b?action=append&position=1", "y"); r.Code() != "InvalidFlushOperation" {
		t.Errorf("a blob of the blob endpoint: %d %s", r.Status, r.Body)
	}
}

func TestErrorsOfPaths(t *testing.T) {
	l := newLake(t, true)
	l.write("file", "x")
	l.mkdir("full/inner")
	l.mkdir("other")
	tests := []struct {
		name, method, path string
		headers            []string
		status             int
		code               string
	}{
		{"no filesystem", "GET", "/none/x", nil, 404, "FilesystemNotFound"},
		{"no path", "GET", "/lfs/none", nil, 404, "PathNotFound"},
		{"no directory", "GET", "/lfs?resource=filesystem&recursive=true&directory=none", nil, 404, "PathNotFound"},
		{"a filesystem twice", "PUT", "/lfs?resource=filesystem", nil, 409, "FilesystemAlreadyExists"},
		{"a path twice", "PUT", "/lfs/file?resource=file", []string{"If-None-Match: *"}, 409, "PathAlreadyExists"},
		{"a directory over a file", "PUT", "/lfs/file?resource=directory", nil, 409, "PathConflict"},
		{"below a file", "PUT", "/lfs/file/x?resource=file", nil, 409, "PathConflict"},
		{"a full directory", "DELETE", "/lfs/full", nil, 409, "DirectoryNotEmpty"},
		{"a source that is not there", "PUT", "/lfs/n", []string{"x-ms-rename-source: /lfs/none"}, 404, "SourcePathNotFound"},
		{"a source that is no path", "PUT", "/lfs/n", []string{"x-ms-rename-source: fs"}, 400, "InvalidSourceUri"},
		{"into nowhere", "PUT", "/lfs/none/n", []string{"x-ms-rename-source: /lfs/file"}, 404, "RenameDestinationParentPathNotFound"},
		{"into itself", "PUT", "/lfs/full/inner/n", []string{"x-ms-rename-source: /lfs/full"}, 409, "InvalidRenameSourcePath"},
		{"a file over a directory", "PUT", "/lfs/other", []string{"x-ms-rename-source: /lfs/file"}, 409, "InvalidSourceOrDestinationResourceType"},
		{"over a full directory", "PUT", "/lfs/full", []string{"x-ms-rename-source: /lfs/other"}, 409, "PathAlreadyExists"},
		{"a condition on the source", "PUT", "/lfs/n", []string{"x-ms-rename-source: /lfs/file", `x-ms-source-if-match: "no"`}, 412, "SourceConditionNotMet"},
		{"an unsupported header", "PUT", "/lfs/n?resource=file", []string{"x-ms-expiry-option: NeverExpire"}, 400, "UnsupportedHeader"},
		{"an unsupported operation", "PUT", "/lfs/file?comp=expiry", nil, 400, "UnsupportedQueryParameter"},
		{"another verb", "POST", "/lfs?resource=filesystem", nil, 405, "UnsupportedHttpVerb"},
		{"a part that leads up", "PUT", "/lfs/a/%2e%2e/b?resource=file", nil, 400, "InvalidUri"},
		{"a position that is none", "PATCH", "/lfs/file?action=append&position=-1", nil, 400, "InvalidQueryParameterValue"},
		{"no position", "PATCH", "/lfs/file?action=flush", nil, 400, "MissingRequiredQueryParameter"},
		{"properties that are none", "PATCH", "/lfs/file?action=setProperties", []string{"x-ms-properties: a=!"}, 400, "InvalidHeaderValue"},
		{"a list that is none", "PATCH", "/lfs/file?action=setAccessControl", []string{"x-ms-acl: user::rwz"}, 400, "InvalidHeaderValue"},
		{"a list without others", "PATCH", "/lfs/file?action=setAccessControl", []string{"x-ms-acl: user::rwx,group::r-x"}, 400, "InvalidHeaderValue"},
		{"a default list of a file", "PATCH", "/lfs/file?action=setAccessControl", []string{"x-ms-acl: user::rwx,group::r-x,other::---,default:user::rwx"}, 400, "InvalidHeaderValue"},
		{"a list and permissions", "PATCH", "/lfs/file?action=setAccessControl", []string{"x-ms-acl: user::rwx,group::r-x,other::---", "x-ms-permissions: 0777"}, 400, "InvalidHeaderValue"},
		{"a continuation of nobody's", "GET", "/lfs?resource=filesystem&recursive=true&continuation=%21", nil, 400, "InvalidQueryParameterValue"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := l.do(l.super, tt.method, tt.path, "", tt.headers...)
			if r.Status != tt.status || r.Header.Get("x-ms-error-code") != tt.code || r.Code() != tt.code {
				t.Errorf("%d %s, want %d %s: %s", r.Status, r.Header.Get("x-ms-error-code"), tt.status, tt.code, r.Body)
			}
		})
	}
	if got := l.names("recursive=true"); got != "file full/ full/inner/ other/" {
		t.Errorf("what is left: %s", got)
	}
}

func TestAFlatNamespaceHasNoAccessLists(t *testing.T) {
	l := newLake(t, false)
	l.write("a/x", "1")
	l.write("b", "2")
	if got := l.names("recursive=false"); got != "a/ b" {
		t.Errorf("%s", got)
	}
	for _, call := range [][]string{{"HEAD", "/lfs/b?action=getAccessControl"}, {"PATCH", "/lfs/b?action=setAccessControl", "x-ms-permissions: 0777"}, {"PUT", "/lfs/c?resource=file", "x-ms-umask: 0000"}} {
		if r := l.do(l.super, call[0], call[1], "", call[2:]...); r.Status != http.StatusBadRequest || r.Header.Get("x-ms-error-code") != "HierarchicalNamespaceNotEnabled" {
			t.Errorf("%v: %d %s", call, r.Status, r.Body)
		}
	}
	l.need(http.StatusCreated, l.do(l.super, "PUT", "/lfs/z", "", "x-ms-rename-source: /lfs/a"))
	l.need(http.StatusOK, l.do(l.super, "DELETE", "/lfs/b", ""))
	if got := l.names("recursive=true"); got != "z/x" {
		t.Errorf("%s", got)
	}
	if r := l.do(l.Principal("nobody"), "GET", "/lfs/z/x", ""); r.Status != http.StatusForbidden || !strings.Contains(fmt.Sprint(r.Get("error", "innererror", "resource")), "without a hierarchical namespace") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestTheBlobEndpointSeesTheSameHierarchy(t *testing.T) {
	l := newLake(t, true)
	const blobs = "lake.blob.core.windows.net"
	l.write("a/x", "1")
	l.need(http.StatusCreated, l.at(blobs, l.super, "PUT", "/lfs/b/c/y", "22", "x-ms-blob-type: BlockBlob"))
	if got := l.names("recursive=true"); got != "a/ a/x b/ b/c/ b/c/y" {
		t.Errorf("%s", got)
	}
	r := l.need(http.StatusOK, l.at(blobs, l.super, "GET", "/lfs?restype=container&comp=list&delimiter=/", ""))
	if !strings.Contains(r.Body, "<BlobPrefix><Name>a/</Name>") || strings.Contains(r.Body, "<Blob><Name>a</Name>") {
		t.Errorf("by folders: %s", r.Body)
	}
	r = l.need(http.StatusOK, l.at(blobs, l.super, "GET", "/lfs?restype=container&comp=list&include=metadata", ""))
	if !strings.Contains(r.Body, "<Name>b/c</Name>") || !strings.Contains(r.Body, "<hdi_isfolder>true</hdi_isfolder>") {
		t.Errorf("flat: %s", r.Body)
	}
	head := l.need(http.StatusOK, l.at(blobs, l.super, "HEAD", "/lfs/a", ""))
	if metadataOf(head, "hdi_isfolder") != "true" || head.Header.Get("x-ms-resource-type") != "directory" || head.Header.Get("x-ms-permissions") != "rwxr-x---" {
		t.Errorf("%v", head.Header)
	}
	for path, code := range map[string]string{"/lfs/b": "DirectoryIsNotEmpty", "/lfs/a": "DirectoryIsNotEmpty"} {
		if r := l.at(blobs, l.super, "DELETE", path, ""); r.Header.Get("x-ms-error-code") != code {
			t.Errorf("DELETE %s: %d %s", path, r.Status, r.Body)
		}
	}
	if r := l.at(blobs, l.super, "PUT", "/lfs/a", "1", "x-ms-blob-type: BlockBlob"); r.Header.Get("x-ms-error-code") != "ResourceTypeMismatch" {
		t.Errorf("a blob over a directory: %d %s", r.Status, r.Body)
	}
}
