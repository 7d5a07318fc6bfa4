package assess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/translate"
)

// maxHeader is how much of a message is looked at for its header.
const maxHeader = 64 << 10

// read reads some messages completely, for what only their content tells.
func (e *examiner) read(ctx context.Context, c model.Collection, mailbox string, items []model.Item) error {
	if len(items) == 0 {
		return nil
	}
	refs := make([]model.ItemRef, len(items))
	byUID := make(map[uint64]model.Item, len(items))
	for i, it := range items {
		refs[i] = it.ItemRef
		byUID[it.UID] = it
	}
	start := e.Now()
	err := e.store.Read(ctx, c, refs, func(r model.ItemRef, body *source.Content, err error) error {
		var look contentLook
		if err == nil {
			_, err = io.Copy(&look, body)
		}
		switch {
		case model.CodeOf(err) == model.CodeGone:
			return nil
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			e.note(Anomaly{Code: "unreadable", Mailbox: mailbox, Item: uidName(r.UID), Text: err.Error(), Loss: true,
				Remedy: "repair it at the source, or accept that it stays behind"})
			return nil
		}
		e.out.Sampled.Messages++
		e.out.Sampled.Octets += look.n
		e.content(&look, mailbox, byUID[r.UID])
		return nil
	})
	e.out.Sampled.Reading += e.Now().Sub(start)
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		e.note(Anomaly{Code: "unreadable", Mailbox: mailbox, Text: err.Error(), Loss: true})
		return nil
	}
	return err
}

// contentLook is what passes by of a message.
type contentLook struct {
	n      int64
	head   []byte
	nul    bool
	last   byte
	bareLF bool
}

// Write implements io.Writer.
func (l *contentLook) Write(p []byte) (int, error) {
	if room := maxHeader - len(l.head); room > 0 {
		l.head = append(l.head, p[:min(room, len(p))]...)
	}
	l.nul = l.nul || bytes.IndexByte(p, 0) >= 0
	for i := 0; !l.bareLF; {
		j := bytes.IndexByte(p[i:], '\n')
		if j < 0 {
			break
		}
		before := l.last
		if i+j > 0 {
			before = p[i+j-1]
		}
		l.bareLF = before != '\r'
		i += j + 1
	}
	if len(p) > 0 {
		l.last = p[len(p)-1]
	}
	l.n += int64(len(p))
	return len(p), nil
}

// content notes what is odd about a message. All of it is carried as it is,
// except for what the destination does not take for a message.
func (e *examiner) content(l *contentLook, mailbox string, i model.Item) {
	say := func(code, text string) {
		e.note(Anomaly{Code: code, Mailbox: mailbox, Item: uidName(i.UID), Text: text})
	}
	header, _, found := bytes.Cut(l.head, []byte("\r\n\r\n"))
	switch {
	case l.n == 0:
		say("empty", "the message is empty")
	case !hasField(l.head):
		say("noHeader", "the message has no header field: it is stored behind an added Date field ("+fmt.Sprint(len(translate.Repair(l.head, i.Received)))+" octets)")
	case !found && len(l.head) < maxHeader:
		say("noBody", "the message has no body")
	}
	if l.nul {
		say("nul", "the message contains NUL octets")
	}
	if l.bareLF {
		say("bareLF", "lines end without CR; kept as they are")
	}
	if bytes.ContainsFunc(header, func(r rune) bool { return r >= 0x80 }) {
		say("eightBit", "the header contains 8-bit text that is not encoded; kept as it is")
	}
}

// hasField reports whether the text begins with a header field (RFC 5322 §2.2).
func hasField(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	name, _, ok := bytes.Cut(line, []byte(":"))
	if bytes.HasPrefix(line, []byte("From ")) {
		// The envelope line of an mbox; the next line tells.
		_, rest, _ := bytes.Cut(head, []byte("\n"))
		return len(rest) > 0 && hasField(rest)
	}
	name = bytes.TrimRight(name, " \t")
	return ok && len(name) > 0 && !bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
