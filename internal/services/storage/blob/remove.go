package blob

import (
	"errors"

	"sekisho/internal/store"
)

// removePage is how many documents are read at a time.
const removePage = 1000

// RemoveAccount takes away what an account has: its containers are out of reach
// at once, and their blobs go later, as those of a deleted container do.
func (s *Store) RemoveAccount(tx *store.Tx, account string) error {
	for {
		records, err := tx.List(kindContainer, store.Query{Prefix: containerID(account, ""), Limit: removePage})
		if err != nil {
			return err
		}
		for _, record := range records {
			c, err := store.Decode[Container](record)
			if err != nil {
				return err
			}
			if err := tx.Delete(kindContainer, record.ID); err != nil {
				return err
			}
			if _, err := store.Save(tx, store.Record{Kind: kindGone, ID: c.ID}, c); err != nil {
				return err
			}
		}
		if len(records) < removePage {
			break
		}
	}
	if err := tx.Delete(kindService, account); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}
