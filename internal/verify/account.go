package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/translate"
)

// account is the comparison of one account.
type account struct {
	Options
	acc    model.Account
	rep    AccountReport
	store  source.Store
	dst    destination.Account
	vocab  *translate.Vocabulary
	notes  map[noteKey][]ledger.Note
	extras *extras
	copies map[string]int64 // of the present mailbox: how many are explained so
}

type noteKey struct {
	collection int64
	item       string
}

func (v *account) run(ctx context.Context) error {
	row, err := v.Ledger.Account(ctx, v.acc.Login, v.acc.Address)
	if err != nil {
		return err
	}
	if err := v.Courtesy.Ask(ctx); err != nil {
		return err
	}
	if v.store, err = v.Source.Open(ctx, v.acc); err != nil {
		return err
	}
	defer v.store.Close()
	if v.dst, err = v.Destination.Open(ctx, v.acc.Address); err != nil {
		return err
	}
	words, err := v.Ledger.Words(ctx, row.ID)
	if err != nil {
		return err
	}
	v.vocab = translate.NewVocabulary(words, v.Destination.Limits().MaxKeywords)
	notes, err := v.Ledger.Notes(ctx, row.ID)
	if err != nil {
		return err
	}
	v.notes = map[noteKey][]ledger.Note{}
	for _, n := range notes {
		k := noteKey{n.Collection, n.Item}
		v.notes[k] = append(v.notes[k], n)
	}
	if err := v.mailboxes(ctx, row.ID); err != nil {
		return err
	}
	for _, m := range v.rep.Mailboxes {
		v.rep.Counts.Add(m.Counts)
	}
	if !v.rep.Balanced() {
		return model.Faultf(model.ClassAccount, "unbalanced", "the sums of this verification do not balance; this is an error of mailhaul: please report it")
	}
	if err := v.objects(ctx, row.ID); err != nil {
		return err
	}
	return v.Ledger.Verified(ctx, row.ID, v.rep.Differences()+v.rep.ObjectCounts.Differences(), v.Now())
}

// mailboxes compares every mailbox of the source, then looks for what only
// the destination holds.
func (v *account) mailboxes(ctx context.Context, id int64) error {
	cols, err := v.store.Collections(ctx)
	if err != nil {
		return err
	}
	rows, err := v.Ledger.Collections(ctx, id)
	if err != nil {
		return err
	}
	at, err := v.dst.Mailboxes(ctx)
	if err != nil {
		return err
	}
	present := map[string]destination.Mailbox{}
	for _, m := range at {
		present[m.ID] = m
	}
	v.extras = v.newExtras()
	defer v.extras.byID.Close()
	used := map[int64]bool{}
	var targets []string
	for _, c := range cols {
		if c.Kind != model.KindMail {
			continue
		}
		i := slices.IndexFunc(rows, func(k ledger.Collection) bool {
			return k.Kind == c.Kind && k.SourceID == c.ID && (k.UIDValidity == c.UIDValidity || c.Container && k.UIDValidity == 0)
		})
		m := Mailbox{Name: strings.Join(c.Path, "/")}
		row := ledger.Collection{}
		if i >= 0 {
			row = rows[i]
			used[row.ID] = true
			m.Target = strings.Join(row.TargetPath, "/")
		}
		if _, ok := present[row.Target]; !ok {
			m.Different++
			m.Source++
			v.find(m.Name, "", "different", "the mailbox does not exist at the destination: run sync")
			// The mailbox itself is the one item that differs.
		} else if !slices.Contains(targets, row.Target) {
			targets = append(targets, row.Target)
		}
		if !c.Container {
			if err := v.mailbox(ctx, c, row, &m); err != nil {
				return fmt.Errorf("%s: %w", strings.Join(c.Path, "/"), err)
			}
		}
		v.rep.Mailboxes = append(v.rep.Mailboxes, m)
	}
	if s, ok := v.store.(source.Damaged); ok {
		for _, d := range s.Damage() {
			v.find(d.Mailbox, d.Item, "damaged", d.Text)
		}
	}
	gone := Mailbox{Name: "(gone at the source)"}
	for _, k := range rows {
		if used[k.ID] {
			continue
		}
		n, _, err := v.Ledger.Count(ctx, k.ID, ledger.Moved, ledger.Changed, ledger.Vanished)
		if err != nil {
			return err
		}
		gone.Gone += n
		if n > 0 {
			v.find(strings.Join(k.Path, "/"), "", "gone", fmt.Sprintf("%s of a mailbox that is gone at the source %s still at the destination: run sync", plural.Count(n, "message"), plural.Of(n, "is", "are")))
		}
		if err := v.claim(ctx, k); err != nil {
			return err
		}
	}
	if gone.Gone > 0 {
		v.rep.Mailboxes = append(v.rep.Mailboxes, gone)
	}
	return v.extras.count(ctx, targets, present)
}

// find adds a finding.
func (v *account) find(mailbox, item, kind, text string) {
	if len(v.rep.Findings) >= MaxFindings {
		v.rep.More++
		return
	}
	v.rep.Findings = append(v.rep.Findings, Difference{Mailbox: mailbox, Item: item, Kind: kind, Text: text})
}

// claim notes which emails of a mailbox the ledger knows.
func (v *account) claim(ctx context.Context, k ledger.Collection) error {
	for i, err := range v.Ledger.Items(ctx, k.ID) {
		if err == nil {
			err = v.extras.know(k.Target, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
