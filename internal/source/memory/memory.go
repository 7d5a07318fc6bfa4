package memory

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Source is an organisation in memory. Its exported fields are set before it
// is used; its methods may be called concurrently.
type Source struct {
	// NoGUIDs leaves items without identity, as most IMAP servers do.
	NoGUIDs bool
	// NoDeltas answers every cursor with a complete listing, as a server
	// without CONDSTORE must.
	NoDeltas bool
	// Fail, if set, is asked before every call ("collections", "changes",
	// "read UID"); its error is returned.
	Fail func(call string) error

	mu       sync.Mutex
	accounts map[string]*account
	reads    int
}

type account struct {
	acc         model.Account
	boxes       map[string]*box
	scripts     []model.Script
	collections map[string]*collection
	modseq      uint64
	guids       int
}

type box struct {
	id          string // survives renames
	path        []string
	role        model.Role
	subscribed  bool
	container   bool
	uidvalidity uint32
	next        uint64
	messages    map[uint64]*message
	removed     map[uint64]uint64 // UID → modseq
	grants      []model.Grant
}

type message struct {
	item   model.Item
	body   []byte
	modseq uint64
}

// New returns an empty organisation.
func New() *Source { return &Source{accounts: map[string]*account{}} }

// AddAccount adds an account with an empty inbox.
func (s *Source) AddAccount(a model.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[a.Login] = &account{acc: a, boxes: map[string]*box{}}
	s.add(a.Login, "INBOX", model.RoleInbox)
}

// AddMailbox adds a mailbox; levels of name are separated by "/".
func (s *Source) AddMailbox(login, name string, role model.Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(login, name, role)
}

func (s *Source) add(login, name string, role model.Role) {
	a := s.accounts[login]
	a.modseq++
	a.boxes[name] = &box{id: "box" + strconv.FormatUint(a.modseq, 10) + name, path: strings.Split(name, "/"), role: role, subscribed: true, uidvalidity: 1, next: 1,
		messages: map[uint64]*message{}, removed: map[uint64]uint64{}}
}

// Subscribe sets a subscription.
func (s *Source) Subscribe(login, name string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[login].boxes[name].subscribed = on
}

// SetContainer makes a mailbox one that holds only others, as a server does
// when a mailbox is deleted that has some below it. Its messages are gone.
func (s *Source) SetContainer(login, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.accounts[login].boxes[name]
	b.container, b.messages = true, map[uint64]*message{}
}

// Rename renames a mailbox, which keeps its identity.
func (s *Source) Rename(login, from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	b := a.boxes[from]
	delete(a.boxes, from)
	b.path = strings.Split(to, "/")
	a.boxes[to] = b
}

// RemoveMailbox removes a mailbox with everything in it.
func (s *Source) RemoveMailbox(login, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts[login].boxes, name)
}

// Deliver adds a message and returns its UID.
func (s *Source) Deliver(login, name, body string, flags model.Flags, received time.Time) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	a.guids++
	return a.put(a.boxes[name], &message{body: []byte(body), item: model.Item{
		ItemRef: model.ItemRef{GUID: fmt.Sprintf("%032x", a.guids)}, Flags: flags, Received: received, Size: int64(len(body))}})
}

func (a *account) put(b *box, m *message) uint64 {
	a.modseq++
	m.modseq = a.modseq
	m.item.UID = b.next
	b.next++
	b.messages[m.item.UID] = m
	return m.item.UID
}

// SetFlags replaces the flags of a message.
func (s *Source) SetFlags(login, name string, uid uint64, flags model.Flags) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	m := a.boxes[name].messages[uid]
	a.modseq++
	m.modseq, m.item.Flags = a.modseq, flags
}

// Corrupt replaces the octets of a message behind everybody's back.
func (s *Source) Corrupt(login, name string, uid uint64, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[login].boxes[name].messages[uid].body = []byte(body)
}

// Expunge removes a message.
func (s *Source) Expunge(login, name string, uid uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	a.modseq++
	delete(a.boxes[name].messages, uid)
	a.boxes[name].removed[uid] = a.modseq
}

// Move moves a message to another mailbox, where it gets a new UID.
func (s *Source) Move(login, from string, uid uint64, to string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	m := *a.boxes[from].messages[uid]
	a.modseq++
	delete(a.boxes[from].messages, uid)
	a.boxes[from].removed[uid] = a.modseq
	return a.put(a.boxes[to], &m)
}

// ResetUIDValidity gives a mailbox a new UIDVALIDITY and all its messages
// new UIDs, as a rebuilt index does.
func (s *Source) ResetUIDValidity(login, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	b := a.boxes[name]
	old := b.messages
	b.uidvalidity++
	b.next, b.messages, b.removed = 100, map[uint64]*message{}, map[uint64]uint64{}
	for _, uid := range slices.Sorted(maps.Keys(old)) {
		a.put(b, old[uid])
	}
}

// SetRights replaces the access control list of a mailbox.
func (s *Source) SetRights(login, name string, grants ...model.Grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[login].boxes[name].grants = grants
}

// SetScripts replaces the Sieve scripts.
func (s *Source) SetScripts(login string, scripts ...model.Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[login].scripts = scripts
}

// UIDs returns the UIDs of a mailbox in ascending order.
func (s *Source) UIDs(login, name string) []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.accounts[login].boxes[name].messages))
}

