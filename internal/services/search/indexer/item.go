package indexer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"sekisho/internal/services/search/extract"
)

// Item is a blob of a data source.
type Item struct {
	Name        string // in its container
	Path        string // its URL
	Modified    time.Time
	ETag        string
	ContentType string
	MD5         string // base64
	Size        int64
	Metadata    map[string]string
	Deleted     bool // softly, by the storage
}

// version is what an item is known by after it was read.
func (it Item) version() string {
	if it.Deleted {
		return "deleted " + it.ETag
	}
	return it.ETag
}

// meta reads a property in any case.
func (it Item) meta(name string) string {
	for k, v := range it.Metadata {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// gone tells whether a policy says that an item is no more.
func (p *DeletionPolicy) gone(it Item) bool {
	if p == nil {
		return false
	}
	if p.ODataType == NativeSoftDelete {
		return it.Deleted
	}
	return it.meta(p.Column) == p.Marker
}

// Metadata of a blob that tells indexers what to do with it.
// Source: azure-docs search/search-howto-indexing-azure-blob-storage.md, "Using blob
// metadata to control how blobs are indexed".
const (
	skipBlob    = "AzureSearch_Skip"
	skipContent = "AzureSearch_SkipContent"
)

// storage is what the storage knows of an item, as a source document.
func (it Item) storage() map[string]any {
	doc := map[string]any{}
	for k, v := range it.Metadata {
		doc[k] = v
	}
	doc["metadata_storage_name"] = path.Base(it.Name)
	doc[storagePath] = it.Path
	doc["metadata_storage_content_type"] = it.ContentType
	doc["metadata_storage_last_modified"] = it.Modified.UTC().Format(time.RFC3339)
	doc["metadata_storage_size"] = json.Number(fmt.Sprint(it.Size))
	doc["metadata_storage_file_extension"] = path.Ext(it.Name)
	if it.MD5 != "" {
		doc["metadata_storage_content_md5"] = it.MD5
	}
	return doc
}

// Source gives the items of a data source.
type Source interface {
	// List gives a page of items in the order of their names, and where the next
	// begins, which is empty at the end. A *SourceError tells what the storage says.
	List(ctx context.Context, marker string, deleted bool) (page []Item, next string, err error)
	// Open reads an item. It is an ErrGone that it is no more.
	Open(ctx context.Context, it Item) (io.ReadCloser, error)
}

// SourceError is why a data source cannot be read, in its own words.
type SourceError struct {
	Text   string
	Denied bool // it will not be otherwise for another item
}

func (e *SourceError) Error() string { return e.Text }

// Reader reads files: an extract.Extractor.
type Reader interface {
	Extract(ctx context.Context, src extract.Source, opt extract.Options, each func(extract.Document) error) ([]extract.Warning, error)
}

// Sink writes documents.
type Sink interface {
	// Check tells what is wrong with a document that is to be merged or uploaded.
	Check(index, key string, fields map[string]any) error
	// Full tells why no index takes more documents; it is empty if they do.
	Full(ctx context.Context) (why string, err error)
	// Write writes a batch and the state, the state last: all or, after a crash, a
	// part of the documents, which come again with the next run. Documents that the
	// index does not take are left out, and told.
	Write(ctx context.Context, b Batch) ([]Rejection, error)
}

// Rejection is a document that an index does not take.
type Rejection struct{ Index, Key, Text string }

// Batch is what is written together.
type Batch struct {
	Documents []Document
	Families  []Family
	State     *State
	Ended     *Result // the run, with its last batch
}

// Document is one that is merged or uploaded, or deleted.
type Document struct {
	Index, Key string
	Fields     map[string]any
	Delete     bool
}

// Family is all the parts of a parent that an index has from now on.
type Family struct {
	Index, Parent string
	Keys          []string
}
