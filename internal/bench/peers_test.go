package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Peers load account by account, as one process does; for several accounts at
// once, administrators start several processes.

// mbsync loads from IMAP to IMAP, without writing to the source.
func mbsync(parallel int) func(*scene, to) (time.Duration, string) {
	return func(s *scene, at to) (time.Duration, string) {
		return s.peers("mbsync", at, parallel, func(i int) *exec.Cmd {
			a := s.org.Accounts[i]
			dir := s.b.TempDir()
			var c strings.Builder
			store := func(name, addr, user, password string) {
				host, port, _ := net.SplitHostPort(addr)
				fmt.Fprintf(&c, "IMAPAccount %[1]s\nHost %[2]s\nPort %[3]s\nUser %[4]s\nPass %[5]s\nSSLType None\nAuthMechs LOGIN\nPipelineDepth 50\n\nIMAPStore %[1]s\nAccount %[1]s\n\n",
					name, host, port, user, password)
			}
			store("old", s.dovecot.IMAP, a.Login+s.dovecot.Separator+s.dovecot.MasterUser, s.dovecot.MasterPassword)
			store("new", at.imap, a.Login, newPassword)
			fmt.Fprintf(&c, "Channel c\nFar :old:\nNear :new:\nPatterns *\nCreate Near\nSync Pull New Flags\nCopyArrivalDate yes\nSyncState %s/\n", dir)
			file := filepath.Join(dir, "mbsyncrc")
			s.must(os.WriteFile(file, []byte(c.String()), 0o600))
			return exec.Command("mbsync", "-c", file, "-a", "-q")
		})
	}
}

// imapsync loads from IMAP to IMAP. What costs time and moves nothing is
// switched off.
func imapsync(parallel int) func(*scene, to) (time.Duration, string) {
	return func(s *scene, at to) (time.Duration, string) {
		return s.peers("imapsync", at, parallel, func(i int) *exec.Cmd {
			a := s.org.Accounts[i]
			dir := s.b.TempDir()
			oldHost, oldPort, _ := net.SplitHostPort(s.dovecot.IMAP)
			newHost, newPort, _ := net.SplitHostPort(at.imap)
			return exec.Command("imapsync", "--nolog", "--noreleasecheck", "--nomodulesversion", "--nofoldersizes", "--nofoldersizesatend",
				"--nossl1", "--nossl2", "--notls1", "--notls2", "--tmpdir", dir, "--pidfile", filepath.Join(dir, "pid"),
				"--host1", oldHost, "--port1", oldPort, "--user1", a.Login+s.dovecot.Separator+s.dovecot.MasterUser, "--password1", s.dovecot.MasterPassword,
				"--host2", newHost, "--port2", newPort, "--user2", a.Login, "--password2", newPassword)
		})
	}
}

// peers runs a peer for every account, so many at once.
func (s *scene) peers(program string, at to, parallel int, command func(account int) *exec.Cmd) (time.Duration, string) {
	s.b.Helper()
	if _, err := exec.LookPath(program); err != nil {
		return 0, "not installed"
	}
	if at.imap == "" {
		return 0, "the sandbox speaks no IMAP"
	}
	var commands []*exec.Cmd
	for i := range s.org.Accounts {
		commands = append(commands, command(i))
	}
	var g errgroup.Group
	g.SetLimit(parallel)
	start := time.Now()
	for _, c := range commands {
		g.Go(func() error {
			if out, err := c.CombinedOutput(); err != nil {
				return fmt.Errorf("%v: %w\n%s", c.Args, err, out[max(0, len(out)-3000):])
			}
			return nil
		})
	}
	s.must(g.Wait())
	return time.Since(start), ""
}
