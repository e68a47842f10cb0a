package conformance

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// goBlobStory tells the story of Blob storage with azblob. As the programs in
// blob/ it prints what it sees of each step.
type goBlobStory struct {
	ctx     context.Context
	url     string
	key     *service.SharedKeyCredential
	service *service.Client
	one     *container.Client
	soon    time.Time
}

func goBlobs() error {
	key, err := service.NewSharedKeyCredential(os.Getenv("ACCOUNT"), os.Getenv("ACCOUNT_KEY"))
	if err != nil {
		return err
	}
	s := &goBlobStory{ctx: context.Background(), url: os.Getenv("ACCOUNT_URL"), key: key, soon: time.Now().UTC().Add(time.Hour)}
	if s.service, err = service.NewClientWithSharedKeyCredential(s.url, key, nil); err != nil {
		return err
	}
	s.one = s.service.NewContainerClient("one")
	for _, part := range []func() error{s.containers, s.blobs, s.changes, s.copies, s.lists, s.properties, s.deleted, s.large, s.signatures, s.others, s.restored} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// saw prints what is seen of a step.
func saw(step string, seen ...any) {
	raw, err := json.Marshal(seen)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s: %s\n", step, raw)
}

// code is the service's code for a refusal.
func code[T any](_ T, err error) any {
	var refused *azcore.ResponseError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode != "":
		return refused.ErrorCode
	case errors.As(err, &refused):
		return refused.StatusCode
	case err != nil:
		return err.Error()
	}
	return "allowed"
}

func failed[T any](_ T, err error) error { return err }

// text reads a blob; a refusal is its code.
func (s *goBlobStory) text(b *blob.Client, options *blob.DownloadStreamOptions) any {
	got, err := b.DownloadStream(s.ctx, options)
	if err != nil {
		return code(got, err)
	}
	if got.ErrorCode != nil { // of a 304, which is no error of the SDK's
		return *got.ErrorCode
	}
	var content bytes.Buffer
	if _, err := content.ReadFrom(got.Body); err != nil {
		return err.Error()
	}
	return content.String()
}

func (s *goBlobStory) put(name, content string, options *blockblob.UploadOptions) (blockblob.UploadResponse, error) {
	return s.one.NewBlockBlobClient(name).Upload(s.ctx, body(content), options)
}

func body(content string) io.ReadSeekCloser { return streaming.NopCloser(strings.NewReader(content)) }

// pages reads all pages of a list.
func pages[P, T any](ctx context.Context, pager *runtime.Pager[P], items func(P) []T) (all [][]T, err error) {
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, items(page))
	}
	return all, nil
}

func names[T any](all []T, name func(T) string) []string {
	found := []string{}
	for _, one := range all {
		found = append(found, name(one))
	}
	return found
}

func containerNames(page service.ListContainersResponse) []string {
	return names(page.ContainerItems, func(c *service.ContainerItem) string { return *c.Name })
}

func blobNames(page container.ListBlobsFlatResponse) []string {
	return names(page.Segment.BlobItems, func(b *container.BlobItem) string { return *b.Name })
}

// flat lists the names under a prefix.
func (s *goBlobStory) flat(in *container.Client, prefix string) any {
	all, err := pages(s.ctx, in.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix}), blobNames)
	if err != nil {
		return code(0, err)
	}
	return slices.Concat(all...)
}

// metadata undoes what Go's net/http does to the names of headers.
func metadata(all map[string]*string) map[string]string {
	plain := map[string]string{}
	for name, value := range all {
		plain[strings.ToLower(name)] = *value
	}
	return plain
}

