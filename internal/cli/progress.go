package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
)

// progress shows a run on stderr; it is an engine.Progress that can end.
type progress interface {
	engine.Progress
	// stop ends the display and leaves a last line.
	stop()
}

// newProgress shows bars on a terminal, plain lines elsewhere.
func (a *app) newProgress(accounts int) progress {
	t := newTally(accounts, a.now)
	if f, ok := a.Err.(*os.File); ok {
		// A terminal without a width cannot show bars.
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return newBars(f, t)
		}
	}
	return newLines(a.Err, t)
}

// every is how often plain lines tell where the run stands.
const every = 10 * time.Second

// lines is progress for logs and pipes: one line per account, and where the
// run stands from time to time.
type lines struct {
	*tally
	mu   sync.Mutex
	w    io.Writer
	quit chan struct{}
	over sync.WaitGroup
}

func newLines(w io.Writer, t *tally) *lines {
	l := &lines{tally: t, w: w, quit: make(chan struct{})}
	l.over.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				l.print(l.line())
			case <-l.quit:
				return
			}
		}
	})
	return l
}

func (l *lines) print(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.w, s)
}

func (l *lines) AccountStarted(_ model.Account, messages, octets int64) { l.announce(messages, octets) }
func (l *lines) Moved(_ model.Account, messages, octets int64)          { l.moved(messages, octets) }

func (l *lines) AccountDone(r engine.AccountResult) {
	l.finished()
	l.print(describe(r))
}

func (l *lines) stop() {
	close(l.quit)
	l.over.Wait()
	l.print(l.line())
}

// bars is progress for a terminal: one bar per account at work, and the run
// as a whole below them.
type bars struct {
	*tally
	p     *mpb.Progress
	total *mpb.Bar
	mu    sync.Mutex
	of    map[string]*mpb.Bar // by login
}

func newBars(f *os.File, t *tally) *bars {
	b := &bars{tally: t, p: mpb.New(mpb.WithOutput(f), mpb.WithRefreshRate(200*time.Millisecond)), of: map[string]*mpb.Bar{}}
	b.total = b.p.New(int64(t.accounts), mpb.NopStyle(), mpb.BarPriority(1<<30),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return t.line() })))
	return b
}

func (b *bars) AccountStarted(a model.Account, messages, octets int64) {
	b.announce(messages, octets)
	if messages == 0 {
		return
	}
	bar := b.p.New(messages, mpb.BarStyle().Lbound("").Filler("━").Tip("━").Padding("─").Rbound(""), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(label(a), decor.WCSyncSpaceR), decor.CountersNoUnit("%d / %d ", decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 9})))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of[a.Login] = bar
}

func (b *bars) Moved(a model.Account, messages, octets int64) {
	b.moved(messages, octets)
	b.mu.Lock()
	bar := b.of[a.Login]
	b.mu.Unlock()
	if bar != nil {
		bar.IncrInt64(messages)
	}
}

func (b *bars) AccountDone(r engine.AccountResult) {
	b.finished()
	b.mu.Lock()
	bar := b.of[r.Login]
	delete(b.of, r.Login)
	b.mu.Unlock()
	if bar != nil {
		bar.Abort(true)
	}
	if r.Status == engine.StatusFailed || r.Status == engine.StatusPartial {
		fmt.Fprintln(b.p, describe(r))
	}
	b.total.Increment()
}

func (b *bars) stop() {
	b.total.Abort(false)
	b.p.Wait()
}
