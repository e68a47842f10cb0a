package storage

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func FuzzRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-", "bytes=1-2", "bytes=-5", "bytes=2-1", "bytes=0-9223372036854775807", "bytes=5-5", "bytes=0-1,3-4", "items=0-1", ""} {
		f.Add(seed, int64(5))
	}
	f.Fuzz(func(t *testing.T, text string, size int64) {
		if size < 0 {
			return
		}
		r := &http.Request{Header: http.Header{"Range": {text}}}
		offset, length, partial, err := byteRange(r, size)
		if err == nil && (offset < 0 || length < 0 || offset > size-length || !partial && length != size || partial && length == 0) {
			t.Errorf("%q of %d: %d bytes from %d", text, size, length, offset)
		}
	})
}

func FuzzCopySource(f *testing.F) {
	const own = "https://localhost:4443"
	for _, seed := range []string{"https://acc.blob.core.windows.net/c/b", own + "/-/blob/acc/c/b?snapshot=x&sig=y", "https://acc.blob.core.windows.net/b", "https://acc.blob.core.windows.net/c/a%2Fb//c",
		"https://evil.example/c/b", "https://evil.blob.core.windows.net.example/c/b", "https://a.b.blob.core.windows.net/c/b", "//acc/c/b", "http://.BloB.Core.windows.net/0", "https://acc.blob.core.windows.net//b", "https://localhost:4443/c/b", "https://u@acc.blob.core.windows.net/c/%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		call := &api.Call{Request: &http.Request{Header: http.Header{"X-Ms-Copy-Source": {text}}}, Origin: api.Origin{Own: own}}
		src, err := copySource(call)
		if err != nil {
			return
		}
		u, _ := url.Parse(text)
		inside := strings.EqualFold(u.Hostname(), src.at.Account+hostSuffix) || u.Host == "localhost:4443"
		if !inside || src.at.Account == "" || src.at.Name == "" || src.at.Container == "" || strings.ContainsAny(src.at.Account, "./") || strings.Contains(src.text, "sig=") {
			t.Errorf("%q is taken for %+v", text, src)
		}
	})
}

func FuzzLeaseAction(f *testing.F) {
	f.Add("acquire", "-1", "", "", "0")
	f.Add("break", "15", "", "", "60")
	f.Add("change", "", "00000000-0000-0000-0000-00000000000a", "{00000000-0000-0000-0000-00000000000b}", "")
	f.Fuzz(func(t *testing.T, action, seconds, id, proposed, period string) {
		h := http.Header{"X-Ms-Lease-Action": {action}, "X-Ms-Lease-Duration": {seconds}, "X-Ms-Lease-Id": {id}, "X-Ms-Proposed-Lease-Id": {proposed}, "X-Ms-Lease-Break-Period": {period}}
		a, err := leaseAction(h)
		if err != nil {
			return
		}
		if a.Action == "acquire" && a.Seconds != blob.Forever && (a.Seconds < 15 || a.Seconds > 60) || a.Period != nil && (*a.Period < 0 || *a.Period > 60) {
			t.Errorf("%+v", a)
		}
	})
}

func FuzzBatch(f *testing.F) {
	for _, seed := range []string{"--b\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\nDELETE /c/b HTTP/1.1\r\nx-ms-date: now\r\n\r\n--b--\r\n", "--b\r\n\r\n", "--b--", "--b\r\nContent-Type: application/http\r\n\r\nPUT /c/b?comp=tier HTTP/1.1\r\n--b--"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/?comp=batch", strings.NewReader(body))
		r.Header.Set("Content-Type", "multipart/mixed; boundary=b")
		parts, err := readBatch(&api.Call{Request: r, Origin: api.Origin{Base: "https://acc.blob.core.windows.net"}})
		if err != nil {
			return
		}
		for _, p := range parts {
			q := p.request.URL.Query()
			if m := p.request.Method; q.Has("restype") || m != http.MethodDelete && (m != http.MethodPut || q.Get("comp") != "tier") {
				t.Errorf("%s %s passes", m, p.request.URL)
			}
		}
	})
}

func FuzzBodies(f *testing.F) {
	for _, seed := range []string{"<BlockList><Latest>AAAA</Latest></BlockList>", "<Tags><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tags>", "<StorageServiceProperties><Cors><CorsRule/></Cors></StorageServiceProperties>", "<a", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, into := range []any{&tagsXML{}, &serviceXML{}} {
			r := httptest.NewRequest(http.MethodPut, "/", strings.NewReader(body))
			if err := readXML(r, 1<<10, into); err == nil {
				if x, ok := into.(*serviceXML); ok {
					x.apply(&blob.Service{})
				}
			}
		}
	})
}
