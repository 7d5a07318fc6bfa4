package icalendar

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// What vCalendar 1.0 says in words of its own, and RFC 5545 in others, is written
// in the latter, whatever version a text claims to have: there it means nothing
// else. What has no equivalent stays and is named (doubts.go).

// oldAlarms are the alarms of vCalendar 1.0: "run time;snooze time;repeat
// count;what". Those that send mail or run a program have no equivalent that
// would be safe: Stalwart mails an alarm of kind EMAIL to the owner of the
// calendar, whomever it was meant for, and the program that wrote this is gone.
var oldAlarms = []string{"DALARM", "AALARM", "MALARM", "PALARM"}

// modernize rewrites what is in the words of vCalendar 1.0 in one object; old says
// that its calendar is in that version, home its zone, as far as that is known.
func (p *preparation) modernize(o *Component, zones []*Component, old bool, home *homeZone) {
	if old {
		p.people(o)
	}
	var s *series
	at := func() *series { // most objects need none
		if s == nil {
			s = seriesOf(zones, o)
		}
		return s
	}
	kept := make([]contentline.Line, 0, len(o.Lines))
	for _, l := range o.Lines {
		switch {
		case l.Is("RRULE", "EXRULE") && l.Value != "" && !strings.Contains(l.Value, "="):
			sp := at().span(o)
			if !sp.dated {
				break
			}
			if rule, err := modernRule(l.Value, sp); err == nil {
				p.remark("rule", o.Text("UID"), l.Number, "%s:%s, in the words of vCalendar 1.0, becomes %s", l.Name, contentline.Shorten(l.Value), rule)
				l = l.WithValue(rule)
			}
		case l.Is("EXDATE", "RDATE") && strings.Contains(l.Value, ";"):
			values := oldList(l.Value)
			if slices.ContainsFunc(values, func(v string) bool { _, ok := parseMoment(v, ""); return !ok }) {
				break
			}
			l = l.WithValue(strings.Join(values, ","))
		case l.Is("TRANSP") && l.Value != "" && strings.Trim(l.Value, "0123456789") == "":
			if strings.Trim(l.Value, "0") == "" {
				l = l.WithValue("OPAQUE")
			} else {
				l = l.WithValue("TRANSPARENT")
			}
		case old && l.Is("STATUS") && strings.Contains(strings.TrimSpace(l.Value), " "):
			l = l.WithValue(strings.ReplaceAll(strings.TrimSpace(l.Value), " ", "-"))
		case old && l.Is("CATEGORIES", "RESOURCES"):
			l = l.WithValue(strings.Join(contentline.Split(l.Value, ';'), ","))
		case l.Is(oldAlarms...):
			if strings.Trim(l.Value, "; ") == "" {
				continue // none
			}
			if alarm, ok := at().modernAlarm(o, l, home); ok {
				p.remark("alarm", o.Text("UID"), l.Number, "%s, an alarm in the words of vCalendar 1.0, becomes a VALARM", l.Name)
				o.Children = append(o.Children, alarm)
				continue
			}
		}
		kept = append(kept, l)
	}
	o.Lines = kept
}

// modernAlarm writes an alarm that shows or plays something as RFC 5545 §3.6.6
// does. Its time is told from the start, where both are told in the same way:
// so it rings for each instance of a series, as on the phone that wrote it.
func (s *series) modernAlarm(o *Component, l contentline.Line, home *homeZone) (*Component, bool) {
	if !l.Is("DALARM", "AALARM") {
		return nil, false
	}
	parts := contentline.Split(l.Value, ';')
	for len(parts) < 4 {
		parts = append(parts, "")
	}
	what := strings.TrimSpace(strings.Join(parts[3:], ";"))
	at, ok := parseMoment(parts[0], "")
	if !ok {
		return nil, false
	}
	if home != nil && !at.UTC && !at.AllDay && s.span(o).start.UTC {
		if t := home.clock.instant(at.Wall); !home.clock.odd(at.Wall) && !t.Before(home.from) && !t.After(home.to) {
			at = Moment{Wall: t.UTC(), UTC: true}
		}
	}
	trigger, ok := s.trigger(o, at)
	if !ok {
		return nil, false
	}
	c := &Component{Name: "VALARM"}
	add := func(line contentline.Line) { c.Lines = append(c.Lines, line) }
	text := contentline.Unescape(what)
	if l.Is("DALARM") {
		if text == "" {
			text = o.Text("SUMMARY")
		}
		if text == "" {
			text = "Alarm" // RFC 5545 §3.6.6 wants one
		}
		add(contentline.New("ACTION", "DISPLAY"))
		add(trigger)
		add(contentline.New("DESCRIPTION", contentline.Escape(text)))
	} else {
		add(contentline.New("ACTION", "AUDIO"))
		add(trigger)
		switch {
		case what == "":
		case isBase64(l):
			add(contentline.New("ATTACH", strings.Join(strings.Fields(what), ""), contentline.Param{Name: "ENCODING", Values: []string{"BASE64"}}, contentline.Param{Name: "VALUE", Values: []string{"BINARY"}}))
		case strings.Contains(text, "://") || strings.HasPrefix(strings.ToLower(text), "cid:"):
			add(contentline.New("ATTACH", text))
		default: // a sound of the phone's own, by its name
			add(contentline.New("X-VCALENDAR-AUDIO", contentline.Escape(text)))
		}
	}
	snooze, ok := parseDuration(parts[1])
	times, err := strconv.Atoi(strings.TrimSpace(parts[2]))
	if ok && err == nil && times > 0 && (snooze.Days > 0 || snooze.Exact > 0) {
		add(contentline.New("DURATION", strings.ToUpper(strings.TrimSpace(parts[1]))))
		add(contentline.New("REPEAT", strconv.Itoa(times)))
	}
	return c, true
}

// trigger is when an alarm rings (RFC 5545 §3.8.6.3); false: its time is the
// phone's own, and that of the start is not.
func (s *series) trigger(o *Component, at Moment) (contentline.Line, bool) {
	sp := s.span(o)
	related := []contentline.Param(nil)
	if o.Name == "VTODO" && !o.has("DTSTART") { // told from what is due
		related = []contentline.Param{{Name: "RELATED", Values: []string{"END"}}}
	}
	switch {
	case sp.dated && !at.AllDay && !sp.start.UTC && !at.UTC: // both on the wall
		return contentline.New("TRIGGER", durationText(at.Wall.Sub(sp.start.Wall)), related...), true
	case sp.dated && at.UTC && !sp.start.AllDay && (sp.start.UTC || sp.start.TZID != ""):
		return contentline.New("TRIGGER", durationText(at.Wall.Sub(s.instant(sp.start))), related...), true
	case at.UTC:
		return contentline.New("TRIGGER", at.String(), contentline.Param{Name: "VALUE", Values: []string{"DATE-TIME"}}), true
	}
	return contentline.Line{}, false
}

// durationText writes a DURATION (RFC 5545 §3.3.6).
func durationText(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	days, d := d/(24*time.Hour), d%(24*time.Hour)
	b := sign + "P"
	if days > 0 {
		b += strconv.Itoa(int(days)) + "D"
	}
	if d == 0 && days > 0 {
		return b
	}
	b += "T"
	for _, unit := range []struct {
		length time.Duration
		letter string
	}{{time.Hour, "H"}, {time.Minute, "M"}, {time.Second, "S"}} {
		if n := d / unit.length; n > 0 {
			b += strconv.Itoa(int(n)) + unit.letter
			d %= unit.length
		}
	}
	if strings.HasSuffix(b, "T") {
		b += "0S"
	}
	return b
}
