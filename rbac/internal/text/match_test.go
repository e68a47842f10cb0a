package text

import (
	"testing"

	"sekisho/rbac/internal/text/texttest"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		name, pattern, action string
		want                  bool
	}{
		{"the same text", "Microsoft.X/a/read", "Microsoft.X/a/read", true},
		{"case does not count", "microsoft.x/listkeys/ACTION", "Microsoft.X/listKeys/action", true},
		{"without a star no prefix matches", "Microsoft.X/a", "Microsoft.X/a/read", false},
		{"a star alone", "*", "Microsoft.X/a/read", true},
		{"a star spans slashes", "Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachines/extensions/read", true},
		{"a leading star", "*/read", "Microsoft.X/a/b/read", true},
		{"a leading star and another verb", "*/read", "Microsoft.X/a/b/write", false},
		{"an interior star", "Microsoft.Network/*/read", "Microsoft.Network/a/b/read", true},
		{"a star between slashes takes one along", "Microsoft.X/a/*/read", "Microsoft.X/a/read", true},
		{"two of them too", "Microsoft.X/a/*/*/read", "Microsoft.X/a/read", true},
		{"but no text", "Microsoft.X/a/*/read", "Microsoft.X/aread", false},
		{"head and tail do not overlap otherwise", "Microsoft.X/list*listKeys/action", "Microsoft.X/listKeys/action", false},
		{"a star may stand for nothing", "Microsoft.X/*", "Microsoft.X/", true},
		{"but not for the slash before it", "Microsoft.X/*", "Microsoft.X", false},
		{"a star within a word", "Microsoft.X/list*/action", "Microsoft.X/listKeys/action", true},
		{"another provider", "Microsoft.X/*", "Microsoft.XY/a", false},
		{"two stars", "Microsoft.*/a/*/read", "Microsoft.X/a/b/read", true},
		{"two stars out of order", "a*b*c", "a-c-b", false},
		{"the tail is found after the middle", "*ab*b", "ab", false},
		{"the last of many fits", "*a*a*a", "xaxaa", true},
		{"one too few", "*a*a*a", "xaxbx", false},
		{"an empty pattern names nothing", "", "Microsoft.X/a", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Match(Fold(tt.pattern), Fold(tt.action)); got != tt.want {
				t.Errorf("Match(%q, %q) = %v", tt.pattern, tt.action, got)
			}
		})
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("Microsoft.X/*/read", "Microsoft.X/read")
	f.Add("*a*ab*b", "aabb")
	f.Add("a/*/*/b", "a/b")
	f.Add("/*/*", "//")
	f.Add("**", "")
	f.Add("a*", "A")
	f.Fuzz(func(t *testing.T, pattern, action string) {
		if len(pattern) > 12 || len(action) > 24 {
			return
		}
		if got, want := Match(Fold(pattern), Fold(action)), texttest.Match(Fold(pattern), Fold(action)); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", pattern, action, got, want)
		}
	})
}
