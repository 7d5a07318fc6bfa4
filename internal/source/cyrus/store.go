package cyrus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
	"mailhaul.org/mailhaul/internal/source/findings"
	"mailhaul.org/mailhaul/internal/source/hierarchy"
	"mailhaul.org/mailhaul/internal/source/mailname"
	"mailhaul.org/mailhaul/internal/source/specialuse"
)

// Store is one account.
type Store struct {
	findings.Damages
	src     *Source
	acc     model.Account
	user    string // as the server calls the account
	inbox   name
	inboxID string
	// seen is the account's seen database, read when it is first needed.
	seen     map[string]seenSet
	seenAt   stamp
	seenFile string
	listed   *contents // the collection of objects that was listed last
}

// Close implements source.Store.
func (st *Store) Close() error { return nil }

// Collections implements source.Store: the user's own mailboxes. One whose
// files cannot be read is listed, and the reason is the error of its Changes.
// Calendars, address books and files are named in the log and by Check.
func (st *Store) Collections(ctx context.Context) ([]model.Collection, error) {
	m, err := st.src.mailboxes()
	if err != nil {
		return nil, st.fault("", err)
	}
	if m.damage != nil {
		st.damaged(model.Collection{}, "", "the server's list of mailboxes is damaged: some of the account's may be missing", m.damage)
	}
	annotations, err := st.src.annotated()
	if err != nil {
		return nil, st.fault("", err)
	}
	st.src.mu.Lock()
	lost := st.src.annotationsDamage
	st.src.mu.Unlock()
	if lost != nil {
		st.damaged(model.Collection{}, "", "the server's annotations are damaged: special uses may be missing", lost)
	}
	subscribed, err := st.subscriptions()
	if err != nil {
		return nil, st.fault("", err)
	}
	var out []model.Collection
	used := map[string]bool{}
	left := map[kind]int{}
	entries := m.byOwner[st.user]
	if st.acc.Public != nil {
		entries = m.shared
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k := e.content(st.src.opts.Layout.SieveFolder)
		if k != kindMail && k != kindIntermediate {
			left[k]++
			continue
		}
		c := st.collection(e)
		_, below, _ := e.name.owner()
		c.Path = st.src.shown(below)
		c.Subscribed = subscribed[e.name]
		switch {
		case st.acc.Public != nil:
			// Roles and subscriptions are somebody's.
			c.Path, c.Subscribed, c.Fingerprint = st.src.publicPath(e), false, st.publicFingerprint(c)
		case e.name == st.inbox:
			c.Role = model.RoleInbox
		case !c.Container:
			if c.Role = roleOf(annotationsOf(annotations, e), st.user); c.Role == model.RoleNone {
				c.Role = specialuse.RoleOf(c.Path)
			}
		}
		// Two folders with one id: somebody has copied one by hand.
		if c.Renamable && used[c.ID] {
			c.ID, c.Renamable = "name:"+c.Native, false
		}
		used[c.ID] = true
		out = append(out, c)
	}
	if n := left[kindCalendar] + left[kindAddressBook] + left[kindFiles]; n > 0 && st.acc.Public != nil {
		st.src.log.Warn("calendars, address books and files that belong to nobody are not carried", "account", st.acc.Login, "calendars", left[kindCalendar],
			"address books", left[kindAddressBook], "folders of files", left[kindFiles])
	}
	if n := left[kindRemote]; n > 0 {
		st.src.log.Warn("mailboxes on other servers of the murder are not carried", "account", st.acc.Login, "mailboxes", n)
	}
	return hierarchy.Ordered(out), nil
}

// shown is the path of a user's mailbox as IMAP shows it (imap/mboxname.c):
// what would pass for the inbox or for a namespace is put elsewhere.
func (s *Source) shown(below []string) []string {
	if len(below) == 0 {
		return []string{"INBOX"}
	}
	p := s.path(below)
	inbox := strings.EqualFold(below[0], "INBOX")
	switch l := s.opts.Layout; {
	case l.Alt && (inbox && (len(below) == 1 || below[0] != "INBOX") || slices.Contains(l.Prefixes, below[0])):
		return append([]string{l.AltPrefix}, p...)
	case inbox && len(below) == 1:
		return []string{"INBOX", p[0]}
	case inbox:
		p[0] = "INBOX"
	}
	return p
}

// path is the hierarchy in UTF-8. Where a dot separates levels, IMAP shows one
// within a level as "^", and that is the name which users know.
func (s *Source) path(levels []string) []string {
	out := make([]string, len(levels))
	for i, l := range levels {
		if !s.opts.Layout.Slash {
			l = strings.ReplaceAll(l, ".", "^")
		}
		out[i] = mailname.Decode(l)
	}
	return out
}

