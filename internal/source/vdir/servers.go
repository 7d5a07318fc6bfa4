package vdir

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// about is what a server says of a folder that is its collection.
type about struct {
	kind model.Kind // 0: nobody says
	// every: any file in it is an object, whatever its name ends in.
	every                          bool
	name, description, color, zone string
	order                          string
	components                     []string
	subscription                   string
}

// about reads what Radicale and Xandikos keep beside their objects.
func (h home) about(id string) about {
	text := func(name string) []byte {
		f, err := h.dirs.Open(filepath.Join(h.at(id), name))
		if err != nil {
			return nil // it need not be there
		}
		defer f.Close()
		b, _ := io.ReadAll(io.LimitReader(f, 256<<10)) // a broken one says nothing
		return []byte(strings.ToValidUTF8(string(b), "\ufffd"))
	}
	if raw := text(".Radicale.props"); raw != nil {
		if a, ok := radicale(raw); ok {
			return a
		}
	}
	values := settings(string(text(".xandikos")), "DEFAULT", "calendar")
	if len(values) == 0 {
		if values = settings(string(text(".git/config")), "xandikos"); len(values) > 0 {
			if d := strings.TrimSpace(string(text(".git/description"))); !strings.HasPrefix(d, "Unnamed repository") { // as git makes it
				values["description"] = d
			}
		}
	}
	a := about{name: values["displayname"], description: values["description"], color: values["color"], order: values["order"] + values["calendar-order"]}
	switch values["type"] {
	case "calendar":
		a.kind = model.KindCalendar
	case "addressbook":
		a.kind = model.KindContacts
	case "subscription":
		a.kind, a.subscription = model.KindCalendar, values["source"]
	}
	return a
}

// radicale reads a .Radicale.props of Radicale 2 and 3 (storage/multifilesystem/
// meta.py, xmlutils.py for the names).
func radicale(raw []byte) (a about, ok bool) {
	var props map[string]string
	if json.Unmarshal(raw, &props) != nil {
		return about{}, false
	}
	a = about{every: true, name: props["D:displayname"], order: props["ICAL:calendar-order"]}
	switch props["tag"] {
	case "VCALENDAR", "VSUBSCRIBED":
		a.kind, a.description, a.color, a.zone = model.KindCalendar, props["C:calendar-description"], props["ICAL:calendar-color"], props["C:calendar-timezone"]
		for name := range strings.SplitSeq(props["C:supported-calendar-component-set"], ",") {
			if name = strings.ToUpper(strings.TrimSpace(name)); name != "" {
				a.components = append(a.components, name)
			}
		}
		if props["tag"] == "VSUBSCRIBED" {
			a.subscription = props["CS:source"]
		}
	case "VADDRESSBOOK":
		a.kind, a.description, a.color = model.KindContacts, props["CR:addressbook-description"], props["INF:addressbook-color"]
	default:
		return about{}, false
	}
	return a, true
}

// settings reads some sections of an INI file, Python's or git's.
func settings(text string, sections ...string) map[string]string {
	out, inside := map[string]string{}, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			inside = false
			for _, s := range sections {
				inside = inside || name == s+"]"
			}
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name = strings.ToLower(strings.TrimSpace(name)); !ok || !inside || name == "" || name[0] == '#' || name[0] == ';' {
			continue
		}
		value = strings.TrimSpace(value)
		if len(value) > 1 && value[0] == '"' {
			if plain, err := strconv.Unquote(value); err == nil {
				value = plain
			}
		}
		out[name] = value
	}
	return out
}

// mine reports that a file of a collection is one of its objects.
func (a about) mine(kind model.Kind, name string) bool {
	if hidden(name) {
		return false
	}
	return a.every && !strings.HasSuffix(name, "~") || named(kind, name)
}
