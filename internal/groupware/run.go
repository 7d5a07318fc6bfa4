package groupware

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/safeshare"
	"mailhaul.org/mailhaul/internal/source"
)

// Options are what the objects of one account need. Source and Ledger are
// required.
type Options struct {
	Source  source.Objects
	Ledger  *ledger.Ledger
	Account int64 // the account's row in the ledger
	// SpoolDir takes files too large for memory; it must exist.
	SpoolDir string
	// AllowDeletions, RetryRefused: as for mail.
	AllowDeletions, RetryRefused bool
	// SettleDelay is how long to wait before a write whose answer was lost is
	// looked up; 0: 2 s.
	SettleDelay time.Duration
	// Step, if set, is called before every effect on ledger or destination; an
	// error ends the run there.
	Step func(name string) error
	// Meter, if set, is told where the time goes, by the clock Now; nil means
	// time.Now.
	Meter Meter
	Now   func() time.Time
	// Note, if set, is told what an administrator should know.
	Note func(collection, item, code, text string)
}

// Codes of notes.
const (
	NoteRefused      = "refused"
	NoteRepaired     = "repaired"
	NoteDoubtful     = "doubtful" // carried as it is, which not every program reads as it was meant
	NoteAltered      = "altered"  // written as it is, and shown otherwise by the destination
	NoteKept         = "kept"
	NoteSubscription = "subscription"
	NoteReadOnly     = "readOnly"
	NoteHeld         = safeshare.Note
	NoteNotTaken     = "notTaken"
	NoteUnreadable   = "unreadable"
	NoteMerged       = "merged"
)

// kinds is the order in which they are moved.
var kinds = []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles}

// Account is the convergence of one account's objects. It is used by one
// goroutine.
type Account struct {
	Options
	// mu is held by whoever writes a batch, but while the destination is at work.
	mu      sync.Mutex
	witness witness
	dst     destination.ObjectStore
	res     Result
	all     []*collection
	retired []ledger.ObjectCollection
	// incomplete: something at the source could not be listed, so what is
	// missing there may not be gone.
	incomplete bool
	work       bool
	behind     map[model.Kind]int64 // collections that were refused, and objects that could not be read
	troubled   map[string]bool      // items of which earlier runs noted that they were refused or could not be read
	limits     map[model.Kind]bool  // what the destination takes was asked for
	// awaited are the names of new resources that could not be read.
	awaited map[model.Kind]map[string]bool
}

// collection is one of the source and its row in the ledger.
type collection struct {
	src model.ObjectCollection
	row ledger.ObjectCollection
	// changed: the source may hold something that the ledger does not know.
	changed bool
	// lost: its user deleted it at the destination.
	lost bool
}

func (c *collection) name() string { return strings.Join(c.src.Path, "/") }

func (c *collection) at() destination.Collection {
	return destination.Collection{Kind: c.src.Kind, ID: c.row.Target}
}

// Survey asks the source for its collections and finds their rows.
func Survey(ctx context.Context, o Options) (*Account, error) {
	a := &Account{Options: o, behind: map[model.Kind]int64{}, troubled: map[string]bool{}, awaited: map[model.Kind]map[string]bool{}, limits: map[model.Kind]bool{}}
	if a.Step == nil {
		a.Step = func(string) error { return nil }
	}
	if a.Note == nil {
		a.Note = func(string, string, string, string) {}
	}
	if a.Meter == nil {
		a.Meter = unmetered{}
	}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.SettleDelay <= 0 {
		a.SettleDelay = 2 * time.Second
	}
	list, errs, err := a.Source.ObjectCollections(ctx)
	if err != nil {
		return nil, err
	}
	known, err := a.Ledger.ObjectCollections(ctx, a.Account)
	if err != nil {
		return nil, err
	}
	for _, e := range errs {
		if model.ClassOf(e) != model.ClassItem {
			return nil, e
		}
		a.incomplete = true
		if model.CodeOf(e) != source.CodeNoHome || len(known) > 0 { // most accounts without calendars have none
			a.unreadable("", e)
		}
	}
	used := map[int64]bool{}
	for _, src := range list {
		var repaired bool
		if src.Path, repaired = readablePath(src.Path); repaired {
			a.Note(strings.Join(src.Path, "/"), "", NoteRepaired, nameNotUTF8)
		}
		if src.Subscription != "" {
			text, remedy := src.Resubscribe()
			a.Note(strings.Join(src.Path, "/"), "", NoteSubscription, text+"; "+remedy)
			continue
		}
		c := &collection{src: src}
		i := slices.IndexFunc(known, func(k ledger.ObjectCollection) bool { return k.Kind == src.Kind && k.SourceID == src.ID })
		if i >= 0 {
			c.row = known[i]
			used[c.row.ID] = true
			c.row.Retired = false
		} else {
			c.row = ledger.ObjectCollection{Account: a.Account, Kind: src.Kind, SourceID: src.ID}
		}
		c.row.Path = src.Path
		c.changed = src.Fingerprint == "" || src.Fingerprint != c.row.Fingerprint
		a.work = a.work || c.changed || c.row.Target == "" || c.row.Written != c.properties().String()
		a.all = append(a.all, c)
	}
	a.disappeared(list, known)
	for _, k := range known {
		if !used[k.ID] {
			a.retired = append(a.retired, k)
			a.work = a.work || !a.incomplete
		}
	}
	sums, err := a.Ledger.ObjectSums(ctx, a.Account)
	if err != nil {
		return nil, err
	}
	for _, by := range sums {
		a.work = a.work || by[ledger.Pending]+by[ledger.Intended]+by[ledger.Changed]+by[ledger.Vanished] > 0 || a.RetryRefused && by[ledger.Refused] > 0
	}
	return a, nil
}

