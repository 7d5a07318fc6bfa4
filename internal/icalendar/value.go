package icalendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// kind is what a property's value is.
type kind uint8

const (
	kindText kind = iota
	kindList      // texts separated by commas
	kindEnum      // a word without case
	kindDate      // DATE, DATE-TIME or PERIOD, perhaps several
	kindDuration
	kindRecur
	kindAddress
	kindURI
	kindNumber
	kindOther // structured; compared as written
)

// kinds of the registered properties (RFC 5545 §8.3.2, RFC 7986, RFC 7953,
// RFC 9073, RFC 9074). Others are text (RFC 5545 §3.8.8.2).
var kinds = map[string]kind{
	"CATEGORIES": kindList, "RESOURCES": kindList,
	"CLASS": kindEnum, "STATUS": kindEnum, "TRANSP": kindEnum, "ACTION": kindEnum, "CALSCALE": kindEnum, "BUSYTYPE": kindEnum, "PROXIMITY": kindEnum,
	"PARTICIPANT-TYPE": kindEnum, "RESOURCE-TYPE": kindEnum,
	"DTSTART": kindDate, "DTEND": kindDate, "DUE": kindDate, "COMPLETED": kindDate, "CREATED": kindDate, "DTSTAMP": kindDate, "LAST-MODIFIED": kindDate,
	"RECURRENCE-ID": kindDate, "EXDATE": kindDate, "RDATE": kindDate, "FREEBUSY": kindDate, "ACKNOWLEDGED": kindDate,
	"DURATION": kindDuration, "TRIGGER": kindDuration, "REFRESH-INTERVAL": kindDuration,
	"RRULE": kindRecur, "EXRULE": kindRecur,
	"ATTENDEE": kindAddress, "ORGANIZER": kindAddress, "CALENDAR-ADDRESS": kindAddress,
	"URL": kindURI, "ATTACH": kindURI, "CONFERENCE": kindURI, "IMAGE": kindURI, "SOURCE": kindURI, "TZURL": kindURI, "STRUCTURED-DATA": kindURI,
	"PRIORITY": kindNumber, "SEQUENCE": kindNumber, "PERCENT-COMPLETE": kindNumber, "REPEAT": kindNumber,
	"GEO": kindOther, "REQUEST-STATUS": kindOther, "TZOFFSETFROM": kindOther, "TZOFFSETTO": kindOther,
}

// kindOf is the kind of a property, which VALUE may change.
func kindOf(l contentline.Line) kind {
	k := kinds[strings.ToUpper(l.Name)]
	switch strings.ToUpper(l.First("VALUE")) {
	case "TEXT":
		if k != kindList {
			return kindText
		}
	case "DATE", "DATE-TIME", "PERIOD":
		return kindDate
	case "DURATION":
		return kindDuration
	case "URI", "BINARY", "XML-REFERENCE":
		return kindURI
	case "CAL-ADDRESS":
		return kindAddress
	case "RECUR":
		return kindRecur
	case "INTEGER":
		return kindNumber
	case "BOOLEAN":
		return kindEnum
	}
	return k
}

// Moment is a DATE or DATE-TIME (RFC 5545 §3.3.4, §3.3.5).
type Moment struct {
	// Wall is what a clock on the wall shows, in UTC's location.
	Wall   time.Time
	AllDay bool
	UTC    bool
	// TZID as written; empty for UTC, dates and floating times.
	TZID string
}

// parseMoment reads one value; tzid is its line's TZID.
func parseMoment(s, tzid string) (Moment, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) == 10 && s[4] == '-' || len(s) >= 19 && s[4] == '-' && s[7] == '-' {
		// The extended form of ISO 8601, which some exports use.
		s = strings.NewReplacer("-", "", ":", "").Replace(s)
	}
	if len(s) == 8 {
		t, err := time.Parse("20060102", s)
		return Moment{Wall: t, AllDay: true}, err == nil
	}
	body, utc := strings.CutSuffix(s, "Z")
	if len(body) == len("20060102T1504") {
		body += "00"
	}
	leap := strings.HasSuffix(body, "60") && len(body) == 15
	if leap {
		body = body[:13] + "59" // a leap second (RFC 5545 §3.3.12)
	}
	t, err := time.Parse("20060102T150405", body)
	if err != nil {
		return Moment{}, false
	}
	m := Moment{Wall: t, UTC: utc}
	if !utc {
		m.TZID = tzid
	}
	return m, true
}

// String writes it as RFC 5545 does, without its TZID.
func (m Moment) String() string {
	switch {
	case m.AllDay:
		return m.Wall.Format("20060102")
	case m.UTC:
		return m.Wall.Format("20060102T150405Z")
	}
	return m.Wall.Format("20060102T150405")
}

// Duration is a DURATION (RFC 5545 §3.3.6). Days are days on the wall; the
// rest is exact.
type Duration struct {
	Days  int
	Exact time.Duration
}

// parseDuration reads one value.
func parseDuration(s string) (Duration, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	sign := 1
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	if !strings.HasPrefix(s, "P") {
		return Duration{}, false
	}
	s = s[1:]
	var d Duration
	clock, any := false, false
	for s != "" {
		if s[0] == 'T' {
			clock, s = true, s[1:]
			continue
		}
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == 0 || i == len(s) || i > 9 {
			return Duration{}, false
		}
		n, _ := strconv.Atoi(s[:i])
		switch {
		case s[i] == 'W' && !clock:
			d.Days += 7 * n
		case s[i] == 'D' && !clock:
			d.Days += n
		case s[i] == 'H' && clock:
			d.Exact += time.Duration(n) * time.Hour
		case s[i] == 'M' && clock:
			d.Exact += time.Duration(n) * time.Minute
		case s[i] == 'S' && clock:
			d.Exact += time.Duration(n) * time.Second
		default:
			return Duration{}, false
		}
		any, s = true, s[i+1:]
	}
	d.Days, d.Exact = sign*d.Days, time.Duration(sign)*d.Exact
	return d, any
}

// String writes days and seconds.
func (d Duration) String() string {
	return fmt.Sprintf("P%dDT%dS", d.Days, int64(d.Exact/time.Second))
}

// canonicalRecur sorts the parts of a rule and their lists, and leaves out
// what is the default.
func canonicalRecur(s string) string {
	parts := strings.Split(strings.ToUpper(strings.TrimSpace(s)), ";")
	kept := make([]string, 0, len(parts))
	for _, p := range parts {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		name = strings.TrimSpace(name)
		list := strings.Split(value, ",")
		for i, v := range list {
			if list[i] = strings.TrimSpace(v); name != "UNTIL" {
				list[i] = plainNumber(list[i])
			}
		}
		slices.Sort(list)
		switch p = name + "=" + strings.Join(slices.Compact(list), ","); p {
		case "=", "INTERVAL=1", "WKST=MO", "RSCALE=GREGORIAN", "SKIP=OMIT": // RFC 5545 §3.3.10, RFC 7529 §4.1
		default:
			kept = append(kept, p)
		}
	}
	slices.Sort(kept)
	return strings.Join(kept, ";")
}

// plainNumber writes the number that a value begins with, as in "+01MO", without
// what may be left out.
func plainNumber(v string) string {
	digits := strings.TrimLeft(v, "+-")
	short := strings.TrimLeft(digits, "0")
	if short == "" && digits != "" {
		short = "0"
	}
	if strings.HasPrefix(v, "-") {
		return "-" + short
	}
	return short
}
