package stalwart

import (
	"cmp"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
)

// planGone plans what mailhaul made and the organisation has no more. What may
// hold somebody's data, and domains, are told of and never deleted.
func (p *planner) planGone() {
	if !p.want.Whole {
		return
	}
	rows := slices.Clone(p.want.Written)
	slices.SortFunc(rows, func(a, b destination.Written) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Property, b.Property))
	})
	for _, w := range rows {
		if p.kept[string(w.Kind)+" "+w.Subject] {
			continue
		}
		a := destination.Action{Kind: w.Kind, Subject: w.Subject}
		switch {
		case w.Property == destination.PropertyMade && w.Kind == destination.KindList:
			h, there := p.have.holders[p.have.canonical(w.Subject)]
			if !there || h.kind != destination.KindList {
				continue
			}
			a.Verb, a.Note = destination.VerbDelete, "no longer at the source"
			if l := p.have.lists[h.id]; p.changed(l) {
				a.Verb, a.Note = destination.VerbKeep, "no longer at the source, but somebody added to it at the destination"
			} else {
				forget(&a, "", "")
			}
		case w.Property == destination.PropertyMade && w.Kind == destination.KindDomain:
			if p.have.domains[w.Subject] == nil {
				continue
			}
			a.Verb, a.Note = destination.VerbKeep, "no longer at the source; mailhaul deletes no domains"
		case w.Property == destination.PropertyMade:
			if _, there := p.have.holders[p.have.canonical(w.Subject)]; !there {
				continue
			}
			a.Verb, a.Note = destination.VerbKeep, "no longer at the source; mailhaul deletes nothing that holds mail"
		case w.Kind == destination.KindCatchAll && w.Property == propertyCatchAll:
			d := p.have.domains[w.Subject]
			if d == nil || d.catchAll() == "" {
				continue
			}
			a.Changes = []destination.Change{{Property: propertyCatchAll, Old: d.catchAll()}}
			if w.Value != d.catchAll() {
				a.Verb, a.Kept, a.Changes, a.Note = destination.VerbKeep, a.Changes, nil, "no longer at the source, but set to something else at the destination"
			} else {
				a.Verb, a.Note = destination.VerbDelete, "no longer at the source"
				forget(&a, "", "")
			}
		case w.Kind == destination.KindForward && w.Property == propertyScript:
			if _, there := p.have.holders[p.have.canonical(w.Subject)]; !there {
				continue
			}
			a.Verb, a.Note = destination.VerbDelete, "no longer at the source; a script that was changed since stays"
			a.Changes = []destination.Change{{Property: propertyScript, Old: w.Value}}
			forget(&a, "", "")
		default:
			continue
		}
		p.add(a)
	}
}

// changed reports whether a list has recipients that mailhaul did not give it.
func (p *planner) changed(l *haveList) bool {
	for m := range l.Recipients {
		if !slices.Contains(p.past.items[key(destination.KindList, l.address, propertyRecipient, "")], strings.ToLower(m)) {
			return true
		}
	}
	return false
}
