package cyrus

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/textproto"
	"os"
	"strings"

	"mailhaul.org/mailhaul/internal/source"
)

// mimePart is the head of an object's file: a MIME part whose body is the object.
type mimePart struct {
	name, mediaType string
	encoding        string // lower case
	head            int64  // octets before the body
}

// maxHead bounds the head of an object's file; Cyrus writes less than 1 KiB, and
// long names.
const maxHead = 64 << 10

var errPart = errors.New("the file is no object: its head cannot be read")

// readPart reads the head.
func readPart(f io.ReaderAt) (mimePart, error) {
	for size := 2 << 10; size <= maxHead; size *= 4 {
		raw := make([]byte, size)
		n, err := f.ReadAt(raw, 0)
		if err != nil && !errors.Is(err, io.EOF) {
			return mimePart{}, err
		}
		if i := bytes.Index(raw[:n], []byte("\r\n\r\n")); i >= 0 {
			return parsePart(raw[:i+4])
		}
		if err != nil {
			break
		}
	}
	return mimePart{}, errPart
}

func parsePart(head []byte) (mimePart, error) {
	p := mimePart{head: int64(len(head))}
	fields, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(head))).ReadMIMEHeader()
	if err != nil && len(fields) == 0 {
		return p, errPart
	}
	p.encoding = strings.ToLower(strings.TrimSpace(fields.Get("Content-Transfer-Encoding")))
	p.mediaType, _, _ = mime.ParseMediaType(fields.Get("Content-Type"))
	disposition := fields.Get("Content-Disposition")
	_, params, err := mime.ParseMediaType(disposition)
	if p.name = params["filename"]; p.name == "" || err != nil {
		p.name = looseName(disposition)
	}
	p.name = strings.ToValidUTF8(p.name, "\uFFFD")
	return p, nil
}

// looseName reads filename="…" of what is no valid parameter, as raw octets
// beyond ASCII are not.
func looseName(disposition string) string {
	_, rest, ok := strings.Cut(disposition, `filename="`)
	if !ok {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			if i++; i < len(rest) {
				b.WriteByte(rest[i])
			}
		case '"':
			return b.String()
		default:
			b.WriteByte(rest[i])
		}
	}
	return ""
}

// size of the object in a file of so many octets, or -1.
func (p mimePart) size(file int64) int64 {
	if p.encoded() || file < p.head {
		return -1
	}
	return file - p.head
}

func (p mimePart) encoded() bool { return p.encoding == "base64" || p.encoding == "quoted-printable" }

// open opens an object's content.
func (o object) open(p place) (*source.Content, io.Closer, error) {
	f, err := p.openMessage(uint64(o.uid))
	if err != nil {
		return nil, nil, err
	}
	body, err := o.content(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return body, f, nil
}

func (o object) content(f *os.File) (*source.Content, error) {
	part, err := readPart(f)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	body := &source.Content{Reader: io.NewSectionReader(f, part.head, max(0, info.Size()-part.head)), Size: part.size(info.Size())}
	switch part.encoding {
	case "base64":
		body.Reader = base64.NewDecoder(base64.StdEncoding, body.Reader)
	case "quoted-printable":
		body.Reader = quotedprintable.NewReader(body.Reader)
	}
	if o.part.patch == nil {
		return body, nil
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return source.Whole(patched(text, o.part.patch)), nil
}
