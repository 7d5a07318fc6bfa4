package beside

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Source reads mail from one source and objects from another. Its methods may
// be called concurrently.
type Source struct {
	mail, objects source.Source
}

// New puts two sources together. The stores of objects implement
// source.Objects.
func New(mail, objects source.Source) *Source { return &Source{mail, objects} }

// String names the source in logs.
func (s *Source) String() string { return fmt.Sprintf("%v and %v", s.mail, s.objects) }

// Close implements source.Source.
func (s *Source) Close() error { return errors.Join(s.mail.Close(), s.objects.Close()) }

// Accounts implements source.Source: those that have mail.
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return s.mail.Accounts(ctx)
}

// Check implements source.Checker.
func (s *Source) Check(ctx context.Context) (out []model.Finding) {
	for _, part := range []source.Source{s.mail, s.objects} {
		if c, ok := part.(source.Checker); ok {
			out = append(out, c.Check(ctx)...)
		}
	}
	return out
}

// CheckAs logs in as one account on both sides.
func (s *Source) CheckAs(ctx context.Context, a model.Account) (out []model.Finding) {
	for _, part := range []source.Source{s.mail, s.objects} {
		if a.Group && part == s.mail { // no login, no mail
			continue
		}
		if c, ok := part.(interface {
			CheckAs(context.Context, model.Account) []model.Finding
		}); ok {
			out = append(out, c.CheckAs(ctx, a)...)
		}
	}
	return out
}

// CheckAccounts asks the side of the mail about all accounts that move.
func (s *Source) CheckAccounts(ctx context.Context, accounts []model.Account) []model.Finding {
	if c, ok := s.mail.(interface {
		CheckAccounts(context.Context, []model.Account) []model.Finding
	}); ok {
		return c.CheckAccounts(ctx, accounts)
	}
	return nil
}

// Open implements source.Source. The side of the objects is opened when it is
// first asked for.
func (s *Source) Open(ctx context.Context, a model.Account) (source.Store, error) {
	if a.Group { // it has calendars, but no login
		return &store{Store: noMail{}, src: s, acc: a}, nil
	}
	mail, err := s.mail.Open(ctx, a)
	if err != nil {
		return nil, err
	}
	st := &store{Store: mail, src: s, acc: a}
	if settings, ok := mail.(source.ScriptSettings); ok {
		return &settingStore{st, settings}, nil
	}
	return st, nil
}

// store is one account. What its mail side does not tell is told as none.
type store struct {
	source.Store
	src *Source
	acc model.Account

	mu     sync.Mutex // Close may interrupt
	opened source.Store
}

// noMail is the side of the mail of a group.
type noMail struct{ source.NoMail }

func (noMail) Close() error { return nil }

// settingStore is one whose mail side knows what surrounds its scripts: who
// does not know must not say so, or the site's own would not be asked.
type settingStore struct {
	*store
	source.ScriptSettings
}

// Rest implements source.Rester. Connections to servers of objects close by
// themselves when others wait for their places.
func (st *store) Rest() {
	if r, ok := st.Store.(source.Rester); ok {
		r.Rest()
	}
}

// side opens the objects.
func (st *store) side(ctx context.Context) (source.Objects, error) {
	st.Rest() // both may be at one host, and bounded together
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.opened == nil {
		opened, err := st.src.objects.Open(ctx, st.acc)
		if err != nil {
			return nil, err
		}
		st.opened = opened
	}
	o, ok := st.opened.(source.Objects)
	if !ok {
		return nil, model.Faultf(model.ClassAccount, "", "%v has neither calendars nor contacts nor files", st.src.objects)
	}
	return o, nil
}

// Close implements source.Store.
func (st *store) Close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	err := st.Store.Close()
	if st.opened != nil {
		err = errors.Join(err, st.opened.Close())
	}
	return err
}

