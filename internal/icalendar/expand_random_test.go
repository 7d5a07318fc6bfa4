package icalendar

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/randomtest"
)

// randomSeries are a series and its exceptions in Berlin, as lists of properties.
func randomSeries(r *rand.Rand) (components [][]string) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	days := r.IntN(5) == 0
	start := time.Date(2024+r.IntN(3), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), 15*r.IntN(4), 0, 0, time.UTC)
	at := func(name string, t time.Time) string {
		if days {
			return name + ";VALUE=DATE:" + t.Format("20060102")
		}
		return name + ";TZID=Europe/Berlin:" + t.Format("20060102T150405")
	}
	later := func() time.Time { return start.AddDate(0, 0, r.IntN(60)) }
	length := func() string {
		if days {
			return "DURATION:" + pick("P1D", "P2D", "P3W")
		}
		return "DURATION:" + pick("PT1H", "P1D", "PT24H", "P40D", "P1DT2H")
	}
	end := pick("", ";COUNT=7", ";COUNT=30", ";UNTIL=20270301")
	master := []string{at("DTSTART", start), length(), "RRULE:" + pick("FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO", "FREQ=MONTHLY;BYDAY=-1SU",
		"FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=1,-1", "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU") + end}
	for range r.IntN(3) {
		master = append(master, at("EXDATE", later()))
	}
	for range r.IntN(3) {
		master = append(master, at("RDATE", later()))
	}
	if !days && r.IntN(3) == 0 {
		master = append(master, "RDATE;VALUE=PERIOD:"+later().Format("20060102T150405Z")+"/"+pick("PT2H", "P90D"))
	}
	if r.IntN(3) == 0 {
		master = append(master, "EXRULE:"+pick("FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=2", "FREQ=MONTHLY"))
	}
	components = append(components, master)
	stands := map[time.Time]bool{}
	for range r.IntN(4) {
		id := later()
		if stands[id] {
			continue // two for the same are no series
		}
		stands[id] = true
		of := "RECURRENCE-ID" + pick("", "", ";RANGE=THISANDFUTURE")
		moved := id.AddDate(0, 0, []int{0, 0, 1, -1, 100, -100}[r.IntN(6)]).Add(time.Duration(r.IntN(3)) * time.Hour)
		components = append(components, []string{at(of, id), at("DTSTART", moved), length()})
	}
	return components
}

// written is the calendar of a series, after a definition of its zone.
func written(definition string, components [][]string) string {
	all := []string{definition}
	for _, c := range components {
		all = append(all, vevent(c...))
	}
	return calendar(all...)
}

// told are the instances of a text within a window, and its digest.
func told(t *testing.T, text string, w Window) (all []string, digest [32]byte) {
	t.Helper()
	p, _ := one(t, text)
	// As it is, since Prepare may say which place a definition stands for.
	instances, more, err := Expand(Part{Text: []byte(text)}, w, time.UTC)
	if err != nil || more {
		t.Fatalf("more %v, %v\n%s", more, err, text)
	}
	for _, i := range instances {
		all = append(all, fmt.Sprintf("%s until %s, %v, for %s", i.Start.UTC().Format(time.RFC3339), i.End.UTC().Format(time.RFC3339), i.AllDay, i.Original.UTC().Format(time.RFC3339)))
	}
	return all, p.Digest
}

// What a window shows is the same whatever is asked beyond it.
func TestRandomSeriesDoNotDependOnTheWindow(t *testing.T) {
	t.Parallel()
	randomtest.Run(t, 200, func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		text := written("", randomSeries(r))
		p, _ := one(t, text)
		all, more, err := Expand(p, Window{time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)}, time.UTC)
		if err != nil || more {
			t.Fatalf("more %v, %v\n%s", more, err, text)
		}
		for range 5 {
			from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, r.IntN(1500)).Add(time.Duration(r.IntN(24)) * time.Hour)
			w := Window{from, from.Add(time.Duration(1+r.IntN(2000)) * time.Hour)}
			var want []Instance
			for _, i := range all {
				if i.Start.Before(w.To) && (i.End.After(w.From) || !i.Start.Before(w.From)) {
					want = append(want, i)
				}
			}
			got, _, _ := Expand(p, w, time.UTC)
			if !slices.EqualFunc(got, want, func(a, b Instance) bool {
				return a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.AllDay == b.AllDay && a.Original.Equal(b.Original)
			}) {
				t.Fatalf("from %s to %s\ngot  %+v\nwant %+v\n%s", w.From, w.To, got, want, text)
			}
		}
	})
}

