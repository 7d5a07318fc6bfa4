package sample

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LocalAliases are the entries of aliases(5) of the sample's Postfix: what a
// host does with mail of its own. The folder is where WritePasswd and its like
// wrote, where the file of an :include: is.
func (d *Directory) LocalAliases(dir string) string {
	s := "# Mail of the host itself.\nmailer-daemon: postmaster\npostmaster: root\nroot: " + d.at(0) + "\n" +
		"newsletter: :include:" + filepath.Join(dir, "newsletter.list") + "\n"
	if d.Options.Contradictions {
		s += "archive: \"|/usr/local/bin/archive --from=mailer\"\nlogs: /var/log/mail-archive\n"
	}
	return s
}

// mainCF is what main.cf says in every layout, before the tables.
func (d *Directory) mainCF(dir string) string {
	return fmt.Sprintf(`# The sample organisation %[1]s.
compatibility_level = 3.6
myhostname = mail.%[1]s
mydomain = %[1]s
myorigin = $myhostname
mydestination = $myhostname, localhost.$mydomain,
    localhost
recipient_delimiter = +
default_database_type = hash
alias_maps = hash:%[2]s/aliases
alias_database = $alias_maps
relay_domains = texthash:%[2]s/relay
transport_maps = texthash:%[2]s/transport
`, Domain, dir)
}

// write makes the files of a layout: main.cf, what is in all of them, and more.
func (d *Directory) write(dir, mainCF string, more map[string]string) error {
	var relay, transport strings.Builder
	for _, domain := range slices.Sorted(maps.Keys(d.Relayed)) {
		fmt.Fprintf(&relay, "%s OK\n", domain)
		fmt.Fprintf(&transport, "%s %s\n", domain, d.Relayed[domain])
	}
	files := map[string]string{
		"main.cf": d.mainCF(dir) + mainCF, "aliases": d.LocalAliases(dir), "relay": relay.String(), "transport": transport.String(),
		"newsletter.list": "# readers\n" + d.at(1) + "\n" + d.at(2) + ", reader@outside.test\n",
	}
	maps.Copy(files, more)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// domainEntries are the entries of a virtual(5) table that are about domains:
// domain aliases and catch-alls.
func (d *Directory) domainEntries() string {
	var b strings.Builder
	for _, old := range slices.Sorted(maps.Keys(d.AliasDomains)) {
		fmt.Fprintf(&b, "@%s @%s\n", old, d.AliasDomains[old])
	}
	for _, a := range d.Aliases {
		if a.Kind == KindCatchAll {
			fmt.Fprintf(&b, "%s %s\n", a.Address, strings.Join(a.Targets, ", "))
		}
	}
	return b.String()
}

// lines makes a table of "key value".
func lines(keys []string, value string) string {
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%s %s\n", k, value)
	}
	return b.String()
}

// WritePasswd lays the organisation out in dir as files: a passwd-file of
// Dovecot ("users", the home of each below /srv/mail), and a Postfix with
// tables in text files: main.cf, virtual, mailboxes, domains, aliases and so
// on. type is that of the tables in main.cf: texthash, or hash, lmdb and the
// like, which postmap has to make; "aliases" has to be made by postalias.
func (d *Directory) WritePasswd(dir, tables string) error {
	var users, mailboxes, virtual strings.Builder
	people := map[string]bool{}
	for n, p := range d.People {
		people[p.Address] = true
		local, domain, _ := strings.Cut(p.Address, "@")
		hash, extra := p.Hash, ""
		if p.Disabled {
			extra = "nologin=y "
		}
		if p.Quota > 0 {
			extra += fmt.Sprintf("userdb_quota_rule=*:bytes=%d", p.Quota)
		}
		fmt.Fprintf(&users, "%s:%s:%d:%d:%s:/srv/mail/%s/%s::%s\n", p.Address, hash, 5000+n, 5000, p.Name, domain, local, strings.TrimSpace(extra))
		fmt.Fprintf(&mailboxes, "%s %s/%s/\n", p.Address, domain, local)
	}
	for _, a := range d.Aliases {
		if a.Kind == KindCatchAll {
			continue
		}
		if len(a.Targets) > 3 { // as people write it
			fmt.Fprintf(&virtual, "%s\n    %s\n", a.Address, strings.Join(a.Targets, ",\n    "))
		} else {
			fmt.Fprintf(&virtual, "%s\t%s\n", a.Address, strings.Join(a.Targets, ", "))
		}
	}
	virtual.WriteString(d.domainEntries())
	// A catch-all takes the mail of who has no entry of his own.
	for _, p := range d.People {
		_, domain, _ := strings.Cut(p.Address, "@")
		_, caught := d.targets("@" + domain)
		if _, own := d.targets(p.Address); caught && !own {
			fmt.Fprintf(&virtual, "%s %s\n", p.Address, p.Address)
		}
	}
	mainCF := fmt.Sprintf(`virtual_mailbox_domains = %[1]s:%[2]s/domains
virtual_mailbox_maps = %[1]s:%[2]s/mailboxes
virtual_mailbox_base = /srv/mail
virtual_alias_domains = %[3]s
virtual_alias_maps = %[1]s:%[2]s/virtual
`, tables, dir, strings.Join(d.aliasDomains(), ", "))
	return d.write(dir, mainCF, map[string]string{"users": users.String(), "domains": lines(d.Hosted, "OK"), "mailboxes": mailboxes.String(), "virtual": virtual.String()})
}

// aliasDomains are Postfix's virtual_alias_domains: those without mailboxes.
func (d *Directory) aliasDomains() []string {
	return slices.Sorted(slices.Values(slices.AppendSeq(slices.Clone(d.Virtual), maps.Keys(d.AliasDomains))))
}
