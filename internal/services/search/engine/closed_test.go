package engine

import (
	"errors"
	"testing"
)

// Who comes to an index that was deleted meanwhile is told so.
func TestAClosedIndex(t *testing.T) {
	n := &naive{docs: map[string]map[string][]string{"1": {"a": {"x"}}}}
	x, err := Open(t.TempDir(), definition(), n.stored(map[string]uint64{"1": 1}), func(*Document) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = x.Search(t.Context(), func(*View) (Request, error) {
		return Request{Text: &Term{Field: "a", Text: "x", Boost: 1}, Top: 1}, nil
	})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("a search: %v", err)
	}
	if err := x.Apply([]*Document{n.document("2", 2)}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a write: %v", err)
	}
	if n := x.Usage().Bytes; n != 0 {
		t.Errorf("%d bytes", n)
	}
}
