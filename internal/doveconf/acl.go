package doveconf

import (
	"slices"
	"strings"
)

// ACL is what the plugin acl is set to.
type ACL struct {
	// Global is the file or folder of lists for the whole site, or empty.
	Global string
	// GlobalsOnly: mailboxes' own lists do not count.
	GlobalsOnly bool
	// DefaultsFromInbox: the inbox's list speaks for what another does not.
	DefaultsFromInbox bool
	// Ignore: no list is in force, whatever files lie about.
	Ignore bool
}

// acl reads "acl = vfile:PATH:cache_secs=…" among the plugins' settings of 2.3,
// or the settings of 2.4, which may keep lists in the configuration itself.
func (f *Facts) acl(b *Block) {
	plugins := b.enabled("mail_plugins")
	for _, p := range b.All("protocol") {
		plugins = append(plugins, p.enabled("mail_plugins")...)
	}
	if !slices.Contains(plugins, "acl") {
		f.ACL.Ignore = true
		return
	}
	var driver string
	for _, c := range append([]*Block{b}, b.All("plugin")...) {
		if v := c.first("acl", "acl_driver"); v != "" {
			var path string
			driver, path, _ = strings.Cut(v, ":")
			f.ACL.Global, _, _ = strings.Cut(path, ":")
		}
		if v := c.Get("acl_global_path"); v != "" {
			f.ACL.Global = v
		}
		yes := func(key string) bool { return slices.Contains([]string{"yes", "y", "1"}, c.Get(key)) }
		f.ACL.GlobalsOnly = f.ACL.GlobalsOnly || yes("acl_globals_only")
		f.ACL.DefaultsFromInbox = f.ACL.DefaultsFromInbox || yes("acl_defaults_from_inbox")
		f.ACL.Ignore = f.ACL.Ignore || yes("acl_ignore")
	}
	if driver == "" { // the plugin does nothing by itself
		f.ACL.Ignore = true
	} else if driver != "vfile" {
		f.note("access control lists are kept by %q, which only Dovecot reads: run mailhaul share over IMAP", driver)
	}
	inside := len(b.All("acl")) > 0
	for _, n := range append(b.All("namespace"), b) {
		inside = inside || len(n.All("acl")) > 0
		for _, m := range n.All("mailbox") {
			inside = inside || len(m.All("acl")) > 0
		}
	}
	if inside {
		f.note("access control lists stand in the configuration itself: run mailhaul share over IMAP, the disk does not tell them")
	}
}
