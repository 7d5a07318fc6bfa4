package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mbsync loads account by account from IMAP to IMAP, without writing to the
// source.
func mbsync(s *scene, at to) (time.Duration, string) {
	program, err := exec.LookPath("mbsync")
	if err != nil {
		return 0, "not installed"
	}
	if at.imap == "" {
		return 0, "the sandbox speaks no IMAP"
	}
	dir := s.b.TempDir()
	var c strings.Builder
	store := func(name, addr, user, password string) {
		host, port, _ := net.SplitHostPort(addr)
		fmt.Fprintf(&c, "IMAPAccount %[1]s\nHost %[2]s\nPort %[3]s\nUser %[4]s\nPass %[5]s\nSSLType None\nAuthMechs LOGIN\nPipelineDepth 50\n\nIMAPStore %[1]s\nAccount %[1]s\n\n",
			name, host, port, user, password)
	}
	for i, a := range s.org.Accounts {
		store(fmt.Sprintf("old%d", i), s.dovecot.IMAP, a.Login+s.dovecot.Separator+s.dovecot.MasterUser, s.dovecot.MasterPassword)
		store(fmt.Sprintf("new%d", i), at.imap, a.Login, newPassword)
		fmt.Fprintf(&c, "Channel c%[1]d\nFar :old%[1]d:\nNear :new%[1]d:\nPatterns *\nCreate Near\nSync Pull New Flags\nCopyArrivalDate yes\nSyncState %[2]s/\n\n", i, filepath.Join(dir, fmt.Sprint("state", i)))
		s.must(os.Mkdir(filepath.Join(dir, fmt.Sprint("state", i)), 0o700))
	}
	file := filepath.Join(dir, "mbsyncrc")
	s.must(os.WriteFile(file, []byte(c.String()), 0o600))
	return s.timed(exec.Command(program, "-c", file, "-a", "-q")), ""
}

// imapsync loads account by account from IMAP to IMAP.
func imapsync(s *scene, at to) (time.Duration, string) {
	program, err := exec.LookPath("imapsync")
	if err != nil {
		return 0, "not installed"
	}
	if at.imap == "" {
		return 0, "the sandbox speaks no IMAP"
	}
	var took time.Duration
	oldHost, oldPort, _ := net.SplitHostPort(s.dovecot.IMAP)
	newHost, newPort, _ := net.SplitHostPort(at.imap)
	for _, a := range s.org.Accounts {
		took += s.timed(exec.Command(program, "--nolog", "--noreleasecheck", "--nossl1", "--nossl2", "--notls1", "--notls2",
			"--host1", oldHost, "--port1", oldPort, "--user1", a.Login+s.dovecot.Separator+s.dovecot.MasterUser, "--password1", s.dovecot.MasterPassword,
			"--host2", newHost, "--port2", newPort, "--user2", a.Login, "--password2", newPassword))
	}
	return took, ""
}
