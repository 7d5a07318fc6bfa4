package source

import (
	"context"
	"iter"

	"mailhaul.org/mailhaul/internal/model"
)

// NoMail is the part of a Store that holds objects alone.
type NoMail struct{}

// Collections implements Store.
func (NoMail) Collections(context.Context) ([]model.Collection, error) { return nil, nil }

// Changes implements Store.
func (n NoMail) Changes(_ context.Context, c model.Collection, _ string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) { yield(model.Change{}, n.gone(c)) }
}

// Read implements Store.
func (n NoMail) Read(_ context.Context, c model.Collection, _ []model.ItemRef, _ func(model.ItemRef, *Content, error) error) error {
	return n.gone(c)
}

func (NoMail) gone(c model.Collection) error {
	return model.Faultf(model.ClassAccount, model.CodeGone, "%s: there is no mail here", c.Native)
}
