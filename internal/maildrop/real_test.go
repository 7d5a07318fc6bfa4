package maildrop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/maildrop"
)

// mails are what the filters decide about.
var mails = []string{
	"From: Anna K <anna@acme.test>\nTo: ben@acme.test\nSubject: Invoice 2019-44\nMessage-ID: <1@x>\n\nPlease pay.\n",
	"From: list-owner@lists.test\nTo: dev@lists.test\nCc: ben@acme.test\nSubject: [dev] release of 1.2\nList-Id: Developers <dev.lists.test>\nX-Spam-Flag: NO\n\nIt is out.\n",
	"From: win@casino.test\nTo: undisclosed-recipients:;\nSubject: =?utf-8?q?Gl=C3=BCck_im_Casino?=\nX-Spam-Flag: YES\nX-Spam-Level: *******\n\nClick here to win!\n",
	"From: boss@acme.test\nTo: team@acme.test, ben@acme.test\nSubject: RE: holidays\nX-Priority: 1\n\nWhen?\n",
	"From: cron@host.acme.test\nTo: root@acme.test\nSubject: Cron <root@host> backup\n\nok\n\nunsubscribe: no\n",
	"From: shop@shop.test\nTo: ben@acme.test\nSubject: your order\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/pdf; name=bill.pdf\nContent-Disposition: attachment; filename=bill.pdf\n\nxx\n--b--\n",
	"From: big@acme.test\nTo: ben@acme.test\nSubject: large\n\n" + strings.Repeat("0123456789 and so on\n", 600),
	"From: x@y.test\nTo: ben@acme.test\n\nno subject\n",
}

// filters are what people write.
var filters = map[string]string{
	"one rule": "if (/^Subject: \\[dev\\]/)\n{\n  to \"$HOME/Maildir/.Lists.dev/\"\n}\n",
	"elsif, else": `MAILDIR="$HOME/Maildir"
if ( /^X-Spam-Flag: YES/ )
{
    exception {
        to "$MAILDIR/.Junk/"
    }
}
elsif (/^From:.*@acme\.test/)
{
    to $MAILDIR/.Acme
}
else
{
    to $DEFAULT
}
`,
	"logic": `logfile "/tmp/maildrop.log"
if (/^From:.*acme/ && !/^Subject:.*invoice/ || hasaddr("dev@lists.test"))
   to "Maildir/.Some"
if ($SIZE > 10000)
   to "Maildir/.Big/"
`,
	"flags and copies": `FLAGS="S"
if (/^List-Id:.*<dev\.lists\.test>/)
{
  KEYWORDS="List,Dev"
  cc "$HOME/Maildir/.Archive"
  FLAGS="FS"
}
if (/^X-Priority: 1$/)
  cc "!boss@else.test"
`,
	"several headers, words, case": `# people and words
if (/^(From|To|Cc):.*(anna|BOSS)@acme/)
  to "Maildir/.People"
if (/^Subject:.*(casino|lottery)/ || /^Subject: *RE:/:D)
  to "Maildir/.Noise"
if (/^Subject:\s*Cron <[a-z]+@[a-z]+>/:H)
  to "Maildir/.Cron"
`,
	"bodies and attachments": `if (/unsubscribe/:b || /click here/:b)
{
  to "Maildir/.Bulk"
}
if (/^Content-Type:.*application\/pdf/)
  to "Maildir/.Pdf"
`,
	"sender": `if ($FROM eq "cron@host.acme.test")
  to "Maildir/.Cron"
if ($FROM =~ /@(lists|shop)\.test$/)
{
  to "Maildir/.Out"
}
`,
	"levels, existence and the end": `if (/^X-Spam-Level: \*\*\*\*\*/)
   to "/dev/null"
if (!/^Subject:/)
   to "Maildir/.Nothing"
if (/^List-Id:/)
{
   DEFAULT="$HOME/Maildir/.Lists"
}
else
{
   DEFAULT="$HOME/Maildir/.Rest"
}
if (/^List-Id:/)
   to "$HOME/Maildir/.Lists"
to "$HOME/Maildir/.Rest"
`,
	"refused and dropped": `if (/^X-Spam-Flag: YES/)
{
  echo "We want no spam."
  EXITCODE=77
  exit
}
if (/^Subject: large/)
{
  EXITCODE=0
  exit
}
`,
	"continued lines": "if (/^From:.*shop/ && \\\n    /^Subject:.*order/) \n{\n  to \"Maildir/\\\n     .Shop\"\n}\n",
	"forwarded":       "if (/^Subject:.*invoice/)\n  to \"!pay@else.test book@else.test\"\n",
}

