package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

var postfixPackages = []string{"postfix", "postfix-ldap", "postfix-mysql", "postfix-pgsql", "postfix-sqlite", "postfix-pcre", "postfix-lmdb", "postfix-cdb"}

// The users that a Postfix of the lab runs as: it wants one of its own, and a
// group that nobody is in.
const postfixUID, postdropGID = 5071, 5072

// Postfix is a Postfix with a configuration of a test, as its tools see it and,
// once started, as a server.
type Postfix struct {
	// Dir is the configuration directory, with main.cf.
	Dir string
	// SMTP is "127.0.0.1:port" once Start has returned.
	SMTP string

	root, state string
}

// NewPostfix unpacks Debian's Postfix with all its kinds of tables. Write
// main.cf and the tables to Dir before the tools are used. The test is skipped
// where the packages cannot be had.
func NewPostfix(t testing.TB) *Postfix {
	t.Helper()
	p := &Postfix{root: Debian(t, postfixPackages...)}
	mustOverlay(t, p.root)
	// The socket below the queue must have a short path; and a server's users
	// have to get in.
	p.state = privateFolder(t, "postfix", 0)
	p.Dir = filepath.Join(p.state, "etc")
	for _, d := range []string{"etc", "queue", "data"} {
		if err := os.Mkdir(filepath.Join(p.state, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(p.state, 0o755); err != nil {
		t.Fatal(err)
	}
	p.write(t, "passwd", "/etc/passwd", fmt.Sprintf("postfix:x:%d:%d::/var/spool/postfix:/usr/sbin/nologin\n", postfixUID, postfixUID))
	p.write(t, "group", "/etc/group", fmt.Sprintf("postfix:x:%d:\npostdrop:x:%d:\n", postfixUID, postdropGID))
	return p
}

// write makes a file of the machine's and more lines.
func (p *Postfix) write(t testing.TB, name, from, more string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.state, name), append(b, more...), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p *Postfix) command(program string, args ...string) *exec.Cmd {
	s := func(name string) string { return p.state + "/" + name }
	return insideWith(p.root, "mount --bind "+s("passwd")+" /etc/passwd && mount --bind "+s("group")+" /etc/group && ", program, args...)
}

// Configure adds to main.cf what makes Postfix run in the lab. It is to be
// called once, after main.cf is there and before the tools are used.
func (p *Postfix) Configure(t testing.TB) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(p.Dir, "main.cf"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// Its own settings, which say nothing of mail.
	_, err = fmt.Fprintf(f, "\nmeta_directory = %s/meta\nqueue_directory = %s/queue\ndata_directory = %s/data\nshlib_directory = /usr/lib/postfix\n"+
		"daemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\nsetgid_group = postdrop\ninet_interfaces = loopback-only\ninet_protocols = ipv4\n"+
		"maillog_file = %s/log\nmaillog_file_prefixes = %s\nbiff = no\ndefault_process_limit = 10\n", p.state, p.state, p.state, p.state, p.state)
	if err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(p.state, "meta")
	if err := os.MkdirAll(filepath.Join(meta, "dynamicmaps.cf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"etc/postfix/postfix-files", "usr/share/postfix/dynamicmaps.cf"} {
		b, err := os.ReadFile(filepath.Join(p.root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(meta, filepath.Base(name)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Run runs one of Postfix's tools (postconf, postmap, postalias) on the
// configuration, with input, and returns what it printed. It fails where the
// tool does, but for postmap -q, which fails where it finds nothing.
func (p *Postfix) Run(t testing.TB, input, tool string, args ...string) string {
	t.Helper()
	cmd := p.command("/usr/sbin/"+tool, append([]string{"-c", p.Dir}, args...)...)
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &problems
	if err := cmd.Run(); err != nil && (len(args) == 0 || args[0] != "-q" || problems.Len() > 0) {
		t.Fatalf("%s %q: %v: %s", tool, args, err, problems.Bytes())
	}
	return out.String()
}

// Tools makes a folder with postconf, postmap and postalias, as a host has them
// on the PATH of a program that asks its Postfix: they see this configuration
// without being told.
func (p *Postfix) Tools(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(p.state, "bin")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"postconf", "postmap", "postalias"} {
		var script strings.Builder
		fmt.Fprintf(&script, "#!/bin/sh\nMAIL_CONFIG=%s exec", shellWord(p.Dir))
		for _, a := range p.command("/usr/sbin/" + tool).Args {
			script.WriteString(" " + shellWord(a))
		}
		script.WriteString(" \"$@\"\n")
		if err := os.WriteFile(filepath.Join(dir, tool), []byte(script.String()), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shellWord quotes a text for sh.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Start runs the server. Mail that it has taken goes nowhere but to sink, an
// address "127.0.0.1:port" that speaks SMTP: every transport leads there, so
// that the recipients there are what Postfix makes of an address.
//
// It takes root, as Postfix's master does: elsewhere the test is skipped.
func (p *Postfix) Start(t testing.TB, sink string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("Postfix's master runs as root only")
	}
	host, port, _ := strings.Cut(sink, ":")
	to := "[" + host + "]:" + port
	for attempt := 1; ; attempt++ {
		p.SMTP = "127.0.0.1:" + strconv.Itoa(freePorts(t, 1)[0])
		if err := os.WriteFile(filepath.Join(p.Dir, "master.cf"), []byte(p.services(to)), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(p.state, "data"), postfixUID, 0); err != nil {
			t.Fatal(err)
		}
		p.queue(t)
		err := startProcess(t, "Postfix", filepath.Join(p.state, "master.log"), p.command("/usr/lib/postfix/sbin/master", "-d", "-c", p.Dir), syscall.SIGTERM, p.SMTP)
		if err == nil {
			return
		}
		if attempt == 3 {
			log, _ := os.ReadFile(filepath.Join(p.state, "log"))
			t.Fatalf("%v\n%s", err, tail(log, 4000))
		}
	}
}

// services is master.cf: what a mail comes through, without chroot, with
// everything that would be delivered elsewhere leading to the sink.
func (p *Postfix) services(sink string) string {
	to := fmt.Sprintf("-o transport_maps= -o virtual_transport=smtp:%[1]s -o default_transport=smtp:%[1]s -o relay_transport=smtp:%[1]s", sink)
	return strings.Join([]string{
		p.SMTP + " inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_mynetworks,reject -o smtpd_relay_restrictions=permit_mynetworks,reject -o smtpd_recipient_limit=5000",
		"rewrite unix - - n - - trivial-rewrite " + to,
		"smtp unix - - n - - smtp -o smtp_destination_recipient_limit=1000",
		"cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "tlsmgr unix - - n 1000? 1 tlsmgr",
		"bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush",
		"proxymap unix - - n - - proxymap", "proxywrite unix - - n - 1 proxymap", "error unix - - n - - error", "retry unix - - n - - error",
		"anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd", "local unix - n n - - local -o mailbox_transport=smtp:" + sink,
	}, "\n") + "\n"
}

// queue makes the folders that the master expects.
func (p *Postfix) queue(t testing.TB) {
	t.Helper()
	for _, d := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace", "maildrop", "public", "pid"} {
		path := filepath.Join(p.state, "queue", d)
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		uid, gid := postfixUID, 0
		switch d {
		case "pid":
			uid = 0
		case "maildrop", "public":
			gid = postdropGID
		}
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
		if d == "public" || d == "maildrop" {
			if err := os.Chmod(path, 0o730); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// QueueEmpty reports whether nothing waits in the queue of the running server.
func (p *Postfix) QueueEmpty(t testing.TB) bool {
	t.Helper()
	for _, d := range []string{"incoming", "active", "deferred", "maildrop"} {
		empty := true
		err := filepath.WalkDir(filepath.Join(p.state, "queue", d), func(_ string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				empty = false
			}
			return nil // a file that is gone is none that waits
		})
		if err != nil || !empty {
			return false
		}
	}
	return true
}

// Log is the end of what the server has logged.
func (p *Postfix) Log(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.state, "log"))
	if err != nil {
		return err.Error()
	}
	return string(tail(b, 6000))
}
