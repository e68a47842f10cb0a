package storage_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/internal/servicetest"
)

// signed is the signature of a text, written out as the documents have it.
func signed(t *testing.T, key string, lines ...string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte(strings.Join(lines, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Source: storage.json, examples StorageAccountListAccountSAS.json and
// StorageAccountListServiceSAS.json; create-account-sas.md and
// create-service-sas.md, "Construct the signature string", 2015-04-05.
func TestSignedURLs(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "stsigned")
	keys := keysOf(t, w, id)
	in := time.Now().UTC().Add(time.Hour).Truncate(time.Second)
	from, until := in.Add(-2*time.Hour).Format("2006-01-02T15:04:05.1234567Z"), in.Format(time.RFC3339)
	start := in.Add(-2 * time.Hour).Format("2006-01-02T15:04:05Z")

	ask := func(verb, body string) string {
		t.Helper()
		r := w.Need(200, w.ARM("POST", id+"/"+verb, body))
		token, _ := r.Get(map[string]string{"listAccountSas": "accountSasToken", "listServiceSas": "serviceSasToken"}[verb]).(string)
		return token
	}
	for _, c := range []struct{ verb, body, query, sig string }{
		{"listAccountSas", `{"signedServices":"fb","signedResourceTypes":"ocs","signedPermission":"lr","signedProtocol":"https,http","signedIp":"8.8.8.8-8.8.8.9",
			"signedStart":"` + from + `","signedExpiry":"` + until + `","keyToSign":"key1"}`,
			"sv=2015-04-05&ss=bf&srt=sco&sp=rl&st=" + url.QueryEscape(start) + "&se=" + url.QueryEscape(until) + "&sip=8.8.8.8-8.8.8.9&spr=https,http",
			signed(t, keys["key1"], "stsigned", "rl", "bf", "sco", start, until, "8.8.8.8-8.8.8.9", "https,http", "2015-04-05", "")},
		{"listAccountSas", `{"signedServices":"b","signedResourceTypes":"o","signedPermission":"r","signedExpiry":"` + until + `","keyToSign":"key2"}`,
			"sv=2015-04-05&ss=b&srt=o&sp=r&se=" + url.QueryEscape(until),
			signed(t, keys["key2"], "stsigned", "r", "b", "o", "", until, "", "", "2015-04-05", "")},
		{"listServiceSas", `{"canonicalizedResource":"/blob/stsigned/music","signedResource":"c","signedPermission":"wr","signedExpiry":"` + until + `"}`,
			"sv=2015-04-05&sr=c&se=" + url.QueryEscape(until) + "&sp=rw",
			signed(t, keys["key1"], "rw", "", until, "/blob/stsigned/music", "", "", "", "2015-04-05", "", "", "", "", "")},
		{"listServiceSas", `{"canonicalizedResource":"/blob/stsigned/music/a b/ü","signedResource":"b","signedIdentifier":"policy 1","rsct":"text/plain; charset=utf-8"}`,
			"sv=2015-04-05&sr=b&si=policy%201&rsct=text%2Fplain%3B%20charset%3Dutf-8",
			signed(t, keys["key1"], "", "", "", "/blob/stsigned/music/a b/ü", "policy 1", "", "", "2015-04-05", "", "", "", "", "text/plain; charset=utf-8")},
	} {
		query, sig, _ := strings.Cut(ask(c.verb, c.body), "&sig=")
		if got, err := url.QueryUnescape(sig); query != c.query || got != c.sig || err != nil {
			t.Errorf("%s\n got %s, signature %s\nwant %s, signature %s", c.body, query, got, c.query, c.sig)
		}
	}

	account, service := `"signedServices":"b","signedResourceTypes":"o",`, `"canonicalizedResource":"/blob/stsigned/music","signedResource":"c",`
	for _, c := range []struct{ verb, body, invalid string }{
		{"listAccountSas", account + `"signedPermission":"r"`, "signedExpiry"},
		{"listAccountSas", account + `"signedPermission":"r","signedExpiry":"2021-10-30T00:00:00Z"`, "signedExpiry"}, // OTRF/Blacksmith#15
		{"listAccountSas", account + `"signedPermission":"r","signedExpiry":"tomorrow"`, "signedExpiry"},
		{"listAccountSas", account + `"signedPermission":"r","signedStart":"` + until + `","signedExpiry":"` + until + `"`, "signedStart"},
		{"listAccountSas", account + `"signedPermission":"","signedExpiry":"` + until + `"`, "signedPermission"},
		{"listAccountSas", account + `"signedPermission":"rz","signedExpiry":"` + until + `"`, "signedPermission"},
		{"listAccountSas", account + `"signedPermission":"rr","signedExpiry":"` + until + `"`, "signedPermission"},
		{"listAccountSas", account + `"signedPermission":"r","signedProtocol":"http","signedExpiry":"` + until + `"`, "signedProtocol"},
		{"listAccountSas", account + `"signedPermission":"r","signedIp":"8.8.8.9-8.8.8.8","signedExpiry":"` + until + `"`, "signedIp"},
		{"listAccountSas", account + `"signedPermission":"r","keyToSign":"key3","signedExpiry":"` + until + `"`, "keyToSign"},
		{"listAccountSas", `"signedServices":"z","signedResourceTypes":"o","signedPermission":"r","signedExpiry":"` + until + `"`, "signedServices"},
		{"listAccountSas", `"signedServices":"b","signedPermission":"r","signedExpiry":"` + until + `"`, "signedResourceTypes"},
		{"listServiceSas", service + `"signedPermission":"r"`, "signedExpiry"},
		{"listServiceSas", `"canonicalizedResource":"/blob/another/music","signedResource":"c","signedPermission":"r","signedExpiry":"` + until + `"`, "canonicalizedResource"},
		{"listServiceSas", `"canonicalizedResource":"/blob/stsigned/music","signedResource":"b","signedPermission":"r","signedExpiry":"` + until + `"`, "canonicalizedResource"},
		{"listServiceSas", `"canonicalizedResource":"/file/stsigned/music","signedResource":"s","signedPermission":"r","signedExpiry":"` + until + `"`, "signedResource"},
	} {
		r := w.ARM("POST", id+"/"+c.verb, "{"+c.body+"}")
		if r.Status != 400 || r.Code() != "InvalidValuesForRequestParameters" || !strings.Contains(r.Message(), ": "+c.invalid+".") {
			t.Errorf("%s: %d %s, want %s", c.body, r.Status, r.Body, c.invalid)
		}
	}
}

// What Resource Manager signs, the data plane takes, and for no more than it says.
func TestTheDataPlaneTakesTheURLsThatResourceManagerSigns(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "stagree")
	host := "https://stagree.blob.core.windows.net/"
	w.Need(201, w.ARM("PUT", id+"/blobServices/default/containers/con", `{}`))
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	token := func(verb, body string) string {
		r := w.Need(200, w.ARM("POST", id+"/"+verb, body))
		return r.Get(map[string]string{"listAccountSas": "accountSasToken", "listServiceSas": "serviceSasToken"}[verb]).(string)
	}
	send := func(method, path, token, body string) servicetest.Reply {
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		return w.Do(servicetest.Request{Method: method, URL: host + path + join + token, Body: body, Header: map[string][]string{"X-Ms-Blob-Type": {"BlockBlob"}}})
	}
	account := token("listAccountSas", `{"signedServices":"b","signedResourceTypes":"sco","signedPermission":"rwl","signedExpiry":"`+until+`","signedProtocol":"https"}`)
	service := token("listServiceSas", `{"canonicalizedResource":"/blob/stagree/con","signedResource":"c","signedPermission":"r","signedExpiry":"`+until+`"}`)
	one := token("listServiceSas", `{"canonicalizedResource":"/blob/stagree/con/a b","signedResource":"b","signedPermission":"r","signedExpiry":"`+until+`","rsct":"text/special"}`)
	w.Need(201, send("PUT", "con/a%20b", account, "text"))
	w.Need(201, send("PUT", "con/other", account, "text"))
	w.Need(200, send("GET", "?comp=list", account, ""))
	w.Need(403, send("DELETE", "con/other", account, ""))
	w.Need(200, send("GET", "con/other", service, ""))
	w.Need(403, send("PUT", "con/other", service, "text"))
	if r := w.Need(200, send("GET", "con/a%20b", one, "")); r.Header.Get("Content-Type") != "text/special" || r.Body != "text" {
		t.Errorf("one blob: %v %s", r.Header, r.Body)
	}
	w.Need(403, send("GET", "con/other", one, ""))

	w.Need(200, w.ARM("POST", id+"/regenerateKey", `{"keyName":"key1"}`))
	for _, token := range []string{account, service, one} {
		w.Need(403, send("GET", "con/a%20b", token, ""))
	}
	again := token("listServiceSas", `{"canonicalizedResource":"/blob/stagree/con","signedResource":"c","signedPermission":"r","signedExpiry":"`+until+`"}`)
	w.Need(200, send("GET", "con/other", again, ""))
	w.Need(200, w.ARM("PATCH", id, `{"properties":{"allowSharedKeyAccess":false}}`))
	w.Need(403, send("GET", "con/other", again, ""))
}
