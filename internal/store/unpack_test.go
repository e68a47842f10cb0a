package store_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/store"
)

func TestABackupThatIsTornDamagedOrForeignIsOneClearLineAndChangesNothing(t *testing.T) {
	from := newSite(t)
	if err := os.WriteFile(filepath.Join(from.dir, "credentials.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(from.backUp(t))
	if err != nil {
		t.Fatal(err)
	}
	members := untar(t, whole)
	if got := members.names(); got != "manifest.json audit.db credentials.json data.key master.key sekisho.db" {
		t.Errorf("the backup holds %s", got)
	}
	edited := func(change func(archive) archive) []byte { return change(slices.Clone(members)).tar(t) }
	manifest := func(old, new string) []byte {
		return edited(func(a archive) archive {
			text := strings.Replace(string(a[0].content), old, new, 1)
			if text == string(a[0].content) {
				t.Fatalf("the manifest has no %s: %s", old, text)
			}
			a[0].content = []byte(text)
			return a
		})
	}
	flipped := slices.Clone(whole)
	flipped[len(flipped)-6] ^= 1 // in gzip's checksum
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":                     {nil, "is not a backup of Sekisho"},
		"another file":              {[]byte("SQLite format 3\x00"), "is not a backup of Sekisho"},
		"another tar.gz":            {archive{{"README", []byte("hello")}}.tar(t), "does not begin with a manifest.json"},
		"cut in the manifest":       {whole[:40], "torn"},
		"cut in the middle":         {whole[:len(whole)/2], "torn"},
		"cut before the end":        {whole[:len(whole)-1], "torn"},
		"a bit of the sum flipped":  {flipped, "checksum"},
		"a file is missing":         {edited(func(a archive) archive { return a[:len(a)-1] }), "torn"},
		"a file is changed":         {edited(func(a archive) archive { a[3].content = []byte("x"); return a }), "data.key does not have the checksum"},
		"a file too many":           {edited(func(a archive) archive { return append(a, member{"x", nil}) }), "damaged"},
		"files change places":       {edited(func(a archive) archive { a[1], a[2] = a[2], a[1]; return a }), "damaged"},
		"a path that leads outside": {manifest(`"credentials.json"`, `"../credentials.json"`), "not the name of a file"},
		"no data key":               {manifest(`"data.key"`, `"data.kex"`), "it has no data.key"},
		"a later format":            {manifest(`"format": 1`, `"format": 2`), "format 2"},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			_, _, err := store.Restore(ctx, keep(t, c.content), filepath.Join(parent, "data"), false)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
			if left := names(t, parent); left != "" {
				t.Errorf("it left %s", left)
			}
		})
	}
}

type member struct {
	name    string
	content []byte
}

// archive is a tar.gz.
type archive []member

func (a archive) names() string {
	var all []string
	for _, m := range a {
		all = append(all, m.name)
	}
	return strings.Join(all, " ")
}

func (a archive) tar(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for _, m := range a {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: m.name, Size: int64(len(m.content)), Mode: 0o600})
		if _, writeErr := w.Write(m.content); err != nil || writeErr != nil {
			t.Fatal(err, writeErr)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func untar(t testing.TB, content []byte) (a archive) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(zip)
	for {
		header, err := r.Next()
		if err == io.EOF {
			return a
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		a = append(a, member{header.Name, text})
	}
}
