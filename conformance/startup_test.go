package conformance

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to make data of a later version
)

func TestWhatStandsInTheWayOfAStartIsToldInOneLineWithStatusOneAndNothingIsChanged(t *testing.T) {
	t.Parallel()
	used := start(t) // a data directory that was used and is closed
	used.stop()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	address := busy.Addr().String()
	running := start(t)
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "sekisho.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	unknown, broken, wrong := file("models: []\nmodles: []\n"), file("models: ["), file("proxy: {otherHosts: maybe}")

	for _, c := range []struct {
		name string
		data string // a used directory by default
		args []string
		says []string
	}{
		{"the TLS port is in use", "", []string{"--listen", address}, []string{address, "in use", "--listen"}},
		{"the proxy's port is in use", "", []string{"--proxy", address}, []string{address, "in use", "--proxy"}},
		{"the identity port is in use", "", []string{"--identity", address}, []string{address, "in use", "--identity"}},
		{"an address that is none", "", []string{"--listen", "nonsense"}, []string{"nonsense", "--listen"}},
		{"no configuration file", "", []string{"--config", missing}, []string{missing, "no such file"}},
		{"an unknown key", "", []string{"--config", unknown}, []string{unknown, "modles"}},
		{"broken YAML", "", []string{"--config", broken}, []string{broken}},
		{"a value that is none of the allowed", "", []string{"--config", wrong}, []string{wrong, "proxy.otherHosts", "maybe", "tunnel", "refuse"}},
		{"the data directory is in use", running.data, nil, []string{running.data, "in use", fmt.Sprint(running.process.cmd.Process.Pid)}},
		{"a key that others may read", readable(t, used.data), nil, []string{"data.key", "0644", "chmod 600"}},
		{"documents of a newer version", newer(t, used.data, "sekisho.db"), nil, []string{"newer Sekisho", "999", "--data"}},
		{"an audit log of a newer version", newer(t, used.data, "audit.db"), nil, []string{"newer Sekisho", "999", "--data"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := c.data
			if data == "" {
				data = used.data
			}
			before := snapshot(t, data)
			refused(t, used, data, c.args, c.says)
			if after := snapshot(t, data); !maps.Equal(after, before) {
				t.Errorf("the data directory was changed:\nbefore %v\n after %v", before, after)
			}
			// An empty place stays empty, where the data is not what stands in the way.
			if c.data == "" {
				data = filepath.Join(t.TempDir(), "new")
				refused(t, used, data, c.args, c.says)
				if _, err := os.Stat(data); !os.IsNotExist(err) {
					t.Errorf("a data directory was made: %v", err)
				}
			}
		})
	}

	// With nothing in the way it starts, and is what it was.
	before := used.credentials
	if used.up(); used.credentials != before {
		t.Error("other credentials")
	}
}

// refused demands that a start fails with one line.
func refused(t *testing.T, s *sekisho, data string, args, says []string) {
	t.Helper()
	r := execute(t, s.command(os.Environ(), upArguments(data, args...)...))
	line, rest, _ := strings.Cut(r.stderr, "\n")
	if r.status != 1 || r.out != "" || rest != "" || !strings.HasPrefix(line, "sekisho: ") {
		t.Fatalf("exit status %d, want 1, and one line\n%s%s", r.status, r.out, r.stderr)
	}
	for _, words := range says {
		if !strings.Contains(line, words) {
			t.Errorf("%q does not say %q", line, words)
		}
	}
}

// copied is a copy of a data directory whose files only their owner reads.
func copied(t *testing.T, data string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copied")
	if err := os.CopyFS(dir, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readable(t *testing.T, data string) string {
	t.Helper()
	dir := copied(t, data)
	if err := os.Chmod(filepath.Join(dir, "data.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newer is a copy with a database of a version that is not known yet.
func newer(t *testing.T, data, database string) string {
	t.Helper()
	dir := copied(t, data)
	db, err := sql.Open("sqlite", filepath.Join(dir, database))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// snapshot is a directory's files with their content. The lock file says only
// who was last; SQLite's shared memory is no data.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "lock" || strings.HasSuffix(path, "-shm") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		files[path[len(dir):]] = fmt.Sprintf("%v %x", info.Mode(), sha256.Sum256(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
