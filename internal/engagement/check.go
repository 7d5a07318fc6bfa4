package engagement

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
)

// Check examines everything that a run will need, and goes on after what
// fails: secrets, accounts, source, destination. It writes nothing, and waits for
// no server: somebody sits before it.
func (e *Engagement) Check(ctx context.Context) []model.Finding {
	e.AtOnce()
	out := e.checkSecrets()
	err := e.resolve(ctx)
	if err != nil {
		out = addStop(out, "accounts", err)
	} else {
		out = append(out, e.checkAccounts()...)
	}
	if src, err := e.Source(ctx); err != nil {
		out = addStop(out, "source", err)
	} else {
		out = append(out, e.checkSource(ctx, src)...)
	}
	dst, err := e.Destination(ctx)
	if err != nil {
		return addStop(out, "destination", err)
	}
	out = append(out, model.Finding{Subject: "destination: login", Message: "accepted"})
	if c, ok := dst.(destination.Checker); ok {
		out = append(out, c.Check(ctx)...)
	}
	if c, ok := dst.(destination.AccountChecker); ok && e.Plan.Accounts != nil {
		if needs, err := e.needs(ctx); err != nil {
			out = addStop(out, "ledger", err)
		} else if len(needs) > 0 {
			out = append(out, c.CheckAccounts(ctx, needs)...)
		}
	}
	return out
}

// needs is what the accounts that move will hold, as far as an earlier run or
// dry run has seen it.
func (e *Engagement) needs(ctx context.Context) ([]destination.Need, error) {
	seen := map[string]ledger.Holding{}
	if e.HasRun() == nil {
		l, err := e.LedgerToRead()
		if err != nil {
			return nil, err
		}
		all, err := l.Holdings(ctx)
		if err != nil {
			return nil, err
		}
		for _, h := range all {
			seen[h.Login] = h
		}
	}
	var out []destination.Need
	for _, a := range e.Plan.Accounts {
		if a.Moves() {
			h := seen[a.Login]
			out = append(out, destination.Need{Address: strings.ToLower(a.Address), Octets: h.Octets, Mailboxes: h.Mailboxes, Depth: h.Depth})
		}
	}
	return out, nil
}

func (e *Engagement) checkSecrets() []model.Finding {
	var out []model.Finding
	if imap := e.Config.Source.IMAP; imap != nil {
		if !imap.Password.IsZero() {
			out = append(out, imap.Password.Check("source: password"))
		}
		if !imap.Token.IsZero() {
			out = append(out, imap.Token.Check("source: token"))
		}
	}
	if d := e.Config.Source.DAV; d != nil && !d.Password.IsZero() {
		out = append(out, d.Password.Check("source: dav.password"))
	}
	if q := e.Config.Source.Users.SQL; q != nil && !q.Password.IsZero() {
		out = append(out, q.Password.Check("source: users.sql.password"))
	}
	if l := e.Config.Source.Users.LDAP; l != nil && !l.Password.IsZero() {
		out = append(out, l.Password.Check("source: users.ldap.password"))
	}
	if !e.Rehearsal() {
		out = append(out, e.Config.Destination.Password.Check("destination: password"))
	}
	return out
}

func (e *Engagement) checkAccounts() []model.Finding {
	move, excluded := 0, 0
	out := e.Plan.Findings
	for _, a := range e.Plan.Accounts {
		switch {
		case a.Moves():
			move++
		case a.Err == nil:
			excluded++
		}
	}
	first := model.Finding{Subject: "accounts", Message: fmt.Sprintf("%d %s, %d %s excluded", move, plural.Of(move, "moves", "move"), excluded, plural.Of(excluded, "is", "are"))}
	if move == 0 {
		first.Level, first.Remedy = model.LevelStop, "nothing would be moved: look at source.users and accounts"
		first.Err = model.Faultf(model.ClassFatal, "", "no account moves")
	}
	return append([]model.Finding{first}, out...)
}

// checkSource asks the source, and logs in once, as the first account that
// moves.
func (e *Engagement) checkSource(ctx context.Context, src source.Source) []model.Finding {
	var out []model.Finding
	if c, ok := src.(source.Checker); ok {
		out = c.Check(ctx)
	}
	for _, f := range out {
		if f.Level == model.LevelStop {
			return out
		}
	}
	if c, ok := src.(interface {
		CheckAccounts(ctx context.Context, accounts []model.Account) []model.Finding
	}); ok {
		out = append(out, c.CheckAccounts(ctx, slices.DeleteFunc(toMove(e.Plan), func(a model.Account) bool { return a.Nobodys() }))...)
	}
	for _, a := range toMove(e.Plan) {
		if a.Public != nil {
			out = append(out, checkPublic(ctx, src, a))
		}
	}
	login, ok := src.(interface {
		CheckAs(ctx context.Context, a model.Account) []model.Finding
	})
	if a, found := firstToMove(e.Plan); ok && found {
		out = append(out, login.CheckAs(ctx, a)...)
	}
	for _, a := range toMove(e.Plan) { // each by another reader
		if ok && a.Group {
			out = append(out, login.CheckAs(ctx, a)...)
		}
	}
	return out
}

func toMove(p directory.Plan) (out []model.Account) {
	for _, a := range p.Accounts {
		if a.Moves() {
			out = append(out, a.Account)
		}
	}
	return out
}

func firstToMove(p directory.Plan) (model.Account, bool) {
	for _, a := range p.Accounts {
		if a.Moves() && !a.Disabled && !a.Group {
			return a.Account, true
		}
	}
	return model.Account{}, false
}

// addStop adds a finding that stops, unless one says the same already: a secret
// that is missing is met by all who need it.
func addStop(out []model.Finding, subject string, err error) []model.Finding {
	f := model.Stop(subject, err)
	if slices.ContainsFunc(out, func(g model.Finding) bool { return g.Level == model.LevelStop && g.Message == f.Message }) {
		return out
	}
	return append(out, f)
}
