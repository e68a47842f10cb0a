package edge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"time"
)

const (
	leafLife = 60 * 24 * time.Hour
	// leafRenew is what must be left of a leaf's life for it to be used.
	leafRenew = 20 * 24 * time.Hour
	// leafLimit bounds the memory that clients can take by making up names.
	leafLimit = 1024
)

// Certificate gives the certificate of the one host that a client greets, made
// on demand; it fits tls.Config.GetCertificate. A client that names no host
// gets one for the address that it reached, or for localhost. A name outside of
// the root's constraints is an error.
func (ca *CA) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := "localhost"
	if hello.ServerName != "" {
		var err error
		if name, _, err = parseHost(hello.ServerName); err != nil {
			return nil, err
		}
	} else if hello.Conn != nil {
		if local := addrPort(hello.Conn.LocalAddr()).Addr(); local.IsValid() && ca.permits(local.String()) {
			name = local.String()
		}
	}
	if !ca.permits(name) {
		return nil, fmt.Errorf("edge: %s is outside of the names that Sekisho's CA may sign for", name)
	}
	return ca.leaf(name)
}

// leaf holds the lock while it mints, which takes about 0.1 ms: so no name is
// minted twice.
func (ca *CA) leaf(name string) (*tls.Certificate, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	now := ca.now()
	if cert, ok := ca.leaves[name]; ok && now.Before(cert.Leaf.NotAfter.Add(-leafRenew)) {
		return cert, nil
	}
	cert, err := ca.mint(name, now)
	if err != nil {
		return nil, err
	}
	if _, ok := ca.leaves[name]; !ok && len(ca.leaves) >= leafLimit {
		for victim := range ca.leaves { // any: to mint again costs less than to keep an order
			delete(ca.leaves, victim)
			break
		}
	}
	ca.leaves[name] = cert
	return cert, nil
}

func (ca *CA) mint(name string, now time.Time) (*tls.Certificate, error) {
	if now.After(ca.root.NotAfter) {
		return nil, fmt.Errorf("edge: Sekisho's CA expired on %s", ca.root.NotAfter.Format(time.DateOnly))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		// No common name: it holds 64 characters only, and OpenSSL applies DNS
		// name constraints to it when it looks like a name.
		Subject:               pkix.Name{Organization: []string{"Sekisho"}},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(leafLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		SubjectKeyId:          id,
	}
	if template.NotAfter.After(ca.root.NotAfter) {
		template.NotAfter = ca.root.NotAfter
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		template.IPAddresses = []net.IP{addr.AsSlice()}
		if addr.IsLoopback() {
			template.DNSNames = []string{"localhost"} // Java sends no SNI for a name without a dot
		}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.root, key.Public(), ca.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	// The root goes along for Chromium, which looks for the key that it was told of
	// (sekisho browse) in what the server sends, not in the chain that it builds.
	return &tls.Certificate{Certificate: [][]byte{der, ca.root.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// serial is a random serial number of 16 octets (RFC 5280 §4.1.2.2 allows 20),
// positive and never zero.
func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:])
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b[:])
}
