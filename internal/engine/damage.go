package engine

import (
	"errors"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// tellDamage names what the source found damaged in this run and gave all the
// same.
func (r *run) tellDamage() {
	if s, ok := r.store.(source.Damaged); ok {
		for _, d := range s.Damage() {
			r.note(d.Mailbox, d.Item, "damaged", d.Text)
		}
	}
}

// recoverable refuses to compare a mailbox whose index is lost with what an
// earlier run carried of it: it would look as if its user had taken all flags
// away.
func (r *run) recoverable(c model.Collection, known []ledger.Collection) error {
	if !c.Recovered || !slices.ContainsFunc(known, func(k ledger.Collection) bool {
		return k.Kind == c.Kind && slices.Equal(k.Path, c.Path) && k.UIDValidity != c.UIDValidity && k.Target != "" && !k.Retired
	}) {
		return nil
	}
	return &model.Fault{Class: model.ClassAccount, Code: "damaged", Account: r.acc.Login, Collection: strings.Join(c.Path, "/"),
		Err:    errors.New("its index is lost, and an earlier run has carried the mailbox with its flags: without them, all would look changed"),
		Remedy: "restore the index from a backup; or read the account over IMAP"}
}
