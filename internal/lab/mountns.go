package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

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

func kill(pids []int, s syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, s)
	}
}
