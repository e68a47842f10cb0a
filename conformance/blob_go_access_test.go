package conformance

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

func (s *goBlobStory) properties() error {
	_, err := s.service.SetProperties(s.ctx, &service.SetPropertiesOptions{DeleteRetentionPolicy: &service.RetentionPolicy{Enabled: to.Ptr(true), Days: to.Ptr[int32](7)},
		CORS: []*service.CORSRule{{AllowedOrigins: to.Ptr("https://contoso.com"), AllowedMethods: to.Ptr("GET"), AllowedHeaders: to.Ptr(""), ExposedHeaders: to.Ptr(""), MaxAgeInSeconds: to.Ptr[int32](0)}}})
	if err != nil {
		return err
	}
	seen, err := s.service.GetProperties(s.ctx, nil)
	ofAccount, err1 := s.service.GetAccountInfo(s.ctx, nil)
	ofContainer, err2 := s.one.GetAccountInfo(s.ctx, nil)
	ofBlob, err3 := s.one.NewBlobClient("put").GetAccountInfo(s.ctx, nil)
	if err := errors.Join(err, err1, err2, err3); err != nil {
		return err
	}
	saw("service", *seen.DeleteRetentionPolicy.Days, names(seen.CORS, func(r *service.CORSRule) string { return *r.AllowedOrigins }), []any{ofAccount.AccountKind, ofContainer.AccountKind, ofBlob.AccountKind})
	return nil
}

func (s *goBlobStory) deleted() error {
	batch, err := s.service.NewBatchBuilder()
	tiers, err2 := s.one.NewBatchBuilder()
	if err := errors.Join(err, err2, batch.Delete("one", "a/1", nil), batch.Delete("one", "a/2", nil), batch.Delete("one", "none", nil), tiers.SetTier("b/c/1", blob.AccessTierCool, nil)); err != nil {
		return err
	}
	gone, err := s.service.SubmitBatch(s.ctx, batch, nil)
	set, err2 := s.one.SubmitBatch(s.ctx, tiers, nil)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	each := func(all []*service.BatchResponseItem) (codes []any) {
		for _, one := range all {
			codes = append(codes, code(one, one.Error))
		}
		return codes
	}
	saw("batch", each(gone.Responses), each(set.Responses))
	blocks, put := s.one.NewBlobClient("blocks"), s.one.NewBlobClient("put")
	if _, err := blocks.Delete(s.ctx, nil); err != nil {
		return err
	}
	all, err := pages(s.ctx, s.one.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: to.Ptr("blocks"), Include: container.ListBlobsInclude{Deleted: true}}), func(page container.ListBlobsFlatResponse) (all []any) {
		for _, b := range page.Segment.BlobItems {
			all = append(all, []any{*b.Name, *b.Deleted})
		}
		return all
	})
	if err != nil {
		return err
	}
	saw("deleted", code(blocks.GetProperties(s.ctx, nil)), slices.Concat(all...))
	if err := errors.Join(failed(blocks.Undelete(s.ctx, nil)), failed(put.Delete(s.ctx, &blob.DeleteOptions{DeleteSnapshots: to.Ptr(blob.DeleteSnapshotsOptionTypeOnly)}))); err != nil {
		return err
	}
	saw("undeleted", s.text(blocks, nil), code(put.Delete(s.ctx, nil)))
	return nil
}

func (s *goBlobStory) large() error {
	content, back := make([]byte, 100<<20), make([]byte, 100<<20)
	rand.Read(content)
	large := s.one.NewBlockBlobClient("large")
	// UploadBuffer stages blocks above 256 MB only.
	if _, err := large.UploadStream(s.ctx, bytes.NewReader(content), &blockblob.UploadStreamOptions{BlockSize: 8 << 20, Concurrency: 4}); err != nil {
		return err
	}
	if _, err := large.DownloadBuffer(s.ctx, back, &blob.DownloadBufferOptions{BlockSize: 8 << 20, Concurrency: 4}); err != nil {
		return err
	}
	list, err := large.GetBlockList(s.ctx, blockblob.BlockListTypeCommitted, nil)
	if err != nil {
		return err
	}
	saw("large", bytes.Equal(content, back), len(list.CommittedBlocks))
	return failed(large.Delete(s.ctx, nil))
}

// under makes clients that know a signed URL only.
func under(url, query string) (*service.Client, *container.Client, *blockblob.Client) {
	account, err := service.NewClientWithNoCredential(url+"?"+query, nil)
	one, err2 := container.NewClientWithNoCredential(url+"/one?"+query, nil)
	blocks, err3 := blockblob.NewClientWithNoCredential(url+"/one/blocks?"+query, nil)
	if err := errors.Join(err, err2, err3); err != nil {
		panic(err)
	}
	return account, one, blocks
}

