package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/maildir"
)

// BenchmarkLedger shows what an item costs in the ledger and that a large one
// stays fast: rows are written in the steps that a run takes, then asked what
// the next run asks. MAILHAUL_BENCH_ITEMS is how many, else 200,000; they are
// in mailboxes of 300,000.
func BenchmarkLedger(b *testing.B) {
	n := number("MAILHAUL_BENCH_ITEMS", 200_000)
	dir := b.TempDir()
	l := must(ledger.Open(dir))(b)
	defer l.Close()
	s := &ledgerScene{b: b, ctx: b.Context(), l: l, wal: filepath.Join(dir, ledger.FileName+"-wal")}
	s.acc = must(l.Account(s.ctx, "anna", "anna@lab.test"))(b)
	fmt.Printf("\n%-52s %12s %12s\n", fmt.Sprintf("the ledger, %d items", n), "/s", "ms")
	s.fill(n)
	s.delta(n)
	must(0, l.Close())(b)
	info := must(os.Stat(filepath.Join(dir, ledger.FileName)))(b)
	each := float64(info.Size()) / float64(n)
	fmt.Printf("%-52s %12.0f octets an item\n", fmt.Sprintf("size: %d MiB", info.Size()>>20), each)
	fmt.Printf("%-52s %12d MiB\n", "largest write-ahead log", s.largest>>20)
	b.ReportMetric(each, "octets/item")
}

// BenchmarkShare shows which part of a bulk load the ledger takes:
// MAILHAUL_BENCH_MESSAGES of 20 KB, else 4,000, from Maildir, by one account
// and by eight at once.
func BenchmarkShare(b *testing.B) {
	messages := equalMessages(number("MAILHAUL_BENCH_MESSAGES", 4_000))
	for _, n := range []int{1, 8} {
		dir := b.TempDir()
		var accounts []model.Account
		for i := range n {
			login := fmt.Sprint("u", i)
			accounts = append(accounts, model.Account{Login: login, Address: login + "@lab.test"})
			writeMaildir(b, filepath.Join(dir, login), messages[i*len(messages)/n:(i+1)*len(messages)/n])
		}
		b.Run(fmt.Sprint(n, " accounts"), func(b *testing.B) {
			at, _ := emptyAccounts(b, n)
			d := at.dial(b)
			defer d.Close()
			l := must(ledger.Open(b.TempDir()))(b)
			defer l.Close()
			res := must(engine.Sync(b.Context(), engine.Options{Source: maildir.New(maildir.Options{Path: dir + "/%n"}), Destination: d, Ledger: l,
				SpoolDir: b.TempDir(), Accounts: n}, accounts))(b)
			if res.Total.Messages != int64(len(messages)) {
				b.Fatalf("%d of %d messages were moved: %+v", res.Total.Messages, len(messages), res.Accounts)
			}
			// Lanes of one account count twice: it is less, rather than more.
			var all time.Duration
			for _, a := range res.Accounts {
				all += a.Duration
			}
			share := l.Busy().Seconds() / all.Seconds()
			fmt.Printf("\nthe ledger's share of a load of %d messages, %d accounts, into %s: %.1f s of %.1f s = %.1f %%   goal: at most 10 %%\n",
				len(messages), n, where(), l.Busy().Seconds(), all.Seconds(), 100*share)
			b.ReportMetric(100*share, "%ledger")
		})
	}
}

// must fails the benchmark on an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// boxSize is how many items one mailbox of the ledger's benchmark has.
const boxSize = 300_000

type ledgerScene struct {
	b     *testing.B
	ctx   context.Context
	l     *ledger.Ledger
	acc   ledger.Account
	boxes []ledger.Collection
	// wal is the write-ahead log, largest how large it became, in octets.
	wal     string
	largest int64
}

// timed runs fn and prints how many of what it did a second.
func (s *ledgerScene) timed(what string, n int, fn func() error) {
	s.b.Helper()
	start := time.Now()
	must(0, fn())(s.b)
	took := time.Since(start)
	fmt.Printf("%-52s %12.0f %12.1f\n", what, float64(n)/took.Seconds(), 1000*took.Seconds())
}

