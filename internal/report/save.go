package report

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Save writes the files of one report into dir, named by command and time:
// "20261124-143000-assess.html". A file appears only when it is complete. It
// returns their paths.
func Save(dir, command string, now time.Time, files map[string]func(io.Writer) error) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var out []string
	for _, ext := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, now.UTC().Format("20060102-150405")+"-"+command+ext)
		if err := writeFile(path, files[ext]); err != nil {
			return out, err
		}
		out = append(out, path)
	}
	return out, nil
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
