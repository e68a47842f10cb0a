package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sekisho/internal/store"
)

// site is a data directory that a process uses.
type site struct {
	dir   string
	store *store.Store
	audit *store.Audit
	seal  *store.Sealer
}

func openSite(t testing.TB, dir string) site {
	t.Helper()
	release, err := store.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	s := site{dir: dir}
	if s.seal, err = store.OpenSealer(ctx, dir, ""); err != nil {
		t.Fatal(err)
	}
	if s.store, err = store.Open(ctx, dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	if s.audit, err = store.OpenAudit(dir, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.audit.Close() })
	return s
}

// backUp gives the file of a backup, beside the data directory.
func (s site) backUp(t testing.TB) string {
	t.Helper()
	var out bytes.Buffer
	if err := store.BackUp(ctx, s.dir, "1.2.3", store.Beside{Files: []string{"credentials.json", "absent.pem"}, Logs: []string{"other", "absent"}}, &out); err != nil {
		t.Fatal(err)
	}
	return keep(t, out.Bytes())
}

func keep(t testing.TB, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func newSite(t testing.TB) site { return openSite(t, filepath.Join(t.TempDir(), "data")) }

func TestABackupUnderWriteLoadHoldsEveryWriteThatWasAcknowledgedBefore(t *testing.T) {
	from := newSite(t)
	sealed, err := from.seal.Seal("secret", "s", []byte("the key of the account"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, from.store, "sealed", "s", sealed)
	from.audit.Append(store.Entry{RequestID: "r1", Decision: store.Refused})
	other, err := store.OpenAudit(mkdir(t, filepath.Join(from.dir, "other")), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.Append(store.Entry{RequestID: "r2"})
	if err := other.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := from.audit.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	var acknowledged, enough atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	reached := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("%d-%d", w, n)
				err := from.store.Update(context.Background(), func(tx *store.Tx) error {
					_, err := store.Save(tx, store.Record{Kind: "record", ID: id, Unique: []store.Key{{Name: "number", Value: id}}}, newBallast(id))
					_, twinErr := store.Save(tx, store.Record{Kind: "twin", ID: id}, newBallast(id))
					return errors.Join(err, twinErr)
				})
				if err != nil {
					t.Error(err)
					return
				}
				if w == 0 {
					acknowledged.Store(int64(n + 1))
				}
				if enough.Add(1) == 100 {
					close(reached)
				}
			}
		})
	}
	<-reached
	before := acknowledged.Load()
	file := from.backUp(t)
	during := enough.Load()
	stop()
	writers.Wait()

	dir := filepath.Join(t.TempDir(), "restored")
	m, aside, err := store.Restore(context.Background(), file, dir, false)
	if err != nil || aside != "" || m.Sekisho != "1.2.3" || m.DataVersion < 1 {
		t.Fatalf("%+v, aside %q, %v", m, aside, err)
	}
	to := openSite(t, dir)
	followed := map[string]bool{}
	follower := store.NewFollower(to.store, []string{"record"}, func(_ *store.Tx, changes []store.Change) error {
		for _, c := range changes {
			followed[c.ID] = true
		}
		return nil
	})
	if err := follower.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	for n := range before {
		if id := fmt.Sprintf("0-%d", n); !followed[id] {
			t.Errorf("%s was acknowledged before the backup began, and is not in it", id)
		}
	}
	err = to.store.View(context.Background(), func(tx *store.Tx) error {
		records, err := tx.List("record", store.Query{})
		if len(records) != len(followed) || int64(len(records)) > during+4 {
			t.Errorf("%d records, %d of them in the feed, %d acknowledged", len(records), len(followed), during)
		}
		for _, rec := range records {
			body, err := store.Decode[ballast](rec)
			twin, _, twinErr := store.Load[ballast](tx, "twin", rec.ID)
			found, keyErr := tx.Lookup("record", store.Key{Name: "number", Value: rec.ID})
			if want := newBallast(rec.ID); errors.Join(err, twinErr, keyErr) != nil || body != want || twin != want || found.ID != rec.ID {
				t.Errorf("%s is not whole: %v", rec.ID, errors.Join(err, twinErr, keyErr))
			}
		}
		box, _, sealErr := store.Load[[]byte](tx, "sealed", "s")
		plain, openErr := to.seal.Open("secret", "s", box)
		if string(plain) != "the key of the account" {
			t.Errorf("the sealed secret: %q, %v", plain, errors.Join(sealErr, openErr))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	write(t, to.store, "record", "after", "x") // and it goes on
	if err := follower.Sync(context.Background()); err != nil || !followed["after"] {
		t.Errorf("a write after the restore is not followed: %v", err)
	}
	restored, err := store.OpenAudit(filepath.Join(dir, "other"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if entries, err := restored.Query(context.Background(), store.AuditFilter{}); err != nil || len(entries) != 1 || entries[0].RequestID != "r2" {
		t.Errorf("the other log: %+v, %v", entries, err)
	}
	if entries, err := to.audit.Query(context.Background(), store.AuditFilter{Denied: true}); err != nil || len(entries) != 1 || entries[0].RequestID != "r1" {
		t.Errorf("audit: %+v, %v", entries, err)
	}
}

func write(t testing.TB, s *store.Store, kind, id string, value any) {
	t.Helper()
	err := s.Update(context.Background(), func(tx *store.Tx) error {
		_, err := store.Save(tx, store.Record{Kind: kind, ID: id}, value)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestABackupWithAKeyURLHasNoKeyThatOpensIt(t *testing.T) {
	const keyURL = "base64key://smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4="
	dir := mkdir(t, filepath.Join(t.TempDir(), "data"))
	seal, err := store.OpenSealer(ctx, dir, keyURL)
	if err != nil {
		t.Fatal(err)
	}
	for _, open := range []func() (io.Closer, error){
		func() (io.Closer, error) { return store.Open(ctx, dir) },
		func() (io.Closer, error) { return store.OpenAudit(dir, 0) },
	} {
		c, err := open()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	file := site{dir: dir}.backUp(t)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := untar(t, whole).names(); strings.Contains(got, "master.key") {
		t.Errorf("the backup holds %s", got)
	}
	to := filepath.Join(t.TempDir(), "data")
	if _, _, err := store.Restore(ctx, file, to, false); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenSealer(ctx, to, ""); err == nil {
		t.Error("the restored key opens without its URL")
	}
	again, err := store.OpenSealer(ctx, to, keyURL)
	if err != nil || again.Digest("d", nil) != seal.Digest("d", nil) {
		t.Errorf("with its URL: %v", err)
	}
}

func TestABackupThatWasKilledDoesNotHinderTheNext(t *testing.T) {
	s := newSite(t)
	half := mkdir(t, filepath.Join(s.dir, ".backup"))
	for _, name := range []string{"sekisho.db", "stray"} {
		if err := os.WriteFile(filepath.Join(half, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := store.ReadBackup(s.backUp(t), "")
	if err != nil || slices.ContainsFunc(m.Files, func(f store.ManifestFile) bool { return f.Name == "stray" }) {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("it stays: %v", err)
	}
}
