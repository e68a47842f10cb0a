package platform

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"sekisho/internal/services/storage/blob"
)

func (c BlobsConfig) place() blob.Place { return blob.Place{URL: c.URL, TakeOver: c.TakeOver} }

func (c BlobsConfig) check() error {
	if c.URL == "" {
		if c.TakeOver != "" {
			return errors.New("blobs.takeOver needs blobs.url, the bucket that is taken over")
		}
		return nil
	}
	if err := c.place().Check(); err != nil {
		return fmt.Errorf("blobs.url: %w", err)
	}
	return nil
}

// openBlobs opens the bucket that the bytes of blobs are in.
func (p *Platform) openBlobs(ctx context.Context, c BlobsConfig) error {
	bucket, err := p.bucket(ctx, c)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, bucket.Close)
	p.blobs = blob.New(p.store, bucket, p.opts.Now)
	return nil
}

func (p *Platform) bucket(ctx context.Context, c BlobsConfig) (*blob.Bucket, error) {
	if c.URL != "" {
		bucket, err := blob.OpenURL(ctx, p.store, p.opts.Data, c.place())
		if err != nil {
			return nil, fmt.Errorf("blobs.url: %w", err)
		}
		return bucket, nil
	}
	claim, err := blob.ClaimOf(ctx, p.store)
	if err != nil {
		return nil, err
	}
	if claim.URL != "" {
		return nil, fmt.Errorf("the blobs of %s are in a bucket: write blobs.url: %s in the configuration", p.opts.Data, claim.URL)
	}
	bucket, err := blob.OpenFiles(filepath.Join(p.opts.Data, blob.FilesFolder))
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return bucket, nil
}
