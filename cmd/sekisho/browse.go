package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
)

// browsers are the Chromium family, which can be given a proxy and one more
// authority for one profile alone.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser"}

// browse is what BROWSER names in intercept mode: it opens a page through
// Sekisho's proxy, in a profile of its own, so that no certificate goes into a
// system's store.
func browse() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "browse URL",
		Short: "Open a page in a browser that goes through Sekisho",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := environmentOf(cmd.Context(), data)
			if err != nil {
				return err
			}
			pin, err := publicKeyPin(e.CA)
			if err != nil {
				return err
			}
			for _, name := range browsers {
				path, err := exec.LookPath(name)
				if err != nil {
					continue
				}
				flags := []string{"--proxy-server=http://" + e.Proxy, "--ignore-certificate-errors-spki-list=" + pin,
					"--user-data-dir=" + filepath.Join(filepath.Dir(e.CA), "browser"), "--no-first-run", "--disable-sync"}
				if os.Geteuid() == 0 {
					flags = append(flags, "--no-sandbox") // Chromium refuses to start as root otherwise
				}
				return exec.Command(path, append(flags, args[0])...).Start()
			}
			return fmt.Errorf("no browser of the Chromium family is installed; open this page in one that uses the proxy http://%s and trusts %s: %s", e.Proxy, e.CA, args[0])
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	return cmd
}

// publicKeyPin is the authority's public key as Chromium lists it.
func publicKeyPin(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return "", errors.New(path + " holds no certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}
