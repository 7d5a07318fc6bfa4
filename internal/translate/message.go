package translate

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/zeebo/blake3"
)

// Message is one taken apart so far that it can be compared with what
// another tool made of it: its header fields, and its body without what tools
// rewrite (line ends, NUL octets, line ends at the very end).
type Message struct {
	Size   int64 // octets as they stand
	Fields []Field
	// Body is a hash of the body with LF as its only line end, without NUL and
	// without the line ends at its end.
	Body [32]byte
	// Widened is the same with 0x80 in place of each NUL, as Dovecot shows
	// them over IMAP (lib-mail/istream-nonuls.c); equal to Body without NUL.
	Widened [32]byte

	// Where a line stands in the header that is no field, the body begins, or
	// the header goes on up to the empty line, as servers have it that skip such
	// lines. loose is what it then has more, and looseBody the shorter body.
	loose     []Field
	looseBody *Message

	CRLF, LF, CR int64 // line ends of each kind; CR are those without LF
	NUL          int64
	Blanks       int64 // line ends at the end of the body
	Separated    bool  // an empty line stands between header and body
}

// Field is one header field (RFC 5322 §2.2).
type Field struct {
	Name  string // as it stands, without the colon
	Value string // unfolded, runs of white space as one space
	lines string // as it stands, with LF as the line end
}

// maxHeader bounds the header that is kept in memory; what is longer counts
// as body.
const maxHeader = 1 << 20

// ReadMessage reads one to its end. It returns only the reader's errors.
func ReadMessage(r io.Reader) (*Message, error) {
	a := &Message{}
	in := bufio.NewReaderSize(r, 32<<10)
	rest, err := a.header(in)
	if err != nil {
		return nil, err
	}
	bodies := []*body{{a: a, sum: blake3.New()}}
	bodies[0].write(rest)
	if a.looseBody != nil {
		bodies = append(bodies, &body{a: a.looseBody, sum: blake3.New()})
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := in.Read(buf)
		a.Size += int64(n)
		for _, b := range bodies {
			b.write(buf[:n])
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	for _, b := range bodies {
		b.end()
	}
	return a, nil
}

// header reads the header fields and returns what was read beyond them.
func (a *Message) header(in *bufio.Reader) (rest []byte, err error) {
	var head strings.Builder // a field may be folded over ten thousands of lines
	var starts []int
	defer func() {
		for i := range a.Fields {
			f, end := &a.Fields[i], head.Len()
			if i+1 < len(starts) {
				end = starts[i+1]
			}
			f.lines = head.String()[starts[i]:end]
			f.Value = squeeze(f.lines[min(len(f.Name)+1, len(f.lines)):])
		}
	}()
	begin := func(name, line string) {
		a.Fields = append(a.Fields, Field{Name: name})
		starts = append(starts, head.Len())
		head.WriteString(line)
	}
	for {
		line, err := readLine(in)
		a.Size += int64(len(line))
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(line) == 0 {
			return nil, nil
		}
		plain := a.plain(line)
		if head.Len()+len(line) > maxHeader {
			a.uncount(line)
			return line, nil
		}
		switch {
		case strings.TrimRight(plain, "\n") == "":
			a.Separated = true
			return nil, nil
		case (plain[0] == ' ' || plain[0] == '\t') && len(a.Fields) > 0:
			head.WriteString(plain)
		case startsWithField([]byte(plain)):
			begin(plain[:strings.IndexByte(plain, ':')], plain)
		case isMboxLine(plain):
			begin(mboxLine, plain)
		default:
			a.uncount(line)
			return a.looseFields(in, line)
		}
	}
}

// looseFields reads on up to the empty line. All that it reads belongs to the
// body, too.
func (a *Message) looseFields(in *bufio.Reader, first []byte) (rest []byte, err error) {
	var other Message // its counters are not needed
	for line := first; ; {
		rest = append(rest, line...)
		plain := other.plain(line)
		switch name, value, ok := strings.Cut(plain, ":"); {
		case strings.TrimSpace(plain) == "":
			a.looseBody = &Message{Separated: len(line) > 0}
			return rest, nil
		case (plain[0] == ' ' || plain[0] == '\t') && len(a.loose) > 0:
			f := &a.loose[len(a.loose)-1]
			f.lines += plain
			f.Value += " " + squeeze(plain)
		case ok:
			a.loose = append(a.loose, Field{Name: strings.TrimSpace(name), Value: squeeze(value), lines: plain})
		default:
			a.loose = append(a.loose, Field{Value: squeeze(plain), lines: plain})
		}
		if len(rest) > maxLoose {
			return rest, nil
		}
		if line, err = readLine(in); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		a.Size += int64(len(line))
	}
}

// maxLoose bounds what is searched behind a line that is no field.
const maxLoose = 64 << 10

// mboxLine names the pseudo field of the line between the messages of an mbox,
// which some tool has left in the message.
const mboxLine = "From "

// isMboxLine recognises "From a@b Mon Feb  3 10:00:00 2020".
func isMboxLine(line string) bool {
	if !strings.HasPrefix(strings.TrimPrefix(line, ">"), "From ") {
		return false
	}
	words := strings.Fields(line)
	return len(words) >= 6 && strings.Count(line, ":") >= 2 && len(words[2]) == 3
}

func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) > maxHeader {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = nil
			}
			return line, err
		}
	}
}

