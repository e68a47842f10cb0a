package search

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	blobs "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"sekisho/internal/services/search/indexer"
)

const storageAudience = "https://storage.azure.com"

// badCredentials is what is said of a key or a signature that the storage refuses.
// Source: pablomarin/RAG-Agents-Accelerator#20.
const badCredentials = "Credentials provided in the connection string are invalid or have expired.\r\n" +
	"For more information on troubleshooting connection issues to Azure Storage accounts, please see https://go.microsoft.com/fwlink/?linkid=2049388"

// blobSource reads a container of blobs. It implements indexer.Source.
type blobSource struct {
	client  *blobs.Client
	base    string // the container's address
	prefix  string
	keyless bool // who reads is a managed identity
}

// storageTransport sends the storage client's requests as the service.
type storageTransport struct {
	out      Outbound
	scope    string
	from     *indexer.DataSource
	audience string
}

// Do implements policy.Transporter.
func (t storageTransport) Do(r *http.Request) (*http.Response, error) {
	response, err := t.out.Do(r.Context(), t.scope, t.from.Identity, t.audience, r)
	if err != nil {
		return nil, final{err}
	}
	return response, nil
}

// final is an error of sending that is the same when it is tried again.
type final struct{ error }

// NonRetriable implements azcore's errorinfo.NonRetriable.
func (final) NonRetriable()   {}
func (f final) Unwrap() error { return f.error }

// pageSize is how many blobs are listed at a time.
const pageSize = 500

// openSource makes a client of a data source's container. An error is a
// *indexer.SourceError.
func (s *Search) openSource(scope string, from *indexer.DataSource) (indexer.Source, error) {
	c, err := indexer.ParseConnection(*from.Credentials.ConnectionString, from.Container.Name)
	if err != nil {
		return nil, &indexer.SourceError{Text: err.Error(), Denied: true}
	}
	t := storageTransport{out: s.out, scope: scope, from: from}
	if c.Resource != "" {
		t.audience = storageAudience
	}
	options := &blobs.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: t, Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: 100 * time.Millisecond, TryTimeout: time.Minute},
	}}
	at := c.Endpoint + "/" + from.Container.Name
	b := &blobSource{base: at, prefix: from.Container.Folder(), keyless: c.Resource != ""}
	if c.Key != "" {
		var key *blobs.SharedKeyCredential
		if key, err = blobs.NewSharedKeyCredential(c.Account, c.Key); err == nil {
			b.client, err = blobs.NewClientWithSharedKeyCredential(at, key, options)
		}
	} else {
		if c.SAS != "" {
			at += "?" + c.SAS
		}
		b.client, err = blobs.NewClientWithNoCredential(at, options)
	}
	if err != nil {
		return nil, &indexer.SourceError{Text: badCredentials, Denied: true}
	}
	return b, nil
}

// List implements indexer.Source.
func (b *blobSource) List(ctx context.Context, marker string, deleted bool) ([]indexer.Item, string, error) {
	options := &blobs.ListBlobsFlatOptions{MaxResults: to.Ptr(int32(pageSize)), Include: blobs.ListBlobsInclude{Metadata: true, Deleted: deleted}}
	if b.prefix != "" {
		options.Prefix = &b.prefix
	}
	if marker != "" {
		options.Marker = &marker
	}
	page, err := b.client.NewListBlobsFlatPager(options).NextPage(ctx)
	if err != nil {
		return nil, "", b.problem(ctx, err)
	}
	var items []indexer.Item
	for _, blob := range page.Segment.BlobItems {
		if blob.Name == nil || blob.Properties == nil || blob.Snapshot != nil && *blob.Snapshot != "" {
			continue
		}
		items = append(items, b.item(blob))
	}
	return items, value(page.NextMarker), nil
}

func (b *blobSource) item(blob *blobs.BlobItem) indexer.Item {
	p := blob.Properties
	it := indexer.Item{
		Name: *blob.Name, Path: b.url(*blob.Name), Modified: value(p.LastModified), ETag: string(value(p.ETag)),
		ContentType: value(p.ContentType), Size: value(p.ContentLength), Deleted: value(blob.Deleted), Metadata: map[string]string{},
	}
	if len(p.ContentMD5) > 0 {
		it.MD5 = base64.StdEncoding.EncodeToString(p.ContentMD5)
	}
	for name, v := range blob.Metadata {
		it.Metadata[name] = value(v)
	}
	if it.Deleted && p.DeletedTime != nil {
		it.Modified = *p.DeletedTime
	}
	return it
}

// url is a blob's address, without a signature.
func (b *blobSource) url(name string) string {
	segments := strings.Split(name, "/")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	return b.base + "/" + strings.Join(segments, "/")
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// Open implements indexer.Source.
func (b *blobSource) Open(ctx context.Context, it indexer.Item) (io.ReadCloser, error) {
	response, err := b.client.NewBlobClient(it.Name).DownloadStream(ctx, nil)
	if err == nil {
		return response.Body, nil
	}
	var r *azcore.ResponseError
	if errors.As(err, &r) && r.StatusCode == http.StatusNotFound && r.ErrorCode == "BlobNotFound" {
		return nil, indexer.ErrGone
	}
	return nil, b.problem(ctx, err)
}

// problem tells why the storage does not answer, in its own words.
func (b *blobSource) problem(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var r *azcore.ResponseError
	if !errors.As(err, &r) {
		var sent final
		if errors.As(err, &sent) {
			err = sent.error
		}
		return &indexer.SourceError{Text: err.Error(), Denied: true}
	}
	denied := r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden || r.ErrorCode == "ContainerNotFound"
	if denied && !b.keyless && (r.ErrorCode == "AuthenticationFailed" || r.StatusCode == http.StatusUnauthorized) {
		return &indexer.SourceError{Text: badCredentials, Denied: true}
	}
	return &indexer.SourceError{Text: storageText(r), Denied: denied}
}

// storageText is the first line of the storage's message; request and time follow
// it.
func storageText(r *azcore.ResponseError) string {
	var body struct {
		Message string `xml:"Message"`
	}
	if raw, err := runtime.Payload(r.RawResponse); err == nil && xml.Unmarshal(raw, &body) == nil && body.Message != "" {
		line, _, _ := strings.Cut(body.Message, "\n")
		return strings.TrimSpace(line)
	}
	return strings.TrimSpace(http.StatusText(r.StatusCode) + " " + r.ErrorCode)
}
