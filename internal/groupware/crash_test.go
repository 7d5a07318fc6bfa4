package groupware_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// fill gives an account something of every kind.
func (e *env) fill() {
	home := calendar("home", "Home")
	home.Default = true
	e.src.PutCollection(e.name, home)
	e.src.PutCollection(e.name, calendar("work", "Work"))
	e.src.PutCollection(e.name, model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	e.src.PutCollection(e.name, model.ObjectCollection{Kind: model.KindFiles, ID: "docs", Path: []string{"Docs"}})
	for i := range 14 {
		e.src.PutObject(e.name, model.KindCalendar, "home", fmt.Sprint(i, ".ics"), ics(fmt.Sprint("event-", i), fmt.Sprint("Event ", i)))
	}
	e.src.PutObject(e.name, model.KindCalendar, "work", "a.ics", ics("audio", "With a bell", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM"))
	e.src.PutObject(e.name, model.KindCalendar, "work", "l.ics", ics("located", "Somewhere", "LOCATION:Wien", "GEO:48.2;16.3"))
	for i := range 12 { // enough of them to go in bulk
		e.src.PutObject(e.name, model.KindContacts, "book", fmt.Sprint(i, ".vcf"), vcf(fmt.Sprint("card-", i), fmt.Sprint("Card ", i)))
	}
	// What the server makes of this one in bulk is written again.
	e.src.PutObject(e.name, model.KindContacts, "book", "z.vcf", vcf("zoned", "Zoned", "TZ:+01:00"))
	for i := range 3 {
		e.src.PutObject(e.name, model.KindFiles, "docs", fmt.Sprint(i, ".txt"), fmt.Sprint("File ", i))
	}
}

// change does one of everything at the source.
func (e *env) change() {
	e.src.PutObject(e.name, model.KindCalendar, "home", "1.ics", ics("event-1", "Changed"))
	e.src.RemoveObject(e.name, model.KindCalendar, "home", "2.ics")
	e.src.MoveObject(e.name, model.KindCalendar, "home", "3.ics", "work")
	e.src.PutObject(e.name, model.KindContacts, "book", "1.vcf", vcf("card-1", "Changed"))
	e.src.RemoveObject(e.name, model.KindContacts, "book", "2.vcf")
	e.src.PutObject(e.name, model.KindFiles, "docs", "1.txt", "Changed")
	e.src.RemoveObject(e.name, model.KindFiles, "docs", "2.txt")
	work := calendar("work", "Arbeit")
	work.Color = "#00ff00"
	e.src.PutCollection(e.name, work)
}

// wantFilled checks the destination against what fill and change made.
func (e *env) wantFilled(changed bool) {
	e.t.Helper()
	cals := e.collections(model.KindCalendar)
	home, books, folders := e.texts(cals["Home"]), e.collections(model.KindContacts), e.collections(model.KindFiles)
	work, cards, files := "Work", e.texts(books["Book"]), e.texts(folders["Docs"])
	n, atWork, names, docs := 14, "audio located", "card-0 card-1 card-10 card-11 card-2 card-3 card-4 card-5 card-6 card-7 card-8 card-9 zoned", "0.txt 1.txt 2.txt"
	if changed {
		work, n, atWork, names, docs = "Arbeit", 12, "audio event-3 located", strings.Replace(names, "card-2 ", "", 1), "0.txt 1.txt"
		if !strings.Contains(home["event-1"], "Changed") || !strings.Contains(cards["card-1"], "Changed") || files["1.txt"] != "Changed" {
			e.t.Errorf("a change did not arrive: %q, %q, %q", home["event-1"], cards["card-1"], files["1.txt"])
		}
		if cals["Arbeit"].Color != "#00ff00" {
			e.t.Errorf("the colour did not arrive: %+v", cals["Arbeit"])
		}
	}
	if len(cals) != 2 || len(home) != n || keys(e.texts(cals[work])) != atWork || keys(cards) != names || keys(files) != docs {
		e.t.Errorf("calendars %s; home %s; work %s; cards %s; files %s", keys(cals), keys(home), keys(e.texts(cals[work])), keys(cards), keys(files))
	}
	if !strings.Contains(cards["zoned"], "TZ:+01:00") {
		e.t.Errorf("the card with a zone is %q", cards["zoned"])
	}
	if got := e.texts(cals[work])["located"]; !strings.Contains(got, "LOCATION:Wien") || !strings.Contains(got, "GEO:48.2;16.3") {
		e.t.Errorf("the located event is %q", got)
	}
}

var errStop = errors.New("stopped here")

// The program stops at every step in turn and runs again: in the end everything
// is there once.
func TestStopAtEveryStep(t *testing.T) { both(t, testStopAtEveryStep) }

func testStopAtEveryStep(t *testing.T, s *server) {
	for stop, done := 0, false; !done; stop++ {
		name := fmt.Sprint("stop", stop)
		e := newEnv(t, s, name)
		e.fill()
		done = true
		stopping := func(o *groupware.Options) {
			n := 0
			o.Step = func(string) error {
				if n++; n > stop {
					done = false
					return errStop
				}
				return nil
			}
		}
		for _, changed := range []bool{false, true} {
			if changed {
				e.change()
			}
			if _, err := e.run(stopping); err != nil && !errors.Is(err, errStop) {
				t.Fatalf("stop at %d: %v", stop, err)
			}
			e.must()
			e.wantFilled(changed)
			e.unchanged()
		}
		if t.Failed() || stop > 200 {
			t.Fatalf("stopped at step %d: %s", stop, strings.Join(e.notes, "\n"))
		}
	}
}

// The program stops after the server has changed the meaning of some cards, and
// before they are written again: the next run does it.
func TestStopBeforeRewriting(t *testing.T) { both(t, testStopBeforeRewriting) }

func testStopBeforeRewriting(t *testing.T, s *server) {
	for _, ended := range []bool{false, true} {
		e := newEnv(t, s, fmt.Sprint("rewrite-", ended))
		e.src.PutCollection(e.name, model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
		const quoted = "NOTE;X-BY=^'Ada^':A note"
		for i := range 12 {
			e.src.PutObject(e.name, model.KindContacts, "book", fmt.Sprint(i, ".vcf"), vcf(fmt.Sprint("card-", i), "Card", quoted))
		}
		rewriting := false
		_, err := e.run(func(o *groupware.Options) {
			o.Step = func(step string) error {
				if step == "update" && !ended || rewriting {
					return errStop
				}
				rewriting = step == "update"
				return nil
			}
		})
		if !errors.Is(err, errStop) {
			t.Fatalf("nothing was to be written again: %v", err)
		}
		if res := e.must(); res.Contacts.Kept > 0 || res.Contacts.Refused > 0 {
			t.Errorf("%+v; %s", res, strings.Join(e.notes, "\n"))
		}
		have := e.texts(e.collections(model.KindContacts)["Book"])
		for uid, text := range have {
			if !strings.Contains(text, "X-BY=^'Ada^'") && !strings.Contains(text, `X-BY="^'Ada^'"`) {
				t.Errorf("%s is %q", uid, text)
			}
		}
		if len(have) != 12 {
			t.Errorf("%d cards", len(have))
		}
		e.unchanged()
	}
}

// The program stops while two batches of an address book are on their way, and
// runs again: each card is there once.
func TestStopBetweenBatches(t *testing.T) { both(t, testStopBetweenBatches) }

func testStopBetweenBatches(t *testing.T, s *server) {
	const n = 1300 // three batches
	steps := 0
	for _, stop := range []int{-1, 4, 5, 6, 8, 9, 11} {
		e := newEnv(t, s, fmt.Sprint("many", stop+1))
		e.src.PutCollection(e.name, model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
		for i := range n {
			e.src.PutObject(e.name, model.KindContacts, "book", fmt.Sprint(i, ".vcf"), vcf(fmt.Sprint("card-", i), "Card"))
		}
		count := 0
		res, err := e.run(func(o *groupware.Options) {
			o.Step = func(string) error {
				if count++; stop >= 0 && count > stop {
					return errStop
				}
				return nil
			}
		})
		if stop < 0 {
			steps = count
			if err != nil || res.Contacts.Created != n {
				t.Fatalf("%+v, %v", res, err)
			}
		} else if stop < steps && !errors.Is(err, errStop) {
			t.Errorf("stop at %d of %d: %v", stop, steps, err)
		}
		e.must()
		if have := e.texts(e.collections(model.KindContacts)["Book"]); len(have) != n {
			t.Errorf("stop at %d: %d cards; %s", stop, len(have), strings.Join(e.notes, "\n"))
		}
		e.unchanged()
	}
}

// faulty is a destination of which one call fails.
type faulty struct {
	destination.Account
	destination.ObjectStore
	mu    sync.Mutex
	calls int
	at    int
	after bool
	hit   bool
}

func (f *faulty) call(fn func() error) error {
	f.mu.Lock()
	f.calls++
	mine := f.calls == f.at+1
	f.hit = f.hit || mine
	f.mu.Unlock()
	fault := &model.Fault{Class: model.ClassRetry, Code: destination.CodeAmbiguous, Err: errors.New("the line is cut")}
	if mine && !f.after {
		return fault
	}
	if err := fn(); err != nil {
		return err
	}
	if mine {
		return fault
	}
	return nil
}

func (f *faulty) PutObjectCollection(ctx context.Context, c destination.ObjectCollection, key string) (id string, err error) {
	err = f.call(func() error { id, err = f.ObjectStore.PutObjectCollection(ctx, c, key); return err })
	return id, err
}

func (f *faulty) CreateObjects(ctx context.Context, in destination.Collection, w []destination.ObjectWrite) (out []destination.ObjectWritten, err error) {
	err = f.call(func() error { out, err = f.ObjectStore.CreateObjects(ctx, in, w); return err })
	return out, err
}

func (f *faulty) UpdateObjects(ctx context.Context, in destination.Collection, w []destination.ObjectWrite) (out []destination.ObjectWritten, err error) {
	err = f.call(func() error { out, err = f.ObjectStore.UpdateObjects(ctx, in, w); return err })
	return out, err
}

func (f *faulty) MoveObject(ctx context.Context, from, to destination.Collection, id string) (o destination.Object, err error) {
	err = f.call(func() error { o, err = f.ObjectStore.MoveObject(ctx, from, to, id); return err })
	return o, err
}

func (f *faulty) DeleteObjects(ctx context.Context, in destination.Collection, list []destination.Object) (errs []error, err error) {
	err = f.call(func() error { errs, err = f.ObjectStore.DeleteObjects(ctx, in, list); return err })
	return errs, err
}

func (f *faulty) ReadObjects(ctx context.Context, in destination.Collection, ids []string, fn func(destination.Object, io.Reader, error) error) error {
	return f.call(func() error { return f.ObjectStore.ReadObjects(ctx, in, ids, fn) })
}

// Every call that writes fails in turn, before and after its effect; at the
// latest the next run brings everything, once.
func TestFaults(t *testing.T) { both(t, testFaults) }

func testFaults(t *testing.T, s *server) {
	for _, after := range []bool{false, true} {
		for at, hit := 0, true; hit; at++ {
			e := newEnv(t, s, fmt.Sprintf("fault%d%t", at, after))
			e.fill()
			plain := e.dst
			f := &faulty{Account: plain, ObjectStore: e.at(), at: at, after: after}
			e.dst = f
			_, _ = e.run()
			e.dst = plain
			e.must()
			e.wantFilled(false)
			e.change()
			e.dst = f
			_, _ = e.run()
			e.dst = plain
			e.must()
			e.wantFilled(true)
			e.unchanged()
			if hit = f.hit; t.Failed() || at > 100 {
				t.Fatalf("fault at call %d, after its effect %t: %s", at, after, strings.Join(e.notes, "\n"))
			}
		}
	}
}

// Without the ledger, what is at the destination is recognised by UID and
// meaning: nothing is there twice.
func TestLostLedger(t *testing.T) { both(t, testLostLedger) }

func testLostLedger(t *testing.T, s *server) {
	e := newEnv(t, s, "lost")
	e.fill()
	e.must()
	e.led.Close()
	var err error
	if e.led, err = ledger.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	res := e.must()
	if sum := res.Sum(); sum.Adopted != 32 || sum.Created != 0 || sum.Kept != 0 {
		t.Errorf("adopted %+v; %s", res, strings.Join(e.notes, "\n"))
	}
	e.wantFilled(false)
	e.change()
	e.must()
	e.wantFilled(true)
	e.unchanged()
	e.led.Close()
}
