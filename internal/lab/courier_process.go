package lab

import (
	"fmt"
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

// start runs the server and waits until it listens.
func (c *Courier) start() error {
	cmd := c.inside("/bin/sh", filepath.Join(c.dir, "run.sh"))
	// couriertcpd ends its whole process group with itself.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err := c.process.start(cmd, c.IMAP, c.IMAPS)
	if err != nil {
		c.Stop()
	}
	return err
}

// Stop ends the server and waits until all of its processes are gone, of which
// nobody ends the others. It may be called again.
func (c *Courier) Stop() { c.end(syscall.SIGTERM, 5*time.Second, true) }
