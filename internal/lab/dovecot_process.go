package lab

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// start runs the server and waits until it listens. Its error tells what the
// server said.
func (d *Dovecot) start() error {
	out, err := os.OpenFile(d.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	// A file, not a pipe: Wait would wait for all who inherit that.
	cmd := inside(d.root, "/usr/sbin/dovecot", "-F", "-c", d.Config)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	d.cmd, d.done, d.PID = cmd, done, cmd.Process.Pid
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, addr := range []string{d.IMAP, d.IMAPS, d.Sieve} {
		for {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				c.Close()
				break
			}
			select {
			case <-done:
				d.Stop()
				return fmt.Errorf("dovecot has ended: %s", d.lastLog())
			case <-deadline:
				d.Stop()
				return fmt.Errorf("dovecot does not listen on %s: %w: %s", addr, err, d.lastLog())
			case <-tick.C:
			}
		}
	}
	d.namespace, d.release = holdNamespace(d.PID)
	return nil
}

// Stop ends the server and waits until all of its processes are gone. It may
// be called again.
func (d *Dovecot) Stop() {
	if d.cmd == nil {
		return
	}
	if d.namespace == "" {
		d.namespace, d.release = holdNamespace(d.PID)
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(15 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
	// The master tells its children to end and does not wait for them.
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(5 * time.Second)
	for left := d.Processes(); len(left) > 0; left = d.Processes() {
		select {
		case <-patience:
			for _, pid := range left {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		case <-tick.C:
		}
	}
	d.release()
	d.cmd, d.namespace = nil, ""
}

// Restart stops the server and starts it on the same ports.
func (d *Dovecot) Restart(t testing.TB) {
	t.Helper()
	d.Stop()
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
}

// Processes returns the ids of all processes of the running server.
func (d *Dovecot) Processes() []int {
	return processesIn(d.namespace)
}

// processesIn returns the ids of the processes in a mount namespace. Those of
// a server share one that nobody else is in, whatever they call themselves and
// whoever their parent is.
func processesIn(namespace string) []int {
	if namespace == "" {
		return nil
	}
	var pids []int
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, e := range entries {
		pid, err := strconv.Atoi(filepath.Base(e))
		if err == nil && mountNamespace(pid) == namespace {
			pids = append(pids, pid)
		}
	}
	return pids
}

// holdNamespace is mountNamespace, and keeps the kernel from giving its number
// to a namespace of somebody else's server until it is released.
func holdNamespace(pid int) (namespace string, release func()) {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/mnt")
	if err != nil {
		return "", func() {}
	}
	return mountNamespace(pid), func() { f.Close() }
}

// mountNamespace returns a process's mount namespace, "" if it is ours or the
// process has ended.
func mountNamespace(pid int) string {
	ns, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/mnt")
	if err != nil {
		return ""
	}
	if own, err := os.Readlink("/proc/self/ns/mnt"); err != nil || own == ns {
		return ""
	}
	return ns
}

// Log returns what the server has logged.
func (d *Dovecot) Log() (string, error) {
	log, err := os.ReadFile(d.log)
	return string(log), err
}

// lastLog returns the end of the server's log.
func (d *Dovecot) lastLog() []byte {
	log, err := os.ReadFile(d.log)
	if err != nil {
		return []byte(err.Error())
	}
	return tail(log, 4000)
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }
