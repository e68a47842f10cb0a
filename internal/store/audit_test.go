package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/internal/store"
)

func openAudit(tb testing.TB, dir string, retention time.Duration) *store.Audit {
	tb.Helper()
	a, err := store.OpenAudit(dir, retention)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { a.Close() })
	return a
}

func query(t *testing.T, a *store.Audit, f store.AuditFilter) string {
	t.Helper()
	entries, err := a.Query(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.RequestID)
	}
	return strings.Join(ids, " ")
}

func TestAuditEntryIsReadBackWhole(t *testing.T) {
	var want store.Entry
	v := reflect.ValueOf(&want).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Kind() {
		case reflect.String:
			field.SetString("the " + v.Type().Field(i).Name + " 関所 \x00")
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int:
			field.SetInt(403)
		}
	}
	want.Also = []store.Asked{{Action: "a", Data: true, Scope: "/関所", Assignment: "x"}, {Action: "b", Scope: "/"}}
	want.Time = time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("JST", 9*3600))
	a := openAudit(t, t.TempDir(), 0)
	a.Append(want)
	got, err := a.Query(ctx, store.AuditFilter{})
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	want.Time = want.Time.UTC()
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v\nwant %+v", got[0], want)
	}
}

func TestAuditEntryAsJSON(t *testing.T) {
	e := store.Entry{Time: time.Unix(0, 0).UTC(), RequestID: "r", PrincipalName: "ann", Decision: store.Allowed}
	text, err := json.Marshal(e)
	want := `{"time":"1970-01-01T00:00:00Z","requestId":"r","principalName":"ann","decision":"Allowed"}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

func TestAuditQuery(t *testing.T) {
	a := openAudit(t, t.TempDir(), 0)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, e := range []store.Entry{
		{Principal: "OID-1", PrincipalName: "Ann@contoso.com", Decision: store.Allowed},
		{Principal: "oid-2", PrincipalName: "bob@contoso.com", Decision: store.Refused},
		{Principal: "oid-1", PrincipalName: "ann@contoso.com", Decision: store.Refused},
		{App: "App-1", Decision: store.Allowed},
		{Decision: store.Refused},
	} {
		e.RequestID = fmt.Sprint(i)
		e.Time = start.Add(time.Duration(i) * time.Minute)
		a.Append(e)
	}
	for _, test := range []struct {
		name string
		f    store.AuditFilter
		want string
	}{
		{"all", store.AuditFilter{}, "0 1 2 3 4"},
		{"the newest, oldest first", store.AuditFilter{Limit: 2}, "3 4"},
		{"refused", store.AuditFilter{Denied: true}, "1 2 4"},
		{"the newest refused", store.AuditFilter{Denied: true, Limit: 2}, "2 4"},
		{"by object id", store.AuditFilter{Principal: "Oid-1"}, "0 2"},
		{"by name", store.AuditFilter{Principal: "ANN@CONTOSO.COM"}, "0 2"},
		{"by application", store.AuditFilter{Principal: "app-1"}, "3"},
		{"by nobody", store.AuditFilter{Principal: "%"}, ""},
		{"since", store.AuditFilter{Since: start.Add(2 * time.Minute)}, "2 3 4"},
		{"all at once", store.AuditFilter{Denied: true, Principal: "oid-1", Since: start.Add(time.Minute), Limit: 1}, "2"},
	} {
		if got := query(t, a, test.f); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAuditKeepsItsOrderWhenTheClockJumps(t *testing.T) {
	a := openAudit(t, t.TempDir(), 0)
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i, at := range []time.Duration{0, 24 * time.Hour, time.Minute, -time.Hour, 2 * time.Minute} {
		a.Append(store.Entry{RequestID: fmt.Sprint(i), Time: noon.Add(at)})
	}
	for want, f := range map[string]store.AuditFilter{
		"0 1 2 3 4": {},
		"3 4":       {Limit: 2},
		"1 2 4":     {Since: noon.Add(time.Minute)},
	} {
		if got := query(t, a, f); got != want {
			t.Errorf("%+v: got %q, want %q", f, got, want)
		}
	}
}

func TestAuditDropsNothing(t *testing.T) {
	const writers, each = 8, 500 // more than the queue holds
	dir := t.TempDir()
	a := openAudit(t, dir, 0)
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for i := range each {
				a.Append(store.Entry{Principal: fmt.Sprint(writer), RequestID: fmt.Sprint(i)})
			}
			entries, err := a.Query(ctx, store.AuditFilter{Principal: fmt.Sprint(writer)})
			if err != nil || len(entries) != each {
				t.Errorf("writer %d sees %d of its %d entries: %v", writer, len(entries), each, err)
			}
			for i, e := range entries {
				if e.RequestID != fmt.Sprint(i) {
					t.Errorf("writer %d: entry %d is %s", writer, i, e.RequestID)
					break
				}
			}
		})
	}
	wg.Wait()
	a.Append(store.Entry{Principal: "last"})
	if err := a.Close(); err != nil { // writes what is on its way
		t.Fatal(err)
	}
	entries, err := openAudit(t, dir, 0).Query(ctx, store.AuditFilter{})
	if err != nil || len(entries) != writers*each+1 {
		t.Errorf("%d entries, want %d: %v", len(entries), writers*each+1, err)
	}
}

func TestAuditAfterClose(t *testing.T) {
	a := openAudit(t, t.TempDir(), 0)
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Error(err)
	}
	a.Append(store.Entry{}) // must not panic or hang
	if err := a.Flush(ctx); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Flush: %v", err)
	}
	if _, err := a.Query(ctx, store.AuditFilter{}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Query: %v", err)
	}
}

// While another holds the file, entries wait; they are written when it can be.
func TestAuditOutlastsTrouble(t *testing.T) {
	dir := t.TempDir()
	a := openAudit(t, dir, 0)
	db := rawDB(t, filepath.Join(dir, "audit.db"))
	if _, err := db.Exec(`CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT raise(ABORT, 'disk is full'); END`); err != nil {
		t.Fatal(err)
	}
	a.Append(store.Entry{RequestID: "1"})
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := a.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush while the disk is full: %v", err)
	}
	if _, err := db.Exec(`DROP TRIGGER full`); err != nil {
		t.Fatal(err)
	}
	if got := query(t, a, store.AuditFilter{}); got != "1" {
		t.Errorf("got %q", got)
	}

	if _, err := db.Exec(`CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT raise(ABORT, 'disk is full'); END`); err != nil {
		t.Fatal(err)
	}
	a.Append(store.Entry{RequestID: "2"})
	if err := a.Close(); err == nil || !strings.Contains(err.Error(), "1 entries lost") {
		t.Errorf("Close with an entry that cannot be written: %v", err)
	}
}

func TestAuditRetention(t *testing.T) {
	dir := t.TempDir()
	a := openAudit(t, dir, 0)
	a.Append(store.Entry{RequestID: "old", Time: time.Now().Add(-2 * time.Hour)})
	a.Append(store.Entry{RequestID: "new"})
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if got := query(t, openAudit(t, dir, 3*time.Hour), store.AuditFilter{}); got != "old new" {
		t.Errorf("with a retention of three hours: %q", got)
	}
	if got := query(t, openAudit(t, dir, time.Hour), store.AuditFilter{}); got != "new" {
		t.Errorf("with a retention of one hour: %q", got)
	}
}

func TestAuditRetentionIsHourly(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, err := store.OpenAudit(dir, 90*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		a.Append(store.Entry{RequestID: "first"})
		time.Sleep(65 * time.Minute)
		a.Append(store.Entry{RequestID: "second"})
		if got := query(t, a, store.AuditFilter{}); got != "first second" {
			t.Errorf("after one hour: %q", got)
		}
		time.Sleep(60 * time.Minute)
		if got := query(t, a, store.AuditFilter{}); got != "second" {
			t.Errorf("after two hours: %q", got)
		}
	})
}
