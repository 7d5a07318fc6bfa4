package sandbox

import (
	"fmt"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/icalendar"
)

// Times of calendar objects, as iCalendar (RFC 5545 §3.3.5) and JSCalendar
// (RFC 8984 §1.4.4) write them.

const (
	basicTime = "20060102T150405"
	basicDate = "20060102"
	localTime = "2006-01-02T15:04:05"
)

// jsTime is a time on the wall in JSCalendar's form; days: it is a date.
func jsTime(v string) (at string, days bool) {
	t, days := wall(v)
	return t.Format(localTime), days
}

// wall reads a value as the clock on the wall shows it.
func wall(v string) (t time.Time, days bool) {
	v = strings.TrimSuffix(strings.TrimSpace(v), "Z")
	if t, err := time.Parse(basicTime, v); err == nil {
		return t, false
	}
	t, _ = time.Parse(basicDate, v)
	return t, true
}

// zoneName is the zone of a value, by the name that JSCalendar has for it: one
// of IANA's. Definitions are not looked at. "" for times of no zone, or of one
// that nobody knows.
func zoneName(l contentline.Line) string {
	if strings.HasSuffix(l.Value, "Z") {
		return "Etc/UTC"
	}
	return icalendar.IANA(l.First("TZID"))
}

func location(name string) *time.Location {
	if loc, err := time.LoadLocation(name); err == nil && name != "" {
		return loc
	}
	return time.UTC
}

// instant is when a value is; one of no zone is taken as if in UTC.
func instant(l contentline.Line) time.Time {
	t, _ := wall(l.Value)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, location(zoneName(l)))
}

// oddTime reports a time that does not occur in its zone, or occurs twice, when
// the clocks change. The server has no form for it.
func oddTime(l contentline.Line) bool {
	at := instant(l)
	clock := at.Format(localTime)
	if want, _ := jsTime(l.Value); clock != want {
		return true
	}
	return at.Add(-time.Hour).Format(localTime) == clock || at.Add(time.Hour).Format(localTime) == clock
}

// between is the duration from start to end; false where end comes first.
func between(start, end contentline.Line) (string, bool) {
	_, days := wall(start.Value)
	d := instant(end).Sub(instant(start))
	switch {
	case d < 0:
		return "", false
	case days:
		return fmt.Sprintf("P%dD", int(d.Hours())/24), true
	}
	return fmt.Sprintf("PT%dS", int(d.Seconds())), true
}

// plusDuration is a time on the wall, later by what between made.
func plusDuration(event value, at, duration string) string {
	var n int
	if _, err := fmt.Sscanf(duration, "P%dD", &n); err == nil {
		t, _ := time.Parse(localTime, at)
		return t.AddDate(0, 0, n).Format(localTime)
	}
	_, _ = fmt.Sscanf(duration, "PT%dS", &n)
	t, _ := time.ParseInLocation(localTime, at, location(event.get("timeZone").text))
	return t.Add(time.Duration(n) * time.Second).Format(localTime)
}

// icalTime writes a time of an event in the form of its start.
func icalTime(name string, event value, at string) contentline.Line {
	t, _ := time.Parse(localTime, at)
	zone := event.get("timeZone").text
	if id := converted(event, "start").get("tzid"); len(id.list) > 0 {
		zone = id.list[0].text // "W. Europe Standard Time"
	}
	param := func(name, value string) contentline.Param {
		return contentline.Param{Name: name, Values: []string{value}}
	}
	switch {
	case event.get("showWithoutTime").bool:
		return contentline.New(name, t.Format(basicDate), param("VALUE", "DATE"))
	case zone == "Etc/UTC":
		return contentline.New(name, t.Format(basicTime)+"Z")
	case zone == "":
		return contentline.New(name, t.Format(basicTime))
	}
	return contentline.New(name, t.Format(basicTime), param("TZID", zone))
}
