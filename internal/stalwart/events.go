package stalwart

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
)

// parseBlobs is how many blobs one CalendarEvent/parse takes
// (x:Jmap.parseLimitEvent).
const parseBlobs = 10

// parseEvents has the server read events, and returns what CalendarEvent/set
// takes of them. Events whose UID the server reads differently, or that it does
// not read at all, are absent.
func (a *Account) parseEvents(ctx context.Context, objects []destination.ObjectWrite, part []int, once bool) (map[int][]byte, error) {
	var files []*eventFile
	each := max(1, (len(part)+parseBlobs-1)/parseBlobs)
	for _, i := range part {
		f := (*eventFile)(nil)
		if n := len(files); n > 0 && files[n-1].n < each {
			f = files[n-1]
		}
		if f == nil || !f.add(objects[i].Content) {
			f = &eventFile{zones: map[string]string{}}
			if f.add(objects[i].Content) {
				files = append(files, f)
			}
		}
	}
	index := make(map[string]int, len(part))
	for _, i := range part {
		index[objects[i].UID] = i
	}
	out := make(map[int][]byte, len(part))
	var twice []int
	for _, some := range chunks(files, parseBlobs) {
		create := args{}
		var refs []string
		for k, f := range some {
			create["b"+strconv.Itoa(k)] = args{"data": []args{{"data:asText": f.text()}}, "type": "text/calendar"}
			refs = append(refs, "#b"+strconv.Itoa(k))
		}
		r := jmap.NewRequest(capCalendars, capBlob)
		r.Once = once
		r.Call("Blob/upload", args{"accountId": a.id, "create": create})
		id := r.Call("CalendarEvent/parse", args{"accountId": a.id, "blobIds": refs})
		resp, err := a.d.client.Do(ctx, r)
		if err != nil {
			return nil, err
		}
		var got struct {
			Parsed map[string][]json.RawMessage
		}
		if err := resp.Decode(id, &got); err != nil {
			return nil, fault(err)
		}
		for _, list := range got.Parsed {
			for _, e := range list {
				var about struct{ UID string }
				e = bytes.TrimSpace(e)
				if json.Unmarshal(e, &about) != nil || about.UID == "" {
					continue
				}
				i, asked := index[about.UID]
				if !asked {
					continue
				}
				if out[i] != nil {
					twice = append(twice, i)
				}
				out[i] = e[1 : len(e)-1]
			}
		}
	}
	for _, i := range twice {
		delete(out, i)
	}
	return out, nil
}

// eventFile is a VCALENDAR of the events of several others.
type eventFile struct {
	n      int
	zones  map[string]string // text by TZID
	events bytes.Buffer
}

// add takes a calendar object over; false: it defines a zone that is there
// already with another definition, or cannot be cut.
func (f *eventFile) add(content []byte) bool {
	zones, events, ok := cut(content)
	if !ok {
		return false
	}
	for id, text := range zones {
		if have, ok := f.zones[id]; ok && have != text {
			return false
		}
	}
	for id, text := range zones {
		f.zones[id] = text
	}
	f.events.WriteString(events)
	f.n++
	return true
}

func (f *eventFile) text() string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mailhaul//EN\r\n")
	for _, z := range f.zones {
		b.WriteString(z)
	}
	b.Write(f.events.Bytes())
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

// cut separates the VTIMEZONEs of a calendar object from its other components
// and drops the calendar's own properties.
func cut(content []byte) (zones map[string]string, events string, ok bool) {
	zones = map[string]string{}
	var one, rest strings.Builder
	depth, zone, tzid := 0, false, ""
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\r\n")
		if hasName(line, "BEGIN:") {
			depth++
			if depth == 2 {
				zone = strings.EqualFold(line, "BEGIN:VTIMEZONE")
				if zone {
					one.Reset()
				}
			}
		}
		if depth >= 2 {
			if zone && depth == 2 && hasName(line, "TZID") {
				tzid = strings.ToUpper(line)
			}
			to := &rest
			if zone {
				to = &one
			}
			to.WriteString(line)
			to.WriteString("\r\n")
		}
		if hasName(line, "END:") {
			if depth == 2 && zone {
				zones[tzid] = one.String()
			}
			depth--
		}
	}
	return zones, rest.String(), depth == 0 && rest.Len() > 0
}

// hasName compares a line's beginning without case.
func hasName(line, name string) bool {
	return len(line) >= len(name) && strings.EqualFold(line[:len(name)], name)
}
