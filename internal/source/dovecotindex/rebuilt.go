package dovecotindex

import "encoding/binary"

// Rebuilt is an index of messages that are known by other means: without flags,
// without UIDVALIDITY. uids ascend. numbers, if not nil, is a 32-bit number for
// each in the extension of that name.
func Rebuilt(uids []uint32, name string, numbers []uint32) *Index {
	x := &Index{NextUID: 1, Order: binary.LittleEndian, uids: uids, flags: make([]uint8, len(uids)), pending: make([]bool, len(uids))}
	if n := len(uids); n > 0 {
		x.NextUID = uids[n-1] + 1
	}
	if numbers != nil {
		e := &Extension{Name: name, Size: 4}
		for _, n := range numbers {
			e.rows = binary.LittleEndian.AppendUint32(e.rows, n)
		}
		x.exts = []*Extension{e}
	}
	return x
}