func (s *goBlobStory) containers() error {
	_, err := s.one.Create(s.ctx, &container.CreateOptions{Metadata: map[string]*string{"color": to.Ptr("blue")}})
	two := s.service.NewContainerClient("two")
	if err := errors.Join(err, failed(s.service.CreateContainer(s.ctx, "three", nil)), failed(two.Create(s.ctx, nil))); err != nil {
		return err
	}
	seen, err := s.one.GetProperties(s.ctx, nil)
	if err != nil {
		return err
	}
	saw("container", code(s.one.Create(s.ctx, nil)), metadata(seen.Metadata))
	if _, err := s.one.SetMetadata(s.ctx, &container.SetMetadataOptions{Metadata: map[string]*string{"color": to.Ptr("red")}}); err != nil {
		return err
	}
	all, err := pages(s.ctx, s.service.NewListContainersPager(&service.ListContainersOptions{MaxResults: to.Ptr[int32](2)}), containerNames)
	if err != nil {
		return err
	}
	described, err := pages(s.ctx, s.service.NewListContainersPager(&service.ListContainersOptions{Prefix: to.Ptr("one"), Include: service.ListContainersInclude{Metadata: true}}),
		func(page service.ListContainersResponse) (all []map[string]string) {
			for _, c := range page.ContainerItems {
				all = append(all, metadata(c.Metadata))
			}
			return all
		})
	if err != nil {
		return err
	}
	saw("containers", all, slices.Concat(described...))
	_, err = s.one.SetAccessPolicy(s.ctx, &container.SetAccessPolicyOptions{ContainerACL: []*container.SignedIdentifier{{ID: to.Ptr("readers"),
		AccessPolicy: &container.AccessPolicy{Start: to.Ptr(time.Now().UTC().Add(-time.Minute)), Expiry: &s.soon, Permission: to.Ptr("rl")}}}})
	if err != nil {
		return err
	}
	acl, err := s.one.GetAccessPolicy(s.ctx, nil)
	if err != nil {
		return err
	}
	policies := [][]string{}
	for _, p := range acl.SignedIdentifiers {
		policies = append(policies, []string{*p.ID, *p.AccessPolicy.Permission})
	}
	saw("acl", acl.BlobPublicAccess, policies)
	return s.containerLease(two)
}

func (s *goBlobStory) containerLease(two *container.Client) error {
	held, err := lease.NewContainerClient(two, nil)
	if err != nil {
		return err
	}
	if _, err := held.AcquireLease(s.ctx, 15, nil); err != nil {
		return err
	}
	saw("container lease", code(two.Delete(s.ctx, nil)), code(held.RenewLease(s.ctx, nil)), code(held.ChangeLease(s.ctx, "00000000-0000-0000-0000-000000000001", nil)))
	_, err = held.BreakLease(s.ctx, &lease.ContainerBreakOptions{BreakPeriod: to.Ptr[int32](0)})
	return errors.Join(err, failed(held.AcquireLease(s.ctx, -1, nil)), failed(held.ReleaseLease(s.ctx, nil)))
}

func (s *goBlobStory) blobs() error {
	content := []byte("0123456789")
	sum := md5.Sum(content)
	_, err := s.put("put", string(content), &blockblob.UploadOptions{Metadata: map[string]*string{"shape": to.Ptr("round")}, Tags: map[string]string{"kind": "digit"},
		HTTPHeaders: &blob.HTTPHeaders{BlobContentType: to.Ptr("text/plain")}, TransactionalValidation: blob.TransferValidationTypeMD5(sum[:])})
	if err != nil {
		return err
	}
	put := s.one.NewBlobClient("put")
	seen, err := put.GetProperties(s.ctx, nil)
	if err != nil {
		return err
	}
	saw("put", s.text(put, nil), *seen.ContentLength, *seen.ContentType, metadata(seen.Metadata), bytes.Equal(seen.ContentMD5, sum[:]))
	saw("put again", code(s.put("put", "x", &blockblob.UploadOptions{AccessConditions: modified(blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)})})))

	blocks := s.one.NewBlockBlobClient("blocks")
	wrong := func(v blob.TransferValidationType) any {
		return code(blocks.StageBlock(s.ctx, "MQ==", body("x"), &blockblob.StageBlockOptions{TransactionalValidation: v}))
	}
	saw("content", wrong(blob.TransferValidationTypeMD5(make([]byte, 16))), wrong(blob.TransferValidationTypeCRC64(1)))
	if err := errors.Join(failed(blocks.StageBlock(s.ctx, "MQ==", body("one "), &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeComputeCRC64()})),
		failed(blocks.StageBlock(s.ctx, "Mg==", body("two"), nil))); err != nil {
		return err
	}
	count := func() any {
		list, err := blocks.GetBlockList(s.ctx, blockblob.BlockListTypeAll, nil)
		if err != nil {
			return code(list, err)
		}
		return []int{len(list.CommittedBlocks), len(list.UncommittedBlocks)}
	}
	before := count()
	if _, err := blocks.CommitBlockList(s.ctx, []string{"Mg==", "MQ=="}, nil); err != nil {
		return err
	}
	saw("blocks", before, count(), s.text(blocks.BlobClient(), nil), code(blocks.CommitBlockList(s.ctx, []string{"Mw=="}, nil)))

	grown := s.one.NewAppendBlobClient("append")
	if err := errors.Join(failed(grown.Create(s.ctx, nil)), failed(grown.AppendBlock(s.ctx, body("first "), nil)), failed(grown.AppendBlock(s.ctx, body("second"), nil))); err != nil {
		return err
	}
	saw("append", s.text(grown.BlobClient(), nil), code(grown.AppendBlock(s.ctx, body("x"), &appendblob.AppendBlockOptions{
		AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: to.Ptr[int64](3)}})))
	if _, err := grown.Seal(s.ctx, nil); err != nil {
		return err
	}
	saw("sealed", code(grown.AppendBlock(s.ctx, body("x"), nil)))
	saw("range", s.text(put, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 3, Count: 4}}), s.text(put, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 100, Count: 1}}))
	saw("conditions", s.text(put, &blob.DownloadStreamOptions{AccessConditions: modified(blob.ModifiedAccessConditions{IfNoneMatch: seen.ETag})}),
		code(s.put("put", "x", &blockblob.UploadOptions{AccessConditions: modified(blob.ModifiedAccessConditions{IfMatch: to.Ptr(azcore.ETag(`"wrong"`))})})),
		code(put.GetProperties(s.ctx, &blob.GetPropertiesOptions{AccessConditions: modified(blob.ModifiedAccessConditions{IfUnmodifiedSince: to.Ptr(time.Unix(0, 0))})})))
	return nil
}

