package postfix_test

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/lab/site"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/organisation"
	"mailhaul.org/mailhaul/internal/postfix"
	"mailhaul.org/mailhaul/internal/sample"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Given the sample organisation in text tables, LDAP, or a database, mail to
// every address, with and without an extension, ends where the real Postfix
// takes it.
func TestDeliversAsPostfix(t *testing.T) {
	t.Parallel()
	for _, kind := range site.Kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := site.Start(t, kind, sample.DirectoryOptions{})
			d := p.Sample
			s, err := postfix.Find(t.Context(), p.Dir, "")
			must(t, err)
			r, err := postfix.Open(t.Context(), s, postfix.Options{})
			must(t, err)
			defer r.Close()
			var people []string
			for _, person := range d.People {
				people = append(people, person.Address)
			}
			book := bookOf(addressesOf(t, r), people...)
			addresses := append(d.Addresses(), "someone@branch.test", "x@elsewhere.test")
			for i, a := range d.Addresses() {
				if i%7 == 0 {
					local, domain, _ := strings.Cut(a, "@")
					addresses = append(addresses, local+"+lists@"+domain)
				}
			}
			real := p.Deliveries(t, addresses)
			for _, a := range addresses {
				want := withoutExtensions(real[a])
				if strings.HasPrefix(a, "nobody.") && strings.HasSuffix(a, "@acme-old.test") {
					want = nil // taken, and bounced by the mailbox's server
				}
				if got := book.Deliver(a).Recipients; !slices.Equal(got, want) {
					t.Errorf("%s → %q, the real Postfix: %q", a, got, want)
				}
				if meant := d.Recipients(a); !strings.Contains(a, "+") && len(want) > 0 && !slices.Equal(meant, want) {
					t.Errorf("%s → %q at the real Postfix, the sample means %q", a, want, meant)
				}
			}
		})
	}
}

// bookOf makes an organisation of who receives what at a Postfix, and of people
// whose logins are their addresses.
func bookOf(a directory.Addresses, people ...string) *organisation.Book {
	var all []organisation.Person
	for _, p := range people {
		all = append(all, organisation.Person{Account: model.Account{Login: p, Address: p}, Origin: p})
	}
	return organisation.NewBook(organisation.Build(all, []directory.Addresses{a}, organisation.Options{}))
}

// withoutExtensions are addresses without what follows a plus: mail servers
// deliver to the name before it.
func withoutExtensions(list []string) []string {
	var out []string
	for _, a := range list {
		local, domain, _ := strings.Cut(strings.ToLower(a), "@")
		local, _, _ = strings.Cut(local, "+")
		out = append(out, local+"@"+domain)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// addressesOf reads all and tells the notes.
func addressesOf(t *testing.T, r *postfix.Router) directory.Addresses {
	t.Helper()
	got, err := r.Addresses(t.Context())
	must(t, err)
	for _, n := range got.Notes {
		t.Logf("%s %s: %s (%s) [%s]", n.Code, n.Subject, n.Text, n.Remedy, n.Where)
	}
	for _, domain := range got.Domains {
		t.Logf("%+v", domain)
	}
	if len(got.Aliases) < 100 || !got.Listed || len(got.Mailboxes) < 190 {
		t.Errorf("%d aliases, %d mailboxes (listed: %v)", len(got.Aliases), len(got.Mailboxes), got.Listed)
	}
	return got
}
