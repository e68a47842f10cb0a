package text

import "testing"

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "Abc", "ÄÖ", "\u212a", "İ", "\xff\xfe", "ẞ", "Ⱥ", "proViders", "providerſ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := Fold(s)
		if Fold(folded) != folded {
			t.Errorf("Fold(%q) = %q is not stable", s, folded)
		}
		if got := string(AppendFold([]byte("X"), s)); got != "X"+folded {
			t.Errorf("AppendFold(%q) = %q, fold gives %q", s, got, folded)
		}
		if got, want := FoldsTo(s, "providers"), folded == "providers"; got != want {
			t.Errorf("FoldsTo(%q, providers) = %v, it folds to %q", s, got, folded)
		}
	})
}
