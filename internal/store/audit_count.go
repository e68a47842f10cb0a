package store

import (
	"context"
	"fmt"
	"time"
)

// Count tells how many entries there are since a time, by decision, among them
// all that were appended before the call.
func (a *Audit) Count(ctx context.Context, since time.Time) (allowed, refused int, err error) {
	if err := a.Flush(ctx); err != nil {
		return 0, 0, err
	}
	const query = `SELECT count(*), coalesce(sum(refused), 0) FROM entry WHERE time >= $1`
	if err := a.read.QueryRowContext(ctx, query, since.UnixNano()).Scan(&allowed, &refused); err != nil {
		return 0, 0, fmt.Errorf("audit: %w", err)
	}
	return allowed - refused, refused, nil
}
