package bench

import (
	"fmt"
	"path/filepath"
	"testing"
)

// BenchmarkProcessor shows what a load costs mailhaul's own side: seconds of
// processor time, of which a machine that both sides share has less left for
// the server. It is the one figure that others who work on the machine hardly
// disturb. MAILHAUL_BENCH_MESSAGES is how many messages of 20 KB, else 4,000.
func BenchmarkProcessor(b *testing.B) {
	binary := buildProgram(b, b.TempDir())
	messages := equalMessages(number("MAILHAUL_BENCH_MESSAGES", 4_000))
	fmt.Printf("\n%-44s %8s %8s %12s %10s\n", fmt.Sprintf("%d messages of 20 KB, into %s", len(messages), where()), "user s", "system s", "ms/message", "peak MiB")
	for _, accounts := range []int{1, 8} {
		dir := b.TempDir()
		for i := range accounts {
			writeMaildir(b, filepath.Join(dir, fmt.Sprint("u", i)), messages[i*len(messages)/accounts:(i+1)*len(messages)/accounts])
		}
		for range rounds() {
			b.Run(fmt.Sprint(accounts, " accounts"), func(b *testing.B) {
				s := &scene{b: b, binary: binary}
				at, _ := emptyAccounts(b, accounts)
				cmd := s.program(maildirTo(b, dir+"/%n", at, accounts), "sync")
				_, peak := s.watched(cmd)
				user, system := cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime()
				each := (user + system).Seconds() * 1000 / float64(len(messages))
				b.ReportMetric(each, "cpu-ms/message")
				fmt.Printf("%-44s %8.2f %8.2f %12.3f %10d\n", fmt.Sprint("mailhaul, from Maildir, accounts: ", accounts), user.Seconds(), system.Seconds(), each, peak>>10)
			})
		}
	}
}
