package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
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

const subject = "source: Maildir"

// CheckAccounts does what Check does, with accounts that a directory names: a
// template with the home in it does not tell who there is.
func (s *Source) CheckAccounts(ctx context.Context, accounts []model.Account) []model.Finding {
	if _, _, ok := location.Matcher(s.opts.Path); ok {
		return nil // Check has looked at all
	}
	var look survey
	for _, a := range accounts {
		look.try(ctx, s, a)
	}
	return look.findings()
}

// Check implements source.Checker: it opens every account that the template
// names and looks into a sample of the messages.
func (s *Source) Check(ctx context.Context) []model.Finding {
	if _, _, ok := location.Matcher(s.opts.Path); !ok {
		return []model.Finding{{Level: model.LevelOK, Subject: subject, Message: "accounts are listed elsewhere; each one's path is tried when it is opened"}}
	}
	var look survey
	for a, err := range s.Accounts(ctx) {
		if err != nil {
			look.denied.Add(err.Error())
			continue
		}
		look.try(ctx, s, a)
	}
	if look.accounts == 0 && look.denied.Len() == 0 {
		return []model.Finding{{Level: model.LevelStop, Subject: subject, Message: "no Maildir matches " + s.opts.Path,
			Remedy: "correct source.maildir.path; %d is the domain, %n the local part of a login, %u both",
			Err:    model.Faultf(model.ClassFatal, model.CodeUnreachable, "no Maildir matches %s", s.opts.Path)}}
	}
	return look.findings()
}

// try looks into one account.
func (look *survey) try(ctx context.Context, s *Source, a model.Account) {
	st, err := s.open(a)
	if model.CodeOf(err) == "noMaildir" {
		look.missing.Add(a.Login)
		return
	}
	look.accounts++
	if err == nil {
		err = look.account(ctx, st)
	}
	if err != nil {
		look.denied.Add(err.Error())
	}
}

func (look *survey) findings() []model.Finding {
	if look.denied.Len() > 0 {
		return []model.Finding{{Level: model.LevelStop, Subject: subject, Message: "not everything can be read: " + look.denied.String(),
			Remedy: confined.AsOwner, Err: model.Faultf(model.ClassFatal, model.CodeAuth, "not permitted to read: %s", look.denied.String())}}
	}
	out := []model.Finding{{Level: model.LevelOK, Subject: subject, Message: fmt.Sprintf("%d Maildirs can be read", look.accounts)}}
	if look.calendars.Len() > 0 {
		out = append(out, model.Finding{Level: model.LevelOK, Subject: subject, Message: fmt.Sprintf("calendars of Courier's webmail can be read, with %d events: %s", look.events, look.calendars.String())})
	}
	return append(out, findings.Warnings(subject,
		findings.Warning{Found: &look.encrypted, Message: "messages are encrypted on disk (mail_crypt)", Remedy: "read these accounts over IMAP: set source.imap"},
		findings.Warning{Found: &look.keywords, Message: "all 26 keyword letters are in use; Dovecot keeps any further keyword only in its index, which is not there", Remedy: "set source.maildir.index if Dovecot has INDEX= in mail_location, or list over IMAP: set source.imap"},
		findings.Warning{Found: &look.links, Message: "mailboxes are links out of the account and cannot be read", Remedy: "mount the directory (mount --bind) in place of the link"},
		findings.Warning{Found: &look.scripts, Message: "the active Sieve script is not the account's own and is not moved", Remedy: "install it at the destination, or copy it into the folder sieve of the home"},
		findings.Warning{Found: &look.lists, Message: "the list of UIDs is damaged; UIDs are made up", Remedy: "let the server rebuild it: with Dovecot, doveadm force-resync; with Courier, remove courierimapuiddb and open the mailbox"},
		findings.Warning{Found: &look.missing, Message: "accounts have no Maildir and cannot be moved", Remedy: "one that never got mail has none: exclude it; else correct what names its place"},
		findings.Warning{Found: &look.filters, Message: "maildrop's filter has no full translation into Sieve, and is moved without being active", Remedy: "look through the script mailfilter at the destination, and activate it there"},
		findings.Warning{Found: &look.damaged, Message: "calendars of Courier's webmail have lines that cannot be understood", Remedy: "look for these events in the webmail"},
		findings.Warning{Found: &look.acls, Message: "access control lists cannot be read", Remedy: "correct them; Dovecot lets nobody in while it cannot read one"},
		findings.Warning{Found: &look.shared, Message: "mailboxes are shared with others", Remedy: "run mailhaul share when both sides have arrived"},
	)...)
}

// survey collects what a check finds.
type survey struct {
	accounts, mailboxes                                int
	denied, encrypted, keywords, links, lists, scripts findings.Some
	shared, filters, missing, calendars, acls, damaged findings.Some
	events                                             int // of calendars
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
	if script, ok, err := st.at.mailfilter(st.acc.Login); err != nil {
		return err
	} else if ok && !script.Active {
		v.filters.Add(st.acc.Login + ": " + strings.Join(script.Remarks, "; "))
	}
	events, damaged, version, err := st.calendar()
	if err != nil {
		return err
	}
	if version != "" {
		v.events += len(events)
		v.calendars.Add(st.acc.Login)
	}
	if damaged > 0 {
		v.damaged.Add(fmt.Sprintf("%s: %d", st.acc.Login, damaged))
	}
	for _, c := range cols {
		if c.Container || v.mailboxes >= checked {
			continue
		}
		v.mailboxes++
		name := st.acc.Login + ": " + strings.Join(c.Path, "/")
		if err := v.mailbox(st, c.Native, name); model.CodeOf(err) == confined.CodeLink {
			v.links.Add(name)
		} else if err != nil {
			v.denied.Add(err.Error())
		} else if !st.at.courier(c.Native) {
			if grants, err := st.Rights(ctx, c); err != nil {
				v.acls.Add(err.Error())
			} else if with := dovecotacl.Others(grants, st.acc.Login); len(with) > 0 {
				v.shared.Add(name + " with " + strings.Join(with, " and "))
			}
		}
	}
	return nil
}

func (v *survey) mailbox(st *Store, dir, name string) error {
	files, err := st.at.names(filepath.Join(dir, "cur"))
	if err != nil {
		return err
	}
	if st.at.courier(dir) {
		with, err := st.at.sharedWith(dir)
		if err != nil {
			return err
		}
		if len(with) > 0 {
			v.shared.Add(name + " with " + strings.Join(with, " and "))
		}
	} else if f, err := st.at.open(filepath.Join(st.at.controlDir(dir), "dovecot-keywords")); err == nil {
		_, full, _ := parseKeywords(f)
		f.Close()
		index := filepath.Join(st.at.indexDir(dir), "dovecot.index")
		if full && !exists(index) && !exists(index+".log") {
			v.keywords.Add(name)
		}
	}
	if _, err := st.header(dir); errors.Is(err, errUIDList) {
		v.lists.Add(name)
	}
	for _, n := range files[:min(sampled, len(files))] {
		f, err := st.at.open(filepath.Join(dir, "cur", n))
		if errors.Is(err, fs.ErrPermission) {
			return err
		}
		if err != nil {
			continue // removed meanwhile, or a fault of that message
		}
		head := make([]byte, stored.MagicLen)
		k, err := io.ReadFull(f, head)
		f.Close()
		if (err == nil || errors.Is(err, io.ErrUnexpectedEOF)) && stored.Encrypted(head[:k]) {
			v.encrypted.Add(name)
			break
		}
	}
	return nil
}
