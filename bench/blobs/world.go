package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// world is all that is measured, each server a process.
type world struct {
	dir      string
	servers  []server
	children []*exec.Cmd
	sekisho  *exec.Cmd
	// client is of Sekisho, as credential is.
	client     *container.Client
	credential *container.SharedKeyCredential
}

// server is one thing that keeps bytes.
type server struct {
	name string
	put  func(ctx context.Context, name string, data []byte) error
	get  func(ctx context.Context, name string) error
}

func (s server) putter(size int) func(worker, n int) error {
	data := make([]byte, size)
	rand.Read(data)
	return func(worker, n int) error {
		return s.put(context.Background(), fmt.Sprintf("put-%d-%d", size, worker), data)
	}
}

// getter reads what putter wrote.
func (s server) getter(size int) func(worker, n int) error {
	return func(worker, n int) error { return s.get(context.Background(), fmt.Sprintf("put-%d-%d", size, worker)) }
}

// transport is a client on loopback, of servers that nobody vouches for.
func transport() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}}}
}

func startWorld(azurite string) (*world, error) {
	dir, err := os.MkdirTemp("", "blobs-")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir}
	if err := w.startSekisho(); err != nil {
		return w, err
	}
	cert, key, err := w.certificate()
	if err != nil {
		return w, err
	}
	if azurite != "" {
		if err := w.startAzurite(azurite, cert, key); err != nil {
			return w, err
		}
	}
	if err := w.startFloor(cert, key); err != nil {
		return w, err
	}
	w.servers = append(w.servers, copies(filepath.Join(dir, "copies")))
	return w, nil
}

func (w *world) stop() {
	for _, c := range w.children {
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
	}
	os.RemoveAll(w.dir)
}

// sdk makes a server of a container client.
func sdk(name string, c *container.Client) server {
	return server{name,
		func(ctx context.Context, blob string, data []byte) error {
			_, err := c.NewBlockBlobClient(blob).Upload(ctx, streaming.NopCloser(bytes.NewReader(data)), nil)
			return err
		},
		func(ctx context.Context, blob string) error {
			reply, err := c.NewBlobClient(blob).DownloadStream(ctx, nil)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, reply.Body)
			return errors.Join(err, reply.Body.Close())
		}}
}

// timed notes how long replies take, to their last byte and without what the client
// makes of them.
type timed struct {
	*http.Client
	took []time.Duration // of one client at a time
}

func (t *timed) Do(r *http.Request) (*http.Response, error) {
	begin := time.Now()
	reply, err := t.Client.Do(r)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(reply.Body)
	reply.Body.Close()
	reply.Body = io.NopCloser(bytes.NewReader(raw))
	t.took = append(t.took, time.Since(begin))
	return reply, err
}

func open(credential *container.SharedKeyCredential, base string) (*container.Client, error) {
	c, err := container.NewClientWithSharedKeyCredential(base+"/bench", credential, &container.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: transport()}})
	if err != nil {
		return nil, err
	}
	_, err = c.Create(context.Background(), nil)
	return c, err
}

