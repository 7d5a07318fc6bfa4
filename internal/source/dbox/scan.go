package dbox

import (
	"bytes"
	"errors"
	"io"
)

// scan calls fn with the place and the GUID of each message of a file. What is
// damaged is passed over: the next message is looked for by how one begins, and
// counts if it is whole.
func (d *file) scan(fn func(at int64, guid string)) error {
	for at := d.first; ; {
		_, _, meta, err := d.message(at)
		switch {
		case err == nil:
			if meta.guid != "" {
				fn(at, meta.guid)
			}
			at = meta.end
			continue
		case !errors.Is(err, errDamaged):
			return err
		}
		var more bool
		if at, more, err = d.begins(at + 1); err != nil || !more {
			return err
		}
	}
}

// begins looks for the first place from an offset on where a message could
// begin. The room that Dovecot sets aside at the end holds none.
func (d *file) begins(from int64) (at int64, ok bool, err error) {
	mark := append(bytes.Clone(magicPre), "N "...)
	buf := make([]byte, 64<<10)
	for {
		n, err := d.ReadAt(buf, from)
		if i := bytes.Index(buf[:n], mark); i >= 0 {
			return from + int64(i), true, nil
		}
		if errors.Is(err, io.EOF) {
			return 0, false, nil
		}
		if err != nil {
			return 0, false, err
		}
		from += int64(n - len(mark) + 1)
	}
}
