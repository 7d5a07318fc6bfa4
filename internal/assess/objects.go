package assess

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/vcard"
)

// Objects counts calendars, contacts and files.
type Objects struct {
	Calendars int64 `json:"calendars"`
	// Subscriptions are calendars that others keep (webcal), and are not copied.
	Subscriptions int64 `json:"subscriptions,omitempty"`
	Events        int64 `json:"events"` // series count once
	Series        int64 `json:"series"`
	// Exceptions are instances of series that were changed.
	Exceptions   int64 `json:"exceptions"`
	Tasks        int64 `json:"tasks"`
	Journals     int64 `json:"journals"`
	AddressBooks int64 `json:"address_books"`
	Contacts     int64 `json:"contacts"`
	Groups       int64 `json:"groups"`
	Folders      int64 `json:"folders"`
	Files        int64 `json:"files"`
	Octets       int64 `json:"octets"` // of all together, as far as is told
}

// Count is how many objects there are to move.
func (o Objects) Count() int64 {
	return o.Events + o.Tasks + o.Journals + o.Contacts + o.Groups + o.Files
}

// add sums.
func (o *Objects) add(p Objects) {
	for to, n := range map[*int64]int64{&o.Calendars: p.Calendars, &o.Subscriptions: p.Subscriptions, &o.Events: p.Events, &o.Series: p.Series, &o.Exceptions: p.Exceptions, &o.Tasks: p.Tasks, &o.Journals: p.Journals,
		&o.AddressBooks: p.AddressBooks, &o.Contacts: p.Contacts, &o.Groups: p.Groups, &o.Folders: p.Folders, &o.Files: p.Files, &o.Octets: p.Octets} {
		*to += n
	}
}

// Any reports that there is anything.
func (o Objects) Any() bool { return o != Objects{} }

const (
	// maxObject is the largest calendar object and card that Stalwart takes
	// unless it is told otherwise, in octets.
	maxObject = 512 << 10
	// readBatch is how many objects are read at a time.
	readBatch = 500
	// slowCollection and slowObject are how long a collection, and each object in
	// it, take at least where that is worth to be told.
	slowCollection, slowObject = 30 * time.Second, 10 * time.Millisecond
)

// objects counts what the account has beside its mail. Calendar objects and
// cards are read, all of them: they are small, and only reading tells what
// they are.
func (e *examiner) objects(ctx context.Context) error {
	s, ok := e.store.(source.Objects)
	if !ok {
		return nil
	}
	s = e.Courtesy.Objects(s)
	started := e.Now()
	defer func() { e.out.Sampled.Objects = e.Now().Sub(started) }()
	all, errs, err := s.ObjectCollections(ctx)
	if err != nil {
		return e.unreadableObjects(ctx, "", err)
	}
	e.slow("", 0, e.Now().Sub(started))
	for _, err := range errs {
		if model.CodeOf(err) == source.CodeNoHome {
			e.note(Anomaly{Code: "noHome", AsIs: true, Text: err.Error()})
			continue
		}
		if err := e.unreadableObjects(ctx, "", err); err != nil {
			return err
		}
	}
	for _, c := range all {
		if err := e.objectCollection(ctx, s, c); err != nil {
			return err
		}
	}
	if sh, ok := e.store.(source.SharedObjects); ok {
		foreign, err := sh.SharedObjects(ctx)
		if err != nil {
			return e.unreadableObjects(ctx, "", err)
		}
		for _, c := range foreign {
			if c.Forgotten {
				e.note(Anomaly{Code: "groupObjects", Mailbox: strings.Join(c.Path, "/"), Loss: true, Text: fmt.Sprintf("the %s belongs to the group %s, for which no account stands: it stays behind", c.Kind, c.Owner),
					Remedy: "name the group in source.groups.accounts"})
				continue
			}
			e.note(Anomaly{Code: "sharedObjects", Mailbox: strings.Join(c.Path, "/"), AsIs: true, Text: fmt.Sprintf("the %s belongs to %s: it moves with its owner, if that is an account of the organisation", c.Kind, c.Owner)})
		}
	}
	return nil
}

// unreadableObjects notes what cannot be read, unless the source as a whole is
// lost. A server of calendars that refuses the login is no reason to leave the
// mail unexamined.
func (e *examiner) unreadableObjects(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil || model.ClassOf(err) == model.ClassFatal {
		return err
	}
	e.note(Anomaly{Code: "objectsUnreadable", Mailbox: name, Text: err.Error(), Loss: true, Remedy: "run mailhaul check; repair it at the source"})
	return nil
}

func (e *examiner) objectCollection(ctx context.Context, s source.Objects, c model.ObjectCollection) error {
	o, name := &e.out.Objects, strings.Join(c.Path, "/")
	if c.Subscription != "" {
		text, remedy := c.Resubscribe()
		e.note(Anomaly{Code: "subscription", Mailbox: name, Item: c.Subscription, Text: text, Remedy: remedy})
		o.Subscriptions++
		return nil
	}
	switch c.Kind {
	case model.KindCalendar:
		o.Calendars++
	case model.KindContacts:
		o.AddressBooks++
	case model.KindFiles:
		o.Folders++
	}
	started, found := e.Now(), int64(0)
	defer func() { e.slow(name, found, e.Now().Sub(started)) }()
	var refs []model.ObjectRef // the store is read by one at a time: first the listing, then the objects
	for ch, err := range s.ObjectChanges(ctx, c, "") {
		if err != nil {
			return e.unreadableObjects(ctx, name, err)
		}
		if ch.Op != model.OpUpsert {
			continue
		}
		found++
		if c.Kind == model.KindFiles {
			o.Files++
			o.Octets += max(ch.Object.Size, 0)
			e.out.Sampled.fileOctets += max(ch.Object.Size, 0)
			continue
		}
		refs = append(refs, ch.Object.ObjectRef)
	}
	for len(refs) > 0 {
		n := min(readBatch, len(refs))
		err := s.ReadObjects(ctx, c, refs[:n], func(r model.ObjectRef, body *source.Content, err error) error {
			if err == nil {
				err = e.object(c, name, r, body)
			}
			if err != nil && model.CodeOf(err) != model.CodeGone {
				return e.unreadableObjects(ctx, name, err)
			}
			return nil
		})
		if err != nil {
			return e.unreadableObjects(ctx, name, err)
		}
		refs = refs[n:]
	}
	return nil
}

