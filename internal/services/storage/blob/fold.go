package blob

import (
	"encoding/json"
	"fmt"

	"sekisho/internal/store"
)

// foldAfter is how many blocks an append blob names one by one. Then they go into a
// small object of their own, and the blob names that: each append writes the blob's
// document, which must not grow with every block that there ever was.
const foldAfter = 256

// keyFold is a secondary key of the small objects that hold parts.
const keyFold = "fold"

// blocks is how many a part stands for.
func (p Part) blocks() int { return max(1, p.Folded) }

// Blocks is how many blocks, or other stretches, a blob is made of.
func (b *Blob) Blocks() (n int) {
	for _, p := range b.Parts {
		n += p.blocks()
	}
	return n
}

// fold puts the last parts of a blob into one, if they are many. What the blob held
// of their objects the fold holds instead.
func (s *Store) fold(tx *store.Tx, b *Blob) error {
	first := len(b.Parts)
	for first > 0 && b.Parts[first-1].Folded == 0 {
		first--
	}
	tail := b.Parts[first:]
	if len(tail) < s.foldAfter {
		return nil
	}
	object, err := newSmall()
	if err != nil {
		return err
	}
	whole := Part{Object: object, Folded: len(tail)}
	for _, p := range tail {
		whole.Size += p.Size
	}
	raw, err := json.Marshal(tail)
	if err != nil {
		return err
	}
	s.objects.named(tail)
	b.Parts = append(b.Parts[:first:first], whole)
	_, err = tx.Insert(store.Record{Kind: kindBytes, ID: whole.Object, Keys: []store.Key{{Name: keyFold, Value: "true"}}, Body: raw})
	return err
}

// unfold gives the parts in a fold.
func unfold(tx *store.Tx, object string) (parts []Part, err error) {
	raw, err := loadSmall(tx, object)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, fmt.Errorf("%s %q: %w", kindBytes, object, err)
	}
	return parts, nil
}
