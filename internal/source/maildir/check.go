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
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
	"mailhaul.org/mailhaul/internal/source/findings"
	"mailhaul.org/mailhaul/internal/source/location"
	"mailhaul.org/mailhaul/internal/source/stored"
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
		return findings.Elsewhere(subject)
	}
	var look survey
	if !look.All(s.Accounts(ctx), func(a model.Account) { look.try(ctx, s, a) }) {
		return findings.Nothing(subject, "Maildir", s.opts.Path, "source.maildir.path")
	}
	return look.findings()
}

// try looks into one account.
func (v *survey) try(ctx context.Context, s *Source, a model.Account) {
	st, err := s.open(a)
	if err == nil {
		err = v.account(ctx, st)
	}
	v.Account(a.Login, err, "noMaildir")
}

func (v *survey) findings() []model.Finding {
	if stop := v.Stop(subject, confined.AsOwner); stop != nil {
		return stop
	}
	out := []model.Finding{{Level: model.LevelOK, Subject: subject, Message: plural.Count(v.Accounts, "Maildir") + " can be read"}}
	if v.calendars.Len() > 0 {
		out = append(out, model.Finding{Level: model.LevelOK, Subject: subject, Message: fmt.Sprintf("calendars of Courier's webmail can be read, with %s: %s", plural.Count(v.events, "event"), v.calendars.String())})
	}
	out = append(out, findings.Warnings(subject,
		findings.Warning{Found: &v.keywords, Message: "all 26 keyword letters are in use; Dovecot keeps any further keyword only in its index, which is not there", Remedy: "set source.maildir.index if Dovecot has INDEX= in mail_location, or list over IMAP: set source.imap"},
		findings.Warning{Found: &v.links, Message: "mailboxes are links out of the account and cannot be read", Remedy: "mount the directory (mount --bind) in place of the link"},
		findings.Warning{Found: &v.lists, Message: "the list of UIDs is damaged; UIDs are made up", Remedy: "let the server rebuild it: with Dovecot, doveadm force-resync; with Courier, remove courierimapuiddb and open the mailbox"},
		findings.Warning{Found: &v.Missing, Message: "accounts have no Maildir and cannot be moved", Remedy: "one that never got mail has none: exclude it; else correct what names its place"},
		findings.Warning{Found: &v.filters, Message: "maildrop's filter has no full translation into Sieve, and is moved without being active", Remedy: "look through the script mailfilter at the destination, and activate it there"},
		findings.Warning{Found: &v.damaged, Message: "calendars of Courier's webmail have lines that cannot be understood", Remedy: "look for these events in the webmail"},
	)...)
	return append(out, v.Warnings(subject)...)
}

// survey collects what a check finds.
type survey struct {
	findings.Disk
	keywords, links, lists, filters, calendars, damaged findings.Examples
	events                                              int // of calendars
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
		if c.Container || v.Enough() {
			continue
		}
		name := st.acc.Login + ": " + strings.Join(c.Path, "/")
		if err := v.mailbox(st, c.Native, name); model.CodeOf(err) == confined.CodeLink {
			v.links.Add(name)
		} else if err != nil {
			v.Denied.Add(err.Error())
		} else if !st.at.courier(c.Native) {
			if grants, err := st.Rights(ctx, c); err != nil {
				v.ACLs.Add(err.Error())
			} else {
				v.SharedWith(name, dovecotacl.Others(grants, st.acc.Login))
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
		v.SharedWith(name, with)
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
	for _, n := range files[:min(findings.Messages, len(files))] {
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
			v.Encrypted.Add(name)
			break
		}
	}
	return nil
}
