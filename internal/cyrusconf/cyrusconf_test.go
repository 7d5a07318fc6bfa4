package cyrusconf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLayout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	more := filepath.Join(dir, "more.conf")
	if err := os.WriteFile(more, []byte("Metapartition-Fast: /meta/\nmetapartition_files: header index\nadmins: cyrus root\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "imapd.conf")
	text := "# a comment\n\nConfigDirectory: /var/lib/cyrus\npartition-Default: /var/spool/mail\npartition-fast: {configdirectory}/fast\narchivepartition-default: /slow\n" +
		"hashimapspool: true\nFULLDIRHASH: 0\nvirtdomains: userid\ndefaultdomain: Acme.test\nunixhierarchysep: off\nautocreate_quota: 0\n" +
		"mboxlist_db_path: /db/list\nproxyservers: a \\\n  b\n@include: " + more + "\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := Layout{Config: "/var/lib/cyrus", Partitions: map[string]string{"default": "/var/spool/mail", "fast": "/var/lib/cyrus/fast"},
		Meta: map[string]string{"fast": "/meta"}, Archive: map[string]string{"default": "/slow"},
		Hashed: true, Virtual: true, Domain: "acme.test", Sieve: "/usr/sieve", Deleted: "DELETED", SieveFolder: "#sieve",
		Databases: map[string]string{"mailboxes.db": "/db/list"}, ImplicitRights: "lkxan", Admins: []string{"cyrus", "root"}, Proxies: []string{"a", "b"}, Autocreate: true,
		Alt: true, Prefixes: []string{"Other Users", "Shared Folders", "Alt Folders"}, AltPrefix: "Alt Folders"}
	l := s.Layout()
	if d := cmp.Diff(want, l); d != "" {
		t.Error(d)
	}
	if l.Database("mailboxes.db") != "/db/list" || l.Database("annotations.db") != "/var/lib/cyrus/annotations.db" {
		t.Error(l.Database("mailboxes.db"), l.Database("annotations.db"))
	}
	under := l.Under("/mnt")
	if under.Config != "/mnt/var/lib/cyrus" || under.Partitions["fast"] != "/mnt/var/lib/cyrus/fast" || under.Database("mailboxes.db") != "/mnt/db/list" || l.Config != "/var/lib/cyrus" {
		t.Errorf("%+v", under)
	}
}

// What is not set is as Cyrus has it, and what cannot be read is named.
func TestDefaultsAndErrors(t *testing.T) {
	t.Parallel()
	s, err := Parse(strings.NewReader("configdirectory: /c\nsieveusehomedir: yes\nautocreate_quota: -1\ndefaultdomain: internal\n"))
	if err != nil {
		t.Fatal(err)
	}
	if l := s.Layout(); l.Virtual || l.Domain != "" || l.Sieve != "" || !l.Alt || !l.Slash || l.Autocreate || l.Hashed || l.Deleted != "DELETED" {
		t.Errorf("%+v", l)
	}
	if _, err := Parse(strings.NewReader("no colon here\n")); err == nil || !strings.Contains(err.Error(), "no colon here") {
		t.Errorf("a line that is none: %v", err)
	}
	loop := filepath.Join(t.TempDir(), "loop.conf")
	if err := os.WriteFile(loop, []byte("@include: "+loop+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(loop); err == nil || !strings.Contains(err.Error(), "without end") {
		t.Errorf("a file that includes itself: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("configdirectory: /c\npartition-default: /s\nvirtdomains: userid\n")
	f.Add("a: \\\nb\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "@include") {
			return
		}
		s, err := Parse(strings.NewReader(text))
		if err == nil {
			s.Layout()
		}
	})
}
