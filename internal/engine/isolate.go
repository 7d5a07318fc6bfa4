package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// A message can break the request that carries it: the server's parser
// crashes, a filter in between cuts the connection, the request is refused as
// a whole. It is found by halving, and left behind with its reason, while
// everything else goes on.
//
// A destination that is down looks the same from a distance. So a message is
// blamed only when it fails alone, again after all others had their turn, while
// the destination answers, stores something else, and took another message in
// a request that began after the first that failed.

const (
	// insistence is how often a request is sent with nothing gained before
	// its entries are halved, and a message alone before it is blamed.
	insistence = 3
	// unproven is how many messages a run may blame when no other message is
	// there to show that the destination takes any.
	unproven = 3
	// hopeless is how many requests may fail in a row, halves included,
	// before it is the destination that is given up, not its messages.
	hopeless = 16
	// mostBlamed is how many messages of an account a run may blame. A server
	// that fails at more has another trouble, such as a quota of its own that
	// only small messages still fit in.
	mostBlamed = 20
)

// witness knows when the destination has taken something, for one kind of
// request.
type witness struct {
	begun  atomic.Int64 // requests
	taken  atomic.Int64 // the latest of them that stored something
	blamed atomic.Int64 // messages blamed since, without proof
}

// took notes a success of the request with this number.
func (w *witness) took(number int64) {
	for {
		latest := w.taken.Load()
		if number <= latest || w.taken.CompareAndSwap(latest, number) {
			break
		}
	}
	w.blamed.Store(0)
}

// attempt sends entries in one request. It returns those that have to be sent
// again; with an error, the reason. stored is how many arrived.
type attempt func(ctx context.Context, entries []*entry) (again []*entry, stored int, err error)

// isolate gets all entries through with try, but those that break their
// request wherever they are: blame is called for each. An error means that the
// account has to stop; then nothing is blamed that was not proven before.
func (r *run) isolate(ctx context.Context, entries []*entry, w *witness, try attempt, blame func(context.Context, *entry, error) error) error {
	i := &isolation{run: r, witness: w, try: try, blame: blame, groups: [][]*entry{entries}, patience: insistence, before: -1}
	if err := i.halve(ctx); err != nil {
		return err
	}
	return i.convict(ctx)
}

// isolation is one call of isolate.
type isolation struct {
	*run
	witness  *witness
	try      attempt
	blame    func(context.Context, *entry, error) error
	groups   [][]*entry // to be sent, in order
	patience int
	before   int64 // how many requests had begun when the first one failed; -1: none has
	failed   int   // requests in a row
	suspects []suspect
}

// suspect is an entry that failed alone.
type suspect struct {
	entry *entry
	why   error
}

// innocent reports that the destination has taken something since the first
// failure, so that it is not the destination that fails. What was under way by
// then says nothing: the destination may have fallen over in between.
func (i *isolation) innocent() bool { return i.witness.taken.Load() > i.before }

func (i *isolation) halve(ctx context.Context) error {
	for len(i.groups) > 0 {
		n := 0
		if len(i.suspects) >= unproven && !i.innocent() {
			n = len(i.groups) - 1 // the largest: is there anything that gets through?
		}
		group := i.groups[n]
		i.groups = slices.Delete(i.groups, n, n+1)
		left, err := i.insist(ctx, group)
		switch {
		case err == nil:
			i.failed = 0
			continue
		case len(left) == 0:
			return err
		case model.ClassOf(err) == model.ClassItem:
			// It says itself that the request is at fault, not the server.
			if len(left) == 1 {
				if err := i.blame(ctx, left[0], err); err != nil {
					return err
				}
				continue
			}
		case !culpable(err):
			return err
		default:
			if i.failed++; i.failed >= hopeless && !i.innocent() {
				return giveUp(err, nil)
			}
			if perr := i.probe(ctx); perr != nil {
				return giveUp(err, perr)
			}
			if len(left) == 1 {
				i.suspects = append(i.suspects, suspect{left[0], err})
				continue
			}
		}
		i.patience = 1
		half := len(left) / 2
		i.groups = slices.Insert(i.groups, n, left[:half], left[half:])
	}
	return nil
}

