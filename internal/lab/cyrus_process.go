package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// start runs the server and waits until it listens.
func (c *Cyrus) start() error {
	path := filepath.Join(c.Dir, "log")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := inside(c.root, "/usr/sbin/cyrmaster", "-C", c.Config, "-M", filepath.Join(c.Dir, "cyrus.conf"), "-p", filepath.Join(c.Dir, "run/master.pid"), "-D")
	cmd.Stdout, cmd.Stderr = out, out
	// Told to end, the master tells its whole process group.
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
	said := func() []byte {
		text, _ := os.ReadFile(path)
		return tail(text, 4000)
	}
	for _, addr := range []string{c.IMAP, c.IMAPS, c.Sieve, c.HTTP} {
		if addr == "" {
			continue
		}
		for err := listening(addr); err != nil; err = listening(addr) {
			select {
			case <-done:
				c.Stop()
				return fmt.Errorf("cyrus has ended: %s", said())
			case <-deadline:
				c.Stop()
				return fmt.Errorf("cyrus does not listen on %s: %w: %s", addr, err, said())
			case <-tick.C:
			}
		}
	}
	c.namespace, c.release = holdNamespace(cmd.Process.Pid)
	return nil
}

// Stop ends the server and waits until all of its processes are gone. It may
// be called again.
func (c *Cyrus) Stop() {
	if c.cmd == nil {
		return
	}
	if c.namespace == "" {
		c.namespace, c.release = holdNamespace(c.cmd.Process.Pid)
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(15 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(3 * time.Second)
	for left := processesIn(c.namespace); len(left) > 0; left = processesIn(c.namespace) {
		select {
		case <-patience:
			for _, pid := range left {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		case <-tick.C:
		}
	}
	c.release()
	c.cmd, c.namespace = nil, ""
}

// Restart stops the server and starts it on the same ports.
func (c *Cyrus) Restart(t testing.TB) {
	t.Helper()
	c.Stop()
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}
