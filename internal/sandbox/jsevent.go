package sandbox

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// The form that JMAP has for calendar objects, as the server speaks it
// (draft-ietf-calext-jscalendar-icalendar): what is said of an event in
// JSCalendar's words, and beside it, under "iCalendar", the properties and
// components that have none, and the parameters of those that have. The sandbox
// uses the words for UID, title, class, times, series and exceptions; the server
// knows many more. What is lost on the way is what the server loses:
// definitions of zones, DTSTAMP, all rules but one, what RANGE says of an
// exception, an EXDATE under an exception, classes without a word.

// jsEvents has the events and tasks of a calendar in that form. false: the
// server's parser breaks off over it.
func jsEvents(cal *component) ([]any, bool) {
	groups := map[string][]*component{}
	var uids []string
	for _, c := range cal.children {
		switch c.name {
		case "VTIMEZONE":
			continue
		case "VEVENT", "VTODO":
		default:
			return nil, false
		}
		uid := c.text("UID")
		if groups[uid] == nil {
			uids = append(uids, uid)
		}
		groups[uid] = append(groups[uid], c)
	}
	var out []any
	for _, uid := range uids {
		o := jsSeries(groups[uid])
		if m := cal.text("METHOD"); m != "" {
			o["method"] = strings.ToLower(m)
		}
		out = append(out, o)
	}
	return out, len(out) > 0
}

// jsSeries joins an event and its exceptions.
func jsSeries(all []*component) obj {
	i := max(slices.IndexFunc(all, func(c *component) bool { return !c.has("RECURRENCE-ID") }), 0)
	master := all[i]
	o, overrides := jsEvent(master, "")
	for _, c := range all {
		id, ok := c.first("RECURRENCE-ID")
		if !ok || c == master {
			continue
		}
		key, _ := jsTime(id.Value)
		patch, _ := jsEvent(c, id.First("RANGE"))
		for _, said := range []string{"@type", "uid", "timeZone", "showWithoutTime"} {
			delete(patch, said)
		}
		overrides[key] = patch
	}
	if len(overrides) > 0 {
		o["recurrenceOverrides"] = overrides
	}
	return o
}

// jsEvent has one component in that form, and what it says of single instances.
func jsEvent(c *component, within string) (o, overrides obj) {
	o, overrides = obj{"@type": map[bool]string{true: "Task", false: "Event"}[c.name == "VTODO"]}, obj{}
	said := obj{} // convertedProperties
	var rest []any
	keep := func(l contentline.Line) { rest = append(rest, jcal(l)) }
	start, started := c.first("DTSTART")
	if started && oddTime(start) {
		started = false
	}
	for _, l := range c.lines {
		word := ""
		switch {
		case l.Is("UID"):
			o["uid"] = strings.TrimSpace(contentline.Unescape(l.Value))
		case l.Is("DTSTAMP"):
			if t, err := time.Parse("20060102T150405Z", l.Value); err == nil {
				o["updated"] = t.Format(time.RFC3339)
			}
		case l.Is("SUMMARY"):
			word = "title"
			o[word] = contentline.Unescape(l.Value)
		case l.Is("CLASS"):
			word = "privacy"
			o[word] = contentline.Unescape(l.Value)
			if slices.Contains(classes, strings.ToUpper(l.Value)) {
				o[word] = strings.ToLower(l.Value)
			}
		case l.Is("RRULE"):
			word = "recurrenceRule"
			o[word] = l.Value
		case l.Is("DTSTART") && started:
			word = "start"
			at, days := jsTime(l.Value)
			o[word] = at
			if days {
				o["showWithoutTime"] = true
			}
			if z := zoneName(l); z != "" {
				o["timeZone"] = z
			}
		case l.Is("DTEND") && started:
			d, ok := between(start, l)
			if !ok {
				keep(l)
				break
			}
			o["duration"] = d
			said["duration"] = obj{"name": "dtend"}
		case l.Is("EXDATE", "RDATE") && started && !strings.Contains(l.Value, "/"):
			for v := range strings.SplitSeq(l.Value, ",") {
				key, _ := jsTime(v)
				overrides[key] = obj{}
				if l.Is("EXDATE") {
					overrides[key] = obj{"excluded": true}
				}
			}
		case l.Is("RECURRENCE-ID") && within != "":
			said["recurrenceId"] = obj{"parameters": obj{"range": "TRUE"}}
		case l.Is("RECURRENCE-ID"):
		default:
			keep(l)
		}
		if p := jcalParameters(l); word != "" && len(p) > 0 {
			said[word] = obj{"parameters": p}
		}
	}
	about := obj{}
	if len(rest) > 0 {
		about["properties"] = rest
	}
	if len(said) > 0 {
		about["convertedProperties"] = said
	}
	if len(c.children) > 0 {
		about["components"] = jcalComponents(c.children)
	}
	if len(about) > 0 {
		about["name"] = strings.ToLower(c.name)
		o["iCalendar"] = about
	}
	return o, overrides
}

// classes are those that JSCalendar has words for (RFC 8984 §4.4.3).
var classes = []string{"PUBLIC", "PRIVATE", "CONFIDENTIAL"}

// jcal is a property as jCal has it (RFC 7265 §3.4), with its value as it is
// written.
func jcal(l contentline.Line) []any {
	return []any{strings.ToLower(l.Name), jcalParameters(l), "unknown", l.Value}
}

