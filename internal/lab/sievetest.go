package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// SieveRun is one message for Pigeonhole's sieve-test: the script, with those
// that run before it, is run and nothing is stored or sent.
type SieveRun struct {
	// Scripts run one after the other, as in sieve_before and sieve_after.
	Scripts [][]byte
	// Global are scripts for include :global, Personal for :personal, by name.
	Global, Personal map[string][]byte
	// Sender, Recipient are the envelope.
	Sender, Recipient string
	Message           []byte
}

// SieveOutcome is what would happen to the message.
type SieveOutcome struct {
	// Stored are mailboxes with the flags, sorted: `INBOX`, `Work \flagged`.
	Stored []string
	// Sent are the other actions, sorted: "redirect a@b", "reject", "vacation",
	// "notify a@b".
	Sent []string
	// Err is what the compiler said, if it refused the script.
	Err string
}

func (o SieveOutcome) String() string {
	return fmt.Sprintf("stored %q, sent %q %s", o.Stored, o.Sent, o.Err)
}

// pigeonholeExtensions are those that are off by default: obsolete ones and
// those that a host has to allow.
const pigeonholeExtensions = "+imapflags +notify +vnd.dovecot.duplicate +vnd.dovecot.debug +vnd.dovecot.environment +editheader +vacation-seconds +mboxmetadata +servermetadata"

// SieveTest runs scripts on messages with the sieve-test of Debian's Dovecot.
// The test is skipped where the packages cannot be had.
func SieveTest(t testing.TB, runs []SieveRun) []SieveOutcome {
	t.Helper()
	root := Debian(t, dovecotPackages...)
	mustOverlay(t, root)
	dir, err := os.MkdirTemp("", "sieve-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	write := func(name string, text []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	who := owner(t)
	var script strings.Builder
	for i, r := range runs {
		at := strconv.Itoa(i)
		write(at+"/m.eml", r.Message)
		for name, text := range r.Global {
			write(at+"/global/"+name+".sieve", text)
		}
		for name, text := range r.Personal {
			write(at+"/personal/"+name+".sieve", text)
		}
		write(at+"/dovecot.conf", []byte(fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
default_internal_user = %[3]s
default_internal_group = %[4]s
default_login_user = %[5]s
first_valid_uid = 1
first_valid_gid = 1
mail_home = %[1]s
mail_location = maildir:%[1]s/Maildir
ssl = no
plugin {
  sieve = file:%[1]s/personal;active=%[1]s/active.sieve
  sieve_global = %[1]s/global
  sieve_extensions = %[2]s
}
`, filepath.Join(dir, at), pigeonholeExtensions, who.internal, who.group, who.login)))
		fmt.Fprintf(&script, "echo '==== %d'\nsieve-test -c %s/dovecot.conf -f '%s' -a '%s' -r '%s'", i, filepath.Join(dir, at), r.Sender, r.Recipient, r.Recipient)
		for j, s := range r.Scripts {
			name := fmt.Sprintf("%s/%d.sieve", at, j)
			write(name, s)
			if j < len(r.Scripts)-1 {
				script.WriteString(" -s")
			}
			script.WriteString(" " + filepath.Join(dir, name))
		}
		fmt.Fprintf(&script, " %s/m.eml\n", filepath.Join(dir, at))
	}
	write("all.sh", []byte(script.String()))
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, who.uid, who.gid)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"/bin/sh", dir + "/all.sh"}
	if os.Getuid() == 0 { // it reads no mail as root
		args = slices.Concat([]string{"/usr/bin/setpriv", "--reuid", strconv.Itoa(who.uid), "--regid", strconv.Itoa(who.gid), "--clear-groups"}, args)
	}
	cmd := inside(root, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "USER=anna", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if _, exit := err.(*exec.ExitError); err != nil && !exit { // sieve-test's own result is the last one's alone
		t.Fatalf("sieve-test: %v\n%s", err, tail(out, 2000))
	}
	var outcomes []SieveOutcome
	for i, text := range bytes.Split(out, []byte("==== "))[1:] {
		_, rest, _ := bytes.Cut(text, []byte("\n"))
		o, err := parseSieveTest(string(rest))
		if err != nil {
			t.Fatalf("run %d: %v: %s", i, err, rest)
		}
		outcomes = append(outcomes, o)
	}
	if len(outcomes) != len(runs) {
		t.Fatalf("sieve-test ran %d of %d times:\n%s", len(outcomes), len(runs), tail(out, 2000))
	}
	return outcomes
}

// parseSieveTest reads the report of one message.
func parseSieveTest(report string) (SieveOutcome, error) {
	var o SieveOutcome
	if strings.Contains(report, "failed to compile") || strings.Contains(report, "validation failed") || strings.Contains(report, "parse failed") {
		o.Err = strings.TrimSpace(report)
		return o, nil
	}
	if !strings.Contains(report, "final result: success") {
		return o, fmt.Errorf("no success")
	}
	implicit := false
	kept := "" // of the script that ran last: the keep of one before it stores nothing
	last := ""
	for line := range strings.Lines(report) {
		line = strings.TrimSpace(line)
		store := func(mailbox string) {
			o.Stored = append(o.Stored, mailbox)
			last = "stored"
		}
		switch {
		case strings.HasPrefix(line, "## Executing script"):
			implicit, kept, last = false, "", ""
		case line == "Performed actions:":
			implicit = false
		case line == "Implicit keep:":
			implicit = true
		case line == "* keep":
			kept, last = "INBOX", "kept"
		case strings.HasPrefix(line, "* store message in folder: "):
			name := strings.TrimPrefix(line, "* store message in folder: ")
			if name == "INBOX" && implicit {
				kept, last = "INBOX", "kept"
				continue
			}
			store(name)
		case strings.HasPrefix(line, "+ add IMAP flags: "):
			flags := strings.Fields(strings.ToLower(strings.TrimPrefix(line, "+ add IMAP flags: ")))
			slices.Sort(flags)
			suffix := " " + strings.Join(flags, " ")
			if last == "kept" {
				kept += suffix
			} else if last == "stored" {
				o.Stored[len(o.Stored)-1] += suffix
			}
		case strings.HasPrefix(line, "* redirect message to: "):
			o.Sent = append(o.Sent, "redirect "+strings.Trim(strings.TrimPrefix(line, "* redirect message to: "), "<>"))
			last = ""
		case strings.HasPrefix(line, "* reject"):
			o.Sent = append(o.Sent, "reject")
		case strings.HasPrefix(line, "* send vacation"):
			o.Sent = append(o.Sent, "vacation")
		case strings.HasPrefix(line, "+ To: "):
			o.Sent = append(o.Sent, "notify "+strings.Trim(strings.TrimPrefix(line, "+ To: "), "<>"))
		}
	}
	if kept != "" {
		o.Stored = append(o.Stored, kept)
	}
	slices.Sort(o.Stored)
	slices.Sort(o.Sent)
	o.Stored, o.Sent = slices.Compact(o.Stored), slices.Compact(o.Sent)
	return o, nil
}
