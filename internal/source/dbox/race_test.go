package dbox_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// While a client appends, moves and expunges, and the administrator purges and
// moves mail to alternate storage and back, every pass of a reader finds all
// messages that nobody touches, whole; and of the others each is what it was
// listed as or gone.
func TestReadWhileTheServerWrites(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]string{
		"sdbox": "sdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n",
		"mdbox": "mdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, location, rewritten+"mdbox_rotate_size = 8k\n")
			c := s.login(t, anna)
			must(t, c.Create("Still", nil).Wait())
			must(t, c.Create("Other", nil).Wait())
			const still = 60
			for i := range still {
				c.append(t, "Still", numbered("Still", i), time.Unix(1_500_000_000, 0))
				c.append(t, "INBOX", numbered("INBOX", i), time.Unix(1_500_000_000, 0))
			}
			stop := make(chan struct{})
			var busy sync.WaitGroup
			until := func(do func(n int)) {
				busy.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
							do(n)
						}
					}
				})
			}
			rng := rand.New(rand.NewPCG(1, 2))
			until(func(n int) { churn(t, c, rng, n) })
			until(func(n int) {
				switch n % 3 {
				case 0:
					s.Doveadm(t, "altmove", "-u", anna, "mailbox", "*")
				case 1:
					s.Doveadm(t, "altmove", "-r", "-u", anna, "mailbox", "*")
				case 2:
					s.Doveadm(t, "purge", "-u", anna)
				}
			})
			read, gone := 0, 0
			for range 60 {
				n, g := pass(t, s.disk(), still)
				read, gone = read+n, gone+g
				if t.Failed() {
					break
				}
			}
			close(stop)
			busy.Wait()
			t.Logf("%d messages were read, %d were gone", read, gone)
			if t.Failed() {
				return
			}
			s.compare(t, 0)
		})
	}
}

func numbered(box string, n int) []byte {
	return fmt.Appendf(nil, "Subject: %s %d\r\n\r\n%s", box, n, strings.Repeat(fmt.Sprintf("%s line %d\r\n", box, n), n%90+1))
}

// churn changes the inbox and Other.
func churn(t *testing.T, c client, rng *rand.Rand, n int) {
	from, to := "INBOX", "Other"
	if rng.IntN(2) == 0 {
		from, to = to, from
	}
	if n%3 == 0 {
		c.append(t, from, numbered("INBOX", 100+n), time.Unix(1_500_000_000, 0))
		return
	}
	sel, err := c.Select(from, nil).Wait()
	must(t, err)
	if sel.NumMessages == 0 {
		return
	}
	one := goimap.SeqSetNum(uint32(rng.IntN(int(sel.NumMessages))) + 1)
	switch rng.IntN(5) {
	case 0:
		must(t, c.Store(one, &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
		must(t, c.Expunge().Close())
	case 1, 2:
		_, err := c.Move(one, to).Wait()
		must(t, err)
	default:
		must(t, c.Store(one, &goimap.StoreFlags{Op: goimap.StoreFlagsSet, Flags: []goimap.Flag{goimap.FlagSeen, goimap.Flag(fmt.Sprintf("k%d", n%20))}}, nil).Close())
	}
}

// pass lists and reads everything once.
func pass(t *testing.T, src source.Source, still int) (read, gone int) {
	t.Helper()
	st, err := src.Open(t.Context(), model.Account{Login: anna})
	must(t, err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	must(t, err)
	if len(cols) != 3 {
		t.Errorf("%d mailboxes, want 3", len(cols))
	}
	for _, c := range cols {
		var items []model.ItemRef
		for ch, err := range st.Changes(t.Context(), c, "") {
			if err != nil {
				t.Errorf("listing %v: %v", c.Path, err)
				return read, gone
			}
			if ch.Op != model.OpUpsert {
				continue
			}
			items = append(items, ch.Item.ItemRef)
			if ch.Item.Received.Unix() != 1_500_000_000 || ch.Item.GUID == "" || ch.Item.Size < 0 {
				t.Errorf("%v is listed as %+v", c.Path, ch.Item)
			}
		}
		whole := 0
		must(t, st.Read(t.Context(), c, items, func(r model.ItemRef, body *source.Content, err error) error {
			if model.CodeOf(err) == model.CodeGone && c.Path[0] != "Still" {
				gone++
				return nil
			}
			if err != nil {
				t.Errorf("%v: %v", c.Path, err)
				return nil
			}
			text, err := io.ReadAll(body)
			var box string
			var n int
			if _, serr := fmt.Sscanf(string(text), "Subject: %s %d\r\n", &box, &n); err != nil || serr != nil || string(text) != string(numbered(box, n)) {
				t.Errorf("%v UID %d is %.60q: %v %v", c.Path, r.UID, text, err, serr)
			}
			read++
			whole++
			return nil
		}))
		if c.Path[0] == "Still" && whole != still {
			t.Errorf("%d of %d messages that nobody touched", whole, still)
		}
	}
	return read, gone
}
