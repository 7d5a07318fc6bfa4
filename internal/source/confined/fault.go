package confined

import (
	"context"
	"errors"
	"io/fs"

	"mailhaul.org/mailhaul/internal/model"
)

// Fault is what an error of a whole mailbox, or of all, means for its account:
// the account stops. A Fault within keeps its code and its remedy; the end of a
// context is no Fault.
func Fault(account, collection string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	f := &model.Fault{Class: model.ClassAccount, Code: "unreadable", Account: account, Collection: collection, Err: err}
	var inner *model.Fault
	switch {
	case errors.As(err, &inner):
		f.Code, f.Remedy, f.Err = inner.Code, inner.Remedy, inner.Err
	case errors.Is(err, fs.ErrNotExist):
		f.Code, f.Remedy = model.CodeGone, "it was renamed or removed meanwhile; run again"
	case errors.Is(err, fs.ErrPermission):
		f.Remedy = AsOwner
	}
	return f
}

// Named is err with account and mailbox, whose class stays if it is a Fault; else
// it is Fault.
func Named(account, collection string, err error) error {
	var f *model.Fault
	if !errors.As(err, &f) {
		return Fault(account, collection, err)
	}
	g := *f
	g.Account, g.Collection = account, collection
	return &g
}
