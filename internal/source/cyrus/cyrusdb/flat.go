package cyrusdb

import "bytes"

// flat reads lines of key, TAB and value. A line without TAB is none.
func flat(raw []byte) ([]Record, error) {
	var records []Record
	bad, n := 0, 0
	for line := range bytes.Lines(raw) {
		n++
		line, ended := bytes.CutSuffix(line, []byte("\n"))
		key, value, ok := bytes.Cut(line, []byte("\t"))
		if !ok || len(key) == 0 || !ended {
			if len(line) > 0 && bad == 0 {
				bad = n
			}
			if !ok || len(key) == 0 {
				continue
			}
		}
		records = append(records, Record{unescape(key), unescape(value)})
	}
	if bad > 0 {
		return records, damaged("line %d is not a key and a value", bad)
	}
	return records, nil
}

// unescape undoes how flat files write NUL, TAB, CR, LF and 0xFF: as 0xFF and
// the octet with its highest bit set.
func unescape(b []byte) []byte {
	if bytes.IndexByte(b, 0xff) < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != 0xff || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		if b[i] == 0xff {
			out = append(out, 0xff)
		} else {
			out = append(out, b[i]&^0x80)
		}
	}
	return out
}
