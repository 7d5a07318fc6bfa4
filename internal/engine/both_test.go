package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/randomtest"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// twin is one message of the source and what must have come of it.
type twin struct {
	body string
	here bool // at the source
	box  string
	uid  uint64
	flag string // "", or a keyword besides $seen

	base     *side           // the source's state at the last sync
	there    bool            // at the destination
	boxes    map[string]bool // there, by mailbox ID
	words    map[string]bool // there
	detached bool            // the engine knows that its user deleted it
	noted    bool            // the ledger says that its user filed it elsewhere
}

// side is what a sync compares with.
type side struct {
	box      string
	validity int
	uid      uint64
	flag     string
}

// life is a random history of an account on both sides, with a model of what
// must come of it.
type life struct {
	*env
	rng    *rand.Rand
	boxes  []string
	twins  []*twin
	own    map[string]string // emails that the user wrote at the destination: content to mailbox
	target map[string]string // mailboxes at the destination
	// validity counts the UIDVALIDITYs of the source's mailboxes.
	validity map[string]int
}

func newLife(e *env, rng *rand.Rand) *life {
	l := &life{env: e, rng: rng, boxes: []string{"INBOX", "Work", "Play"}, own: map[string]string{}, target: map[string]string{}, validity: map[string]int{}}
	e.src.NoGUIDs, e.src.NoDeltas = rng.IntN(2) == 0, rng.IntN(2) == 0
	for _, b := range l.boxes[1:] {
		e.src.AddMailbox("anna", b, model.RoleNone)
	}
	e.done()
	for _, b := range l.boxes {
		name := b
		if b == "INBOX" {
			name = "Inbox"
		}
		l.target[b] = e.mailbox(name).ID
	}
	return l
}

func (l *life) any(list []string) string { return list[l.rng.IntN(len(list))] }