// plain returns a header line with LF as its line end and without NUL, and
// counts what it leaves out.
func (a *Message) plain(line []byte) string {
	a.count(line, 1)
	line = bytes.ReplaceAll(line, []byte{0}, nil)
	return string(bytes.ReplaceAll(line, []byte{'\r'}, nil))
}

func (a *Message) uncount(line []byte) { a.count(line, -1) }

func (a *Message) count(line []byte, n int64) {
	a.NUL += n * int64(bytes.Count(line, []byte{0}))
	crs := int64(bytes.Count(line, []byte{'\r'}))
	switch {
	case bytes.HasSuffix(line, []byte("\r\n")):
		a.CRLF += n
		crs--
	case bytes.HasSuffix(line, []byte("\n")):
		a.LF += n
	}
	a.CR += n * crs
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// Last returns the value of the last field of this name, as JMAP does
// (RFC 8621 §4.1.3), and whether there is one.
func (a *Message) Last(name string) (string, bool) {
	for _, fields := range [][]Field{a.loose, a.Fields} {
		for _, f := range slices.Backward(fields) {
			if strings.EqualFold(f.Name, name) {
				return f.Value, true
			}
		}
	}
	return "", false
}

// body hashes a body as it arrives.
type body struct {
	a       *Message
	sum     *blake3.Hasher
	widened *blake3.Hasher // nil until the first NUL
	cr      int64          // CR octets that wait for what follows
}

func (b *body) write(p []byte) {
	for len(p) > 0 {
		n := bytes.IndexAny(p, "\r\n\x00")
		if n < 0 {
			n = len(p)
		}
		if n > 0 {
			b.lone()
			b.lineEnds()
			b.hash(p[:n], p[:n])
			p = p[n:]
			continue
		}
		switch p[0] {
		case '\r':
			b.cr++
		case '\n':
			if b.cr > 0 {
				b.a.CRLF++
				b.cr--
			} else {
				b.a.LF++
			}
			b.lone()
			b.a.Blanks++
		case 0:
			b.lone()
			b.lineEnds()
			b.a.NUL++
			if b.widened == nil {
				b.widened = b.sum.Clone()
			}
			b.hash(nil, []byte{0x80})
		}
		p = p[1:]
	}
}

func (b *body) lone() {
	b.a.CR += b.cr
	b.cr = 0
}

// lineEnds hashes those that were held back because they might have been the
// last.
func (b *body) lineEnds() {
	for ; b.a.Blanks > 0; b.a.Blanks-- {
		b.hash([]byte{'\n'}, []byte{'\n'})
	}
}

func (b *body) hash(plain, widened []byte) {
	_, _ = b.sum.Write(plain)
	if b.widened != nil {
		_, _ = b.widened.Write(widened)
	}
}

func (b *body) end() {
	b.lone()
	b.sum.Sum(b.a.Body[:0])
	b.a.Widened = b.a.Body
	if b.widened != nil {
		b.widened.Sum(b.a.Widened[:0])
	}
}
