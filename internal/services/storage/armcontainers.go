package storage

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
)

// containerProperties is properties of a container, as far as they can be written.
// Source: blob.json ContainerProperties.
type containerProperties struct {
	PublicAccess string            `json:"publicAccess,omitempty"`
	Metadata     map[string]string `json:"metadata,omitempty"`
	Scope        string            `json:"defaultEncryptionScope,omitempty"`
	DenyScope    arm.Bool          `json:"denyEncryptionScopeOverride"`
	Immutable    *enabled          `json:"immutableStorageWithVersioning,omitempty"`
	RootSquash   *arm.Bool         `json:"enableNfsV3RootSquash,omitempty"`
	AllSquash    *arm.Bool         `json:"enableNfsV3AllSquash,omitempty"`
}

type containerView struct {
	containerProperties
	Modified      string `json:"lastModifiedTime"`
	LeaseStatus   string `json:"leaseStatus"`
	LeaseState    string `json:"leaseState"`
	LeaseDuration string `json:"leaseDuration,omitempty"`
	Policy        bool   `json:"hasImmutabilityPolicy"`
	Hold          bool   `json:"hasLegalHold"`
	Deleted       bool   `json:"deleted,omitempty"`
	DeletedTime   string `json:"deletedTime,omitempty"`
	Days          int    `json:"remainingRetentionDays,omitempty"`
	Version       string `json:"version,omitempty"`
}

const accountScope = "$account-encryption-key"

func (s *Storage) viewContainer(r *arm.Resource, c *blob.Container) child {
	v := containerView{Modified: c.Modified.Format(precise), containerProperties: containerProperties{
		PublicAccess: title(c.PublicAccess), Metadata: c.Metadata, Scope: accountScope}}
	if v.PublicAccess == "" {
		v.PublicAccess = "None"
	}
	status, state, duration := leaseWords(c.Lease, s.now())
	v.LeaseStatus, v.LeaseState, v.LeaseDuration = title(status), title(state), title(duration)
	if c.IsDeleted() {
		v.Deleted, v.DeletedTime, v.Days, v.Version = true, c.Retained.Deleted.Format(precise), c.Retained.Days(s.now()), c.ID
	}
	return child{ID: r.ID + "/blobServices/default/containers/" + c.Name, Name: c.Name, Type: containerType, ETag: quoted(c.ETag), Properties: v}
}

