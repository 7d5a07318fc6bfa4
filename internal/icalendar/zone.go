package icalendar

import (
	"encoding/hex"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones by name on machines without them

	"github.com/zeebo/blake3"
)

// zones resolves the TZIDs of one calendar.
type zones struct {
	defined map[string]*Component
	names   map[string]string
	clocks  map[string]clock
}

func newZones(definitions []*Component) *zones {
	z := &zones{defined: map[string]*Component{}, names: map[string]string{}, clocks: map[string]clock{}}
	for _, d := range definitions {
		if id := d.Text("TZID"); z.defined[id] == nil {
			z.defined[id] = d
		}
	}
	return z
}

// name is one spelling for a TZID: the IANA name that it stands for; else a
// hash of its definition; else itself.
func (z *zones) name(tzid string) string {
	if n, ok := z.names[tzid]; ok {
		return n
	}
	n := IANA(tzid)
	if n == "" {
		n = "unknown " + tzid
		if d := z.defined[tzid]; d != nil {
			if n = IANA(d.Text("X-LIC-LOCATION")); n == "" {
				n = "defined " + definition(d)
			}
		}
	}
	z.names[tzid] = n
	return n
}

// definition hashes the rules of a VTIMEZONE.
func definition(d *Component) string {
	var rules Component
	for _, c := range d.Children {
		rule := &Component{Name: c.Name}
		for _, l := range c.Lines {
			if l.Is("DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO") {
				rule.Lines = append(rule.Lines, l)
			}
		}
		rules.Children = append(rules.Children, rule)
	}
	sum := blake3.Sum256([]byte(canonical(&rules, newZones(nil))))
	return hex.EncodeToString(sum[:8])
}

// IANA returns the name in the IANA database of a TZID as clients write them:
// the name itself in any case, with a prefix of the client's, a Windows name.
// It returns "" for what it does not know.
func IANA(tzid string) string {
	s := strings.Trim(strings.TrimSpace(tzid), `"`)
	if s == "" || strings.EqualFold(s, "local") {
		return ""
	}
	if known(s) {
		return s
	}
	if w, ok := windowsZones[strings.ToLower(s)]; ok {
		return w
	}
	s = strings.TrimPrefix(s, "/")
	for {
		if known(s) {
			return s
		}
		// "freeassociation.sourceforge.net/Tzfile/Europe/Berlin",
		// "mozilla.org/20050126_1/Europe/Berlin"
		i := strings.IndexByte(s, '/')
		if i < 0 {
			return ""
		}
		s = s[i+1:]
	}
}

// DefinedZone returns the IANA name that a VTIMEZONE stands for, by its TZID
// or X-LIC-LOCATION; "" where it has none, or where text is no VTIMEZONE.
func DefinedZone(text string) string {
	calendars, _ := components([]byte(text))
	for _, c := range calendars {
		for _, z := range c.Children {
			if z.Name != "VTIMEZONE" {
				continue
			}
			if n := IANA(z.Text("TZID")); n != "" {
				return n
			}
			return IANA(z.Text("X-LIC-LOCATION"))
		}
	}
	return ""
}

// locations caches what LoadLocation reads from disk, and what it looked for
// in vain.
var locations struct {
	sync.RWMutex
	byName map[string]*time.Location // nil: there is none
}

// maxLocations bounds the cache: names that there are not have no end.
const maxLocations = 2048

func load(name string) *time.Location {
	locations.RLock()
	loc, ok := locations.byName[name]
	locations.RUnlock()
	if ok {
		return loc
	}
	if name != "" && !strings.EqualFold(name, "local") && name != "localtime" && name != "posixrules" && !strings.HasPrefix(name, "right/") && len(name) < 64 {
		if l, err := time.LoadLocation(name); err == nil {
			loc = l
		}
	}
	locations.Lock()
	defer locations.Unlock()
	if locations.byName == nil || len(locations.byName) >= maxLocations {
		locations.byName = map[string]*time.Location{}
	}
	locations.byName[name] = loc
	return loc
}

func known(name string) bool { return load(name) != nil }
