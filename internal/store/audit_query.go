package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AuditFilter selects entries of the audit log. The zero filter selects all.
type AuditFilter struct {
	// Denied selects what was refused.
	Denied bool
	// Principal is the object id or the name of a principal, or the id of an
	// application, in any case.
	Principal string
	// Since is the earliest time.
	Since time.Time
	// Limit selects the newest of them; 0 is no limit.
	Limit int
}

// Query reads entries, oldest first, among them all that were appended before
// the call.
func (a *Audit) Query(ctx context.Context, f AuditFilter) ([]Entry, error) {
	if err := a.Flush(ctx); err != nil {
		return nil, err
	}
	query, args := f.sql()
	rows, err := a.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		var e Entry
		if err := json.Unmarshal(body, &e); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		entries = append(entries, e)
	}
	slices.Reverse(entries)
	return entries, rows.Err()
}

// sql gives the query for the entries, newest first.
func (f AuditFilter) sql() (query string, args []any) {
	var where []string
	if f.Denied {
		where = append(where, "refused = 1")
	}
	if f.Principal != "" {
		args = append(args, fold(f.Principal))
		where = append(where, fmt.Sprintf("$%d IN (principal, name, app)", len(args)))
	}
	if !f.Since.IsZero() {
		args = append(args, f.Since.UnixNano())
		where = append(where, fmt.Sprintf("time >= $%d", len(args)))
	}
	query = "SELECT body FROM entry"
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	args = append(args, limit(f.Limit))
	return fmt.Sprintf("%s ORDER BY seq DESC LIMIT $%d", query, len(args)), args
}
