package dbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
	"mailhaul.org/mailhaul/internal/source/findings"
	"mailhaul.org/mailhaul/internal/source/location"
	"mailhaul.org/mailhaul/internal/source/stored"
)

// checked is how many mailboxes a check looks into, and sampled how many
// messages of each: a check of a large site must not take hours.
const (
	checked = 5000
	sampled = 2
)

// Check implements source.Checker: it opens every account that the location
// names and looks into a sample of the messages.
func (s *Source) Check(ctx context.Context) []model.Finding {
	const subject = "source: sdbox and mdbox"
	if _, _, ok := location.Matcher(s.root()); !ok {
		return []model.Finding{{Level: model.LevelOK, Subject: subject, Message: "accounts are listed elsewhere; each one's path is tried when it is opened"}}
	}
	var look survey
	for a, err := range s.Accounts(ctx) {
		if err != nil {
			look.denied.Add(err.Error())
			continue
		}
		look.accounts++
		st, err := s.open(a)
		if err == nil {
			err = look.account(ctx, st)
		}
		if err != nil {
			look.denied.Add(err.Error())
		}
	}
	if look.accounts == 0 && look.denied.Len() == 0 {
		return []model.Finding{{Level: model.LevelStop, Subject: subject, Message: "no sdbox or mdbox matches " + s.opts.Location,
			Remedy: "correct source.dbox.location; %d is the domain, %n the local part of a login, %u both",
			Err:    model.Faultf(model.ClassFatal, model.CodeUnreachable, "no sdbox or mdbox matches %s", s.opts.Location)}}
	}
	if look.denied.Len() > 0 {
		return []model.Finding{{Level: model.LevelStop, Subject: subject, Message: "not everything can be read: " + look.denied.String(),
			Remedy: confined.AsOwner, Err: model.Faultf(model.ClassFatal, model.CodeAuth, "not permitted to read: %s", look.denied.String())}}
	}
	out := []model.Finding{{Level: model.LevelOK, Subject: subject, Message: fmt.Sprintf("%d accounts can be read", look.accounts)}}
	return append(out, findings.Warnings(subject,
		findings.Warning{Found: &look.damaged, Message: "indexes cannot be read; their accounts stop", Remedy: "let Dovecot repair them: doveadm force-resync; or read these accounts over IMAP"},
		findings.Warning{Found: &look.rebuilt, Message: "indexes cannot be read; messages of these mailboxes will come without flags and keywords", Remedy: "let Dovecot repair them: doveadm force-resync; or read these accounts over IMAP"},
		findings.Warning{Found: &look.alt, Message: "alternate storage is not there or not named; messages in it would be missing", Remedy: "mount it, and name it as ALT= in source.dbox.location"},
		findings.Warning{Found: &look.encrypted, Message: "messages are encrypted on disk (mail_crypt)", Remedy: "read these accounts over IMAP: set source.imap"},
		findings.Warning{Found: &look.attachments, Message: "attachments are kept apart", Remedy: "set source.dbox.attachments to Dovecot's mail_attachment_dir"},
		findings.Warning{Found: &look.unreadable, Message: "messages cannot be read", Remedy: "they will be reported one by one; look for them in a backup, or let Dovecot repair the account: doveadm force-resync"},
		findings.Warning{Found: &look.acls, Message: "access control lists cannot be read", Remedy: "correct them; Dovecot lets nobody in while it cannot read one"},
		findings.Warning{Found: &look.shared, Message: "mailboxes are shared with others", Remedy: "run mailhaul share when both sides have arrived"},
		findings.Warning{Found: &look.scripts, Message: "the active Sieve script is not the account's own and is not moved", Remedy: "install it at the destination, or copy it into the folder sieve of the home"},
	)...)
}

// survey collects what a check finds.
type survey struct {
	accounts, mailboxes                                                                      int
	denied, damaged, rebuilt, alt, encrypted, attachments, unreadable, scripts, acls, shared findings.Some
}

func (v *survey) account(ctx context.Context, st *Store) error {
	cols, err := st.Collections(ctx)
	if err != nil {
		return err
	}
	if foreign, err := st.at.pigeonhole().ForeignScript(); err != nil {
		return err
	} else if foreign != "" {
		v.scripts.Add(st.acc.Login + ": " + foreign)
	}
	if err := st.at.altMissing(); err != nil && st.at.alt == "" {
		v.alt.Add(st.acc.Login)
	}
	for _, c := range cols {
		if c.Container || v.mailboxes >= checked {
			continue
		}
		v.mailboxes++
		name := st.acc.Login + ": " + strings.Join(c.Path, "/")
		if grants, err := st.Rights(ctx, c); err != nil {
			v.acls.Add(err.Error())
		} else if with := dovecotacl.Others(grants, st.acc.Login); len(with) > 0 {
			v.shared.Add(name + " with " + strings.Join(with, " and "))
		}
		if err := v.mailbox(st, c.Native, name); err != nil {
			return err
		}
	}
	return nil
}

// mailbox looks at the oldest messages, which are in alternate storage if any
// are.
func (v *survey) mailbox(st *Store, native, name string) error {
	m, err := st.load(native)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return nil // removed meanwhile
	case err != nil:
		v.damaged.Add(name + ": " + err.Error())
		return nil
	}
	if m.lost != nil {
		v.rebuilt.Add(name)
	}
	open := newFiles(st.at)
	defer open.Close()
	for i := range min(sampled, m.x.Len()) {
		err := st.visit(open, m, i, func(f *file, at int64) error { return v.message(st, f, at, name) })
		switch {
		case err == nil:
		case errors.Is(err, fs.ErrPermission):
			return err
		case errors.Is(err, fs.ErrNotExist):
			if there, err := st.still(m.name, m.x.UID(i), m.x.UIDValidity); err != nil || !there {
				continue
			}
			if st.at.altMissing() != nil {
				v.alt.Add(name)
				return nil
			}
			fallthrough
		default:
			v.unreadable.Add(fmt.Sprintf("%s: UID %d", name, m.x.UID(i)))
		}
	}
	return nil
}

func (v *survey) message(st *Store, f *file, at int64, name string) error {
	from, size, err := f.body(at)
	if err != nil {
		return err
	}
	meta, err := f.metadata(from + size)
	if err != nil {
		return err
	}
	head := make([]byte, min(stored.MagicLen, size))
	if _, err := f.ReadAt(head, from); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if stored.Encrypted(head) {
		v.encrypted.Add(name)
	}
	if meta.parts != "" && st.at.attachments == "" {
		v.attachments.Add(name)
	}
	return nil
}
