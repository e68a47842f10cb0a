package coverage

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAPartIsWrittenAndTheRestIsLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "COVERAGE.md")
	if err := os.WriteFile(path, []byte("# Head\n<!-- a -->\none\n<!-- /a -->\nbetween\n<!-- b -->\ntwo\n<!-- /b -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	page := Page(path)
	if err := page.Write("a", "three\n"); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if want := "# Head\n<!-- a -->\nthree\n<!-- /a -->\nbetween\n<!-- b -->\ntwo\n<!-- /b -->\n"; err != nil || string(raw) != want {
		t.Errorf("the page is %q (%v), want %q", raw, err, want)
	}
	if text, err := page.Part("b"); err != nil || text != "two\n" {
		t.Errorf("the other part is %q (%v)", text, err)
	}
	if err := page.Write("c", "four\n"); err == nil {
		t.Error("a part without markers was written")
	}
}
