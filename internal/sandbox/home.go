package sandbox

import (
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// home is what an account holds of calendars or of address books.
type home struct {
	kind           *homeKind
	collections    map[uint32]*collection
	objects        map[uint32]*object
	nextCollection uint32
	nextObject     uint32
	main           uint32 // collection that is the default; 0 none
	vanished       []vanished
	log            *changeLog // of the account
}

// collection is a calendar or an address book.
type collection struct {
	doc     uint32
	segment string // of its DAV path
	// looks are what each login calls it. Who has none sees the owner's.
	looks map[uint32]*look
	// components are those that a calendar says it takes; nil: all.
	components []string
	dead       []deadProperty
	shares     shares
	change     uint64 // last change of the collection itself
	objects    map[string]*object
	uids       map[string]int
}

// look is what one login sees of a collection.
type look struct {
	name                         string
	description, color, timeZone *string
	sortOrder                    int64
	subscribed, visible          bool
	availability                 string
}

// deadProperty is a WebDAV property that the server only keeps.
type deadProperty struct{ space, name, value string }

// object is a calendar object or a card.
type object struct {
	doc    uint32
	in     *collection
	name   string // last segment of its DAV path
	uid    string // empty: a card without one
	text   string
	change uint64 // that it was stored with
	placed uint64 // that it came with to where it is
}

// vanished is a path at which there was an object from one change to another.
type vanished struct {
	collection   uint32
	name         string
	from, change uint64
}

func newHome(kind *homeKind) *home {
	return &home{kind: kind, collections: map[uint32]*collection{}, objects: map[uint32]*object{}}
}

// home returns the account's calendars or books; the first access makes one,
// as on the server.
func (s *Server) home(a *account, kind *homeKind) *home {
	h := a.homes[kind]
	if h == nil {
		h = newHome(kind)
		h.log = &a.logs[kind.log]
		a.homes[kind] = h
	}
	if len(h.collections) == 0 {
		c := h.make(a, "default")
		c.looks[a.id] = &look{name: fmt.Sprintf("%s (%s)", kind.displayName, s.addressOf(a)), subscribed: true, visible: true, availability: "all"}
		h.main = c.doc
	}
	return h
}

// make adds an empty collection.
func (h *home) make(a *account, segment string) *collection {
	h.nextCollection++
	c := &collection{doc: h.nextCollection, segment: segment, looks: map[uint32]*look{}, objects: map[string]*object{}, uids: map[string]int{}, change: a.nextChange()}
	h.collections[c.doc] = c
	h.log.add(c.change, insertContainer, uint64(c.doc))
	return c
}

func (h *home) at(segment string) *collection {
	for _, c := range h.collections {
		if c.segment == segment {
			return c
		}
	}
	return nil
}

// isMain reports whether a collection is the default one, as the only one is.
func (h *home) isMain(c *collection) bool { return h.main == c.doc || len(h.collections) == 1 }

// look is what a login sees; owner is the account's id.
func (h *home) look(c *collection, owner, login uint32) look {
	for _, who := range []uint32{login, owner} {
		if l := c.looks[who]; l != nil {
			return *l
		}
	}
	l := look{name: h.kind.fallback, visible: true, availability: "all"}
	if l.name == "" {
		l.name = c.segment
	}
	return l
}

// touched records a change of the collection itself.
func (h *home) touched(a *account, c *collection) {
	c.change = a.nextChange()
	h.log.add(c.change, updateContainer, uint64(c.doc))
}

// put stores a text under a name, new or in place of what is there, and
// returns the object.
func (s *Server) put(a *account, h *home, c *collection, name, uid, text string) *object {
	change := a.nextChange()
	o := c.objects[name]
	if o == nil {
		h.nextObject++
		o = &object{doc: h.nextObject, in: c, name: name, placed: change}
		h.objects[o.doc], c.objects[name] = o, o
		h.log.add(change, insertItem, uint64(o.doc))
	} else {
		c.forget(o.uid)
		h.log.add(change, updateItem, uint64(o.doc))
	}
	a.used += int64(len(text) - len(o.text))
	o.uid, o.text, o.change = uid, text, change
	c.uids[uid]++
	return o
}

func (c *collection) forget(uid string) {
	if c.uids[uid]--; c.uids[uid] <= 0 {
		delete(c.uids, uid)
	}
}

// move gives an object another place.
func (h *home) move(a *account, o *object, to *collection, name string) {
	change := a.nextChange()
	h.gone(o, change)
	o.in, o.name, o.change, o.placed = to, name, change, change
	to.objects[name] = o
	to.uids[o.uid]++
	h.log.add(change, updateItem, uint64(o.doc))
}

func (h *home) remove(a *account, o *object) {
	change := a.nextChange()
	h.gone(o, change)
	delete(h.objects, o.doc)
	a.used -= int64(len(o.text))
	h.log.add(change, deleteItem, uint64(o.doc))
}

// gone takes an object from its place.
func (h *home) gone(o *object, change uint64) {
	delete(o.in.objects, o.name)
	o.in.forget(o.uid)
	h.vanished = append(h.vanished, vanished{o.in.doc, o.name, o.placed, change})
}

// drop removes a collection with all that it holds.
func (h *home) drop(a *account, c *collection) {
	for _, o := range c.sorted() {
		h.remove(a, o)
	}
	delete(h.collections, c.doc)
	if h.main == c.doc {
		h.main = 0
	}
	h.log.add(a.nextChange(), deleteContainer, uint64(c.doc))
}

// sorted are the objects in the order in which they were stored.
func (c *collection) sorted() []*object {
	all := make([]*object, 0, len(c.objects))
	for _, o := range c.objects {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *object) int { return int(a.doc) - int(b.doc) })
	return all
}

// holder is an object of that UID other than o, or nil.
func (c *collection) holder(uid string, o *object) *object {
	if c.uids[uid] == 0 {
		return nil
	}
	for _, other := range c.objects {
		if other.uid == uid && other != o {
			return other
		}
	}
	return nil
}

// etag is an entity tag, without quotes.
func etag(parts ...string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.Join(parts, "\x00")))
	return fmt.Sprint(h.Sum32())
}

func (o *object) etag() string { return etag(o.text) }

func (c *collection) etag() string { return etag(c.segment, fmt.Sprint(c.change)) }

// newName makes the last segment of a path: the server's own are of ten
// characters.
func newName() string {
	return rand.Text()[:10]
}

// overQuota reports whether an account has no room for some octets more.
func (a *account) overQuota(more int64) bool {
	limit := a.quotas["maxDiskQuota"]
	return limit > 0 && a.used+more > limit
}
