//go:build !linux

package maildir

import (
	"os"
	"syscall"
)

// openFile opens a file for reading without following a link that a user may
// have planted.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
}
