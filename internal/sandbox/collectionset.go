package sandbox

import (
	"strings"
	"time"
)

// collectionGet tells what a login sees of an account's calendars or books.
func collectionGet(kind *homeKind) handler {
	return func(c *call) (obj, *methodError) {
		w, a, fail := c.wantsOf(c.owner)
		if fail != nil {
			return nil, fail
		}
		h := c.s.home(a, kind)
		if w.all {
			w.take(c.s.limits.MaxObjectsInGet, sortedKeys(h.collections))
		}
		list := []any{}
		for _, id := range w.ids {
			col := h.collections[uint32(id)]
			if col == nil || !c.mayAny(col.shares, kind.rights) {
				if !w.all {
					w.missing(id)
				}
				continue
			}
			l := h.look(col, a.id, c.tok.account)
			o := obj{"id": formatID(id), "name": l.name, "description": l.description, "sortOrder": l.sortOrder,
				"isDefault": h.isMain(col), "isSubscribed": l.subscribed, "myRights": c.myRights(col.shares, kind.rights)}
			if kind == calendarKind {
				o["color"], o["timeZone"] = l.color, l.timeZone
			}
			if w.properties != nil {
				o["shareWith"] = nil
				if c.owns() {
					o["shareWith"] = col.shares.show(kind.rights)
				}
				if kind == calendarKind {
					o["includeInAvailability"], o["isVisible"] = l.availability, l.visible
				}
			}
			list = append(list, w.pick(o))
		}
		return c.got(w, exactState(h.log.container).String(), list), nil
	}
}

// collectionSet creates, describes, shares and destroys calendars or books.
// What it says of one is the login's own, whoever owns it.
func collectionSet(kind *homeKind) handler {
	return func(c *call) (obj, *methodError) {
		set, a, fail := c.settingOf(c.owner, func(a *account) string { return exactState(c.s.home(a, kind).log.container).String() })
		if fail != nil {
			return nil, fail
		}
		h := c.s.home(a, kind)
		for _, m := range c.args.get("create").members {
			if !c.owns() {
				set.notCreated[m.name] = newSetError("forbidden", "Cannot create "+kind.says+"s in a shared account.")
				continue
			}
			l := look{visible: true, availability: "all"}
			sh, bad := c.describe(kind, &l, nil, m.value)
			if bad == nil && l.name == "" {
				bad = invalidProperty("Missing name.", "name")
			}
			if bad != nil {
				set.notCreated[m.name] = bad
				continue
			}
			if fail := c.step(); fail != nil {
				return nil, fail
			}
			col := h.make(a, newName())
			col.shares = sh
			// The owner has a record, too, if an empty one.
			col.looks[a.id] = &look{visible: true, availability: "all"}
			col.looks[c.tok.account] = &l
			set.created[m.name] = obj{"id": formatID32(col.doc)}
		}
		for m, col := range toUpdate(set, byDocument(h.collections)) {
			if !c.owns() {
				set.notUpdated[m.name] = newSetError("forbidden", "You are not allowed to modify this "+kind.says+".")
				continue
			}
			l := h.look(col, a.id, c.tok.account)
			sh, bad := c.describe(kind, &l, col.shares, m.value)
			if bad != nil {
				set.notUpdated[m.name] = bad
				continue
			}
			if fail := c.step(); fail != nil {
				return nil, fail
			}
			col.looks[c.tok.account], col.shares = &l, sh
			h.touched(a, col)
			set.updated[m.name] = nil
		}
		for _, id := range set.willDestroy {
			col := h.collections[uint32(id)]
			var bad setError
			switch {
			case col == nil:
				bad = newSetError("notFound", "")
			case !c.owns():
				bad = newSetError("forbidden", "You are not allowed to delete this "+kind.says+".")
			case len(col.objects) > 0 && !c.args.get(kind.removal).bool:
				bad = newSetError(kind.hasObject, strings.ToUpper(kind.says[:1])+kind.says[1:]+" is not empty.")
			}
			if bad != nil {
				set.notDestroyed[formatID(id)] = bad
				continue
			}
			h.drop(a, col)
			set.destroyed = append(set.destroyed, formatID(id))
		}
		if id, err := parseID(c.args.get("onSuccessSetIsDefault").text); err == nil && h.collections[uint32(id)] != nil && len(set.notCreated)+len(set.notUpdated)+len(set.notDestroyed) == 0 {
			h.main = uint32(id)
		}
		set.new = exactState(h.log.container).String()
		return set.response(), nil
	}
}

// describe applies properties to a look and returns the shares that come of
// them.
func (c *call) describe(kind *homeKind, l *look, sh shares, props value) (shares, setError) {
	for _, p := range props.members {
		v := p.value
		bad := invalidProperty("Field could not be set.", p.name)
		text := func(to **string, fine bool) setError {
			switch {
			case v.kind == kindNull:
				*to = nil
			case v.kind == kindString && fine:
				*to = &v.text
			default:
				return bad
			}
			return nil
		}
		var err setError
		switch calendar := kind == calendarKind; {
		case isShare(p.name):
			sh, err = c.share(sh, p.name, v)
		case p.name == "name" && v.kind == kindString && len(v.text) >= 1 && len(v.text) <= 255:
			l.name = v.text
		case p.name == "description":
			err = text(&l.description, len(v.text) < 255)
		case p.name == "sortOrder" && v.kind == kindNumber && v.number >= 0:
			l.sortOrder = int64(v.number)
		case p.name == "isSubscribed" && v.kind == kindBool:
			l.subscribed = v.bool
		case p.name == "color" && calendar:
			err = text(&l.color, len(v.text) < 16)
		case p.name == "timeZone" && calendar:
			_, zerr := time.LoadLocation(v.text)
			err = text(&l.timeZone, zerr == nil && v.text != "")
		case p.name == "isVisible" && calendar && v.kind == kindBool:
			l.visible = v.bool
		case p.name == "includeInAvailability" && calendar && (v.text == "all" || v.text == "attending" || v.text == "none"):
			l.availability = v.text
		case p.name == "name", p.name == "sortOrder", p.name == "isSubscribed", p.name == "isVisible" && calendar, p.name == "includeInAvailability" && calendar:
			err = bad
		default:
			err = invalidProperty("Invalid property.", p.name)
		}
		if err != nil {
			return nil, err
		}
	}
	return sh, nil
}
