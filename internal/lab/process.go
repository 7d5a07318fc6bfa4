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

// process is a server of Debian's: the first of its processes, and all that it
// has started.
type process struct {
	name, log string
	cmd       *exec.Cmd
	done      chan struct{} // closed when the first process has ended
	namespace string
	release   func() // of the namespace
}

// startProcess runs a command from inside a root and waits until all
// addresses answer. It stops the server when the test ends, with its children,
// by the signal that makes it end in order.
func startProcess(t testing.TB, name, log string, cmd *exec.Cmd, stop syscall.Signal, addresses ...string) error {
	t.Helper()
	_, err := startDaemon(t, name, log, cmd, stop, addresses...)
	return err
}

// Daemon is a server that can be stopped and started again.
type Daemon struct {
	process
	command   exec.Cmd // as it was before it was started
	stop      syscall.Signal
	addresses []string
}

// startDaemon is startProcess of a server that a test restarts.
func startDaemon(t testing.TB, name, log string, cmd *exec.Cmd, stop syscall.Signal, addresses ...string) (*Daemon, error) {
	t.Helper()
	d := &Daemon{process: process{name: name, log: log}, stop: stop, addresses: addresses,
		command: exec.Cmd{Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir, SysProcAttr: cmd.SysProcAttr}}
	if err := d.start(cmd, addresses...); err != nil {
		d.Stop()
		return nil, err
	}
	t.Cleanup(func() {
		d.Stop()
		if t.Failed() {
			t.Logf("%s's log:\n%s", name, d.tail())
		}
	})
	return d, nil
}

// Stop ends the server and waits until all of its processes are gone. It may be
// called again.
func (d *Daemon) Stop() { d.end(d.stop, 0, false) }

// Start starts it again, at the same addresses.
func (d *Daemon) Start(t testing.TB) {
	t.Helper()
	again := exec.Cmd{Path: d.command.Path, Args: d.command.Args, Env: d.command.Env, Dir: d.command.Dir, SysProcAttr: d.command.SysProcAttr}
	if err := d.start(&again, d.addresses...); err != nil {
		t.Fatal(err)
	}
}

// start runs the first process and waits until the server accepts connections at
// all addresses. Its error tells what the server said; the server may have to be
// ended then.
func (p *process) start(cmd *exec.Cmd, addresses ...string) error {
	// A file, not a pipe: Wait would wait for all who inherit that.
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	p.cmd, p.done = cmd, done
	if err := p.await(addresses); err != nil {
		return err
	}
	p.namespace, p.release = holdNamespace(cmd.Process.Pid)
	return nil
}

// await waits until the server accepts connections at every address.
func (p *process) await(addresses []string) error {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, addr := range addresses {
		for err := listening(addr); err != nil; err = listening(addr) {
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

// listening reports whether somebody accepts connections there.
func listening(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		conn.Close()
	}
	return err
}

// end signals the first process, or everyone, and waits until all are gone:
// those that the first one leaves behind are killed when patience is over. It
// may be called again, and the server started again.
func (p *process) end(signal syscall.Signal, patience time.Duration, everyone bool) {
	if p.cmd == nil {
		return
	}
	if p.namespace == "" {
		p.namespace, p.release = holdNamespace(p.cmd.Process.Pid)
	}
	_ = p.cmd.Process.Signal(signal)
	if everyone {
		kill(p.Processes(), signal)
	}
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	over := time.After(patience)
	for left := p.Processes(); len(left) > 0; left = p.Processes() {
		if everyone {
			kill(left, signal)
		}
		select {
		case <-over:
			signal, everyone = syscall.SIGKILL, true
		case <-tick.C:
		}
	}
	p.release()
	p.cmd, p.namespace = nil, ""
}

// Processes returns the ids of all processes of the running server.
func (p *process) Processes() []int { return processesIn(p.namespace) }

// Log returns what the server has logged.
func (p *process) Log() (string, error) {
	log, err := os.ReadFile(p.log)
	return string(log), err
}

// tail is the end of the log.
func (p *process) tail() []byte {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return []byte(err.Error())
	}
	return tail(log, 4000)
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

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
