package dovecotindex

import "encoding/binary"

// Rebuilt is an index of messages that are known by other means: without flags,
// without UIDVALIDITY. uids ascend. Each of columns is a 32-bit number for each
// message, in the extension of that name, which is not there without any.
func Rebuilt(uids []uint32, name string, columns ...[]uint32) *Index {
	x := Empty()
	x.rows = newRows(len(uids), nil)
	x.rows.uids, x.length = uids, len(uids)
	if n := len(uids); n > 0 {
		x.NextUID = uids[n-1] + 1
	}
	if len(columns) > 0 {
		e := &Extension{Name: name, Size: 4 * len(columns)}
		data := make([]byte, 0, e.Size*len(uids))
		for i := range uids {
			for _, c := range columns {
				data = binary.LittleEndian.AppendUint32(data, c[i])
			}
		}
		x.exts, x.rows.columns = []*Extension{e}, []column{{e.Size, data}}
	}
	x.rows.compact()
	return x
}