func (s *goBlobStory) signatures() error {
	query, err := sas.AccountSignatureValues{Permissions: "rl", ResourceTypes: "sco", ExpiryTime: s.soon}.SignWithSharedKey(s.key)
	if err != nil {
		return err
	}
	account, one, blocks := under(s.url, query.Encode())
	all, err := pages(s.ctx, account.NewListContainersPager(nil), containerNames)
	if err != nil {
		return err
	}
	saw("account SAS", slices.Concat(all...), s.text(blocks.BlobClient(), nil), code(one.NewBlockBlobClient("x").Upload(s.ctx, body("x"), nil)))

	reading := sas.BlobSignatureValues{BlobName: "blocks", Permissions: "r"}
	_, _, blocks = under(s.url, s.signed(reading))
	saw("service SAS", s.text(blocks.BlobClient(), nil), code(blocks.Upload(s.ctx, body("x"), nil)))

	_, one, blocks = under(s.url, s.signed(sas.BlobSignatureValues{Identifier: "readers"}))
	listed, refused := s.flat(one, "bl"), code(blocks.Delete(s.ctx, nil))
	if _, err := s.one.SetAccessPolicy(s.ctx, nil); err != nil {
		return err
	}
	saw("stored policy", listed, refused, s.text(blocks.BlobClient(), nil))

	writer, err := goBlobHolder("WRITER", s.url)
	if err != nil {
		return err
	}
	const form = "2006-01-02T15:04:05Z"
	delegated, err := writer.GetUserDelegationCredential(s.ctx, service.KeyInfo{Start: to.Ptr(time.Now().UTC().Add(-time.Minute).Format(form)), Expiry: to.Ptr(s.soon.Format(form))}, nil)
	if err != nil {
		return err
	}
	values := reading
	values.ContainerName, values.ExpiryTime = "one", s.soon
	if query, err = values.SignWithUserDelegation(delegated); err != nil {
		return err
	}
	_, _, blocks = under(s.url, query.Encode())
	saw("user delegation SAS", s.text(blocks.BlobClient(), nil), code(blocks.Delete(s.ctx, nil)))
	_, one, _ = under(s.url, s.signed(reading))
	saw("altered SAS", s.text(one.NewBlobClient("append"), nil))
	return nil
}

// goBlobHolder is a client of a principal.
func goBlobHolder(who, url string) (*service.Client, error) {
	options := &azidentity.ClientSecretCredentialOptions{}
	if own := os.Getenv("DOOR_URL"); own != "" {
		options.DisableInstanceDiscovery, options.ClientOptions = true, policy.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: own}}
	}
	credential, err := azidentity.NewClientSecretCredential(os.Getenv("AZURE_TENANT_ID"), os.Getenv(who+"_ID"), os.Getenv(who+"_SECRET"), options)
	if err != nil {
		return nil, err
	}
	return service.NewClient(url, credential, nil)
}

func (s *goBlobStory) others() error {
	nobody, err := service.NewClientWithNoCredential(s.url, nil)
	if err != nil {
		return err
	}
	anybody := nobody.NewContainerClient("one")
	opened := func(access container.PublicAccessType) error {
		return failed(s.one.SetAccessPolicy(s.ctx, &container.SetAccessPolicyOptions{Access: &access}))
	}
	closed := s.text(anybody.NewBlobClient("blocks"), nil)
	if err := opened(container.PublicAccessTypeBlob); err != nil {
		return err
	}
	read, looked := s.text(anybody.NewBlobClient("blocks"), nil), code(anybody.GetProperties(s.ctx, nil))
	if err := opened(container.PublicAccessTypeContainer); err != nil {
		return err
	}
	saw("anonymous", closed, read, looked, s.flat(anybody, "bl"), code(anybody.NewBlobClient("blocks").Delete(s.ctx, nil)))
	if _, err := s.one.SetAccessPolicy(s.ctx, nil); err != nil {
		return err
	}

	holders := map[string]*container.Client{}
	for _, who := range []string{"OWNER", "READER", "WRITER"} {
		holder, err := goBlobHolder(who, s.url)
		if err != nil {
			return err
		}
		holders[who] = holder.NewContainerClient("one")
	}
	owner, reader, writer := holders["OWNER"], holders["READER"], holders["WRITER"]
	upload := func(one *container.Client) any {
		return code(one.NewBlockBlobClient("x").Upload(s.ctx, body("x"), nil))
	}
	saw("no data role", s.text(owner.NewBlobClient("blocks"), nil), code(owner.GetProperties(s.ctx, nil)))
	saw("reader", s.text(reader.NewBlobClient("blocks"), nil), upload(reader))
	saw("contributor", upload(writer), code(writer.NewBlobClient("x").Delete(s.ctx, nil)), code(writer.SetAccessPolicy(s.ctx, nil)))

	key, err := service.NewSharedKeyCredential(os.Getenv("CLOSED_ACCOUNT"), os.Getenv("CLOSED_ACCOUNT_KEY"))
	if err != nil {
		return err
	}
	keyed, err := service.NewClientWithSharedKeyCredential(os.Getenv("CLOSED_URL"), key, nil)
	if err != nil {
		return err
	}
	saw("key disabled", code(keyed.CreateContainer(s.ctx, "one", nil)))
	return nil
}

func (s *goBlobStory) restored() error {
	three := s.service.NewContainerClient("three")
	if _, err := three.Delete(s.ctx, nil); err != nil {
		return err
	}
	refused, restored := code(three.GetProperties(s.ctx, nil)), any("not found")
	all, err := pages(s.ctx, s.service.NewListContainersPager(&service.ListContainersOptions{Prefix: to.Ptr("three"), Include: service.ListContainersInclude{Deleted: true}}),
		func(page service.ListContainersResponse) []*service.ContainerItem { return page.ContainerItems })
	if err != nil {
		return err
	}
	for _, c := range slices.Concat(all...) {
		if c.Deleted != nil && *c.Deleted {
			restored = code(s.service.RestoreContainer(s.ctx, "three", *c.Version, nil))
		}
	}
	saw("container deleted", refused, restored, s.text(three.NewBlobClient("now"), nil))
	return nil
}
