//go:build !linux

package confined

import (
	"errors"
	"io"
	"os"
)

const noAtime = 0

// eachName calls fn for the names in an open directory.
func eachName(f *os.File, fn func(name []byte) error) error {
	for {
		names, err := f.Readdirnames(1000)
		for _, n := range names {
			if ferr := fn([]byte(n)); ferr != nil {
				return ferr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
