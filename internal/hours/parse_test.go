package hours

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const workdays, weekend Days = 1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Friday, 1<<time.Saturday | 1<<time.Sunday
	night := Range{EveryDay, 20 * time.Hour, 6 * time.Hour}
	for s, c := range map[string]struct {
		want   Hours
		prints string // "": s
	}{
		"20:00-06:00":                              {Hours{night}, ""},
		" 9:30 - 17:05 ":                           {Daily(9*time.Hour+30*time.Minute, 17*time.Hour+5*time.Minute), "09:30-17:05"},
		"20:00–00:00":                              {Daily(20*time.Hour, day), "20:00-24:00"},
		"00:00-24:00":                              {Daily(0, day), ""},
		"12:00-13:00, 20:00-06:00":                 {append(Daily(12*time.Hour, 13*time.Hour), night), ""},
		"Mon-Fri 20:00-06:00, Sat-Sun":             {Hours{{workdays, night.From, night.To}, {weekend, 0, day}}, ""},
		"monday - FRIDAY 20:00-6:00,sat sun":       {Hours{{workdays, night.From, night.To}, {weekend, 0, day}}, "Mon-Fri 20:00-06:00, Sat-Sun"},
		"Sat-Sun 00:00-24:00, Mon-Fri 20:00-06:00": {Hours{{weekend, 0, day}, {workdays, night.From, night.To}}, "Mon-Fri 20:00-06:00, Sat-Sun"},
		"Fri-Mon":                                  {Hours{{weekend | 1<<time.Friday | 1<<time.Monday, 0, day}}, "Mon Fri-Sun"},
		"Tue Thu-Fri 01:00-02:00":                  {Hours{{1<<time.Tuesday | 1<<time.Thursday | 1<<time.Friday, time.Hour, 2 * time.Hour}}, ""},
		"Wed, Sun":                                 {Hours{{1 << time.Wednesday, 0, day}, {1 << time.Sunday, 0, day}}, ""},
	} {
		got, err := Parse(s)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
		if c.prints == "" {
			c.prints = s
		}
		if got.String() != c.prints {
			t.Errorf("%q prints as %q", s, got)
		}
		if again, err := Parse(got.String()); err != nil || again.String() != got.String() {
			t.Errorf("%q: %v, %v", got, again, err)
		}
	}
}

// An error says what is wrong with which range.
func TestParseSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for s, says := range map[string]string{
		"":                             "a range is missing",
		"20:00-06:00,":                 "a range is missing",
		"20-6":                         `"20-6" are no hours of the week`,
		"20:00":                        `"20:00" are no hours`,
		"24:00-06:00":                  `24:00 is no time of the day: write one from 00:00 to 23:59`,
		"20:60-06:00":                  `20:60 is no time of the day`,
		"Mon 20:00-24:01":              `in "Mon 20:00-24:01", 24:01 is no time of the day: write one from 00:00 to 24:00`,
		"06:00-06:00":                  `"06:00-06:00" is no time at all`,
		"night":                        `"night" is no day`,
		"Mon-Fri 20:00-06:00, Sat-Son": `in "Sat-Son", "Son" is no day: write Mon, Tue`,
		"Mon- 20:00-06:00":             `"Mon- 20:00-06:00" are no hours`,
		"20:00-06:00 Mon-Fri":          `"20:00-06:00 Mon-Fri" are no hours`,
		"Mon, Wed 20:00-06:00":         `"Mon", and then "Wed 20:00-06:00": does the former mean whole days`,
		"Sat-Sun, Mon-Fri 20:00-06:00": `Write "Sat-Sun 00:00-24:00" or put it last`,
		"20:00-06:00; Sat":             "are no hours",
	} {
		if got, err := Parse(s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v; it does not say %q", s, got, err, says)
		}
	}
}
