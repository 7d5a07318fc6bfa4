package engine

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what has been used of the machine's processors until a moment.
type usage struct {
	at  time.Time
	own time.Duration // by this process
	// busy and all are ticks of all processors; 0 where the system does not tell.
	busy, all int64
}

// used looks now.
func used(now time.Time) usage {
	u := usage{at: now}
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) == nil {
		u.own = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	if stat, err := os.ReadFile("/proc/stat"); err == nil {
		u.busy, u.all = ticks(string(stat))
	}
	return u
}

// ticks reads the first line of Linux's /proc/stat (proc(5)): user nice system
// idle iowait irq softirq steal, and guests, which user contains.
func ticks(stat string) (busy, all int64) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0
	}
	for i, f := range fields[1:9] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, 0
		}
		if all += n; i != 3 && i != 4 {
			busy += n
		}
	}
	return busy, all
}

// since is the part of what this process may use that it used, and the part of
// the machine's processors that anybody did; 0 where that is not known.
func (u usage) since(from usage) (own, machine float64) {
	if took := u.at.Sub(from.at); took > 0 {
		own = float64(u.own-from.own) / float64(took) / float64(runtime.GOMAXPROCS(0))
	}
	if from.all > 0 && u.all > from.all {
		machine = float64(u.busy-from.busy) / float64(u.all-from.all)
	}
	return own, machine
}
