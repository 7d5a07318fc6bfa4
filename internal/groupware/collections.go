package groupware

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// properties are what is written of a collection, each compared by itself.
type properties struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Color       string `json:"color,omitempty"`
	Order       int    `json:"order,omitempty"`
	TimeZone    string `json:"timezone,omitempty"`
	Transparent bool   `json:"transparent,omitempty"`
	Default     bool   `json:"default,omitempty"`
	Parent      string `json:"parent,omitempty"` // source ID of the folder above
}

func (p properties) String() string {
	raw, _ := json.Marshal(p)
	return string(raw)
}

// properties are what the source wants.
func (c *collection) properties() properties {
	p := properties{Description: cut(c.src.Description, 254), Order: max(c.src.Order, 0), TimeZone: zoneName(c.src.TimeZone), Transparent: c.src.Transparent}
	if c.src.Kind == model.KindCalendar { // others have none at the destination
		p.Color = color(c.src.Color)
	}
	if n := len(c.src.Path); n > 0 {
		p.Name = cut(c.src.Path[n-1], 255)
	}
	p.Default = c.src.Default && c.src.Kind != model.KindFiles
	if c.src.Kind == model.KindFiles && len(c.src.Path) > 1 {
		p.Parent = strings.Join(c.src.Path[:len(c.src.Path)-1], "\x00")
	}
	return p
}

func (c *collection) components() []string {
	if c.src.Kind != model.KindCalendar {
		return nil
	}
	return c.src.Components
}

// unwritten says what of a collection the destination does not take as it is.
func (c *collection) unwritten() (texts []string) {
	p := c.properties()
	if n := len(c.src.Path); n > 0 && p.Name != c.src.Path[n-1] {
		texts = append(texts, "its name is shortened to 255 octets: "+c.src.Path[n-1])
	}
	if p.Description != c.src.Description {
		texts = append(texts, "its description is shortened to 254 octets: "+c.src.Description)
	}
	switch {
	case c.src.Color == "" || p.Color != "":
	case color(c.src.Color) != "":
		texts = append(texts, fmt.Sprintf("its colour %s is left out: at the destination only calendars have one", color(c.src.Color)))
	default:
		texts = append(texts, fmt.Sprintf("its colour %q is none; left out", cut(c.src.Color, 80)))
	}
	if c.src.TimeZone != "" && p.TimeZone == "" {
		texts = append(texts, fmt.Sprintf("its time zone is known by no name; left out: %s", cut(c.src.TimeZone, 80)))
	}
	return texts
}

// cut shortens text to n octets between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// zoneName is the IANA name of a calendar's time zone, which may be given as a
// VTIMEZONE or in a client's own words; empty where it has none.
func zoneName(s string) string {
	if strings.Contains(s, "BEGIN:") {
		return icalendar.DefinedZone(s)
	}
	return icalendar.IANA(s)
}

// putCollections finds or makes each collection's counterpart, and writes what
// changed of its properties.
func (a *Account) putCollections(ctx context.Context) error {
	for _, kind := range kinds {
		var some []*collection
		for _, c := range a.all {
			if c.src.Kind == kind {
				some = append(some, c)
			}
		}
		if len(some) == 0 || !slices.ContainsFunc(some, func(c *collection) bool {
			return c.changed || c.row.Target == "" || c.row.Written != c.properties().String()
		}) {
			continue
		}
		at, err := a.dst.ObjectCollections(ctx, kind)
		if err != nil {
			return err
		}
		free := a.mayBeDefault(kind, at)
		for _, c := range some {
			if err := a.putCollection(ctx, c, at, free); err != nil {
				if model.ClassOf(err) != model.ClassItem {
					return err
				}
				c.lost = true
				a.incomplete = true
				a.behind[kind]++
				a.Note(c.name(), "", NoteRefused, err.Error())
			}
		}
	}
	return nil
}

func (a *Account) putCollection(ctx context.Context, c *collection, at []destination.ObjectCollection, mayBeDefault bool) error {
	want := c.properties()
	to := destination.ObjectCollection{Collection: destination.Collection{Kind: c.src.Kind}, Components: c.components(), Subscribed: true}
	var last, have properties
	if c.row.Target == "" {
		if i := a.counterpart(c, at); i >= 0 {
			to.ID, have.Default = at[i].ID, at[i].Default && c.src.Kind != model.KindFiles
		}
		last = properties{} // everything is new
	} else {
		i := slices.IndexFunc(at, func(o destination.ObjectCollection) bool { return sameCollection(o.ID, c.row.Target) })
		if i < 0 {
			c.lost = true
			a.res.Of(c.src.Kind).Kept++
			a.Note(c.name(), "", NoteKept, "its user deleted the "+c.src.Kind.String()+" at the destination; nothing more goes there")
			return nil
		}
		to.ID, to.Subscribed = c.row.Target, at[i].Subscribed
		have = propertiesOf(at[i], want.Parent)
		if json.Unmarshal([]byte(c.row.Written), &last) != nil {
			last = have
		}
	}
	merged, kept := merge(want, last, have, c.row.Target == "")
	if want.Default && !last.Default && !have.Default {
		if merged.Default = mayBeDefault; !mayBeDefault {
			kept = append(kept, "default")
		}
	}
	for _, what := range kept {
		a.res.Of(c.src.Kind).Kept++
		a.Note(c.name(), "", NoteKept, "its user changed the "+what+" at the destination; left so")
	}
	if c.src.ReadOnly && c.row.Target == "" {
		a.Note(c.name(), "", NoteReadOnly, "its user could only read it at the source; at the destination it is his own")
	}
	if c.row.Target != "" && c.row.Written == want.String() {
		return nil
	}
	for _, text := range c.unwritten() {
		a.Note(c.name(), "", NoteRepaired, text)
	}
	if c.row.Target == "" || merged != have {
		to.Default = merged.Default && !have.Default
		to.Name, to.Description, to.Color, to.Order, to.TimeZone, to.Transparent = merged.Name, merged.Description, merged.Color, merged.Order, merged.TimeZone, merged.Transparent
		if c.src.Kind == model.KindFiles {
			if len(c.src.Path) == 0 {
				return a.recordCollection(ctx, c, to.ID, false, want)
			}
			above := c.src.Path[:len(c.src.Path)-1]
			to.Parent = a.folder(above)
			if to.Parent == "" && len(above) > 0 {
				return model.Faultf(model.ClassItem, "collection", "the folder above %s is not at the destination", c.name())
			}
		}
		if err := a.Step("collection"); err != nil {
			return err
		}
		created := to.ID == ""
		id, err := a.dst.PutObjectCollection(ctx, to, fmt.Sprintf("%d %s", c.src.Kind, c.src.ID))
		if err != nil {
			return err
		}
		a.res.Of(c.src.Kind).Collections++
		return a.recordCollection(ctx, c, id, created || c.row.Created, want)
	}
	return a.recordCollection(ctx, c, to.ID, c.row.Created, want)
}