func modified(c blob.ModifiedAccessConditions) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &c}
}

func (s *goBlobStory) changes() error {
	put := s.one.NewBlobClient("put")
	held, err := lease.NewBlobClient(put, nil)
	if err != nil {
		return err
	}
	if _, err := held.AcquireLease(s.ctx, 15, nil); err != nil {
		return err
	}
	describe := func(shape string, lease *string) error {
		_, err := put.SetMetadata(s.ctx, map[string]*string{"shape": &shape}, &blob.SetMetadataOptions{AccessConditions: &blob.AccessConditions{LeaseAccessConditions: &blob.LeaseAccessConditions{LeaseID: lease}}})
		return err
	}
	without, with := code(0, describe("b", nil)), code(0, describe("square", held.LeaseID()))
	seen, err := put.GetProperties(s.ctx, nil)
	if err != nil {
		return err
	}
	saw("lease", without, with, *seen.LeaseState)
	if err := errors.Join(failed(held.RenewLease(s.ctx, nil)), failed(held.ChangeLease(s.ctx, "00000000-0000-0000-0000-000000000002", nil)), failed(held.ReleaseLease(s.ctx, nil)),
		failed(held.AcquireLease(s.ctx, -1, nil)), failed(held.BreakLease(s.ctx, &lease.BlobBreakOptions{BreakPeriod: to.Ptr[int32](0)}))); err != nil {
		return err
	}
	snapshot, err := put.CreateSnapshot(s.ctx, nil)
	if err != nil {
		return err
	}
	old, err := put.WithSnapshot(*snapshot.Snapshot)
	if err := errors.Join(err, failed(s.put("put", "new", nil))); err != nil {
		return err
	}
	saw("snapshot", s.text(old, nil), s.text(put, nil), code(put.Delete(s.ctx, nil)))
	if err := errors.Join(describe("flat", nil), failed(put.SetHTTPHeaders(s.ctx, blob.HTTPHeaders{BlobContentType: to.Ptr("text/html"), BlobCacheControl: to.Ptr("no-store")}, nil)),
		failed(put.SetTier(s.ctx, blob.AccessTierCool, nil))); err != nil {
		return err
	}
	if seen, err = put.GetProperties(s.ctx, nil); err != nil {
		return err
	}
	saw("properties", metadata(seen.Metadata), *seen.ContentType, *seen.CacheControl, *seen.AccessTier)
	return s.tags(put)
}

