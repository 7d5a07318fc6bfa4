package lab

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// process is a server of Debian's that runs until its test ends. The servers
// that came with this lab later share it; Dovecot and Stalwart, which need
// more, have their own.
type process struct {
	name, log string
	cmd       *exec.Cmd
	done      chan struct{} // closed when the process has ended
	namespace string
	release   func() // of the namespace
}

// startProcess runs a command from inside a root and waits until all
// addresses answer. It stops the server when the test ends, with its children,
// by the signal that makes it end in order.
func startProcess(t testing.TB, name, log string, cmd *exec.Cmd, stop syscall.Signal, addresses ...string) error {
	t.Helper()
	// A file, not a pipe: Wait would wait for all who inherit that.
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{name: name, log: log, cmd: cmd, done: make(chan struct{}), release: func() {}}
	go func() {
		defer close(p.done)
		_ = cmd.Wait()
	}()
	if err := p.await(addresses); err != nil {
		p.stop(stop)
		return err
	}
	p.namespace, p.release = holdNamespace(cmd.Process.Pid)
	t.Cleanup(func() {
		p.stop(stop)
		if t.Failed() {
			t.Logf("%s's log:\n%s", name, p.tail())
		}
	})
	return nil
}

// await waits until the server accepts connections at every address.
func (p *process) await(addresses []string) error {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, addr := range addresses {
		for {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				c.Close()
				break
			}
			select {
			case <-p.done:
				return fmt.Errorf("%s has ended: %s", p.name, p.tail())
			case <-deadline:
				return fmt.Errorf("%s does not listen on %s: %w: %s", p.name, addr, err, p.tail())
			case <-tick.C:
			}
		}
	}
	return nil
}

// stop ends the server and waits until all of its processes are gone.
func (p *process) stop(signal syscall.Signal) {
	defer p.release()
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	for _, pid := range processesIn(p.namespace) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (p *process) tail() []byte {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return []byte(err.Error())
	}
	return tail(log, 4000)
}

// privateFolder makes a short folder, for the paths of sockets must stay below
// 108 octets, which belongs to whom a server runs as.
func privateFolder(t testing.TB, name string, uid int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", name+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Getuid() == 0 {
		if err := os.Chown(dir, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// unprivileged prefixes a command with what drops root's rights, for servers
// that refuse to run with them.
func unprivileged(program string, args ...string) []string {
	if os.Getuid() != 0 {
		return append([]string{program}, args...)
	}
	return append([]string{"setpriv", fmt.Sprintf("--reuid=%d", MailUID), fmt.Sprintf("--regid=%d", MailUID), "--clear-groups", "--", program}, args...)
}

// certificateFor is certificate for a server that runs as this user when root
// starts it.
func certificateFor(t testing.TB, dir string, uid int) (cert, key string) {
	t.Helper()
	cert, key = certificate(t, dir)
	if os.Getuid() == 0 {
		if err := os.Chown(key, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