// insist sends a group until it is through or until nothing more is gained.
func (i *isolation) insist(ctx context.Context, group []*entry) (left []*entry, err error) {
	for vain := 1; ; vain++ {
		number := i.witness.begun.Add(1)
		again, stored, err := i.try(ctx, group)
		if stored > 0 {
			i.witness.took(number)
		}
		if len(again) < len(group) {
			vain = 1 // something was stored, or is decided
		}
		if len(again) == 0 {
			return nil, err
		}
		group = again
		patience := i.patience
		switch {
		case err == nil:
			err = unstored(group[0])
			patience++ // it is prepared anew
		case model.ClassOf(err) == model.ClassItem:
			return group, err
		case culpable(err):
		case passing(err):
			patience = uploadAttempts // it only asks for time
		default:
			return group, err
		}
		if i.before < 0 {
			i.before = i.witness.begun.Load()
		}
		if vain >= patience {
			return group, err
		}
		if perr := i.pause(ctx, err, vain); perr != nil {
			return group, perr
		}
	}
}

// unstored is why an entry has to be sent again although the request as a
// whole went well.
func unstored(e *entry) error {
	switch {
	case e.err == nil && e.again == nil:
		return model.Faultf(model.ClassRetry, "serverFail", "the destination gave no reason for not storing it")
	case e.err == nil:
		return e.again
	}
	return &model.Fault{Class: model.ClassRetry, Code: model.CodeOf(e.err), Err: e.err}
}

// convict gives every suspect a last chance, after all others have had theirs.
func (i *isolation) convict(ctx context.Context) error {
	i.patience = insistence
	for n, s := range i.suspects {
		if !i.innocent() && i.witness.blamed.Load()+int64(len(i.suspects)-n) > unproven {
			return giveUp(s.why, nil)
		}
		left, err := i.insist(ctx, []*entry{s.entry})
		if len(left) == 0 {
			if err != nil {
				return err
			}
			continue
		}
		if model.ClassOf(err) != model.ClassItem {
			if !culpable(err) {
				return err
			}
			if perr := i.probe(ctx); perr != nil {
				return giveUp(err, perr)
			}
			if i.blamed.Add(1) > mostBlamed {
				return giveUp(err, nil)
			}
		}
		if !i.innocent() {
			i.witness.blamed.Add(1)
		}
		why := &model.Fault{Class: model.ClassItem, Code: destination.CodeBreaks,
			Err: fmt.Errorf("the destination fails whenever it is sent this message, and takes others: %w", err)}
		if err := i.blame(ctx, s.entry, why); err != nil {
			return err
		}
	}
	return nil
}

// culpable reports an error that one of the messages sent may have caused.
func culpable(err error) bool {
	switch model.CodeOf(err) {
	case destination.CodeAmbiguous, "serverFail", "serverUnavailable", "serverPartialFail", "badAnswer",
		"notRequest", "notJSON", "invalidArguments", destination.CodeBlobNotFound:
		return model.ClassOf(err) != model.ClassFatal
	case "http400", "http406", "http422": // something between us and the server
		return true
	case model.CodeUnreachable: // the connection broke; none could be made is ClassFatal
		return model.ClassOf(err) == model.ClassRetry
	}
	return false
}

// giveUp stops the account because of the destination, which failed and then,
// if probe is not nil, did not answer for anything else either.
func giveUp(err, probe error) error {
	f := &model.Fault{Class: model.ClassAccount, Code: "destinationFails", Err: err,
		Remedy: "look into the destination's log, then run the same command again, with --retry-refused if messages were refused: nothing is lost or doubled"}
	if probe != nil {
		f.Class, f.Err = max(f.Class, model.ClassOf(probe)), errors.Join(err, probe)
		if model.CodeOf(probe) == model.CodeUnreachable {
			f.Code = model.CodeUnreachable
		}
	}
	return f
}

// probe asks whether the destination answers for the account and stores
// something else: a small message that goes by itself, because nobody files it.
func (r *run) probe(ctx context.Context) error {
	if _, err := r.dst.State(ctx); err != nil {
		return err
	}
	text := []byte("Subject: is there room?\r\n\r\n")
	res, err := r.dst.Upload(ctx, []destination.Blob{{Size: int64(len(text)), Hash: blake3.Sum256(text), Bytes: text}})
	if err != nil {
		return err
	}
	return res[0].Err
}
