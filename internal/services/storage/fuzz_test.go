package storage

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"sekisho/internal/services/storage/blob"
)

func FuzzAuthorizationHeader(f *testing.F) {
	const signature = "DKBRkaX1T9Q1e2RQ6xNQG3j9O8n99crToNNKp/K1ZPw="
	for _, seed := range []string{"stsample1:" + signature, "stsample1", ":", ":" + signature, "a:b:c", "stsample1:" + signature + "=", " stsample1:" + signature + " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		account, raw, ok := parseSharedKey(text)
		if ok && (account == "" || len(raw) != 32 || strings.Contains(account, ":")) {
			t.Fatalf("%q is taken: %q %x", text, account, raw)
		}
	})
}

// headersOf reads lines into headers, as net/http does.
func headersOf(lines string) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(lines, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			h.Add(name, strings.TrimSpace(value))
		}
	}
	return h
}

func FuzzMetadataHeaders(f *testing.F) {
	for _, seed := range []string{"x-ms-meta-a: b", "X-MS-META-a: b\nx-ms-meta-A: c", "x-ms-meta-: b", "x-ms-meta-1a: b", "x-ms-meta-a-b: c", "x-ms-meta-\xc3\xa9: d", "x-ms-meta-_: \t"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		h := headersOf(lines)
		canonicalHeaders(h)
		all, err := metadata(h)
		if err != nil {
			return
		}
		for name := range all {
			if !identifier(name) || name != strings.ToLower(name) {
				t.Fatalf("metadata is called %q", name)
			}
		}
	})
}

func FuzzACLBody(f *testing.F) {
	for _, seed := range []string{"", "<SignedIdentifiers/>", "<SignedIdentifiers><SignedIdentifier><Id>p</Id><AccessPolicy><Start>2026-01-02T03:04:05Z</Start><Expiry>2026-01-03</Expiry><Permission>racwdl</Permission></AccessPolicy></SignedIdentifier></SignedIdentifiers>",
		"<SignedIdentifiers><SignedIdentifier><Id>p</Id></SignedIdentifier><SignedIdentifier><Id>p</Id></SignedIdentifier></SignedIdentifiers>", "<!DOCTYPE a [<!ENTITY b 'c'>]><SignedIdentifiers>&b;</SignedIdentifiers>", "<KeyInfo/>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var in policiesXML
		if readXML(&http.Request{Body: io.NopCloser(strings.NewReader(body))}, maxACLBody, &in) != nil {
			return
		}
		policies, err := in.read()
		if err != nil {
			return
		}
		if len(policies) > maxPolicies {
			t.Fatalf("%d policies are taken", len(policies))
		}
		// What is taken is given back, and taken again.
		raw, err := xml.Marshal(writtenPolicies(policies))
		if err != nil {
			t.Fatal(err)
		}
		var again policiesXML
		if err := xml.Unmarshal(raw, &again); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		same, err := again.read()
		if err != nil || len(same) != len(policies) {
			t.Fatalf("%s: %v", raw, err)
		}
		for i, p := range policies {
			if q := same[i]; p.ID != q.ID && utf8.ValidString(p.ID) || p.Permission != q.Permission || !p.Start.Equal(q.Start) || !p.Expiry.Equal(q.Expiry) {
				t.Fatalf("%+v came back as %+v", p, q)
			}
		}
	})
}

func FuzzKeyInfoBody(f *testing.F) {
	f.Add("<KeyInfo><Start>2026-01-02T03:04:05Z</Start><Expiry>2026-01-03T03:04:05.1234567Z</Expiry></KeyInfo>")
	f.Add("<KeyInfo><Start>2026-01-02</Start></KeyInfo>")
	now, _ := parseTime("2026-01-02T04:00:00Z")
	f.Fuzz(func(t *testing.T, body string) {
		var in keyInfo
		if readXML(&http.Request{Body: io.NopCloser(strings.NewReader(body))}, maxACLBody, &in) != nil {
			return
		}
		start, expiry, err := in.times(now)
		if err == nil && (!start.Before(expiry) || expiry.After(now.Add(maxDelegation))) {
			t.Fatalf("%q gives a key from %s to %s", body, start, expiry)
		}
	})
}

func FuzzBlockListBody(f *testing.F) {
	for _, seed := range []string{"", "<BlockList/>", "<BlockList><Latest>AAAA</Latest><Committed>BBBB</Committed><Uncommitted> CCCC </Uncommitted></BlockList>", "<BlockList><Other>AAAA</Other></BlockList>",
		"<BlockList><Latest><x/>AAAA</Latest></BlockList>", "<BlockList><Latest>A&amp;A</Latest>", "\ufeff<?xml version='1.0' encoding='utf-16'?><BlockList></BlockList>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		list, err := readBlockList(&http.Request{Body: io.NopCloser(strings.NewReader(body))})
		if err != nil {
			return
		}
		if len(list) > blob.MaxBlocks {
			t.Fatalf("%d blocks are taken", len(list))
		}
		for _, one := range list {
			if one.From != blob.Latest && one.From != blob.Committed && one.From != blob.Uncommitted || one.ID != strings.TrimSpace(one.ID) {
				t.Fatalf("%+v is taken", one)
			}
		}
	})
}
