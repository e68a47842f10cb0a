package schema

import (
	"reflect"
	"strings"
	"time"
)

// version is one of the API: a day, and whether it is a preview. The zero version
// knows everything.
type version struct {
	name, day string
	preview   bool
}

func parseVersion(name string) version {
	day := name[:min(len(name), len(time.DateOnly))]
	return version{name: name, day: day, preview: len(name) > len(day)}
}

// from tells whether a version has what came with the given ones; "-" is what no
// version of that kind has.
func (v version) from(stable, preview string) bool {
	since := stable
	if v.preview {
		since = preview
	}
	return v.day == "" || since != "-" && v.day >= since
}

// has tells whether a version has a property, by its tags.
func (v version) has(tag reflect.StructTag) bool {
	since, ok := tag.Lookup("api")
	if !ok || v.day == "" {
		return true
	}
	stable, preview, _ := strings.Cut(since, ",")
	if !v.from(stable, preview) {
		return false
	}
	until, ok := tag.Lookup("until")
	if !ok {
		return true
	}
	stable, preview, _ = strings.Cut(until, ",")
	if v.preview {
		return v.day <= preview
	}
	return v.day <= stable
}

// Knows tells whether a version of the API has what stable versions have from the
// first day on and previews from the second; "-" is never.
func Knows(name, stable, preview string) bool { return parseVersion(name).from(stable, preview) }

// Namespace is where the types of a version are, as errors and contexts name them.
func Namespace(name string) string {
	if name == "" {
		name = "2026-04-01"
	}
	return "Microsoft.Azure.Search.V" + strings.ReplaceAll(strings.ReplaceAll(name, "-p", "-P"), "-", "_") + "."
}