// What maildrop files, the translation files alike: the real maildrop and a
// real interpreter of Sieve decide about the same mail.
func TestFilesAlike(t *testing.T) {
	t.Parallel()
	for name, filter := range filters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := workDir(t)
			script, err := maildrop.Translate(filter, maildrop.Options{Home: "/home/ben", Maildir: "/home/ben/Maildir", Login: "ben"})
			if err != nil {
				t.Fatal(err)
			}
			if len(script.Losses) > 0 {
				t.Fatalf("lost %+v of\n%s", script.Losses, script.Sieve)
			}
			old, now := byMaildrop(t, dir, filter), bySieve(t, dir, string(script.Sieve))
			if d := cmp.Diff(old, now); d != "" {
				t.Errorf("maildrop (-), Sieve (+):\n%s\n%s", d, script.Sieve)
			}
			if len(slices.Compact(slices.Clone(old))) == 1 {
				t.Errorf("the filter decides nothing: %q", old)
			}
		})
	}
}

// workDir is a folder where everybody may write.
func workDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "maildrop-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for i, m := range mails {
		write(t, filepath.Join(dir, fmt.Sprint("m", i)), m)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
}

// sender is whom a mail is from.
var sender = regexp.MustCompile(`(?m)^From: (?:.*<)?([^<>\n]+)`)