// pick returns a message that is as it should be, or nil.
func (l *life) pick(ok func(*twin) bool) *twin {
	var some []*twin
	for _, w := range l.twins {
		if ok(w) {
			some = append(some, w)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[l.rng.IntN(len(some))]
}

func flagsOf(word string) model.Flags {
	f := model.Flags{System: model.Seen}
	if word != "" {
		f.Keywords = []string{word}
	}
	return f
}

// atSource is one act of the user at the old server.
func (l *life) atSource() {
	here := func(w *twin) bool { return w.here }
	w := l.pick(here)
	switch op := l.rng.IntN(10); {
	case op < 4 || w == nil:
		n := len(l.twins)
		w = &twin{body: message(n), here: true, box: l.any(l.boxes), flag: l.any([]string{"", "a"})}
		w.uid = l.src.Deliver("anna", w.box, w.body, flagsOf(w.flag), day.Add(time.Duration(n)*time.Minute))
		l.twins = append(l.twins, w)
	case op < 6:
		w.flag = l.any([]string{"", "a", "b", "c"})
		l.src.SetFlags("anna", w.box, w.uid, flagsOf(w.flag))
	case op < 7:
		l.src.Expunge("anna", w.box, w.uid)
		w.here = false
	case op < 9:
		if to := l.any(l.boxes); to != w.box {
			w.uid = l.src.Move("anna", w.box, w.uid, to)
			w.box = to
		}
	case l.rng.IntN(3) == 0:
		box := l.any(l.boxes)
		var inIt []*twin
		for _, w := range l.twins {
			if w.here && w.box == box {
				inIt = append(inIt, w)
			}
		}
		slices.SortFunc(inIt, func(a, b *twin) int { return int(int64(a.uid) - int64(b.uid)) })
		l.src.ResetUIDValidity("anna", box)
		l.validity[box]++
		for i, uid := range l.src.UIDs("anna", box) {
			inIt[i].uid = uid
		}
	}
}

// atDestination is one act of the user at the new server.
func (l *life) atDestination() {
	w := l.pick(func(w *twin) bool { return w.there })
	if w == nil {
		return
	}
	a, id := l.account(), l.idOf(w.body)
	p := destination.Patch{ID: id}
	switch l.rng.IntN(5) {
	case 0:
		word := l.any([]string{"a", "b", "mine"})
		if w.words[word] {
			delete(w.words, word)
			p.RemoveKeywords = []string{word}
		} else {
			w.words[word] = true
			p.AddKeywords = []string{word}
		}
	case 1: // filed elsewhere
		from, to := slices.Sorted(maps.Keys(w.boxes))[0], l.target[l.any(l.boxes)]
		if w.boxes[to] {
			return
		}
		delete(w.boxes, from)
		w.boxes[to] = true
		p.RemoveMailboxes, p.AddMailboxes = []string{from}, []string{to}
	case 2: // filed in one more
		to := l.target[l.any(l.boxes)]
		if w.boxes[to] {
			return
		}
		w.boxes[to] = true
		p.AddMailboxes = []string{to}
	case 3:
		errs, err := a.Destroy(l.t.Context(), []string{id})
		l.must(err)
		l.must(errs[0])
		w.there, w.boxes, w.words = false, nil, nil
		return
	case 4: // written there
		text := message(10_000 + len(l.own))
		box := l.target[l.any(l.boxes)]
		up, err := a.Upload(l.t.Context(), []destination.Blob{{Size: int64(len(text)), Hash: blake3.Sum256([]byte(text)), Bytes: []byte(text)}})
		l.must(err)
		res, _, err := a.Import(l.t.Context(), []destination.Import{{BlobID: up[0].BlobID, Mailboxes: []string{box}, Received: day}})
		l.must(err)
		l.must(res[0].Err)
		l.own[text] = box
		return
	}
	errs, err := a.Update(l.t.Context(), []destination.Patch{p})
	l.must(err)
	l.must(errs[0])
}

func (l *life) idOf(body string) string {
	l.t.Helper()
	hash := destination.Hash(blake3.Sum256([]byte(body)))
	for _, m := range l.emails() {
		if m.Hash == hash {
			return m.ID
		}
	}
	l.t.Fatalf("no email %q", body[:60])
	return ""
}

// synced is what a run makes of one message: what the source changed since the
// last run happens at the destination, but to what its user has changed there.
// It reports whether something is kept.
func (l *life) synced(w *twin) (kept bool) {
	defer func() {
		w.base = nil
		if w.here {
			w.base = &side{w.box, l.validity[w.box], w.uid, w.flag}
		}
	}()
	switch {
	case w.base == nil && w.here: // new
		w.there, w.boxes, w.words = true, map[string]bool{l.target[w.box]: true}, wordsOf(w.flag)
	case w.base == nil: // came and went
	case !w.here: // deleted
		from := l.target[w.base.box]
		switch {
		case !w.there:
		case !w.boxes[from] || !maps.Equal(w.words, wordsOf(w.base.flag)):
			return true
		case len(w.boxes) > 1:
			delete(w.boxes, from)
		default:
			w.there, w.boxes, w.words = false, nil, nil
		}
	default:
		from, to := l.target[w.base.box], l.target[w.box]
		moved := w.base.uid != w.uid || from != to || w.base.validity != l.validity[w.box]
		switch {
		case !w.there && (moved || w.base.flag != w.flag && !w.detached):
			w.detached = true
			return true
		case !w.there:
		case moved && from != to && w.boxes[from]:
			delete(w.boxes, from)
			w.boxes[to] = true
		case moved && from != to && !w.boxes[to]:
			kept, w.noted = true, true
		}
		if w.there && w.base.flag != w.flag {
			if w.base.flag != "" {
				delete(w.words, w.base.flag)
			}
			if w.flag != "" {
				w.words[w.flag] = true
			}
		}
	}
	return kept
}

func wordsOf(flag string) map[string]bool {
	m := map[string]bool{"$seen": true}
	if flag != "" {
		m[flag] = true
	}
	return m
}

// sync runs, perhaps twice because the first run is stopped, and compares.
func (l *life) sync() {
	l.t.Helper()
	stopped := false
	if l.rng.IntN(3) == 0 {
		left := l.rng.IntN(25)
		r := l.env.sync(allowed, func(o *engine.Options) {
			o.Step = func(string) error {
				if left--; left < 0 {
					stopped = true
					return errStopped
				}
				return nil
			}
		})
		if r.Err != nil && !stopped {
			l.t.Fatal(r.Err)
		}
		stopped = true
	}
	r := l.done(allowed)
	kept := int64(0)
	for _, w := range l.twins {
		if l.synced(w) {
			kept++
		}
	}
	if !stopped && r.Counts.Kept != kept {
		l.t.Errorf("%d are said to be kept, want %d\n%v", r.Counts.Kept, kept, r.Notes)
	}
	l.compare()
}

// compare demands that the destination is as the model says, and that the
// report says so.
func (l *life) compare() {
	l.t.Helper()
	show := func(boxes, words []string) string {
		return strings.Join(boxes, ",") + " [" + strings.Join(words, " ") + "]"
	}
	want := map[destination.Hash]string{}
	missing := int64(0)
	for _, w := range l.twins {
		if w.there {
			want[blake3.Sum256([]byte(w.body))] = show(slices.Sorted(maps.Keys(w.boxes)), slices.Sorted(maps.Keys(w.words)))
		} else if w.here && !w.detached && !w.noted {
			missing++
		}
	}
	for text, box := range l.own {
		want[blake3.Sum256([]byte(text))] = show([]string{box}, nil)
	}
	seen := map[destination.Hash]bool{}
	for _, m := range l.emails() {
		got := show(m.Mailboxes, m.Keywords)
		switch {
		case seen[m.Hash]:
			l.t.Errorf("doubled: %s", got)
		case want[m.Hash] == "":
			l.t.Errorf("should not be there: %s", got)
		case want[m.Hash] != got:
			l.t.Errorf("is %s, should be %s", got, want[m.Hash])
		}
		seen[m.Hash] = true
	}
	for h, w := range want {
		if !seen[h] {
			l.t.Errorf("lost: %s", w)
		}
	}
	rep := l.verify()
	if rep.Missing != missing || rep.Different+rep.Gone+rep.Duplicates+rep.Refused != 0 || !rep.Balanced() {
		l.t.Errorf("the report says %+v; its user deleted %d\n%v", rep.Counts, missing, rep.Findings)
	}
	if l.t.Failed() {
		l.t.FailNow()
	}
}

// Users go on working on both sides between runs, and runs are stopped: what
// the source changed arrives, what a user changed at the destination stays and
// is counted, nothing is lost, nothing doubled.
func TestRandomLivesOnBothSides(t *testing.T) {
	t.Parallel()
	randomtest.Run(t, 24/stride(6), func(t *testing.T, seed uint64) {
		t.Parallel()
		rng := rand.New(rand.NewPCG(seed, 1))
		live(newLife(newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 1 + rng.IntN(9)}}), rng), 12)
	})
}

