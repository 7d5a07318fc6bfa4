package engagement_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/lab/site"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/organisation"
	"mailhaul.org/mailhaul/internal/sample"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// organisationOf is what an engagement makes of a site.
func organisationOf(t *testing.T, s *site.Site, more string) model.Organisation {
	t.Helper()
	e, err := engagement.Load(s.Engagement(t, more), slog.New(slog.DiscardHandler))
	must(t, err)
	defer e.Close()
	o, err := e.Organisation(t.Context())
	must(t, err)
	return o
}

// Given three organisations of 200 accounts, on files, LDAP and MariaDB, each
// with a real Postfix in front: what mailhaul makes of them delivers every
// address to whom the real Postfix delivers it, and no note says that anything
// is wrong.
func TestOrganisation(t *testing.T) {
	t.Parallel()
	for _, name := range site.Common {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := site.Start(t, name, sample.DirectoryOptions{})
			o := organisationOf(t, s, "")
			for _, n := range o.Notes {
				if n.Level != model.LevelOK && n.Code != "relayed-domain" {
					t.Errorf("note %s %s: %s (%s; %s)", n.Code, n.Subject, n.Text, n.Where, n.Remedy)
				}
			}
			checkPeople(t, s.Sample, o)
			domains := map[string]model.Domain{}
			for _, d := range o.Domains {
				domains[d.Name] = d
			}
			if len(domains) != 6 || domains["acme-old.test"].AliasOf != "acme.test" || !domains["branch.test"].Relayed || domains["branch.test"].Relay != "[mail.branch.test]" {
				t.Errorf("domains: %+v", o.Domains)
			}
			if len(o.CatchAlls) != 1 || o.CatchAlls[0].Domain != "beta.test" {
				t.Errorf("catch-alls: %+v", o.CatchAlls)
			}
			real := s.Deliveries(t, s.Sample.Addresses())
			book := organisation.NewBook(o)
			for _, a := range s.Sample.Addresses() {
				got := book.Deliver(a)
				want := real[a]
				if strings.HasPrefix(a, "nobody.") && strings.HasSuffix(a, "@acme-old.test") {
					want = nil // taken, and bounced by the mailbox's server
				}
				if !slices.Equal(got.Recipients, want) {
					t.Errorf("%s → %q, the real Postfix: %q", a, got.Recipients, want)
				}
				if len(got.Missing)+len(got.Loops) > 0 && !strings.HasPrefix(a, "nobody.") {
					t.Errorf("%s: %+v", a, got)
				}
			}
		})
	}
}

// checkPeople compares the accounts with the sample's people.
func checkPeople(t *testing.T, d *sample.Directory, o model.Organisation) {
	t.Helper()
	accounts := map[string]model.Account{}
	for _, a := range o.Accounts {
		accounts[a.Address] = a
	}
	if len(accounts) != len(d.People) {
		t.Errorf("%d accounts, want %d", len(accounts), len(d.People))
	}
	only, copies := 0, 0
	for _, p := range d.People {
		a, ok := accounts[p.Address]
		if !ok || a.Quota != p.Quota || a.Disabled != p.Disabled || (a.Password == "") != (p.Hash == "") {
			t.Errorf("%+v is %+v", p, a)
		}
		if a.ForwardOnly {
			only++
		} else if len(a.Forwards) > 0 {
			copies++
		}
	}
	if only != 20 || copies != 20 {
		t.Errorf("%d forward without a copy and %d with one, want 20 each", only, copies)
	}
}

// Given an organisation that contradicts itself, every contradiction is named
// before anything is written.
func TestOrganisationContradicts(t *testing.T) {
	t.Parallel()
	for _, name := range site.Common {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := site.Start(t, name, sample.DirectoryOptions{People: 40, Contradictions: true})
			o := organisationOf(t, s, "")
			got := map[string]model.Note{}
			for _, n := range o.Notes {
				got[n.Code+" "+n.Subject] = n
			}
			want := []string{"user-and-list " + s.Sample.People[12].Address, "list-loop ping@acme.test", "missing-member ghosts@acme.test", "domain-refused info@intern.example", "archive-program archive@acme.test"}
			if name == "LDAP" { // there Postfix itself gives up on the groups, and the member is a DN
				want[2] = "missing-member ghosts@acme.test"
			}
			for _, w := range want {
				n, ok := got[w]
				if !ok {
					t.Errorf("nobody says %q", w)
				} else if n.Remedy == "" || n.Text == "" {
					t.Errorf("%q has no remedy: %+v", w, n)
				}
			}
			if t.Failed() {
				for _, n := range o.Notes {
					t.Logf("%s %s %s: %s (%s)", n.Level, n.Code, n.Subject, n.Text, n.Where)
				}
			}
		})
	}
}

