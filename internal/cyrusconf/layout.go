package cyrusconf

import (
	"path/filepath"
	"strings"
)

// Layout is where a server keeps its mail, and how it names it.
type Layout struct {
	// Config is configdirectory: databases and the users' state.
	Config string
	// Partitions, Meta and Archive are the roots of the spools by the name of
	// their partition, in lower case.
	Partitions, Meta, Archive map[string]string
	// Hashed spreads mailboxes by a letter; FullHash takes a letter of all
	// octets.
	Hashed, FullHash bool
	// Virtual: users may be of other domains than Domain.
	Virtual bool
	// Domain is the default domain, or empty.
	Domain string
	// Sieve is the folder of scripts; empty where they lie in home
	// directories.
	Sieve string
	// Root is what Under has put before all paths.
	Root string
	// Deleted is the prefix of deleted mailboxes.
	Deleted string
	// SieveFolder is the mailbox of scripts since 3.6.
	SieveFolder string
	// Databases are the paths of databases that are not where they usually
	// are, by their usual name: "mailboxes.db".
	Databases map[string]string
	// ImplicitRights are what an owner always has.
	ImplicitRights string
	// Admins and Proxies may log in as anybody.
	Admins, Proxies []string
	// Slash: IMAP separates levels with "/", else with "." (unixhierarchysep).
	Slash bool
	// Alt: personal mailboxes stand beside the inbox (altnamespace). Those
	// called like a namespace, one of Prefixes, are below AltPrefix.
	Alt       bool
	Prefixes  []string
	AltPrefix string
	// Autocreate: a first login makes mailboxes.
	Autocreate bool
}

// Layout tells where the mail is.
func (s Settings) Layout() Layout {
	l := Layout{
		Config:     filepath.Clean(s.Text("configdirectory", "/var/lib/cyrus")),
		Partitions: s.withPrefix("partition-"), Meta: s.withPrefix("metapartition-"), Archive: s.withPrefix("archivepartition-"),
		Hashed: s.Bool("hashimapspool", false), FullHash: s.Bool("fulldirhash", false),
		Domain:         strings.ToLower(s.Text("defaultdomain", "")),
		Deleted:        s.Text("deletedprefix", "DELETED"),
		SieveFolder:    s.Text("sieve_folder", "#sieve"),
		ImplicitRights: s.Text("implicit_owner_rights", "lkxan"),
		Admins:         append(s.Words("admins"), s.Words("imap_admins")...),
		Proxies:        append(s.Words("proxyservers"), s.Words("imap_proxyservers")...),
		Slash:          s.Bool("unixhierarchysep", true),
		Alt:            s.Bool("altnamespace", true),
		AltPrefix:      s.Text("altprefix", "Alt Folders"),
		Autocreate:     !strings.HasPrefix(s.Text("autocreate_quota", "-1"), "-"),
		Databases:      map[string]string{},
	}
	l.Prefixes = []string{s.Text("userprefix", "Other Users"), s.Text("sharedprefix", "Shared Folders"), l.AltPrefix}
	if v := strings.ToLower(s.Text("virtdomains", "off")); v != "off" && (v == "userid" || s.Bool("virtdomains", false)) {
		l.Virtual = true
	}
	if l.Domain == "internal" { // what the option says when it is not set
		l.Domain = ""
	}
	if !s.Bool("sieveusehomedir", false) {
		l.Sieve = filepath.Clean(s.Text("sievedir", "/usr/sieve"))
	}
	for key, usual := range map[string]string{"mboxlist_db_path": "mailboxes.db", "annotation_db_path": "annotations.db",
		"quota_db_path": "quotas.db", "userdeny_db_path": "user_deny.db"} {
		if p := s.Text(key, ""); p != "" {
			l.Databases[usual] = p
		}
	}
	return l
}

// Under is the layout below another root, as of a copy or a snapshot.
func (l Layout) Under(root string) Layout {
	if root == "" {
		return l
	}
	l.Root = root
	at := func(path string) string {
		if path == "" {
			return ""
		}
		return filepath.Join(root, path)
	}
	all := func(m map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range m {
			out[k] = at(v)
		}
		return out
	}
	l.Config, l.Sieve = at(l.Config), at(l.Sieve)
	l.Partitions, l.Meta, l.Archive, l.Databases = all(l.Partitions), all(l.Meta), all(l.Archive), all(l.Databases)
	return l
}

// Database is the path of a database by its usual name.
func (l Layout) Database(usual string) string {
	if p := l.Databases[usual]; p != "" {
		return p
	}
	return filepath.Join(l.Config, usual)
}