// byMaildrop tells where maildrop puts each mail.
func byMaildrop(t *testing.T, dir, filter string) []string {
	t.Helper()
	var script strings.Builder
	script.WriteString("#!/bin/sh\n")
	for i, m := range mails {
		home := filepath.Join(dir, fmt.Sprint("home", i))
		for _, f := range regexp.MustCompile(`Maildir/(?:\\\n *)?(\.[A-Za-z.]+)`).FindAllStringSubmatch(strings.ReplaceAll(filter, "$MAILDIR", "Maildir"), -1) {
			write(t, filepath.Join(home, "Maildir", f[1], "maildirfolder"), "")
			for _, d := range []string{"cur", "new", "tmp"} {
				if err := os.MkdirAll(filepath.Join(home, "Maildir", f[1], d), 0o755); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, d := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(home, "Maildir", d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(home, "filter")
		write(t, file, fmt.Sprintf("HOME=%q\nDEFAULT=%q\nSENDMAIL=%q\n", home, home+"/Maildir", home+"/sendmail")+filter)
		write(t, filepath.Join(home, "sendmail"), "#!/bin/sh\nshift 2\necho \"$@\" >>"+home+"/sent\ncat >/dev/null\n") // behind -f and the sender
		if err := os.Chmod(filepath.Join(home, "sendmail"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "cd %s && /usr/bin/maildrop -f %s filter <../m%d >out 2>&1; echo $? >code\n", home, sender.FindStringSubmatch(m)[1], i)
	}
	write(t, filepath.Join(dir, "run.sh"), script.String())
	lab.RunDebian(t, lab.MaildropPackages, dir, "/bin/sh", "run.sh")
	var out []string
	for i := range mails {
		out = append(out, filed(t, filepath.Join(dir, fmt.Sprint("home", i))))
	}
	return out
}

// filed tells what happened to the mail of a home.
func filed(t *testing.T, home string) string {
	t.Helper()
	read := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(home, name))
		return strings.TrimSpace(string(b))
	}
	var all []string
	switch code := read("code"); code {
	case "0":
	case "77":
		return "rejected: " + read("out")
	default:
		t.Fatalf("maildrop ended with %s: %s", code, read("out"))
	}
	for _, pattern := range []string{"Maildir/*/*", "Maildir/.*/*/*"} {
		files, _ := filepath.Glob(filepath.Join(home, pattern))
		for _, f := range files {
			sub := filepath.Base(filepath.Dir(f))
			if sub != "cur" && sub != "new" {
				continue
			}
			box := filepath.Dir(filepath.Dir(f))
			folder := "INBOX"
			if b := filepath.Base(box); b[0] == '.' {
				folder = b[1:]
			}
			var flags []string
			_, letters, _ := strings.Cut(filepath.Base(f), ":2,")
			for letter, flag := range map[string]string{"S": `\seen`, "F": `\flagged`, "R": `\answered`, "D": `\draft`} {
				if strings.Contains(letters, letter) {
					flags = append(flags, flag)
				}
			}
			base, _, _ := strings.Cut(filepath.Base(f), ":")
			keywords, _ := os.ReadFile(filepath.Join(box, "courierimapkeywords", base))
			flags = append(flags, strings.Fields(strings.ToLower(string(keywords)))...)
			slices.Sort(flags)
			all = append(all, strings.TrimSpace(folder+" "+strings.Join(flags, " ")))
		}
	}
	for _, address := range strings.Fields(read("sent")) {
		all = append(all, "to "+address)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// actions of sieve-test.
var (
	stored     = regexp.MustCompile(`^ \* store message in folder: (.*)`)
	withFlags  = regexp.MustCompile(`^ +\+ add IMAP flags: (.*)`)
	redirected = regexp.MustCompile(`^ \* redirect message to: <(.*)>`)
	rejected   = regexp.MustCompile(`reject message with reason: (.*)`)
)

// bySieve tells where Pigeonhole puts each mail.
func bySieve(t *testing.T, dir, script string) []string {
	t.Helper()
	write(t, filepath.Join(dir, "script.sieve"), script)
	uid := os.Getuid()
	if uid == 0 {
		uid = lab.MailUID
	}
	write(t, filepath.Join(dir, "dovecot.conf"), fmt.Sprintf("mail_location = maildir:%s/sieve\nmail_home = %s\nmail_uid = %d\nmail_gid = %d\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n", dir, dir, uid, uid))
	var run strings.Builder
	for i, m := range mails {
		fmt.Fprintf(&run, "/usr/bin/sieve-test -c dovecot.conf -f %s -a ben@acme.test script.sieve m%d >s%d 2>&1 || exit 1\n", sender.FindStringSubmatch(m)[1], i, i)
	}
	write(t, filepath.Join(dir, "sieve.sh"), run.String()+"exit 0\n")
	defer func() {
		if t.Failed() {
			b, _ := os.ReadFile(filepath.Join(dir, "s0"))
			t.Logf("%s\n%s", b, script)
		}
	}()
	lab.RunDebian(t, lab.SievePackages, dir, "/bin/sh", "sieve.sh")
	var out []string
	for i := range mails {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprint("s", i)))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, acted(string(b)))
	}
	return out
}

func acted(text string) string {
	var all []string
	if m := rejected.FindStringSubmatch(text); m != nil {
		return "rejected: " + m[1]
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := stored.FindStringSubmatch(line); m != nil {
			all = append(all, m[1])
		}
		if m := withFlags.FindStringSubmatch(line); m != nil {
			flags := strings.Fields(strings.ToLower(m[1]))
			slices.Sort(flags)
			all[len(all)-1] += " " + strings.Join(flags, " ")
		}
		if m := redirected.FindStringSubmatch(line); m != nil {
			all = append(all, "to "+m[1])
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
