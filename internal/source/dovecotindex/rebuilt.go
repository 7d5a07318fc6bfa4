package dovecotindex

import "encoding/binary"

// Rebuilt is an index of messages that are known by other means: without flags,
// without UIDVALIDITY. uids ascend. Each of columns is a 32-bit number for each
// message, in the extension of that name, which is not there without any.
func Rebuilt(uids []uint32, name string, columns ...[]uint32) *Index {
	x := &Index{NextUID: 1, Order: binary.LittleEndian, uids: uids, flags: make([]uint8, len(uids)), pending: make([]bool, len(uids))}
	if n := len(uids); n > 0 {
		x.NextUID = uids[n-1] + 1
	}
	if len(columns) > 0 {
		e := &Extension{Name: name, Size: 4 * len(columns), rows: make([]byte, 0, 4*len(columns)*len(uids))}
		for i := range uids {
			for _, c := range columns {
				e.rows = binary.LittleEndian.AppendUint32(e.rows, c[i])
			}
		}
		x.exts = []*Extension{e}
	}
	return x
}
