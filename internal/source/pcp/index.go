package pcp

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"time"
)

// Folder and Index are where a Maildir has its calendar.
const (
	Folder = "calendar"
	Index  = "index"
)

// Event is a line of the index.
type Event struct {
	// ID is the server's own: "1500000000.123456.4711_1.host@user".
	ID string
	// File is the name of the message in the folder. Every change gives the
	// event another one.
	File string
	// Times are when it takes place, in the order of the line.
	Times []Span
	// Cancelled events are shown as such.
	Cancelled bool
	// Participants are addresses of others, in whose calendars there are copies.
	Participants []string

	line string
}

// Span is a time at which an event takes place.
type Span struct{ Start, End time.Time }

// maxLine bounds a line of the index, in octets.
const maxLine = 1 << 20

// Read reads an index. Events that are not there for the user are left out: those
// that are about to be deleted (d), and times that are only held for one that is
// being written (b). damaged is how many lines cannot be understood.
func Read(r io.Reader) (events []Event, damaged int, err error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 4096), maxLine)
	for sc.Scan() {
		e, shown, ok := parse(sc.Text())
		switch {
		case !ok:
			damaged++
		case shown:
			events = append(events, e)
		}
	}
	return events, damaged, sc.Err()
}

// parse reads "id TAB file TAB field TAB field…".
func parse(line string) (e Event, shown, ok bool) {
	fields := strings.Split(line, "\t")
	if len(fields) < 2 || fields[0] == "" || fields[1] == "" || strings.Contains(fields[1], "/") || strings.HasPrefix(fields[1], ".") {
		return e, false, false
	}
	e, shown, ok = Event{ID: fields[0], File: fields[1], line: line}, true, true
	for _, f := range fields[2:] {
		switch name, value, _ := strings.Cut(f, "="); name {
		case "t":
			from, to, _ := strings.Cut(value, ",")
			start, err1 := strconv.ParseUint(from, 10, 40)
			end, err2 := strconv.ParseUint(to, 10, 40)
			if err1 != nil || err2 != nil {
				ok = false
				continue
			}
			e.Times = append(e.Times, Span{time.Unix(int64(start), 0).UTC(), time.Unix(int64(max(start, end)), 0).UTC()})
		case "c":
			e.Cancelled = true
		case "b", "d":
			shown = false
		case "p":
			if address, _, _ := strings.Cut(value, " "); address != "" {
				e.Participants = append(e.Participants, address)
			}
		}
	}
	return e, shown, ok
}
