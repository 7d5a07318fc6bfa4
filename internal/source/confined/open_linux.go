package confined

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// noAtime leaves the access time of a file alone, where permitted: only its
// owner and root may ask for that.
const noAtime = syscall.O_NOATIME

// direntHead is what precedes a name in struct linux_dirent64 (getdents64(2)):
// inode, offset, length of the record in two octets, type.
const direntHead = 19

// eachName calls fn for the names in an open directory. Directories of mailboxes
// have millions of names: no string is made of each.
func eachName(f *os.File, fn func(name []byte) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for {
		var n int
		cerr := raw.Control(func(fd uintptr) {
			for n, err = syscall.Getdents(int(fd), buf); errors.Is(err, syscall.EINTR); {
				n, err = syscall.Getdents(int(fd), buf)
			}
		})
		if err = errors.Join(cerr, err); err != nil {
			return &os.PathError{Op: "getdents", Path: f.Name(), Err: err}
		}
		if n == 0 {
			return nil
		}
		for rest := buf[:n]; len(rest) > 0; {
			size := 0
			if len(rest) > direntHead {
				size = int(binary.NativeEndian.Uint16(rest[16:]))
			}
			if size <= direntHead || size > len(rest) {
				return fmt.Errorf("%s: the system gave a directory entry of %d octets", f.Name(), size)
			}
			name := rest[direntHead:size]
			gone := binary.NativeEndian.Uint64(rest) == 0 // no inode
			rest = rest[size:]
			if end := bytes.IndexByte(name, 0); end >= 0 {
				name = name[:end]
			}
			if gone || string(name) == "." || string(name) == ".." {
				continue
			}
			if err := fn(name); err != nil {
				return err
			}
		}
	}
}
