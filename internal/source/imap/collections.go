package imap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/hierarchy"
	"mailhaul.org/mailhaul/internal/source/specialuse"
)

// Collections implements source.Store: the mailboxes of the personal
// namespace (RFC 2342), without its prefix. With LIST-STATUS (RFC 5819) it
// costs one round trip.
func (st *Store) Collections(ctx context.Context) (out []model.Collection, err error) {
	err = st.retry(ctx, func() (bool, error) {
		out, err = st.collections()
		return false, err
	})
	if err != nil {
		return nil, st.fault("", err)
	}
	return out, nil
}

// listing is what a server says of all mailboxes of an account at once.
type listing struct {
	mailboxes         []*imap.ListData
	names             *imap.NamespaceData // nil: it knows no NAMESPACE
	personal, foreign []imap.NamespaceDescriptor
	subscribed        map[string]bool // of a server without LIST-EXTENDED
	// status is what is asked of each mailbox, here if the server knows LIST-STATUS.
	status *imap.StatusOptions
}

func (st *Store) list() (*listing, error) {
	caps := st.ses.caps
	// Both are sent at once.
	var names *imapclient.NamespaceCommand
	if caps.Has(imap.CapNamespace) {
		names = st.ses.Namespace()
	}
	x := &listing{personal: []imap.NamespaceDescriptor{{}}, subscribed: map[string]bool{},
		status: &imap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true,
			HighestModSeq: caps.Has(imap.CapCondStore), Size: caps.Has(imap.CapStatusSize)}}
	var opts *imap.ListOptions
	if caps.Has(imap.CapListExtended) {
		opts = &imap.ListOptions{ReturnSubscribed: true, ReturnSpecialUse: caps.Has(imap.CapSpecialUse)}
		if caps.Has(imap.CapListStatus) {
			opts.ReturnStatus = x.status
		}
	}
	var err error
	if x.mailboxes, err = st.ses.List("", "*", opts).Collect(); err != nil {
		return nil, err
	}
	if names != nil {
		if x.names, err = names.Wait(); err != nil {
			return nil, err
		}
		if len(x.names.Personal) > 0 {
			x.personal = x.names.Personal
		}
		x.foreign = slices.Concat(x.names.Other, x.names.Shared)
		st.src.knowCourier(caps, x.foreign)
	}
	if opts == nil {
		subs, err := st.ses.subscribed("*")
		if err != nil {
			return nil, err
		}
		for _, s := range subs {
			x.subscribed[s.Mailbox] = true
		}
	}
	return x, nil
}

func (st *Store) collections() ([]model.Collection, error) {
	x, err := st.list()
	if err != nil {
		return nil, err
	}
	var out []model.Collection
	seen := map[string]bool{}
	others, public := 0, 0
	for _, l := range x.mailboxes {
		path, ok := pathOf(l, x.personal, x.foreign)
		if !ok && !unselectable(l) && x.names != nil {
			if owner, _, foreign := foreignPath(l, x.names); foreign && owner == "" {
				public++
			} else {
				others++
			}
		}
		if !ok || seen[l.Mailbox] {
			continue
		}
		seen[l.Mailbox] = true
		if l.Status == nil && !unselectable(l) {
			if l.Status, err = st.status(l.Mailbox, x.status); err != nil {
				if broken(err) {
					return nil, err
				}
				if !nonexistent(err) {
					// Not a level: its messages would seem to be deleted.
					return nil, st.fault(l.Mailbox, err)
				}
				l.Status = nil // Dovecot lists it as long as others are below it
			}
		}
		out = append(out, collectionOf(l, path, x.subscribed[l.Mailbox]))
	}
	if others > 0 {
		st.src.opts.Log.Info("mailboxes of other users move with these", "account", st.acc.Login, "mailboxes", others)
	}
	if public > 0 && !st.src.opts.Public {
		st.src.opts.Log.Warn("public mailboxes stay behind: write source.public into the engagement file", "account", st.acc.Login, "mailboxes", public)
	}
	// Every account has an inbox (RFC 9051 §5.1); one without is no account of
	// the server, whatever let it in.
	if len(out) == 0 {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "noMailbox", Account: st.acc.Login, Err: errors.New("the server shows no mailbox of this account"),
			Remedy: "is the login written as the server knows it?"}
	}
	return hierarchy.Ordered(out), nil
}

