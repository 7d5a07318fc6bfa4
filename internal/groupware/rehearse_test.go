package groupware_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/model"
)

// garbled is an account whose destination changes by JMAP what objects mean, in a
// way that nobody foresaw: it reads Garbled where Honest was said.
type garbled struct {
	*env
	kind model.Kind
	text func(uid, name string, lines ...string) string
	// strike, if set, sees requests that destroy a collection with its objects.
	strike func(http.ResponseWriter) bool
	// sets counts requests that the destination garbled.
	sets atomic.Int64
}

func newGarbled(t *testing.T, s *server, name string, kind model.Kind) *garbled {
	g := &garbled{env: newEnv(t, s, name+"-"+strings.ReplaceAll(kind.String(), " ", "-")), kind: kind, text: ics}
	g.src.PutCollection(g.name, calendar("in", "Home"))
	if kind == model.KindContacts {
		g.text = vcf
		g.src.PutCollection(g.name, model.ObjectCollection{Kind: kind, ID: "in", Path: []string{"Home"}})
	}
	for i := range 12 { // enough of them to go in bulk
		g.put(i, "Honest")
	}
	g.through(func(w http.ResponseWriter, r *http.Request, body []byte) []byte {
		if bytes.Contains(body, []byte("onDestroyRemove")) && g.strike != nil && g.strike(w) {
			return nil
		}
		if r.Method == http.MethodPut && bytes.Contains(body, []byte("never by DAV")) {
			cut(w)
			return nil
		}
		if bytes.Contains(body, []byte(`"CalendarEvent/set"`)) || bytes.Contains(body, []byte(`"ContactCard/set"`)) {
			g.sets.Add(1)
			body = bytes.ReplaceAll(body, []byte("Honest"), []byte("Garbled"))
		}
		return body
	})
	return g
}

func (g *garbled) uid(i int) string { return fmt.Sprint("object-", i) }

func (g *garbled) put(i int, name string) {
	g.src.PutObject(g.name, g.kind, "in", fmt.Sprint(i), g.text(g.uid(i), name))
}

func (g *garbled) home() destination.ObjectCollection { return g.collections(g.kind)["Home"] }

// stop runs until the destination has stored the objects and the ledger does not
// know it yet.
func (g *garbled) stop() {
	g.t.Helper()
	stopped := false
	_, err := g.run(func(o *groupware.Options) {
		o.Step = func(step string) error {
			if stopped = stopped || step == "ledger: objects to rewrite"; stopped {
				return errStop
			}
			return nil
		}
	})
	if !errors.Is(err, errStop) {
		g.t.Fatalf("nothing was to be written again: %v", err)
	}
	if text := g.texts(g.home())[g.uid(1)]; !strings.Contains(text, "Garbled") {
		g.t.Fatalf("nothing is garbled: %q", text)
	}
}

// want checks what is there: the number of objects, and what those mean that are
// not honest.
func (g *garbled) want(n int, but map[int]string) {
	g.t.Helper()
	have := g.texts(g.home())
	if len(have) != n {
		g.t.Errorf("%d objects: %s", len(have), keys(have))
	}
	for i := range n {
		want := "Honest"
		if but[i] != "" {
			want = but[i]
		}
		if got := have[g.uid(i)]; !strings.Contains(got, want) {
			g.t.Errorf("%s is %q, want %s", g.uid(i), got, want)
		}
	}
	// No rehearsal is left with the migrator.
	if mine, err := g.s.dst.Open(g.t.Context(), "migrator@"+g.s.domain); err != nil {
		g.t.Error(err)
	} else if all, err := mine.(destination.ObjectStore).ObjectCollections(g.t.Context(), g.kind); err != nil || len(all) > 1 {
		g.t.Errorf("the migrator has %+v, %v", all, err)
	}
}

// A destination garbles what it converts. All of them on one server, one after the
// other: they look at what the migrator has.
func TestGarbled(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		for _, c := range []struct {
			name string
			test func(*testing.T, *garbled)
		}{
			{"Repaired", testGarbled}, {"Poisoned", testGarbledAndPoisoned}, {"Stopped", testGarbledAndStopped},
			{"Changed", testGarbledAndChanged}, {"CutOff", testGarbledAndCutOff},
		} {
			t.Run(c.name, func(t *testing.T) {
				for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts} {
					c.test(t, newGarbled(t, s, strings.ToLower(c.name), kind))
				}
			})
		}
		t.Run("StoppedAgain", func(t *testing.T) { testGarbledAndStoppedAgain(t, s) })
		t.Run("Unanswered", func(t *testing.T) { testGarbledAndUnanswered(t, s) })
		t.Run("NotRehearsed", func(t *testing.T) { testGarbledAndNotRehearsed(t, s) })
	})
}

