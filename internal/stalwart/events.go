package stalwart

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// parseBlobs is how many blobs one CalendarEvent/parse takes
// (x:Jmap.parseLimitEvent).
const parseBlobs = 10

// createEvents stores those events by JMAP that it keeps in meaning, hundreds
// in a request, and returns the indexes of all others: those, and what the
// server's parser or set refuses, are for CalDAV.
func (a *Account) createEvents(ctx context.Context, in destination.Collection, objects []destination.ObjectWrite, out []destination.ObjectWritten) ([]int, error) {
	var exact, bulk []int
	for i, w := range objects {
		if w.Exact != "" || w.UID == "" {
			exact = append(exact, i)
		} else {
			bulk = append(bulk, i)
		}
	}
	// A few are faster by themselves.
	if len(bulk) < parseBlobs {
		return slices.Sorted(slices.Values(append(exact, bulk...))), nil
	}
	for _, part := range chunks(bulk, a.d.setMax()) {
		rest, err := a.createBulk(ctx, in, objects, part, out)
		if err != nil {
			return nil, err
		}
		exact = append(exact, rest...)
	}
	slices.Sort(exact)
	return exact, nil
}

// createBulk is one round of upload, parse and set. What became of each event
// is asked from the calendar itself: it alone tells the names under which
// CalDAV knows the new events.
func (a *Account) createBulk(ctx context.Context, in destination.Collection, objects []destination.ObjectWrite, part []int, out []destination.ObjectWritten) ([]int, error) {
	token, err := a.syncToken(ctx, in)
	if err != nil {
		return nil, err
	}
	parsed, err := a.parseEvents(ctx, objects, part)
	if err != nil {
		// An event can make the server's parser cut the connection. By CalDAV
		// it fails alone; and so does all if the server is away.
		if class := model.ClassOf(err); class == model.ClassItem || class == model.ClassRetry && ctx.Err() == nil {
			return part, nil
		}
		return nil, err
	}
	calendar, _ := splitID(in.ID)
	ids, _ := json.Marshal(map[string]bool{calendar: true})
	create := make(map[string]map[string]json.RawMessage, len(part))
	size := int64(0)
	for _, i := range part {
		e := parsed[objects[i].UID]
		if e == nil {
			continue
		}
		e["calendarIds"] = ids
		for k, v := range e {
			size += int64(len(k) + len(v) + 4)
		}
		if limit := a.d.session.Core.MaxSizeRequest; limit > 0 && size > limit*9/10 {
			break // the others go by CalDAV
		}
		create[strconv.Itoa(i)] = e
	}
	if len(create) == 0 {
		return part, nil
	}
	r := jmap.NewRequest(capCalendars)
	r.Once = true // the server does not see a UID twice that is not committed yet
	id := r.Call("CalendarEvent/set", args{"accountId": a.id, "create": create, "sendSchedulingMessages": false})
	resp, err := a.d.client.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	var got setAnswer
	if err := resp.Decode(id, &got); err != nil {
		return nil, fault(err)
	}
	for _, bad := range got.NotCreated {
		if bad.Type == "overQuota" {
			return nil, refusal(bad)
		}
	}
	have, err := a.changedSince(ctx, in, token)
	if err != nil {
		return nil, err
	}
	var rest []int
	for _, i := range part {
		if _, ok := got.Created[strconv.Itoa(i)]; !ok {
			rest = append(rest, i)
			continue
		}
		o, ok := have[objects[i].UID]
		if !ok {
			return nil, model.Faultf(model.ClassRetry, "badAnswer", "the calendar does not show an event that was just stored, %s", objects[i].UID)
		}
		out[i].Object, out[i].Converted = o.object(), o.data
	}
	return rest, nil
}

// parseEvents has the server read events, and returns what CalendarEvent/set
// takes of them, by UID. Events whose UID the server reads differently, or
// that it does not read at all, are absent.
func (a *Account) parseEvents(ctx context.Context, objects []destination.ObjectWrite, part []int) (map[string]map[string]json.RawMessage, error) {
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
	out := make(map[string]map[string]json.RawMessage, len(part))
	var twice []string
	for _, some := range chunks(files, parseBlobs) {
		create := args{}
		var refs []string
		for k, f := range some {
			create["b"+strconv.Itoa(k)] = args{"data": []args{{"data:asText": f.text()}}, "type": "text/calendar"}
			refs = append(refs, "#b"+strconv.Itoa(k))
		}
		r := jmap.NewRequest(capCalendars, capBlob)
		r.Call("Blob/upload", args{"accountId": a.id, "create": create})
		id := r.Call("CalendarEvent/parse", args{"accountId": a.id, "blobIds": refs})
		resp, err := a.d.client.Do(ctx, r)
		if err != nil {
			return nil, err
		}
		var got struct {
			Parsed map[string][]map[string]json.RawMessage
		}
		if err := resp.Decode(id, &got); err != nil {
			return nil, fault(err)
		}
		for _, list := range got.Parsed {
			for _, e := range list {
				var uid string
				if json.Unmarshal(e["uid"], &uid) != nil || uid == "" {
					continue
				}
				if out[uid] != nil {
					twice = append(twice, uid)
				}
				out[uid] = e
			}
		}
	}
	for _, uid := range twice {
		delete(out, uid)
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
		name := strings.ToUpper(strings.TrimRight(line, "\r\n"))
		if strings.HasPrefix(name, "BEGIN:") {
			depth++
			if depth == 2 {
				zone = name == "BEGIN:VTIMEZONE"
				one.Reset()
			}
		}
		if depth >= 2 {
			if zone && depth == 2 && strings.HasPrefix(name, "TZID") {
				tzid = name
			}
			one.WriteString(strings.TrimRight(line, "\r\n") + "\r\n")
		}
		if strings.HasPrefix(name, "END:") {
			if depth == 2 {
				if zone {
					zones[tzid] = one.String()
				} else {
					rest.WriteString(one.String())
				}
			}
			depth--
		}
	}
	return zones, rest.String(), depth == 0 && rest.Len() > 0
}

// syncToken is where a collection's changes stand (RFC 6578 §4).
func (a *Account) syncToken(ctx context.Context, in destination.Collection) (string, error) {
	_, path, err := a.at(in)
	if err != nil {
		return "", err
	}
	list, _, _, err := a.d.dav.query(ctx, "PROPFIND", "", path, "0", `<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:sync-token/></D:prop></D:propfind>`)
	if err != nil {
		return "", err
	}
	if len(list) != 1 || list[0].syncToken == "" {
		return "", model.Faultf(model.ClassAccount, "dav", "the calendar has no sync token")
	}
	return list[0].syncToken, nil
}

// changedSince reads by UID what was stored in a collection since a token.
func (a *Account) changedSince(ctx context.Context, in destination.Collection, token string) (map[string]davObject, error) {
	d, path, err := a.at(in)
	if err != nil {
		return nil, err
	}
	out := map[string]davObject{}
	for {
		list, next, truncated, err := a.d.dav.query(ctx, "REPORT", "", path, "0", `<?xml version="1.0"?><D:sync-collection `+nsBoth+`><D:sync-token>`+escapeXML(token)+
			`</D:sync-token><D:sync-level>1</D:sync-level>`+contentProp(d)+`</D:sync-collection>`)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			if !o.gone && o.version != "" {
				if uid := uidOf(o.data); uid != "" {
					out[uid] = o
				}
			}
		}
		if !truncated {
			return out, nil
		}
		if next == token || next == "" {
			return nil, model.Faultf(model.ClassRetry, "badAnswer", "%w", errors.New("the server does not tell all changes of a calendar"))
		}
		token = next
	}
}