// steps runs fn for each item of a mailbox, so many in one durable step.
func (s *ledgerScene) steps(box, n, step int, fn func(t *ledger.Tx, uid uint64) error) error {
	for from := 0; from < n; from += step {
		err := s.l.Write(s.ctx, func(t *ledger.Tx) error {
			for i := from; i < min(from+step, n); i++ {
				if err := fn(t, uint64(i+1)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// content is the hash of an item, which nothing can compress.
func content(box int, uid uint64) [32]byte {
	return blake3.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(box)), uid))
}

// fill writes the items as a bulk load does: listed in steps of 2,000, then
// intended and confirmed in batches of 250.
func (s *ledgerScene) fill(n int) {
	var listed, moved time.Duration
	for box := 0; box*boxSize < n; box++ {
		c := ledger.Collection{Account: s.acc.ID, Kind: model.KindMail, SourceID: fmt.Sprint("box ", box), UIDValidity: 1,
			Native: fmt.Sprint("Box ", box), Path: []string{fmt.Sprint("Box ", box)}, Target: "m1", Subscribed: 1}
		must(0, s.l.Write(s.ctx, func(t *ledger.Tx) error { return t.PutCollection(&c) }))(s.b)
		s.boxes = append(s.boxes, c)
		have := min(boxSize, n-box*boxSize)
		start := time.Now()
		must(0, s.steps(box, have, 2000, func(t *ledger.Tx, uid uint64) error { return t.PutItem(s.item(box, uid)) }))(s.b)
		listed += time.Since(start)
		start = time.Now()
		must(0, s.move(box))(s.b)
		moved += time.Since(start)
	}
	line := func(what string, d time.Duration) {
		fmt.Printf("%-52s %12.0f %12.1f\n", what, float64(n)/d.Seconds(), 1000*d.Seconds())
	}
	line("listed, 2,000 in a step", listed)
	line("intended and confirmed, 250 in a step", moved)
}

// move takes the pending items of a mailbox in batches, from their iteration,
// as load does.
func (s *ledgerScene) move(box int) error {
	var batch []ledger.Item
	step := func(fn func(t *ledger.Tx, i ledger.Item) error) error {
		return s.l.Write(s.ctx, func(t *ledger.Tx) error {
			for _, i := range batch {
				if err := fn(t, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	flush := func() error {
		err := step(func(t *ledger.Tx, i ledger.Item) error {
			return t.Intend(i.Collection, i.UID, content(box, i.UID), i.Size)
		})
		if err == nil {
			err = step(func(t *ledger.Tx, i ledger.Item) error {
				return t.Confirm(i.Collection, i.UID, fmt.Sprintf("b%x", i.UID))
			})
		}
		batch = batch[:0]
		if info, serr := os.Stat(s.wal); serr == nil {
			s.largest = max(s.largest, info.Size())
		}
		return err
	}
	for i, err := range s.l.Items(s.ctx, s.boxes[box].ID, ledger.Pending) {
		if err != nil {
			return err
		}
		if batch = append(batch, i); len(batch) == 250 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (s *ledgerScene) item(box int, uid uint64) ledger.Item {
	hash := content(box, uid)
	i := ledger.Item{Collection: s.boxes[box].ID, UID: uid, State: ledger.Pending, Received: time.Unix(1_600_000_000+int64(uid)*977, 0), Size: 20_000 + int64(uid)%3000}
	copy(i.GUID[:], hash[16:])
	i.Flags.System = model.Seen
	if uid%11 == 0 {
		i.Flags.Keywords = []string{"$Forwarded"}
	}
	return i
}

// delta asks what a run asks that finds almost everything unchanged.
func (s *ledgerScene) delta(n int) {
	last := len(s.boxes) - 1
	c := s.boxes[last]
	have := n - last*boxSize
	s.timed(fmt.Sprintf("walk a mailbox of %d beside its listing", have), have, func() error {
		for _, err := range s.l.Items(s.ctx, c.ID) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.timed("is there work in the account?", 1, func() error {
		_, err := s.l.HasWork(s.ctx, s.acc.ID, false)
		return err
	})
	s.timed("count what is pending, each mailbox", len(s.boxes), func() error {
		for _, c := range s.boxes {
			if _, _, err := s.l.Count(s.ctx, c.ID, ledger.Pending); err != nil {
				return err
			}
		}
		return nil
	})
	s.timed("count what was refused in the account", 1, func() error {
		_, err := s.l.CountAccount(s.ctx, s.acc.ID, ledger.Refused)
		return err
	})
	s.timed("sum up the account for a report", 1, func() error {
		_, err := s.l.Sums(s.ctx, s.acc.ID)
		return err
	})
	s.timed("look up 10,000 single items", 10_000, func() error {
		return s.l.View(s.ctx, func(t *ledger.Tx) error {
			for i := range 10_000 {
				box := i * 7919 % len(s.boxes)
				if _, ok, err := t.Item(s.boxes[box].ID, uint64(i*104729%min(boxSize, n-box*boxSize)+1)); err != nil || !ok {
					return fmt.Errorf("item %d: %v, %w", i, ok, err)
				}
			}
			return nil
		})
	})
	gone := min(10_000, have)
	s.timed(fmt.Sprintf("mark %d as vanished, 2,000 in a step", gone), gone, func() error {
		return s.steps(last, gone, 2000, func(t *ledger.Tx, uid uint64) error { return t.SetState(c.ID, uid, ledger.Vanished) })
	})
	s.timed(fmt.Sprintf("find where %d have moved", gone), gone, func() error {
		return s.l.View(s.ctx, func(t *ledger.Tx) error {
			taken := map[ledger.Key]bool{}
			for uid := uint64(1); uid <= uint64(gone); uid++ {
				like := s.item(last, uid)
				like.Collection = s.boxes[0].ID
				got, ok, err := t.Vanished(s.acc.ID, like, taken)
				if err != nil || !ok {
					return fmt.Errorf("UID %d: %v, %w", uid, ok, err)
				}
				taken[got.Key()] = true
			}
			return nil
		})
	})
	s.timed("put them back, 2,000 in a step", gone, func() error {
		return s.steps(last, gone, 2000, func(t *ledger.Tx, uid uint64) error { return t.SetState(c.ID, uid, ledger.Moved) })
	})
}