// What the destination garbles is written again by its text in the same run.
func testGarbled(t *testing.T, g *garbled) {
	if res := g.must(); res.Of(g.kind).Created != 12 || res.Of(g.kind).Changed != 0 {
		t.Errorf("%+v", res)
	}
	g.want(12, nil)
	g.unchanged()
	if n := g.sets.Load(); n != 1 {
		t.Errorf("%d sets: nothing was to be found out", n)
	}
}

// One of them breaks the request that writes it again: it stays as the destination
// made it, by name, and all others are repaired.
func testGarbledAndPoisoned(t *testing.T, g *garbled) {
	g.put(7, "Honest never by DAV")
	res := g.must()
	if n := res.Of(g.kind); n.Created != 12 || n.Kept != 0 || n.Repaired != 1 || !strings.Contains(strings.Join(g.notes, "\n"), g.uid(7)+"|"+groupware.NoteRepaired+"|stored, but") {
		t.Errorf("%+v; %s", res, strings.Join(g.notes, "\n"))
	}
	g.want(12, map[int]string{7: "Garbled never"})
	g.unchanged()
}

// The program stops after the destination has stored something else than was
// meant, and before the ledger knows of it: the next run finds out that nobody but
// the destination changed it, and repairs it.
func testGarbledAndStopped(t *testing.T, g *garbled) {
	g.stop()
	if res := g.must(); res.Of(g.kind).Created != 12 || res.Of(g.kind).Kept != 0 {
		t.Errorf("%+v; %s", res, strings.Join(g.notes, "\n"))
	}
	g.want(12, nil)
	g.unchanged()
}

// The next run stops at every step, too.
func testGarbledAndStoppedAgain(t *testing.T, s *server) {
	for stop, done := 0, false; !done; stop++ {
		g := newGarbled(t, s, fmt.Sprint("again", stop), model.KindContacts)
		g.stop()
		n := 0
		done = true
		_, err := g.run(func(o *groupware.Options) {
			o.Step = func(string) error {
				if n++; n > stop {
					done = false
					return errStop
				}
				return nil
			}
		})
		if err != nil && !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		res := g.must()
		g.want(12, nil)
		g.unchanged()
		if res.Contacts.Kept != 0 || t.Failed() || stop > 50 {
			t.Fatalf("stopped at step %d: %+v; %s", stop, res, strings.Join(g.notes, "\n"))
		}
	}
}

// What a user changed meanwhile stays, and is told; what they deleted comes again,
// as nobody knows that it was there.
func testGarbledAndChanged(t *testing.T, g *garbled) {
	g.stop()
	g.edit(g.home(), g.uid(3), g.text(g.uid(3), "Of the user"))
	g.edit(g.home(), g.uid(4), g.text(g.uid(4), "Garbled", "NOTE:Of the user"))
	g.remove(g.home(), g.uid(5))
	// And this one changed at the source: what the destination would have made
	// of its former text, nobody can ask any more.
	g.put(6, "Second")
	res := g.must()
	if n := res.Of(g.kind); n.Created != 9 || n.Kept != 3 {
		t.Errorf("%+v; %s", res, strings.Join(g.notes, "\n"))
	}
	told := strings.Join(g.notes, "\n")
	for _, i := range []int{3, 4, 6} {
		if !strings.Contains(told, g.uid(i)+"|"+groupware.NoteKept) {
			t.Errorf("no note names %s: %s", g.uid(i), told)
		}
	}
	g.want(12, map[int]string{3: "Of the user", 4: "Of the user", 6: "Garbled"})
	g.unchanged()
}

// silent is a destination whose answer to a create is lost.
type silent struct {
	destination.Account
	destination.ObjectStore
	// told is how many of the results come back all the same.
	told int
	lost bool
}

func (s *silent) CreateObjects(ctx context.Context, in destination.Collection, w []destination.ObjectWrite) ([]destination.ObjectWritten, error) {
	out, err := s.ObjectStore.CreateObjects(ctx, in, w)
	if err != nil || s.lost {
		return out, err
	}
	s.lost = true
	clear(out[s.told:])
	return out, &model.Fault{Class: model.ClassRetry, Code: destination.CodeAmbiguous, Err: errors.New("the line is cut")}
}

