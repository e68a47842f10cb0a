package store

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ReadBackup reads a backup and holds every file against the manifest. It
// unpacks them into a folder, or nowhere if into is empty.
func ReadBackup(file, into string) (m Manifest, err error) {
	f, err := os.Open(file)
	if err != nil {
		return m, err
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return m, fmt.Errorf("%s is not a backup of Sekisho", file)
	}
	m, err = unpack(zip, into)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return m, fmt.Errorf("%s is torn: it ends early; the whole of it is needed", file)
	case err != nil:
		return m, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

func unpack(zip io.Reader, into string) (m Manifest, err error) {
	archive := tar.NewReader(zip)
	if m, err = readManifest(archive); err != nil {
		return m, err
	}
	for _, want := range m.Files {
		header, err := archive.Next()
		if err == io.EOF {
			return m, io.ErrUnexpectedEOF
		}
		if err != nil {
			return m, damaged(err)
		}
		if header.Name != want.Name {
			return m, fmt.Errorf("the backup is damaged: %q stands where the manifest has %q", header.Name, want.Name)
		}
		if err := unpackFile(archive, want, into); err != nil {
			return m, err
		}
	}
	// To the end, where gzip has its own checksum.
	if _, err := archive.Next(); err != io.EOF {
		return m, damaged(err)
	}
	if _, err = io.Copy(io.Discard, zip); err != nil {
		return m, damaged(err)
	}
	if into == "" {
		return m, nil
	}
	return m, syncDir(into)
}

func damaged(err error) error { return fmt.Errorf("the backup is damaged: %w", err) }

func readManifest(archive *tar.Reader) (m Manifest, err error) {
	header, err := archive.Next()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return m, err
	}
	if err != nil || header.Name != manifestFile {
		return m, errors.New("this is not a backup of Sekisho: it does not begin with a " + manifestFile)
	}
	text, err := io.ReadAll(io.LimitReader(archive, 1<<20))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, damaged(fmt.Errorf("%s: %w", manifestFile, err))
	}
	if m.Format != manifestFormat {
		return m, fmt.Errorf("the backup has format %d (made by Sekisho %s), this Sekisho knows %d", m.Format, m.Sekisho, manifestFormat)
	}
	for _, file := range m.Files {
		if !fs.ValidPath(file.Name) || !filepath.IsLocal(file.Name) || file.Name == lockName {
			return m, damaged(fmt.Errorf("%q is not the name of a file in a data directory", file.Name))
		}
	}
	for _, name := range []string{databaseFile, auditFile, dataKeyFile} {
		if !slices.ContainsFunc(m.Files, func(f ManifestFile) bool { return f.Name == name }) {
			return m, damaged(errors.New("it has no " + name))
		}
	}
	return m, nil
}

// unpackFile writes one file, synced, and checks it.
func unpackFile(archive io.Reader, want ManifestFile, into string) error {
	sum := sha256.New()
	content := io.TeeReader(archive, sum)
	if err := writeSynced(content, want.Name, into); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != want.SHA256 {
		return damaged(errors.New(want.Name + " does not have the checksum of the manifest"))
	}
	return nil
}

func writeSynced(content io.Reader, name, into string) error {
	if into == "" {
		if _, err := io.Copy(io.Discard, content); err != nil {
			return damaged(err)
		}
		return nil
	}
	path := filepath.Join(into, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(path)))
}
