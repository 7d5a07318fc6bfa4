package doveconf

import (
	"slices"
	"strings"
)

// Location is where mail lies: mail_location of 2.3, the mail_* settings of
// 2.4.
type Location struct {
	// Driver is "maildir", "mdbox", "sdbox", "mbox" …; empty: Dovecot looks.
	Driver string
	// Path is the root, with Dovecot's variables; empty: Dovecot looks.
	Path string
	// Options are named as in mail_location of 2.3: INBOX, INDEX, CONTROL,
	// ALT, LAYOUT, UTF-8 ("yes") …
	Options map[string]string
}

// IsZero reports that Dovecot looks where each user's mail is.
func (l Location) IsZero() bool { return l.Driver == "" && l.Path == "" }

// String is the notation of 2.3: "maildir:~/Maildir:LAYOUT=fs".
func (l Location) String() string {
	s := l.Path
	if l.Driver != "" {
		s = l.Driver + ":" + l.Path
	}
	var keys []string
	for k := range l.Options {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		s += ":" + k
		if k != "UTF-8" {
			s += "=" + l.Options[k]
		}
	}
	return s
}

var drivers = []string{"maildir", "mdbox", "sdbox", "dbox", "mbox", "imapc", "pop3c", "virtual", "cydir", "obox", "auto"}

// ParseLocation reads mail_location of Dovecot 2.3. Without a driver Dovecot
// looks at the path.
func ParseLocation(s string) Location {
	parts := strings.Split(s, ":")
	var l Location
	if slices.Contains(drivers, parts[0]) {
		l.Driver, parts = parts[0], parts[1:]
	}
	if l.Driver == "dbox" {
		l.Driver = "sdbox" // its old name
	}
	if l.Driver == "auto" {
		l.Driver = ""
	}
	if len(parts) == 0 {
		return l
	}
	l.Path = parts[0]
	for _, p := range parts[1:] {
		k, v, ok := strings.Cut(p, "=")
		switch {
		case k == "":
			continue
		case !ok:
			v = "yes"
		}
		if l.Options == nil {
			l.Options = map[string]string{}
		}
		l.Options[strings.ToUpper(k)] = v
	}
	return l
}

// names24 are the settings of 2.4 for the options of 2.3.
var names24 = [][2]string{
	{"INBOX", "mail_inbox_path"}, {"INDEX", "mail_index_path"}, {"CONTROL", "mail_control_path"}, {"ALT", "mail_alt_path"},
	{"VOLATILEDIR", "mail_volatile_path"}, {"LAYOUT", "mailbox_list_layout"}, {"INDEXPVT", "mail_index_private_path"},
	{"SUBSCRIPTIONS", "mailbox_subscriptions_filename"}, {"DIRNAME", "mailbox_directory_name"}, {"MAILBOXDIR", "mailbox_root_directory_name"},
}

// location reads where mail lies from the whole file or a namespace.
func (b *Block) location() Location {
	for _, key := range []string{"mail_location", "location"} {
		if v := b.Get(key); v != "" {
			return ParseLocation(v)
		}
	}
	l := Location{Driver: b.Get("mail_driver"), Path: b.Get("mail_path")}
	set := func(k, v string) {
		if l.Options == nil {
			l.Options = map[string]string{}
		}
		l.Options[k] = v
	}
	if l.IsZero() {
		return l
	}
	for _, n := range names24 {
		if v := b.Get(n[1]); v != "" {
			set(n[0], v)
		}
	}
	if b.Get("mailbox_list_utf8") == "yes" {
		set("UTF-8", "yes")
	}
	return l
}
