package engagement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/dovecot"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/source/public"
)

// public is the account that stands for the mailboxes which nobody owns.
func (e *Engagement) public() (model.Account, bool) {
	c := e.Config.Source.Public
	if c == nil {
		return model.Account{}, false
	}
	p := &model.Public{Seen: c.Seen, OwnSeen: c.OwnSeen}
	for _, l := range c.Locations {
		root := model.PublicRoot{Location: l.Location}
		if under := strings.Trim(l.Under, "/"); under != "" {
			root.Path = strings.Split(under, "/")
		}
		p.Roots = append(p.Roots, root)
	}
	return model.Account{Login: model.PublicLogin, Address: c.Address, Name: c.Name, Public: p}, true
}

// publicReaders completes the public account with what the plan knows of those
// by whom it is read.
func (e *Engagement) publicReaders() {
	c := e.Config.Source.Public
	if c == nil {
		return
	}
	i := slices.IndexFunc(e.Plan.Accounts, func(a directory.Entry) bool { return a.Public != nil })
	logins := c.Readers
	if c.Seen != "" && !slices.Contains(logins, c.Seen) {
		logins = append([]string{c.Seen}, logins...)
	}
	e.Plan.Accounts[i].Public.Readers = e.known(logins)
}

// publicDisk adds the public mailboxes to a disk.
func (e *Engagement) publicDisk(disk dovecot.Disk, acl dovecotacl.Settings, spool string) dovecot.Disk {
	c := e.Config.Source
	if disk == nil || c.Public == nil || len(c.Public.Locations) == 0 {
		return disk
	}
	open := func(ctx context.Context, root model.PublicRoot) (source.Store, error) {
		acl.Entries = nil // they are those of the personal namespace
		i := slices.IndexFunc(c.Public.Locations, func(l config.PublicLocation) bool { return l.Location == root.Location })
		if l := c.Public.Locations[i]; l.Prefix != "" || l.Separator != "" {
			acl.Prefix, acl.Separator = l.Prefix, l.Separator
		}
		a := model.Account{Login: model.PublicLogin, Location: root.Location, Public: &model.Public{}}
		if doveconf.ParseLocation(root.Location).Driver == "maildir" {
			server := ""
			if c.Kind == config.KindCourier {
				server = maildir.ServerCourier
			}
			return maildir.New(maildir.Options{Server: server, SpoolDir: spool, ACL: acl}).Open(ctx, a)
		}
		o := dbox.Options{ACL: acl}
		if c.Dbox != nil {
			o.Attachments, o.Escape, o.Rebuild = c.Dbox.Attachments, c.Dbox.Escape, c.Dbox.Rebuild
		}
		return dbox.New(o).Open(ctx, a)
	}
	own := func(root model.PublicRoot, reader model.Account) public.Own {
		if m, ok := disk.(*maildir.Source); ok && c.Kind == config.KindCourier {
			return public.Courier(m.OwnFlags, reader)
		}
		if template := doveconf.ParseLocation(root.Location).Options["INDEXPVT"]; template != "" {
			return public.Private(template, reader)
		}
		return nil
	}
	return &public.Disk{Disk: disk, OpenTree: open, Unlisted: acl.Ignore, OwnFlags: c.Kind == config.KindCourier, Own: own, Log: e.log}
}

// checkPublic opens the public mailboxes and says where they go.
func checkPublic(ctx context.Context, src source.Source, a model.Account) model.Finding {
	const subject = "source: public mailboxes"
	st, err := src.Open(ctx, a)
	if err != nil {
		return model.Stop(subject, err)
	}
	defer st.Close()
	cols, err := st.Collections(ctx)
	if err != nil {
		return model.Stop(subject, err)
	}
	n := 0
	for _, c := range cols {
		if !c.Container {
			n++
		}
	}
	return model.Finding{Subject: subject, Message: fmt.Sprintf("%d, which move into the group %s", n, a.Address)}
}

// Groups are the members, as logins, of the groups that access control lists
// name: what the directory says of each account, once it is read, and what the
// file's source.groups says, which holds where both do.
func (e *Engagement) Groups(ctx context.Context) (map[string][]string, error) {
	c := e.Config.Source.Groups
	out := map[string][]string{}
	for _, a := range e.Plan.Accounts {
		for _, g := range a.Groups {
			out[g] = append(out[g], a.Login)
		}
	}
	add := func(groups map[string][]string, err error) error {
		maps.Copy(out, groups)
		return err
	}
	if c.File != "" {
		err := fromFile(c.File, func(r io.Reader) error { return add(directory.ReadGroups(r)) })
		if err != nil {
			return nil, model.Faultf(model.ClassFatal, "", "source.groups.file %s: %w", filepath.Base(c.File), unwrapped(err))
		}
	}
	if c.LDAP {
		s, err := e.ldapSettings(e.Config.Source.Users)
		if err != nil {
			return nil, err
		}
		if err := add(ldapusers.ReadGroups(ctx, s, ldapGroups(e.Config.Source.Users))); err != nil {
			return nil, err
		}
	}
	return out, add(c.Members, nil)
}

func unwrapped(err error) error {
	if f, ok := errors.AsType[*model.Fault](err); ok && f.Err != nil {
		return f.Err
	}
	return err
}

// member looks up who belongs to a group.
func member(groups map[string][]string) func(user, group string) bool {
	return func(user, group string) bool { return slices.Contains(groups[group], user) }
}

// CountPublic is how many mailboxes of a Cyrus belong to nobody.
func CountPublic(l cyrusconf.Layout) (int, error) {
	return cyrus.New(cyrus.Options{Layout: l}).CountPublic()
}
