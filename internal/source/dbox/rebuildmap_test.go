package dbox_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

var mapless = map[string]string{
	"mdbox":       "mdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n",
	"mdbox by ID": "mdbox:DIR/%d/%n/mail:LAYOUT=index",
	"mdbox index": "mdbox:DIR/%d/%n/mail:INDEX=DIR/index/%n",
}

// spoil removes or overwrites the files below the site whose names begin so, all
// or those whose path is one of them.
func (s *site) spoil(t *testing.T, prefix, how string, of func(path string) bool) {
	t.Helper()
	n := 0
	must(t, filepath.WalkDir(s.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(e.Name(), prefix) || of != nil && !of(path) {
			return err
		}
		n++
		if how == "missing" {
			return os.Remove(path)
		}
		return os.WriteFile(path, []byte(strings.Repeat("damage", 100)), 0o600)
	}))
	if n == 0 {
		t.Fatalf("there is no %s", prefix)
	}
}

// Given a store of a real Dovecot with copies, moves and mail that was expunged
// and not purged, when the map is lost, then everything reads as before.
func TestLostMap(t *testing.T) {
	t.Parallel()
	for name, location := range mapless {
		for _, how := range []string{"missing", "overwritten"} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				s := start(t, location, smallFiles)
				rng := rand.New(rand.NewPCG(5, 6))
				s.live(t, rng, 30)
				if strings.Contains(location, "ALT=") {
					s.Doveadm(t, "altmove", "-u", anna, "mailbox", "INBOX", "1:5")
				}
				s.live(t, rng, 10)
				before := sourcetest.Dump(t, s.disk(), model.Account{Login: anna})
				s.Stop()
				s.spoil(t, "dovecot.map.index", how, nil)
				if d := cmp.Diff(before, sourcetest.Dump(t, s.disk(), model.Account{Login: anna})); d != "" {
					t.Errorf("with the map (-) and without (+):\n%s", d)
				}
				told := damage(t, s.disk())
				if len(told) != 1 || told[0].Mailbox != "" || !strings.Contains(told[0].Text, "messages were found in their files") {
					t.Errorf("told %+v", told)
				}
			})
		}
	}
}

// damage lists an account and returns what was found damaged.
func damage(t *testing.T, src source.Source) []model.Damage {
	t.Helper()
	st, err := src.Open(t.Context(), model.Account{Login: anna})
	must(t, err)
	defer st.Close()
	_, err = st.Collections(t.Context())
	must(t, err)
	return st.(source.Damaged).Damage()
}

// Given a store that has lost map and indexes, it is taken for a wrong location;
// only when the administrator says that it is none, every message comes, into
// the mailbox that it was saved to first.
func TestLostEverything(t *testing.T) {
	t.Parallel()
	for name, location := range mapless {
		if strings.Contains(location, "LAYOUT=index") {
			continue // there the names of mailboxes are lost, too
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, location, smallFiles)
			s.live(t, rand.New(rand.NewPCG(7, 8)), 30)
			before := sourcetest.Dump(t, s.disk(), model.Account{Login: anna})
			s.Stop()
			s.spoil(t, "dovecot.", "missing", nil)

			st, err := s.disk().Open(t.Context(), model.Account{Login: anna})
			must(t, err)
			defer st.Close()
			cols, err := st.Collections(t.Context())
			must(t, err)
			for _, c := range cols {
				if c.Container {
					continue
				}
				for _, err := range st.Changes(t.Context(), c, "") {
					if code := model.CodeOf(err); code != "noIndex" {
						t.Errorf("%v: %v, want that it stops", c.Path, err)
					}
					break
				}
			}

			o := s.options()
			o.Rebuild = true
			after := sourcetest.Dump(t, dbox.New(o), model.Account{Login: anna})
			want, got := texts(before), texts(after)
			for _, m := range want {
				if _, ok := slices.BinarySearch(got, m); !ok {
					t.Errorf("%.60q is lost", m)
				}
			}
			if told := damage(t, dbox.New(o)); len(told) == 0 {
				t.Error("nothing was told")
			}
			for path, b := range after {
				for _, it := range b.Items {
					if !it.Flags.Equal(model.Flags{}) {
						t.Errorf("%s: UID %d has flags", path, it.UID)
					}
				}
			}
		})
	}
}

// texts are all different messages, in order.
func texts(boxes map[string]sourcetest.Box) (out []string) {
	for _, b := range boxes {
		for _, it := range b.Items {
			out = append(out, it.GUID+" "+it.Text)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
