package report

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Save writes the files of one report into dir, named by command and time:
// "20261124-143000-assess.html", with a number behind it where a report of the same
// second has that name. A file appears only when it is complete. It returns their
// paths.
func Save(dir, command string, now time.Time, files map[string]func(io.Writer) error) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	endings := slices.Sorted(maps.Keys(files))
	name := freeName(filepath.Join(dir, now.UTC().Format("20060102-150405")+"-"+command), endings)
	var out []string
	for _, end := range endings {
		path := name + end
		if err := writeFile(path, files[end]); err != nil {
			return out, err
		}
		out = append(out, path)
	}
	return out, nil
}

// freeName is the name itself, or one with a number behind it, of which there is no
// file with one of the endings.
func freeName(name string, endings []string) string {
	for n, free := 2, name; ; n, free = n+1, fmt.Sprintf("%s-%d", name, n) {
		if !slices.ContainsFunc(endings, func(end string) bool { _, err := os.Lstat(free + end); return err == nil }) {
			return free
		}
	}
}

func writeFile(path string, fn func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := fn(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
