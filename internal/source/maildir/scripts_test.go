package maildir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		files  string // path=content, blank-separated
		active string // where .dovecot.sieve leads to, or empty
		want   string // name=content, the active one with a star
	}{
		{"none", "", "", ""},
		{"as Pigeonhole keeps them", "sieve/a.sieve=A sieve/b.sieve=B sieve/b.svbin=x sieve/.dovecot.sieve.log=x sieve/tmp/x=x", "sieve/b.sieve", "a=A b=B*"},
		{"none active", "sieve/a.sieve=A", "", "a=A"},
		{"absolute link", "sieve/a.sieve=A", "HOME/sieve/a.sieve", "a=A*"},
		{"one script and no link", ".dovecot.sieve=A", "", "dovecot=A*"},
		{"kept in another folder", ".sieve/roundcube.sieve=R sieve/a.sieve=A", ".sieve/roundcube.sieve", "a=A roundcube=R*"},
		{"there with a name that is here, too", ".sieve/a.sieve=R sieve/a.sieve=A", ".sieve/a.sieve", "a=A a_(2)=R*"},
		{"a link to nowhere", "sieve/a.sieve=A", "sieve/gone.sieve", "a=A"},
		{"the site's script", "sieve/a.sieve=A ../site/a.sieve=S", "../site/a.sieve", "a=A"},
	} {
		home := filepath.Join(t.TempDir(), "anna")
		must(t, os.MkdirAll(filepath.Join(home, "Maildir/cur"), 0o755))
		for _, f := range strings.Fields(c.files) {
			path, text, _ := strings.Cut(f, "=")
			put(t, home, path, text)
		}
		if c.active != "" {
			must(t, os.Symlink(strings.Replace(c.active, "HOME", home, 1), filepath.Join(home, ".dovecot.sieve")))
		}
		st, err := New(Options{Path: home + "/Maildir"}).Open(t.Context(), model.Account{Login: "anna", Home: home})
		must(t, err)
		scripts, err := st.(source.Scripts).Scripts(t.Context())
		must(t, err)
		var got []string
		for _, s := range scripts {
			out := strings.ReplaceAll(s.Name, " ", "_") + "=" + string(s.Content)
			if s.Active {
				out += "*"
			}
			got = append(got, out)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A pipe in the place of a message must not keep anybody waiting.
func TestPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "cur/1.a:2,", "x")
	must(t, syscall.Mkfifo(filepath.Join(dir, "cur/2.b:2,"), 0o600))
	must(t, syscall.Mkfifo(filepath.Join(dir, "dovecot-keywords.x"), 0o600))
	st, err := New(Options{Path: dir}).Open(t.Context(), model.Account{Login: "x"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	var got []string
	must(t, st.Read(t.Context(), cols[0], names(list(t, st, cols[0])), func(_ model.ItemRef, _ *source.Content, err error) error {
		got = append(got, model.CodeOf(err))
		return nil
	}))
	if fmt.Sprint(got) != "[ unreadable]" {
		t.Errorf("codes %q", got)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var full strings.Builder
	for i := range letters {
		fmt.Fprintf(&full, "%d word%d\n", i, i)
	}
	put(t, dir, "anna/Maildir/cur/1.a:2,", "Subject: x\n\n")
	put(t, dir, "anna/Maildir/dovecot-acl", "user=bert lr\nowner lra\n")
	put(t, dir, "bert/Maildir/cur/1.a:2,", "CRYPTED\x03\x07\x02 and so on")
	put(t, dir, "carl/Maildir/.Work/cur/1.a:2,", "")
	put(t, dir, "carl/Maildir/cur/1.a:2,", "")
	put(t, dir, "carl/Maildir/.Work/dovecot-keywords", full.String())
	put(t, dir, "dora/Maildir/cur/1.a:2,", "x")
	put(t, dir, "dora/Maildir/dovecot-uidlist", "rubbish")
	must(t, os.Symlink("../../anna/Maildir", filepath.Join(dir, "dora/Maildir/.Anna")))
	must(t, os.Symlink("../../site.sieve", filepath.Join(dir, "dora/.dovecot.sieve")))
	found := New(Options{Path: dir + "/%u/Maildir"}).Check(t.Context())
	if len(found) == 0 || found[0].Level != model.LevelOK || !strings.HasPrefix(found[0].Message, "4 Maildirs") {
		t.Fatalf("%+v", found)
	}
	for _, want := range []string{"mail_crypt): bert: INBOX", "26 keyword letters are in use; Dovecot keeps any further keyword only in its index, which is not there: carl: Work",
		"links out of the account and cannot be read: dora: Anna", "not the account's own and is not moved: dora: ", "the list of UIDs is damaged; UIDs are made up: dora: INBOX", "shared with others: anna: INBOX with bert"} {
		n := 0
		for _, f := range found[1:] {
			if strings.Contains(f.Message, want) && f.Level == model.LevelWarning && f.Remedy != "" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d findings say %q", n, want)
		}
	}
	if len(found) != 7 {
		t.Errorf("%d findings: %+v", len(found), found)
	}
	for _, f := range New(Options{Path: dir + "/nowhere/%u"}).Check(t.Context()) {
		if f.Level != model.LevelStop || f.Remedy == "" || model.CodeOf(f.Err) != model.CodeUnreachable {
			t.Errorf("a template that matches nothing: %+v", f)
		}
	}
	for _, f := range New(Options{Path: dir}).Check(t.Context()) {
		if f.Level != model.LevelOK {
			t.Errorf("accounts listed elsewhere: %+v", f)
		}
	}
}

// The cursor of a mailbox that has just changed stands for nothing.
func TestUnsettled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "cur/1.a:2,", "x")
	put(t, dir, "new/2.b", "x")
	at := place{root: dir, inbox: dir, home: dir}
	info, err := os.Stat(filepath.Join(dir, "new"))
	must(t, err)
	for _, c := range []struct {
		after time.Duration
		empty bool
	}{{-time.Hour, true}, {0, true}, {settled - 1, true}, {settled, false}, {time.Hour, false}} {
		if got := fingerprint(at, dir, info.ModTime().Add(c.after)); (got == "") != c.empty {
			t.Errorf("%v after the change the fingerprint is %q", c.after, got)
		}
	}
	// Another directory with the same time, as a restore makes it.
	before := fingerprint(at, dir, info.ModTime().Add(time.Hour))
	must(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "was")))
	must(t, os.Mkdir(filepath.Join(dir, "new"), 0o755))
	must(t, os.Chtimes(filepath.Join(dir, "new"), info.ModTime(), info.ModTime()))
	if after := fingerprint(at, dir, info.ModTime().Add(time.Hour)); after == before {
		t.Error("a restored directory goes unnoticed")
	}
}
