package edge

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// rootFiles is where systems keep their trusted roots: Debian, Fedora,
// openSUSE, RHEL, Alpine and macOS.
var rootFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// Bundle is the CA's certificate followed by the roots that a client on this
// machine trusts today, as PEM. Clients know one file of roots only
// (SSL_CERT_FILE, REQUESTS_CA_BUNDLE), and tunnelled hosts must verify, too.
// Where no roots are found it holds the CA alone.
func Bundle(ca *CA) ([]byte, error) {
	files := append([]string{os.Getenv("SSL_CERT_FILE")}, rootFiles...)
	files = append(files, os.Getenv("REQUESTS_CA_BUNDLE"))
	roots, err := firstRoots(files)
	if err != nil {
		return nil, err
	}
	return append(ca.CertificatePEM(), roots...), nil
}

// firstRoots gives the roots of the first of files that has any. A variable may
// well name a file that is gone, or Sekisho's certificate alone.
func firstRoots(files []string) ([]byte, error) {
	for _, file := range files {
		if file == "" {
			continue
		}
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("edge: trusted roots: %w", err)
		}
		if roots := foreignRoots(data); len(roots) > 0 {
			return roots, nil
		}
	}
	return nil, nil
}

// foreignRoots leaves out of a PEM bundle what is double, and the roots of any
// Sekisho: the bundle may be one that Sekisho made earlier.
func foreignRoots(data []byte) []byte {
	var out bytes.Buffer
	seen := make(map[string]bool)
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" || seen[string(block.Bytes)] || isSekisho(block.Bytes) {
			continue
		}
		seen[string(block.Bytes)] = true
		out.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
	}
	return out.Bytes()
}

// isSekisho is false for what Go cannot parse: systems carry old roots that Go
// rejects and other clients accept.
func isSekisho(der []byte) bool {
	cert, err := x509.ParseCertificate(der)
	return err == nil && cert.Subject.CommonName == caName
}
