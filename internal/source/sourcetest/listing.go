package sourcetest

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// BenchmarkListing lists a mailbox of n messages: the processor time that it
// takes, and what the store holds of each message afterwards, in octets. forget
// has it hold nothing again.
func BenchmarkListing(b *testing.B, st source.Store, c model.Collection, n int, forget func()) {
	b.Helper()
	was := ProcessorTime()
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		listed := 0
		for ch, err := range st.Changes(b.Context(), c, "") {
			if err != nil {
				b.Fatal(err)
			}
			if ch.Op == model.OpUpsert {
				listed++
			}
		}
		if listed != n {
			b.Fatalf("%d messages", listed)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc))/float64(n), "B/message")
		forget()
	}
	b.ReportMetric((ProcessorTime()-was).Seconds()*1000/float64(b.N), "cpu-ms/op")
}

// ProcessorTime is what this process has used, of user and system.
func ProcessorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
