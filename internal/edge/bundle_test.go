package edge

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func certificatesIn(data []byte) [][]byte {
	var all [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		all = append(all, block.Bytes)
	}
	return all
}

func TestBundleJoinsTheRootsOfTheSystem(t *testing.T) {
	ca := newTestCA(t)
	company, _ := unconstrainedCA(t)
	unparsable := encode("CERTIFICATE", []byte("an old root that Go cannot read"))
	key := encode("PRIVATE KEY", []byte("no business of a bundle"))
	t.Setenv("SSL_CERT_FILE", write(t, bytes.Join([][]byte{[]byte("# a comment\n"), company, unparsable, key, company}, nil)))
	bundle, err := Bundle(ca)
	if err != nil {
		t.Fatal(err)
	}
	got := certificatesIn(bundle)
	if len(got) != 3 || !bytes.Equal(got[0], ca.root.Raw) || !bytes.HasSuffix(bundle, append(company, unparsable...)) {
		t.Errorf("the bundle has %d certificates, want Sekisho's and two roots:\n%s", len(got), bundle)
	}
}

func TestBundleOfABundle(t *testing.T) {
	company, _ := unconstrainedCA(t)
	earlier, ca := newTestCA(t), newTestCA(t)
	t.Setenv("SSL_CERT_FILE", write(t, company))
	for _, from := range []*CA{earlier, ca, ca} {
		bundle, err := Bundle(from)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("SSL_CERT_FILE", write(t, bundle))
		if want := append(from.CertificatePEM(), company...); !bytes.Equal(bundle, want) {
			t.Errorf("the bundle has %d certificates, want this Sekisho's and the company's", len(certificatesIn(bundle)))
		}
	}
}

func TestFirstRoots(t *testing.T) {
	ca := newTestCA(t)
	company, _ := unconstrainedCA(t)
	second, _ := unconstrainedCA(t)
	gone := filepath.Join(t.TempDir(), "gone.pem")
	for about, tt := range map[string]struct {
		files []string
		want  []byte
	}{
		"the first file wins":                {[]string{write(t, company), write(t, second)}, company},
		"an unset variable is passed over":   {[]string{"", write(t, company)}, company},
		"a file that is gone is passed over": {[]string{gone, write(t, company)}, company},
		"Sekisho alone is passed over":       {[]string{write(t, ca.CertificatePEM()), write(t, company)}, company},
		"no file, no roots":                  {[]string{"", gone}, nil},
	} {
		t.Run(about, func(t *testing.T) {
			if got, err := firstRoots(tt.files); err != nil || !bytes.Equal(got, tt.want) {
				t.Errorf("got %d bytes, %v; want %d", len(got), err, len(tt.want))
			}
		})
	}
	if _, err := firstRoots([]string{t.TempDir()}); err == nil {
		t.Error("a file that cannot be read is no error")
	}
}

func TestBundleVerifiesBoth(t *testing.T) {
	ca := newTestCA(t)
	company, _ := unconstrainedCA(t)
	t.Setenv("SSL_CERT_FILE", write(t, company))
	bundle, err := Bundle(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	cert, err := greet(ca, "graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "graph.microsoft.com"}); err != nil {
		t.Error(err)
	}
}
