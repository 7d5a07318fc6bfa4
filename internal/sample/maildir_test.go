package sample

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

var small = Options{Accounts: 13, Messages: 600, Oddities: true, Large: 200_000, MessageSize: 3000}

func TestWhatIsOnDiskAgreesWithTheTotals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := New(small)
	if err := o.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	accounts, mailboxes, messages, octets := o.Totals()
	var gotBoxes, gotMessages, fresh int
	var gotOctets int64
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch folder := filepath.Base(filepath.Dir(path)); {
		case e.Name() == "dovecot-uidlist":
			gotBoxes++
		case folder == "cur" || folder == "new":
			gotMessages++
			if folder == "new" {
				fresh++
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			wire := int64(len(toCRLF(content)))
			gotOctets += wire
			checkName(t, path, int64(len(content)), wire)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if fresh < 10 {
		t.Errorf("only %d messages in new/", fresh)
	}
	users, err := os.ReadFile(filepath.Join(dir, "users"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(users)), "\n")[1:]
	if len(lines) != accounts || gotBoxes != mailboxes || gotMessages != messages || gotOctets != octets {
		t.Errorf("on disk %d accounts, %d mailboxes, %d messages, %d octets; totals %d, %d, %d, %d",
			len(lines), gotBoxes, gotMessages, gotOctets, accounts, mailboxes, messages, octets)
	}
	for i, l := range lines {
		f := strings.SplitN(l, ":", 8)
		if len(f) != 8 || f[0] != o.Accounts[i].Login || f[1] != o.Accounts[i].Hash || !strings.HasPrefix(f[5], dir) {
			t.Errorf("passwd-file: %q", l)
		}
	}
}

// fileName as Dovecot writes it, or as an agent that knows no sizes does.
var fileName = regexp.MustCompile(`^[0-9]+\.M[0-9]+P[0-9]+\.mail(,S=([0-9]+),W=([0-9]+))?(:2,(D?F?R?S?T?)([a-z]*))?$`)

func checkName(t *testing.T, path string, stored, wire int64) {
	m := fileName.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		t.Errorf("%s: not a name of a Maildir", path)
		return
	}
	if m[1] != "" && (m[2] != strconv.FormatInt(stored, 10) || m[3] != strconv.FormatInt(wire, 10)) {
		t.Errorf("%s: %d octets stored, %d shown", path, stored, wire)
	}
	if inNew := filepath.Base(filepath.Dir(path)) == "new"; inNew != (m[4] == "") {
		t.Errorf("%s: flags in new/, or none in cur/", path)
	}
	for i := 1; i < len(m[6]); i++ {
		if m[6][i-1] >= m[6][i] {
			t.Errorf("%s: letters out of order", path)
		}
	}
	if len(filepath.Base(path)) > 255 {
		t.Errorf("%s: too long", path)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := New(Options{Accounts: 12, Oddities: true})
	if err := o.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	for _, a := range o.Accounts {
		for _, m := range a.Mailboxes {
			for msg := range m.Messages() {
				path := filepath.Join(m.dir(filepath.Join(a.home(dir), "Maildir")), msg.fileName())
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				if !info.ModTime().Equal(msg.Received) {
					t.Errorf("%s: mtime %v, received %v", path, info.ModTime(), msg.Received)
				}
				if links := info.Sys().(*syscall.Stat_t).Nlink; (links == 3) != msg.shared {
					t.Errorf("%s: %d links", path, links)
				}
			}
		}
	}
}

func TestFilesBesideTheMail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := New(small)
	if err := o.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, Domain, "anna")
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(home, name))
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	if s := read("Maildir/subscriptions"); !strings.HasPrefix(s, "V\t2\n\nINBOX\n") || !strings.Contains(s, "\nArchiv\tProjekte\tGr&APYA3w-e &- Ma&AN8-\t2019\n") ||
		!strings.Contains(s, "\nGel&APY-schtes Projekt\n") || strings.Contains(s, "Verteiler") {
		t.Errorf("subscriptions:\n%s", s)
	}
	if s := read("Maildir/dovecot-keywords"); s != "0 $Forwarded\n1 $MDNSent\n2 $Label1\n3 NonJunk\n4 Wichtig\n5 Rueckruf\n" {
		t.Errorf("keywords:\n%s", s)
	}
	m := o.Accounts[0].Mailboxes[0]
	if s := read("Maildir/dovecot-uidlist"); !strings.HasPrefix(s, fmt.Sprintf("3 V%d N%d G%s\n", m.UIDValidity, m.UIDNext, m.GUID)) || strings.Count(s, "\n") != 1+m.Len() {
		t.Errorf("uidlist:\n%s", s)
	}
	if to, err := os.Readlink(filepath.Join(home, ".dovecot.sieve")); err != nil || to != "sieve/Sortieren.sieve" {
		t.Errorf("active script %q, %v", to, err)
	}
	if !bytes.Equal([]byte(read("sieve/Sortieren.sieve")), sortScript.Content) {
		t.Error("the script differs")
	}
	if _, err := os.Stat(filepath.Join(home, "Maildir", ".Entw&APw-rfe", "maildirfolder")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(home, "Maildir", ".Archiv.Projekte")); err == nil {
		t.Error("a level that holds nothing has a folder")
	}
}

func TestDisabledAccount(t *testing.T) {
	t.Parallel()
	for _, noLogin := range []bool{false, true} {
		dir := t.TempDir()
		o := New(Options{Accounts: 12, NoLogin: noLogin})
		if err := o.WriteMaildir(dir); err != nil {
			t.Fatal(err)
		}
		users, err := os.ReadFile(filepath.Join(dir, "users"))
		if err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(string(users)) {
			disabled := strings.HasPrefix(l, "dimitris@")
			locked, marked := strings.Contains(l, ":{CRYPT}!"), strings.HasSuffix(l, ":nologin\n")
			if locked != (disabled && !noLogin) || marked != (disabled && noLogin) {
				t.Errorf("nologin %v: %s", noLogin, l)
			}
		}
	}
}

func TestModifiedUTF7(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"INBOX": "INBOX", "Entwürfe": "Entw&APw-rfe", "R&D": "R&-D", "送信済み": "&kAFP4W4IMH8-", "~peter/mail/台北/日本語": "~peter/mail/&U,BTFw-/&ZeVnLIqe-", // RFC 3501 §5.1.3
		"😀": "&2D3eAA-", "a\tb": "a&AAk-b",
	} {
		if got := toUTF7(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// BenchmarkWriteMaildir writes what the benchmark of a bulk load reads.
func BenchmarkWriteMaildir(b *testing.B) {
	o := New(Options{Accounts: 20, Messages: 30_000, Oddities: true})
	for b.Loop() {
		if err := o.WriteMaildir(b.TempDir()); err != nil {
			b.Fatal(err)
		}
	}
}