// mayBeDefault: the default one at the destination is still the server's own, or the one that was
// made it because the source's was.
func (a *Account) mayBeDefault(kind model.Kind, at []destination.ObjectCollection) bool {
	i := slices.IndexFunc(at, func(o destination.ObjectCollection) bool { return o.Default })
	if i < 0 {
		return true
	}
	for _, c := range a.all {
		if c.src.Kind == kind && c.row.Target != "" && sameCollection(c.row.Target, at[i].ID) {
			var was properties
			return json.Unmarshal([]byte(c.row.Written), &was) == nil && was.Default
		}
	}
	return true
}

// folder is the ID of a folder by its path.
func (a *Account) folder(path []string) string {
	for _, c := range a.all {
		if c.src.Kind == model.KindFiles && slices.Equal(c.src.Path, path) {
			return c.row.Target
		}
	}
	return ""
}

func (a *Account) recordCollection(ctx context.Context, c *collection, id string, created bool, want properties) error {
	c.row.Target, c.row.Created, c.row.Written = id, created, want.String()
	return a.step(ctx, "collection", func(t *ledger.Tx) error { return t.PutObjectCollection(&c.row) })
}

// sameCollection compares IDs that may have been told with or without a
// second part.
func sameCollection(a, b string) bool {
	a, _, _ = strings.Cut(a, "/")
	b, _, _ = strings.Cut(b, "/")
	return a == b
}

// counterpart finds a collection that is there already: the default one for
// the default one, the root for the root, else one of the same name; none that
// another collection of the source has.
func (a *Account) counterpart(c *collection, at []destination.ObjectCollection) int {
	taken := func(o destination.ObjectCollection) bool {
		return slices.ContainsFunc(a.all, func(d *collection) bool {
			return d.src.Kind == c.src.Kind && d.row.Target != "" && sameCollection(d.row.Target, o.ID)
		})
	}
	if c.src.Kind == model.KindFiles {
		if len(c.src.Path) > 0 {
			return -1 // PutObjectCollection takes a folder of this name
		}
		return slices.IndexFunc(at, func(o destination.ObjectCollection) bool { return o.Default })
	}
	usable := func(o destination.ObjectCollection) bool { return !strings.HasSuffix(o.ID, "/") && !taken(o) }
	if c.src.Default {
		if i := slices.IndexFunc(at, func(o destination.ObjectCollection) bool { return o.Default && usable(o) }); i >= 0 {
			return i
		}
	}
	// Where the source does not say which one is its default, as an old
	// Stalwart, the destination's default may be called the same.
	told := slices.ContainsFunc(a.all, func(d *collection) bool { return d.src.Kind == c.src.Kind && d.src.Default })
	return slices.IndexFunc(at, func(o destination.ObjectCollection) bool {
		return !(o.Default && told) && usable(o) && o.Name == c.properties().Name
	})
}

func propertiesOf(o destination.ObjectCollection, parent string) properties {
	return properties{Name: o.Name, Description: o.Description, Color: strings.ToLower(o.Color), Order: o.Order, TimeZone: o.TimeZone, Transparent: o.Transparent, Default: o.Default && o.Kind != model.KindFiles, Parent: parent}
}

// merge takes over what the source changed, and keeps what the user changed at
// the destination; kept names what both changed.
func merge(want, last, have properties, fresh bool) (merged properties, kept []string) {
	if fresh {
		return want, nil
	}
	merged = have
	text := func(name string, to *string, want, last, have string) {
		switch {
		case want == last || want == have:
		case have == last:
			*to = want
		default:
			kept = append(kept, name)
		}
	}
	text("name", &merged.Name, want.Name, last.Name, have.Name)
	text("description", &merged.Description, want.Description, last.Description, have.Description)
	text("colour", &merged.Color, want.Color, last.Color, have.Color)
	text("time zone", &merged.TimeZone, want.TimeZone, last.TimeZone, have.TimeZone)
	if want.Order != last.Order && have.Order == last.Order {
		merged.Order = want.Order
	}
	if want.Transparent != last.Transparent && have.Transparent == last.Transparent {
		merged.Transparent = want.Transparent
	}
	return merged, kept
}
