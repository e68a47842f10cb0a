package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/internal/store"
)

func openSealer(t *testing.T, dir, keeperURL string) *store.Sealer {
	t.Helper()
	s, err := store.OpenSealer(ctx, dir, keeperURL)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t *testing.T, s *store.Sealer, kind, id, plain string) []byte {
	t.Helper()
	sealed, err := s.Seal(kind, id, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealedValuesOpenWhereTheyBelong(t *testing.T) {
	s := openSealer(t, t.TempDir(), "")
	rapid.Check(t, func(r *rapid.T) {
		kind, id := rapid.String().Draw(r, "kind"), rapid.String().Draw(r, "id")
		plain := rapid.SliceOf(rapid.Byte()).Draw(r, "plain")
		sealed, err := s.Seal(kind, id, plain)
		if err != nil {
			r.Fatal(err)
		}
		if len(plain) > 8 && bytes.Contains(sealed, plain) {
			r.Fatal("the secret shows")
		}
		got, err := s.Open(kind, strings.ToLower(id), sealed)
		if err != nil || !bytes.Equal(got, plain) {
			r.Fatalf("opened %q, %v; want %q", got, err, plain)
		}
		bit := rapid.IntRange(0, 8*len(sealed)-1).Draw(r, "bit")
		sealed[bit/8] ^= 1 << (bit % 8)
		if got, err := s.Open(kind, id, sealed); err == nil {
			r.Fatalf("a changed value opened as %q", got)
		}
	})
}

func TestSealedValuesDoNotOpenElsewhere(t *testing.T) {
	s := openSealer(t, t.TempDir(), "")
	other := openSealer(t, t.TempDir(), "")
	sealed := seal(t, s, "account", "key1", "secret")
	for name, open := range map[string]func() ([]byte, error){
		"another id":       func() ([]byte, error) { return s.Open("account", "key2", sealed) },
		"another kind":     func() ([]byte, error) { return s.Open("user", "key1", sealed) },
		"another split":    func() ([]byte, error) { return s.Open("accountk", "ey1", sealed) },
		"another data key": func() ([]byte, error) { return other.Open("account", "key1", sealed) },
		"cut short":        func() ([]byte, error) { return s.Open("account", "key1", sealed[:20]) },
		"nothing":          func() ([]byte, error) { return s.Open("account", "key1", nil) },
	} {
		if plain, err := open(); err == nil {
			t.Errorf("%s: opened as %q", name, plain)
		}
	}
	if bytes.Equal(sealed, seal(t, s, "account", "key1", "secret")) {
		t.Error("the same secret seals to the same bytes")
	}
}

func TestDigest(t *testing.T) {
	dir := t.TempDir()
	s := openSealer(t, dir, "")
	digest := s.Digest("account key", []byte("secret"))
	if again := openSealer(t, dir, "").Digest("account key", []byte("secret")); again != digest {
		t.Error("a digest changes when the sealer is opened again")
	}
	for name, other := range map[string][32]byte{
		"another secret":   s.Digest("account key", []byte("secres")),
		"another purpose":  s.Digest("client secret", []byte("secret")),
		"another split":    s.Digest("account keys", []byte("ecret")),
		"another data key": openSealer(t, t.TempDir(), "").Digest("account key", []byte("secret")),
	} {
		if other == digest {
			t.Errorf("%s has the same digest", name)
		}
	}
}

func TestSealerOpensAgain(t *testing.T) {
	const keyURL = "base64key://smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4="
	for name, keeperURL := range map[string]string{"master key": "", "key URL": keyURL} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			sealed := seal(t, openSealer(t, dir, keeperURL), "k", "a", "secret")
			open(t, dir) // the database is there from now on
			plain, err := openSealer(t, dir, keeperURL).Open("k", "a", sealed)
			if err != nil || string(plain) != "secret" {
				t.Errorf("opened %q, %v", plain, err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.key"))
			if err != nil {
				t.Fatal(err)
			}
			if want := map[string]int{"": 2, keyURL: 1}[keeperURL]; len(files) != want {
				t.Errorf("key files %q, want %d", files, want)
			}
			for _, file := range files {
				if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v, %v", file, info.Mode(), err)
				}
			}
		})
	}
}

func TestSealerRefusesToStart(t *testing.T) {
	const key, otherKey = "smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	remove := func(file string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, file)) }
	}
	write := func(file, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600) }
	}
	chmod := func(file string, mode os.FileMode) func(string) error {
		return func(dir string) error { return os.Chmod(filepath.Join(dir, file), mode) }
	}
	nothing := func(string) error { return nil }
	tests := []struct {
		name      string
		harm      func(dir string) error
		keeperURL string
		want      string
	}{
		{"data key missing", remove("data.key"), "", "sekisho.db exists"},
		{"master key missing", remove("master.key"), "", "master.key is missing"},
		{"master key readable by the group", chmod("master.key", 0o640), "", "master.key has mode 0640"},
		{"master key writable by others", chmod("master.key", 0o602), "", "master.key has mode 0602"},
		{"data key readable by others", chmod("data.key", 0o604), "", "data.key has mode 0604"},
		{"master key of another length", write("master.key", "short"), "", "master.key has 5 bytes, not 32"},
		{"another master key", write("master.key", strings.Repeat("x", 32)), "", "data.key does not open with"},
		{"data key damaged", write("data.key", "garbage"), "", "data.key does not open with"},
		{"another key URL", nothing, "base64key://" + otherKey, "data.key does not open with the key of the key URL"},
		{"key URL without a key", nothing, "base64key://", "has no key in it"},
		{"key URL of an unknown kind", nothing, "vault://" + key, `begins with "vault://"; known are base64key://`},
		{"key URL that is no URL", nothing, "base64key://%zz" + key, "not a URL"},
		{"key URL with a broken key", nothing, "base64key://" + key[1:], "failed to get key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			openSealer(t, dir, "")
			open(t, dir)
			if err := test.harm(dir); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			_, err := store.OpenSealer(ctx, dir, test.keeperURL)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), key[5:20]) {
				t.Errorf("the error shows the key: %v", err)
			}
			if contents(t, dir) != before {
				t.Error("the data directory changed")
			}
		})
	}
}

func TestAnInterruptedFirstStartIsFinished(t *testing.T) {
	dir := t.TempDir()
	openSealer(t, dir, "")
	if err := os.Remove(filepath.Join(dir, "data.key")); err != nil {
		t.Fatal(err)
	}
	openSealer(t, dir, "") // no database yet, so no secret is lost
}
