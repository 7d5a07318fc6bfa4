package groupware

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/throttle"
)

// An object can break the request that carries it, as a message can
// (engine/isolate.go): it is found by halving, and left behind with its reason,
// while the others go on. It is blamed only when it fails alone, again after
// all others of its batch had their turn.

const (
	// insistence is how often a batch is sent with nothing gained before it is
	// halved, and an object alone before it is blamed.
	insistence = 3
	// unproven is how many objects of an account a run may blame while the
	// destination has taken nothing else since the first failure.
	unproven = 3
	// hopeless is how many requests may fail in a row, halves included, before
	// it is the destination that is given up, not its objects.
	hopeless = 16
	// mostBlamed is how many objects of an account a run may blame.
	mostBlamed = 20
)

// witness knows when the destination has taken something. Account.mu guards it.
type witness struct {
	begun  int64 // requests
	taken  int64 // the latest of them that gained something
	failed int   // requests in a row
	blamed int
	alone  int // of those blamed, how many without proof since the last success
}

// attempt sends parts in one request. With an error it returns those that
// have to be sent again; none: the account has to stop.
type attempt func(ctx context.Context, parts []*part) (again []*part, err error)

// isolate gets all parts through with try, but those that break their request
// wherever they are: blame is called for each. An error means that the account
// has to stop.
func (a *Account) isolate(ctx context.Context, parts []*part, try attempt, blame func(*part, error)) error {
	type suspect struct {
		part *part
		why  error
	}
	var suspects []suspect
	before, patience := int64(-1), insistence
	groups := [][]*part{parts}
	for len(groups) > 0 {
		left, err := a.insist(ctx, groups[0], try, patience, &before)
		groups = groups[1:]
		switch {
		case err == nil:
			continue
		case len(left) == 0:
			return err
		case len(left) > 1:
			patience = 1
			half := len(left) / 2
			groups = slices.Insert(groups, 0, left[:half], left[half:])
		case model.ClassOf(err) == model.ClassItem:
			// It says itself that the request is at fault, not the server.
			blame(left[0], err)
		default:
			patience = 1
			suspects = append(suspects, suspect{left[0], err})
		}
	}
	for _, s := range suspects {
		left, err := a.insist(ctx, []*part{s.part}, try, insistence, &before)
		if err == nil {
			continue
		}
		if len(left) == 0 {
			return err
		}
		if model.ClassOf(err) != model.ClassItem {
			if a.witness.blamed++; a.witness.blamed > mostBlamed {
				return giveUp(err)
			}
			if a.witness.taken <= before {
				if a.witness.alone++; a.witness.alone > unproven {
					return giveUp(err)
				}
			}
			err = &model.Fault{Class: model.ClassItem, Code: destination.CodeBreaks, Err: fmt.Errorf("the destination fails whenever it is sent this object, and answers otherwise: %w", err)}
		}
		blame(s.part, err)
	}
	return nil
}

// insist sends a group until it is through or until nothing more is gained.
// before becomes how many requests had begun when the first one failed.
func (a *Account) insist(ctx context.Context, group []*part, try attempt, patience int, before *int64) ([]*part, error) {
	for vain := 1; ; vain++ {
		a.witness.begun++
		number := a.witness.begun
		left, err := try(ctx, group)
		if err == nil || len(left) > 0 && len(left) < len(group) {
			a.witness.taken, a.witness.failed, a.witness.alone = max(a.witness.taken, number), 0, 0
			vain = 0
		}
		if err == nil || len(left) == 0 {
			return nil, err
		}
		group = left
		if model.ClassOf(err) == model.ClassItem {
			return group, err
		}
		if busy(err) {
			if vain >= attempts {
				return nil, err
			}
			continue
		}
		if *before < 0 {
			*before = a.witness.begun
		}
		if a.witness.failed++; a.witness.failed >= hopeless && a.witness.taken <= *before {
			return nil, giveUp(err)
		}
		if vain >= patience {
			return group, err
		}
	}
}

// culpable reports an error of a request that one of the objects in it may have
// caused.
func culpable(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	switch model.ClassOf(err) {
	case model.ClassRetry:
		return true
	case model.ClassItem:
		return model.CodeOf(err) != destination.CodeNotFound // the collection is gone
	case model.ClassAccount:
		switch model.CodeOf(err) {
		case "notRequest", "notJSON", "invalidArguments", "serverPartialFail", "http400", "http406", "http422":
			return true
		}
	}
	return false
}

// busy reports an error that is of the moment, and of no object.
func busy(err error) bool {
	switch model.CodeOf(err) {
	case "busy", "rateLimit", "stateMismatch":
		return true
	}
	return false
}

// settling waits until what a failed request may have begun has come to its end.
func (a *Account) settling(ctx context.Context, err error) error {
	if model.ClassOf(err) == model.ClassItem {
		return nil // the server did not begin
	}
	if serr := throttle.Sleep(ctx, a.SettleDelay); serr != nil {
		return errors.Join(serr, err)
	}
	return nil
}

// giveUp stops the account because of the destination.
func giveUp(err error) error {
	return &model.Fault{Class: model.ClassAccount, Code: "destinationFails", Err: err,
		Remedy: "look into the destination's log, then run the same command again, with --retry-refused if objects were refused: nothing is lost or doubled"}
}
