package blob

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
)

// stage writes an object to Azure, while it reads the next part. The SDK's UploadStream
// unmaps its buffers when a source fails, and a request that is still being written
// from one ends the process. Source: Azure/azure-sdk-for-go#21555.
func stage(ctx context.Context, to *blockblob.Client, src io.Reader) error {
	contentType := objectType
	headers := &azblob.HTTPHeaders{BlobContentType: &contentType}
	var ids []string
	staged := make(chan error, 1)
	staged <- nil // nothing is before the first
	for more := true; more; {
		part := new(bytes.Buffer)
		n, err := io.CopyN(part, src, partSize)
		more = err == nil
		if before := <-staged; more || err == io.EOF {
			err = before
		}
		if err != nil {
			return err
		}
		body := streaming.NopCloser(bytes.NewReader(part.Bytes()))
		switch {
		case !more && len(ids) == 0:
			_, err := to.Upload(ctx, body, &blockblob.UploadOptions{HTTPHeaders: headers})
			return err
		case n == 0:
			staged <- nil
		default:
			id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08d", len(ids)))
			ids = append(ids, id)
			go func() {
				_, err := to.StageBlock(ctx, id, body, nil)
				staged <- err
			}()
		}
	}
	if err := <-staged; err != nil {
		return err
	}
	_, err := to.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{HTTPHeaders: headers})
	return err
}
