package pages

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestBothLanguagesSayTheSameThings(t *testing.T) {
	told := regexp.MustCompile(`\{\d\}`)
	for _, key := range slices.Sorted(maps.Keys(english)) {
		if japanese[key] == "" || english[key] == "" {
			t.Errorf("%s is missing", key)
		}
		en, ja := told.FindAllString(english[key], -1), told.FindAllString(japanese[key], -1)
		slices.Sort(en)
		slices.Sort(ja)
		if !slices.Equal(en, ja) {
			t.Errorf("%s tells %v in English, %v in Japanese", key, en, ja)
		}
	}
	if len(english) != len(japanese) {
		t.Errorf("%d texts in English, %d in Japanese", len(english), len(japanese))
	}
}

// TestEveryTextIsUsed reads the templates: a key that is not named there is a
// title, or follows from a Problem or a MessageKind.
func TestEveryTextIsUsed(t *testing.T) {
	var templates strings.Builder
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		templates.Write(raw)
	}
	titles := map[string]bool{"title.problem": true}
	for _, p := range every(English, "x") {
		_, title := p.(page).names()
		titles[title] = true
		if m, ok := p.(Message); ok {
			titles["message."+string(m.Kind)+".text"] = true
		}
		if q, ok := p.(interface{ problem() Problem }); ok {
			titles["problem."+string(q.problem())] = true
		}
	}
	for key := range english {
		if !titles[key] && !strings.Contains(templates.String(), `"`+key+`"`) {
			t.Errorf("%s is not used", key)
		}
	}
}

func TestFillGoesThroughTheTextOnce(t *testing.T) {
	if got := fill("{0} and {1}", []string{"{1}", "b"}); got != "{1} and b" {
		t.Error(got)
	}
}

// TestContrast: WCAG 2.2 AA asks 4.5 of text and 3 of what is needed to see a
// control (1.4.3, 1.4.11), in light and in dark.
func TestContrast(t *testing.T) {
	light, dark, _ := strings.Cut(style, "@media (prefers-color-scheme: dark)")
	for name, part := range map[string]string{"light": light, "dark": dark} {
		c := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(part, -1) {
			c[m[1]] = m[2]
		}
		for _, pair := range []struct {
			over, under string
			least       float64
		}{
			{"ink", "room", 4.5}, {"ink", "hover", 4.5}, {"soft", "room", 4.5}, {"soft", "hover", 4.5},
			{"indigo", "room", 4.5}, {"indigo", "hover", 4.5}, {"on-indigo", "indigo", 4.5}, {"on-indigo", "indigo-hover", 4.5},
			{"red", "red-room", 4.5}, {"red", "room", 3}, {"line", "room", 3}, {"focus", "room", 3}, {"wood", "room", 3}, {"wood", "ground", 3},
		} {
			if got := contrast(t, c[pair.over], c[pair.under]); got < pair.least {
				t.Errorf("%s: %s on %s is %.2f, want %.1f", name, pair.over, pair.under, got, pair.least)
			}
		}
	}
}

// contrast is the ratio of WCAG 2.2, "contrast ratio".
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(t *testing.T, color string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(color, "#")
	if len(digits) == 3 {
		digits = fmt.Sprintf("%[1]c%[1]c%[2]c%[2]c%[3]c%[3]c", digits[0], digits[1], digits[2])
	}
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 {
		t.Fatalf("no color %q", color)
	}
	linear := func(channel uint64) float64 {
		s := float64(channel&0xff) / 255
		if s <= .04045 {
			return s / 12.92
		}
		return math.Pow((s+.055)/1.055, 2.4)
	}
	return .2126*linear(v>>16) + .7152*linear(v>>8) + .0722*linear(v)
}