// startSekisho starts it with an account, which it makes as any client does.
func (w *world) startSekisho() error {
	binary := filepath.Join(w.dir, "sekisho")
	build := exec.Command("go", "build", "-o", binary, "sekisho/cmd/sekisho")
	build.Dir, build.Stderr = "..", os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	data := filepath.Join(w.dir, "data")
	up := exec.Command(binary, "up", "--data", data, "--listen", "127.0.0.1:0", "--proxy", "127.0.0.1:0", "--identity", "127.0.0.1:0")
	out, err := up.StdoutPipe()
	if err != nil {
		return err
	}
	if err := up.Start(); err != nil {
		return err
	}
	w.children, w.sekisho = append(w.children, up), up
	base := ""
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "ready"; {
		if name, address, _ := strings.Cut(lines.Text(), " "); name == "listen" {
			base = strings.TrimSpace(address)
		}
	}
	var c struct {
		TenantID, SubscriptionID string
		Automation               struct{ ClientID, ClientSecret string }
	}
	raw, err := os.ReadFile(filepath.Join(data, "credentials.json"))
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return err
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.Automation.ClientID}, "client_secret": {c.Automation.ClientSecret}, "scope": {"https://management.azure.com/.default"}}
	if err := call(http.MethodPost, base+"/"+c.TenantID+"/oauth2/v2.0/token", "", form.Encode(), &token); err != nil {
		return err
	}
	account := base + "/subscriptions/" + c.SubscriptionID + "/resourceGroups/rg-sample/providers/Microsoft.Storage/storageAccounts/benchaccount"
	const version = "?api-version=2023-01-01"
	register := base + "/subscriptions/" + c.SubscriptionID + "/providers/Microsoft.Storage/register?api-version=2021-04-01"
	if err := call(http.MethodPost, register, token.AccessToken, "", nil); err != nil {
		return err
	}
	if err := call(http.MethodPut, account+version, token.AccessToken, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`, nil); err != nil {
		return err
	}
	var keys struct {
		Keys []struct{ Value string }
	}
	if err := call(http.MethodPost, account+"/listKeys"+version, token.AccessToken, "", &keys); err != nil {
		return err
	}
	if w.credential, err = container.NewSharedKeyCredential("benchaccount", keys.Keys[0].Value); err != nil {
		return err
	}
	w.client, err = open(w.credential, base+"/-/blob/benchaccount")
	w.servers = append(w.servers, sdk("Sekisho", w.client))
	return err
}

// call sends a request, as JSON or as a form.
func call(method, url, token, body string, into any) error {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := transport().Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s %s %v", method, url, resp.Status, raw, err)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(raw, into)
}

// certificate writes one for the servers that have none of their own.
func (w *world) certificate() (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotBefore: time.Now(), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(w.dir, "cert.pem"), filepath.Join(w.dir, "key.pem")
	return cert, key, errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
}

// Azurite's account, which its documentation publishes.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

func (w *world) startAzurite(script, cert, key string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	cmd := exec.Command("node", script, "--silent", "--blobHost", "127.0.0.1", "--blobPort", fmt.Sprint(port), "--location", filepath.Join(w.dir, "azurite"), "--cert", cert, "--key", key, "--skipApiVersionCheck")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	w.children = append(w.children, cmd)
	base := fmt.Sprintf("https://127.0.0.1:%d/%s", port, azuriteAccount)
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			conn.Close()
			break
		}
	}
	credential, err := container.NewSharedKeyCredential(azuriteAccount, azuriteKey)
	if err != nil {
		return err
	}
	c, err := open(credential, base)
	w.servers = append(w.servers, sdk("Azurite", c))
	return err
}

// peak is the most memory that Sekisho has held, in bytes.
func (w *world) peak() int64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.sekisho.Process.Pid))
	for line := range strings.Lines(string(raw)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	return 0
}

// middle is a percentile of sorted times.
func middle(sorted []time.Duration, percent int) time.Duration {
	return sorted[len(sorted)*percent/100].Round(100 * time.Microsecond)
}

// listing lists many blobs page by page.
func (w *world) listing(n int) error {
	fmt.Printf("\nmaking %d blobs to list\n", n)
	const workers = 16
	_, err := drive(workers, 0, func(worker, _ int) error {
		for i := worker; i < n; i += workers {
			if err := w.servers[0].put(context.Background(), fmt.Sprintf("list/%06d", i), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	prefix := "list/"
	wire := &timed{Client: transport()}
	client, err := container.NewClientWithSharedKeyCredential(w.client.URL(), w.credential, &container.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: wire}})
	if err != nil {
		return err
	}
	for _, size := range []int32{1000, 5000} {
		var took []time.Duration
		seen := 0
		wire.took = nil
		pager := client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix, MaxResults: &size})
		for pager.More() {
			begin := time.Now()
			page, err := pager.NextPage(context.Background())
			if err != nil {
				return err
			}
			took = append(took, time.Since(begin))
			seen += len(page.Segment.BlobItems)
		}
		slices.Sort(took)
		slices.Sort(wire.took)
		fmt.Printf("%d blobs in pages of %d: p50 %v, p95 %v; with the client's parsing p50 %v, p95 %v\n", seen, size, middle(wire.took, 50), middle(wire.took, 95), middle(took, 50), middle(took, 95))
	}
	return nil
}
