package edge

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func newTestCA(t *testing.T, names ...string) *CA {
	t.Helper()
	ca, err := NewCA(time.Now(), names...)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func pool(ca *CA) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(ca.CertificatePEM())
	return p
}

func greet(ca *CA, name string) (*tls.Certificate, error) {
	return ca.Certificate(&tls.ClientHelloInfo{ServerName: name})
}

func TestCertificateVerifies(t *testing.T) {
	ca := newTestCA(t, "sekisho.corp.example", "10.1.2.3")
	names := []string{"localhost", "sekisho.corp.example", "ai.sekisho.corp.example", "127.0.0.1", "::1", "10.1.2.3",
		"172.31.0.1", "192.168.1.1", "169.254.169.254", "168.63.129.16", "fd00::1"}
	names = append(names, Hosts()...)
	for _, zone := range azureZones {
		names = append(names, zone, "x."+zone, "y.x."+zone)
	}
	for _, name := range names {
		cert, err := greet(ca, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: pool(ca), DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := []string{name}
		if addr := net.ParseIP(name); addr != nil && addr.IsLoopback() {
			want = []string{"localhost", name} // for clients that send no SNI for a name without a dot
		}
		got := slices.Clone(cert.Leaf.DNSNames)
		for _, ip := range cert.Leaf.IPAddresses {
			got = append(got, ip.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("the certificate is for %v, want %v", got, want)
		}
	}
}

func TestCertificateRefusesOtherNames(t *testing.T) {
	ca := newTestCA(t)
	for _, name := range []string{"evil.example.com", "azure.com.evil.example", "notazure.com", "learn.microsoft.com",
		"sekisho.corp.example", "8.8.8.8", "172.32.0.1", "169.254.169.253", "2001:db8::1", "a..azure.com"} {
		if _, err := greet(ca, name); err == nil {
			t.Errorf("a certificate for %s was made", name)
		}
	}
}

// A thief of the key can sign what he likes: clients must not believe it.
func TestConstraintsHoldAgainstTheKey(t *testing.T) {
	ca := newTestCA(t)
	for name, ok := range map[string]bool{"evil.example.com": false, "8.8.8.8": false, "kv.vault.azure.net": true} {
		cert, err := ca.mint(name, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		_, err = cert.Leaf.Verify(x509.VerifyOptions{Roots: pool(ca), DNSName: name})
		var invalid x509.CertificateInvalidError
		if constrained := errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName; constrained == ok || ok && err != nil {
			t.Errorf("%s: verification says %v", name, err)
		}
	}
}

func TestRootIsStrict(t *testing.T) {
	root := newTestCA(t).root
	if !root.IsCA || !root.BasicConstraintsValid || root.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
		t.Errorf("the root is no CA: IsCA %v, usage %b", root.IsCA, root.KeyUsage)
	}
	critical := make(map[string]bool)
	for _, extension := range root.Extensions {
		critical[extension.Id.String()] = extension.Critical
	}
	for oid, about := range map[string]string{"2.5.29.19": "basic constraints", "2.5.29.15": "key usage", "2.5.29.30": "name constraints"} {
		if !critical[oid] {
			t.Errorf("%s are not critical", about)
		}
	}
	if len(root.SubjectKeyId) == 0 || !bytes.Equal(root.AuthorityKeyId, root.SubjectKeyId) {
		t.Error("the root lacks its key identifiers")
	}
	if years := time.Until(root.NotAfter).Hours() / 24 / 365; years < 9.9 || years > 10.1 {
		t.Errorf("the root lives for %.1f years, want ten", years)
	}
}

func TestLeafIsStrict(t *testing.T) {
	ca := newTestCA(t)
	cert, err := greet(ca, "graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	leaf := cert.Leaf
	if !bytes.Equal(leaf.AuthorityKeyId, ca.root.SubjectKeyId) || len(leaf.SubjectKeyId) == 0 {
		t.Error("the leaf lacks its key identifiers")
	}
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature || len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		t.Errorf("the leaf may do more than serve: CA %v, usage %b, %v", leaf.IsCA, leaf.KeyUsage, leaf.ExtKeyUsage)
	}
	if days := time.Until(leaf.NotAfter).Hours() / 24; days < 30 || days > 90 {
		t.Errorf("the leaf lives for %.0f days", days)
	}
}

func TestCertificateWithoutSNI(t *testing.T) {
	ca := newTestCA(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cert, err := ca.Certificate(&tls.ClientHelloInfo{Conn: c})
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.Leaf.VerifyHostname("127.0.0.1"); err != nil {
		t.Error(err)
	}
	a, b := net.Pipe() // has no IP address
	defer a.Close()
	defer b.Close()
	if cert, err = ca.Certificate(&tls.ClientHelloInfo{Conn: a}); err != nil {
		t.Fatal(err)
	}
	if err := cert.Leaf.VerifyHostname("localhost"); err != nil {
		t.Error(err)
	}
}

func TestCertificateIsMintedOncePerName(t *testing.T) {
	ca := newTestCA(t)
	got := make([]*tls.Certificate, 16)
	var clients sync.WaitGroup
	for i := range got {
		clients.Go(func() { got[i], _ = greet(ca, "Graph.Microsoft.com") })
	}
	clients.Wait()
	for _, cert := range got {
		if cert == nil || cert != got[0] {
			t.Fatal("one name has two certificates")
		}
	}
}

func TestCertificateIsRenewedBeforeItExpires(t *testing.T) {
	ca := newTestCA(t)
	now := time.Now()
	ca.now = func() time.Time { return now }
	first, err := greet(ca, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	now = first.Leaf.NotAfter.Add(-leafRenew - time.Minute)
	if again, _ := greet(ca, "localhost"); again != first {
		t.Error("renewed too early")
	}
	now = first.Leaf.NotAfter.Add(-leafRenew + time.Minute)
	if again, err := greet(ca, "localhost"); err != nil || again == first || !again.Leaf.NotAfter.After(first.Leaf.NotAfter) {
		t.Errorf("not renewed: %v", err)
	}
	now = ca.root.NotAfter.Add(-time.Hour)
	if last, err := greet(ca, "localhost"); err != nil || last.Leaf.NotAfter.After(ca.root.NotAfter) {
		t.Errorf("a leaf outlives its root: %v", err)
	}
	now = ca.root.NotAfter.Add(time.Hour)
	if _, err := greet(ca, "localhost"); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired root signs: %v", err)
	}
}

func TestCertificatesAreBounded(t *testing.T) {
	ca := newTestCA(t)
	for i := range leafLimit + 10 {
		if _, err := greet(ca, fmt.Sprintf("a%d.openai.azure.com", i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(ca.leaves) != leafLimit {
		t.Errorf("%d certificates are kept, want %d", len(ca.leaves), leafLimit)
	}
}

func TestMarshalAndParse(t *testing.T) {
	ca := newTestCA(t, "sekisho.corp.example")
	data, err := ca.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseCA(data)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := greet(again, "sekisho.corp.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: pool(ca), DNSName: "sekisho.corp.example"}); err != nil {
		t.Error(err)
	}
	if bytes.Contains(ca.CertificatePEM(), []byte("PRIVATE")) {
		t.Error("the certificate comes with the key")
	}
}

func TestParseCARefuses(t *testing.T) {
	ca, stranger := newTestCA(t), newTestCA(t)
	whole, err := ca.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	key := whole[len(ca.CertificatePEM()):]
	leaf, err := ca.leaf("localhost")
	if err != nil {
		t.Fatal(err)
	}
	plain, plainKey := unconstrainedCA(t)
	for about, data := range map[string][]byte{
		"nothing":                nil,
		"a certificate alone":    ca.CertificatePEM(),
		"a key alone":            key,
		"another CA's key":       append(stranger.CertificatePEM(), key...),
		"a leaf":                 append(encode("CERTIFICATE", leaf.Certificate[0]), key...),
		"a CA of unlimited name": append(plain, plainKey...),
		"a broken certificate":   append(encode("CERTIFICATE", []byte("x")), key...),
		"a broken key":           append(ca.CertificatePEM(), encode("PRIVATE KEY", []byte("x"))...),
	} {
		t.Run(about, func(t *testing.T) {
			if _, err := ParseCA(data); err == nil {
				t.Error("was taken for a CA")
			}
		})
	}
}

func TestNewCARefusesBadNames(t *testing.T) {
	for _, name := range []string{"", "*.example.com", "example.com:443", "https://example.com"} {
		if _, err := NewCA(time.Now(), name); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("NewCA with the name %q: %v", name, err)
		}
	}
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func unconstrainedCA(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial(), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8)
}
