package conformance

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Azurite is Microsoft's own emulator of Storage. It is not Azure: where the two
// differ, blob_azurite_differences_test.go says which document decides.

// plainHTTP is the account whose client is this test.
const plainHTTP = "stplainhttp"

// azuriteKey is the key that Azurite documents for its account.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// storageServer is where requests are sent.
type storageServer struct {
	base, account, key string
	http               *http.Client
	kept               map[string]string // of replies
}

// azurite starts the emulator.
func (s *sekisho) azurite() *storageServer {
	s.t.Helper()
	node, modules := s.nodeIn("js-storage")
	p := spawn(s.t, s.command(nil, node, filepath.Join(modules, "azurite", "dist", "src", "blob", "main.js"),
		"--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"))
	late := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("Azurite ended: %v\n%s", err, p.log)
		}
		if _, address, ok := strings.Cut(strings.TrimSpace(line), " listens on "); ok {
			go io.Copy(io.Discard, p.out)
			return &storageServer{base: strings.TrimSuffix(address, "/") + "/" + azuriteAccount, account: azuriteAccount, key: azuriteKey, http: &http.Client{}}
		}
	}
}

// storageRequest is a line of blob/azurite.txt.
type storageRequest struct {
	line, method, target string
	header               http.Header
	body, signed         string
	keep                 map[string]string // name: header of the reply
}

func storageRequests(t *testing.T) (all []storageRequest) {
	t.Helper()
	file, err := os.Open("blob/azurite.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, " | ")
		r := storageRequest{line: line, header: http.Header{}, keep: map[string]string{}}
		r.method, r.target, _ = strings.Cut(fields[0], " ")
		for _, field := range fields[1:] {
			switch rest := field[1:]; field[0] {
			case '<':
				r.body = rest
			case '!':
				r.signed = rest
			case '>':
				name, header, _ := strings.Cut(rest, "=")
				r.keep[name] = header
			default:
				name, value, _ := strings.Cut(field, ": ")
				r.header.Set(name, value)
			}
		}
		all = append(all, r)
	}
	return all
}

// storageReply is what is compared.
type storageReply struct {
	status  int
	code    string
	headers []string
}

// transport are headers of the way, not of the service.
var transport = []string{"Connection", "Content-Length", "Date", "Keep-Alive", "Server", "Transfer-Encoding"}

