package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/platform"
)

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"90m":                  now.Add(-90 * time.Minute),
		"24h":                  now.Add(-24 * time.Hour),
		"7d":                   now.AddDate(0, 0, -7),
		"2026-11-23T06:00:00Z": time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-1h", "-2d", "7", "d", "2x", "2026-11-23"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%s: got %v, want an error", text, got)
		}
	}
}

func TestQuoteMakesOneShellWord(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:4480": "http://127.0.0.1:4480",
		"":                      "''",
		"/home/a b/ca.pem":      "'/home/a b/ca.pem'",
		"it's $HOME `x`":        `'it'\''s $HOME ` + "`x`'",
	} {
		if got := quote(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestNoProxyKeepsTheUsersHostsButNotTheStarNorThoseOfAzure(t *testing.T) {
	got := noProxy("corp.example, 127.0.0.1,*,.openai.azure.com,")
	if got != "localhost,127.0.0.1,::1,169.254.169.254,corp.example" {
		t.Error(got)
	}
}

func TestRunReplacesWhatWouldGiveTheCommandAnotherIdentity(t *testing.T) {
	before := []string{"HOME=/root", "AZURE_CLIENT_SECRET=s3cret", "IDENTITY_ENDPOINT=http://elsewhere", "HTTPS_PROXY=http://corp:3128", "AZURE_CLIENT_ID=kept"}
	after := environment(before, []variable{{"HTTPS_PROXY", "http://127.0.0.1:4480"}}, platform.Run{Variables: map[string]string{"IDENTITY_ENDPOINT": "http://here"}})
	for line, want := range map[string]bool{
		"HOME=/root": true, "AZURE_CLIENT_ID=kept": true, "HTTPS_PROXY=http://127.0.0.1:4480": true, "IDENTITY_ENDPOINT=http://here": true,
		"AZURE_CLIENT_SECRET=s3cret": false, "IDENTITY_ENDPOINT=http://elsewhere": false, "HTTPS_PROXY=http://corp:3128": false,
	} {
		if slices.Contains(after, line) != want {
			t.Errorf("%s: got %v, want %v in %v", line, !want, want, after)
		}
	}
}

func TestInterceptSetsProxyAndTrust(t *testing.T) {
	t.Setenv("https_proxy", "http://corp:3128")
	vars, err := intercept(platform.Environment{Addresses: platform.Addresses{Proxy: "127.0.0.1:4480"}, CA: "/d/ca.pem", Bundle: "/d/ca-bundle.pem"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range vars {
		got[v.name] = v.value
	}
	for name, want := range map[string]string{
		"HTTPS_PROXY": "http://127.0.0.1:4480", "https_proxy": "http://127.0.0.1:4480", "REQUESTS_CA_BUNDLE": "/d/ca-bundle.pem",
		"SSL_CERT_FILE": "/d/ca-bundle.pem", "CURL_CA_BUNDLE": "/d/ca-bundle.pem", "NODE_EXTRA_CA_CERTS": "/d/ca.pem",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	if !strings.HasSuffix(got["BROWSER"], " browse %s") {
		t.Errorf("BROWSER: %q", got["BROWSER"])
	}
}

// The working file of az cloud register: clients.md (a).
func TestCloudConfigNamesEveryEndpointOfAz(t *testing.T) {
	for listen, own := range map[string]string{
		"127.0.0.1:4443": "https://localhost:4443", "[::1]:4443": "https://localhost:4443", "127.0.0.1:443": "https://localhost",
		"0.0.0.0:4443": "https://localhost:4443", "10.0.0.5:4443": "https://10.0.0.5:4443",
	} {
		c := cloudOf(platform.Environment{Addresses: platform.Addresses{Listen: listen}}, true)
		for name, want := range map[string]string{
			"activeDirectory": own + "/adfs", "resourceManager": own, "microsoftGraphResourceId": own + "/",
			"activeDirectoryResourceId": "https://management.core.windows.net/",
		} {
			if got := c.Endpoints[name]; got != want {
				t.Errorf("%s: %s is %s, want %s", listen, name, got, want)
			}
		}
	}
}
