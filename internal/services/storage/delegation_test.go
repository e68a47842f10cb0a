package storage_test

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/entra"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
)

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
	h.want(200, "", h.call("GET", "/con1/a?"+h.delegated(reader, "b", "/con1/a", "r", "scid", h.Owner.ID), "", nil))

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

// Source: create-user-delegation-sas.md, "Specify a signed object ID for a security principal".
func TestOnlyWhoMayDoAllSignsForOthers(t *testing.T) {
	h := newHouse(t, `"isHnsEnabled":true`)
	contributor, owner, other, stranger := h.with(blobContributor), h.with(blobOwner), h.Principal("other"), h.Principal("stranger")
	l := &lake{World: h.World, t: t, host: accountName + ".dfs.core.windows.net"}
	l.need(200, l.do(*owner, "PATCH", "/con1?action=setAccessControl", "", "x-ms-acl: user::rwx,group::r-x,other::--x"))
	l.need(200, l.do(*owner, "PATCH", "/con1/a?action=setAccessControl", "", "x-ms-acl: user::rw-,user:"+other.ID+":r--,group::r--,other::---"))
	reads := func(signer *servicetest.Principal, field, named string) servicetest.Reply {
		return h.call("GET", "/con1/a?"+h.delegated(signer, "b", "/con1/a", "r", field, named), "", nil)
	}
	for _, field := range []string{"saoid", "suoid"} {
		r := h.want(403, "AuthorizationPermissionMismatch", reads(contributor, field, other.ID))
		if !strings.Contains(r.Body, "runAsSuperUser") || !strings.Contains(r.Body, contributor.ID) {
			t.Errorf("%s: the refusal does not explain itself: %s", field, r.Body)
		}
		h.want(200, "", reads(owner, field, other.ID))
	}
	h.want(200, "", reads(owner, "saoid", stranger.ID)) // of whom no list is asked
	if r := h.want(403, "AuthorizationPermissionMismatch", reads(owner, "suoid", stranger.ID)); !strings.Contains(r.Body, stranger.ID) {
		t.Errorf("the refusal does not explain itself: %s", r.Body)
	}
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
