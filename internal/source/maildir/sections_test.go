package maildir

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// Whatever happens in a mailbox, following its changes comes to what a complete
// listing tells, and little is told of what little happened.
func TestSectionsFollow(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 7))
			dir, now := t.TempDir(), time.Now().Add(time.Hour)
			src := New(Options{Path: dir, Now: func() time.Time { return now }})
			src.sectioned = 100
			names, listed, next := []string{}, map[string]int{}, 1
			deliver := func() {
				base := fmt.Sprintf("%d.M%dP1.host", 1700000000+rng.IntN(1000), next)
				names = append(names, base+":2,")
				put(t, dir, "cur/"+base+":2,", "x")
				if rng.IntN(4) > 0 {
					listed[base] = next
				}
				next += 1 + rng.IntN(4)
			}
			write := func() {
				list, lines := fmt.Sprintf("3 V7 N%d\n", next), map[int]string{}
				for base, uid := range listed {
					lines[uid] = fmt.Sprintf("%d :%s\n", uid, base)
				}
				for uid := range next {
					list += lines[uid]
				}
				put(t, dir, "dovecot-uidlist", list)
				put(t, dir, "dovecot-keywords", "0 Work\n1 Home\n")
				now = now.Add(time.Minute)
			}
			for range 900 {
				deliver()
			}
			write()
			open := func() *Store {
				st, err := src.open(model.Account{Login: "x"})
				must(t, err)
				return st
			}
			inbox := func() model.Collection {
				cols, err := open().Collections(t.Context())
				must(t, err)
				return cols[0]
			}
			have, since := map[uint64]model.Item{}, ""
			follow := func() (told int) {
				for ch, err := range open().Changes(t.Context(), inbox(), since) {
					must(t, err)
					switch ch.Op {
					case model.OpListing:
						for uid := range have {
							if len(ch.UIDs) == 0 || sourcetest.Within(ch.UIDs, uid) {
								delete(have, uid)
							}
						}
					case model.OpUpsert:
						told++
						have[ch.Item.UID] = ch.Item
					case model.OpCheckpoint:
						since = ch.Cursor
					}
				}
				whole := map[uint64]model.Item{}
				for ch, err := range open().Changes(t.Context(), inbox(), "") {
					must(t, err)
					if ch.Op == model.OpUpsert {
						whole[ch.Item.UID] = ch.Item
					}
				}
				if d := cmp.Diff(whole, have); d != "" {
					t.Fatalf("what was followed is not what is there (-there +followed):\n%s", d)
				}
				return told
			}
			follow()
			for round := range 25 {
				// A run now and then finds the mailbox while it is changing.
				hurried := round%5 == 4
				k := 1 + rng.IntN(3)
				for range k {
					i := rng.IntN(len(names))
					switch old := filepath.Join(dir, "cur", names[i]); rng.IntN(4) {
					case 0:
						must(t, os.Remove(old))
						base, _, _ := strings.Cut(names[i], ":")
						delete(listed, base)
						names = slices.Delete(names, i, i+1)
					case 1:
						deliver()
					default:
						base, _, _ := strings.Cut(names[i], ":")
						names[i] = base + ":2," + []string{"", "S", "FS", "Sa", "Sb"}[rng.IntN(5)]
						must(t, os.Rename(old, filepath.Join(dir, "cur", names[i])))
					}
				}
				write()
				if hurried {
					now = time.Now()
				}
				if told := follow(); told > len(names)/2 && !hurried {
					t.Errorf("%d of %d messages were told for %d changes", told, len(names), k)
				}
				now = time.Now().Add(time.Duration(round+2) * time.Hour)
			}
		})
	}
}

// What is no cursor, or one of another mailbox, leads to a complete listing.
func TestCursor(t *testing.T) {
	t.Parallel()
	s := &sections{validity: 7, width: 64, digests: []digest{{1}, {2}, {}}}
	fp, got := parseCursor(cursor("m2:a", s))
	if d := cmp.Diff(s, got, cmp.AllowUnexported(sections{})); fp != "m2:a" || d != "" {
		t.Errorf("%q, %s", fp, d)
	}
	for _, text := range []string{"", "m2:1.2", "m2|", "m2|7.0.AAAAAAAAAAA", "m2|7.40.", "m2|7.40.AAAA", "m2|x.40.AAAAAAAAAAA", "m2|7.40.AAAAAAAAAAA.1"} {
		if _, got := parseCursor(text); got != nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
	for _, other := range []*sections{nil, {validity: 8, width: 64}, {validity: 7, width: 128}} {
		if _, all := s.changed(other); !all {
			t.Errorf("%+v", other)
		}
	}
	ranges, all := s.changed(&sections{validity: 7, width: 64, digests: []digest{{1}, {3}, {4}, {5}}})
	if d := cmp.Diff([]model.UIDRange{{First: 0, Last: 191}}, ranges); all || d != "" {
		t.Error(d)
	}
	ranges, _ = s.changed(&sections{validity: 7, width: 64, digests: []digest{{9}, {2}}})
	if d := cmp.Diff([]model.UIDRange{{First: model.ProvisionalUID, Last: 1<<63 - 1}}, ranges); d != "" {
		t.Error(d)
	}
}
