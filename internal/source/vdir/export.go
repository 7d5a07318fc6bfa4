package vdir

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// export is what a file of many events or cards holds. Only places in it are
// kept, not its text.
type export struct {
	pieces []piece
	// What the calendar says of itself: X-WR-CALNAME and its like.
	name, description, color, zone string
}

// piece is one object: all components of a UID with the time zones that they
// name, or a card.
type piece struct {
	uid     string
	parts   []part
	tail    string // what closes it
	version string
}

// part is a stretch of the file, in octets.
type part struct{ from, to int64 }

func (p piece) id(collection string) string { return collection + "#" + url.PathEscape(p.uid) }

func (p piece) size() int64 {
	n := int64(len(p.tail))
	for _, s := range p.parts {
		n += s.to - s.from
	}
	return n
}

func (p piece) reader(r io.ReaderAt) io.Reader {
	var all []io.Reader
	for _, s := range p.parts {
		all = append(all, io.NewSectionReader(r, s.from, s.to-s.from))
	}
	return io.MultiReader(append(all, strings.NewReader(p.tail))...)
}

// file is what exports are read from.
type file interface {
	io.Reader
	io.ReaderAt
}

// readExport finds the objects of a file. A file in which none is found is one
// object, as it lies.
func readExport(f file, kind model.Kind) (*export, error) {
	x := &export{}
	s := &splitter{r: bufio.NewReaderSize(f, 64<<10)}
	var err error
	if kind == model.KindContacts {
		err = x.cards(s)
	} else {
		err = x.calendars(s)
	}
	if err == nil {
		err = s.err // what follows is unknown: nobody may take it for gone
	}
	if err != nil {
		return nil, err
	}
	if len(x.pieces) == 0 && s.at > 0 {
		x.pieces = []piece{{uid: "all", parts: []part{{0, s.at}}}}
	}
	taken := map[string]bool{}
	for i := range x.pieces {
		p := &x.pieces[i]
		h := sha256.New()
		if _, err := io.Copy(h, p.reader(f)); err != nil {
			return nil, err
		}
		p.version = hex.EncodeToString(h.Sum(nil)[:12])
		if p.uid == "" {
			p.uid = "no-uid-" + p.version
		}
		for n, uid := 2, p.uid; taken[p.uid]; n++ {
			p.uid = fmt.Sprintf("%s (%d)", uid, n)
		}
		taken[p.uid] = true
	}
	return x, nil
}

// splitter reads lines and knows where they are.
type splitter struct {
	r     *bufio.Reader
	at    int64 // where the next line begins
	begin int64 // where the present one does
	line  []byte
	err   error // that ended it, other than the end
}

// maxLine is how much of a line is looked at; longer ones are photos.
const maxLine = 4 << 10

// next reads a physical line; what is beyond maxLine is passed over.
func (s *splitter) next() bool {
	s.begin, s.line = s.at, s.line[:0]
	for {
		some, err := s.r.ReadSlice('\n')
		s.at += int64(len(some))
		if room := maxLine - len(s.line); room > 0 {
			s.line = append(s.line, some[:min(room, len(some))]...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			s.err = err
			return false
		}
		if s.begin == 0 {
			s.line = bytes.TrimPrefix(s.line, []byte("\ufeff"))
		}
		return s.at > s.begin
	}
}

// folded reports that the line continues the one before.
func (s *splitter) folded() bool {
	return len(s.line) > 0 && (s.line[0] == ' ' || s.line[0] == '\t')
}

// property splits a line into name, parameters and value.
func property(line []byte) (name, params, value string) {
	text := strings.TrimRight(string(line), "\r\n")
	quoted := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			head := text[:i]
			if j := strings.IndexByte(head, ';'); j >= 0 {
				params = head[j+1:]
				head = head[:j]
			}
			if j := strings.LastIndexByte(head, '.'); j >= 0 { // Apple's groups: item1.EMAIL
				head = head[j+1:]
			}
			return strings.ToUpper(strings.TrimSpace(head)), params, text[i+1:]
		}
	}
	return "", "", text
}

// loose are what may stand outside of a calendar in a broken export.
var loose = []string{"VEVENT", "VTODO", "VJOURNAL"}

// component is one of a calendar, between BEGIN and END.
type component struct {
	part
	uid   string
	zones []string
}

