package sandbox

import (
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// objectWriter makes a text of an object in JMAP's form.
type objectWriter func(c *call, v value) (uid, text string, bad setError)

// objectGet tells of each object what it is and where; the sandbox leaves it to
// DAV to give what it says.
func objectGet(kind *homeKind) handler {
	return func(c *call) (obj, *methodError) {
		w, a, fail := c.wantsOf(c.owner)
		if fail != nil {
			return nil, fail
		}
		h := c.s.home(a, kind)
		if w.all {
			w.take(c.s.limits.MaxObjectsInGet, sortedKeys(h.objects))
		}
		var list []any
		for _, id := range w.ids {
			o := h.objects[uint32(id)]
			if o == nil {
				w.missing(id)
				continue
			}
			list = append(list, w.pick(obj{"id": formatID(id), "uid": o.uid, kind.holds: obj{formatID32(o.in.doc): true}}))
		}
		return c.got(w, exactState(h.log.item).String(), list), nil
	}
}

// homeChanges answers Foo/changes of collections or of objects.
func homeChanges(kind *homeKind, container bool) handler {
	return func(c *call) (obj, *methodError) {
		a, fail := c.owner()
		if fail != nil {
			return nil, fail
		}
		out, _, fail := c.changes(c.s.home(a, kind).log, container)
		return out, fail
	}
}

// objectSet creates and destroys objects. What is created is committed at the
// end of a call, so that two of one UID in a call do not see each other. Objects
// are replaced by DAV.
func objectSet(kind *homeKind, write objectWriter) handler {
	return func(c *call) (obj, *methodError) {
		set, a, fail := c.settingOf(c.owner, func(a *account) string { return exactState(c.s.home(a, kind).log.item).String() })
		if fail != nil {
			return nil, fail
		}
		h := c.s.home(a, kind)
		type made struct {
			name, uid, text string
			in              *collection
		}
		var all []made
		octets := int64(0)
		for _, m := range c.args.get("create").members {
			in, bad := h.placeOf(m.value)
			var uid, text string
			if bad == nil {
				uid, text, bad = write(c, m.value)
			}
			if bad == nil {
				bad = h.taken(in, uid)
			}
			if limit := kind.maxSize(c.s.limits); bad == nil && int64(len(text)) > limit {
				bad = newSetError("invalidProperties", fmt.Sprintf("The %s is larger than %d bytes.", kind.says, limit))
			}
			if bad == nil && a.overQuota(octets+int64(len(text))) {
				bad = newSetError("overQuota", "You have exceeded your disk quota.")
			}
			if bad != nil {
				set.notCreated[m.name] = bad
				continue
			}
			octets += int64(len(text))
			all = append(all, made{m.name, uid, text, in})
		}
		for _, m := range all {
			if fail := c.step(); fail != nil {
				return nil, fail
			}
			o := c.s.put(a, h, m.in, newName(), m.uid, m.text)
			set.created[m.name] = obj{"id": formatID32(o.doc)}
		}
		for m := range toUpdate(set, byDocument(h.objects)) {
			set.notUpdated[m.name] = newSetError("forbidden", "Objects are replaced over DAV here.")
		}
		for _, id := range set.willDestroy {
			o := h.objects[uint32(id)]
			if o == nil {
				set.notDestroyed[formatID(id)] = newSetError("notFound", "")
				continue
			}
			h.remove(a, o)
			set.destroyed = append(set.destroyed, formatID(id))
		}
		set.new = exactState(h.log.item).String()
		return set.response(), nil
	}
}

// placeOf is the collection that an object is to be in. The server takes
// several; the sandbox takes one.
func (h *home) placeOf(v value) (*collection, setError) {
	var in *collection
	for _, m := range v.get(h.kind.holds).members {
		id, err := parseID(m.name)
		if err != nil || !m.value.bool {
			continue
		}
		if in != nil {
			return nil, invalidProperty("The sandbox keeps an object in one place only.", h.kind.holds)
		}
		if in = h.collections[uint32(id)]; in == nil {
			return nil, invalidProperty(fmt.Sprintf("%s %s does not exist.", h.kind.holds[:len(h.kind.holds)-1], m.name), h.kind.holds)
		}
	}
	if in == nil {
		return nil, invalidProperty(fmt.Sprintf("The object has to belong to at least one %s.", h.kind.says), h.kind.holds)
	}
	return in, nil
}

// taken refuses a UID that is there already: in all of the account for events,
// in the address book for cards.
func (h *home) taken(in *collection, uid string) setError {
	for _, c := range h.collections {
		if uid != "" && c.uids[uid] > 0 && (h.kind.global || c == in) {
			return invalidProperty("An object with this UID already exists.", "uid")
		}
	}
	return nil
}

// eventParse reads calendar objects into JMAP's form.
func eventParse(c *call) (obj, *methodError) {
	ids := c.args.get("blobIds").list
	if len(ids) > c.s.limits.ParseLimitEvent {
		return nil, errRequestTooLarge
	}
	parsed := obj{}
	var notParsable, notFound []any
	for _, v := range ids {
		text := c.blobRef(v.text)
		id, err := parseBlobID(text)
		var data []byte
		ok := err == nil
		if ok {
			data, ok, err = c.s.readBlob(c.tok, id)
		}
		if !ok || err != nil {
			notFound = append(notFound, text)
			continue
		}
		cal := readComponent(data, "VCALENDAR", false)
		if cal == nil {
			notParsable = append(notParsable, text)
			continue
		}
		list, ok := jsEvents(cal)
		if !ok {
			return nil, errBreaksOff
		}
		parsed[text] = list
	}
	out := obj{"accountId": formatID32(c.account), "parsed": parsed}
	if notParsable != nil {
		out["notParsable"] = notParsable
	}
	if notFound != nil {
		out["notFound"] = notFound
	}
	return out, nil
}

// blobRef replaces a "#ref" to an upload of the same request.
func (c *call) blobRef(id string) string {
	if len(id) > 1 && id[0] == '#' {
		return c.created[id[1:]]
	}
	return id
}

// eventProperties are those that a created event may have.
var eventProperties = map[string]bool{"@type": true, "calendarIds": true, "uid": true, "updated": true, "title": true, "privacy": true, "start": true,
	"duration": true, "timeZone": true, "showWithoutTime": true, "recurrenceRule": true, "recurrenceOverrides": true, "iCalendar": true}

func writeEvent(c *call, v value) (uid, text string, bad setError) {
	for _, m := range v.members {
		if m.name == "method" {
			return "", "", invalidProperty("This property is immutable.", m.name)
		}
		if !eventProperties[m.name] {
			return "", "", invalidProperty("Invalid property.", m.name)
		}
	}
	uid = v.get("uid").text
	if uid == "" {
		uid = newName()
		v.members = append(v.members, member{"uid", value{kind: kindString, text: uid}})
	}
	return uid, string(icalEvent(v, c.s.clock(), c.tok.name).write(nil)), nil
}

// cardProperties are those that a created card may have.
var cardProperties = map[string]bool{"@type": true, "version": true, "addressBookIds": true, "uid": true, "name": true, "vCard": true}

func writeCard(_ *call, v value) (uid, text string, bad setError) {
	for _, m := range v.members {
		if !cardProperties[m.name] {
			return "", "", invalidProperty("Invalid property.", m.name)
		}
	}
	var out []byte
	for l := range strings.SplitSeq(strings.TrimSuffix(vcardOf(v), "\r\n"), "\r\n") {
		out = contentline.Line{Value: l}.Append(out) // folded
	}
	return v.get("uid").text, string(out), nil
}
