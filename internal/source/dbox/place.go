package dbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
	"mailhaul.org/mailhaul/internal/source/location"
	"mailhaul.org/mailhaul/internal/source/pigeonhole"
)

type format uint8

const (
	detect format = iota
	sdbox
	mdbox
)

// Names that Dovecot gives where the location names no others (dbox-storage.h).
const (
	mailboxesDir = "mailboxes"
	messagesDir  = "dbox-Mails"
	storageDir   = "storage"
	altLink      = "dbox-alt-root"
	listIndex    = "dovecot.list.index"
)

// place is where the mail of one account lies. Paths are clean; empty ones are
// not set.
type place struct {
	format format
	byGUID bool // LAYOUT=index: directories are named by GUIDs
	root   string
	inbox  string // INBOX=
	index  string // INDEX=
	control,
	alt,
	attachments string
	home string // of the Sieve scripts

	mailboxes string // MAILBOXDIR=
	messages  string // DIRNAME=, FULLDIRNAME=
	subscribe string // SUBSCRIPTIONS=
	list      string // LISTINDEX=
	utf8      bool
	escape    string
	shape     dovecotindex.Shape // of indexes
}

// root is the template of the accounts' roots.
func (s *Source) root() string { return doveconf.ParseLocation(s.opts.Location).Path }

// place finds the mail of an account. As in Dovecot, a location that the
// directory gives for this one account counts more than the template for all
// of them; but only if it is there, because the template may name a copy.
func (s *Source) place(a model.Account) (place, error) {
	all := doveconf.ParseLocation(s.opts.Location)
	if a.Location != "" {
		own := doveconf.ParseLocation(a.Location)
		if own.Driver == "sdbox" || own.Driver == "mdbox" || own.Driver == "" && own.Path != "" {
			p, err := s.at(own, a)
			if all.IsZero() || err == nil && exists(p.root) {
				return p, err
			}
		} else if all.IsZero() || !strings.HasPrefix(own.Driver, "maildir") {
			return place{}, &model.Fault{Class: model.ClassAccount, Code: codeNone, Account: a.Login,
				Err: fmt.Errorf("its mail is in %s, which is neither sdbox nor mdbox", a.Location), Remedy: "read this account over IMAP"}
		}
	}
	if all.IsZero() {
		return place{}, &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login,
			Err: errors.New("nothing tells where its mail is"), Remedy: "set source.dbox.location to Dovecot's mail_location"}
	}
	return s.at(all, a)
}

// at fills a location's templates for an account.
func (s *Source) at(l doveconf.Location, a model.Account) (place, error) {
	p := place{mailboxes: mailboxesDir, messages: messagesDir, subscribe: "subscriptions", list: listIndex, escape: s.opts.Escape, shape: s.shape}
	bad := func(format string, args ...any) (place, error) {
		return place{}, &model.Fault{Class: model.ClassAccount, Code: codeNone, Account: a.Login,
			Err: fmt.Errorf("%s: %w", l, fmt.Errorf(format, args...)), Remedy: "read this account over IMAP"}
	}
	switch l.Driver {
	case "":
	case "sdbox":
		p.format = sdbox
	case "mdbox":
		p.format = mdbox
	default:
		return bad("%s is neither sdbox nor mdbox", l.Driver)
	}
	switch layout := strings.ToLower(l.Options["LAYOUT"]); layout {
	case "", "fs":
	case "index":
		p.byGUID = true
	default:
		return bad("mailboxes of LAYOUT=%s cannot be read from disk", layout)
	}
	for _, o := range []struct {
		to       *string
		template string
	}{{&p.root, l.Path}, {&p.inbox, l.Options["INBOX"]}, {&p.index, l.Options["INDEX"]}, {&p.control, l.Options["CONTROL"]},
		{&p.alt, l.Options["ALT"]}, {&p.attachments, s.opts.Attachments}} {
		if o.template == "" && o.to != &p.root {
			continue
		}
		if o.template == "MEMORY" {
			return bad("without an index (INDEX=MEMORY) nothing on disk tells which messages there are")
		}
		var err error
		if *o.to, err = location.Expand(o.template, a); err != nil {
			return place{}, err
		}
	}
	for key, to := range map[string]*string{"MAILBOXDIR": &p.mailboxes, "DIRNAME": &p.messages, "FULLDIRNAME": &p.messages,
		"SUBSCRIPTIONS": &p.subscribe, "LISTINDEX": &p.list} {
		if v := l.Options[key]; v != "" {
			*to = v
		}
	}
	p.utf8 = l.Options["UTF-8"] != ""
	if p.home = filepath.Clean(a.Home); a.Home == "" {
		p.home = location.HomeOf(p.root, a.Login)
	}
	return p, nil
}

