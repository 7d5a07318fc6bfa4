package maildir

import (
	"errors"
	"os"
	"syscall"
)

// openFile opens a file for reading without following a link that a user may
// have planted and, where permitted, without touching its access time.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NOATIME, 0)
	if errors.Is(err, syscall.EPERM) { // only for the owner and root
		return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	}
	return f, err
}
