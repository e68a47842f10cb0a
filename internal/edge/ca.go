package edge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// caName is the common name of every CA that Sekisho makes.
const caName = "Sekisho Local CA"

const (
	rootLife = 10 * 365 * 24 * time.Hour
	// clockSkew is how far a client's clock may lag behind.
	clockSkew = time.Hour
)

// privateRanges are the addresses that the CA may sign for, together with
// metadataAddresses.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("fc00::/7"),
}

// CA is a certificate authority that can sign for Azure's zones, this machine
// and private networks only: its root carries critical name constraints, so
// that whoever steals the key cannot pose as anyone else to a client that
// trusts it. It is safe for concurrent use.
type CA struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// NewCA makes a root that is valid for ten years from now. It may sign for
// names, too, and all that lies below them.
func NewCA(now time.Time, names ...string) (*CA, error) {
	permitted := append(slices.Clone(azureZones), "localhost")
	for _, name := range names {
		clean, port, err := parseHost(name)
		if err != nil || port != "" {
			return nil, fmt.Errorf("edge: the CA cannot sign for %q: it is not a host name", name)
		}
		if _, err := netip.ParseAddr(clean); err != nil {
			permitted = append(permitted, clean)
		}
	}
	slices.Sort(permitted)
	permitted = slices.Compact(permitted)

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:                serial(),
		Subject:                     pkix.Name{CommonName: caName, Organization: []string{"Sekisho"}},
		NotBefore:                   now.Add(-clockSkew),
		NotAfter:                    now.Add(rootLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		SubjectKeyId:                id,
		AuthorityKeyId:              id,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         permitted,
		PermittedIPRanges:           permittedRanges(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return newCA(der, key)
}

// ParseCA reads what Marshal wrote.
func ParseCA(data []byte) (*CA, error) {
	var der []byte
	var key *ecdsa.PrivateKey
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			der = block.Bytes
		case "PRIVATE KEY":
			parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("edge: the CA's key: %w", err)
			}
			var ok bool
			if key, ok = parsed.(*ecdsa.PrivateKey); !ok {
				return nil, fmt.Errorf("edge: the CA's key is a %T, not an ECDSA key", parsed)
			}
		}
	}
	if der == nil || key == nil {
		return nil, errors.New("edge: a CA is a PEM certificate and a PEM private key; one of them is missing")
	}
	return newCA(der, key)
}

func newCA(der []byte, key *ecdsa.PrivateKey) (*CA, error) {
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("edge: the CA's certificate: %w", err)
	}
	if !root.IsCA || !root.PermittedDNSDomainsCritical {
		return nil, errors.New("edge: the CA's certificate is not one of a name-constrained CA")
	}
	if !key.PublicKey.Equal(root.PublicKey) {
		return nil, errors.New("edge: the CA's key does not belong to its certificate")
	}
	return &CA{root: root, key: key, now: time.Now, leaves: make(map[string]*tls.Certificate)}, nil
}

// Marshal gives certificate and private key as PEM. It is a secret: seal it.
func (ca *CA) Marshal() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(ca.key)
	if err != nil {
		return nil, err
	}
	return append(ca.CertificatePEM(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), nil
}

// CertificatePEM is the root that clients are to trust.
func (ca *CA) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.root.Raw})
}

// permits tells whether the root's name constraints let it sign for name. They
// are read from the certificate: it may be older than this program.
func (ca *CA) permits(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return slices.ContainsFunc(ca.root.PermittedIPRanges, func(r *net.IPNet) bool { return r.Contains(addr.AsSlice()) })
	}
	return slices.ContainsFunc(ca.root.PermittedDNSDomains, func(zone string) bool { return within(name, zone) })
}

func permittedRanges() []*net.IPNet {
	var all []*net.IPNet
	add := func(p netip.Prefix) {
		all = append(all, &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())})
	}
	for _, p := range privateRanges {
		add(p)
	}
	for _, addr := range metadataAddresses {
		add(netip.PrefixFrom(addr, addr.BitLen()))
	}
	return all
}

// keyID is the subject key identifier of RFC 7093 §2, method 1. OpenSSL's
// X509_STRICT, which Python 3.13 turns on, wants it in the root and, as the
// authority's, in each leaf.
func keyID(key *ecdsa.PrivateKey) ([]byte, error) {
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(public)
	return sum[:20], nil
}
