package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// held starts a step that stays until the others are waiting behind it, runs
// them, and returns what each of them returned.
func held(t *testing.T, l *Ledger, others ...func() error) []error {
	t.Helper()
	entered, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := l.Write(t.Context(), func(*Tx) error {
			close(entered)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-entered
	errs := make([]error, len(others))
	for i, fn := range others {
		all.Go(func() { errs[i] = fn() })
		deadline := time.Now().Add(30 * time.Second)
		for l.steps.len() <= i { // they wait in this order
			if time.Now().After(deadline) {
				t.Fatal("the step does not wait")
			}
			time.Sleep(time.Millisecond)
		}
	}
	close(release)
	all.Wait()
	return errs
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// Steps that wait go to the disk together; one that fails takes only its own
// rows and keywords with it.
func TestStepsThatGoTogetherFailAlone(t *testing.T) {
	t.Parallel()
	l, _, c := open(t)
	boom := errors.New("boom")
	gone, cancel := context.WithCancel(t.Context())
	var commits []*Tx
	put := func(ctx context.Context, uid uint64, word string, err error) func() error {
		return func() error {
			return l.Write(ctx, func(tx *Tx) error {
				commits = append(commits, tx) // one at a time
				i := item(c, uid, Pending)
				i.Flags.Keywords = []string{word}
				if perr := tx.PutItem(i); perr != nil {
					return perr
				}
				return err
			})
		}
	}
	cancelled := put(gone, 4, "four", nil)
	errs := held(t, l, put(t.Context(), 1, "one", nil), put(t.Context(), 2, "two", boom),
		put(t.Context(), 3, "two", nil), func() error { cancel(); return cancelled() }, put(t.Context(), 5, "one", nil))
	for i, want := range []error{nil, boom, nil, context.Canceled, nil} {
		if !errors.Is(errs[i], want) {
			t.Errorf("step %d: %v, want %v", i+1, errs[i], want)
		}
	}
	if len(commits) != 4 || commits[0].tx != commits[3].tx {
		t.Errorf("%d steps ran, in one transaction: %v; want 4, together", len(commits), commits[0].tx == commits[3].tx)
	}
	var got []string
	for _, i := range items(t, l, c.ID) {
		got = append(got, fmt.Sprint(i.UID, i.Flags.Keywords))
	}
	if want := "[1 [one] 3 [two] 5 [one]]"; fmt.Sprint(got) != want {
		t.Errorf("rows: %v, want %s", got, want)
	}
}

// Where the disk is lost, all that went together are told.
func TestStepsThatGoTogetherAllHearOfALostDisk(t *testing.T) {
	t.Parallel()
	l, _, c := open(t)
	put := func(uid uint64) func() error {
		return func() error {
			return l.Write(t.Context(), func(tx *Tx) error { return tx.PutItem(item(c, uid, Pending)) })
		}
	}
	for i, err := range held(t, l, put(1), func() error {
		// As SQLite does when the disk is full: the transaction is gone.
		return l.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.exec("ROLLBACK")
			return errors.Join(errors.New("disk full"), err)
		})
	}, put(3)) {
		if err == nil || i != 1 && model.ClassOf(err) != model.ClassFatal {
			t.Errorf("step %d: %v, want a fatal fault", i+1, err)
		}
	}
	if got := items(t, l, c.ID); len(got) != 0 {
		t.Errorf("rows that were reported as failed: %v", got)
	}
	if err := put(4)(); err != nil {
		t.Errorf("the next step: %v", err)
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	t.Parallel()
	l, _, c := open(t)
	const writers, steps = 8, 40
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := range steps {
				if err := l.Write(t.Context(), func(tx *Tx) error { return tx.PutItem(item(c, uint64(w*steps+n+1), Pending)) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := items(t, l, c.ID); len(got) != writers*steps {
		t.Errorf("%d rows, want %d", len(got), writers*steps)
	}
}
