package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"sekisho/internal/platform"
)

// world is the servers of one comparison, each a process of its own.
type world struct {
	dir      string
	children []*exec.Cmd
	targets  []target
}

const account = "aoai-sample.openai.azure.com"

func startWorld(secure bool) (_ *world, err error) {
	w := &world{}
	if w.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.stop()
		}
	}()
	certificate := ""
	if secure {
		if certificate, err = w.certificate(); err != nil {
			return nil, err
		}
	}
	plainMock, err := w.child("serve", "mock", "")
	if err != nil {
		return nil, err
	}
	mock := plainMock
	if secure {
		if mock, err = w.child("serve", "mock", certificate); err != nil {
			return nil, err
		}
	}
	proxy, err := w.child("serve", "proxy", certificate, plainMock[0])
	if err != nil {
		return nil, err
	}
	sekisho, err := w.child("serve", "sekisho", fmt.Sprint(secure), plainMock[0], filepath.Join(w.dir, "data"))
	if err != nil {
		return nil, err
	}
	const path = "/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21"
	w.targets = []target{
		{name: "direct", address: mock[0], host: "127.0.0.1", path: "/"},
		{name: "ReverseProxy", address: proxy[0], host: "127.0.0.1", path: "/"},
		{name: "Sekisho, key", address: sekisho[0], host: account, path: path, header: "api-key: " + sekisho[1] + "\r\n"},
		{name: "Sekisho, token", address: sekisho[0], host: account, path: path, header: "Authorization: Bearer " + sekisho[2] + "\r\n"},
	}
	if secure {
		for i := range w.targets {
			w.targets[i].tls = insecure()
		}
	}
	return w, nil
}

// child starts this program as a server and reads the words of its first line.
func (w *world) child(args ...string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.children = append(w.children, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%v: %w", args, err)
	}
	return strings.Fields(line), nil
}

func (w *world) stop() {
	for _, c := range w.children {
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
	}
	os.RemoveAll(w.dir)
}

// certificate writes a certificate and its key for the mock and the proxy, of
// the kind that Sekisho's are: ECDSA P-256.
func (w *world) certificate() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	path := filepath.Join(w.dir, "bench.pem")
	return path, os.WriteFile(path, b.Bytes(), 0o600)
}

// serveSekisho starts the platform with the mock behind the sample's deployment,
// and prints its address, a key and a token that may use it.
func serveSekisho(secure bool, mock, data string) error {
	config := data + ".yaml"
	text := fmt.Sprintf("models: [{name: gpt-35-turbo, url: 'http://%s/v1'}]\n", mock)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	os.Setenv("XDG_STATE_HOME", data+".state")
	p, err := platform.Start(ctx, platform.Options{Data: data, Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0", Config: config})
	if err != nil {
		return err
	}
	key, token, err := credentials(p)
	if err != nil {
		return err
	}
	address := p.Addresses().Listen
	if !secure {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: p.Plain()}
		context.AfterFunc(ctx, func() { server.Close() })
		go server.Serve(ln)
		address = ln.Addr().String()
	}
	if prof := os.Getenv("BENCH_PROFILE"); prof != "" {
		f, err := os.Create(prof)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println(address, key, token)
	<-ctx.Done()
	done, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return p.Shutdown(done)
}

// credentials gets a key of the sample's account, and a token of the automation
// service principal after it was given the role.
func credentials(p *platform.Platform) (key, token string, err error) {
	c, err := p.Credentials()
	if err != nil {
		return "", "", err
	}
	proxy := &url.URL{Scheme: "http", Host: p.Addresses().Proxy}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: insecure()}}
	signIn := func(resource string) string {
		var reply struct {
			Token string `json:"access_token"`
		}
		err = call(client, http.MethodPost, "https://login.microsoftonline.com/"+c.TenantID+"/oauth2/v2.0/token", "", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {c.Automation.ClientID}, "client_secret": {c.Automation.ClientSecret}, "scope": {resource + "/.default"}}.Encode(), &reply)
		return reply.Token
	}
	arm := signIn("https://management.azure.com")
	if err != nil {
		return "", "", err
	}
	id := "https://management.azure.com/subscriptions/" + c.SubscriptionID + "/resourceGroups/rg-sample/providers/Microsoft.CognitiveServices/accounts/aoai-sample"
	var keys struct{ Key1 string }
	if err := call(client, http.MethodPost, id+"/listKeys?api-version=2023-05-01", arm, "", &keys); err != nil {
		return "", "", err
	}
	role := fmt.Sprintf(`{"properties":{"roleDefinitionId":"/subscriptions/%s/providers/Microsoft.Authorization/roleDefinitions/5e0bd9bd-7b93-4f28-af87-19fc36ad61bd","principalId":"%s"}}`, c.SubscriptionID, c.Automation.ObjectID)
	if err := call(client, http.MethodPut, id+"/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000b1?api-version=2022-04-01", arm, role, &struct{}{}); err != nil {
		return "", "", err
	}
	token = signIn("https://cognitiveservices.azure.com")
	return keys.Key1, token, err
}

func call(client *http.Client, method, address, token, body string, reply any) error {
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, address, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(reply)
}
