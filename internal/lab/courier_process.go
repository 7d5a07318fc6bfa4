package lab

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// courierMounts puts our files where Courier's programs have been compiled to
// look for them: its settings below /etc, where it writes, too, and its
// sockets below /run.
const courierMounts = `mount -t overlay overlay -o "lowerdir=%[1]s/etc:/etc" /etc && mount --bind %[1]s/etc/courier /etc/courier && ` +
	`mount -t tmpfs tmpfs /run && mkdir -p /run/courier/authdaemon && `

// courierScript does what Courier's init scripts do, in the foreground: they
// would start daemons that belong to nobody.
const courierScript = `#!/bin/sh
set -a
. /etc/courier/authdaemonrc
/usr/sbin/makeuserdb
/usr/lib/courier/courier-authlib/authdaemond 2>&1 &
until test -S /run/courier/authdaemon/socket; do sleep 0.02; done
. /etc/courier/imapd
. /etc/courier/imapd-ssl
umask $IMAP_UMASK
IMAP_TLS=1 /usr/sbin/couriertcpd -address=$SSLADDRESS -maxprocs=$MAXDAEMONS -maxperip=$MAXPERIP $TCPDOPTS \
	$SSLPORT $COURIERTLS -server -tcpd /usr/lib/courier/courier/imaplogin /usr/bin/imapd $MAILDIRPATH &
IMAP_STARTTLS=$IMAPDSTARTTLS exec /usr/sbin/couriertcpd -address=$ADDRESS -maxprocs=$MAXDAEMONS -maxperip=$MAXPERIP $TCPDOPTS \
	$PORT /usr/lib/courier/courier/imaplogin /usr/bin/imapd $MAILDIRPATH
`

func (c *Courier) inside(program string, args ...string) *exec.Cmd {
	return insideWith(c.root, fmt.Sprintf(courierMounts, c.dir), program, args...)
}

// start runs the server and waits until it listens. Its error tells what the
// server said.
func (c *Courier) start() error {
	out, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	// A file, not a pipe: Wait would wait for all who inherit that.
	cmd := c.inside("/bin/sh", filepath.Join(c.dir, "run.sh"))
	cmd.Stdout, cmd.Stderr = out, out
	// couriertcpd ends its whole process group with itself.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	c.cmd, c.done = cmd, done
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, addr := range []string{c.IMAP, c.IMAPS} {
		for {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				conn.Close()
				break
			}
			select {
			case <-done:
				c.Stop()
				return fmt.Errorf("courier has ended: %s", c.lastLog())
			case <-deadline:
				c.Stop()
				return fmt.Errorf("courier does not listen on %s: %w: %s", addr, err, c.lastLog())
			case <-tick.C:
			}
		}
	}
	c.namespace, c.release = holdNamespace(cmd.Process.Pid)
	return nil
}

func (c *Courier) lastLog() []byte {
	log, err := os.ReadFile(c.log)
	if err != nil {
		return []byte(err.Error())
	}
	return tail(log, 4000)
}

// endNamespace ends all processes in a mount namespace: gently, then not. The
// first one, pid, is ours to wait for.
func endNamespace(namespace string, done <-chan struct{}, pid int) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	signal, patience := syscall.SIGTERM, time.After(5*time.Second)
	_ = syscall.Kill(pid, signal)
	for left := processesIn(namespace); len(left) > 0; left = processesIn(namespace) {
		kill(left, signal)
		select {
		case <-patience:
			signal = syscall.SIGKILL
		case <-tick.C:
		}
	}
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
