package table

import (
	"encoding/binary"
	"errors"
	"os"
)

// maxCDB is far above any table of addresses, in octets; the format ends at
// 4 GiB.
const maxCDB = 1 << 30

var errCDB = errors.New("it is no table of this kind, or is cut off")

// readCDB lists a constant database (cr.yp.to/cdb/cdb.txt): records "length of
// the key, length of the data, key, data" between a header of 256 hash tables'
// places and the first of these. postmap cannot list that kind.
func readCDB(path string) ([]Entry, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxCDB {
		return nil, errCDB
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseCDB(b)
}

func parseCDB(b []byte) (entries []Entry, err error) {
	const header = 2048
	if len(b) < header {
		return nil, errCDB
	}
	number := func(at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
	end := number(0) // of the records: where the first table is
	for i := range 256 {
		end = min(end, number(i*8))
	}
	if end < header || end > len(b) {
		return nil, errCDB
	}
	for at := header; at < end; {
		if at+8 > end {
			return nil, errCDB
		}
		key, data := number(at), number(at+4)
		at += 8
		if key > end-at || data > end-at-key {
			return nil, errCDB
		}
		entries = append(entries, Entry{string(b[at : at+key]), string(b[at+key : at+key+data])})
		at += key + data
	}
	return entries, nil
}
