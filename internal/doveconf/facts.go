package doveconf

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
)

// Facts are what a migration wants to know.
type Facts struct {
	Version string // Dovecot's, or empty
	Mail    Location
	// Home is the template of home directories (mail_home, or the home of a
	// static userdb), or empty: each user's is in the userdb.
	Home string
	// Passwd are the passwd-files with mailboxes, in Dovecot's order; Masters
	// those of master users.
	Passwd, Masters []PasswdFile
	// Databases: who exists is told by more than one plain passwd-file, and
	// can be read as Dovecot does: SQL, LDAP, files for each domain, the users
	// of the host.
	Databases bool
	// OnlyDovecot are databases whose users nothing but Dovecot itself can
	// list, as "userdb lua".
	OnlyDovecot []string
	// DefaultDomain completes logins without a domain (auth_default_realm).
	DefaultDomain string
	// MasterSeparator stands between login and master user, or is empty.
	MasterSeparator string
	Protocols       []string
	Listeners       []Listener
	// Quota is the storage limit of users that have none of their own, in
	// octets; 0 means none.
	Quota int64
	// Sieve is the folder of users' scripts, SieveActive the link to the
	// active one; empty where nothing is set.
	Sieve, SieveActive string
	// SieveBefore and SieveAfter run around them for everybody, in order;
	// SieveDefault for users without one. SieveGlobal is a folder of scripts
	// that users' include.
	SieveBefore, SieveAfter   []string
	SieveDefault, SieveGlobal string
	// Attachments is where attachments are kept apart, or empty.
	Attachments string
	// Escape is the character that the plugin listescape writes in names of
	// mailboxes on disk, or empty.
	Escape string
	// ACL is how access control lists are read.
	ACL ACL
	// Encrypted messages can be read over IMAP only.
	Encrypted bool
	// Separator is that of the inbox's namespace, Prefix its prefix.
	Separator, Prefix string
	// Public are the namespaces that belong to nobody.
	Public []PublicNamespace
	// Notes are sentences about what is there and cannot be used, or must be
	// heeded.
	Notes []string
}

// PublicNamespace is a namespace of type public.
type PublicNamespace struct {
	Prefix, Separator string
	Location          Location
}

// OwnSeen reports that each reader has a \Seen of his own (INDEXPVT).
func (n PublicNamespace) OwnSeen() bool { return n.Location.Options["INDEXPVT"] != "" }

// PasswdFile is a passwd-file that Dovecot looks users up in.
type PasswdFile struct {
	Path string // may contain Dovecot's variables
	// Scheme is that of passwords without one; empty means CRYPT.
	Scheme string
	// UsernameFormat is what of the login is looked up; empty means all of it.
	UsernameFormat string
}

// Facts reads the settings. It never fails: what it cannot use is in Notes.
func (s Settings) Facts() Facts {
	f := Facts{
		Version: s.Version, Mail: s.location(), Home: s.Get("mail_home"),
		DefaultDomain: s.Get("auth_default_realm"), MasterSeparator: s.Get("auth_master_user_separator"),
	}
	if d := s.Get("auth_default_domain"); d != "" {
		f.DefaultDomain = d
	}
	if s.Complaint != "" {
		f.note("doveconf objects to the configuration: %s", s.Complaint)
	}
	f.protocols(&s.Block)
	f.listeners(&s.Block)
	f.mail(&s.Block)
	f.databases(&s.Block)
	f.scripts(&s.Block)
	f.plugins(&s.Block)
	f.quota(&s.Block)
	f.stored(&s.Block)
	f.acl(&s.Block)
	return f
}

func (f *Facts) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(f.Notes, n) {
		f.Notes = append(f.Notes, n)
	}
}

// enabled reads a list: words in 2.3, a section of "name = yes" in 2.4.
func (b *Block) enabled(key string) []string {
	out := strings.Fields(b.Get(key))
	for _, c := range b.All(key) {
		for _, v := range c.Values {
			if v.Text == "yes" {
				out = append(out, v.Key)
			}
		}
	}
	return out
}

// protocols assumes IMAP where none are named: doveconf -n leaves out the
// default, which has it.
func (f *Facts) protocols(b *Block) {
	f.Protocols = b.enabled("protocols")
	if len(f.Protocols) == 0 {
		f.Protocols = []string{"imap"}
	}
}

