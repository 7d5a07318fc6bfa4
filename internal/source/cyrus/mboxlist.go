package cyrus

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
)

// kind is the type of a mailbox.
type kind byte

const (
	kindMail         kind = 'e'
	kindCalendar     kind = 'c'
	kindAddressBook  kind = 'a'
	kindFiles        kind = 'b' // drive, and attachments, #jmap, #notifications
	kindSieve        kind = 'f'
	kindOther        kind = '?' // submission, push, news
	kindRemote       kind = 'r' // on another server of a murder
	kindIntermediate kind = 'i' // hierarchy only
)

// entry is a mailbox in the list.
type entry struct {
	name      name
	kind      kind
	id        string // empty before 2.5: the header has it
	partition string
	server    string // kindRemote
	validity  uint32 // UIDVALIDITY, from 2.5 on
	acl       []model.Grant
	rights    []string // of each entry of acl, with those that mail does not know
	legacy    bool     // lies by its name even where others lie by id
	deleted   bool     // below DELETED: a backup of the server's
}

// parseList reads mailboxes.db of any release. What cannot be read is told by
// the error, in numbers, and left out.
func parseList(records []cyrusdb.Record, deletedPrefix string) (out []entry, err error) {
	modern := false
	for _, r := range records {
		if bytes.HasPrefix(r.Key, []byte("N")) && (bytes.HasPrefix(r.Value, []byte("%(")) && bytes.IndexByte(r.Key, separator[0]) > 0) {
			modern = true
			break
		}
	}
	bad, first := 0, ""
	for _, r := range records {
		e, ok, perr := parseEntry(string(r.Key), r.Value, modern)
		if perr != nil {
			if bad++; first == "" {
				first = fmt.Sprintf("%q: %v", r.Key, perr)
			}
			continue
		}
		if !ok {
			continue
		}
		p := deletedPrefix
		if p == "" {
			p = "DELETED"
		}
		e.deleted = e.name.below(name{e.name.domain, strings.ReplaceAll(p, ".", separator)})
		out = append(out, e)
	}
	if bad > 0 {
		err = fmt.Errorf("%s cannot be understood, first %s", plural.Count(bad, "mailbox"), first)
	}
	return out, err
}

// parseEntry reads one record; ok tells that it is a mailbox.
func parseEntry(key string, value []byte, modern bool) (e entry, ok bool, err error) {
	if key == "" || key[0] == '$' || key[0] == separator[0] {
		return e, false, nil // housekeeping
	}
	if modern {
		rest, is := strings.CutPrefix(key, "N")
		if !is {
			return e, false, nil // indexes
		}
		e.name = newName(rest)
	} else {
		e.name = oldName(key)
	}
	if !bytes.HasPrefix(value, []byte("%(")) {
		ok, err = e.numbered(string(value))
		return e, ok, err
	}
	d, err := parseDlist(value)
	if err != nil {
		return e, false, err
	}
	e.id, e.partition, e.server = d.str("I"), d.str("P"), d.str("S")
	e.validity = uint32(d.num("V"))
	if acl, ok := d.get("A"); ok {
		for i, k := range acl.keys {
			e.acl, e.rights = append(e.acl, grant(k, acl.list[i].text)), append(e.rights, acl.list[i].text)
		}
		if !acl.isList {
			e.acl, e.rights = parseACL(acl.text), aclLetters(acl.text)
		}
	}
	return e, e.letters(d.str("T"), modern), nil
}

// letters reads the type: one letter for the kind, then flags. It reports
// whether there is a mailbox at all.
func (e *entry) letters(t string, modern bool) bool {
	e.kind = kindMail
	e.legacy = !modern
	for i := range len(t) {
		switch c := t[i]; c {
		case 'e':
		case 'c', 'a', 'b', 'f':
			e.kind = kind(c)
		case 's', 'p', 'n', 'j':
			e.kind = kindOther
		case 'd', 'z':
			return false // a tombstone; reserved
		case 'i':
			e.kind = kindIntermediate
		case 'r', 'm':
			e.kind = kindRemote
		case 'l':
			e.legacy = true
		default:
			e.kind = kindOther
		}
	}
	return true
}

var errEntry = errors.New("no entry of a mailbox list")

// numbered reads "0 default anna TAB lrswipcda TAB" of 2.4 and older.
func (e *entry) numbered(v string) (bool, error) {
	if rest, ok := strings.CutPrefix(v, "("); ok { // extensions of some builds
		inner, after, ok := strings.Cut(rest, ") ")
		if !ok {
			return false, errEntry
		}
		f := strings.Fields(inner)
		for i := 0; i+1 < len(f); i += 2 {
			if f[i] == "uniqueid" {
				e.id = f[i+1]
			}
		}
		v = after
	}
	number, rest, ok := strings.Cut(v, " ")
	bits, err := strconv.ParseUint(number, 10, 32)
	if !ok || err != nil {
		return false, errEntry
	}
	var acl string
	e.partition, acl, _ = strings.Cut(rest, " ")
	if server, p, ok := strings.Cut(e.partition, "!"); ok {
		e.server, e.partition = server, p
	}
	e.acl, e.rights, e.kind, e.legacy = parseACL(acl), aclLetters(acl), kindMail, true
	switch {
	case bits&(2|16) != 0: // reserved, deleted
		return false, nil
	case bits&(1|8) != 0: // remote, moving
		e.kind = kindRemote
	case bits&4 != 0:
		e.kind = kindOther // news
	case bits&32 != 0:
		e.kind = kindCalendar
	case bits&64 != 0:
		e.kind = kindAddressBook
	}
	return true, nil
}
