package lab

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Servers are given ports below the range from which systems take those of
// outgoing connections (32768 and up on Linux): one from that range may be
// taken by anybody between the moment that it is chosen and the moment that the
// server binds it.
const firstPort, lastPort = 15000, 31999

// freePorts returns ports of 127.0.0.1 that nothing listens on and that no
// other test is given, of this process or of another, until this one ends.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	// Not below the temporary folder: tests that have others use the same ports.
	dir, err := cacheDir()
	if err == nil {
		dir = filepath.Join(dir, "ports")
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	var ports []int
	for tries := 0; len(ports) < n; tries++ {
		if tries > 1000 {
			t.Fatalf("no free ports between %d and %d", firstPort, lastPort)
		}
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if reserve(t, filepath.Join(dir, strconv.Itoa(port))) && unused(port) {
			ports = append(ports, port)
		}
	}
	return ports
}

// reserve tells whether the port whose file this is was nobody's; it is the
// test's from then on. The lock goes with the process that holds it.
func reserve(t testing.TB, file string) bool {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		f.Close()
		return false
	}
	t.Cleanup(func() { f.Close() })
	return true
}

// unused tells whether nothing listens on the port, on any address.
func unused(port int) bool {
	for _, host := range []string{"", "127.0.0.1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}
