package findings

import (
	"iter"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// A check of a large site must not take hours: it looks into so many mailboxes,
// and into so many messages of each.
const (
	Mailboxes = 5000
	Messages  = 2
)

// Disk is what checks find on the disks of several servers alike. Its zero value
// is ready to use, by one goroutine at a time.
type Disk struct {
	Accounts, Mailboxes int // looked into

	Missing   Examples // accounts without mail
	Denied    Examples // what may not be read, in words
	Encrypted Examples // mailboxes
	Scripts   Examples // accounts whose active Sieve script is not their own
	ACLs      Examples // lists that cannot be read, in words
	Shared    Examples // mailboxes, and with whom
}

// All has look look into every account, and reports whether there are any.
func (d *Disk) All(accounts iter.Seq2[model.Account, error], look func(model.Account)) bool {
	for a, err := range accounts {
		if err != nil {
			d.Denied.Add(err.Error())
			continue
		}
		look(a)
	}
	return d.Accounts+d.Denied.Len() > 0
}

// Account counts an account, of which an error says that it cannot be read, or,
// with the code none, that no mail of the kind that is looked for is there.
func (d *Disk) Account(login string, err error, none string) {
	if model.CodeOf(err) == none {
		d.Missing.Add(login)
		return
	}
	d.Accounts++
	if err != nil {
		d.Denied.Add(err.Error())
	}
}

// Enough reports whether enough mailboxes were looked into, and counts one more
// if not.
func (d *Disk) Enough() bool {
	if d.Mailboxes >= Mailboxes {
		return true
	}
	d.Mailboxes++
	return false
}

// Script notes whose active script it is, if it is not the account's own, and
// returns err.
func (d *Disk) Script(login, whose string, err error) error {
	if err == nil && whose != "" {
		d.Scripts.Add(login + ": " + whose)
	}
	return err
}

// SharedWith notes with whom a mailbox is shared, if with anybody.
func (d *Disk) SharedWith(mailbox string, with []string) {
	if len(with) > 0 {
		d.Shared.Add(mailbox + " with " + strings.Join(with, " and "))
	}
}

// Stop is what to say where not everything can be read, or nil.
func (d *Disk) Stop(subject, remedy string) []model.Finding {
	if d.Denied.Len() == 0 {
		return nil
	}
	return []model.Finding{{Level: model.LevelStop, Subject: subject, Message: "not everything can be read: " + d.Denied.String(),
		Remedy: remedy, Err: model.Faultf(model.ClassFatal, model.CodeAuth, "not permitted to read: %s", d.Denied.String())}}
}

// Warnings are those of what is found alike.
func (d *Disk) Warnings(subject string) []model.Finding {
	return Warnings(subject,
		Warning{Found: &d.Encrypted, Message: "messages are encrypted on disk (mail_crypt)", Remedy: "read these accounts over IMAP: set source.imap"},
		Warning{Found: &d.Scripts, Message: "the active Sieve script is not the account's own and is not moved", Remedy: "install it at the destination, or copy it into the folder sieve of the home"},
		Warning{Found: &d.ACLs, Message: "access control lists cannot be read", Remedy: "correct them; Dovecot lets nobody in while it cannot read one"},
		Warning{Found: &d.Shared, Message: "mailboxes are shared with others", Remedy: "run mailhaul share when both sides have arrived"},
	)
}

// Elsewhere is what a check says where a template does not tell who there is.
func Elsewhere(subject string) []model.Finding {
	return []model.Finding{{Level: model.LevelOK, Subject: subject, Message: "accounts are listed elsewhere; each one's path is tried when it is opened"}}
}

// Nothing is what a check says where no account's mail ("Maildir") matches a
// template, which is a setting of the engagement file.
func Nothing(subject, mail, template, setting string) []model.Finding {
	err := model.Faultf(model.ClassFatal, model.CodeUnreachable, "no %s matches %s", mail, template)
	return []model.Finding{{Level: model.LevelStop, Subject: subject, Message: err.Error(), Err: err,
		Remedy: "correct " + setting + "; %d is the domain, %n the local part of a login, %u both"}}
}
