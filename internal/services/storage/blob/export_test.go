package blob

// FoldAfter makes append blobs fold their blocks sooner.
func (s *Store) FoldAfter(n int) { s.foldAfter = n }
