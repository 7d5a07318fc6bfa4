package sample

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"time"
)

// eventsAround is the day around which made events lie.
var eventsAround = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// Events makes n calendar objects as a busy person has them after some years:
// meetings, series with exceptions, whole days, tasks. Equal arguments give
// equal octets. Every object has one UID, and a name that no other has.
func Events(n int, seed uint64) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for i := range n {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			if !yield(Object{Name: fmt.Sprintf("made-%06d", i), Text: []byte(newEvent(r, i))}) {
				return
			}
		}
	}
}

var (
	eventWords = []string{"Planung", "Review", "Réunion", "Jour fixe", "Zahnarzt", "Stand-up", "Workshop", "会議", "Geburtstag", "Übergabe", "Lunch", "Call", "1:1", "Kundentermin", "Sport"}
	eventZones = []string{"Europe/Berlin", "Europe/Berlin", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo", "UTC"}
	eventRules = []string{
		"FREQ=DAILY;COUNT=%d", "FREQ=WEEKLY;COUNT=%d", "FREQ=WEEKLY;INTERVAL=2;COUNT=%d", "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=%d",
		"FREQ=MONTHLY;COUNT=%d", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=%d", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=%d", "FREQ=YEARLY;COUNT=%d",
		"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1;COUNT=%d",
	}
)

// eventMaker writes one object.
type eventMaker struct {
	r          *rand.Rand
	b          strings.Builder
	uid, zone  string
	start      time.Time // on the wall
	length     time.Duration
	allDay     bool
	kind, rule string
}

func newEvent(r *rand.Rand, i int) string {
	m := &eventMaker{r: r, kind: "VEVENT", uid: fmt.Sprintf("%08x-%06d@made.test", r.Uint32(), i)}
	day := eventsAround.AddDate(0, 0, r.IntN(1400)-900)
	m.start = day.Add(time.Duration(7+r.IntN(13))*time.Hour + time.Duration(r.IntN(4)*15)*time.Minute)
	m.length = time.Duration(1+r.IntN(8)) * 15 * time.Minute
	m.zone = eventZones[r.IntN(len(eventZones))]
	switch n := r.IntN(100); {
	case n < 12:
		m.allDay, m.start = true, day
	case n < 20:
		m.kind = "VTODO"
	}
	if r.IntN(100) < 22 {
		m.rule = fmt.Sprintf(eventRules[r.IntN(len(eventRules))], 2+r.IntN(40))
	}
	m.line("BEGIN:VCALENDAR")
	m.line("VERSION:2.0")
	m.line("PRODID:-//Made up//Sample//EN")
	m.line("CALSCALE:GREGORIAN")
	m.component("", 0)
	if m.rule != "" && !m.allDay && strings.HasPrefix(m.rule, "FREQ=DAILY") && r.IntN(2) == 0 {
		m.component("RECURRENCE-ID", time.Duration(1+r.IntN(5))*15*time.Minute)
	}
	m.line("END:VCALENDAR")
	return m.b.String()
}

// line folds at 75 octets, between characters.
func (m *eventMaker) line(s string) {
	limit := 75
	for len(s) > limit {
		n := limit
		for s[n]&0xc0 == 0x80 {
			n--
		}
		m.b.WriteString(s[:n] + "\r\n ")
		s, limit = s[n:], 74
	}
	m.b.WriteString(s + "\r\n")
}

// at writes a date property.
func (m *eventMaker) at(name string, t time.Time) {
	switch {
	case m.allDay:
		m.line(name + ";VALUE=DATE:" + t.Format("20060102"))
	case m.zone == "UTC":
		m.line(name + ":" + t.Format("20060102T150405Z"))
	default:
		m.line(name + ";TZID=" + m.zone + ":" + t.Format("20060102T150405"))
	}
}

// component writes the event, or an exception of its second instance, moved.
func (m *eventMaker) component(id string, moved time.Duration) {
	r, start := m.r, m.start
	m.line("BEGIN:" + m.kind)
	m.line("UID:" + m.uid)
	m.line("DTSTAMP:" + eventsAround.Format("20060102T150405Z"))
	if id != "" {
		start = start.AddDate(0, 0, 1)
		m.at(id, start)
	}
	m.at("DTSTART", start.Add(moved))
	end := start.Add(moved + m.length)
	if m.allDay {
		end = start.AddDate(0, 0, 1+r.IntN(3))
	}
	if m.kind == "VTODO" {
		m.at("DUE", end)
		m.line(fmt.Sprintf("PERCENT-COMPLETE:%d", r.IntN(10)*10))
	} else {
		m.at("DTEND", end)
	}
	if id == "" && m.rule != "" {
		m.line("RRULE:" + m.rule)
		if strings.HasPrefix(m.rule, "FREQ=DAILY") {
			m.at("EXDATE", m.start.AddDate(0, 0, 2))
		}
	}
	m.line("SUMMARY:" + eventWords[r.IntN(len(eventWords))] + fmt.Sprintf(" %d", r.IntN(1000)))
	m.about(id)
	m.line("END:" + m.kind)
}

// about writes what else is said.
func (m *eventMaker) about(id string) {
	r := m.r
	if r.IntN(2) == 0 {
		m.line("LOCATION:Raum " + fmt.Sprint(r.IntN(20)) + "\\, Haus B")
	}
	if r.IntN(3) == 0 {
		m.line("DESCRIPTION:" + strings.Repeat("Tagesordnung\\, Beschlüsse\\; Sonstiges.\\n", 1+r.IntN(12)))
	}
	if r.IntN(4) == 0 {
		m.line("CATEGORIES:" + []string{"Arbeit", "Privat", "Arbeit,Kunden"}[r.IntN(3)])
	}
	if r.IntN(8) == 0 {
		m.line("CLASS:PRIVATE")
	}
	if r.IntN(6) == 0 && m.kind == "VEVENT" {
		m.line("TRANSP:TRANSPARENT")
	}
	if r.IntN(10) == 0 {
		m.line("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE")
	}
	if m.kind == "VEVENT" && r.IntN(4) == 0 {
		m.line("ORGANIZER;CN=Anna Schmidt:mailto:anna@acme.test")
		for i := range 1 + r.IntN(6) {
			answer := []string{"ACCEPTED", "DECLINED", "TENTATIVE", "NEEDS-ACTION"}[r.IntN(4)]
			m.line(fmt.Sprintf("ATTENDEE;CN=Guest %d;PARTSTAT=%s;RSVP=TRUE:mailto:guest%d@acme.test", i, answer, i))
		}
	}
	if id == "" && r.IntN(3) == 0 {
		m.line("BEGIN:VALARM")
		m.line("ACTION:DISPLAY")
		m.line(fmt.Sprintf("TRIGGER:-PT%dM", 5*(1+r.IntN(12))))
		m.line("DESCRIPTION:Reminder")
		m.line("END:VALARM")
	}
}
