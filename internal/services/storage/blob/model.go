package blob

import (
	"encoding/hex"
	"time"

	"sekisho/internal/store"
)

// Kinds of documents.
const (
	kindContainer = "blobContainer" // "{account}/{name}"
	kindBlob      = "blob"          // "{container id}/{name in hex}/{snapshot}"
	kindBlock     = "blobBlock"     // "{container id}/{name in hex}/{block id in hex}"
	kindShared    = "blobObject"    // object: how many blobs name it beyond one
	kindGone      = "blobContainerGone"
)

// Container is a container of an account.
type Container struct {
	ID           string            `json:"id"` // of its blobs' documents
	Account      string            `json:"account"`
	Name         string            `json:"name"`
	ETag         string            `json:"etag"`
	Created      time.Time         `json:"created"`
	Modified     time.Time         `json:"modified"`
	Metadata     map[string]string `json:"metadata,omitempty"`
	PublicAccess string            `json:"publicAccess,omitempty"` // container, blob or empty
	Policies     []Policy          `json:"policies,omitempty"`
	Lease        Lease             `json:"lease,omitzero"`
}

// Policy is a stored access policy.
type Policy struct {
	ID         string    `json:"id"`
	Start      time.Time `json:"start,omitzero"`
	Expiry     time.Time `json:"expiry,omitzero"`
	Permission string    `json:"permission,omitempty"`
}

// Lease is a lock that a client holds on a container or a blob.
// Source: rest-storageservices lease-blob.md.
type Lease struct {
	ID string `json:"id,omitempty"`
	// Seconds is 15 to 60, or -1 for one without an end.
	Seconds int `json:"seconds,omitempty"`
	// Until is when it ends; zero for never.
	Until time.Time `json:"until,omitzero"`
	// Broken is set when it was broken: Until is when it may be taken again.
	Broken bool `json:"broken,omitempty"`
}

// Kinds of blobs.
const (
	BlockBlob  = "BlockBlob"
	AppendBlob = "AppendBlob"
)

// Properties are what a client sets with a blob's content.
type Properties struct {
	ContentType        string `json:"contentType,omitempty"`
	ContentEncoding    string `json:"contentEncoding,omitempty"`
	ContentLanguage    string `json:"contentLanguage,omitempty"`
	ContentDisposition string `json:"contentDisposition,omitempty"`
	CacheControl       string `json:"cacheControl,omitempty"`
	MD5                []byte `json:"md5,omitempty"`
}

// Blob is a blob, or a snapshot of one.
type Blob struct {
	Properties
	Container string            `json:"container"` // its id
	Name      string            `json:"name"`
	Snapshot  string            `json:"snapshot,omitempty"`
	Kind      string            `json:"kind"`
	ETag      string            `json:"etag"`
	Created   time.Time         `json:"created"`
	Modified  time.Time         `json:"modified"`
	Size      int64             `json:"size"`
	Parts     []Part            `json:"parts"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
	Tier      string            `json:"tier,omitempty"`
	Lease     Lease             `json:"lease,omitzero"`
	Sealed    bool              `json:"sealed,omitempty"`
	Copy      *Copy             `json:"copy,omitempty"`
}

// Part is a stretch of a blob: a whole object.
type Part struct {
	Object string `json:"object"`
	Size   int64  `json:"size"`
	Block  string `json:"block,omitempty"` // its block id, of a block blob
}

// Copy tells where a blob's content came from.
type Copy struct {
	ID        string    `json:"id"`
	Source    string    `json:"source"`
	Status    string    `json:"status"`
	Completed time.Time `json:"completed"`
}

// block is one that was staged and is in no blob yet.
type block struct {
	ID     string    `json:"id"`
	Object string    `json:"object"`
	Size   int64     `json:"size"`
	Staged time.Time `json:"staged"`
}

// shared counts the blobs that name an object, beyond the first.
type shared struct {
	More int `json:"more"`
}

func containerID(account, name string) string { return account + "/" + name }

// blobPrefix begins the ids of a blob's documents. Names are case-sensitive,
// documents' ids are not; in hex they keep their order.
func blobPrefix(container, name string) string {
	return container + "/" + hex.EncodeToString([]byte(name)) + "/"
}

func blobID(container, name, snapshot string) string { return blobPrefix(container, name) + snapshot }

func (s *Store) saveBlob(tx *store.Tx, b *Blob) error {
	_, err := store.Save(tx, store.Record{Kind: kindBlob, ID: blobID(b.Container, b.Name, b.Snapshot)}, b)
	return err
}