// mail looks at locations and namespaces.
func (f *Facts) mail(b *Block) {
	switch {
	case f.Mail.Driver != "" && f.Mail.Driver != "maildir" && f.Mail.Driver != "sdbox" && f.Mail.Driver != "mdbox":
		f.note("mail is stored as %s, which is not read from disk yet: it is read over IMAP", f.Mail.Driver)
	case f.Mail.Driver == "":
		f.note("Dovecot finds out itself how each user's mail is stored: it is read over IMAP unless source.maildir or source.dbox names a path")
	}
	if f.Mail.Options["UTF-8"] != "" && f.Mail.Driver != "sdbox" && f.Mail.Driver != "mdbox" {
		f.note("mailbox names are UTF-8 on disk (mailbox_list_utf8): read them over IMAP")
	}
	for _, n := range b.All("namespace") {
		if n.Get("inbox") == "yes" {
			f.Separator, f.Prefix = n.Get("separator"), n.Get("prefix")
			if l := n.location(); !l.IsZero() && f.Mail.IsZero() {
				f.Mail = l
			}
			continue
		}
		name := n.Name
		if name == "" {
			name = n.Get("prefix")
		}
		switch {
		case n.Get("disabled") == "yes" || n.Get("alias_for") != "":
		case n.Get("type") == "shared":
			f.note("namespace %q shows other users' mailboxes: they move with their owners; mailhaul share carries who may use them", name)
		case n.Get("type") == "public":
			f.note("namespace %q is public and belongs to nobody: it moves into a group account, see source.public", name)
			f.Public = append(f.Public, PublicNamespace{Prefix: n.Get("prefix"), Separator: n.Get("separator"), Location: n.location()})
		case n.location().Driver == "virtual":
			f.note("namespace %q shows saved searches: it does not move", name)
		case !n.location().IsZero() && n.location().String() != f.Mail.String():
			f.note("namespace %q keeps its mail elsewhere (%s): it moves as far as it is read over IMAP", name, n.location())
		case n.Get("hidden") == "yes":
			f.note("namespace %q is hidden: it moves only as far as IMAP lists it", name)
		}
	}
}

// databases looks at passdbs and userdbs.
func (f *Facts) databases(b *Block) {
	for _, typ := range []string{"passdb", "userdb"} {
		for _, d := range b.All(typ) {
			f.database(d)
		}
	}
	if len(f.Passwd) > 1 {
		f.Databases = true
	}
}

func (f *Facts) database(d *Block) {
	driver := d.Get("driver")
	if driver == "" {
		driver = d.Name // 2.4 names them by their driver
	}
	if d.Get("deny") == "yes" {
		return // a block list, without mailboxes
	}
	switch driver {
	case "passwd-file":
		p, ok := d.passwdFile()
		switch {
		case !ok:
			f.note("a %s passwd-file has no path that could be read", d.Type)
		case d.Get("master") == "yes":
			f.Masters = append(f.Masters, p)
		case !slices.ContainsFunc(f.Passwd, func(q PasswdFile) bool { return q.Path == p.Path }):
			f.Databases = f.Databases || strings.Contains(p.Path, "%")
			f.Passwd = append(f.Passwd, p)
		}
	case "static":
		if f.Home == "" && d.Type == "userdb" {
			f.Home = d.staticHome()
		}
	case "prefetch", "oauth2":
	case "sql", "ldap", "passwd", "pam", "shadow":
		f.Databases = f.Databases || d.Get("master") != "yes"
	default:
		if d.Get("master") != "yes" {
			f.OnlyDovecot = append(f.OnlyDovecot, d.Type+" "+driver)
		}
	}
}

// passwdFile reads "scheme=… username_format=… path" of 2.3, where the path is
// the rest, or the settings of 2.4, which may leave out the section's name.
func (b *Block) passwdFile() (PasswdFile, bool) {
	p := PasswdFile{Scheme: b.Get("default_password_scheme"), UsernameFormat: b.Get("auth_username_format")}
	for _, key := range []string{"passwd_file_path", "path"} {
		if v := b.Get(key); v != "" {
			p.Path = v
			return p, true
		}
	}
	args := strings.TrimSpace(b.Get("args"))
	for {
		word, rest, more := strings.Cut(args, " ")
		if v, ok := strings.CutPrefix(word, "scheme="); ok {
			p.Scheme = v
		} else if v, ok := strings.CutPrefix(word, "username_format="); ok {
			p.UsernameFormat = v
		} else {
			p.Path = args
			return p, args != ""
		}
		if !more {
			return p, false
		}
		args = strings.TrimSpace(rest)
	}
}

// staticHome is "home=" among the words of 2.3, or of the fields of 2.4.
func (b *Block) staticHome() string {
	for _, w := range strings.Fields(b.Get("args")) {
		if h, ok := strings.CutPrefix(w, "home="); ok {
			return h
		}
	}
	for _, c := range b.All("fields") {
		if h := c.Get("home"); h != "" {
			return h
		}
	}
	return ""
}