func TestRandomLivesAtARealServer(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	at := stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword}
	randomtest.Run(t, 6/stride(3), func(t *testing.T, seed uint64) {
		live(newLife(newEnvOn(t, at, fmt.Sprintf("anna%d@%s", seed, server.Domain)), rand.New(rand.NewPCG(seed, 1))), 8)
	})
}

func live(l *life, rounds int) {
	for range rounds {
		for range l.rng.IntN(12) {
			l.atSource()
		}
		if l.rng.IntN(3) > 0 {
			for range l.rng.IntN(6) {
				l.atDestination()
			}
		}
		l.sync()
	}
}

// Users go on at the destination even between a run that was stopped and the
// next one. What a half-finished effect makes of their acts is not for a model
// to say, but nothing may be lost or doubled.
func TestRandomLivesBetweenStoppedRuns(t *testing.T) {
	t.Parallel()
	randomtest.Run(t, 24/stride(6), func(t *testing.T, seed uint64) {
		t.Parallel()
		rng := rand.New(rand.NewPCG(seed, 2))
		l := newLife(newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 1 + rng.IntN(9)}}), rng)
		deleted := map[destination.Hash]bool{}
		for range 12 {
			for range rng.IntN(12) {
				l.atSource()
			}
			for range rng.IntN(6) {
				l.carelessly(deleted)
			}
			left := rng.IntN(40)
			r := l.env.sync(allowed, func(o *engine.Options) {
				o.Step = func(string) error {
					if left--; left < 0 {
						return errStopped
					}
					return nil
				}
			})
			if r.Err != nil && left >= 0 {
				t.Fatal(r.Err)
			}
		}
		l.done(allowed)
		l.nothingLost(deleted)
	})
}

// carelessly is one act of the user on whatever is at the destination.
func (l *life) carelessly(deleted map[destination.Hash]bool) {
	all := l.emails()
	if len(all) == 0 {
		return
	}
	m := all[l.rng.IntN(len(all))]
	if l.rng.IntN(2) == 0 { // what a stopped run has brought last
		m = all[max(0, len(all)-1-l.rng.IntN(3))]
	}
	p := destination.Patch{ID: m.ID}
	switch l.rng.IntN(6) {
	case 0, 1:
		p.AddKeywords = []string{l.any([]string{"a", "b", "mine"})}
	case 2, 3, 4:
		to := l.target[l.any(l.boxes)]
		if slices.Contains(m.Mailboxes, to) {
			return
		}
		p.RemoveMailboxes, p.AddMailboxes = []string{m.Mailboxes[0]}, []string{to}
	case 5:
		deleted[m.Hash] = true
		errs, err := l.account().Destroy(l.t.Context(), []string{m.ID})
		l.must(err)
		l.must(errs[0])
		return
	}
	errs, err := l.account().Update(l.t.Context(), []destination.Patch{p})
	l.must(err)
	l.must(errs[0])
}

func (l *life) nothingLost(deleted map[destination.Hash]bool) {
	l.t.Helper()
	count := map[destination.Hash]int{}
	for _, m := range l.emails() {
		count[m.Hash]++
	}
	for _, w := range l.twins {
		h := destination.Hash(blake3.Sum256([]byte(w.body)))
		if count[h] > 1 || w.here && count[h] == 0 && !deleted[h] {
			l.t.Errorf("message %d of %s is there %d times", w.uid, w.box, count[h])
		}
	}
	if rep := l.verify(); rep.Different+rep.Gone+rep.Duplicates+rep.Refused != 0 || !rep.Balanced() {
		l.t.Errorf("%+v\n%v", rep.Counts, rep.Findings)
	}
}
