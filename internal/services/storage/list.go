package storage

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

// metadataXML writes a map as elements of its names.
type metadataXML map[string]string

// MarshalXML implements xml.Marshaler.
func (m metadataXML) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for name, value := range m {
		if err := e.EncodeElement(value, xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// leaseWords are status, state and duration of a lease.
func leaseWords(l blob.Lease, now time.Time) (status, state, duration string) {
	state, status = l.State(now), "unlocked"
	if l.Locked(now) {
		status = "locked"
	}
	if state == blob.Leased {
		if duration = "fixed"; l.Seconds == -1 {
			duration = "infinite"
		}
	}
	return status, state, duration
}

func setLease(h http.Header, l blob.Lease, now time.Time) {
	status, state, duration := leaseWords(l, now)
	h.Set("x-ms-lease-status", status)
	h.Set("x-ms-lease-state", state)
	if duration != "" {
		h.Set("x-ms-lease-duration", duration)
	}
}

type blobList struct {
	XMLName    xml.Name `xml:"EnumerationResults"`
	Endpoint   string   `xml:"ServiceEndpoint,attr"`
	Container  string   `xml:"ContainerName,attr"`
	Prefix     string   `xml:"Prefix,omitempty"`
	Marker     string   `xml:"Marker,omitempty"`
	MaxResults int      `xml:"MaxResults,omitempty"`
	Delimiter  string   `xml:"Delimiter,omitempty"`
	Blobs      blobsXML `xml:"Blobs"`
	NextMarker string   `xml:"NextMarker"`
}

type blobsXML struct{ Items []any }

// MarshalXML keeps blobs and prefixes in the order of their names.
func (b blobsXML) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for _, item := range b.Items {
		if err := e.Encode(item); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

type prefixXML struct {
	XMLName xml.Name `xml:"BlobPrefix"`
	Name    string   `xml:"Name"`
}

type blobXML struct {
	XMLName    xml.Name `xml:"Blob"`
	Name       string   `xml:"Name"`
	Snapshot   string   `xml:"Snapshot,omitempty"`
	Properties struct {
		Created            string `xml:"Creation-Time"`
		Modified           string `xml:"Last-Modified"`
		ETag               string `xml:"Etag"`
		Length             int64  `xml:"Content-Length"`
		ContentType        string `xml:"Content-Type"`
		ContentEncoding    string `xml:"Content-Encoding"`
		ContentLanguage    string `xml:"Content-Language"`
		CRC64              string `xml:"Content-CRC64"`
		MD5                string `xml:"Content-MD5"`
		CacheControl       string `xml:"Cache-Control"`
		ContentDisposition string `xml:"Content-Disposition"`
		Type               string `xml:"BlobType"`
		Tier               string `xml:"AccessTier,omitempty"`
		TierInferred       bool   `xml:"AccessTierInferred,omitempty"`
		LeaseStatus        string `xml:"LeaseStatus,omitempty"`
		LeaseState         string `xml:"LeaseState,omitempty"`
		LeaseDuration      string `xml:"LeaseDuration,omitempty"`
		ServerEncrypted    bool   `xml:"ServerEncrypted"`
		Sealed             bool   `xml:"Sealed,omitempty"`
		TagCount           int    `xml:"TagCount,omitempty"`
	} `xml:"Properties"`
	Metadata *metadataXML `xml:"Metadata"`
}

func (s *Storage) listBlobs(w http.ResponseWriter, call *api.Call) error {
	ctx, account, container := s.container(call)
	q := call.Request.URL.Query()
	limit, err := intQuery(call.Request, "maxresults", maxResults, maxResults)
	if err != nil {
		return err
	}
	after, err := marker(call)
	if err != nil {
		return err
	}
	include := strings.Split(strings.ToLower(q.Get("include")), ",")
	has := func(what string) bool {
		for _, one := range include {
			if strings.TrimSpace(one) == what {
				return true
			}
		}
		return false
	}
	all, next, err := s.blobs.List(ctx, account, container, blob.ListQuery{Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), After: after, Limit: limit, Snapshots: has("snapshots")})
	if err != nil {
		return err
	}
	list := blobList{Endpoint: call.URL("/"), Container: container, Prefix: q.Get("prefix"), Marker: q.Get("marker"), Delimiter: q.Get("delimiter")}
	if q.Has("maxresults") {
		list.MaxResults = limit
	}
	for _, one := range all {
		if one.Blob == nil {
			list.Blobs.Items = append(list.Blobs.Items, prefixXML{Name: one.Prefix})
			continue
		}
		list.Blobs.Items = append(list.Blobs.Items, s.blobXML(one.Blob, has("metadata")))
	}
	if next != "" {
		list.NextMarker = nextMarker(next)
	}
	setHeaders(w, call)
	return writeXML(w, http.StatusOK, list)
}

func (s *Storage) blobXML(b *blob.Blob, withMetadata bool) blobXML {
	x := blobXML{Name: b.Name, Snapshot: b.Snapshot}
	p := &x.Properties
	p.Created, p.Modified, p.ETag, p.Length = httpTime(b.Created), httpTime(b.Modified), b.ETag, b.Size
	p.ContentType, p.ContentEncoding, p.ContentLanguage, p.ContentDisposition, p.CacheControl = b.ContentType, b.ContentEncoding, b.ContentLanguage, b.ContentDisposition, b.CacheControl
	p.MD5, p.Type, p.ServerEncrypted, p.Sealed, p.TagCount = base64.StdEncoding.EncodeToString(b.MD5), b.Kind, true, b.Sealed, len(b.Tags)
	if b.Kind == blob.BlockBlob {
		if p.Tier = b.Tier; p.Tier == "" {
			p.Tier, p.TierInferred = "Hot", true
		}
	}
	if b.Snapshot == "" {
		p.LeaseStatus, p.LeaseState, p.LeaseDuration = leaseWords(b.Lease, s.now())
	}
	if withMetadata {
		x.Metadata = (*metadataXML)(&b.Metadata)
	}
	return x
}
