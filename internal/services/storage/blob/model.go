package blob

import (
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"sekisho/internal/store"
)

// Kinds of documents.
const (
	kindService   = "blobService"          // account
	kindContainer = "blobContainer"        // "{account}/{name}"
	kindDeleted   = "blobContainerDeleted" // "{account}/{name} {container id}": it may be restored
	kindGone      = "blobContainerGone"    // container id: its blobs go in the background
	kindBlob      = "blob"                 // "{container id}/{name in hex}/{snapshot, or ~}"
	kindBlock     = "blobBlock"            // "{container id}/{name in hex}/{block id in hex}"
	kindStaging   = "blobStaging"          // "{container id}/{name in hex}/": what was staged for it
	kindShared    = "blobObject"           // object: how many blobs name it beyond one
	kindBytes     = "blobBytes"            // object: the bytes of a small one
	kindGivenUp   = "blobGivenUp"          // time: small objects that nobody names, and that may still be read
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
	// Hierarchical containers have directories and access control lists. Root is
	// the access of theirs.
	Hierarchical bool    `json:"hierarchical,omitempty"`
	Root         *Access `json:"root,omitempty"`
	Retained
}

// Retained is what was deleted and may be restored until it expires.
type Retained struct {
	Deleted time.Time `json:"deleted,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
}

// IsDeleted tells whether it was deleted.
func (r Retained) IsDeleted() bool { return !r.Deleted.IsZero() }

// Days are the whole days that are left of it.
func (r Retained) Days(now time.Time) int { return max(0, int(r.Expires.Sub(now).Hours()/24)) }

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
	TierSet   time.Time         `json:"tierSet,omitzero"`
	Lease     Lease             `json:"lease,omitzero"`
	Sealed    bool              `json:"sealed,omitempty"`
	Copy      *Copy             `json:"copy,omitempty"`
	// Directory is set for a directory, Access for what is in a hierarchical
	// container; Lake for a file whose bytes came as a Data Lake's do.
	Directory bool    `json:"directory,omitempty"`
	Access    *Access `json:"access,omitempty"`
	Lake      bool    `json:"lake,omitempty"`
	Retained
	// Uncommitted is set in a listing for a blob that has staged blocks only.
	Uncommitted bool   `json:"-"`
	small       []byte // all its bytes, of a blob that is one small object and was found to be read
}

// Part is a stretch of a blob: a whole object, in the bucket or, of a small one, in
// the store; or several parts, of which the object tells.
type Part struct {
	Object string `json:"object"`
	Size   int64  `json:"size"`
	Block  string `json:"block,omitempty"`  // its block id, of a block blob
	Folded int    `json:"folded,omitempty"` // how many parts it stands for, if it is several
}

// Copy tells where a blob's content came from.
type Copy struct {
	ID        string    `json:"id"`
	Source    string    `json:"source"`
	Status    string    `json:"status"`
	Completed time.Time `json:"completed"`
	Bytes     int64     `json:"bytes"`
}

// block is one that was staged and is in no blob yet.
type block struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	Size   int64  `json:"size"`
}

// staging sums up the blocks that are staged for a blob.
type staging struct {
	Name     string    `json:"name"`
	Count    int       `json:"count"`
	IDLength int       `json:"idLength"`
	Last     time.Time `json:"last"` // when the last one was staged
}

// shared counts the blobs that name an object, beyond the first.
type shared struct {
	More int `json:"more"`
}

func containerID(account, name string) string { return account + "/" + name }

// deletedID is where a deleted container is. The space sorts before all that a name
// has, so that these ids are in the order of names, too.
func deletedID(account, name, version string) string {
	return containerID(account, name) + " " + version
}

// blobPrefix begins the ids of a blob's documents. Names are case-sensitive,
// documents' ids are not; in hex they keep their order.
func blobPrefix(container, name string) string {
	return container + "/" + hex.EncodeToString([]byte(name)) + "/"
}

// blobID is where a blob is, or a snapshot. Snapshots come before their blob, in
// the order of their times, as they are listed.
func blobID(container, name, snapshot string) string {
	if snapshot == "" {
		snapshot = "~"
	}
	return blobPrefix(container, name) + snapshot
}

// Secondary keys of blobs.
const (
	keyDeleted = "deleted" // of all that were deleted and are kept
	keyTagged  = "tagged"  // container: its blobs that have tags
	keyTag     = "tag"     // tagKey
	keyFolder  = "folder"  // container: its directories
)

func tagKey(container, name, value string) string {
	return container + "/" + hex.EncodeToString([]byte(name)) + "/" + hex.EncodeToString([]byte(value))
}

func (b *Blob) keys() []store.Key {
	switch {
	case b.IsDeleted():
		return []store.Key{{Name: keyDeleted, Value: "true"}}
	case b.Directory:
		return []store.Key{{Name: keyFolder, Value: b.Container}}
	case len(b.Tags) == 0 || b.Snapshot != "": // snapshots are not found by tags
		return nil
	}
	keys := []store.Key{{Name: keyTagged, Value: b.Container}}
	for _, name := range slices.Sorted(maps.Keys(b.Tags)) {
		keys = append(keys, store.Key{Name: keyTag, Value: tagKey(b.Container, name, b.Tags[name])})
	}
	return keys
}

// saveBlob writes a blob's document; its objects are no orphans.
func (s *Store) saveBlob(tx *store.Tx, b *Blob) error {
	s.objects.named(b.Parts)
	if b.Directory {
		b.markFolder()
	}
	_, err := store.Save(tx, store.Record{Kind: kindBlob, ID: blobID(b.Container, b.Name, b.Snapshot), Keys: b.keys()}, b)
	return err
}

// loadBlob is nil if there is none, or if it was deleted.
func loadBlob(tx *store.Tx, container, name, snapshot string) (*Blob, error) {
	b, err := loadAny(tx, container, name, snapshot)
	if b != nil && b.IsDeleted() {
		b = nil
	}
	return b, err
}

// loadAny is nil if there is none.
func loadAny(tx *store.Tx, container, name, snapshot string) (*Blob, error) {
	b, _, err := store.Load[Blob](tx, kindBlob, blobID(container, name, snapshot))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &b, err
}