func unselectable(l *imap.ListData) bool {
	return slices.Contains(l.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(l.Attrs, imap.MailboxAttrNonExistent)
}

// nonexistent reports that the server knows no such mailbox, in the words of
// RFC 5530 §3 or, where a server has only its own: "Mailbox doesn't exist".
func nonexistent(err error) bool {
	no, ok := errors.AsType[*imap.Error](err)
	if !ok {
		return false
	}
	text := strings.ToLower(no.Text)
	return no.Code == imap.ResponseCodeNonExistent || no.Code == "" && (strings.Contains(text, "exist") || strings.Contains(text, "no such"))
}

// pathOf splits a name into levels, if it belongs to the user. The inbox is
// only that of the personal namespace.
func pathOf(l *imap.ListData, personal, foreign []imap.NamespaceDescriptor) ([]string, bool) {
	if strings.EqualFold(l.Mailbox, "INBOX") {
		return []string{"INBOX"}, true
	}
	for _, n := range foreign {
		if n.Prefix != "" && (strings.HasPrefix(l.Mailbox, n.Prefix) || l.Mailbox == strings.TrimSuffix(n.Prefix, string(n.Delim))) {
			return nil, false
		}
	}
	name, best := l.Mailbox, -1
	for _, n := range personal {
		if rest, ok := strings.CutPrefix(l.Mailbox, n.Prefix); ok && rest != "" && len(n.Prefix) > best {
			name, best = rest, len(n.Prefix)
		}
	}
	if best < 0 && slices.ContainsFunc(foreign, func(n imap.NamespaceDescriptor) bool { return n.Prefix == "" }) {
		// Without a prefix are the public ones: Cyrus without altnamespace.
		return nil, false
	}
	if l.Delim == 0 {
		return []string{name}, true
	}
	path := strings.Split(strings.TrimSuffix(name, string(l.Delim)), string(l.Delim))
	if strings.EqualFold(path[0], "INBOX") {
		if len(path) == 1 {
			// A mailbox beside the inbox that has its name: "INBOX.Inbox". A mere
			// level of that name is the inbox's.
			return []string{"INBOX", path[0]}, !unselectable(l)
		}
		path[0] = "INBOX"
	}
	return path, true
}

func collectionOf(l *imap.ListData, path []string, subscribed bool) model.Collection {
	c := model.Collection{Kind: model.KindMail, ID: "name:" + l.Mailbox, Native: l.Mailbox, Path: path,
		Subscribed: subscribed || slices.Contains(l.Attrs, imap.MailboxAttrSubscribed), Items: -1, Octets: -1}
	c.Container = l.Status == nil
	switch {
	case len(path) == 1 && path[0] == "INBOX":
		c.Role = model.RoleInbox
	case !c.Container:
		if c.Role = roleOf(l.Attrs); c.Role == model.RoleNone {
			c.Role = specialuse.RoleOf(path)
		}
	}
	if s := l.Status; s != nil {
		c.UIDValidity = s.UIDValidity
		if s.NumMessages != nil {
			c.Items = int64(*s.NumMessages)
		}
		if s.Size != nil {
			c.Octets = *s.Size
		}
		if s.HighestModSeq > 0 && s.NumMessages != nil {
			c.Fingerprint = cursor{validity: s.UIDValidity, modseq: s.HighestModSeq, next: s.UIDNext, count: *s.NumMessages}.String()
		}
	}
	return c
}

// roleOf reads the attributes of RFC 6154.
func roleOf(attrs []imap.MailboxAttr) model.Role {
	for _, a := range attrs {
		switch a {
		case imap.MailboxAttrArchive:
			return model.RoleArchive
		case imap.MailboxAttrDrafts:
			return model.RoleDrafts
		case imap.MailboxAttrSent:
			return model.RoleSent
		case imap.MailboxAttrTrash:
			return model.RoleTrash
		case imap.MailboxAttrJunk:
			return model.RoleJunk
		case imap.MailboxAttrImportant:
			return model.RoleImportant
		}
	}
	return model.RoleNone
}

// fault is an error of a whole mailbox or account.
func (st *Store) fault(mailbox string, err error) error {
	return st.src.faultOf(st.acc, mailbox, err)
}

func (s *Source) faultOf(a model.Account, mailbox string, err error) error {
	if _, ok := errors.AsType[*model.Fault](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return &model.Fault{Class: model.ClassAccount, Code: "imap", Account: a.Login, Collection: mailbox, Err: fmt.Errorf("imap: %w", err)}
}
