package imap

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/hierarchy"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// publicStore is the account of the public mailboxes. IMAP shows them only to
// users, so it looks at them through the eyes of one or several: each mailbox
// is read by the first one who may. One connection is open at a time.
type publicStore struct {
	src     *Source
	acc     model.Account
	readers []model.Account
	views   map[string]*Store        // by reader's login
	at      map[string]seenBy        // by mailname.Key of the path
	lists   map[string][]model.Grant // same, where an administrator was told
	shared  map[string]bool          // same: whether all readers have one \Seen
}

// seenBy is a mailbox as one reader sees it.
type seenBy struct {
	reader string
	model.SharedCollection
}

// openPublic opens the public mailboxes. With an administrator (of a Cyrus) the
// readers are found in the access control lists.
func (s *Source) openPublic(ctx context.Context, a model.Account) (source.Store, error) {
	p := &publicStore{src: s, acc: a, views: map[string]*Store{}, shared: map[string]bool{}, readers: a.Public.Readers}
	if a.Public.Seen != "" && !slices.ContainsFunc(p.readers, func(r model.Account) bool { return r.Login == a.Public.Seen }) {
		p.readers = append([]model.Account{{Login: a.Public.Seen}}, p.readers...)
	}
	if s.opts.Enumerate {
		if err := p.ask(ctx); err != nil {
			return nil, err
		}
	}
	if len(p.readers) == 0 && (p.lists == nil || len(p.lists) > 0) {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "noReader", Account: a.Login, Err: errors.New("nothing tells by whose login the public mailboxes are read"),
			Remedy: "name accounts that may read them in source.public.readers"}
	}
	return p, nil
}

// Close implements source.Store.
func (p *publicStore) Close() error {
	for _, v := range p.views {
		v.drop()
	}
	return nil
}

// view is a reader's store. The connections of the others are closed: an
// account has one at a time.
func (p *publicStore) view(ctx context.Context, login string) (*Store, error) {
	for other, v := range p.views {
		if other != login {
			v.drop()
		}
	}
	if v := p.views[login]; v != nil {
		return v, nil
	}
	a := model.Account{Login: login}
	if i := slices.IndexFunc(p.readers, func(r model.Account) bool { return r.Login == login }); i >= 0 {
		a = p.readers[i]
	}
	v, err := p.src.openOne(ctx, a)
	if err != nil {
		return nil, err
	}
	p.views[login] = v
	return v, nil
}

// Collections implements source.Store. A mailbox that is there and that no
// reader may read is an error: it would be left behind.
func (p *publicStore) Collections(ctx context.Context) ([]model.Collection, error) {
	p.at = map[string]seenBy{}
	hidden := map[string]bool{}
	for key := range p.lists {
		hidden[key] = true
	}
	for _, r := range p.readers {
		v, err := p.view(ctx, r.Login)
		if err != nil {
			return nil, err
		}
		all, err := v.public(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			key := mailname.Key(c.Path)
			if _, have := p.at[key]; have {
				continue
			}
			if c.Container {
				hidden[key] = true
				continue
			}
			delete(hidden, key)
			p.at[key] = seenBy{r.Login, c}
		}
	}
	for key := range p.at {
		delete(hidden, key)
	}
	if len(hidden) > 0 {
		var names []string
		for _, key := range slices.Sorted(maps.Keys(hidden)) {
			names = append(names, strings.ReplaceAll(key, "\x00", "/"))
		}
		return nil, &model.Fault{Class: model.ClassAccount, Code: "noReader", Account: p.acc.Login,
			Err:    fmt.Errorf("none of the accounts that public mailboxes are read by may read %s", strings.Join(names, ", ")),
			Remedy: "name accounts that may in source.public.readers, or read the disk"}
	}
	var out []model.Collection
	for key, m := range p.at {
		c := m.Collection
		c.ID, c.Subscribed, c.Role = "public:"+strings.ReplaceAll(key, "\x00", "/"), false, model.RoleNone
		if p.seenAside(m) {
			c.Fingerprint = "" // \Seen of one reader changes without a trace
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b model.Collection) int { return slices.Compare(a.Path, b.Path) })
	return hierarchy.Ordered(out), nil
}

// seenAside reports that a reader's own \Seen is carried.
func (p *publicStore) seenAside(m seenBy) bool { return p.acc.Public.Seen == m.reader }

