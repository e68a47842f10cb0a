package platform

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sekisho/internal/store"
)

// restored starts a Sekisho on what a backup restores to, as the world's.
func (w *world) restored(file string) *world {
	w.t.Helper()
	data := filepath.Join(w.t.TempDir(), "data")
	_, _, err := Restore(context.Background(), file, data, false)
	check(w.t, err)
	return worldOn(w.t, data)
}

// The story of a backup: what was acknowledged before it began is there, keys
// and secrets are those that people have.
func TestABackupUnderWriteLoadRestoresToAConsistentSekisho(t *testing.T) {
	w := newWorld(t)
	token := w.token(w.owner(), forARM)
	key := w.must(token, http.MethodPost, w.account+"/listKeys", "").at("key1")
	reader := w.actor("reader")
	w.assign(reader.object, "Cognitive Services OpenAI User", w.account)

	file := filepath.Join(t.TempDir(), "b.tar.gz")
	const before = 20
	var m store.Manifest
	var done chan error
	for n, going := 0, true; going; n++ {
		w.must(token, http.MethodPut, fmt.Sprintf("%s/resourceGroups/rg-%d", w.sub, n), `{"location":"japaneast"}`)
		if n == before {
			done = make(chan error, 1)
			go func() {
				var err error
				m, err = BackUp(context.Background(), w.p.Data(), file)
				done <- err
			}()
		}
		select {
		case err := <-done:
			check(t, err)
			going = false
		default:
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || m.Sekisho != Release {
		t.Errorf("%v, %v, %+v", info.Mode(), err, m)
	}

	to := w.restored(file)
	if to.sample != w.sample {
		t.Error("the credentials are others")
	}
	// The token was issued before, and verifies: the signing key came along.
	for n := range before + 1 {
		to.must(token, http.MethodGet, fmt.Sprintf("%s/resourceGroups/rg-%d", to.sub, n), "")
	}
	if events, err := to.p.activity.Query(context.Background(), store.AuditFilter{}); err != nil || len(events) < before {
		t.Errorf("the activity log has %d events, %v", len(events), err)
	}
	if got := to.must(token, http.MethodPost, to.account+"/listKeys", "").at("key1"); got != key {
		t.Error("the account has another key")
	}
	const chat = "https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-02-01"
	const hello = `{"messages":[{"role":"user","content":"hello"}]}`
	for name, header := range map[string][2]string{"the key": {"api-key", key}, "the role": {"Authorization", "Bearer " + to.token(reader, forData)}} {
		if r := to.send(http.MethodPost, chat, hello, header[0], header[1]); r.status != http.StatusOK {
			t.Errorf("%s: %d %v", name, r.status, r.body)
		}
	}
	// Each Sekisho writes on.
	to.must(to.token(to.owner(), forARM), http.MethodPut, to.sub+"/resourceGroups/rg-after", `{"location":"japaneast"}`)
	if r := w.arm(w.token(w.owner(), forARM), http.MethodGet, w.sub+"/resourceGroups/rg-after", ""); r.status != http.StatusNotFound {
		t.Errorf("the original has what was written to the restored: %d", r.status)
	}
}

func TestAStoppedInstanceIsBackedUpRestoredAndReset(t *testing.T) {
	data := dataDir(t)
	p, err := Start(t.Context(), anyPort(data))
	check(t, err)
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	if _, _, err := Restore(t.Context(), file, data, true); err == nil {
		t.Error("a backup that is not there was restored")
	}
	_, err = BackUp(t.Context(), data, file)
	check(t, err)
	for what, attempt := range map[string]func() error{
		"restore": func() error { _, _, err := Restore(t.Context(), file, data, true); return err },
		"reset":   func() error { _, _, err := Reset(data); return err },
	} {
		if err := attempt(); err == nil || !strings.Contains(err.Error(), "in use by process") {
			t.Errorf("%s of a running instance: %v", what, err)
		}
	}
	check(t, p.Shutdown(context.Background()))

	stopped := filepath.Join(t.TempDir(), "stopped.tar.gz")
	_, err = BackUp(t.Context(), data, stopped)
	check(t, err)
	_, aside, err := Restore(t.Context(), stopped, data, true)
	check(t, err)
	if aside == "" {
		t.Error("nothing was kept aside")
	}
	before, err := os.ReadFile(filepath.Join(aside, credentialsFile))
	check(t, err)
	if after, err := os.ReadFile(filepath.Join(data, credentialsFile)); err != nil || string(after) != string(before) {
		t.Errorf("the credentials: %v", err)
	}
	p, err = Start(t.Context(), anyPort(data))
	check(t, err)
	check(t, p.Shutdown(context.Background()))
	if left, bucket, err := Reset(data); err != nil || left != nil || bucket != "" {
		t.Errorf("reset: left %q, %v", left, err)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("after reset: %v", err)
	}
	if _, err := BackUp(t.Context(), data, filepath.Join(t.TempDir(), "none.tar.gz")); err == nil || !strings.Contains(err.Error(), "sekisho.db") {
		t.Errorf("a backup of nothing: %v", err)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Error("the attempt made the directory")
	}
}

func TestABackupThatCannotBeWrittenLeavesTheOldOne(t *testing.T) {
	data := dataDir(t)
	start(t, anyPort(data))
	dir := t.TempDir()
	file := filepath.Join(dir, "b.tar.gz")
	check(t, os.WriteFile(file, []byte("the old one"), 0o600))
	check(t, os.Remove(filepath.Join(data, "data.key"))) // so that none can be made
	if _, err := BackUp(t.Context(), data, file); err == nil || !strings.Contains(err.Error(), "data.key") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadFile(file); err != nil || string(left) != "the old one" {
		t.Errorf("%q, %v", left, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if _, err := os.Stat(filepath.Join(data, ".backup")); !os.IsNotExist(err) {
		t.Errorf("left in the data directory: %v", err)
	}
}

func TestSeveralBackupsAtOnceAreAllWhole(t *testing.T) {
	data := dataDir(t)
	start(t, anyPort(data))
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			file := filepath.Join(data, "..", fmt.Sprint(n))
			if _, err := BackUp(context.Background(), data, file); err != nil {
				t.Error(err)
				return
			}
			if _, err := store.ReadBackup(file, ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
