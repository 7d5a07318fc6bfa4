package dbox_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
)

// Listing and reading messages of a sample account, warm: messages and octets
// each second and, because other work on the machine does not change that, each
// second of processor time.
func BenchmarkAccount(b *testing.B) {
	for _, c := range []struct{ name, location, settings string }{
		{"sdbox", "sdbox:DIR/%d/%n/sdbox", ""},
		{"mdbox", "mdbox:DIR/%d/%n/mdbox", ""},
		{"mdbox zstd", "mdbox:DIR/%d/%n/mdbox", packedWith + "zstd\n}\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			org := sample.New(sample.Options{Accounts: 1, Messages: 5_000, Seed: 1, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
			dir := b.TempDir()
			must(b, org.WriteMaildir(dir))
			location := strings.ReplaceAll(c.location, "DIR/", dir+"/")
			srv := lab.StartDovecot(b, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: location, Home: dir + "/%d/%n",
				Settings: c.settings + "namespace inbox {\n  separator = .\n}\n"})
			login := org.Accounts[0].Login
			local, domain, _ := strings.Cut(login, "@")
			maildir := filepath.Join(dir, domain, local, "Maildir")
			srv.Doveadm(b, "backup", "-R", "-u", login, "maildir:"+maildir)
			must(b, os.RemoveAll(maildir))
			srv.Stop()
			src := dbox.New(dbox.Options{Location: location})
			type box struct {
				c     model.Collection
				items []model.ItemRef
			}
			list := func(b *testing.B) (boxes []box, n int) {
				st, err := src.Open(b.Context(), model.Account{Login: login})
				must(b, err)
				cols, err := st.Collections(b.Context())
				must(b, err)
				for _, c := range cols {
					x := box{c: c}
					if c.Container {
						continue
					}
					for ch, err := range st.Changes(b.Context(), c, "") {
						must(b, err)
						if ch.Op == model.OpUpsert {
							x.items = append(x.items, ch.Item.ItemRef)
						}
					}
					boxes, n = append(boxes, x), n+len(x.items)
				}
				return boxes, n
			}
			b.Run("list", func(b *testing.B) {
				n, busy := 0, processor(b)
				for b.Loop() {
					_, k := list(b)
					n += k
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
				b.ReportMetric(float64(n)/(processor(b)-busy), "messages/cpu-s")
			})
			b.Run("read", func(b *testing.B) {
				boxes, _ := list(b)
				octets, n, busy := int64(0), 0, processor(b)
				for b.Loop() {
					st, err := src.Open(b.Context(), model.Account{Login: login})
					must(b, err)
					for _, x := range boxes {
						must(b, st.Read(b.Context(), x.c, x.items, func(_ model.ItemRef, c *source.Content, err error) error {
							if err != nil {
								return err
							}
							k, err := io.Copy(io.Discard, c)
							octets, n = octets+k, n+1
							return err
						}))
					}
				}
				b.ReportMetric(float64(octets)/(1<<20)/b.Elapsed().Seconds(), "MiB/s")
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
				b.ReportMetric(float64(octets)/(1<<20)/(processor(b)-busy), "MiB/cpu-s")
			})
		})
	}
}

// processor is the time that this process has been at work, in seconds.
func processor(b *testing.B) float64 {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