// Reads returns how many messages were read so far.
func (s *Source) Reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// Accounts implements source.Source.
func (s *Source) Accounts(context.Context) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		s.mu.Lock()
		logins := slices.Sorted(maps.Keys(s.accounts))
		s.mu.Unlock()
		for _, l := range logins {
			if !yield(s.accounts[l].acc, nil) {
				return
			}
		}
	}
}

// Open implements source.Source.
func (s *Source) Open(_ context.Context, a model.Account) (source.Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc, ok := s.accounts[a.Login]
	if !ok {
		return nil, model.Faultf(model.ClassAccount, model.CodeAuth, "no account %s", a.Login)
	}
	return &store{s: s, a: acc}, nil
}

// Close implements source.Source.
func (s *Source) Close() error { return nil }

func (s *Source) fail(ctx context.Context, call string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Fail != nil {
		return s.Fail(call)
	}
	return nil
}

type store struct {
	s *Source
	a *account
}

func (st *store) Close() error { return nil }

func (st *store) Collections(ctx context.Context) ([]model.Collection, error) {
	if err := st.s.fail(ctx, "collections"); err != nil {
		return nil, err
	}
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	var out []model.Collection
	for name, b := range st.a.boxes {
		c := model.Collection{Kind: model.KindMail, ID: b.id, Renamable: true, Native: name, Path: b.path, Role: b.role,
			Subscribed: b.subscribed, Container: b.container, UIDValidity: b.uidvalidity, Items: int64(len(b.messages)), Octets: -1}
		if b.container {
			c.UIDValidity = 0
		}
		if !st.s.NoDeltas {
			c.Fingerprint = fmt.Sprint(b.uidvalidity, b.next, len(b.messages), b.modseq())
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b model.Collection) int {
		if (a.Role == model.RoleInbox) != (b.Role == model.RoleInbox) {
			if a.Role == model.RoleInbox {
				return -1
			}
			return 1
		}
		return slices.Compare(a.Path, b.Path)
	})
	return out, nil
}

// modseq is the highest of the mailbox.
func (b *box) modseq() (n uint64) {
	for _, m := range b.messages {
		n = max(n, m.modseq)
	}
	for _, m := range b.removed {
		n = max(n, m)
	}
	return n
}

func (st *store) box(c model.Collection) (*box, error) {
	for _, b := range st.a.boxes {
		if b.id == c.ID && !b.container {
			return b, nil
		}
	}
	return nil, model.Faultf(model.ClassAccount, model.CodeGone, "%s: the mailbox is gone", c.Native)
}

func (st *store) Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		if err := st.s.fail(ctx, "changes"); err != nil {
			yield(model.Change{}, err)
			return
		}
		all, err := st.changes(c, since)
		if err != nil {
			yield(model.Change{}, err)
			return
		}
		for _, ch := range all {
			if !yield(ch, nil) {
				return
			}
		}
	}
}

func (st *store) changes(c model.Collection, since string) ([]model.Change, error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	b, err := st.box(c)
	if err != nil {
		return nil, err
	}
	var validity uint32
	var seen uint64
	_, err = fmt.Sscanf(since, "%d:%d", &validity, &seen)
	var out []model.Change
	full := err != nil || validity != b.uidvalidity || st.s.NoDeltas
	if full {
		seen = 0
		out = append(out, model.Change{Op: model.OpListing})
	}
	for _, uid := range slices.Sorted(maps.Keys(b.messages)) {
		m := b.messages[uid]
		if m.modseq <= seen {
			continue
		}
		it := m.item
		if st.s.NoGUIDs {
			it.GUID = ""
		}
		out = append(out, model.Change{Op: model.OpUpsert, Item: it})
	}
	if !full {
		for _, uid := range slices.Sorted(maps.Keys(b.removed)) {
			if b.removed[uid] > seen {
				out = append(out, model.Change{Op: model.OpRemoved, Item: model.Item{ItemRef: model.ItemRef{UID: uid}}})
			}
		}
	}
	return append(out, model.Change{Op: model.OpCheckpoint, Cursor: fmt.Sprintf("%d:%d", b.uidvalidity, st.a.modseq)}), nil
}

func (st *store) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	for _, ref := range items {
		err := st.s.fail(ctx, fmt.Sprintf("read %d", ref.UID))
		if err != nil && model.ClassOf(err) != model.ClassItem {
			return err
		}
		var body []byte
		if err == nil {
			if body, err = st.body(c, ref); err != nil && model.ClassOf(err) != model.ClassItem {
				return err
			}
		}
		if err != nil {
			err = fn(ref, nil, err)
		} else {
			err = fn(ref, &source.Content{Reader: bytes.NewReader(body), Size: int64(len(body))}, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (st *store) body(c model.Collection, ref model.ItemRef) ([]byte, error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	b, err := st.box(c)
	if err != nil {
		return nil, err
	}
	if b.uidvalidity != c.UIDValidity {
		return nil, model.Faultf(model.ClassAccount, "uidvalidity", "%s: UIDVALIDITY changed while it was read; run again", c.Native)
	}
	m, ok := b.messages[ref.UID]
	if !ok {
		return nil, model.Faultf(model.ClassItem, model.CodeGone, "UID %d is gone", ref.UID)
	}
	st.s.reads++
	return m.body, nil
}

func (st *store) Scripts(context.Context) ([]model.Script, error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	return slices.Clone(st.a.scripts), nil
}

// Rights implements source.Rights.
func (st *store) Rights(_ context.Context, c model.Collection) ([]model.Grant, error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	b, err := st.box(c)
	if err != nil {
		return nil, err
	}
	return slices.Clone(b.grants), nil
}
