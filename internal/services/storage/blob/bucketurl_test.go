package blob_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/internal/services/storage/blob"
)

func TestURLsThatCanBeNoBucket(t *testing.T) {
	for url, want := range map[string]string{
		"":                                "scheme",
		"bucket":                          "scheme",
		"mem://":                          "scheme",
		"file:///var/blobs":               "leave the URL out",
		"s3://%zz":                        "no URL",
		"s3://":                           "names no bucket",
		"s3:///folder":                    "names no bucket",
		"s3://box/folder":                 "want s3://box?prefix=folder/",
		"gs://box?prefix=folder":          "want prefix=folder/",
		"gs://box?key=one":                "single object",
		"azblob://me:hush@box":            "credentials are read from the environment",
		"s3://box?endpoint=http://u:p@h/": "credentials are read from the environment",
	} {
		if err := (blob.Place{URL: url}).Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	for _, url := range []string{"s3://box", "s3://box?region=eu-west-1&prefix=a/b/", "azblob://box?storage_account=a", "gs://box"} {
		if err := (blob.Place{URL: url}).Check(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// What stands in the way of a bucket is told in one line, with what to do and
// without a secret.
func TestBucketsThatCannotBeOpened(t *testing.T) {
	place := s3(t)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "a-well-kept-secret")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	answer := func(status int, code string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			w.Write([]byte("<Error><Code>" + code + "</Code><Message>Not\nso.</Message></Error>"))
		}))
		t.Cleanup(server.Close)
		return "s3://box?region=r&use_path_style=true&endpoint=" + server.URL
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for url, want := range map[string]string{
		strings.Replace(place.URL, "box", "none", 1):                                      "there is no such bucket",
		answer(403, "AccessDenied"):                                                       "may not list it",
		answer(403, "InvalidAccessKeyId"):                                                 "InvalidAccessKeyId",
		"s3://box?region=r&use_path_style=true&endpoint=http://" + closed.Addr().String(): "see to the URL, to the credentials in the environment and to the network",
		"s3://box?regoin=eu-west-1":                                                       `unknown query parameter "regoin"`,
	} {
		text := newSite(t).refuses(blob.Place{URL: url}, want)
		if strings.Contains(text, "well-kept") || len(text) > 600 {
			t.Errorf("%s: %s", url, text)
		}
	}
}
