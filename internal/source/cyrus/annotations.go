package cyrus

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
)

// annotation is one value of annotations.db.
type annotation struct {
	// mailbox is the unique id (3.6 and later) or the internal name.
	mailbox string
	entry   string
	// user is whose private value it is; empty is everybody's, ownerUser the
	// owner's.
	user  string
	value string
}

// ownerUser stands for the mailbox's owner since 3.6.
const ownerUser = "[.OwNeR.]"

// Entries that are looked at.
const (
	entrySpecialUse = "/specialuse"
	entryComment    = "/comment"
	entryExpire     = "/vendor/cmu/cyrus-imapd/expire" // days
)

// Properties of calendars and address books, by the names that WebDAV has for
// them, and the own part of each user in an event.
const (
	davEntry        = "/vendor/cmu/cyrus-httpd/"
	davDisplayName  = davEntry + "<DAV:>displayname"
	davCalendarText = davEntry + "<urn:ietf:params:xml:ns:caldav>calendar-description"
	davBookText     = davEntry + "<urn:ietf:params:xml:ns:carddav>addressbook-description"
	davColor        = davEntry + "<http://apple.com/ns/ical/>calendar-color"
	davBookColor    = davEntry + "<http://inf-it.com/ns/ab/>addressbook-color"
	davOrder        = davEntry + "<http://apple.com/ns/ical/>calendar-order"
	davTransparent  = davEntry + "<urn:ietf:params:xml:ns:caldav>schedule-calendar-transp"
	davComponents   = davEntry + "<urn:ietf:params:xml:ns:caldav>supported-calendar-component-set"
	davZone         = davEntry + "<urn:ietf:params:xml:ns:caldav>calendar-timezone"
	davZoneID       = davEntry + "<urn:ietf:params:xml:ns:caldav>calendar-timezone-id"
	davOwnPart      = davEntry + "<http://cyrusimap.org/ns/>per-user-calendar-data"
)

var davEntries = []string{davDisplayName, davCalendarText, davBookText, davColor, davBookColor, davOrder, davTransparent, davComponents, davZone, davZoneID}

// own is what the owner sees as a value: its own, else everybody's.
func own(values []annotation, entry, owner string) string {
	shared := ""
	for _, a := range values {
		switch {
		case !strings.EqualFold(a.entry, entry):
		case a.user == ownerUser || a.user == owner:
			return a.value
		case a.user == "":
			shared = a.value
		}
	}
	return shared
}

// parseAnnotation reads a record of annotations.db; ok is false for what is
// deleted or none.
func parseAnnotation(r cyrusdb.Record) (a annotation, ok bool) {
	f := bytes.SplitN(r.Key, []byte{0}, 4)
	if len(f) < 3 {
		return a, false
	}
	a.mailbox, a.entry, a.user = string(f[0]), string(f[1]), string(f[2])
	v := r.Value
	if len(v) < 4 {
		return a, false
	}
	n := uint64(binary.BigEndian.Uint32(v))
	v = v[4:]
	width := 4
	// A 64-bit server leaves room for eight octets behind a length of four.
	if len(v) >= 4 && bytes.Equal(v[:4], []byte{0, 0, 0, 0}) && n != 0 {
		v, width = v[4:], 8
	}
	if n == 0 || uint64(len(v)) < n {
		return a, false
	}
	a.value = string(v[:n])
	rest := bytes.TrimPrefix(v[n:], []byte{0})
	if _, after, found := bytes.Cut(rest, []byte{0}); found { // the content type
		rest = after
	}
	if at := width + 8; len(rest) > at && rest[at]&1 != 0 { // a time, a modseq, flags
		return a, false
	}
	return a, true
}

// parseAnnotations groups the values by mailbox, for those entries that are
// asked for.
func parseAnnotations(records []cyrusdb.Record, entries ...string) map[string][]annotation {
	out := map[string][]annotation{}
	for _, r := range records {
		a, ok := parseAnnotation(r)
		if !ok {
			continue
		}
		for _, e := range entries {
			if strings.EqualFold(a.entry, e) {
				out[a.mailbox] = append(out[a.mailbox], a)
			}
		}
	}
	return out
}

// roles of the special-use attributes (RFC 6154), which Cyrus keeps in the
// case that a client wrote.
var roles = map[string]model.Role{
	`\archive`: model.RoleArchive, `\drafts`: model.RoleDrafts, `\sent`: model.RoleSent, `\trash`: model.RoleTrash,
	`\junk`: model.RoleJunk, `\important`: model.RoleImportant,
}

// roleOf is the special use that the owner gave.
func roleOf(values []annotation, owner string) model.Role {
	for _, a := range values {
		if a.entry != entrySpecialUse || a.user != ownerUser && a.user != owner {
			continue
		}
		for use := range strings.FieldsSeq(a.value) {
			if r, ok := roles[strings.ToLower(use)]; ok {
				return r
			}
		}
	}
	return model.RoleNone
}

// annotationsOf are the values of a mailbox, by its id since 3.6, by its name
// before.
func annotationsOf(all map[string][]annotation, e entry) []annotation {
	return slices.Concat(all[e.id], all[e.name.String()])
}
