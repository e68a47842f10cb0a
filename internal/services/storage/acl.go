package storage

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) aclOperations() []api.Operation {
	row := func(method, name, page, action string, handle handler) api.Operation {
		return api.Operation{Method: method, Pattern: "/{container}", Query: []string{"restype=container", "comp=acl"}, Name: name, Action: action,
			Source: permissionsSource + "; " + page, Checks: asks(action, "", false, "", "c"), Handle: handle}
	}
	return []api.Operation{
		row(http.MethodGet, "Container_GetAccessPolicy", "get-container-acl.md", containerActions+"/getAcl/action", s.getACL),
		row(http.MethodPut, "Container_SetAccessPolicy", "set-container-acl.md", containerActions+"/setAcl/action", s.setACL),
	}
}

// Bounds of stored access policies. Source: set-container-acl.md, "Request body".
const (
	maxPolicies = 5
	maxPolicyID = 64
	maxACLBody  = 64 << 10
)

type policiesXML struct {
	XMLName  xml.Name    `xml:"SignedIdentifiers"`
	Policies []policyXML `xml:"SignedIdentifier"`
}

type policyXML struct {
	ID     string `xml:"Id"`
	Access struct {
		Start      string `xml:"Start,omitempty"`
		Expiry     string `xml:"Expiry,omitempty"`
		Permission string `xml:"Permission,omitempty"`
	} `xml:"AccessPolicy"`
}

// read checks stored access policies as a client writes them.
func (x policiesXML) read() ([]blob.Policy, error) {
	if len(x.Policies) > maxPolicies {
		return nil, api.BadRequest("InvalidXmlDocument", "SignedIdentifiers", "XML specified is not syntactically valid: there are %d stored access policies, and a container has at most %d.", len(x.Policies), maxPolicies)
	}
	var all []blob.Policy
	seen := map[string]bool{}
	for i, one := range x.Policies {
		at := fmt.Sprintf("SignedIdentifiers/SignedIdentifier[%d]/", i+1)
		if one.ID == "" || utf8.RuneCountInString(one.ID) > maxPolicyID || seen[one.ID] {
			return nil, invalidNode(at+"Id", one.ID)
		}
		seen[one.ID] = true
		p := blob.Policy{ID: one.ID, Permission: one.Access.Permission}
		if !validPermission(p.Permission) {
			return nil, invalidNode(at+"AccessPolicy/Permission", p.Permission)
		}
		for _, moment := range []struct {
			name, text string
			into       *time.Time
		}{{"Start", one.Access.Start, &p.Start}, {"Expiry", one.Access.Expiry, &p.Expiry}} {
			if moment.text == "" {
				continue
			}
			parsed, ok := parseTime(moment.text)
			if !ok {
				return nil, invalidNode(at+"AccessPolicy/"+moment.name, moment.text)
			}
			*moment.into = parsed
		}
		all = append(all, p)
	}
	return all, nil
}

func writtenPolicies(all []blob.Policy) policiesXML {
	x := policiesXML{}
	written := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format("2006-01-02T15:04:05.0000000Z")
	}
	for _, p := range all {
		one := policyXML{ID: p.ID}
		one.Access.Start, one.Access.Expiry, one.Access.Permission = written(p.Start), written(p.Expiry), p.Permission
		x.Policies = append(x.Policies, one)
	}
	return x
}

// publicAccess is how far a request opens a container to everybody.
func publicAccess(call *api.Call) (string, error) {
	const header = "x-ms-blob-public-access"
	access := call.Request.Header.Get(header)
	switch guard := call.Target.Guard; {
	case access == "":
		return "", nil
	case access != "container" && access != "blob":
		return "", invalidHeader(header, access)
	case guard == nil || !guard.Anonymous:
		return "", api.Errorf(http.StatusConflict, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")
	}
	return access, nil
}

func (s *Storage) getACL(w http.ResponseWriter, call *api.Call) error {
	c, err := s.blobs.Container(s.container(call))
	if err != nil {
		return err
	}
	if id := call.Request.Header.Get("x-ms-lease-id"); id != "" {
		if err := holds(c, id, s.now()); err != nil {
			return err
		}
	}
	setHeaders(w, call)
	setETag(w.Header(), c.ETag, c.Modified)
	if c.PublicAccess != "" {
		w.Header().Set("x-ms-blob-public-access", c.PublicAccess)
	}
	return writeXML(w, http.StatusOK, writtenPolicies(c.Policies))
}

// setACL replaces all stored access policies, and says whether the container is
// open to everybody. A signed URL of a policy that is gone ends with it.
func (s *Storage) setACL(w http.ResponseWriter, call *api.Call) error {
	access, err := publicAccess(call)
	if err != nil {
		return err
	}
	var in policiesXML
	if call.Request.ContentLength != 0 {
		if err := readXML(call.Request, maxACLBody, &in); err != nil {
			return err
		}
	}
	policies, err := in.read()
	if err != nil {
		return err
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	ctx, account, name := s.container(call)
	c, err := s.blobs.ChangeContainer(ctx, account, name, cond, func(c *blob.Container) error {
		if cond.LeaseID != "" {
			if err := holds(c, cond.LeaseID, s.now()); err != nil {
				return err
			}
		}
		c.Policies, c.PublicAccess = policies, access
		return nil
	})
	if err != nil {
		return err
	}
	setHeaders(w, call)
	setETag(w.Header(), c.ETag, c.Modified)
	w.WriteHeader(http.StatusOK)
	return nil
}

// holds asks that a lease which a request names is the container's.
func holds(c *blob.Container, lease string, now time.Time) error {
	switch {
	case !c.Lease.Locked(now):
		return api.Errorf(http.StatusPreconditionFailed, "LeaseNotPresentWithContainerOperation", "There is currently no lease on the container.")
	case !strings.EqualFold(c.Lease.ID, lease):
		return api.Errorf(http.StatusPreconditionFailed, "LeaseIdMismatchWithContainerOperation", "The lease ID specified did not match the lease ID for the container.")
	}
	return nil
}
