package sqlusers

import (
	"embed"
	"path"
	"slices"
	"strings"
)

//go:embed presets
var presets embed.FS

// Presets are the names of the schemas that are known.
func Presets() []string {
	entries, _ := presets.ReadDir("presets") // it is compiled in
	var names []string
	for _, e := range entries {
		if e.IsDir() { // the queries of domains and the like
			continue
		}
		names = append(names, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	slices.Sort(names)
	return names
}

// Preset returns the query of a schema, with the comment that explains it.
// None of the known schemas needs another one for another driver: CONCAT and
// CASE are in all of them (SQLite from 3.44).
func Preset(name string, driver Driver) (string, bool) {
	b, err := presets.ReadFile("presets/" + name + ".sql")
	return string(b), err == nil && slices.Contains(Drivers, driver)
}
