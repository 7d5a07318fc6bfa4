package share

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// Lists name groups in several ways, and what replaces what depends on the
// server: "who rights" entries in, shares out.
func TestAllot(t *testing.T) {
	t.Parallel()
	o := Options{Groups: map[string][]string{"staff": {"anna", "ben"}, "board": {"ben", "cleo"}}, GroupAddresses: map[string]string{"staff": "staff@x.test"}}
	for _, login := range []string{"anna", "ben", "cleo"} {
		o.Everybody = append(o.Everybody, model.Account{Login: login, Address: login + "@x.test"})
	}
	o.Everybody = append(o.Everybody, model.Account{Login: model.PublicLogin, Public: &model.Public{}})
	for name, c := range map[string]struct {
		list     string
		specific bool
		want     string
	}{
		"Cyrus's group":          {"group:staff lr", false, "staff@x.test read"},
		"Courier's group":        {"group=staff lr", false, "staff@x.test read"},
		"Dovecot's group":        {"group=staff lr", true, "staff@x.test read"},
		"over IMAP":              {"$staff lr", true, "staff@x.test read"},
		"a member may more":      {"$staff lr; anna lri", true, "staff@x.test read; anna read add"},
		"a member may less":      {"$staff lri; anna lr", true, "anna read; ben read add"},
		"adding up, less is not": {"group:staff lri; anna lr", false, "staff@x.test read add"},
		"two groups, one told":   {"group:staff lr; group:board lrs", false, "staff@x.test read; ben read seen keywords; cleo read seen keywords"},
		"groups before users":    {"$board lri; ben lr", true, "ben read; cleo read add"},
		"override":               {"group-override=board lr; ben lri; anna lri", true, "anna read add; ben read; cleo read"},
		"override over IMAP":     {"!$board lr; ben lri", true, "ben read; cleo read"},
		"all, groups before all": {"anyone lr; $board l", true, "anna read"},
		"taken from a group":     {"anyone lr; -group:board r", false, "anna read"},
		"taken from all":         {"group:staff lri; -anyone i", false, "staff@x.test read"},
		"only negative":          {"-group:staff lr", false, ""},
	} {
		var grants []model.Grant
		for e := range strings.SplitSeq(c.list, "; ") {
			id, rights, _ := strings.Cut(e, " ")
			id, negative := strings.CutPrefix(id, "-")
			grants = append(grants, model.Grant{Identifier: id, Rights: model.ParseRights(rights), Negative: negative})
		}
		a := read(grants).allot(model.Account{Login: model.PublicLogin}, newPeople(o), c.specific, 10, func(*group) bool { return true })
		var got []string
		for _, g := range a.groups {
			got = append(got, fmt.Sprint(g.address, " ", g.rights))
		}
		for _, u := range a.users {
			if u.rights != 0 {
				got = append(got, fmt.Sprint(u.login, " ", u.rights))
			}
		}
		if s := strings.Join(got, "; "); s != c.want || len(a.unknown)+len(a.strangers) > 0 {
			t.Errorf("%s: %s; want %s (%+v)", name, s, c.want, a)
		}
	}
	a := read([]model.Grant{{Identifier: "group:others", Rights: model.RightRead}, {Identifier: "zoe", Rights: model.RightRead}}).
		allot(model.Account{}, newPeople(o), false, 10, func(*group) bool { return true })
	if !slices.Equal(a.strangers, []string{"others"}) || !slices.Equal(a.unknown, []string{"zoe"}) {
		t.Errorf("whom nobody knows: %+v", a)
	}
}

// A Courier shows other users' mailboxes below their logins, in which dots and
// slashes are other characters, and these below the groups of its index.
func TestOwner(t *testing.T) {
	t.Parallel()
	var o Options
	for _, login := range []string{"anna", "ben.li@x.test", "a.b", "a/b", "c\\d.e"} {
		o.Everybody = append(o.Everybody, model.Account{Login: login, Address: strings.NewReplacer("/", "", "\\", "").Replace(login) + "@y.test"})
	}
	p := newPeople(o)
	for _, c := range []struct{ native, owner, path, want string }{
		{"Other Users/anna/Team", "anna", "Team", "anna: Team"},
		{"Other Users/zoe/anna", "zoe", "anna", "nobody: anna"}, // hers, not anna's
		{"#shared.anna", "anna", "INBOX", "anna: INBOX"},
		{"#shared.ben li@x test.A.B", "ben li@x test", "A/B", "ben.li@x.test: A/B"},
		{`#shared.ben\:li@x\:test.A`, `ben\:li@x\:test`, "A", "ben.li@x.test: A"},
		{`#shared.c\\d\:e.A`, `c\\d\:e`, "A", `c\d.e: A`},
		{"#shared.a b.A", "a b", "A", "nobody: A"}, // either of two
		{"#shared.a-m.anna", "a-m", "anna", "anna: INBOX"},
		{"#shared.a-m.anna.Team", "a-m", "anna/Team", "anna: Team"},
		{"#shared.public.News", "public", "News", "nobody: News"},
	} {
		a, path, known := p.owner(model.SharedCollection{Owner: c.owner, Collection: model.Collection{Native: c.native, Path: strings.Split(c.path, "/")}})
		who := "nobody"
		if known {
			who = a.Login
		}
		if got := who + ": " + strings.Join(path, "/"); got != c.want {
			t.Errorf("%s is of %s, want %s", c.native, got, c.want)
		}
	}
}
