package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// startDbox is the sample organisation with its mail converted to sdbox or
// mdbox by Dovecot itself: location may name DIR.
func startDbox(t *testing.T, location, settings string) organisation {
	t.Helper()
	o := sample.Options{Accounts: 12, Messages: 2_000, Large: 20 << 20, Oddities: true, Seed: 11, Now: today}
	if testing.Short() {
		o.Messages, o.Large = 300, 5<<20
	}
	org := organisation{sample: sample.New(o), dir: t.TempDir()}
	if err := org.sample.WriteMaildir(org.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(org.dir, "archive"), 0o777); err != nil {
		t.Fatal(err)
	}
	org.Dovecot = lab.StartDovecot(t, lab.DovecotOptions{Passwd: org.dir + "/users", Mail: org.dir,
		Location: strings.ReplaceAll(location, "DIR/", org.dir+"/"), Home: org.dir + "/%d/%n",
		// dsync wants the separator that a Maildir has.
		Settings: strings.ReplaceAll(settings, "DIR/", org.dir+"/") + "namespace inbox {\n  separator = .\n}\n"})
	for _, a := range org.sample.Accounts {
		local, domain, _ := strings.Cut(a.Login, "@")
		maildir := filepath.Join(org.dir, domain, local, "Maildir")
		org.Doveadm(t, "backup", "-R", "-u", a.Login, "maildir:"+maildir)
		if err := os.RemoveAll(maildir); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(location, "ALT=") {
			org.Doveadm(t, "altmove", "-u", a.Login, "mailbox", "*", "seen")
		}
	}
	return org
}

// Organisations with their mail in sdbox and mdbox, compressed, with attachments
// and old mail kept apart, move from disk alone and with IMAP beside it.
func TestDboxMoves(t *testing.T) {
	for name, c := range map[string]struct{ location, settings string }{
		"sdbox": {"sdbox:DIR/%d/%n/sdbox", "mail_attachment_dir = DIR/attachments\nmail_attachment_min_size = 1k\n"},
		"mdbox": {"mdbox:~/mdbox:ALT=DIR/archive/%n:INDEX=~/index", "mdbox_rotate_size = 1M\nmail_plugins = $mail_plugins zlib\nplugin {\n  zlib_save = zstd\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			org := startDbox(t, c.location, c.settings)
			t.Setenv("PATH", org.Doveconf(t)+":"+os.Getenv("PATH"))
			move := func(way string, start func(t *testing.T) target, edit func(config string) string) {
				t.Run(way, func(t *testing.T) {
					t.Parallel()
					org.moves(t, start(t), edit)
				})
			}
			for to, start := range targets() {
				move("into "+to+" from disk alone", start, without("imap"))
			}
			move("into sandbox with IMAP", startSandbox, without())
		})
	}
}
