package maildir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/location"
	"mailhaul.org/mailhaul/internal/source/pigeonhole"
)

// place is where the mail of one account lies. All paths are clean.
type place struct {
	root, inbox string
	// control holds the lists of UIDs and keywords and the subscriptions
	// where they are not with the mail (CONTROL=), else it is empty.
	control string
	// index holds Dovecot's indexes where they are not with the mail (INDEX=).
	index string
	// home holds the Sieve scripts.
	home   string
	layout Layout
	server string // as Options.Server
	// utf8: names on disk are UTF-8 and never modified UTF-7.
	utf8 bool
	// limit is what is kept in memory of a mailbox.
	limit limit
}

// drivers are Dovecot's formats of storage other than Maildir.
var drivers = []string{"sdbox:", "mdbox:", "dbox:", "mbox:", "imapc:", "pop3c:", "virtual:", "cydir:", "obox:"}

// place finds the mail of an account. As in Dovecot, a location that the
// directory gives for this one account counts more than the template for all
// of them; but only if it is there, because the template may name a copy.
func (s *Source) place(a model.Account) (place, error) {
	template := place{root: s.opts.Path, inbox: s.opts.Inbox, control: s.opts.Control, index: s.opts.Index, layout: s.opts.Layout, server: s.opts.Server}
	path, options, ok := location.Maildir(a.Location)
	if ok {
		own := place{root: path, inbox: options["INBOX"], control: options["CONTROL"], index: options["INDEX"], layout: s.opts.Layout, server: s.opts.Server}
		switch l := strings.ToLower(options["LAYOUT"]); l {
		case "":
		case string(LayoutMaildir), string(LayoutFS):
			own.layout = Layout(l)
		default:
			return place{}, &model.Fault{Class: model.ClassAccount, Code: "noMaildir", Account: a.Login,
				Err: fmt.Errorf("%s: mailboxes of LAYOUT=%s cannot be read from disk", a.Location, l), Remedy: "read this account over IMAP"}
		}
		own, err := own.expand(a)
		if template.root == "" {
			return own, err
		}
		if err == nil {
			if _, serr := os.Stat(own.root); !errors.Is(serr, os.ErrNotExist) {
				return own, nil
			}
		}
	}
	if template.root != "" {
		return template.expand(a)
	}
	for _, d := range drivers {
		if strings.HasPrefix(a.Location, d) {
			return place{}, &model.Fault{Class: model.ClassAccount, Code: "noMaildir", Account: a.Login,
				Err: fmt.Errorf("its mail is in %s, not in a Maildir", a.Location), Remedy: "read this account over IMAP"}
		}
	}
	return place{}, &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login,
		Err: errors.New("nothing tells where its Maildir is"), Remedy: "set source.maildir.path"}
}

// expand fills the templates for an account.
func (p place) expand(a model.Account) (place, error) {
	var err error
	if p.root, err = location.Expand(p.root, a); err != nil {
		return p, err
	}
	if p.inbox == "" {
		p.inbox = p.root
	} else if p.inbox, err = location.Expand(p.inbox, a); err != nil {
		return p, err
	}
	if p.control != "" {
		if p.control, err = location.Expand(p.control, a); err != nil {
			return p, err
		}
	}
	if p.index == "MEMORY" {
		p.index = ""
	}
	if p.index != "" {
		if p.index, err = location.Expand(p.index, a); err != nil {
			return p, err
		}
	}
	if p.home = filepath.Clean(a.Home); a.Home == "" {
		p.home = location.HomeOf(p.root, a.Login)
	}
	return p, nil
}

// controlDir is where Dovecot keeps what it knows of the mailbox in dir: the
// same path below the control directory, where the inbox has a name, too.
func (p place) controlDir(dir string) string {
	return p.beside(p.control, dir)
}

// indexDir is where Dovecot keeps the index of the mailbox in dir.
func (p place) indexDir(dir string) string { return p.beside(p.index, dir) }

func (p place) beside(root, dir string) string {
	if root == "" {
		return dir
	}
	if dir == p.inbox {
		if p.layout == LayoutFS {
			return filepath.Join(root, "INBOX")
		}
		return filepath.Join(root, ".INBOX")
	}
	rel, err := filepath.Rel(p.root, dir)
	if err != nil {
		return dir
	}
	return filepath.Join(root, rel)
}

// subscriptions is the path of the file of them.
func (p place) subscriptions() string {
	if p.control != "" {
		return filepath.Join(p.control, "subscriptions")
	}
	return filepath.Join(p.root, "subscriptions")
}

// dirs are the directories that are the account's.
func (p place) dirs() confined.Dirs {
	return confined.Dirs{p.inbox, p.control, p.index, p.home, p.root}
}

// open opens a file of the account, and of nobody else.
func (p place) open(path string) (*os.File, error) { return p.dirs().Open(path) }

// names lists a directory of the account.
func (p place) names(dir string) ([]string, error) { return p.dirs().Names(dir) }

// pigeonhole is where the account's scripts are.
func (p place) pigeonhole() pigeonhole.Home { return pigeonhole.Home{Path: p.home, Own: p.dirs()} }