// slow notes a server that takes long for a collection, or to list them all:
// sync and verify will wait for it, too.
func (e *examiner) slow(name string, objects int64, took time.Duration) {
	if took < slowCollection || took < slowObject*time.Duration(objects) {
		return
	}
	text := fmt.Sprintf("the source took %s to list and give %s: sync and verify wait as long, each", took.Round(time.Second), plural.Count(objects, "object"))
	if name == "" {
		text = fmt.Sprintf("the source took %s to tell which collections there are: every run waits for that", took.Round(time.Second))
	}
	e.note(Anomaly{Code: "slowObjects", Mailbox: name, AsIs: true, Text: text,
		Remedy: "if the server keeps a file for each event or card, as Radicale and Xandikos do, read its folders instead: kind: vdir"})
}

// object looks at one calendar object or card.
func (e *examiner) object(c model.ObjectCollection, name string, r model.ObjectRef, body *source.Content) error {
	raw, err := io.ReadAll(io.LimitReader(body, 64<<20))
	if err != nil {
		return err
	}
	o := &e.out.Objects
	o.Octets += int64(len(raw))
	if len(raw) > maxObject {
		e.note(Anomaly{Code: "objectTooLarge", Mailbox: name, Item: r.ID, Loss: true, Text: fmt.Sprintf("%d KiB; Stalwart takes 512 KiB unless it is told otherwise", len(raw)>>10),
			Remedy: "raise the destination's limits before sync: x:Calendar maxICalendarSize, x:AddressBook maxVCardSize"})
	}
	var remarks []icalendar.Remark
	n := 0
	if c.Kind == model.KindContacts {
		var cards []vcard.Card
		if cards, remarks, err = vcard.Prepare(raw); err != nil {
			return err
		}
		n = len(cards)
		for _, card := range cards {
			if card.Kind == "group" {
				o.Groups++
			} else {
				o.Contacts++
			}
		}
		if bytes.Contains(bytes.ToUpper(raw), []byte("\nVERSION:2.1")) {
			e.note(Anomaly{Code: "vcard21", Mailbox: name, Item: r.ID, Text: "a card of version 2.1: it becomes one of version 3.0"})
		}
	} else {
		var parts []icalendar.Part
		if parts, remarks, err = icalendar.Prepare(raw); err != nil {
			return err
		}
		n = len(parts)
		for _, p := range parts {
			e.part(name, r, p)
		}
	}
	if n > 1 {
		e.note(Anomaly{Code: "severalUIDs", Mailbox: name, Item: r.ID, Text: fmt.Sprintf("%s in one: each becomes one of its own", plural.Count(n, "object"))})
	}
	for _, m := range remarks {
		code := "objectRepaired"
		switch m.Code {
		case "uid":
			code = "objectUID"
		case "charset", "encoding":
			code = "objectCharset"
		case "version":
			continue // a card's is told above
		}
		e.note(Anomaly{Code: code, Mailbox: name, Item: r.ID, Text: m.Text})
	}
	return nil
}

// part counts one calendar object.
func (e *examiner) part(name string, r model.ObjectRef, p icalendar.Part) {
	o := &e.out.Objects
	for _, text := range p.Doubts {
		e.note(Anomaly{Code: "objectDoubtful", Mailbox: name, Item: r.ID, AsIs: true, Text: text})
	}
	series, exceptions, zones := features(p.Text)
	for _, kind := range p.Components {
		switch kind {
		case "VEVENT":
			o.Events++
			if series {
				o.Series++
			}
			o.Exceptions += int64(exceptions)
		case "VTODO":
			o.Tasks++
		case "VJOURNAL":
			o.Journals++
		}
	}
	for _, z := range zones {
		if icalendar.IANA(z) == "" {
			e.note(Anomaly{Code: "unknownZone", Mailbox: name, Item: r.ID, AsIs: true, Text: fmt.Sprintf("the time zone %q is known by its definition alone; it is carried with that", z)})
		}
	}
}

// features looks at a prepared object: does it repeat, how many of its
// instances were changed, and which time zones does it define?
func features(text []byte) (series bool, exceptions int, zones []string) {
	inZone := false
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\r\n ", "")) {
		line = strings.TrimRight(line, "\r\n")
		name := line[:strings.IndexAny(line+":", ":;")]
		switch {
		case line == "BEGIN:VTIMEZONE":
			inZone = true
		case line == "END:VTIMEZONE":
			inZone = false
		case inZone:
			if name == "TZID" {
				zones = append(zones, line[strings.IndexByte(line, ':')+1:])
			}
		case name == "RRULE", name == "RDATE":
			series = true
		case name == "RECURRENCE-ID":
			exceptions++
		}
	}
	return series, exceptions, zones
}
