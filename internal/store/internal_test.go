package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
)

func openInternal(t *testing.T) *Store {
	t.Helper()
	s, err := Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A plan that scans, or that seeks by less than the whole range, reads every
// document of the kind for a page of ten.
func TestListsSeekInAnIndex(t *testing.T) {
	s := openInternal(t)
	for query, want := range map[statement]string{
		getDocument:    "SEARCH d USING INDEX sqlite_autoindex_document_1 (kind=? AND key=?)",
		listFrom:       "SEARCH d USING INDEX sqlite_autoindex_document_1 (kind=? AND key>?)",
		listBetween:    "SEARCH d USING INDEX sqlite_autoindex_document_1 (kind=? AND key>? AND key<?)",
		listKeyFrom:    "SEARCH k USING PRIMARY KEY (kind=? AND name=? AND value=? AND key>?)",
		listKeyBetween: "SEARCH k USING PRIMARY KEY (kind=? AND name=? AND value=? AND key>? AND key<?)",
		lookupDocument: "SEARCH u USING PRIMARY KEY (kind=? AND name=? AND value=?)",
		listChanges:    "SEARCH change USING INTEGER PRIMARY KEY (rowid>?)",
	} {
		rows, err := s.read.Query("EXPLAIN QUERY PLAN "+statementText[query], "", "", "", "", "", "")
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		text := strings.Join(plan, "; ")
		if !strings.HasPrefix(text, want) || strings.Contains(text, "SCAN") || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("%s\n\thas the plan %q\n\twant %q", statementText[query], text, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, test := range []struct{ prefix, after, from, below string }{
		{"", "", "", ""},
		{"A", "", "a", "b"},
		{"a/\uD7FF", "", "a/\uD7FF", "a/\uE000"},
		{"a\U0010FFFF", "", "a\U0010FFFF", "b"},
		{"\U0010FFFF\U0010FFFF", "", "\U0010FFFF\U0010FFFF", ""},
		{"", "B", "b\x01", ""},
		{"a", "AB", "ab\x01", "b"},
		{"b", "a", "b", "c"},
	} {
		if from, below := bounds(test.prefix, test.after); from != test.from || below != test.below {
			t.Errorf("bounds(%q, %q) = %q, %q; want %q, %q", test.prefix, test.after, from, below, test.from, test.below)
		}
	}
}

// lockOut makes a transaction of another connection hold the write lock until
// release, and the store find that out at once. found is called when it does.
func lockOut(t *testing.T, s *Store, found func()) (release func()) {
	t.Helper()
	if _, err := s.write.Exec("PRAGMA busy_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	conn, err := s.read.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"PRAGMA query_only = off", "BEGIN IMMEDIATE"} {
		if _, err := conn.ExecContext(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
	again := s.dialect.again
	s.dialect.again = func(err error) bool {
		busy := again(err)
		if busy {
			found()
		}
		return busy
	}
	return sync.OnceFunc(func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
	})
}

func TestUpdateOutlastsABusyDatabase(t *testing.T) {
	s := openInternal(t)
	tries := 0
	var release func()
	release = lockOut(t, s, func() {
		if tries++; tries == 3 {
			release()
		}
	})
	err := s.Update(context.Background(), func(tx *Tx) error {
		_, err := tx.Put(Record{Kind: "k", ID: "a"})
		return err
	})
	if err != nil || tries != 3 {
		t.Errorf("%d tries in vain, %v", tries, err)
	}
}

func TestUpdateOnABusyDatabaseEndsWithItsContext(t *testing.T) {
	s := openInternal(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer lockOut(t, s, cancel)()
	if err := s.Update(ctx, func(tx *Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestClosureRunsAgainAfterASerializationFailure(t *testing.T) {
	s := openInternal(t)
	failure := errors.New("could not serialize access")
	s.dialect.again = func(err error) bool { return errors.Is(err, failure) }
	runs := 0
	err := s.Update(context.Background(), func(tx *Tx) error {
		if _, err := tx.Insert(Record{Kind: "k", ID: "a"}); err != nil {
			return err // the first run must have left nothing
		}
		if runs++; runs < 3 {
			return failure
		}
		return nil
	})
	if err != nil || runs != 3 {
		t.Errorf("%d runs, %v", runs, err)
	}
	runs = -maxAttempts
	err = s.Update(context.Background(), func(tx *Tx) error { runs++; return failure })
	if !errors.Is(err, failure) || runs != 0 {
		t.Errorf("gave up after %d runs of %d: %v", runs+maxAttempts, maxAttempts, err)
	}
}

// A closure that shrugs off an error of the database must not commit the part
// that went well.
func TestAFailedStatementFailsTheTransaction(t *testing.T) {
	for name, ids := range map[string][]string{"between good ones": {"good", "bad", "good too"}, "alone": {"bad"}} {
		t.Run(name, func(t *testing.T) {
			s := openInternal(t)
			// The document is written by then, its key is not.
			if _, err := s.write.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON unique_key WHEN new.value = 'bad'
				BEGIN SELECT raise(ABORT, 'disk trouble'); END`); err != nil {
				t.Fatal(err)
			}
			err := s.Update(context.Background(), func(tx *Tx) error {
				for _, id := range ids {
					tx.Put(Record{Kind: "k", ID: id, Unique: []Key{{"name", id}}})
				}
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), "disk trouble") {
				t.Errorf("got %v", err)
			}
			err = s.View(context.Background(), func(tx *Tx) error {
				list, err := tx.List("k", Query{})
				if len(list) > 0 {
					t.Errorf("%d documents were committed", len(list))
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// No test can take the power away; these settings are what holds then.
func TestConnectionsAreSetUp(t *testing.T) {
	s := openInternal(t)
	for _, test := range []struct {
		db           *pool
		pragma, want string
	}{
		{s.write, "journal_mode", "wal"},
		{s.write, "synchronous", "1"}, // NORMAL: the WAL is flushed by durable
		{s.write, "foreign_keys", "1"},
		{s.write, "busy_timeout", "5000"},
		{s.read, "query_only", "1"},
		{s.read, "busy_timeout", "5000"},
	} {
		var got string
		if err := test.db.QueryRow("PRAGMA " + test.pragma).Scan(&got); err != nil || got != test.want {
			t.Errorf("%s is %q, want %q: %v", test.pragma, got, test.want, err)
		}
	}
}