func (s *storageServer) send(t *testing.T, r storageRequest) storageReply {
	t.Helper()
	fill := func(text string) string {
		for name, value := range s.kept {
			text = strings.ReplaceAll(text, "{"+name+"}", value)
		}
		return text
	}
	req, err := http.NewRequest(r.method, s.base+fill(r.target), strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-ms-version", "2024-11-04")
	for name, values := range r.header {
		req.Header.Set(name, fill(values[0]))
	}
	if req.Header.Get("Content-Type") == "" && r.body != "" {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	if err := s.sign(req, r.signed, len(r.body)); err != nil {
		t.Fatal(err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return storageReply{code: "no HTTP"}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", r.line, err)
	}
	for name, header := range r.keep {
		s.kept[name] = resp.Header.Get(header)
	}
	code := resp.Header.Get("x-ms-error-code")
	if _, rest, ok := bytes.Cut(raw, []byte("<Code>")); ok && code == "" {
		inner, _, _ := bytes.Cut(rest, []byte("</Code>"))
		code = string(inner)
	}
	for _, name := range transport {
		resp.Header.Del(name)
	}
	return storageReply{resp.StatusCode, code, slices.Sorted(maps.Keys(resp.Header))}
}

// sign signs with the account's key, as authorize-with-shared-key.md says.
func (s *storageServer) sign(r *http.Request, how string, length int) error {
	at := time.Now().UTC()
	if how == "old" {
		at = at.Add(-time.Hour)
	}
	r.Header.Set("x-ms-date", at.Format(http.TimeFormat))
	switch how {
	case "none":
		return nil
	case "malformed":
		r.Header.Set("Authorization", "SharedKey nonsense")
		return nil
	}
	h := r.Header
	size := ""
	if length > 0 {
		size = fmt.Sprint(length)
	}
	lines := []string{r.Method, h.Get("Content-Encoding"), h.Get("Content-Language"), size, h.Get("Content-MD5"), h.Get("Content-Type"), "",
		h.Get("If-Modified-Since"), h.Get("If-Match"), h.Get("If-None-Match"), h.Get("If-Unmodified-Since"), h.Get("Range")}
	scheme := "SharedKey"
	if how == "lite" {
		scheme, lines = "SharedKeyLite", []string{r.Method, h.Get("Content-MD5"), h.Get("Content-Type"), ""}
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
			lines = append(lines, lower+":"+h.Get(name))
		}
	}
	resource := "/" + s.account + r.URL.EscapedPath()
	query := r.URL.Query()
	if how == "lite" {
		if comp := query.Get("comp"); comp != "" {
			resource += "?comp=" + comp
		}
		query = url.Values{}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		resource += "\n" + name + ":" + query.Get(name)
	}
	key, err := base64.StdEncoding.DecodeString(s.key)
	if err != nil {
		return err
	}
	if how == "wrong key" {
		key = []byte("another")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(append(lines, resource), "\n")))
	h.Set("Authorization", scheme+" "+s.account+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

// differ names what is not the same in two replies. Headers of answers that are
// others by their status or code are not compared.
func differ(azurite, ours storageReply) (all []string) {
	if azurite.status != ours.status || azurite.code != ours.code {
		return []string{strings.TrimSpace(fmt.Sprint(azurite.status, " ", azurite.code)) + " -> " + strings.TrimSpace(fmt.Sprint(ours.status, " ", ours.code))}
	}
	for _, name := range azurite.headers {
		if !slices.Contains(ours.headers, name) {
			all = append(all, "-"+strings.ToLower(name))
		}
	}
	for _, name := range ours.headers {
		if !slices.Contains(azurite.headers, name) {
			all = append(all, "+"+strings.ToLower(name))
		}
	}
	return all
}

// difference is one that is explained.
type difference struct {
	requests string // their lines; * stands for any text, here and below
	what     string // as differ names it: Azurite's answer and Sekisho's, or a header that only one has
	why      string
}

func (d difference) explains(line, what string) bool {
	return like(d.requests, line) && like(d.what, what)
}

// like matches with * for any text.
func like(pattern, text string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	for ok && wild {
		first, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(text, first)
		}
		_, text, ok = strings.Cut(text, first)
	}
	return ok
}

// besideAzurite sends every request to both.
func (w *blobWorld) besideAzurite(t *testing.T) {
	theirs := w.azurite()
	account := w.storageAccount(plainHTTP, true)
	_, port, _ := strings.Cut(strings.TrimPrefix(w.printed["listen"], "https://"), ":")
	ours := &storageServer{base: "https://localhost:" + port + "/-/blob/" + plainHTTP, account: plainHTTP, http: w.httpClient()}
	for _, line := range account {
		if key, ok := strings.CutPrefix(line, "ACCOUNT_KEY="); ok {
			ours.key = key
		}
	}
	ours.http.Transport.(*http.Transport).Proxy = nil
	for _, s := range []*storageServer{theirs, ours} {
		s.kept = map[string]string{"base": s.base}
	}
	used := map[difference]bool{}
	requests := storageRequests(t)
	for _, r := range requests {
		for _, what := range differ(theirs.send(t, r), ours.send(t, r)) {
			i := slices.IndexFunc(azuriteDifferences, func(d difference) bool { return d.explains(r.line, what) })
			if i < 0 {
				t.Errorf("%s: %s", r.line, what)
				continue
			}
			used[azuriteDifferences[i]] = true
		}
	}
	for _, d := range azuriteDifferences {
		if !used[d] {
			t.Errorf("no reply shows the difference %+v", d)
		}
	}
	t.Logf("%d requests, %d differences explained", len(requests), len(azuriteDifferences))
}
