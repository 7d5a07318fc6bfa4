package imap

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/model"
)

// Shared implements source.Shared: what the server lists in the namespaces of
// other users and of the public (RFC 2342), with this account's rights (RFC
// 4314 §3.5). A server without ACL tells no rights.
func (st *Store) Shared(ctx context.Context) ([]model.SharedCollection, error) {
	return st.sharedWith(ctx, func(string, *imap.ListData) bool { return true })
}

// public is Shared without the mailboxes of users.
func (st *Store) public(ctx context.Context) ([]model.SharedCollection, error) {
	return st.sharedWith(ctx, func(owner string, l *imap.ListData) bool { return owner == "" })
}

func (st *Store) sharedWith(ctx context.Context, wanted func(owner string, l *imap.ListData) bool) (out []model.SharedCollection, err error) {
	err = st.retry(ctx, func() (bool, error) {
		out, err = st.shared(wanted)
		return false, err
	})
	if err != nil {
		return nil, st.fault("", err)
	}
	return out, nil
}

func (st *Store) shared(wanted func(owner string, l *imap.ListData) bool) ([]model.SharedCollection, error) {
	caps := st.ses.caps
	if !caps.Has(imap.CapNamespace) {
		return nil, nil
	}
	names, err := st.ses.Namespace().Wait()
	if err != nil {
		return nil, err
	}
	list, err := st.ses.List("", "*", nil).Collect()
	if err != nil {
		return nil, err
	}
	subs, err := st.ses.subscribed("*")
	if err != nil {
		return nil, err
	}
	subscribed := map[string]bool{}
	for _, s := range subs {
		subscribed[s.Mailbox] = true
	}
	status := &imap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true, HighestModSeq: caps.Has(imap.CapCondStore), Size: caps.Has(imap.CapStatusSize)}
	var out []model.SharedCollection
	for _, l := range list {
		owner, path, ok := foreignPath(l, names)
		if !ok || unselectable(l) || !wanted(owner, l) {
			continue
		}
		s := model.SharedCollection{Owner: owner}
		if caps.Has(imap.CapACL) {
			my, err := st.ses.MyRights(l.Mailbox).Wait()
			if broken(err) {
				return nil, err
			}
			if err == nil {
				s.Rights = model.ParseRights(my.Rights.String())
			}
		}
		if l.Status, err = st.status(l.Mailbox, status); broken(err) {
			return nil, err
		} else if err != nil {
			l.Status = nil // it may be looked up, not read
		}
		s.Collection = collectionOf(l, path, subscribed[l.Mailbox])
		s.Role = model.RoleNone
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b model.SharedCollection) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), slices.Compare(a.Path, b.Path))
	})
	return out, nil
}

// SubscribedShared implements source.SubscribedShared: what of LSUB is in these
// namespaces. Nothing is opened.
func (st *Store) SubscribedShared(ctx context.Context) (out []model.SharedCollection, err error) {
	err = st.retry(ctx, func() (bool, error) {
		out = nil
		if !st.ses.caps.Has(imap.CapNamespace) {
			return false, nil
		}
		names, err := st.ses.Namespace().Wait()
		if err != nil {
			return false, err
		}
		st.src.knowCourier(st.ses.caps, names.Shared)
		subs, err := st.ses.subscribed("*")
		if err == nil && st.src.courier.Load() {
			// It shows these to who names them, and to nobody else.
			var users []*imap.ListData
			users, err = st.ses.subscribed(courierShared + "*")
			subs = append(subs, users...)
		}
		if err != nil {
			return false, err
		}
		for _, l := range subs {
			if owner, path, ok := foreignPath(l, names); ok {
				out = append(out, model.SharedCollection{Owner: owner, Collection: model.Collection{Kind: model.KindMail, Native: l.Mailbox, Path: path, Subscribed: true}})
			}
		}
		return false, nil
	})
	if err != nil {
		return nil, st.fault("", err)
	}
	return out, nil
}

// foreignPath tells whose mailbox it is and where it is below the owner's
// inbox. ok is false for the account's own.
func foreignPath(l *imap.ListData, names *imap.NamespaceData) (owner string, path []string, ok bool) {
	if l.Delim == 0 {
		return "", nil, false
	}
	if _, own := pathOf(l, names.Personal, slices.Concat(names.Other, names.Shared)); own && len(names.Personal) > 0 {
		return "", nil, false
	}
	split := func(s string) []string { return strings.Split(s, string(l.Delim)) }
	for _, n := range slices.Concat(names.Other, courierUsers) {
		if rest, in := strings.CutPrefix(l.Mailbox, n.Prefix); in && n.Prefix != "" && rest != "" {
			levels := split(rest)
			if len(levels) == 1 {
				return levels[0], []string{"INBOX"}, true
			}
			return levels[0], levels[1:], true
		}
	}
	for _, n := range names.Shared {
		if rest, in := strings.CutPrefix(l.Mailbox, n.Prefix); in && rest != "" {
			path := split(rest)
			if n.Prefix != "" && severalTrees(names.Shared) {
				// Several trees: their names tell them apart.
				path = append(split(strings.TrimSuffix(n.Prefix, string(l.Delim))), path...)
			}
			return "", path, true
		}
	}
	return "", nil, false
}

// severalTrees: Courier's other namespace has mailboxes of users.
func severalTrees(public []imap.NamespaceDescriptor) bool {
	n := 0
	for _, d := range public {
		if d.Prefix != courierShared {
			n++
		}
	}
	return n > 1
}
