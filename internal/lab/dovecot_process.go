package lab

import (
	"syscall"
	"testing"
	"time"
)

// start runs the server and waits until it listens.
func (d *Dovecot) start() error {
	err := d.process.start(inside(d.root, "/usr/sbin/dovecot", "-F", "-c", d.Config), d.IMAP, d.IMAPS, d.Sieve)
	if d.cmd != nil {
		d.PID = d.cmd.Process.Pid
	}
	if err != nil {
		d.Stop()
	}
	return err
}

// Stop ends the server and waits until all of its processes are gone: the master
// tells its children to end and does not wait for them. It may be called again.
func (d *Dovecot) Stop() { d.end(syscall.SIGTERM, 5*time.Second, false) }

// Restart stops the server and starts it on the same ports.
func (d *Dovecot) Restart(t testing.TB) {
	t.Helper()
	d.Stop()
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
}