// content is what a mailbox holds. Before there were types, names told.
func (e entry) content(sieveFolder string) kind {
	if e.kind != kindMail && e.kind != kindIntermediate {
		return e.kind
	}
	_, below, ok := e.name.owner()
	if !ok || len(below) == 0 {
		return e.kind
	}
	switch below[0] {
	case "#calendars":
		return kindCalendar
	case "#addressbooks":
		return kindAddressBook
	case "#drive":
		return kindFiles
	case sieveFolder:
		return kindSieve
	}
	if strings.HasPrefix(below[0], "#notifications") || strings.HasPrefix(below[0], "#jmap") {
		return kindOther
	}
	return e.kind
}

// collection is a mailbox without what depends on the reader.
func (st *Store) collection(e entry) model.Collection {
	c := model.Collection{Kind: model.KindMail, Native: e.name.String(), ID: "name:" + e.name.String(), Items: -1, Octets: -1,
		UIDValidity: e.validity}
	if e.kind == kindIntermediate {
		c.Container = true
		return c
	}
	id := e.id
	h, err := st.src.indexHeader(e)
	if err == nil {
		c.UIDValidity, c.Items, c.Octets = h.validity, int64(h.exists), int64(h.octets)
		if h.version >= 12 {
			c.Fingerprint = cursorOf(h).String()
		}
	}
	if id == "" {
		if h, err := st.src.header(e); err == nil {
			id = h.id
		}
	}
	if id != "" {
		c.ID, c.Renamable = id, true
	}
	return c
}

// indexHeader reads only the beginning of cyrus.index.
func (s *Source) indexHeader(e entry) (indexHeader, error) {
	p, err := s.place(e)
	if err != nil {
		return indexHeader{}, err
	}
	f, err := p.openMeta("cyrus.index")
	if err != nil {
		return indexHeader{}, err
	}
	defer f.Close()
	return readIndexHeader(f, s.opts.Pause)
}

// header reads cyrus.header.
func (s *Source) header(e entry) (header, error) {
	p, err := s.place(e)
	if err != nil {
		return header{}, err
	}
	return p.header()
}

// subscriptions are the user's; without a file there are none. A file that
// cannot be read is an error: nobody has unsubscribed from everything.
func (st *Store) subscriptions() (map[name]bool, error) {
	if st.acc.Public != nil {
		return nil, nil
	}
	for _, f := range st.stateFiles("sub") {
		records, err := cyrusdb.Read(f)
		if errors.Is(err, cyrusdb.ErrDamaged) && len(records) > 0 {
			st.damaged(model.Collection{}, "", "subscriptions are damaged: some may be missing", err)
			err = nil
		}
		if err != nil {
			return nil, err
		}
		if len(records) > 0 {
			return parseSubscriptions(records, st.inbox), nil
		}
	}
	return nil, nil
}

// stateFiles is where a file of the user's state may be: by the id of the
// inbox since 3.6, by the user's name before.
func (st *Store) stateFiles(kind string) []string {
	l := st.src.opts.Layout
	var out []string
	if safeID(st.inboxID) {
		out = append(out, filepath.Join(l.Config, "user", byID(st.inboxID), kind+".db"))
	}
	if strings.ContainsAny(st.user, "/\x00") {
		return out
	}
	for _, full := range []bool{l.FullHash, !l.FullHash} {
		for _, u := range []string{st.user, strings.ReplaceAll(st.user, ".", "^")} {
			out = append(out, filepath.Join(l.Config, hashing{true, full}.userFile(u, l.Virtual)+kind))
		}
	}
	return slices.Compact(out)
}

// fault is an error of a whole mailbox, or of all.
func (st *Store) fault(collection string, err error) error {
	f := &model.Fault{Class: model.ClassAccount, Code: "unreadable", Account: st.acc.Login, Collection: collection, Err: err}
	if inner, ok := errors.AsType[*model.Fault](err); ok {
		*f = *inner
		f.Account = st.acc.Login
		if collection != "" {
			f.Collection = collection
		}
		return f
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.Remedy = asOwner
	case errors.Is(err, errIndex), errors.Is(err, errHeader):
		f.Code, f.Remedy = "damaged", "repair it on the old server: reconstruct "+collection+"; or read this account over IMAP"
	case errors.Is(err, fs.ErrNotExist):
		f.Code, f.Remedy = model.CodeGone, "it was removed meanwhile: run again; if it is listed still: reconstruct "+collection
	}
	return f
}

// entry finds a mailbox of the list again.
func (st *Store) entry(c model.Collection) (entry, error) {
	m, err := st.src.mailboxes()
	if err != nil {
		return entry{}, st.fault(c.Native, err)
	}
	e, ok := m.find(c.Native)
	if !ok {
		return e, st.fault(c.Native, fmt.Errorf("it is not in the list of mailboxes: %w", fs.ErrNotExist))
	}
	return e, nil
}

var _ interface {
	source.Store
	source.Scripts
	source.Rights
	source.Shared
	source.SubscribedShared
} = (*Store)(nil)

var _ interface {
	source.Source
	source.Checker
	fmt.Stringer
} = (*Source)(nil)
