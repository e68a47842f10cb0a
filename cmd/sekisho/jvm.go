package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"sekisho/internal/platform"
)

// trustStorePassword is the customary one: a trust store holds no secret.
const trustStorePassword = "changeit"

// writeJVM prints JAVA_TOOL_OPTIONS, which every JVM reads at its start: Java
// reads neither HTTPS_PROXY nor PEM files. Names of the properties:
// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/net/doc-files/net-properties.html
func writeJVM(w io.Writer, e platform.Environment, vars []variable) error {
	store := filepath.Join(filepath.Dir(e.CA), platform.TrustStoreFile)
	if err := writeTrustStore(e.Bundle, store); err != nil {
		return fmt.Errorf("trust store: %w", err)
	}
	options, err := jvmOptions(e.Proxy, store, vars)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "export JAVA_TOOL_OPTIONS=%s\n", quote(javaOptions(os.Getenv("JAVA_TOOL_OPTIONS"), options)))
	return err
}

func jvmOptions(proxy, trustStore string, vars []variable) ([]variable, error) {
	host, port, err := net.SplitHostPort(proxy)
	if err != nil {
		return nil, err
	}
	direct := ""
	for _, v := range vars {
		if v.name == "NO_PROXY" {
			direct = nonProxyHosts(v.value)
		}
	}
	return []variable{
		{"https.proxyHost", host}, {"https.proxyPort", port}, {"http.nonProxyHosts", direct},
		{"javax.net.ssl.trustStore", trustStore}, {"javax.net.ssl.trustStoreType", "PKCS12"}, {"javax.net.ssl.trustStorePassword", trustStorePassword},
	}, nil
}

// javaOptions adds properties to the options that the user has, and takes their
// older values out.
func javaOptions(before string, properties []variable) string {
	options := slices.DeleteFunc(strings.Fields(before), func(option string) bool {
		return slices.ContainsFunc(properties, func(p variable) bool { return strings.HasPrefix(option, "-D"+p.name+"=") })
	})
	for _, p := range properties {
		option := "-D" + p.name + "=" + p.value
		if strings.ContainsAny(option, " \t") {
			option = `"` + option + `"` // the JVM splits at white space outside quotes
		}
		options = append(options, option)
	}
	return strings.Join(options, " ")
}

// nonProxyHosts turns NO_PROXY into Java's patterns: a name stands for the
// names below it, too.
func nonProxyHosts(noProxy string) string {
	var patterns []string
	for host := range strings.SplitSeq(noProxy, ",") {
		name := strings.TrimPrefix(host, ".")
		switch ip := net.ParseIP(name); {
		case strings.ContainsAny(name, "*/|"): // CIDR and stars have no counterpart
		case ip != nil && ip.To4() == nil:
			patterns = append(patterns, "["+name+"]")
		case ip != nil || name == "localhost":
			patterns = append(patterns, name)
		case name == host:
			patterns = append(patterns, name, "*."+name)
		default:
			patterns = append(patterns, "*."+name)
		}
	}
	return strings.Join(patterns, "|")
}

// writeTrustStore makes a PKCS12 trust store of the certificates in a PEM file.
// Roots that Go cannot parse are left out.
func writeTrustStore(bundle, path string) error {
	rest, err := os.ReadFile(bundle)
	if err != nil {
		return err
	}
	var entries []pkcs12.TrustStoreEntry
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			// Java keeps one certificate for a name.
			entries = append(entries, pkcs12.TrustStoreEntry{Cert: certificate, FriendlyName: fmt.Sprintf("%d %s", len(entries), certificate.Subject.CommonName)})
		}
	}
	if len(entries) == 0 {
		return errors.New(bundle + " holds no certificate")
	}
	data, err := pkcs12.Modern.EncodeTrustStoreEntries(entries, trustStorePassword)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename it is not there
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