func (s *goBlobStory) tags(put *blob.Client) error {
	if _, err := put.SetTags(s.ctx, map[string]string{"kind": "word", "size": "3"}, nil); err != nil {
		return err
	}
	got, err := put.GetTags(s.ctx, nil)
	if err != nil {
		return err
	}
	tags := map[string]string{}
	for _, tag := range got.BlobTagSet {
		tags[*tag.Key] = *tag.Value
	}
	everywhere, err := s.service.FilterBlobs(s.ctx, `"kind" = 'word' AND "size" >= '2'`, nil)
	here, err2 := s.one.FilterBlobs(s.ctx, `"kind" = 'word'`, nil)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	name := func(b *service.FilterBlobItem) string { return *b.Name }
	saw("tags", tags, names(everywhere.Blobs, name), names(here.Blobs, name),
		s.text(put, &blob.DownloadStreamOptions{AccessConditions: modified(blob.ModifiedAccessConditions{IfTags: to.Ptr(`"kind" = 'digit'`)})}))
	return nil
}

// signed gives the query of a signed URL in container one.
func (s *goBlobStory) signed(v sas.BlobSignatureValues) string {
	v.ContainerName = "one"
	if v.Identifier == "" {
		v.ExpiryTime = s.soon
	}
	query, err := v.SignWithSharedKey(s.key)
	if err != nil {
		panic(err)
	}
	return query.Encode()
}

func (s *goBlobStory) copies() error {
	source := s.url + "/one/blocks?" + s.signed(sas.BlobSignatureValues{BlobName: "blocks", Permissions: "r"})
	into := s.service.NewContainerClient("three")
	now, later, begun, staged, grown := into.NewBlockBlobClient("now"), into.NewBlobClient("later"), into.NewBlobClient("begun"), into.NewBlockBlobClient("staged"), into.NewAppendBlobClient("grown")
	copied, err := begun.StartCopyFromURL(s.ctx, source, nil)
	if err := errors.Join(err, failed(now.UploadBlobFromURL(s.ctx, source, nil)), failed(later.CopyFromURL(s.ctx, source, nil)),
		failed(staged.StageBlockFromURL(s.ctx, "MQ==", source, &blockblob.StageBlockFromURLOptions{Range: blob.HTTPRange{Count: 3}})), failed(staged.CommitBlockList(s.ctx, []string{"MQ=="}, nil)),
		failed(grown.Create(s.ctx, nil)), failed(grown.AppendBlockFromURL(s.ctx, source, nil))); err != nil {
		return err
	}
	seen, err := begun.GetProperties(s.ctx, nil)
	if err != nil {
		return err
	}
	saw("copy", s.text(now.BlobClient(), nil), s.text(later, nil), s.text(begun, nil), s.text(staged.BlobClient(), nil), s.text(grown.BlobClient(), nil), *seen.CopyStatus,
		code(begun.AbortCopyFromURL(s.ctx, *copied.CopyID, nil)), code(now.UploadBlobFromURL(s.ctx, s.url+"/one/none", nil)))
	return nil
}

func (s *goBlobStory) lists() error {
	for _, name := range []string{"a/1", "a/2", "b/c/1"} {
		if _, err := s.put(name, "x", nil); err != nil {
			return err
		}
	}
	all, err := pages(s.ctx, s.one.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{MaxResults: to.Ptr[int32](3)}), blobNames)
	if err != nil {
		return err
	}
	saw("flat", all, s.flat(s.one, "a/"))
	level := func(prefix string) any {
		all, err := pages(s.ctx, s.one.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{Prefix: &prefix}), func(page container.ListBlobsHierarchyResponse) []string {
			return append(names(page.Segment.BlobPrefixes, func(p *container.BlobPrefix) string { return *p.Name }),
				names(page.Segment.BlobItems, func(b *container.BlobItem) string { return *b.Name })...)
		})
		if err != nil {
			return code(0, err)
		}
		return slices.Concat(all...)
	}
	saw("hierarchy", level(""), level("b/"))
	include := container.ListBlobsInclude{Metadata: true, Snapshots: true, Tags: true}
	described, err := pages(s.ctx, s.one.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: to.Ptr("put"), Include: include}), func(page container.ListBlobsFlatResponse) (all []any) {
		for _, b := range page.Segment.BlobItems {
			all = append(all, []any{*b.Name, metadata(b.Metadata), *b.Properties.TagCount, b.Snapshot != nil})
		}
		return all
	})
	saw("included", slices.Concat(described...))
	return err
}