// The answer is lost, or a part of it: what the destination garbled is found and
// repaired in the same run.
func testGarbledAndUnanswered(t *testing.T, s *server) {
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts} {
		for _, told := range []int{0, 7, 12} {
			g := newGarbled(t, s, fmt.Sprint("silent", told), kind)
			g.dst = &silent{Account: g.dst, ObjectStore: g.at(), told: told}
			if res := g.must(); res.Of(kind).Created != 12 || res.Of(kind).Kept != 0 {
				t.Errorf("%d of the answer: %+v; %s", told, res, strings.Join(g.notes, "\n"))
			}
			g.want(12, nil)
			// What the answer told needs no rehearsal.
			if n := g.sets.Load(); n != map[int]int64{0: 2, 7: 2, 12: 1}[told] {
				t.Errorf("%d of the answer: %d sets", told, n)
			}
			g.unchanged()
		}
	}
}

// A rehearsal that is cut off leaves something behind with the migrator; the next
// one clears it away.
func testGarbledAndCutOff(t *testing.T, g *garbled) {
	g.stop()
	ctx, cancel := context.WithCancel(t.Context())
	g.strike = func(w http.ResponseWriter) bool {
		cancel()
		http.Error(w, "no", http.StatusServiceUnavailable)
		return true
	}
	plain := g.dst
	g.dst = &staged{Account: plain, ObjectStore: g.at(), within: ctx}
	if _, err := g.run(); err == nil {
		t.Fatal("it was not cut off")
	}
	g.dst, g.strike = plain, nil
	if res := g.must(); res.Of(g.kind).Created != 12 || res.Of(g.kind).Kept != 0 {
		t.Errorf("%+v; %s", res, strings.Join(g.notes, "\n"))
	}
	g.want(12, nil)
	g.unchanged()
}

// staged is a destination that fails at some rehearsals.
type staged struct {
	destination.Account
	destination.ObjectStore
	// within is what they are part of; nil: the run.
	within context.Context
	// refuse says why one fails; nil: it does not.
	refuse func([]destination.ObjectWrite) error
}

func (s *staged) Rehearse(ctx context.Context, kind model.Kind, w []destination.ObjectWrite) ([]string, error) {
	if s.within != nil {
		ctx = s.within
	}
	if s.refuse != nil {
		if err := s.refuse(w); err != nil {
			return nil, err
		}
	}
	texts, err := s.ObjectStore.Rehearse(ctx, kind, w)
	if err != nil && ctx.Err() != nil {
		err = &model.Fault{Class: model.ClassFatal, Code: "ended", Err: err}
	}
	return texts, err
}

// Where the destination fails at all rehearsals, the account stops and nothing is
// decided; where it fails at one of them, that one is kept and told, and the others
// are repaired; where the login may not have any, all are kept and told.
func testGarbledAndNotRehearsed(t *testing.T, s *server) {
	down := &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Err: errors.New("the line is cut")}
	for name, c := range map[string]struct {
		refuse        func([]destination.ObjectWrite) error
		created, kept int64 // none: the account stops
	}{
		"all": {refuse: func([]destination.ObjectWrite) error { return down }},
		"one": {created: 11, kept: 1, refuse: func(w []destination.ObjectWrite) error {
			if slices.ContainsFunc(w, func(w destination.ObjectWrite) bool { return w.UID == "object-7" }) {
				return down
			}
			return nil
		}},
		"denied": {kept: 12, refuse: func([]destination.ObjectWrite) error {
			return &model.Fault{Class: model.ClassAccount, Code: "forbidden", Err: errors.New("you may not")}
		}},
	} {
		g := newGarbled(t, s, "rehearse-"+name, model.KindContacts)
		g.stop()
		plain := g.dst
		g.dst = &staged{Account: plain, ObjectStore: g.at(), refuse: c.refuse}
		res, err := g.run()
		g.dst = plain
		if c.created+c.kept == 0 {
			if model.CodeOf(err) != "destinationFails" || res.Contacts.Kept != 0 {
				t.Errorf("%s: %+v, %v", name, res, err)
			}
			res, err = g.run()
			c.created = 12
		}
		if err != nil || res.Contacts.Created != c.created || res.Contacts.Kept != c.kept {
			t.Errorf("%s: %+v, %v; %s", name, res, err, strings.Join(g.notes, "\n"))
		}
		if told := strings.Join(g.notes, "\n"); c.kept > 0 && !strings.Contains(told, "object-7|"+groupware.NoteKept+"|an object with this UID is at the destination with another content; left so. Whether") {
			t.Errorf("%s: no note says why: %s", name, told)
		}
		garbled := map[int]string{}
		for i := range 12 {
			if c.kept == 12 || c.kept == 1 && i == 7 {
				garbled[i] = "Garbled"
			}
		}
		g.want(12, garbled)
		g.unchanged()
	}
}
