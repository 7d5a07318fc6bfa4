package stalwart

import "mailhaul.org/mailhaul/internal/destination"

// past is what earlier runs wrote.
type past struct {
	values map[destination.Written]destination.Written // by kind, subject, property, item
	items  map[destination.Written][]string            // by kind, subject, property
}

func key(kind destination.Kind, subject, property, item string) destination.Written {
	return destination.Written{Kind: kind, Subject: subject, Property: property, Item: item}
}

func newPast(written []destination.Written) past {
	p := past{map[destination.Written]destination.Written{}, map[destination.Written][]string{}}
	for _, w := range written {
		p.values[key(w.Kind, w.Subject, w.Property, w.Item)] = w
		k := key(w.Kind, w.Subject, w.Property, "")
		p.items[k] = append(p.items[k], w.Item)
	}
	return p
}

// made reports whether mailhaul made the subject.
func (p past) made(kind destination.Kind, subject string) bool {
	_, ok := p.values[key(kind, subject, destination.PropertyMade, "")]
	return ok
}

// wrote returns what was last written of a value, if the destination has it as
// have: of a value that was about to be written, either that or the one before.
func (p past) wrote(kind destination.Kind, subject, property, have string) (value string, ok bool) {
	w, ok := p.values[key(kind, subject, property, "")]
	switch {
	case !ok:
		return "", false
	case !w.Intended || have == w.Value:
		return w.Value, true
	}
	return w.Before, w.Had
}

// scalar decides about one value, three ways.
type scalar struct {
	set  bool // write want
	keep bool // leave have, which is not ours
}

// merge compares what is wanted, what is there, and what was written. blank is
// what the destination has where nobody has set anything.
func (p *planner) merge(kind destination.Kind, subject, property, want, have, blank string) scalar {
	if want == have || want == blank || want == "" && !p.wroteAny(kind, subject, property) {
		return scalar{}
	}
	last, ok := p.past.wrote(kind, subject, property, have)
	switch {
	case ok && last == have: // ours, and the source has changed
		return scalar{set: true}
	case p.want.Update:
		return scalar{set: true}
	case !ok && have == blank:
		return scalar{set: true}
	}
	return scalar{keep: true}
}

func (p *planner) wroteAny(kind destination.Kind, subject, property string) bool {
	_, ok := p.past.values[key(kind, subject, property, "")]
	return ok
}

// member decides about one member of a set that is wanted and not there.
func (p *planner) member(kind destination.Kind, subject, property, item string) (add bool) {
	w, ok := p.past.values[key(kind, subject, property, item)]
	return !ok || w.Intended || p.want.Update // else somebody took it out
}

// record adds a value that an action writes.
func record(a *destination.Action, property, item, value string) {
	a.Records = append(a.Records, destination.Written{Kind: a.Kind, Subject: a.Subject, Property: property, Item: item, Value: value})
}

// forget adds a value that an action takes back; without a property all of the
// subject.
func forget(a *destination.Action, property, item string) {
	a.Forget = append(a.Forget, destination.Written{Kind: a.Kind, Subject: a.Subject, Property: property, Item: item})
}