func (x *export) calendars(s *splitter) error {
	var depth int
	var cal calendar
	var now component
	var kind string
	var uid *string  // the value that a folded line continues
	var zone *string // or the TZID of a time zone
	var tzid string
	alone := false // a component without a calendar
	for s.next() {
		if s.folded() {
			more := strings.TrimRight(string(s.line[1:]), "\r\n")
			if uid != nil {
				*uid += more
			}
			if zone != nil {
				*zone += more
			}
			continue
		}
		uid, zone = nil, nil
		name, params, value := property(s.line)
		switch upper := strings.ToUpper(strings.TrimSpace(value)); {
		case depth == 0 && name == "BEGIN" && upper == "VCALENDAR":
			depth, cal = 1, calendar{head: []part{{s.begin, s.at}}, zones: map[string][]part{}}
		case depth == 0 && !(name == "BEGIN" && slices.Contains(loose, upper)):
		case name == "BEGIN":
			if depth == 0 { // outside of any calendar: one of its own
				depth, alone, cal = 1, true, calendar{zones: map[string][]part{}}
			}
			if depth++; depth == 2 {
				kind, tzid, now = upper, "", component{part: part{from: s.begin}}
			}
		case name == "END":
			depth--
			if depth == 1 {
				now.to = s.at
				cal.take(kind, tzid, now)
				if alone {
					depth, alone = 0, false
				}
			}
			if depth == 0 {
				x.pieces = append(x.pieces, cal.pieces()...)
			}
		case depth == 1:
			cal.property(s)
			x.about(name, value)
		case depth == 2 && name == "UID":
			now.uid = strings.TrimSpace(value)
			uid = &now.uid
		case depth == 2 && kind == "VTIMEZONE" && name == "TZID":
			tzid = value
			zone = &tzid
		default:
			if id := parameter(params, "TZID"); id != "" {
				now.zones = append(now.zones, id)
			}
		}
	}
	if depth > 0 { // it ends in the middle: what there is counts
		if depth > 1 {
			now.to = s.at
			cal.take(kind, tzid, now)
		}
		x.pieces = append(x.pieces, cal.pieces()...)
	}
	return nil
}

// calendar is one VCALENDAR of a file.
type calendar struct {
	head  []part
	zones map[string][]part
	all   []component
}

// property keeps a property of the calendar itself, with its folded lines.
func (c *calendar) property(s *splitter) {
	for {
		next, err := s.r.Peek(1)
		if err != nil || next[0] != ' ' && next[0] != '\t' {
			break
		}
		begin := s.begin
		s.next()
		s.begin = begin
	}
	c.head = append(c.head, part{s.begin, s.at})
}

func (c *calendar) take(kind, tzid string, now component) {
	if kind == "VTIMEZONE" {
		c.zones[tzid] = append(c.zones[tzid], now.part)
		return
	}
	c.all = append(c.all, now)
}

// pieces puts the components of each UID together, in the order of the file.
func (c *calendar) pieces() (out []piece) {
	at := map[string]int{}
	var zones []map[string]bool
	var bodies [][]part
	for _, comp := range c.all {
		i, ok := at[comp.uid]
		if !ok || comp.uid == "" {
			i = len(bodies)
			at[comp.uid] = i
			bodies, zones = append(bodies, nil), append(zones, map[string]bool{})
			out = append(out, piece{uid: comp.uid, tail: "END:VCALENDAR\r\n"})
		}
		bodies[i] = append(bodies[i], comp.part)
		for _, z := range comp.zones {
			zones[i][z] = true
		}
	}
	for i := range out {
		p := append([]part{}, c.head...)
		for _, name := range slices.Sorted(maps.Keys(zones[i])) {
			p = append(p, c.zones[name]...)
		}
		out[i].parts = merged(append(p, bodies[i]...))
	}
	return out
}

// cards finds the cards of a file; a card in a card (AGENT) belongs to it.
func (x *export) cards(s *splitter) error {
	depth := 0
	var p piece
	var uid *string
	for s.next() {
		if s.folded() {
			if uid != nil {
				*uid += strings.TrimRight(string(s.line[1:]), "\r\n")
			}
			continue
		}
		uid = nil
		name, _, value := property(s.line)
		card := strings.EqualFold(strings.TrimSpace(value), "VCARD")
		switch {
		case name == "BEGIN" && card:
			if depth++; depth == 1 {
				p = piece{parts: []part{{s.begin, s.at}}}
			}
		case depth == 0:
		case name == "END" && card:
			if depth--; depth == 0 {
				p.parts[0].to = s.at
				x.pieces = append(x.pieces, p)
			}
		case depth == 1 && name == "UID":
			p.uid = strings.TrimSpace(value)
			uid = &p.uid
		}
	}
	if depth > 0 {
		p.parts[0].to = s.at
		x.pieces = append(x.pieces, p)
	}
	return nil
}

// about takes in what a calendar says of itself.
func (x *export) about(name, value string) {
	to := map[string]*string{"X-WR-CALNAME": &x.name, "NAME": &x.name, "X-WR-CALDESC": &x.description, "DESCRIPTION": &x.description,
		"X-APPLE-CALENDAR-COLOR": &x.color, "COLOR": &x.color, "X-WR-TIMEZONE": &x.zone}[name]
	if to != nil && *to == "" {
		*to = strings.TrimSpace(strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(shown(value)))
	}
}

// parameter is the value of a parameter, without quotes.
func parameter(params, name string) string {
	for p := range strings.SplitSeq(params, ";") {
		if k, v, ok := strings.Cut(p, "="); ok && strings.EqualFold(k, name) {
			return strings.Trim(v, `"`)
		}
	}
	return ""
}

// merged joins parts that follow one another in the file.
func merged(parts []part) (out []part) {
	for _, p := range parts {
		if n := len(out); n > 0 && out[n-1].to == p.from {
			out[n-1].to = p.to
			continue
		}
		out = append(out, p)
	}
	return out
}
