package assess

import (
	"fmt"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/translate"
)

// mailboxLook gathers what the listing of one mailbox tells.
type mailboxLook struct {
	*examiner
	c           model.Collection
	name        string
	n           int64
	first, last time.Time
	firstUID    uint64
}

// restored is how many messages a mailbox must have for equal dates to mean
// that it was restored without them.
const restored = 50

func (m *mailboxLook) item(i model.Item) {
	o := &m.out
	o.Messages++
	m.n++
	size := max(i.Size, 0)
	o.Octets += size
	o.Sizes[sizeClass(size)]++
	if size > o.Largest.Octets {
		o.Largest = Message{Mailbox: m.name, UID: i.UID, Octets: size}
	}
	if limit := m.Limits.MaxMessage; limit > 0 && size > limit {
		m.note(Anomaly{Code: "tooLarge", Mailbox: m.name, Item: uidName(i.UID), Loss: true,
			Text: fmt.Sprintf("%d octets; the destination accepts %d", size, limit), Remedy: "raise the destination's limit on message size"})
	}
	m.date(i)
	m.year(i.Received, size)
	m.keywords(i)
	m.copies.add(i.GUID)
	if i.Flags.System&model.Deleted != 0 {
		m.note(Anomaly{Code: "deletedMark", Mailbox: m.name, Item: uidName(i.UID), Text: `marked \Deleted but not expunged: carried without the mark`,
			Remedy: "expunge at the source what should not come along"})
	}
}

// keywords follows the rule of the engine: what the destination knows by itself
// needs no room.
func (m *mailboxLook) keywords(i model.Item) {
	m.words.Keywords(i.Flags)
	m.out.Keywords += len(m.words.Fresh())
	for _, k := range i.Flags.Keywords {
		lower, safe := strings.ToLower(k), translate.Keyword(k)
		if len(safe) < len(lower) || strings.Count(safe, "_") > strings.Count(lower, "_") {
			m.note(Anomaly{Code: "keyword", Mailbox: m.name, Item: uidName(i.UID), Text: fmt.Sprintf("keyword %q becomes %q", k, safe)})
		}
	}
}

func (m *mailboxLook) date(i model.Item) {
	o, t := &m.out, i.Received
	if o.Oldest.IsZero() || t.Before(o.Oldest) {
		o.Oldest = t
	}
	if t.After(o.Newest) {
		o.Newest = t
	}
	if m.first.IsZero() || t.Before(m.first) {
		m.first, m.firstUID = t, i.UID
	}
	if t.After(m.last) {
		m.last = t
	}
	if strange(t, m.Now()) {
		a := Anomaly{Code: "date", Mailbox: m.name, Item: uidName(i.UID), Text: "received " + t.Format(time.DateTime) + ": more likely an accident than true", AsIs: true}
		if to, changed := translate.Received(t); changed {
			a.Text += "; stored as " + to.Format(time.DateTime)
			a.AsIs = false
		}
		m.note(a)
	}
}

// end looks at the mailbox as a whole.
func (m *mailboxLook) end() {
	if m.n > restored && m.last.Sub(m.first) < 24*time.Hour {
		m.note(Anomaly{Code: "datesLost", Mailbox: m.name, Item: uidName(m.firstUID),
			Text:   fmt.Sprintf("all %s were received within one day: probably restored without their dates", plural.Count(m.n, "message")),
			Remedy: "restore the files' times at the source (rsync -t) before the bulk load"})
	}
}
