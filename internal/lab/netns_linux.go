package lab

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolate makes a command start in a network namespace of its own, where
// nobody else can reach what it listens on. It reports whether it may work;
// starting fails where the user lacks the privilege.
func isolate(cmd *exec.Cmd) bool {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	return true
}

// dialIn connects from inside a process's network namespace.
func dialIn(pid int) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		type result struct {
			conn net.Conn
			err  error
		}
		done := make(chan result, 1)
		go func() {
			// The thread is left in the other namespace and therefore never
			// unlocked: it ends with this goroutine.
			runtime.LockOSThread()
			conn, err := func() (net.Conn, error) {
				if err := enter(pid); err != nil {
					return nil, fmt.Errorf("enter the network namespace of process %d: %w", pid, err)
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}()
			done <- result{conn, err}
		}()
		r := <-done
		return r.conn, r.err
	}
}

// enter moves the calling thread and brings up the loopback interface, which
// is down in a new namespace.
func enter(pid int) error {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return err
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, req)
}
