package cyrus_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// While users work at the server, nothing that is read is wrong, and nothing
// is missed in the end.
func TestWhileServerWrites(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil)
	s.as(t, "").do("CREATE user/anna")
	anna := s.as(t, "anna")
	body := func(n int) string { return fmt.Sprintf("Subject: %06d\r\n\r\nbody of %06d\r\n", n, n) }
	n := 0
	deliver := func() {
		anna.append("INBOX", "", time.Unix(1500000000+int64(n), 0), body(n))
		n++
	}
	for range 50 {
		deliver()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rnd := rand.New(rand.NewPCG(1, 2))
		work := s.as(t, "anna")
		work.do("SELECT INBOX")
		for i := range 150 {
			switch rnd.IntN(8) {
			case 0, 1:
				deliver()
			case 2:
				work.do("NOOP")
				work.do(`STORE 1:5 +FLAGS (\Flagged k%d)`, i%60)
			case 3:
				work.do("NOOP")
				work.do(`STORE %d +FLAGS (\Deleted)`, 1+rnd.IntN(20))
				work.do("EXPUNGE")
			case 4:
				work.do("CREATE box%d", i)
			case 5:
				work.do("CREATE old%d", i)
				work.do("RENAME old%d new%d", i, i)
			case 6:
				work.do("CREATE gone%d", i)
				work.do("DELETE gone%d", i)
			case 7:
				work.do("NOOP")
				work.do("STORE 3:8 FLAGS (\\Seen)")
				work.do("%s INBOX", []string{"SUBSCRIBE", "UNSUBSCRIBE"}[i%2])
			}
		}
	}()
	v := follower{t: t, src: s.disk(t), body: body}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		v.look()
	}
	t.Logf("%d rounds, %d messages read, %d gone meanwhile", v.rounds, v.reads, v.gone)
	if v.rounds < 5 || v.reads < 50 {
		t.Errorf("only %d rounds with %d messages: nothing was read while the server wrote", v.rounds, v.reads)
	}
	followed := v.items
	v.cursor = ""
	v.look()
	if d := cmp.Diff(v.items, followed); d != "" {
		t.Errorf("what was followed (+) is not what is there (-):\n%.3000s", d)
	}
	same(t, s, "anna")
}

// follower follows what anna's INBOX holds, from one look to the next.
type follower struct {
	t                   *testing.T
	src                 *cyrus.Source
	body                func(n int) string
	cursor              string
	items               map[uint64]model.Item
	rounds, reads, gone int
}

func (v *follower) look() {
	st, err := v.src.Open(v.t.Context(), model.Account{Login: "anna"})
	must(v.t, err)
	defer st.Close()
	cols, err := st.Collections(v.t.Context())
	must(v.t, err)
	v.rounds++
	v.read(st, cols[0], v.changes(st, cols[0]))
	for _, c := range cols[1:] {
		for _, err := range st.Changes(v.t.Context(), c, "") {
			// A mailbox may be renamed or deleted while it is looked at.
			if err != nil && model.CodeOf(err) != model.CodeGone {
				v.t.Errorf("%v: %v", c.Path, err)
			}
		}
	}
}

// changes applies what has changed, and returns what came.
func (v *follower) changes(st source.Store, in model.Collection) (refs []model.ItemRef) {
	for ch, err := range st.Changes(v.t.Context(), in, v.cursor) {
		must(v.t, err)
		switch ch.Op {
		case model.OpListing:
			v.items = map[uint64]model.Item{}
		case model.OpUpsert:
			v.items[ch.Item.UID] = ch.Item
			refs = append(refs, ch.Item.ItemRef)
			if want := int64(1500000000) + int64(ch.Item.UID) - 1; ch.Item.Received.Unix() != want || ch.Item.Size != int64(len(v.body(0))) {
				v.t.Errorf("UID %d: %+v", ch.Item.UID, ch.Item)
			}
		case model.OpSurvivors:
			for uid := range v.items {
				if !sourcetest.Within(ch.UIDs, uid) {
					delete(v.items, uid)
				}
			}
		case model.OpCheckpoint:
			v.cursor = ch.Cursor
		}
	}
	return refs
}

func (v *follower) read(st source.Store, in model.Collection, refs []model.ItemRef) {
	must(v.t, st.Read(v.t.Context(), in, refs, func(r model.ItemRef, c *source.Content, err error) error {
		if err != nil {
			if model.CodeOf(err) != model.CodeGone {
				v.t.Errorf("UID %d: %v", r.UID, err)
			}
			v.gone++
			return nil
		}
		v.reads++
		raw, err := io.ReadAll(c)
		if string(raw) != v.body(int(r.UID)-1) {
			v.t.Errorf("UID %d: %q", r.UID, raw)
		}
		return err
	}))
}
