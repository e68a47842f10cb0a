package storage

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) listingOperations() []api.Operation {
	blobs := containerRow(http.MethodGet, "Container_ListBlobs", "list-blobs.md", readBlob, true, "l", []string{"comp=list"}, s.listBlobs)
	return []api.Operation{
		serviceRow(http.MethodGet, "Service_ListContainers", "list-containers2.md", readContainer, "l", []string{"comp=list"}, s.listContainers),
		asking(blobs, withTags(blobs.Checks), readTags),
	}
}

// withTags adds what include=tags needs. Source: list-blobs.md, "URI parameters".
func withTags(of checks) checks {
	return func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		if err == nil && strings.Contains(strings.ToLower(call.Request.URL.Query().Get("include")), "tags") {
			check := tagCheck(call, readTags)
			check.SASType = "c"
			all = append(all, check)
		}
		return all, err
	}
}

// Bounds of a page. Source: list-containers2.md, list-blobs.md.
const maxResults = 5000

// marker is where a list goes on, as clients hand it back.
func marker(call *api.Call) (string, error) {
	text := call.Request.URL.Query().Get("marker")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", invalidQuery("marker", text, "It is none that this service gave out.")
	}
	return string(raw), nil
}

func nextMarker(next string) string { return base64.RawURLEncoding.EncodeToString([]byte(next)) }

// included reads the include parameter, which may hold these words.
func included(q url.Values, known ...string) (map[string]bool, error) {
	all := map[string]bool{}
	for word := range strings.SplitSeq(strings.ToLower(q.Get("include")), ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		if !slices.Contains(known, word) {
			return nil, invalidQuery("include", word, "It is none of "+strings.Join(known, ", ")+".")
		}
		all[word] = true
	}
	return all, nil
}

// page is what the two lists have in common: how they begin and end.
type page struct {
	xmlText
	limit int
	after string
	query url.Values
}

func newPage(call *api.Call) (p *page, err error) {
	p = &page{query: call.Request.URL.Query()}
	if p.limit, err = intQuery(call.Request, "maxresults", maxResults, maxResults); err == nil {
		p.after, err = marker(call)
	}
	return p, err
}

func (p *page) begin(call *api.Call, container string) {
	p.raw(`<EnumerationResults ServiceEndpoint="`)
	p.text(call.URL("/"))
	if container != "" {
		p.raw(`" ContainerName="`)
		p.text(container)
	}
	p.raw(`">`)
	for _, name := range []string{"prefix", "marker", "startFrom"} {
		if value := p.query.Get(name); value != "" {
			p.element(strings.ToUpper(name[:1])+name[1:], value)
		}
	}
	if p.query.Has("maxresults") {
		p.element("MaxResults", strconv.Itoa(p.limit))
	}
	if d := p.query.Get("delimiter"); d != "" && container != "" {
		p.element("Delimiter", d)
	}
}

func (p *page) end(w http.ResponseWriter, call *api.Call, next string) error {
	if next != "" {
		next = nextMarker(next)
	}
	p.element("NextMarker", next)
	p.raw("</EnumerationResults>")
	setHeaders(w, call)
	return p.write(w)
}

func (s *Storage) listContainers(w http.ResponseWriter, call *api.Call) error {
	p, err := newPage(call)
	if err != nil {
		return err
	}
	include, err := included(p.query, "metadata", "deleted", "system")
	if err != nil {
		return err
	}
	all, next, err := s.blobs.Containers(call.Request.Context(), accountName(call),
		blob.ContainerQuery{Prefix: p.query.Get("prefix"), After: p.after, Limit: p.limit, Deleted: include["deleted"]})
	if err != nil {
		return err
	}
	p.begin(call, "")
	p.raw("<Containers>")
	for i := range all {
		s.containerEntry(&p.xmlText, &all[i], include["metadata"])
	}
	p.raw("</Containers>")
	return p.end(w, call, next)
}

func (s *Storage) containerEntry(x *xmlText, c *blob.Container, metadata bool) {
	x.raw("<Container>")
	x.element("Name", c.Name)
	if c.IsDeleted() {
		x.element("Deleted", "true")
		x.element("Version", c.ID)
	}
	x.raw("<Properties>")
	x.element("Last-Modified", httpTime(c.Modified))
	x.element("Etag", quoted(c.ETag))
	if c.IsDeleted() {
		x.element("DeletedTime", httpTime(c.Deleted))
		x.element("RemainingRetentionDays", strconv.Itoa(c.Days(s.now())))
	}
	status, state, duration := leaseWords(c.Lease, s.now())
	x.element("LeaseStatus", status)
	x.element("LeaseState", state)
	x.optional("LeaseDuration", duration)
	x.optional("PublicAccess", c.PublicAccess)
	x.raw("<DefaultEncryptionScope>$account-encryption-key</DefaultEncryptionScope><DenyEncryptionScopeOverride>false</DenyEncryptionScopeOverride>" +
		"<HasImmutabilityPolicy>false</HasImmutabilityPolicy><HasLegalHold>false</HasLegalHold></Properties>")
	if metadata {
		x.metadata(c.Metadata)
	}
	x.raw("</Container>")
}

