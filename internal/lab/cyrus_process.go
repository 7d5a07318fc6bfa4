package lab

import (
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// start runs the server and waits until it listens.
func (c *Cyrus) start() error {
	cmd := inside(c.root, "/usr/sbin/cyrmaster", "-C", c.Config, "-M", filepath.Join(c.Dir, "cyrus.conf"), "-p", filepath.Join(c.Dir, "run/master.pid"), "-D")
	// Told to end, the master tells its whole process group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	addresses := slices.DeleteFunc([]string{c.IMAP, c.IMAPS, c.Sieve, c.HTTP}, func(a string) bool { return a == "" })
	err := c.process.start(cmd, addresses...)
	if err != nil {
		c.Stop()
	}
	return err
}

// Stop ends the server and waits until all of its processes are gone. It may
// be called again.
func (c *Cyrus) Stop() { c.end(syscall.SIGTERM, 3*time.Second, false) }

// Restart stops the server and starts it on the same ports.
func (c *Cyrus) Restart(t testing.TB) {
	t.Helper()
	c.Stop()
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}