// find is the mailbox as its reader sees it, with the reader's store.
func (p *publicStore) find(ctx context.Context, c model.Collection) (seenBy, *Store, error) {
	if p.at == nil {
		if _, err := p.Collections(ctx); err != nil {
			return seenBy{}, nil, err
		}
	}
	m, ok := p.at[mailname.Key(c.Path)]
	if !ok {
		return m, nil, &model.Fault{Class: model.ClassAccount, Code: model.CodeGone, Account: p.acc.Login, Collection: strings.Join(c.Path, "/"),
			Err: errors.New("it was renamed or removed meanwhile"), Remedy: "run again"}
	}
	v, err := p.view(ctx, m.reader)
	return m, v, err
}

// Changes implements source.Store. \Seen is that of all readers together, where
// the server keeps one, or that of the reader who was asked for; nobody's
// else.
func (p *publicStore) Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		m, v, err := p.find(ctx, c)
		var keep bool
		if err == nil {
			keep, err = p.keepsSeen(ctx, m, v)
		}
		if err != nil {
			yield(model.Change{}, err)
			return
		}
		if p.seenAside(m) {
			since = ""
		}
		for ch, err := range v.Changes(ctx, m.Collection, since) {
			switch {
			case keep:
			case p.src.courier.Load():
				ch.Item.Flags = model.Flags{} // each reader has all of his own
			default:
				ch.Item.Flags.System &^= model.Seen
			}
			if !yield(ch, err) {
				return
			}
		}
	}
}

// keepsSeen reports whether \Seen of a mailbox is what is to be carried.
func (p *publicStore) keepsSeen(ctx context.Context, m seenBy, v *Store) (bool, error) {
	if p.seenAside(m) {
		return true, nil
	}
	if !p.src.opts.Enumerate {
		return !p.acc.Public.OwnSeen && !p.src.courier.Load(), nil
	}
	return p.sharesSeen(ctx, m, v)
}

// sharesSeen asks a Cyrus whether all readers of a mailbox have one \Seen.
func (p *publicStore) sharesSeen(ctx context.Context, m seenBy, v *Store) (bool, error) {
	key := mailname.Key(m.Path)
	shared, known := p.shared[key]
	if known {
		return shared, nil
	}
	err := v.retry(ctx, func() (bool, error) {
		const entry = "/shared/vendor/cmu/cyrus-imapd/sharedseen"
		if !v.ses.caps.Has(imap.CapMetadata) {
			return false, nil
		}
		data, err := v.ses.GetMetadata(m.Native, []string{entry}, nil).Wait()
		if err == nil && data.Entries[entry] != nil {
			shared = string(*data.Entries[entry]) == "true"
		}
		if !broken(err) {
			err = nil // not told: each reader has his own
		}
		return false, err
	})
	if err != nil {
		return false, v.fault(m.Native, err)
	}
	p.shared[key] = shared
	return shared, nil
}

// OwnSeen implements source.OwnSeen.
func (p *publicStore) OwnSeen(ctx context.Context, c model.Collection) (bool, error) {
	if !p.src.opts.Enumerate {
		return p.acc.Public.OwnSeen || p.src.courier.Load(), nil
	}
	m, v, err := p.find(ctx, c)
	if err != nil {
		return false, err
	}
	shared, err := p.sharesSeen(ctx, m, v)
	return !shared, err
}

// Read implements source.Store.
func (p *publicStore) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	m, v, err := p.find(ctx, c)
	if err != nil {
		return err
	}
	return v.Read(ctx, m.Collection, items, fn)
}

// Rights implements source.Rights: as the administrator was told, or the first
// reader who is.
func (p *publicStore) Rights(ctx context.Context, c model.Collection) ([]model.Grant, error) {
	if c.Container {
		return nil, nil
	}
	if list, ok := p.lists[mailname.Key(c.Path)]; ok {
		return list, nil
	}
	m, _, err := p.find(ctx, c)
	if err != nil {
		return nil, err
	}
	logins := []string{m.reader}
	for _, r := range p.readers {
		if r.Login != m.reader {
			logins = append(logins, r.Login)
		}
	}
	for _, login := range logins {
		v, err := p.view(ctx, login)
		if err != nil {
			return nil, err
		}
		if list, err := v.Rights(ctx, m.Collection); err != nil || list != nil {
			return list, err
		}
	}
	return nil, nil
}

// SpecificRights implements source.SpecificRights.
func (p *publicStore) SpecificRights(ctx context.Context) (bool, error) {
	if len(p.readers) == 0 {
		return false, nil
	}
	v, err := p.view(ctx, p.readers[0].Login)
	if err != nil {
		return false, err
	}
	return v.SpecificRights(ctx)
}

// Scripts implements source.Scripts: nobody's have none.
func (p *publicStore) Scripts(context.Context) ([]model.Script, error) { return nil, nil }

var _ interface {
	source.Store
	source.Scripts
	source.Rights
	source.SpecificRights
	source.OwnSeen
} = (*publicStore)(nil)