// ObjectCollections implements source.Objects.
func (st *store) ObjectCollections(ctx context.Context) ([]model.ObjectCollection, []error, error) {
	if st.acc.Public != nil {
		return nil, nil, nil // public mailboxes log in nowhere
	}
	o, err := st.side(ctx)
	if err != nil {
		return nil, nil, err
	}
	return o.ObjectCollections(ctx)
}

// ObjectChanges implements source.Objects.
func (st *store) ObjectChanges(ctx context.Context, c model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	o, err := st.side(ctx)
	if err != nil {
		return func(yield func(model.ObjectChange, error) bool) { yield(model.ObjectChange{}, err) }
	}
	return o.ObjectChanges(ctx, c, since)
}

// ReadObjects implements source.Objects.
func (st *store) ReadObjects(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	o, err := st.side(ctx)
	if err != nil {
		return err
	}
	return o.ReadObjects(ctx, c, objects, fn)
}

// ObjectRights implements source.ObjectRights.
func (st *store) ObjectRights(ctx context.Context, c model.ObjectCollection) ([]model.ObjectGrant, error) {
	o, err := st.side(ctx)
	if err != nil {
		return nil, err
	}
	if r, ok := o.(source.ObjectRights); ok {
		return r.ObjectRights(ctx, c)
	}
	return nil, nil
}

// SharedObjects implements source.SharedObjects.
func (st *store) SharedObjects(ctx context.Context) ([]model.ObjectCollection, error) {
	if st.acc.Public != nil {
		return nil, nil
	}
	o, err := st.side(ctx)
	if err != nil {
		return nil, err
	}
	if s, ok := o.(source.SharedObjects); ok {
		return s.SharedObjects(ctx)
	}
	return nil, nil
}

// Scripts implements source.Scripts.
func (st *store) Scripts(ctx context.Context) ([]model.Script, error) {
	if s, ok := st.Store.(source.Scripts); ok {
		return s.Scripts(ctx)
	}
	return nil, nil
}

// Rights implements source.Rights.
func (st *store) Rights(ctx context.Context, c model.Collection) ([]model.Grant, error) {
	if r, ok := st.Store.(source.Rights); ok {
		return r.Rights(ctx, c)
	}
	return nil, nil
}

// SpecificRights implements source.SpecificRights.
func (st *store) SpecificRights(ctx context.Context) (bool, error) {
	if r, ok := st.Store.(source.SpecificRights); ok {
		return r.SpecificRights(ctx)
	}
	return false, nil
}

// Shared implements source.Shared.
func (st *store) Shared(ctx context.Context) ([]model.SharedCollection, error) {
	if s, ok := st.Store.(source.Shared); ok {
		return s.Shared(ctx)
	}
	return nil, nil
}

// SubscribedShared implements source.SubscribedShared.
func (st *store) SubscribedShared(ctx context.Context) ([]model.SharedCollection, error) {
	if s, ok := st.Store.(source.SubscribedShared); ok {
		return s.SubscribedShared(ctx)
	}
	return nil, nil
}

// OwnSeen implements source.OwnSeen.
func (st *store) OwnSeen(ctx context.Context, c model.Collection) (bool, error) {
	if s, ok := st.Store.(source.OwnSeen); ok {
		return s.OwnSeen(ctx, c)
	}
	return false, nil
}

// Damage implements source.Damaged.
func (st *store) Damage() (all []model.Damage) {
	st.mu.Lock()
	opened := st.opened
	st.mu.Unlock()
	for _, s := range []source.Store{st.Store, opened} {
		if d, ok := s.(source.Damaged); ok {
			all = append(all, d.Damage()...)
		}
	}
	return all
}

var _ interface {
	source.Source
	source.Checker
} = (*Source)(nil)

var _ interface {
	source.Store
	source.Scripts
	source.Rights
	source.SpecificRights
	source.Shared
	source.SubscribedShared
	source.OwnSeen
	source.Damaged
	source.Rester
	source.Objects
	source.ObjectRights
	source.SharedObjects
} = (*store)(nil)

var _ source.ScriptSettings = (*settingStore)(nil)