// disappeared holds deletions back where the source shows nothing at all of a kind
// that it had: that looks more like a server that no longer tells.
func (a *Account) disappeared(list []model.ObjectCollection, known []ledger.ObjectCollection) {
	for _, kind := range kinds {
		had := slices.ContainsFunc(known, func(k ledger.ObjectCollection) bool { return k.Kind == kind })
		has := slices.ContainsFunc(list, func(c model.ObjectCollection) bool { return c.Kind == kind })
		if !had || has || a.AllowDeletions || a.incomplete {
			continue
		}
		a.incomplete = true
		a.Note("", "", NoteHeld, fmt.Sprintf("the source shows no %s any more: nothing was removed at the destination. If that is right, run again with --allow-deletions", kind))
	}
}

// Idle reports that there is nothing to do. Where a source has no fingerprints
// only listing tells.
func (a *Account) Idle() bool { return !a.work }

// unreadable counts and tells of a collection, or of all of a kind, that the
// source could not list.
func (a *Account) unreadable(collection string, err error) {
	a.res.Unreadable++
	a.Note(collection, "", NoteUnreadable, err.Error())
}

// Collections is how many the source has.
func (a *Account) Collections() int { return len(a.all) }

// Result is what was done so far.
func (a *Account) Result() Result { return a.res }

// Run does the phases in order. dst is the account at the destination, which
// need not keep objects. Each phase leaves the ledger in a state from which the
// next run continues.
func (a *Account) Run(ctx context.Context, dst destination.Account) error {
	if err := a.takes(ctx, dst); err != nil {
		return err
	}
	notes, err := a.Ledger.Notes(ctx, a.Account)
	if err != nil {
		return err
	}
	for _, n := range notes {
		if n.Code == NoteRefused || n.Code == NoteUnreadable {
			a.troubled[n.Item] = true
		}
	}
	for _, phase := range []func(context.Context) error{a.settleAll, a.putCollections, a.listAll, a.writeAll, a.removeAll} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return a.CountRefused(ctx)
}

// takes finds out which kinds the destination keeps, and counts what it does
// not.
func (a *Account) takes(ctx context.Context, dst destination.Account) error {
	store, ok := dst.(destination.ObjectStore)
	if ok {
		a.dst = metered{store, a}
	}
	var keep []*collection
	for _, c := range a.all {
		if ok && store.HoldsObjects(c.src.Kind) {
			keep = append(keep, c)
			continue
		}
		n := int64(0)
		for ch, err := range a.Source.ObjectChanges(ctx, c.src, "") {
			if err != nil {
				if model.ClassOf(err) != model.ClassItem {
					return err
				}
				a.unreadable(c.name(), err)
				continue
			}
			if ch.Op == model.OpUpsert {
				n++
			}
		}
		a.res.Of(c.src.Kind).NotTaken += n
		a.Note(c.name(), "", NoteNotTaken, fmt.Sprintf("the destination keeps mail only: %s of this %s %s behind", plural.Count(n, "object"), c.src.Kind, plural.Of(n, "stays", "stay")))
	}
	if len(keep) < len(a.all) {
		// Nothing is gone because the destination does not take it.
		a.incomplete = true
	}
	a.all = keep
	return nil
}

// Plan is the dry run: it lists the source into the ledger, which is ours, and
// counts what a run would do. It writes nothing on either server.
func (a *Account) Plan(ctx context.Context, dst destination.Account) error {
	if dst != nil {
		if err := a.takes(ctx, dst); err != nil {
			return err
		}
	}
	for _, c := range a.all {
		if c.row.Target == "" || c.row.Written != c.properties().String() {
			a.res.Of(c.src.Kind).Collections++
		}
	}
	if err := a.listAll(ctx); err != nil {
		return err
	}
	sums, err := a.Ledger.ObjectSums(ctx, a.Account)
	if err != nil {
		return err
	}
	for kind, by := range sums {
		counts := a.res.Of(kind)
		counts.Created += by[ledger.Pending] + by[ledger.Intended]
		counts.Changed += by[ledger.Changed]
		counts.Removed += by[ledger.Vanished]
	}
	return a.CountRefused(ctx)
}

// CountRefused fills in what this and earlier runs left behind.
func (a *Account) CountRefused(ctx context.Context) error {
	sums, err := a.Ledger.ObjectSums(ctx, a.Account)
	for _, kind := range kinds {
		a.res.Of(kind).Refused = sums[kind][ledger.Refused] + a.behind[kind]
	}
	return err
}

// step writes to the ledger, announcing it first.
func (a *Account) step(ctx context.Context, name string, fn func(*ledger.Tx) error) error {
	if err := a.Step("ledger: " + name); err != nil {
		return err
	}
	begun := a.Now()
	defer func() { a.Meter.Spent(0, a.Now().Sub(begun)) }()
	return a.Ledger.Write(ctx, fn)
}

// note tells of an object, and has the ledger keep it.
func (a *Account) note(t *ledger.Tx, c *collection, item, code, text string) error {
	a.Note(c.name(), item, code, text)
	return t.PutNote(a.Account, ledger.Note{Item: noteItem(c, item), Code: code, Text: text})
}

func (a *Account) clearNote(t *ledger.Tx, c *collection, item string, codes ...string) error {
	var errs []error
	for _, code := range codes {
		errs = append(errs, t.ClearNote(a.Account, 0, noteItem(c, item), code))
	}
	return errors.Join(errs...)
}

func noteItem(c *collection, item string) string {
	return c.src.Kind.String() + " " + c.name() + ": " + item
}
