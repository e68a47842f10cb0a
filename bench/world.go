package main

import (
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
	children []*child
	targets  []target
}

// The sample's account, and the call that is measured.
const (
	account = "aoai-sample.openai.azure.com"
	chat    = "/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21"
)

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
	proxy, err := w.child("serve", "proxy", certificate, plainMock.says[0])
	if err != nil {
		return nil, err
	}
	sekisho, err := w.child("serve", "sekisho", fmt.Sprint(secure), plainMock.says[0], filepath.Join(w.dir, "data"))
	if err != nil {
		return nil, err
	}
	address, key, token := sekisho.says[0], sekisho.says[1], sekisho.says[2]
	w.targets = []target{
		{name: "direct", server: mock, address: mock.says[0], host: "127.0.0.1", path: "/"},
		{name: "ReverseProxy", server: proxy, address: proxy.says[0], host: "127.0.0.1", path: "/"},
		{name: "Sekisho, key", server: sekisho, address: address, host: account, path: chat, header: "api-key: " + key + "\r\n"},
		{name: "Sekisho, token", server: sekisho, address: address, host: account, path: chat, header: "Authorization: Bearer " + token + "\r\n"},
	}
	if secure {
		for i := range w.targets {
			w.targets[i].tls = insecure()
		}
	}
	return w, nil
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
	config, err := writeConfig(data, mock)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	os.Setenv("XDG_STATE_HOME", data+".state")
	p, err := platform.Start(ctx, platform.Options{Data: data, Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0", Config: config})
	if err != nil {
		return err
	}
	c, err := p.Credentials()
	if err != nil {
		return err
	}
	key, token, err := credentials(c, "http://"+p.Addresses().Proxy)
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

// writeConfig puts the mock behind the sample's deployment.
func writeConfig(data, mock string) (string, error) {
	text := fmt.Sprintf("models: [{name: gpt-35-turbo, url: 'http://%s/v1'}]\n", mock)
	return data + ".yaml", os.WriteFile(data+".yaml", []byte(text), 0o600)
}

// credentials gets a key of the sample's account, and a token of the automation
// service principal after it was given the role.
func credentials(c platform.Credentials, proxyURL string) (key, token string, err error) {
	proxy, err := url.Parse(proxyURL)
	if err != nil {
		return "", "", err
	}
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
