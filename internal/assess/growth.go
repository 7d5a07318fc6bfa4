package assess

import (
	"maps"
	"slices"
	"time"
)

// Year is what was received in one year and is still there.
type Year struct {
	Year     int   `json:"year"`
	Messages int64 `json:"messages"`
	Octets   int64 `json:"octets"`
}

// year counts a message to the year that it was received in. An impossible
// date is an anomaly of its own and says nothing about growth.
func (e *examiner) year(received time.Time, octets int64) {
	if strange(received, e.Now()) {
		return
	}
	y := e.years[received.Year()]
	if y == nil {
		y = &Year{Year: received.Year()}
		e.years[y.Year] = y
	}
	y.Messages++
	y.Octets += octets
}

// sortedYears fills the gaps, so that a chart shows them.
func sortedYears(m map[int]*Year) []Year {
	if len(m) == 0 {
		return nil
	}
	known := slices.Sorted(maps.Keys(m))
	var out []Year
	for y := known[0]; y <= known[len(known)-1]; y++ {
		if have := m[y]; have != nil {
			out = append(out, *have)
		} else {
			out = append(out, Year{Year: y})
		}
	}
	return out
}

func addYears(a, b []Year) []Year {
	if len(b) == 0 {
		return a
	}
	m := map[int]*Year{}
	for _, years := range [][]Year{a, b} {
		for _, y := range years {
			have := m[y.Year]
			if have == nil {
				have = &Year{Year: y.Year}
				m[y.Year] = have
			}
			have.Messages += y.Messages
			have.Octets += y.Octets
		}
	}
	return sortedYears(m)
}