// scripts looks for Sieve.
func (f *Facts) scripts(b *Block) {
	settings := []*Block{b} // 2.4 has them outside of any section
	settings = append(settings, b.All("plugin")...)
	for _, c := range settings {
		if v := c.Get("sieve"); v != "" {
			v = strings.TrimPrefix(v, "file:")
			path, options, _ := strings.Cut(v, ";")
			f.Sieve = path
			for _, o := range strings.Split(options, ";") {
				if a, ok := strings.CutPrefix(o, "active="); ok {
					f.SieveActive = a
				}
			}
		}
		if v := c.Get("sieve_dir"); v != "" { // the old way: sieve is the active one
			f.Sieve, f.SieveActive = v, f.Sieve
		}
		f.SieveBefore = append(f.SieveBefore, f.sitePaths(c, "sieve_before")...)
		f.SieveAfter = append(f.SieveAfter, f.sitePaths(c, "sieve_after")...)
		f.SieveDefault = cmp.Or(f.SieveDefault, f.sitePath(c.Get("sieve_default")))
		f.SieveGlobal = cmp.Or(f.SieveGlobal, f.sitePath(c.Get("sieve_global")), f.sitePath(c.Get("sieve_global_dir")))
	}
	for _, c := range b.All("sieve_script") {
		switch c.Get("type") {
		case "", "personal":
			f.Sieve, f.SieveActive = c.Get("path"), c.Get("active_path")
		case "before":
			f.SieveBefore = appendPath(f.SieveBefore, f.sitePath(c.Get("path")))
		case "after":
			f.SieveAfter = appendPath(f.SieveAfter, f.sitePath(c.Get("path")))
		case "default":
			f.SieveDefault = f.sitePath(c.Get("path"))
		case "global":
			f.SieveGlobal = f.sitePath(c.Get("path"))
		case "discard":
			f.note("%s runs for what scripts discard: what is discarded at the destination is gone", c.Get("path"))
		}
	}
}

// sitePaths are the values of name, name2, name3 …, in the order of the
// numbers.
func (f *Facts) sitePaths(b *Block, name string) []string {
	numbered := map[int]string{}
	for _, v := range b.Values {
		if rest, ok := strings.CutPrefix(v.Key, name); ok {
			n, err := strconv.Atoi(rest)
			if rest == "" {
				n, err = 1, nil
			}
			if err == nil {
				numbered[n] = v.Text
			}
		}
	}
	var out []string
	for _, n := range slices.Sorted(maps.Keys(numbered)) {
		out = appendPath(out, f.sitePath(numbered[n]))
	}
	return out
}

// sitePath is the path of a location, empty for one that is not one file or
// folder for everybody.
func (f *Facts) sitePath(location string) string {
	if location == "" {
		return ""
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(location, "file:"), ";")
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "%") {
		f.note("the script %s is another for each user, or in no file: it does not move", location)
		return ""
	}
	return path
}

func appendPath(list []string, path string) []string {
	if path == "" {
		return list
	}
	return append(list, path)
}

// plugins looks for what gets in the way.
func (f *Facts) plugins(b *Block) {
	plugins := b.enabled("mail_plugins")
	for _, p := range b.All("protocol") {
		plugins = append(plugins, p.enabled("mail_plugins")...)
	}
	if slices.Contains(plugins, "mail_crypt") {
		f.note("messages are encrypted on disk (mail_crypt): read them over IMAP")
		f.Encrypted = true
	}
	if slices.Contains(plugins, "acl") && !strings.Contains(strings.Join(b.aclUser(), " "), "%") {
		f.note("the acl plugin is on: a master user sees nothing unless acl_user = %%u (2.4: acl_user = %%{user})")
	}
}

func (b *Block) aclUser() (out []string) {
	for _, c := range append([]*Block{b}, b.All("plugin")...) {
		out = append(out, c.Get("acl_user"))
	}
	return out
}

// quota looks for the limit of all mailboxes together: "quota_rule =
// *:storage=1G" in 2.3, quota_storage_size in 2.4, alone or in a section.
func (f *Facts) quota(b *Block) {
	settings := append([]*Block{b}, b.All("plugin")...)
	for _, q := range append(settings, b.All("quota")...) {
		text, unit := q.first("quota_storage_size", "storage_size"), int64(1)
		if q.Type != "quota" {
			text = q.Get("quota_storage_size")
		}
		for _, v := range q.Values {
			limits, ok := strings.CutPrefix(v.Text, "*:")
			if !ok || !strings.HasPrefix(v.Key, "quota_rule") {
				continue
			}
			for _, l := range strings.Split(limits, ":") {
				name, value, _ := strings.Cut(l, "=")
				switch name {
				case "storage":
					text, unit = value, 1<<10
				case "bytes":
					text, unit = value, 1
				}
			}
		}
		if text == "" || text == "unlimited" {
			continue
		}
		n, err := directory.ParseSize(text, unit)
		if err != nil {
			f.note("the quota of all users is not understood: %v", err)
			continue
		}
		f.Quota = n
	}
}
