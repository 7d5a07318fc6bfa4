package postfix_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix"
)

// compiledMain is a main.cf with a table of each kind that postmap compiles.
const compiledMain = `compatibility_level = 3.6
myhostname = mail.acme.test
mydomain = acme.test
myorigin = $mydomain
mydestination = $mydomain, $myhostname
recipient_delimiter = +
alias_maps = hash:$config_directory/aliases
virtual_alias_maps = lmdb:$config_directory/virtual, proxy:btree:$config_directory/more
virtual_mailbox_domains = cdb:$config_directory/domains
virtual_mailbox_maps = hash:$config_directory/mailboxes
recipient_canonical_maps = hash:$config_directory/canonical
`

// compiled are the texts of its tables.
var compiled = map[string]string{
	"aliases":   "Team: anna, ben\n\"with blank\": anna\nboth: team,\n cora@else.test\npiped: \"|/usr/bin/ticket --queue 'a b'\"\n",
	"virtual":   "# comment\nInfo@hosted.test  anna@acme.test,\n  ben@acme.test\n\"with blank\"@hosted.test anna@acme.test\n@old.test @hosted.test\nold.test x\npress@hosted.test agency@else.test\n",
	"more":      "press@hosted.test never@else.test\nsales@hosted.test boss@else.test\n@hosted.test anna@acme.test\n",
	"domains":   "hosted.test x\n",
	"mailboxes": "one@hosted.test hosted.test/one/\ntwo@hosted.test hosted.test/two/\n",
	"canonical": "alt@acme.test anna@acme.test\n",
}

// Given a host whose tables are there only as postmap compiled them, mailhaul
// asks the host's postconf for the configuration, lists the tables by its
// postmap and postalias, and reads what the texts would tell; it writes nothing
// beside them.
func TestCompiledOnHost(t *testing.T) {
	p := lab.NewPostfix(t)
	write := func(name, content string) { must(t, os.WriteFile(filepath.Join(p.Dir, name), []byte(content), 0o644)) }
	write("main.cf", compiledMain)
	write("master.cf", "smtp inet n - n - - smtpd\ntickets unix - n n - - pipe user=daemon argv=/usr/bin/ticket\n")
	p.Configure(t)
	for name, text := range compiled {
		write(name, text)
	}
	p.Run(t, "", "postalias", "hash:"+p.Dir+"/aliases")
	for _, ref := range []string{"lmdb:virtual", "btree:more", "cdb:domains", "hash:mailboxes", "hash:canonical"} {
		kind, name, _ := strings.Cut(ref, ":")
		p.Run(t, "", "postmap", kind+":"+filepath.Join(p.Dir, name))
	}
	t.Setenv("PATH", p.Tools(t)+":"+os.Getenv("PATH"))
	read := func(where string) directory.Addresses {
		t.Helper()
		s, err := postfix.Find(t.Context(), where, "")
		must(t, err)
		r, err := postfix.Open(t.Context(), s, postfix.Options{Domain: "acme.test", Known: []string{"anna", "ben"}})
		must(t, err)
		defer r.Close()
		a, err := r.Addresses(t.Context())
		must(t, err)
		slices.SortFunc(a.Aliases, func(a, b directory.Alias) int { return strings.Compare(a.Address, b.Address) })
		return a
	}
	if s, err := postfix.Find(t.Context(), postfix.Ask, ""); err != nil || s.Folder != p.Dir || len(s.Services) != 2 || s.Get("mydestination") != "acme.test, mail.acme.test" {
		t.Errorf("postconf: %v, folder %q, services %v, mydestination %q", err, s.Folder, s.Services, s.Get("mydestination"))
	}

	// The same folder without the compiled tables is what to compare with.
	texts := t.TempDir()
	entries, err := os.ReadDir(p.Dir)
	must(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(p.Dir, e.Name()))
		must(t, err)
		if filepath.Ext(e.Name()) == "" || e.Name() == "main.cf" || e.Name() == "master.cf" {
			must(t, os.WriteFile(filepath.Join(texts, e.Name()), b, 0o644))
		}
	}
	want := read(texts)
	if len(want.Aliases) < 9 || len(want.Mailboxes) != 2 {
		t.Fatalf("the texts tell %+v", want)
	}
	for name := range compiled {
		must(t, os.Remove(filepath.Join(p.Dir, name)))
	}
	before := files(t, p.Dir)
	got := read(postfix.Ask)
	if diff := cmp.Diff(files(t, p.Dir), before); diff != "" {
		t.Errorf("beside the tables: %s", diff)
	}
	got.Source = want.Source // a folder's name
	if diff := cmp.Diff(want, got, cmp.Transformer("folder", func(s string) string { return strings.ReplaceAll(s, texts, p.Dir) })); diff != "" {
		t.Errorf("from compiled tables: %s", diff)
	}

	// A text that nobody has compiled is not what Postfix looks at.
	write("virtual", "info@hosted.test nobody@else.test\n")
	later := time.Now().Add(time.Minute)
	must(t, os.Chtimes(filepath.Join(p.Dir, "virtual"), later, later))
	got = read(postfix.Ask)
	for _, a := range got.Aliases {
		if a.Address == "info@hosted.test" && !slices.Equal(a.Targets, []string{"anna@acme.test", "ben@acme.test"}) {
			t.Errorf("%s → %q", a.Address, a.Targets)
		}
	}
	if !slices.ContainsFunc(got.Notes, func(n model.Note) bool { return n.Code == "stale-table" && strings.Contains(n.Subject, "virtual") }) {
		t.Errorf("no note of a stale table: %+v", got.Notes)
	}
}

// files are the names and times of all files in a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			out[path] = info.ModTime().String()
		}
		return err
	}))
	return out
}
