package doveconf

import (
	"slices"
	"strings"
)

// ACL is what the plugin acl is set to.
type ACL struct {
	// Global is the file or folder of lists for the whole site, or empty.
	Global string
	// Entries are those in the configuration itself (2.4), for mailboxes of the
	// inbox's namespace, from general to particular: "pattern identifier rights",
	// the pattern without the namespace's prefix, "-" before an identifier whose
	// rights are taken away. For one identifier the last that matches counts.
	Entries []string
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
		f.ACL.GlobalsOnly = f.ACL.GlobalsOnly || yes(c.Get("acl_globals_only"))
		f.ACL.DefaultsFromInbox = f.ACL.DefaultsFromInbox || yes(c.Get("acl_defaults_from_inbox"))
		f.ACL.Ignore = f.ACL.Ignore || yes(c.Get("acl_ignore"))
	}
	if driver == "" { // the plugin does nothing by itself
		f.ACL.Ignore = true
	} else if driver != "vfile" {
		f.note("access control lists are kept by %q, which only Dovecot reads: run mailhaul share over IMAP", driver)
	}
	f.entries(b)
}

// entries reads the sections acl: of all mailboxes, of some, of a namespace and
// of some of its mailboxes. What is nested deeper counts more (settings.c).
func (f *Facts) entries(b *Block) {
	top := b
	within := func(b *Block) (out []string) {
		out = entriesOf(top, b, "*")
		for _, m := range b.All("mailbox") {
			name := m.Name
			if n := m.first("name", "mailbox_name"); n != "" {
				name = n
			}
			out = append(out, entriesOf(top, m, name)...)
		}
		return out
	}
	everywhere := within(b)
	f.ACL.Entries = everywhere
	for _, n := range b.All("namespace") {
		if yes(n.Get("inbox")) {
			f.ACL.Entries = slices.Concat(everywhere, within(n))
			f.ACL.Ignore = f.ACL.Ignore || yes(n.Get("acl_ignore"))
			continue
		}
		if typ := n.Get("type"); len(within(n)) > 0 || typ == "public" && len(everywhere) > 0 {
			f.note("the access control lists that the configuration has for the namespace %q count for it alone: run mailhaul share over IMAP, the disk does not tell them", n.Name)
		}
	}
}

// entriesOf are those of one section, and of the groups of settings at the top
// that it names ("@acl_rule_set = default"). Rights behind "-" are taken away.
func entriesOf(top, b *Block, pattern string) (out []string) {
	for _, v := range b.Values {
		for _, g := range top.All("group") {
			if strings.HasPrefix(v.Key, "@") && g.Name == v.Key+" "+v.Text {
				out = append(out, entriesOf(&Block{}, g, pattern)...)
			}
		}
	}
	for _, a := range b.All("acl") {
		id := a.Name
		if v := a.first("id", "acl_id"); v != "" {
			id = v
		}
		rights, negative := strings.CutPrefix(a.first("rights", "acl_rights"), "-")
		if negative {
			id = "-" + id
		}
		out = append(out, strings.TrimRight(quoted(pattern)+" "+quoted(id)+" "+rights, " "))
	}
	return out
}

// quoted writes a word as a file of lists has it.
func quoted(s string) string {
	if s != "" && !strings.ContainsAny(s, ` "\`) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func yes(text string) bool { return slices.Contains([]string{"yes", "y", "1"}, text) }
