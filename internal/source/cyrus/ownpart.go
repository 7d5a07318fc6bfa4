package cyrus

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
)

// ownPart is what a user has of its own in an event that several use: alarms,
// whether it makes busy. The server keeps it apart from the event, in an
// annotation of the message (imap/http_caldav.c).
type ownPart struct {
	patch   []byte // a VPATCH; nil: none
	version string
}

// ownParts are the owner's in a mailbox, by UID.
func (st *Store) ownParts(p place, e entry) (map[uint32]ownPart, error) {
	owner, _, _ := e.name.owner()
	out := map[uint32]ownPart{}
	for _, dir := range p.meta {
		records, err := cyrusdb.Read(dir + "/cyrus.annotations")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, cyrusdb.ErrDamaged) {
			return nil, fmt.Errorf("%w: cyrus.annotations: %w", errIndex, err)
		}
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			a, ok := parseAnnotation(r)
			uid, err := strconv.ParseUint(a.mailbox, 10, 32)
			if !ok || err != nil || !strings.EqualFold(a.entry, davOwnPart) || a.user != ownerUser && a.user != owner {
				continue
			}
			if patch := vpatch([]byte(a.value)); patch != nil {
				h := fnv.New64a()
				h.Write(patch)
				out[uint32(uid)] = ownPart{patch, fmt.Sprintf("%x", h.Sum64())}
			}
		}
		break
	}
	return out, nil
}

// vpatch is the text in "CALDATA %(… VPATCH {n+}…)".
func vpatch(value []byte) []byte {
	i := bytes.Index(value, []byte("%("))
	if i < 0 {
		return nil
	}
	d, err := parseDlist(value[i:])
	if err != nil {
		return nil
	}
	v, ok := d.get("VPATCH")
	if !ok || v.text == "" {
		return nil
	}
	return []byte(v.text)
}

// component is a part of an iCalendar: its lines as they stand, folded.
type component struct {
	name  string
	lines []string // of properties
	kids  []*component
}

// readComponent reads text into a tree; nil for what is none. Lines keep their
// folds and ends.
func readComponent(text []byte) *component {
	var stack []*component
	var root *component
	var line string
	take := func() bool {
		defer func() { line = "" }()
		name, value := property(line)
		switch {
		case line == "":
		case name == "BEGIN":
			c := &component{name: strings.ToUpper(value)}
			if n := len(stack); n > 0 {
				stack[n-1].kids = append(stack[n-1].kids, c)
			} else if root != nil {
				return false
			} else {
				root = c
			}
			stack = append(stack, c)
		case len(stack) == 0:
			return strings.TrimSpace(line) == ""
		case name == "END":
			stack = stack[:len(stack)-1]
		default:
			c := stack[len(stack)-1]
			c.lines = append(c.lines, line)
		}
		return true
	}
	for l := range bytes.Lines(text) {
		if line != "" && (l[0] == ' ' || l[0] == '\t') {
			line += string(l)
			continue
		}
		if !take() {
			return nil
		}
		line = string(l)
	}
	if !take() || len(stack) > 0 {
		return nil
	}
	return root
}

// property is the name, in upper case and without parameters, and the value of
// a line that may be folded.
func property(line string) (name, value string) {
	line = strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(line)
	line = strings.TrimRight(line, "\r\n")
	quoted := false
	for i := range len(line) {
		switch line[i] {
		case '"':
			quoted = !quoted
		case ':':
			if !quoted {
				name, _, _ = strings.Cut(line[:i], ";")
				return strings.ToUpper(name), line[i+1:]
			}
		}
	}
	return strings.ToUpper(line), ""
}

func (c *component) value(name string) string {
	for _, l := range c.lines {
		if n, v := property(l); n == name {
			return v
		}
	}
	return ""
}

func (c *component) write(b *bytes.Buffer) {
	b.WriteString("BEGIN:" + c.name + "\r\n")
	for _, l := range c.lines {
		b.WriteString(strings.TrimRight(l, "\r\n") + "\r\n")
	}
	for _, k := range c.kids {
		k.write(b)
	}
	b.WriteString("END:" + c.name + "\r\n")
}

// patched puts the user's own part back into an event: properties replace those
// of their name, components are added. What cannot be understood is left as it
// is stored.
func patched(text, patch []byte) []byte {
	calendar, own := readComponent(text), readComponent(patch)
	if calendar == nil || own == nil {
		return text
	}
	if own.name != "VPATCH" { // it may stand in a calendar of its own
		for _, k := range own.kids {
			if k.name == "VPATCH" {
				own = k
				break
			}
		}
	}
	for _, p := range own.kids {
		if p.name != "PATCH" {
			continue
		}
		if to := calendar.target(p.value("PATCH-TARGET")); to != nil {
			to.apply(p)
		}
	}
	var b bytes.Buffer
	calendar.write(&b)
	return b.Bytes()
}

// target finds "/VCALENDAR/VEVENT[UID=x][RID=M]": M is the event itself, else
// it is one of its exceptions. Values may be quoted or escaped.
func (c *component) target(path string) *component {
	_, rest, ok := strings.Cut(path, "/VCALENDAR/")
	if !ok {
		return nil
	}
	name, conditions, _ := strings.Cut(rest, "[")
	uid, rid := "", "M"
	for part := range strings.SplitSeq(conditions, "[") {
		key, value, _ := strings.Cut(strings.TrimSuffix(part, "]"), "=")
		value = strings.Trim(value, `"`)
		switch key {
		case "UID":
			uid = value
		case "RID":
			rid = value
		}
	}
	for _, k := range c.kids {
		if k.name != strings.ToUpper(name) || uid != "" && k.value("UID") != uid {
			continue
		}
		if at := k.value("RECURRENCE-ID"); at == rid || at == "" && (rid == "M" || rid == "") {
			return k
		}
	}
	return nil
}

func (c *component) apply(p *component) {
	replaced := map[string]bool{"PATCH-TARGET": true}
	var add []string
	for _, l := range p.lines {
		if n, _ := property(l); n != "PATCH-TARGET" {
			replaced[n] = true
			add = append(add, l)
		}
	}
	kept := c.lines[:0:0]
	for _, l := range c.lines {
		if n, _ := property(l); !replaced[n] {
			kept = append(kept, l)
		}
	}
	c.lines = append(kept, add...)
	c.kids = append(c.kids, p.kids...)
}
