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

// An opening that panics leaves nothing open, which the next would wait for.
func TestAnOpeningThatPanics(t *testing.T) {
	dir, n := t.TempDir(), &naive{docs: map[string]map[string][]string{"1": {"a": {"x"}}}}
	try := func(analysed func(*Document) error) (x *Index, panicked any, err error) {
		defer func() { panicked = recover() }()
		x, err = Open(dir, definition(), n.stored(map[string]uint64{"1": 1}), analysed)
		return x, nil, err
	}
	if _, panicked, _ := try(func(*Document) error { panic("broken") }); panicked != "broken" {
		t.Fatalf("it panics with %v", panicked)
	}
	x, panicked, err := try(func(*Document) error { return nil })
	if err != nil || panicked != nil || x.Usage().Documents != 1 {
		t.Fatalf("then: %v, %v", err, panicked)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}
