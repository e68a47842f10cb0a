package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Audit is the log of what was asked of Sekisho and what was decided. It is
// only appended to; entries leave it when they are older than the retention.
type Audit struct {
	write, read *sql.DB
	one, many   *sql.Stmt // of write
	retention   time.Duration

	queue   chan auditItem
	close   func() error
	closing chan struct{} // closed when Close begins
	done    chan struct{} // closed when the writer has ended
	lost    error         // what the writer could not write; read after done

	mu     sync.RWMutex // read-held by those who send to queue
	closed bool
}

// auditItem is an entry on its way to the writer, or the wish to know when all
// before it are written.
type auditItem struct {
	entry   Entry
	flushed chan<- struct{}
}

const auditFile = "audit.db"

const (
	auditQueue  = 4096
	auditBatch  = 1024
	auditMoment = 20 * time.Millisecond
	auditRetry  = time.Second
	auditExpiry = time.Hour
)

// OpenAudit opens the audit log of a data directory, and creates it if it is
// not there. Entries older than the retention are deleted, now and hourly; a
// retention of 0 keeps all.
func OpenAudit(dir string, retention time.Duration) (*Audit, error) {
	d, err := sqliteDialect("audit")
	if err != nil {
		return nil, err
	}
	// NORMAL: a loss of power may take the last entries, and no request waits
	// for the disk.
	write, read, err := openSQLite(context.Background(), d, filepath.Join(dir, auditFile), "NORMAL")
	if err != nil {
		return nil, err
	}
	a := &Audit{
		write: write, read: read, retention: retention,
		queue:   make(chan auditItem, auditQueue),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	a.close = sync.OnceValue(a.stop)
	if err := a.prepare(); err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	go a.run()
	return a, nil
}

func (a *Audit) prepare() (err error) {
	if err := a.expire(); err != nil {
		return err
	}
	if a.one, err = a.write.Prepare(insertRows(1)); err != nil {
		return err
	}
	a.many, err = a.write.Prepare(insertRows(auditRows))
	return err
}

// Append adds an entry, with the present time if it has none. It returns
// before the entry is written, waits while too many are on their way, and
// drops none. It must not be called after Close.
func (a *Audit) Append(e Entry) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	// In the range of nanoseconds, and so of JSON too: an entry always encodes.
	e.Time = time.Unix(0, e.Time.UnixNano()).UTC()
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.closed {
		slog.Error("audit: entry after Close", "requestId", e.RequestID, "operation", e.Operation)
		return
	}
	a.queue <- auditItem{entry: e}
}

// Flush returns once all entries that were appended before are written.
func (a *Audit) Flush(ctx context.Context) error {
	flushed := make(chan struct{})
	if err := a.send(ctx, auditItem{flushed: flushed}); err != nil {
		return err
	}
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-a.done:
		return a.lost
	}
}

func (a *Audit) send(ctx context.Context, item auditItem) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.closed {
		return fmt.Errorf("audit: %w", ErrClosed)
	}
	select {
	case a.queue <- item:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes what is on its way and closes the log. Its error tells what
// could not be written.
func (a *Audit) Close() error { return a.close() }

func (a *Audit) stop() error {
	close(a.closing)
	a.mu.Lock()
	a.closed = true
	close(a.queue)
	a.mu.Unlock()
	<-a.done
	return errors.Join(a.lost, a.read.Close(), a.write.Close())
}

// run is the one writer.
func (a *Audit) run() {
	defer close(a.done)
	hourly := time.NewTicker(auditExpiry)
	defer hourly.Stop()
	batch := make([]auditItem, 0, auditBatch)
	for {
		select {
		case item, ok := <-a.queue:
			if !ok {
				return
			}
			batch = a.fill(append(batch[:0], item))
			a.save(batch)
		case <-hourly.C:
			if err := a.expire(); err != nil {
				slog.Error("audit: old entries stay", "error", err)
			}
		}
	}
}

// fill adds what else comes in a moment: a transaction for each entry would
// cost more than the request that it tells of. Who waits for a flush does not
// wait for that moment.
func (a *Audit) fill(batch []auditItem) []auditItem {
	moment := time.NewTimer(auditMoment)
	defer moment.Stop()
	for len(batch) < cap(batch) && batch[len(batch)-1].flushed == nil {
		select {
		case item, ok := <-a.queue:
			if !ok {
				return batch
			}
			batch = append(batch, item)
		case <-moment.C:
			return batch
		}
	}
	return batch
}

// save writes a batch, however often it has to try: while the log cannot be
// written the queue fills, and then requests wait. Only Close ends the trying.
func (a *Audit) save(batch []auditItem) {
	for {
		err := a.insert(batch)
		if err == nil {
			break
		}
		slog.Error("audit: cannot write; requests will have to wait", "error", err)
		select {
		case <-a.closing:
			a.lost = errors.Join(a.lost, fmt.Errorf("audit: %d entries lost: %w", len(batch), err))
			return
		case <-time.After(auditRetry):
		}
	}
	for _, item := range batch {
		if item.flushed != nil {
			close(item.flushed)
		}
	}
}

// auditColumns is how many values an entry has in the table, auditRows how many
// entries one statement inserts: most of what a row costs is the statement's.
const (
	auditColumns = 6
	auditRows    = 32
)

// insertRows is a statement that inserts so many entries.
func insertRows(rows int) string {
	row := "(" + strings.Repeat(", ?", auditColumns)[2:] + ")"
	return "INSERT INTO entry (time, refused, principal, name, app, body) VALUES " + strings.Repeat(", "+row, rows)[2:]
}

func (a *Audit) insert(batch []auditItem) error {
	tx, err := a.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for chunk := range slices.Chunk(batch, auditRows) {
		values := make([]any, 0, len(chunk)*auditColumns)
		for _, item := range chunk {
			if item.flushed != nil {
				continue
			}
			e := &item.entry
			values = append(values, e.Time.UnixNano(), e.Decision == Refused, fold(e.Principal), fold(e.PrincipalName), fold(e.App), string(e.appendJSON(nil)))
		}
		if err := a.insertValues(tx, values); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (a *Audit) insertValues(tx *sql.Tx, values []any) error {
	if len(values) == auditRows*auditColumns {
		_, err := tx.Stmt(a.many).Exec(values...)
		return err
	}
	for row := range slices.Chunk(values, auditColumns) {
		if _, err := tx.Stmt(a.one).Exec(row...); err != nil {
			return err
		}
	}
	return nil
}

// expire deletes entries older than the retention.
func (a *Audit) expire() error {
	if a.retention <= 0 {
		return nil
	}
	_, err := a.write.Exec(`DELETE FROM entry WHERE time < $1`, time.Now().Add(-a.retention).UnixNano())
	return err
}
