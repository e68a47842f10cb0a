package blob

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	// The drivers that are offered: each registers the scheme of its URLs.
	// docs/DEPENDENCIES.md tells what they cost.
	_ "gocloud.dev/blob/azureblob"
	_ "gocloud.dev/blob/gcsblob"
	_ "gocloud.dev/blob/s3blob"

	"sekisho/internal/store"
)

// openWithin bounds how long the start waits for a bucket's answer.
const openWithin = 30 * time.Second

// Place is where a bucket is that is not files of the data directory.
type Place struct {
	// URL is one of gocloud.dev/blob: s3://, azblob:// or gs://. Credentials come
	// from the environment, as each cloud's own tools read it.
	URL string
	// TakeOver is the installation whose bucket a restored backup may have.
	TakeOver string
}

// Check refuses what can't be the URL of a bucket, without asking anybody.
func (p Place) Check() error {
	u, err := url.Parse(p.URL)
	if err != nil {
		return errors.New("this is no URL; want s3://BUCKET, azblob://CONTAINER or gs://BUCKET")
	}
	prefix := p.prefix()
	switch {
	case u.Scheme == "file":
		return errors.New("files are in the data directory; leave the URL out for them")
	case u.Scheme != "s3" && u.Scheme != "azblob" && u.Scheme != "gs":
		return fmt.Errorf("the scheme %q is not known; want s3://BUCKET, azblob://CONTAINER or gs://BUCKET", u.Scheme)
	case u.User != nil || hasUserIn(u, "endpoint") || hasUserIn(u, "domain"):
		return errors.New("a user name or password does not belong into the URL; credentials are read from the environment")
	case u.Host == "":
		return fmt.Errorf("it names no bucket; want %s://BUCKET", u.Scheme)
	case strings.Trim(u.Path, "/") != "":
		return fmt.Errorf("a bucket has no path; want %s://%s?prefix=%s/", u.Scheme, u.Host, strings.Trim(u.Path, "/"))
	case u.Query().Has("key"):
		return errors.New("a key names a single object, and blobs are many; want prefix=FOLDER/")
	case prefix != "" && !strings.HasSuffix(prefix, "/"):
		return fmt.Errorf("the prefix must end in /; want prefix=%s/", prefix)
	}
	return nil
}

// prefix is what keys in the bucket begin with.
func (p Place) prefix() string {
	u, err := url.Parse(p.URL)
	if err != nil {
		return "" // Check tells
	}
	return u.Query().Get("prefix")
}

// hasUserIn tells whether a parameter that names a host holds credentials.
func hasUserIn(u *url.URL, parameter string) bool {
	return strings.Contains(u.Query().Get(parameter), "@")
}

// OpenURL opens the bucket of a place for the documents of a data directory, and
// claims it: see claim. Errors say what to do, in one line, and hold no secret.
func OpenURL(ctx context.Context, docs *store.Store, dir string, p Place) (*Bucket, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	opened, err := blob.OpenBucket(ctx, p.URL) // the driver keeps ctx for its tokens
	if err != nil {
		return nil, fmt.Errorf("it can't be opened; see to the URL and to the credentials in the environment: %s", cause(err))
	}
	b := &Bucket{bucket: opened, prefix: p.prefix()}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if _, _, err = opened.ListPage(ctx, blob.FirstPageToken, 1, nil); err != nil {
		err = unreachable(ctx, err)
	} else {
		err = b.claim(ctx, docs, dir, p)
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return b, nil
}

// unreachable says why a bucket can't be listed, and what to do.
func unreachable(ctx context.Context, err error) error {
	switch code := gcerrors.Code(err); {
	case ctx.Err() != nil:
		return fmt.Errorf("no answer within %v; see to the network, and to the proxy variables of the environment: %s", openWithin, cause(err))
	case code == gcerrors.NotFound:
		return fmt.Errorf("there is no such bucket, or these credentials don't see it; create it, or write another URL: %s", cause(err))
	case code == gcerrors.PermissionDenied:
		return fmt.Errorf("these credentials may not list it; give others in the environment, or more rights: %s", cause(err))
	}
	return fmt.Errorf("it can't be listed; see to the URL, to the credentials in the environment and to the network: %s", cause(err))
}

// Signed URLs have their secret in the query, and Azure's errors draw lines.
var (
	queries = regexp.MustCompile(`\?[^\s"]+`)
	rules   = regexp.MustCompile(`-{4,}`)
)

// maxCause bounds how much of a cloud's answer goes into an error.
const maxCause = 400

// cause is an error of a driver in one line.
func cause(err error) string {
	text := strings.Join(strings.Fields(rules.ReplaceAllString(withoutQueries(err), " ")), " ")
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	return text
}

func withoutQueries(err error) string { return queries.ReplaceAllString(err.Error(), "") }

// discreet is an error of a driver without the queries of URLs, for logs.
type discreet struct{ error }

func (d discreet) Error() string { return withoutQueries(d.error) }
func (d discreet) Unwrap() error { return d.error }

func hush(err error) error {
	if err == nil {
		return nil
	}
	return discreet{err}
}