func (s *Storage) listBlobs(w http.ResponseWriter, call *api.Call) error {
	ctx, account, container := s.container(call)
	p, err := newPage(call)
	if err != nil {
		return err
	}
	include, err := included(p.query, "copy", "deleted", "metadata", "snapshots", "tags", "uncommittedblobs", "versions", "deletedwithversions", "immutabilitypolicy", "legalhold", "permissions")
	if err != nil {
		return err
	}
	q := blob.ListQuery{Prefix: p.query.Get("prefix"), Delimiter: p.query.Get("delimiter"), StartFrom: p.query.Get("startFrom"), After: p.after, Limit: p.limit,
		Snapshots: include["snapshots"], Deleted: include["deleted"], Uncommitted: include["uncommittedblobs"]}
	switch only := strings.ToLower(p.query.Get("showonly")); only {
	case "":
	case "deleted":
		q.OnlyDeleted = true
	default:
		return invalidQuery("showonly", only, "It needs an account with a hierarchical namespace.")
	}
	all, next, err := s.blobs.List(ctx, account, container, q)
	if err != nil {
		return err
	}
	inferred, err := s.inferredTier(call)
	if err != nil {
		return err
	}
	p.begin(call, container)
	p.raw("<Blobs>")
	for _, one := range all {
		if one.Prefix != "" {
			p.raw("<BlobPrefix>")
			p.name(one.Prefix)
			s.folderEntry(&p.xmlText, one.Blob)
			p.raw("</BlobPrefix>")
			continue
		}
		s.blobEntry(&p.xmlText, one.Blob, include, inferred)
	}
	p.raw("</Blobs>")
	return p.end(w, call, next)
}

// folderEntry tells of the directory that a prefix is. Source: list-blobs.md,
// "Response body", BlobPrefix with a hierarchical namespace.
func (s *Storage) folderEntry(x *xmlText, b *blob.Blob) {
	if b == nil {
		return
	}
	x.raw("<Properties>")
	x.element("Creation-Time", httpTime(b.Created))
	x.element("Last-Modified", httpTime(b.Modified))
	x.element("Etag", b.ETag)
	x.element("ResourceType", resourceType(b))
	x.raw("<Content-Length>0</Content-Length><BlobType>BlockBlob</BlobType></Properties>")
}

func (s *Storage) blobEntry(x *xmlText, b *blob.Blob, include map[string]bool, inferredTier string) {
	x.raw("<Blob>")
	x.name(b.Name)
	x.optional("Snapshot", b.Snapshot)
	if b.IsDeleted() {
		x.element("Deleted", "true")
	}
	x.raw("<Properties>")
	x.element("Creation-Time", httpTime(b.Created))
	x.element("Last-Modified", httpTime(b.Modified))
	x.element("Etag", b.ETag)
	if b.Access != nil {
		x.element("ResourceType", resourceType(b))
		if include["permissions"] {
			x.element("Owner", b.Access.Owner)
			x.element("Group", b.Access.Group)
			x.element("Permissions", b.Access.Permissions())
			x.element("Acl", b.Access.ACL.String())
		}
	}
	x.element("Content-Length", strconv.FormatInt(b.Size, 10))
	x.element("Content-Type", b.ContentType)
	x.element("Content-Encoding", b.ContentEncoding)
	x.element("Content-Language", b.ContentLanguage)
	x.raw("<Content-CRC64 />")
	x.element("Content-MD5", base64.StdEncoding.EncodeToString(b.MD5))
	x.element("Cache-Control", b.CacheControl)
	x.element("Content-Disposition", b.ContentDisposition)
	x.element("BlobType", b.Kind)
	if b.Kind == blob.BlockBlob && !b.Uncommitted {
		x.optional("AccessTier", cmp.Or(b.Tier, inferredTier))
		if b.Tier == "" && inferredTier != "" {
			x.raw("<AccessTierInferred>true</AccessTierInferred>")
		}
		if !b.TierSet.IsZero() {
			x.element("AccessTierChangeTime", httpTime(b.TierSet))
		}
	}
	if b.Snapshot == "" && !b.IsDeleted() && !b.Uncommitted {
		status, state, duration := leaseWords(b.Lease, s.now())
		x.element("LeaseStatus", status)
		x.element("LeaseState", state)
		x.optional("LeaseDuration", duration)
	}
	if c := b.Copy; c != nil && include["copy"] {
		progress := strconv.FormatInt(c.Bytes, 10)
		x.element("CopyId", c.ID)
		x.element("CopySource", c.Source)
		x.element("CopyStatus", c.Status)
		x.element("CopyProgress", progress+"/"+progress)
		x.element("CopyCompletionTime", httpTime(c.Completed))
	}
	if b.IsDeleted() {
		x.element("DeletedTime", httpTime(b.Deleted))
		x.element("RemainingRetentionDays", strconv.Itoa(b.Days(s.now())))
	}
	x.raw("<ServerEncrypted>true</ServerEncrypted>")
	if b.Sealed {
		x.raw("<Sealed>true</Sealed>")
	}
	if len(b.Tags) > 0 {
		x.element("TagCount", strconv.Itoa(len(b.Tags)))
	}
	x.raw("</Properties>")
	if include["metadata"] {
		x.metadata(b.Metadata)
	}
	if include["tags"] && len(b.Tags) > 0 {
		x.raw("<Tags><TagSet>")
		for _, name := range slices.Sorted(maps.Keys(b.Tags)) {
			x.raw("<Tag>")
			x.element("Key", name)
			x.element("Value", b.Tags[name])
			x.raw("</Tag>")
		}
		x.raw("</TagSet></Tags>")
	}
	x.raw("</Blob>")
}
