package maildir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// uidlist is what dovecot-uidlist says of a mailbox.
type uidlist struct {
	validity uint32
	guid     string // of the mailbox, 32 hex digits, or empty
}

type uidEntry struct {
	uid  uint32
	guid []byte // of the message, valid during the call, or empty: the base name is it
	size int64  // with CRLF, or -1
}

// maxUIDLine bounds a line; names are at most 255 octets.
const maxUIDLine = 64 << 10

var errUIDList = errors.New("not a dovecot-uidlist")

// parseUIDList reads versions 1 and 3 and calls each for every record, with
// what is valid during that call; a later one for the same base name replaces the earlier. A line that makes no
// sense is left out and counted: its message has no UID then.
func parseUIDList(r io.Reader, each func(base []byte, e uidEntry)) (l uidlist, bad int, err error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 64<<10), maxUIDLine)
	if !sc.Scan() {
		if err := sc.Err(); err != nil {
			return l, 0, fmt.Errorf("%w: %w", errUIDList, err)
		}
		return l, 0, fmt.Errorf("%w: it is empty", errUIDList)
	}
	version, err := l.header(sc.Text())
	if err != nil {
		return l, 0, err
	}
	for sc.Scan() {
		base, e, ok := parseUIDLine(sc.Bytes(), version)
		if !ok {
			bad++
			continue
		}
		each(base, e)
	}
	if err := sc.Err(); errors.Is(err, bufio.ErrTooLong) {
		return l, bad, fmt.Errorf("%w: %w", errUIDList, err)
	}
	return l, bad, sc.Err()
}

func (l *uidlist) header(line string) (version int, err error) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return 0, fmt.Errorf("%w: header %q", errUIDList, clip(line))
	}
	switch fields[0] {
	case "1":
		v, err := strconv.ParseUint(fields[1], 10, 32)
		if err != nil {
			return 0, fmt.Errorf("%w: UIDVALIDITY %q", errUIDList, clip(fields[1]))
		}
		l.validity = uint32(v)
		return 1, nil
	case "3":
		for _, f := range fields[1:] {
			switch value := f[1:]; f[0] {
			case 'V':
				v, err := strconv.ParseUint(value, 10, 32)
				if err != nil {
					return 0, fmt.Errorf("%w: UIDVALIDITY %q", errUIDList, clip(value))
				}
				l.validity = uint32(v)
			case 'G':
				if len(value) == 32 {
					l.guid = strings.ToLower(value)
				}
			}
		}
		if l.validity == 0 {
			return 0, fmt.Errorf("%w: no UIDVALIDITY", errUIDList)
		}
		return 3, nil
	}
	return 0, fmt.Errorf("%w: version %q", errUIDList, clip(fields[0]))
}

func parseUIDLine(line []byte, version int) (base []byte, e uidEntry, ok bool) {
	number, rest, ok := bytes.Cut(line, []byte(" "))
	uid, good := parseNumber(number)
	if !ok || !good || uid == 0 || uid > math.MaxUint32 {
		return nil, e, false
	}
	e = uidEntry{uid: uint32(uid), size: -1}
	if version == 3 {
		for len(rest) == 0 || rest[0] != ':' {
			var field []byte
			if field, rest, ok = bytes.Cut(rest, []byte(" ")); !ok || len(field) == 0 {
				return nil, e, false
			}
			switch field[0] {
			case 'G':
				e.guid = field[1:]
			case 'W':
				if n, ok := parseNumber(field[1:]); ok {
					e.size = n
				}
			}
		}
		rest = rest[1:]
	}
	base = rest[:baseLen(rest)]
	return base, e, len(base) > 0
}

// parseNumber reads digits, and nothing else, of a number that fits.
func parseNumber(text []byte) (n int64, ok bool) {
	if len(text) == 0 || len(text) > 18 {
		return 0, false
	}
	for _, c := range text {
		if !digit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
