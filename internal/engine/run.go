package engine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/translate"
)

// run is one account in one Sync. It is used by one goroutine, except for
// the pipeline in load.go.
type run struct {
	*syncer
	acc   model.Account
	place *place
	res   AccountResult
	row   ledger.Account
	store source.Store
	dst   destination.Account
	vocab *translate.Vocabulary

	mailboxes []*mailbox          // mailboxes that the source has now
	retired   []ledger.Collection // those it no longer has, or not in this UIDVALIDITY

	mu          sync.Mutex      // guards res and vocab while the pipeline runs
	unconfirmed unconfirmed     // of imports
	adopting    adoption        // of the reader
	memory      memory          // of the reader
	loading     context.Context // of the load as a whole, whatever happens to one lane
	vanished    bool            // there are vanished items to match against
	portion     *portion
	mailOnly    bool // behind the mail, nothing is read from the source
	// leaveSource closes the store, once.
	leaveSource func()
	refused     int64
	blamed      atomic.Int64 // messages that broke their requests
	unchanged   bool
}

// mailbox is one mailbox of the source and its row in the ledger.
type mailbox struct {
	src model.Collection
	row ledger.Collection
	// changed: the source may hold something that the ledger does not know.
	changed bool
	// renamed: known by its ID under another name.
	renamed bool
}

// name is how reports call the mailbox.
func (b *mailbox) name() string { return mailboxName(b.src.Path) }

func mailboxName(path []string) string { return strings.Join(path, "/") }

// run does the account's phases in order. Each phase leaves the ledger in a
// state from which the next run continues.
func (r *run) run(ctx context.Context) (err error) {
	defer func() {
		if f, ok := err.(*model.Fault); ok && f.Account == "" {
			f.Account = r.acc.Login
		}
	}()
	defer r.tellSums()
	if r.row, err = r.Ledger.Account(ctx, r.acc.Login, r.acc.Address); err != nil {
		return err
	}
	if err := r.Courtesy.Ask(ctx); err != nil {
		return err
	}
	if r.store, err = r.Source.Open(ctx, r.acc); err != nil {
		return err
	}
	r.leaveSource = sync.OnceFunc(func() {
		r.tally(r.tellDamage)
		_ = r.store.Close()
	})
	defer r.leaveSource()

	if err := r.survey(ctx); err != nil {
		return err
	}
	scripts, err := r.changedScripts(ctx)
	if err != nil {
		return err
	}
	objects, err := r.surveyObjects(ctx)
	if err != nil {
		return err
	}
	r.mailOnly = objects == nil
	work, err := r.Ledger.HasWork(ctx, r.row.ID, r.RetryRefused)
	if err != nil {
		return err
	}
	if r.idle(work) && len(scripts) == 0 && (objects == nil || objects.Idle()) {
		r.unchanged = true
		r.Progress.AccountStarted(r.acc, 0, 0)
		if err := r.countRefused(ctx); err != nil {
			return err
		}
		return r.refusedObjects(ctx, objects)
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	if r.DryRun {
		if err := r.plan(ctx, len(scripts)); err != nil {
			return err
		}
		return r.moveObjects(ctx, objects)
	}
	for _, phase := range []func(context.Context) error{
		r.settleAll, r.mapMailboxes, r.finish, r.listAll, r.retire, r.match, r.load, r.adoptionDone, r.pushFlags, r.deleteVanished, r.subscribe,
	} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	if err := r.putScripts(ctx, scripts); err != nil {
		return err
	}
	if err := r.countRefused(ctx); err != nil {
		return err
	}
	return r.moveObjects(ctx, objects)
}

// open finds the account at the destination.
func (r *run) open(ctx context.Context) error {
	dst, err := r.Destination.Open(ctx, r.acc.Address)
	if err != nil {
		if r.DryRun && model.CodeOf(err) == destination.CodeNoAccount {
			r.note("", "", "noAccount", "there is no account "+r.acc.Address+" at the destination yet: provision will create it")
			return nil
		}
		return err
	}
	r.dst = dst
	words, err := r.Ledger.Words(ctx, r.row.ID)
	if err != nil {
		return err
	}
	r.vocab = translate.NewVocabulary(words, r.Destination.Limits().MaxKeywords)
	if r.DryRun || r.row.Remote == dst.ID() {
		return nil
	}
	if r.row.Remote != "" {
		return &model.Fault{Class: model.ClassAccount, Code: "otherAccount", Account: r.acc.Login,
			Err:    model.Faultf(model.ClassAccount, "", "%s is account %s at the destination, but the ledger filled account %s", r.acc.Address, dst.ID(), r.row.Remote).Err,
			Remedy: "if the account was deleted and made anew, start a new engagement folder for it"}
	}
	return r.step(ctx, "account", func(t *ledger.Tx) error { return t.SetRemote(r.row.ID, dst.ID()) })
}

// idle reports that neither side needs anything done.
func (r *run) idle(work bool) bool {
	if work || r.row.Settle != "" || len(r.retired) > 0 {
		return false
	}
	return !slices.ContainsFunc(r.mailboxes, func(b *mailbox) bool {
		return b.changed || b.renamed || b.row.Target == "" || b.row.Subscribed != subscribed(b.src)
	})
}

func subscribed(c model.Collection) int {
	if c.Subscribed {
		return 1
	}
	return 0
}

// step writes to the ledger, announcing it first.
func (r *run) step(ctx context.Context, name string, fn func(*ledger.Tx) error) error {
	if err := r.Step("ledger: " + name); err != nil {
		return err
	}
	begun := r.Now()
	defer func() { r.pace.spent(0, r.Now().Sub(begun)) }()
	return r.Ledger.Write(ctx, fn)
}

// tally changes the result from inside the pipeline.
func (r *run) tally(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn()
}

// note adds to the result; the ledger keeps what concerns single items.
func (r *run) note(mailbox, item, code, text string) {
	if len(r.res.Notes) >= MaxNotes {
		r.res.More++
		return
	}
	r.res.Notes = append(r.res.Notes, Note{Mailbox: mailbox, Item: item, Code: code, Text: text})
}

// countRefused learns whether anything was left behind, in this run or an
// earlier one.
func (r *run) countRefused(ctx context.Context) error {
	n, err := r.Ledger.CountAccount(ctx, r.row.ID, ledger.Refused)
	if err != nil {
		return err
	}
	r.refused = n
	return nil
}
