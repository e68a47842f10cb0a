package storage_test

import (
	"strings"
	"testing"
	"time"

	"sekisho/internal/servicetest"
)

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
