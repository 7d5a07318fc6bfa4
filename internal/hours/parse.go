package hours

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Parse reads ranges with commas between them, as "Mon-Fri 20:00-06:00, Sat-Sun":
// each of hours, of days, or of hours on days. Days are a name, of three letters or
// whole, two with a hyphen between them, or several of these with spaces between
// them. The error says what is wrong with which range.
func Parse(s string) (Hours, error) {
	var h Hours
	unclear := "" // days without hours, before hours
	for _, text := range strings.Split(s, ",") {
		text = strings.TrimSpace(text)
		r, bare, err := parseRange(text)
		if err != nil {
			return nil, err
		}
		switch {
		case bare && unclear == "":
			unclear = text
		case !bare && unclear != "":
			return nil, fmt.Errorf("%q, and then %q: does the former mean whole days, or those hours, too? Write \"%s 00:00-24:00\" or put it last; days that have the same hours stand before them without a comma, as \"Mon Wed 20:00-06:00\"",
				unclear, text, unclear)
		}
		h = append(h, r)
	}
	return h, nil
}

// hoursForm finds the hours at the end of a range; their digits are looked at
// afterwards, so that errors can tell.
var (
	hoursForm = regexp.MustCompile(`(\d+:\d+)\s*[-–]\s*(\d+:\d+)$`)
	clockForm = regexp.MustCompile(`^(\d{1,2}):([0-5]\d)$`)
	hyphen    = regexp.MustCompile(`\s*[-–]\s*`)
)

// parseRange reads one range; bare: days without hours.
func parseRange(text string) (r Range, bare bool, err error) {
	if text == "" {
		return r, false, fmt.Errorf("a range is missing: write hours or days between the commas, as %s", example)
	}
	m := hoursForm.FindStringSubmatchIndex(text)
	days := text
	if m != nil {
		days = strings.TrimSpace(text[:m[0]])
	}
	r = Range{Days: EveryDay, To: day}
	if days != "" {
		if r.Days, err = parseDays(days, text); err != nil {
			return r, false, err
		}
	}
	if m == nil {
		return r, true, nil
	}
	if r.From, err = parseClock(text[m[2]:m[3]], text, day-time.Minute); err != nil {
		return r, false, err
	}
	if r.To, err = parseClock(text[m[4]:m[5]], text, day); err != nil {
		return r, false, err
	}
	if r.From == r.To {
		return r, false, fmt.Errorf("%q is no time at all: for a whole day write 00:00-24:00", text)
	}
	if r.To == 0 {
		r.To = day
	}
	return r, false, nil
}

const example = `"20:00-06:00" or "Mon-Fri 20:00-06:00, Sat-Sun"`

func parseClock(s, in string, most time.Duration) (time.Duration, error) {
	if m := clockForm.FindStringSubmatch(s); m != nil {
		h, _ := strconv.Atoi(m[1]) // digits, says the pattern
		n, _ := strconv.Atoi(m[2])
		if d := time.Duration(h)*time.Hour + time.Duration(n)*time.Minute; d <= most {
			return d, nil
		}
	}
	return 0, fmt.Errorf("in %q, %s is no time of the day: write one from 00:00 to %s there", in, s, clock(most))
}

func parseDays(s, in string) (Days, error) {
	var d Days
	for _, part := range strings.Fields(hyphen.ReplaceAllString(s, "-")) {
		from, to, span := strings.Cut(part, "-")
		first, ok := parseDay(from)
		if !ok {
			return 0, noDay(from, in)
		}
		last := first
		if span {
			if last, ok = parseDay(to); !ok {
				return 0, noDay(to, in)
			}
		}
		for ; ; first = (first + 1) % 7 {
			d |= 1 << first
			if first == last {
				break
			}
		}
	}
	return d, nil
}

func noDay(s, in string) error {
	if strings.ContainsAny(s, "0123456789") || s == "" {
		return fmt.Errorf("%q are no hours of the week: write from and to, and before them the days if not all, as %s", in, example)
	}
	return fmt.Errorf("in %q, %q is no day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun, as %s", in, s, example)
}

// parseDay reads a day's name, of three letters or whole.
func parseDay(s string) (time.Weekday, bool) {
	for w := time.Sunday; w <= time.Saturday; w++ {
		if name := w.String(); strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return w, true
		}
	}
	return 0, false
}