func jcalParameters(l contentline.Line) obj {
	out := obj{}
	for _, p := range l.Params {
		values := make([]any, len(p.Values))
		for i, v := range p.Values {
			values[i] = v
		}
		out[strings.ToLower(p.Name)] = values
	}
	return out
}

// jcalComponents are alarms and the like; the server gives each a name.
func jcalComponents(all []*component) []any {
	var out []any
	for i, c := range all {
		var lines []any
		for _, l := range c.lines {
			lines = append(lines, jcal(l))
		}
		if c.name == "VALARM" && !c.has("JSID") {
			lines = append(lines, jcal(contentline.New("JSID", "k"+strconv.Itoa(i+1))))
		}
		out = append(out, []any{strings.ToLower(c.name), lines, jcalComponents(c.children)})
	}
	return out
}

// icalEvent writes what jsEvents made; it is its inverse but for what is lost.
// organizer is who becomes the organizer of a meeting that names none.
func icalEvent(v value, now time.Time, organizer string) *component {
	cal := &component{name: "VCALENDAR", lines: []contentline.Line{contentline.New("VERSION", "2.0")}}
	stamp := contentline.New("DTSTAMP", now.UTC().Format("20060102T150405Z"))
	master := icalComponent(v, v, stamp)
	times := map[string][]string{}
	overrides := map[string]value{}
	for _, m := range v.get("recurrenceOverrides").members {
		overrides[m.name] = m.value
	}
	for _, at := range slices.Sorted(maps.Keys(overrides)) {
		switch patch := overrides[at]; {
		case patch.get("excluded").bool:
			times["EXDATE"] = append(times["EXDATE"], at)
		case len(patch.members) == 0:
			times["RDATE"] = append(times["RDATE"], at)
		default:
			c := icalComponent(v, patch, stamp)
			id := icalTime("RECURRENCE-ID", v, at)
			if r := converted(patch, "recurrenceId").get("range"); r.text != "" {
				id = id.WithParams(append([]contentline.Param{{Name: "RANGE", Values: []string{r.text}}}, id.Params...))
			}
			c.lines = append(c.lines, id)
			cal.children = append(cal.children, c)
		}
	}
	for _, name := range []string{"RDATE", "EXDATE"} {
		if len(times[name]) == 0 {
			continue
		}
		var values []string
		for _, at := range times[name] {
			values = append(values, icalTime(name, v, at).Value)
		}
		master.lines = append(master.lines, icalTime(name, v, times[name][0]).WithValue(strings.Join(values, ",")))
	}
	if master.has("ATTENDEE") && !master.has("ORGANIZER") {
		master.lines = append(master.lines, contentline.New("ORGANIZER", "mailto:"+organizer))
	}
	cal.children = append(cal.children, master)
	return cal
}

// icalComponent writes an event, or an exception of it, which has the event's
// UID and zone.
func icalComponent(event, v value, stamp contentline.Line) *component {
	c := &component{name: "VEVENT"}
	if event.get("@type").text == "Task" {
		c.name = "VTODO"
	}
	add := func(l contentline.Line) { c.lines = append(c.lines, l) }
	add(contentline.New("UID", contentline.Escape(event.get("uid").text)))
	add(stamp)
	if at := v.get("start"); at.isSet() {
		add(icalTime("DTSTART", event, at.text))
		if d := v.get("duration"); d.isSet() {
			add(icalTime("DTEND", event, plusDuration(event, at.text, d.text)))
		}
	}
	if t := v.get("title"); t.isSet() {
		add(contentline.New("SUMMARY", contentline.Escape(t.text), lineParams(converted(v, "title"))...))
	}
	if p := v.get("privacy"); p.isSet() {
		if class := strings.ToUpper(p.text); slices.Contains(classes, class) {
			add(contentline.New("CLASS", class))
		} else {
			add(contentline.New("JSPROP", `"`+p.text+`"`, contentline.Param{Name: "JSPTR", Values: []string{"privacy"}}))
		}
	}
	if r := v.get("recurrenceRule"); r.isSet() {
		add(contentline.New("RRULE", r.text))
	}
	about := v.get("iCalendar")
	c.lines = append(c.lines, icalLines(about.get("properties").list)...)
	c.children = icalComponents(about.get("components").list)
	return c
}

func icalComponents(list []value) (out []*component) {
	for _, v := range list {
		if len(v.list) == 3 {
			out = append(out, &component{name: strings.ToUpper(v.list[0].text), lines: icalLines(v.list[1].list), children: icalComponents(v.list[2].list)})
		}
	}
	return out
}

func icalLines(list []value) (out []contentline.Line) {
	for _, v := range list {
		if len(v.list) == 4 {
			out = append(out, contentline.New(strings.ToUpper(v.list[0].text), v.list[3].text, lineParams(v.list[1])...))
		}
	}
	return out
}

// converted are the parameters that a word's property had.
func converted(v value, word string) value {
	return v.get("iCalendar").get("convertedProperties").get(word).get("parameters")
}

func lineParams(v value) (out []contentline.Param) {
	for _, m := range v.members {
		p := contentline.Param{Name: strings.ToUpper(m.name)}
		for _, one := range append([]value{m.value}, m.value.list...) {
			if one.kind == kindString {
				p.Values = append(p.Values, one.text)
			}
		}
		out = append(out, p)
	}
	return out
}
