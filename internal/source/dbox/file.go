package dbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// The format of message files, dbox-file.h: a line for the file, and for each
// message a header, the body, and lines of metadata.
const (
	maxLine     = 256     // of the file's own line, which has some 20 octets
	maxHeader   = 4 << 10 // of a message; Dovecot writes 30
	minHeader   = 30
	maxMetadata = 1 << 20 // an external attachment takes some 100
)

var (
	magicPre  = []byte{1, 2}
	magicPost = []byte("\n\x01\x03\n")
)

// errDamaged is wrapped by what is wrong with a message file.
var errDamaged = errors.New("the message is damaged")

// file is an open file of messages. It may be read concurrently.
type file struct {
	*os.File
	header int   // of each message, in octets
	first  int64 // where the first message begins
}

// openFile reads the file's own line: "2 M1e C5d2b4a60" and so on. It takes f
// over.
func openFile(f *os.File) (*file, error) {
	var buf [maxLine]byte
	n, err := f.ReadAt(buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, err
	}
	d, err := parseFile(buf[:n])
	if err != nil {
		f.Close()
		return nil, err
	}
	d.File = f
	return &d, nil
}

func parseFile(head []byte) (d file, err error) {
	line, _, ok := bytes.Cut(head, []byte("\n"))
	fields := bytes.Fields(line)
	if !ok || len(fields) == 0 || len(fields[0]) != 1 || fields[0][0] != '1' && fields[0][0] != '2' {
		return d, fmt.Errorf("%w: it does not begin as a dbox file", errDamaged)
	}
	d.first = int64(len(line)) + 1
	for _, f := range fields[1:] {
		n, err := strconv.ParseUint(string(f[1:]), 16, 62)
		if err == nil && f[0] == 'M' {
			d.header = int(min(n, maxHeader+1))
		}
	}
	if d.header < minHeader || d.header > maxHeader {
		return d, fmt.Errorf("%w: headers of %d octets", errDamaged, d.header)
	}
	return d, nil
}

// body tells where the body of the message at an offset lies.
func (d *file) body(at int64) (from, size int64, err error) {
	var buf [64]byte
	head := buf[:min(d.header, len(buf))]
	if _, err := d.ReadAt(head, at); err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: its file ends before it", errDamaged)
		}
		return 0, 0, err
	}
	size, err = parseHeader(head)
	return at + int64(d.header), size, err
}

// parseHeader reads the header of a message: the magic, a type, eight digits
// that were once the UID, and the size of the body in hexadecimal.
func parseHeader(head []byte) (size int64, err error) {
	if !bytes.HasPrefix(head, magicPre) || len(head) < 29 || head[2] != 'N' {
		return 0, fmt.Errorf("%w: no message begins there", errDamaged)
	}
	n, err := strconv.ParseUint(string(head[13:29]), 16, 62)
	if err != nil {
		return 0, fmt.Errorf("%w: its size is %q", errDamaged, head[13:29])
	}
	return int64(n), nil
}

// metadata are what stands behind a message.
type metadata struct {
	guid     string
	received int64 // Unix seconds; -1: unknown
	virtual  int64 // size with CRLF; -1: unknown
	plain    int64 // size unpacked where that differs from the stored one; -1: unknown
	parts    string
	mailbox  string // of an mdbox's message, where it was saved first
	end      int64  // where they end
}

// metadata reads what stands behind the body that ends at an offset.
func (d *file) metadata(at int64) (m metadata, err error) {
	buf := make([]byte, 512)
	for {
		n, err := d.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return m, err
		}
		m, whole, perr := parseMetadata(buf[:n])
		m.end += at
		if perr != nil || whole {
			return m, perr
		}
		if err != nil || len(buf) >= maxMetadata {
			return m, fmt.Errorf("%w: what stands behind it is cut off", errDamaged)
		}
		buf = make([]byte, 4*len(buf))
	}
}

// message tells where the body of the message at an offset lies, and what stands
// behind it.
func (d *file) message(at int64) (from, size int64, m metadata, err error) {
	if from, size, err = d.body(at); err == nil {
		m, err = d.metadata(from + size)
	}
	return from, size, m, err
}

// parseMetadata reads lines of a letter and its value up to an empty one;
// whole is false when there is none yet.
func parseMetadata(raw []byte) (m metadata, whole bool, err error) {
	m = metadata{received: -1, virtual: -1, plain: -1}
	if !bytes.HasPrefix(raw, magicPost) {
		if len(raw) < len(magicPost) {
			return m, false, nil
		}
		return m, false, fmt.Errorf("%w: it does not end where its header says", errDamaged)
	}
	all := len(raw)
	raw = raw[len(magicPost):]
	for {
		line, rest, ok := bytes.Cut(raw, []byte("\n"))
		if !ok {
			return m, false, nil
		}
		if len(line) == 0 {
			m.end = int64(all - len(rest))
			return m, true, nil
		}
		value := line[1:]
		switch line[0] {
		case 'G':
			m.guid = string(value)
		case 'R':
			m.received = number(value)
		case 'V':
			m.virtual = number(value)
		case 'Z':
			m.plain = number(value)
		case 'B':
			m.mailbox = string(value)
		case 'X':
			m.parts = string(value)
		}
		raw = rest
	}
}

func number(b []byte) int64 {
	n, err := strconv.ParseUint(string(b), 16, 62)
	if err != nil {
		return -1
	}
	return int64(n)
}