// Rules of the engagement hold for addresses, too: a domain that is renamed
// takes its lists along, and what is excluded is gone and told.
func TestOrganisationRenamed(t *testing.T) {
	t.Parallel()
	s := site.Start(t, "files", sample.DirectoryOptions{People: 40})
	o := organisationOf(t, s, `accounts:
  - {source: "press@acme.test", exclude: true, reason: "not in use"}
  - {source: "*@gamma.test", destination: "*@delta.test"}
`)
	for _, l := range o.Lists {
		if strings.HasSuffix(l.Address, "@gamma.test") || l.Address == "press@acme.test" {
			t.Errorf("%s is still there", l.Address)
		}
		for _, m := range l.Members {
			if strings.HasSuffix(m, "@gamma.test") {
				t.Errorf("%s has the member %s", l.Address, m)
			}
		}
	}
	if !slices.ContainsFunc(o.Domains, func(d model.Domain) bool { return d.Name == "delta.test" }) || slices.ContainsFunc(o.Domains, func(d model.Domain) bool { return d.Name == "gamma.test" }) {
		t.Errorf("%+v", o.Domains)
	}
	if !slices.ContainsFunc(o.Notes, func(n model.Note) bool { return n.Code == "excluded" && n.Subject == "press@acme.test" }) {
		t.Error("nobody says that press@acme.test stays behind")
	}
	book := organisation.NewBook(o)
	for _, l := range s.Sample.Aliases {
		if l.Kind != sample.KindList {
			continue
		}
		at := strings.Replace(l.Address, "@gamma.test", "@delta.test", 1)
		var want []string
		for _, r := range s.Sample.Recipients(l.Address) {
			want = append(want, strings.Replace(r, "@gamma.test", "@delta.test", 1))
		}
		slices.Sort(want)
		if got := book.Deliver(at).Recipients; !slices.Equal(got, want) {
			t.Errorf("%s → %q, want %q", at, got, want)
		}
	}
}

// The groups of a directory, where source.users.ldap.groups says that they are,
// are lists as far as they have an address, and those of access control lists
// where source.groups.ldap says so.
func TestDirectoryGroups(t *testing.T) {
	t.Parallel()
	l := lab.StartSlapd(t, lab.SlapdOptions{Schema: sample.LDAPSchema})
	l.Add(t, "ou=groups,"+l.Base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"groups"}})
	for _, who := range []string{"anna", "ben"} {
		l.Add(t, "uid="+who+","+l.Base, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {who}, "cn": {who}, "sn": {"x"}, "mail": {who + "@acme.test"}})
	}
	group := func(cn, below string, more map[string][]string, members ...string) {
		a := map[string][]string{"objectClass": {"groupOfNames"}, "cn": {cn}, "member": members}
		for k, v := range more {
			a[k] = append(a[k], v...)
		}
		l.Add(t, "cn="+cn+below+","+l.Base, a)
	}
	anna, ben := "uid=anna,"+l.Base, "uid=ben,"+l.Base
	group("staff", ",ou=groups", nil, anna, ben)
	group("team", ",ou=groups", map[string][]string{"objectClass": {"extensibleObject"}, "mail": {"team@acme.test"}}, "cn=staff,ou=groups,"+l.Base, ben)
	group("other", "", nil, anna)
	read := func(groups string) (map[string][]string, model.Organisation) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "mailhaul.yaml")
		must(t, os.WriteFile(file, []byte(fmt.Sprintf("engagement: ./e\nsource:\n  kind: imap\n  imap: {url: imaps://mail.old.test, master: m, password: env:X}\n"+
			"  users:\n    ldap: {url: ldap://%s, base: %q, preset: inetorgperson, groups: {base: \"ou=groups,%s\"}}\n%sdestination: {embedded: true}\n", l.Addr, l.Base, l.Base, groups)), 0o600))
		e, err := engagement.Load(file, slog.New(slog.DiscardHandler))
		must(t, err)
		defer e.Close()
		o, err := e.Organisation(t.Context())
		must(t, err)
		g, err := e.Groups(t.Context())
		must(t, err)
		return g, o
	}
	groups, o := read("  groups: {ldap: true, members: {board: [anna]}}\n")
	want := map[string][]string{"staff": {"anna", "ben"}, "team": {"anna", "ben"}, "board": {"anna"}}
	if fmt.Sprint(groups) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", groups, want)
	}
	// A group without an address has no mail: its members are not on the list.
	if len(o.Lists) != 0 || len(o.Accounts) != 2 || !slices.Contains(o.Accounts[1].Aliases, "team@acme.test") {
		t.Errorf("lists %+v, accounts %+v", o.Lists, o.Accounts)
	}
	if groups, _ = read(""); len(groups) != 0 {
		t.Errorf("nobody asked for %v", groups)
	}
}
