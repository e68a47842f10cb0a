package storage_test

import (
	"net/http"
	"strings"
	"testing"
)

// Source: azure-docs storage/blobs/access-tiers-overview.md, "Default account access
// tier setting".
func TestABlobWithoutATierHasItsAccounts(t *testing.T) {
	h := newHouse(t, "")
	owner := h.with(blobOwner)
	h.want(201, "", h.call("PUT", "/con1/set", "x", owner, block, "x-ms-access-tier: Hot"))
	for _, tier := range []string{"Hot", "Cool", "Cold"} {
		h.configure(`"accessTier":"` + tier + `"`)
		h.story(owner, []step{
			{"HEAD", "/con1/a", "", "", 200, "", "x-ms-access-tier: " + tier + "; x-ms-access-tier-inferred: true"},
			{"HEAD", "/con1/set", "", "", 200, "", "x-ms-access-tier: Hot; x-ms-access-tier-inferred: "},
			{"GET", "/con1" + list + "&prefix=a", "", "", 200, "", "body: <AccessTier>" + tier + "</AccessTier><AccessTierInferred>true</AccessTierInferred>"},
		})
		if r := h.call("GET", "/con1"+list+"&prefix=set", "", owner); !strings.Contains(r.Body, "<AccessTier>Hot</AccessTier>") || strings.Contains(r.Body, "Inferred") {
			t.Error(r.Body)
		}
	}

	// Premium block blobs have no tiers.
	h.Need(200, h.ARM("DELETE", h.account+"?api-version=2024-01-01", ""))
	h.Need(200, h.ARM("PUT", h.account+"?api-version=2024-01-01", `{"location":"japaneast","kind":"BlockBlobStorage","sku":{"name":"Premium_LRS"}}`))
	premium := h.with(blobOwner)
	h.want(201, "", h.call("PUT", "/con1?restype=container", "", &h.Owner))
	h.want(201, "", h.call("PUT", "/con1/a", "x", premium, block))
	h.story(premium, []step{{"HEAD", "/con1/a", "", "", 200, "", "x-ms-access-tier: ; x-ms-access-tier-inferred: "}})
	if r := h.call("GET", "/con1"+list, "", premium); !strings.Contains(r.Body, "<Name>a</Name>") || strings.Contains(r.Body, "AccessTier") {
		t.Error(r.Body)
	}
}

// Source: common-rest-api-error-codes.md.
func TestWhatIsPostedIsABatch(t *testing.T) {
	h := newHouse(t, "")
	owner := h.with(blobOwner)
	for _, path := range []string{"/", "/?comp=list", "/con1", "/con1?restype=container", "/con1?restype=container&comp=list", "/con1/a"} {
		if r := h.want(405, "UnsupportedHttpVerb", h.call("POST", path, "", owner)); !strings.Contains(r.Header.Get("Allow"), "GET") {
			t.Errorf("%s: Allow is %q", path, r.Header.Get("Allow"))
		}
	}
	h.want(400, "InvalidHeaderValue", h.call("POST", "/con1?restype=container&comp=batch", "", owner))
}

// Source: rest-storageservices working-with-the-root-container.md.
func TestABlobOfTheRootContainerNeedsNoContainer(t *testing.T) {
	h := newHouse(t, `"allowBlobPublicAccess":true`)
	owner := h.with(blobOwner)
	h.want(404, "ContainerNotFound", h.call("GET", "/pic", "", owner))
	h.want(404, "ContainerNotFound", h.call("PUT", "/pic", "x", owner, block))
	h.want(201, "", h.call("PUT", "/$root?restype=container", "", &h.Owner))
	h.story(owner, []step{
		{"PUT", "/pic", "hello", block, 201, "", ""},
		{"GET", "/$root/pic", "", "", 200, "", "body: hello"},
		{"GET", "/pic", "", "Range: bytes=1-2", 206, "", "body: el"},
		{"HEAD", "/pic", "", "", 200, "", "Content-Length: 5"},
		{"PUT", "/pic?comp=properties", "", "x-ms-blob-content-type: a/b", 200, "", ""},
		{"HEAD", "/$root/pic", "", "", 200, "", "Content-Type: a/b"},
		{"PUT", "/pic2", "", "x-ms-copy-source: " + host + "/pic", 202, "", ""},
		{"DELETE", "/pic2", "", "", 202, "", ""},
		{"GET", "/con1", "", "", 404, "BlobNotFound", ""}, // a container's name is no blob's
		{"GET", "/con1?comp=list", "", "", 400, "InvalidQueryParameterValue", ""},
		{"GET", "/con1" + list, "", "", 200, "", "body: <Name>a</Name>"},
	})
	h.want(200, "", h.signed("GET", "/pic", ""))
	h.want(200, "", h.call("GET", "/pic?"+h.serviceSAS("key1", "b", "/$root/pic", "r"), "", nil))
	h.want(403, "AuthenticationFailed", h.call("GET", "/pic?"+h.serviceSAS("key1", "b", "/con1/pic", "r"), "", nil))
	h.want(401, "NoAuthenticationInformation", h.call("GET", "/pic", "", nil))
	h.want(200, "", h.call("PUT", "/$root?restype=container&comp=acl", "", &h.Owner, "x-ms-blob-public-access: blob"))
	h.want(200, "", h.call("GET", "/pic", "", nil))

	// It is the container of roles and conditions.
	scoped, named := h.Principal("of root"), h.Principal("of con1")
	h.Grant(scoped.ID, blobReader, h.account+"/blobServices/default/containers/$root")
	h.GrantIf(named.ID, blobReader, h.account, short.Replace("(("+ifReads+") OR @Resource[<C>:name] StringEquals 'con1')"))
	h.want(200, "", h.call("GET", "/pic", "", &scoped))
	h.want(403, "AuthorizationPermissionMismatch", h.call("GET", "/pic", "", &named))
}

func TestIndexTagsNeedAFlatAccount(t *testing.T) {
	l := newLake(t, true)
	l.write("f", "1")
	for _, c := range []struct{ method, path, body, headers, code string }{
		{"GET", "/lfs/f?comp=tags", "", "", "InvalidQueryParameterValue"},
		{"PUT", "/lfs/f?comp=tags", tagsXML("a", "b"), "", "InvalidQueryParameterValue"},
		{"GET", "/?comp=blobs&where=a%3D'b'", "", "", "InvalidQueryParameterValue"},
		{"GET", "/lfs?restype=container&comp=blobs&where=a%3D'b'", "", "", "InvalidQueryParameterValue"},
		{"PUT", "/lfs/g", "x", "x-ms-tags: a=b", "BlobTagsNotSupportedForAccountType"},
		{"PUT", "/lfs/g?comp=blocklist", "<BlockList></BlockList>", "x-ms-tags: a=b", "BlobTagsNotSupportedForAccountType"},
		{"PUT", "/lfs/f", "x", "", ""},
	} {
		r := l.at("lake.blob.core.windows.net", l.super, c.method, c.path, c.body, block, c.headers)
		if got := r.Header.Get("x-ms-error-code"); got != c.code || (r.Status == http.StatusBadRequest) != (c.code != "") {
			t.Errorf("%s %s: %d %s, want %s", c.method, c.path, r.Status, got, c.code)
		}
	}
}