// altMissing is why a message that is in neither place may still not be lost:
// the account has alternate storage that is not named or not there. Dovecot
// leaves a link to it in the root, also where nothing was ever moved there.
func (p place) altMissing() error {
	to, err := os.Readlink(filepath.Join(p.root, altLink))
	switch {
	case err != nil:
		return nil
	case p.alt == "":
		return &model.Fault{Class: model.ClassAccount, Code: "alt", Err: fmt.Errorf("messages are missing, and there is alternate storage in %s that the location does not name", to),
			Remedy: "add ALT= to the location as it is in Dovecot's mail_location"}
	case !exists(p.alt):
		return &model.Fault{Class: model.ClassAccount, Code: "alt", Err: fmt.Errorf("messages are missing, and the alternate storage %s is not there", p.alt),
			Remedy: "mount it and run again"}
	}
	return nil
}

// dirs are the directories that are the account's.
func (p place) dirs() confined.Dirs {
	return confined.Dirs{p.inbox, p.index, p.control, p.alt, p.home, p.root}
}

func (p place) pigeonhole() pigeonhole.Home { return pigeonhole.Home{Path: p.home, Own: p.dirs()} }

// open opens a file of the account, and of nobody else.
func (p place) open(path string) (*os.File, error) { return p.dirs().Open(path) }

// messagesIn is the directory of a mailbox's messages. name is as on disk.
func (p place) messagesIn(name string) string {
	switch {
	case name == "INBOX" && p.inbox != "":
		return p.inbox
	case p.byGUID:
		return filepath.Join(p.root, p.mailboxes, name)
	}
	return filepath.Join(p.root, p.mailboxes, name, p.messages)
}

// indexIn is the directory of a mailbox's index. In INDEX= 2.3 has it without
// the name of the directory of messages unless FULLDIRNAME= gives that, and 2.4
// with it unless mailbox_directory_name_legacy is set; after an upgrade the one
// that was written last counts.
func (p place) indexIn(name string) string {
	if p.index == "" {
		return p.messagesIn(name)
	}
	dir := filepath.Join(p.index, p.mailboxes, name)
	if p.byGUID {
		return dir
	}
	without, err := os.Stat(filepath.Join(dir, "dovecot.index.log"))
	within, werr := os.Stat(filepath.Join(dir, p.messages, "dovecot.index.log"))
	if werr == nil && (err != nil || within.ModTime().After(without.ModTime())) {
		return filepath.Join(dir, p.messages)
	}
	return dir
}

// altIn is the directory of a mailbox's messages in alternate storage.
func (p place) altIn(name string) string {
	if p.byGUID {
		return filepath.Join(p.alt, p.mailboxes, name)
	}
	return filepath.Join(p.alt, p.mailboxes, name, p.messages)
}

// dirsOf are the directories in which a mailbox's messages may be.
func (p place) dirsOf(name string) []string {
	dirs := []string{p.messagesIn(name)}
	if p.format == mdbox {
		dirs[0] = filepath.Join(p.root, storageDir)
	}
	switch {
	case p.alt == "":
	case p.format == mdbox:
		dirs = append(dirs, filepath.Join(p.alt, storageDir))
	default:
		dirs = append(dirs, p.altIn(name))
	}
	return dirs
}

// mapIndex is the path of mdbox's map.
func (p place) mapIndex() string {
	if p.index != "" {
		return filepath.Join(p.index, storageDir, "dovecot.map.index")
	}
	return filepath.Join(p.root, storageDir, "dovecot.map.index")
}

// listPath is the path of the list of mailboxes of LAYOUT=index.
func (p place) listPath() string {
	if p.index != "" {
		return filepath.Join(p.index, p.list)
	}
	return filepath.Join(p.root, p.list)
}

// subscriptions is the path of the file of them.
func (p place) subscriptions() string {
	if p.control != "" {
		return filepath.Join(p.control, p.subscribe)
	}
	return filepath.Join(p.root, p.subscribe)
}

func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
