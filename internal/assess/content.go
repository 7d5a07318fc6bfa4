package assess

import (
	"bytes"
	"context"
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
	answered, err := e.Courtesy.Asking(ctx)
	if err != nil {
		return err
	}
	start := e.Now()
	last := start
	err = e.store.Read(ctx, c, refs, func(r model.ItemRef, body *source.Content, err error) error {
		answered()
		var look contentLook
		if err == nil {
			_, err = io.Copy(&look, e.Courtesy.Pace(ctx, body))
		}
		switch {
		case model.CodeOf(err) == model.CodeGone:
			return nil
		case err != nil && (ctx.Err() != nil || lost(err)):
			return err
		case err != nil:
			e.note(Anomaly{Code: "unreadable", Mailbox: mailbox, Item: uidName(r.UID), Text: err.Error(), Loss: true,
				Remedy: "repair it at the source, or accept that it stays behind"})
			return nil
		}
		done := e.Now()
		e.out.Sampled.Messages++
		e.out.Sampled.Octets += look.n
		e.out.Sampled.cost.add(look.n, done.Sub(last))
		last = done
		e.content(&look, mailbox, byUID[r.UID])
		return nil
	})
	e.out.Sampled.Reading += e.Now().Sub(start)
	if err == nil || ctx.Err() != nil || lost(err) {
		return err
	}
	e.note(Anomaly{Code: "unreadable", Mailbox: mailbox, Text: err.Error(), Loss: true, Remedy: "repair the mailbox at the source"})
	return nil
}

// lost reports that the account cannot be reached any more: what follows would
// fail as well, and says nothing about the mail.
func lost(err error) bool {
	c := model.CodeOf(err)
	return c == model.CodeUnreachable || c == model.CodeAuth
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
	say := func(code, text string, asIs bool) {
		e.note(Anomaly{Code: code, Mailbox: mailbox, Item: uidName(i.UID), Text: text, AsIs: asIs})
	}
	repaired := func() string {
		return fmt.Sprintf("stored behind an added Date field (%d octets)", len(translate.Repair(l.head, i.Received)))
	}
	h := parseHeader(l.head, len(l.head) < maxHeader)
	switch {
	case l.n == 0:
		say("empty", "the message is empty: "+repaired(), false)
	case h.fields == 0:
		say("noHeader", "the message has no header field: "+repaired(), false)
	case !h.standard:
		say("oddHeader", "none of the header's fields is one that mail servers know: if the destination refuses it, it is "+repaired(), false)
	case !h.ended && len(l.head) < maxHeader:
		say("noBody", "the message has no body; kept as it is", true)
	}
	if h.fields > 0 && h.broken > 0 {
		say("brokenHeader", fmt.Sprintf("line %d is no header field, but stands among them; kept as it is", h.broken), true)
	}
	if h.fromLine {
		say("fromLine", "the message begins with the envelope line of an mbox; kept as it is", true)
	}
	if l.nul {
		say("nul", "the message contains NUL octets; kept as they are", true)
	}
	if l.bareLF {
		say("bareLF", "lines end without CR; kept as they are", true)
	}
	if h.eightBit {
		say("eightBit", "the header contains 8-bit text that is not encoded; kept as it is", true)
	}
}
