package conformance

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const (
	workloadSubject  = "system:serviceaccount:default:workload"
	exchangeAudience = "api://AzureADTokenExchange"
)

// secretless is the sample's application with a certificate and with a cluster
// that it trusts, and what a client of either has: a PEM file, a token file.
type secretless struct {
	*sekisho
	certificate, other string // PEM files: of the application, and of nobody
	token              string // file that a cluster writes
	cluster            string // its issuer
	key                *rsa.PrivateKey
}

func withoutSecret(t *testing.T) *secretless {
	t.Helper()
	s := &secretless{sekisho: start(t)}
	var der []byte
	s.certificate, der = s.pem("app.pem")
	s.other, _ = s.pem("other.pem")
	s.openCluster()
	// No client can write a credential yet, so the directory is written to
	// while Sekisho is down.
	s.stop()
	s.grant(der)
	s.up()
	s.token = filepath.Join(s.home, "token")
	s.project(workloadSubject)
	return s
}

// pem writes a new key and its certificate as openssl does.
func (s *secretless) pem(name string) (path string, der []byte) {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	if der, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key); err != nil {
		s.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	path = filepath.Join(s.home, name)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path, der
}

// openCluster is the OpenID provider of a Kubernetes cluster.
func (s *secretless) openCluster() {
	s.t.Helper()
	var err error
	if s.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		s.t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply := map[string]any{"issuer": s.cluster, "jwks_uri": s.cluster + "/openid/v1/jwks"}
		if r.URL.Path == "/openid/v1/jwks" {
			reply = map[string]any{"keys": []any{map[string]any{"use": "sig", "kty": "RSA", "kid": "k1", "alg": "RS256",
				"n": base64.RawURLEncoding.EncodeToString(s.key.N.Bytes()), "e": "AQAB"}}}
		}
		json.NewEncoder(w).Encode(reply)
	}))
	s.t.Cleanup(server.Close)
	s.cluster = server.URL
}