// The order of what is written says nothing, nor does the spelling of the zone.
func TestRandomSeriesDoNotDependOnTheirSpelling(t *testing.T) {
	t.Parallel()
	rules := []string{"BEGIN:STANDARD", "DTSTART:19961027T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD",
		"BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT"}
	var lists []string
	for _, kind := range []struct {
		name, from, to string
		month          time.Month
		hour           string
	}{{"DAYLIGHT", "+0100", "+0200", time.March, "T020000"}, {"STANDARD", "+0200", "+0100", time.October, "T030000"}} {
		var onsets []string
		for year := 1996; year < 2040; year++ {
			last := time.Date(year, kind.month, 31, 0, 0, 0, 0, time.UTC)
			onsets = append(onsets, last.AddDate(0, 0, -int(last.Weekday())).Format("20060102")+kind.hour)
		}
		lists = append(lists, "BEGIN:"+kind.name, "DTSTART:"+onsets[0], "RDATE:"+strings.Join(onsets[1:], ","), "TZOFFSETFROM:"+kind.from, "TZOFFSETTO:"+kind.to, "END:"+kind.name)
	}
	definition := func(id string, observances []string) string {
		return lines(slices.Concat([]string{"BEGIN:VTIMEZONE", "TZID:" + id}, observances, []string{"END:VTIMEZONE"})...)
	}
	w := Window{time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)}
	randomtest.Run(t, 100, func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 2))
		components := randomSeries(r)
		text := written("", components)
		want, digest := told(t, text, w)
		for _, c := range components {
			r.Shuffle(len(c), func(i, j int) { c[i], c[j] = c[j], c[i] })
		}
		r.Shuffle(len(components), func(i, j int) { components[i], components[j] = components[j], components[i] })
		shuffled := written("", components)
		got, sum := told(t, shuffled, w)
		if !slices.Equal(got, want) || sum != digest {
			t.Fatalf("in another order, the digest being the same: %v\ngot  %v\nwant %v\n%s", sum == digest, got, want, shuffled)
		}
		for id, defined := range map[string]string{
			"W. Europe Standard Time":                        "",
			"/freeassociation.sourceforge.net/Europe/Berlin": "",
			"Office":               definition("Office", rules),
			"Customized Time Zone": definition("Customized Time Zone", lists),
			"Elsewhere/X":          definition("Elsewhere/X", []string{"X-LIC-LOCATION:Europe/Berlin"}),
		} {
			spelled := strings.Replace(strings.ReplaceAll(shuffled, "TZID=Europe/Berlin", "TZID="+id), "BEGIN:VEVENT", defined+"BEGIN:VEVENT", 1)
			if got, _ := told(t, spelled, w); !slices.Equal(got, want) {
				t.Fatalf("in %s\ngot  %v\nwant %v\n%s", id, got, want, spelled)
			}
		}
	})
}

// Two objects of one digest are never compared any further: what takes place at
// other times has another digest.
func TestRandomSeriesOfOneDigestTakePlaceAtTheSameTimes(t *testing.T) {
	t.Parallel()
	w := Window{time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)}
	randomtest.Run(t, 100, func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 3))
		components := randomSeries(r)
		text := written("", components)
		want, digest := told(t, text, w)
		for range 5 {
			changed := slices.Clone(components)
			n := r.IntN(len(changed))
			c := slices.Clone(changed[n])
			i := r.IntN(len(c))
			switch at := strings.LastIndexByte(c[i], '2'); {
			case r.IntN(3) == 0 && at > 0:
				c[i] = c[i][:at] + "1" + c[i][at+1:]
			case r.IntN(2) == 0:
				c[i] = strings.NewReplacer("TZID=Europe/Berlin", "TZID=Asia/Tokyo", "P1D", "PT24H", "PT24H", "P1D", ";RANGE=THISANDFUTURE", "", "DAILY", "WEEKLY", "COUNT=7", "COUNT=8").Replace(c[i])
			case !strings.HasPrefix(c[i], "DTSTART"):
				c = slices.Delete(c, i, i+1)
			}
			changed[n] = c
			other := written("", changed)
			if _, _, err := Expand(Part{Text: []byte(other)}, w, time.UTC); err != nil {
				continue // the 31st of November
			}
			got, sum := told(t, other, w)
			if !slices.Equal(got, want) && sum == digest {
				t.Fatalf("one digest, but\n%v\n%v\n%s\n%s", got, want, text, other)
			}
		}
	})
}