// title is how Resource Manager spells what the service spells in small letters.
func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// change reads what a client asks of a container.
func (s *Storage) containerChange(call *api.Call) (*arm.Resource, func(*blob.Container) error, error) {
	r, err := s.withBlobs(call)
	if err != nil {
		return nil, nil, err
	}
	var in struct {
		Properties containerProperties `json:"properties"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return nil, nil, err
	}
	p := in.Properties
	account, err := arm.DecodeProperties[account](r)
	if err != nil {
		return nil, nil, err
	}
	if p.PublicAccess != "" {
		if err := oneOf("publicAccess", &p.PublicAccess, "None", "Blob", "Container"); err != nil {
			return nil, nil, err
		}
	}
	switch public := p.PublicAccess != "" && p.PublicAccess != "None"; {
	case public && (account.AllowBlobPublic == nil || !bool(*account.AllowBlobPublic)):
		return nil, nil, api.Errorf(http.StatusConflict, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")
	case p.Scope != "" && p.Scope != accountScope, bool(p.DenyScope):
		return nil, nil, notSupported("EncryptionScope")
	case p.Immutable != nil && bool(p.Immutable.Enabled):
		return nil, nil, notSupported("ImmutableStorageWithVersioning")
	case p.RootSquash != nil && bool(*p.RootSquash), p.AllSquash != nil && bool(*p.AllSquash):
		return nil, nil, notSupported("NfsV3")
	}
	meta := map[string]string{}
	for name, value := range p.Metadata {
		if !identifier(name) {
			return nil, nil, api.BadRequest("InvalidMetadata", "properties.metadata", "The metadata specified is invalid. It has characters that are not permitted.")
		}
		meta[strings.ToLower(name)] = value
	}
	return r, func(c *blob.Container) error {
		if p.PublicAccess != "" {
			c.PublicAccess = strings.TrimPrefix(strings.ToLower(p.PublicAccess), "none")
		}
		if p.Metadata != nil {
			c.Metadata = maps.Clone(meta)
		}
		return nil
	}, nil
}

// armPutContainer makes a container, or changes the one there is.
func (s *Storage) armPutContainer(w http.ResponseWriter, call *api.Call) error {
	r, change, err := s.containerChange(call)
	if err != nil {
		return err
	}
	ctx, account, name := call.Request.Context(), r.Name, call.Var("containerName")
	if !containerNames.MatchString(name) && !specialContainers[name] || len(name) > 63 {
		return api.BadRequest("InvalidResourceName", "containerName", "The specified resource name contains invalid characters.")
	}
	hierarchical, err := isHierarchical(r)
	if err != nil {
		return err
	}
	made := blob.Container{Account: account, Name: name, Hierarchical: hierarchical}
	if err := change(&made); err != nil {
		return err
	}
	c, err := s.blobs.CreateContainer(ctx, made)
	var taken *api.Error
	if errors.As(err, &taken) && taken.Code == "ContainerAlreadyExists" {
		if c, err = s.blobs.ChangeContainer(ctx, account, name, blob.Conditions{}, change); err == nil {
			return reply(w, call, http.StatusOK, s.viewContainer(r, c))
		}
	}
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusCreated, s.viewContainer(r, c))
}

func (s *Storage) armPatchContainer(w http.ResponseWriter, call *api.Call) error {
	r, change, err := s.containerChange(call)
	if err != nil {
		return err
	}
	c, err := s.blobs.ChangeContainer(call.Request.Context(), r.Name, call.Var("containerName"), blob.Conditions{}, change)
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, s.viewContainer(r, c))
}

func (s *Storage) armGetContainer(w http.ResponseWriter, call *api.Call) error {
	r, err := s.withBlobs(call)
	if err != nil {
		return err
	}
	c, err := s.blobs.Container(call.Request.Context(), r.Name, call.Var("containerName"))
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, s.viewContainer(r, c))
}

func (s *Storage) armDeleteContainer(w http.ResponseWriter, call *api.Call) error {
	r, err := s.withBlobs(call)
	if err != nil {
		return err
	}
	status := http.StatusOK
	err = s.blobs.DeleteContainer(call.Request.Context(), r.Name, call.Var("containerName"), blob.Conditions{})
	var missing *api.Error
	switch {
	case errors.As(err, &missing) && missing.Code == "ContainerNotFound":
		status = http.StatusNoContent
	case err != nil:
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(status)
	return nil
}

// listFilters is the one form of $filter that the list takes.
// Source: blob.json BlobContainers_List, "$filter".
var listFilters = regexp.MustCompile(`(?i)^\s*startswith\(\s*name\s*,\s*'?([^']*?)'?\s*\)\s*$`)

// listing is what a list of containers, or shares, is asked for with.
type listing struct {
	prefix, after string
	limit         int
	deleted       bool
}

func readListing(call *api.Call) (l listing, err error) {
	q := call.Request.URL.Query()
	l.limit = maxResults
	if text := q.Get("$maxpagesize"); text != "" {
		if l.limit, err = strconv.Atoi(text); err != nil || l.limit < 1 {
			return l, invalidParameters("$maxpagesize")
		}
		l.limit = min(l.limit, maxResults)
	}
	if text := q.Get("$filter"); text != "" {
		match := listFilters.FindStringSubmatch(text)
		if match == nil {
			return l, invalidParameters("$filter")
		}
		l.prefix = match[1]
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.Get("$skipToken"))
	if err != nil || !utf8.Valid(raw) {
		return l, invalidParameters("$skipToken")
	}
	l.after = string(raw)
	l.deleted = strings.EqualFold(q.Get("$include"), "deleted")
	return l, nil
}

// next leads to the rest of a list, after an entry.
func (l listing) next(call *api.Call, last string) string {
	q := call.Request.URL.Query()
	q.Set("$skipToken", base64.RawURLEncoding.EncodeToString([]byte(last)))
	return call.URL((&url.URL{Path: call.Path, RawQuery: q.Encode()}).String())
}

func (s *Storage) armListContainers(w http.ResponseWriter, call *api.Call) error {
	r, err := s.withBlobs(call)
	if err != nil {
		return err
	}
	l, err := readListing(call)
	if err != nil {
		return err
	}
	all, next, err := s.blobs.Containers(call.Request.Context(), r.Name, blob.ContainerQuery{Prefix: l.prefix, After: l.after, Limit: l.limit, Deleted: l.deleted})
	if err != nil {
		return err
	}
	values := []any{}
	for i := range all {
		values = append(values, s.viewContainer(r, &all[i]))
	}
	if next != "" {
		next = l.next(call, next)
	}
	return reply(w, call, http.StatusOK, arm.ListReply(values, next))
}