// project writes a service account's token into the file, as kubelet does.
func (s *secretless) project(subject string) {
	s.t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": s.cluster, "sub": subject, "aud": []string{exchangeAudience},
		"iat": time.Now().Unix(), "nbf": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
	token.Header["kid"] = "k1"
	text, err := token.SignedString(s.key)
	if err == nil {
		err = os.WriteFile(s.token, []byte(text), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// grant registers the certificate and the cluster with the sample's application.
func (s *secretless) grant(der []byte) {
	s.t.Helper()
	st, err := store.Open(s.t.Context(), s.data)
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	err = st.Update(s.t.Context(), func(tx *store.Tx) error {
		record, err := tx.Lookup(entra.KindApplication, store.Key{Name: "appId", Value: s.Automation.ClientID})
		if err != nil {
			return err
		}
		_, certified := entra.AddKeyCredential(tx, record.ID, entra.KeyCredential{Key: der})
		_, federated := entra.AddFederatedCredential(tx, record.ID, entra.FederatedCredential{Name: "cluster", Issuer: s.cluster, Subject: workloadSubject, Audiences: []string{exchangeAudience}})
		return errors.Join(certified, federated)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// environment is what both programs read.
func (s *secretless) environment(more ...string) []string {
	return append(more, "AZURE_TENANT_ID="+s.TenantID, "AZURE_CLIENT_ID="+s.Automation.ClientID, "AZURE_FEDERATED_TOKEN_FILE="+s.token,
		"CERTIFICATE="+s.certificate, "OTHER_CERTIFICATE="+s.other, "SUBSCRIPTION="+s.SubscriptionID)
}

// steps wants a program to have taken all of its steps.
func (s *secretless) steps(r result) {
	s.t.Helper()
	if out := r.ok(); out != "certificate\nother certificate refused\nagain\nworkload\n" {
		s.t.Errorf("it took the steps\n%s", out)
	}
}

func TestAPythonProgramSignsInWithACertificateAndWithATokenOfItsCluster(t *testing.T) {
	t.Parallel()
	s := withoutSecret(t)
	s.steps(s.client(s.environment(), python(t, "azure-mgmt"), program(t, "secretless/secretless.py")))
	s.audited()
}

func TestAGoProgramSignsInWithACertificateAndWithATokenOfItsCluster(t *testing.T) {
	t.Parallel()
	s := withoutSecret(t)
	variable, path := self(t, "go-secretless")
	s.steps(s.client(s.environment(variable), path))
	s.audited()
}

func TestTheAzureCLISignsInWithACertificateAndWithATokenOfItsCluster(t *testing.T) {
	t.Parallel()
	s := withoutSecret(t)
	sign := func(more ...string) result {
		return s.az(append([]string{"login", "--service-principal", "-u", s.Automation.ClientID, "--tenant", s.TenantID}, more...)...)
	}
	works := func() {
		t.Helper()
		for _, resource := range []string{"https://management.azure.com", "https://cognitiveservices.azure.com"} { // the second is got by what az kept
			var token struct{ AccessToken, Tenant string }
			if s.az("account", "get-access-token", "--resource", resource).json(&token); token.Tenant != s.TenantID || strings.Count(token.AccessToken, ".") != 2 {
				t.Errorf("get-access-token printed %+v", token)
			}
		}
		s.az("group", "show", "-n", "rg-sample").ok()
	}
	sign("--certificate", s.other).fails("AADSTS700027")
	sign("--certificate", s.certificate).ok()
	works()
	s.az("logout").ok()
	raw, err := os.ReadFile(s.token)
	if err != nil {
		t.Fatal(err)
	}
	sign("--federated-token", "not-a-token").fails("AADSTS50027")
	sign("--federated-token", string(raw)).ok()
	works()
	s.az("logout").ok() // else az has a token yet
	s.project("system:serviceaccount:default:other")
	if raw, err = os.ReadFile(s.token); err != nil {
		t.Fatal(err)
	}
	sign("--federated-token", string(raw)).fails("AADSTS700213", "system:serviceaccount:default:other")
	s.audited()
}

// audited wants both kinds of credential in the audit log.
func (s *secretless) audited() {
	s.t.Helper()
	out := s.cli("audit", "--data", s.data, "--json").ok()
	for _, want := range []string{`"credential":"certificate `, `"credential":"federated cluster: ` + s.cluster + " " + workloadSubject + `"`} {
		if !strings.Contains(out, want) {
			s.t.Errorf("the audit log lacks %s:\n%s", want, out)
		}
	}
	raw, err := os.ReadFile(s.token)
	if err != nil {
		s.t.Fatal(err)
	}
	if strings.Contains(out, string(raw)) {
		s.t.Error("the audit log holds a token")
	}
}

// goSecretless signs in with azidentity, and asks for two tokens with each
// credential.
func goSecretless() error {
	ctx := context.Background()
	tenant, client := os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID")
	certified := func(path string) (*azidentity.ClientCertificateCredential, error) {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		certificates, key, err := azidentity.ParseCertificates(raw, nil)
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientCertificateCredential(tenant, client, certificates, key, nil)
	}
	scope := func(s string) policy.TokenRequestOptions { return policy.TokenRequestOptions{Scopes: []string{s}} }
	arm, ai := scope("https://management.azure.com/.default"), scope("https://cognitiveservices.azure.com/.default")
	good, err := certified(os.Getenv("CERTIFICATE"))
	if err != nil {
		return err
	}
	if _, err := good.GetToken(ctx, arm); err != nil {
		return err
	}
	fmt.Println("certificate")
	bad, err := certified(os.Getenv("OTHER_CERTIFICATE"))
	if err != nil {
		return err
	}
	if _, err := bad.GetToken(ctx, arm); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		return fmt.Errorf("another certificate: %w", err)
	}
	fmt.Println("other certificate refused")
	if _, err := good.GetToken(ctx, ai); err != nil {
		return err
	}
	fmt.Println("again")
	workload, err := azidentity.NewWorkloadIdentityCredential(nil) // all from the environment
	if err != nil {
		return err
	}
	for _, s := range []policy.TokenRequestOptions{arm, ai} {
		if _, err := workload.GetToken(ctx, s); err != nil {
			return err
		}
	}
	fmt.Println("workload")
	return nil
}
