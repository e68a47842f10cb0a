package storage

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/api"
)

// Requests that Azure's own clients signed, with a key that is no account's, at
// Azure's host names and under Sekisho's own.
func TestSharedKeyRequestsOfAzuresClientsVerify(t *testing.T) {
	var all struct {
		Account string `json:"account"`
		Key     string `json:"key"`
		Clients []struct {
			Client   string `json:"client"`
			Requests []struct {
				Method  string            `json:"method"`
				URL     string            `json:"url"`
				Headers map[string]string `json:"headers"`
			} `json:"requests"`
		} `json:"clients"`
	}
	readVectors(t, "sharedkey.json", &all)
	for _, client := range all.Clients {
		for _, v := range client.Requests {
			t.Run(client.Client+"/"+v.Method+" "+v.URL, func(t *testing.T) {
				u, err := url.Parse(v.URL)
				if err != nil {
					t.Fatal(err)
				}
				base, path := "https://"+u.Host, u.RequestURI()
				if rest, own := strings.CutPrefix(path, "/-/blob/"+all.Account); own {
					base, path = base+"/-/blob/"+all.Account, rest
				}
				r := httptest.NewRequest(v.Method, "https://host"+path, nil)
				for name, value := range v.Headers {
					r.Header.Set(name, value)
				}
				call := &api.Call{Request: r, Origin: api.Origin{Base: base}}
				text := stringToSign(r, all.Account, canonicalPath(call))
				want := strings.TrimPrefix(r.Header.Get("Authorization"), "SharedKey "+all.Account+":")
				if got := base64.StdEncoding.EncodeToString(sign(all.Key, []byte(text))); got != want {
					t.Errorf("the signature does not verify; the text is\n%s", text)
				}
			})
		}
	}
}

// Source: authorize-with-shared-key.md, the examples of each scheme.
func TestWhatSharedKeySigns(t *testing.T) {
	r := httptest.NewRequest("PUT", "https://myaccount.blob.core.windows.net/c/b?timeout=20&comp=metadata&a=2&A=1", bytes.NewReader(nil))
	for name, value := range map[string]string{"x-ms-date": "Fri, 26 Jun 2015 23:39:12 GMT", "x-ms-version": "2015-02-21", "x-ms-meta-Name": "  two  words ",
		"Date": "ignored", "Content-Length": "0", "Content-Type": "text/plain", "Content-MD5": "md5", "Range": "bytes=0-1", "X-Other": "no", "x-ms-empty": ""} {
		r.Header.Set(name, value)
	}
	const headers = "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-meta-name:two  words\nx-ms-version:2015-02-21\n"
	if got, want := stringToSign(r, "myaccount", "/c/b"), "PUT\n\n\n\nmd5\ntext/plain\n\n\n\n\n\nbytes=0-1\n"+headers+"/myaccount/c/b\na:1,2\ncomp:metadata\ntimeout:20"; got != want {
		t.Errorf("shared key\n%q\n%q", got, want)
	}
	if got, want := stringToSignLite(r, "myaccount", "/c/b"), "PUT\nmd5\ntext/plain\n\n"+headers+"/myaccount/c/b?comp=metadata"; got != want {
		t.Errorf("shared key lite\n%q\n%q", got, want)
	}
	r.Header.Set("x-ms-version", "2014-02-14")
	r.Header.Del("x-ms-date")
	if got := strings.Split(stringToSign(r, "myaccount", "/c/b"), "\n"); got[3] != "0" || got[6] != "ignored" {
		t.Errorf("of version 2014-02-14: %q", got)
	}
	r.Header.Set("x-ms-version", "2016-05-31")
	if got := canonicalHeaders(r.Header); !slices.Contains(got, "x-ms-empty:") {
		t.Errorf("of version 2016-05-31: %q", got)
	}
}

// Source: @azure/storage-blob, StorageSharedKeyCredentialPolicy's own order of headers.
func TestHeadersSortAsWindowsSortsWords(t *testing.T) {
	want := []string{"x-ms-date", "x-ms-meta-_a", "x-ms-meta-a", "x-ms-meta-a_b", "x-ms-meta-a0", "x-ms-meta-ab", "x-ms-meta-a-b", "x-ms-meta-ac", "x-ms-version"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareHeaders)
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func FuzzStringToSign(f *testing.F) {
	f.Add("SharedKey a:b", "x-ms-meta-a: b\nx-ms-meta-A: c\nX-MS-: d", "/c/b?comp=list&a=%41&a=b&;")
	f.Fuzz(func(t *testing.T, authorization, headers, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := &http.Request{Method: "GET", URL: u, Header: http.Header{"Authorization": {authorization}}}
		for line := range strings.SplitSeq(headers, "\n") {
			if name, value, ok := strings.Cut(line, ":"); ok {
				r.Header.Add(name, value)
			}
		}
		first, second := stringToSign(r, "account", "/"), stringToSign(r, "account", "/")
		if first != second {
			t.Fatalf("%q and %q sign one request", first, second)
		}
	})
}

func TestNoSecretIsShownOfWhatWasSigned(t *testing.T) {
	const text = "PUT\nx-ms-copy-source:https://a/b?sig=secret\nx-ms-encryption-key:secret\nx-ms-meta-a:b\nx-ms-copy-source-authorization:Bearer secret\n/a/b\nsig:secret"
	if got := withoutSecrets(text); strings.Contains(got, "secret") || !strings.Contains(got, "x-ms-meta-a:b") {
		t.Errorf("%s", got)
	}
}
