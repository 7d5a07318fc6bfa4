package groupware

// Change is what happened to an object on one side since both were equal.
type Change uint8

const (
	// Absent: it is not there and was never common.
	Absent Change = iota
	// Same: it is as it was when both sides were equal.
	Same
	// Created: it is there and was never common.
	Created
	// Edited: its content differs from the common one.
	Edited
	// Removed: it was common and is gone.
	Removed
)

// Verb is what is to be done on the other side.
type Verb uint8

const (
	// Nothing is to be done.
	Nothing Verb = iota
	// Create it there.
	Create
	// Update replaces its content there.
	Update
	// Remove it there.
	Remove
	// Adopt: both sides are equal again; only the ledger must know.
	Adopt
	// Keep what is there: both sides changed it, differently.
	Keep
	// Forget it: both sides removed it.
	Forget
)

// Decide says what one side's change does to the other side, there, given what
// happened to the object there. equal reports that both sides have the same
// content now. It holds in both directions: whatever Decide(a, b) writes on
// b's side, Decide(b, a) writes nothing on a's.
func Decide(here, there Change, equal bool) Verb {
	switch here {
	case Created:
		switch {
		case there == Absent || there == Removed:
			return Create
		case equal:
			return Adopt
		}
		return Keep
	case Edited:
		switch {
		case there == Same:
			return Update
		case equal && there != Removed && there != Absent:
			return Adopt
		}
		return Keep
	case Removed:
		switch there {
		case Same:
			return Remove
		case Removed, Absent:
			return Forget
		}
		return Keep
	}
	return Nothing
}
