package search

import "testing"

// Shrink leaves a tier 1 MB of documents and 1 MB of vectors until the test ends.
func Shrink(t *testing.T, sku string) {
	full := tiers[sku]
	small := full
	small.storageMB, small.vectorsMB = 1, 1
	tiers[sku] = small
	t.Cleanup(func() { tiers[sku] = full })
}

// Restart closes all indexes: what comes finds them as after a start.
func (s *Search) Restart() error {
	err := s.indexes.close()
	clear(s.indexes.open)
	return err
}

// Open is how many indexes are open.
func (s *Search) Open() int {
	s.indexes.mu.Lock()
	defer s.indexes.mu.Unlock()
	return len(s.indexes.open)
}
