package dovecotindex

import (
	"fmt"
	"os"
	"syscall"
)

// Stamp tells cheaply whether the files of the index at path may have changed
// since it was read: take it before reading. A change that the server is just
// writing may not show yet.
func Stamp(path string) string {
	s := ""
	for _, suffix := range []string{"", ".log", ".log.2"} {
		info, err := os.Lstat(path + suffix)
		if err != nil {
			s += "-:"
			continue
		}
		inode := uint64(0)
		if sys, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = uint64(sys.Ino)
		}
		s += fmt.Sprintf("%x.%x.%x:", info.ModTime().UnixNano(), info.Size(), inode)
	}
	return s
}
