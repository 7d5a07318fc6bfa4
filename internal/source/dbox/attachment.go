package dbox

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/source/stored"
)

// attachment is a part of a message that is kept in a file of its own
// (index-attachment.c): decoded, if it was base64.
type attachment struct {
	start, size int64 // in the message
	columns     int   // of its base64; 0: it is as it was
	crlf        bool  // between the lines of base64
	path        string
}

// parseAttachments reads the metadata X: groups of start, size, options and
// path.
func parseAttachments(s string) ([]attachment, error) {
	bad := fmt.Errorf("%w: its list of attachments makes no sense: %.80q", errDamaged, s)
	fields := strings.Split(s, " ")
	if len(fields)%4 != 0 {
		return nil, bad
	}
	var out []attachment
	end := int64(0)
	for ; len(fields) > 0; fields = fields[4:] {
		a := attachment{path: fields[3]}
		var err, serr error
		a.start, err = strconv.ParseInt(fields[0], 10, 62)
		a.size, serr = strconv.ParseInt(fields[1], 10, 62)
		if err != nil || serr != nil || a.start < end || a.size < 0 || a.path == "" || a.start+a.size < 0 {
			return nil, bad
		}
		end = a.start + a.size
		for o := fields[2]; o != ""; {
			switch o[0] {
			case '-':
				o = o[1:]
			case 'C':
				a.crlf, o = true, o[1:]
			case 'B':
				n := 1
				for n < len(o) && o[n] >= '0' && o[n] <= '9' {
					n++
				}
				a.columns, err = strconv.Atoi(o[1:n])
				if err != nil || a.columns < 4 || a.columns > 1<<16 || a.columns%4 != 0 {
					return nil, bad
				}
				o = o[n:]
			default:
				return nil, bad
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// encoded is how many octets n octets of the file become.
func (a attachment) encoded(n int64) int64 {
	if a.columns == 0 {
		return n
	}
	chars := (n + 2) / 3 * 4
	end := int64(1)
	if a.crlf {
		end = 2
	}
	return chars + max(0, (chars-1)/int64(a.columns))*end
}

// reader reads the attachment as it was in the message, of a file of n octets.
func (a attachment) reader(r io.Reader) io.Reader {
	if a.columns == 0 {
		return r
	}
	end := "\n"
	if a.crlf {
		end = "\r\n"
	}
	return &base64Reader{r: bufio.NewReaderSize(r, 64<<10), raw: make([]byte, a.columns/4*3), line: make([]byte, 0, a.columns+2), end: end}
}

// base64Reader encodes in lines, without a line end after the last.
type base64Reader struct {
	r    *bufio.Reader
	raw  []byte
	line []byte // room for a line end and a line
	have []byte // of line, not yet read
	end  string
	next bool // a line has been given
	err  error
}

func (b *base64Reader) Read(p []byte) (int, error) {
	for len(b.have) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		n, err := io.ReadFull(b.r, b.raw)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		b.err = err
		if n == 0 {
			continue
		}
		b.line = b.line[:0]
		if b.next {
			b.line = append(b.line, b.end...)
		}
		b.line = base64.StdEncoding.AppendEncode(b.line, b.raw[:n])
		b.next, b.have = true, b.line
	}
	n := copy(p, b.have)
	b.have = b.have[n:]
	return n, nil
}

// woven is a message put together from its body and its attachments. plain is
// its whole size, or -1.
func woven(text io.Reader, parts []attachment, plain int64, open func(attachment) (*os.File, error)) io.ReadCloser {
	return &weaver{text: text, parts: parts, plain: plain, open: open}
}

type weaver struct {
	text  io.Reader
	parts []attachment
	plain int64
	open  func(attachment) (*os.File, error)

	at   int64     // octets given
	part io.Reader // the attachment that is being read
	file *os.File
	left int64 // of it
}

func (w *weaver) Read(p []byte) (int, error) {
	for {
		switch {
		case w.part != nil && w.left == 0:
			w.Close()
			w.part, w.parts = nil, w.parts[1:]
			continue
		case w.part != nil:
			n, err := w.part.Read(p[:min(int64(len(p)), w.left)])
			w.at, w.left = w.at+int64(n), w.left-int64(n)
			if errors.Is(err, io.EOF) {
				err = nil
				if w.left > 0 && n == 0 {
					err = fmt.Errorf("%w: the attachment %s is cut off", errDamaged, w.parts[0].path)
				}
			}
			if n > 0 || err != nil {
				return n, err
			}
			continue
		case len(w.parts) > 0 && w.at == w.parts[0].start:
			if err := w.begin(w.parts[0]); err != nil {
				return 0, err
			}
			continue
		}
		if len(w.parts) > 0 {
			p = p[:min(int64(len(p)), w.parts[0].start-w.at)]
		}
		n, err := w.text.Read(p)
		w.at += int64(n)
		switch {
		case !errors.Is(err, io.EOF):
		case len(w.parts) > 0 && w.at == w.parts[0].start:
			err = nil // there may be nothing but the attachment
		case len(w.parts) > 0:
			err = fmt.Errorf("%w: it ends before its attachment", errDamaged)
		case w.plain >= 0 && w.at != w.plain:
			err = fmt.Errorf("%w: it has %d octets, not %d", errDamaged, w.at, w.plain)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// begin opens an attachment. The file may be packed by the file system that
// Dovecot was told to keep it in; its size tells.
func (w *weaver) begin(a attachment) error {
	f, err := w.open(a)
	if err != nil {
		return err
	}
	w.file = f
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var r io.Reader = f
	if a.encoded(info.Size()) != a.size {
		text, err := stored.Unpack(f, info.Size())
		if err != nil {
			return err
		}
		r = text.Reader()
	}
	w.part, w.left = a.reader(r), a.size
	return nil
}

// Close closes the attachment that was being read.
func (w *weaver) Close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}
