package dbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
	"mailhaul.org/mailhaul/internal/source/findings"
	"mailhaul.org/mailhaul/internal/source/location"
	"mailhaul.org/mailhaul/internal/source/stored"
)

const subject = "source: sdbox and mdbox"

// CheckAccounts does what Check does, with accounts that a directory names: a
// location with the home in it does not tell who there is.
func (s *Source) CheckAccounts(ctx context.Context, accounts []model.Account) []model.Finding {
	if _, _, ok := location.Matcher(s.root()); ok {
		return nil // Check has looked at all
	}
	var look survey
	for _, a := range accounts {
		look.try(ctx, s, a)
	}
	return look.findings()
}

// Check implements source.Checker: it opens every account that the location
// names and looks into a sample of the messages.
func (s *Source) Check(ctx context.Context) []model.Finding {
	if _, _, ok := location.Matcher(s.root()); !ok {
		return findings.Elsewhere(subject)
	}
	var look survey
	if !look.All(s.Accounts(ctx), func(a model.Account) { look.try(ctx, s, a) }) {
		return findings.Nothing(subject, "sdbox or mdbox", s.opts.Location, "source.dbox.location")
	}
	return look.findings()
}

// survey collects what a check finds.
type survey struct {
	findings.Disk
	damaged, rebuilt, alt, attachments, unreadable findings.Examples
}

// try looks into one account.
func (v *survey) try(ctx context.Context, s *Source, a model.Account) {
	st, err := s.open(a)
	if err == nil {
		defer st.Close()
		err = v.account(ctx, st)
	}
	v.Account(a.Login, err, codeNone)
}

func (v *survey) findings() []model.Finding {
	if stop := v.Stop(subject, confined.AsOwner); stop != nil {
		return stop
	}
	out := []model.Finding{{Level: model.LevelOK, Subject: subject, Message: plural.Count(v.Accounts, "account") + " can be read"}}
	out = append(out, findings.Warnings(subject,
		findings.Warning{Found: &v.damaged, Message: "indexes cannot be read; their accounts stop", Remedy: "let Dovecot repair them: doveadm force-resync; or read these accounts over IMAP"},
		findings.Warning{Found: &v.rebuilt, Message: "indexes cannot be read; messages of these mailboxes will come without flags and keywords", Remedy: "let Dovecot repair them: doveadm force-resync; or read these accounts over IMAP"},
		findings.Warning{Found: &v.alt, Message: "alternate storage is not there or not named; messages in it would be missing", Remedy: "mount it, and name it as ALT= in source.dbox.location"},
		findings.Warning{Found: &v.attachments, Message: "attachments are kept apart", Remedy: "set source.dbox.attachments to Dovecot's mail_attachment_dir"},
		findings.Warning{Found: &v.unreadable, Message: "messages cannot be read", Remedy: "they will be reported one by one; look for them in a backup, or let Dovecot repair the account: doveadm force-resync"},
		findings.Warning{Found: &v.Missing, Message: "accounts have neither sdbox nor mdbox and cannot be moved", Remedy: "one that never got mail has none: exclude it; else correct what names its place"},
	)...)
	return append(out, v.Warnings(subject)...)
}

func (v *survey) account(ctx context.Context, st *Store) error {
	cols, err := st.Collections(ctx)
	if err != nil {
		return err
	}
	foreign, err := st.at.pigeonhole().ForeignScript()
	if err := v.Script(st.acc.Login, foreign, err); err != nil {
		return err
	}
	if err := st.at.altMissing(); err != nil && st.at.alt == "" {
		v.alt.Add(st.acc.Login)
	}
	for _, c := range cols {
		if c.Container || v.Enough() {
			continue
		}
		name := st.acc.Login + ": " + strings.Join(c.Path, "/")
		if grants, err := st.Rights(ctx, c); err != nil {
			v.ACLs.Add(err.Error())
		} else {
			v.SharedWith(name, dovecotacl.Others(grants, st.acc.Login))
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
	m.x.Hold()
	defer m.x.Close()
	n := 0
	for r, err := range m.x.All() {
		if n++; n > findings.Messages {
			break
		}
		if err != nil {
			v.damaged.Add(name + ": " + err.Error())
			return nil
		}
		err = st.visit(open, m, r, func(f *file, at int64) error { return v.message(st, f, at, name) })
		switch {
		case err == nil:
		case errors.Is(err, fs.ErrPermission):
			return err
		case errors.Is(err, fs.ErrNotExist):
			if there, err := st.still(m.name, r.UID, m.x.UIDValidity); err != nil || !there {
				continue
			}
			if st.at.altMissing() != nil {
				v.alt.Add(name)
				return nil
			}
			fallthrough
		default:
			v.unreadable.Add(fmt.Sprintf("%s: UID %d", name, r.UID))
		}
	}
	return nil
}

func (v *survey) message(st *Store, f *file, at int64, name string) error {
	from, size, meta, err := f.message(at)
	if err != nil {
		return err
	}
	head := make([]byte, min(stored.MagicLen, size))
	if _, err := f.ReadAt(head, from); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if stored.Encrypted(head) {
		v.Encrypted.Add(name)
	}
	if meta.parts != "" && st.at.attachments == "" {
		v.attachments.Add(name)
	}
	return nil
}
