// Package pinned tells which modules a benchmark was built with.
package pinned

import "runtime/debug"

// Version is that of a module, "" if the program has none of it.
func Version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}
