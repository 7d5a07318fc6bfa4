package directory

import (
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// Entry is one account of a plan.
type Entry struct {
	model.Account
	// Wave is the name of the account's wave; empty means none.
	Wave string
	// Err is why the account cannot move as planned; nil when it can. It is
	// a model.Fault of model.ClassAccount.
	Err error

	origin string // the address at the source
}

// Origin is the account's address at the source, before the rules; empty where
// it has none.
func (e Entry) Origin() string { return e.origin }

// Moves reports whether the account is neither excluded nor in error.
func (e Entry) Moves() bool { return e.Excluded == "" && e.Err == nil }

// Plan says what becomes of every account.
type Plan struct {
	// Accounts are all accounts in the order of the directory, the excluded
	// ones too; each login once.
	Accounts []Entry
	// Findings are what an administrator should see before anything moves:
	// conflicts, rules and waves without effect, accounts without a wave.
	Findings []model.Finding

	waves []string
	hints int // given so far
}

// Options are what else Resolve needs to know.
type Options struct {
	// DefaultDomain completes bare names; empty makes them errors.
	DefaultDomain string
}

// Resolve applies rules and waves to the accounts of one or more directories.
//
// Of the rules the first that matches an account decides, alone: put the
// special before the general. Of the waves the first that matches, too; the
// globs of a wave are tried on the login and on the address before and after
// the rules. Accounts of one login are one account: what an earlier one says
// of it holds, later ones fill in what is missing.
//
// Two accounts with one address cannot both move there: each gets an error
// that names the other. Resolve never fails as a whole.
func Resolve(base []model.Account, rules []Rule, waves []Wave, o Options) Plan {
	p := Plan{}
	for _, w := range waves {
		p.waves = append(p.waves, w.Name)
	}
	p.merge(base, o.DefaultDomain)
	p.applyRules(rules, o.DefaultDomain)
	p.address(o.DefaultDomain)
	p.conflicts()
	p.aliases(o.DefaultDomain)
	p.assign(waves)
	return p
}

func (p *Plan) warn(subject, remedy, format string, args ...any) {
	p.Findings = append(p.Findings, model.Finding{Level: model.LevelWarning, Subject: subject, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

// maxHints: to guess takes a look at every account, and a wrong domain makes
// every rule miss.
const maxHints = 50

func (p *Plan) hint(name string) string {
	if p.hints++; p.hints > maxHints {
		return ""
	}
	return hint(name, p.Accounts)
}

// merge makes one entry of each login.
func (p *Plan) merge(base []model.Account, domain string) {
	index := map[string]int{}
	for _, a := range base {
		i, ok := index[a.Login]
		if !ok {
			index[a.Login] = len(p.Accounts)
			p.Accounts = append(p.Accounts, Entry{Account: a})
			continue
		}
		e := &p.Accounts[i]
		if differ(e.Address, a.Address) || differ(e.Password, a.Password) || differ(e.Secret, a.Secret) {
			p.warn("account "+a.Login, "remove one of them", "it is listed twice, differently: the first one holds")
		}
		fill(&e.Address, a.Address)
		fill(&e.Name, a.Name)
		fill(&e.Language, a.Language)
		fill(&e.Password, a.Password)
		fill(&e.Secret, a.Secret)
		fill(&e.Home, a.Home)
		fill(&e.Location, a.Location)
		fill(&e.Excluded, a.Excluded)
		if e.Quota == 0 {
			e.Quota = a.Quota
		}
		if len(e.Aliases) == 0 {
			e.Aliases = a.Aliases
		}
		if len(e.Forwards) == 0 {
			e.Forwards = a.Forwards
		}
		if len(e.Groups) == 0 {
			e.Groups = a.Groups
		}
		e.Disabled = e.Disabled || a.Disabled
		e.Group = e.Group || a.Group
	}
	for i := range p.Accounts {
		e := &p.Accounts[i]
		e.origin = e.Address
		if e.origin == "" {
			e.origin, _ = Normalize(e.Login, domain)
		}
	}
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

func fill(to *string, from string) {
	if *to == "" {
		*to = from
	}
}

// applyRules tells, too, which rules did nothing.
func (p *Plan) applyRules(rules []Rule, domain string) {
	sources := make([]string, len(rules))
	for n, r := range rules {
		sources[n] = r.Source
	}
	wanted := compile(sources)
	matched, applied := make([]bool, len(rules)), make([]bool, len(rules))
	for i := range p.Accounts {
		e := &p.Accounts[i]
		for k, n := range wanted.match(e.Login, e.origin) {
			matched[n] = true
			if k == 0 {
				rules[n].apply(&e.Account, domain)
				applied[n] = true
			}
		}
	}
	for n, r := range rules {
		switch {
		case !matched[n]:
			p.warn(r.name(), "correct or remove it", "it matches no account%s", p.hint(r.Source))
		case !applied[n]:
			p.warn(r.name(), "move it up: the first rule that matches decides", "it has no effect: earlier rules match all its accounts")
		}
	}
}

// address brings the addresses into their final form.
func (p *Plan) address(domain string) {
	for i := range p.Accounts {
		e := &p.Accounts[i]
		from := e.Address
		if from == "" {
			from = e.Login
		}
		a, err := Normalize(from, domain)
		if err != nil {
			if e.Excluded == "" {
				e.fail("address", err)
			}
			continue
		}
		e.Address = a
	}
}

func (e *Entry) fail(code string, err error) {
	e.Err = &model.Fault{Class: model.ClassAccount, Code: code, Account: e.Login, Err: err}
}

// conflicts finds accounts that would share an address.
func (p *Plan) conflicts() {
	at := map[string][]int{}
	for i, e := range p.Accounts {
		if e.Moves() {
			at[e.Address] = append(at[e.Address], i)
		}
	}
	for i, e := range p.Accounts {
		same := at[e.Address]
		if !e.Moves() || len(same) < 2 || same[0] != i {
			continue
		}
		var logins []string
		for _, j := range same {
			logins = append(logins, p.Accounts[j].Login)
		}
		err := fmt.Errorf("%s would all become %s: give each its own destination under accounts, or exclude all but one", strings.Join(logins, ", "), e.Address)
		for _, j := range same {
			p.Accounts[j].fail("conflict", err)
		}
	}
	for _, e := range p.Accounts {
		if e.Err != nil {
			p.Findings = append(p.Findings, model.Finding{Level: model.LevelStop, Subject: "account " + e.Login, Message: cause(e.Err), Err: e.Err})
		}
	}
}

// cause is the message without the account, which the subject names.
func cause(err error) string {
	if f, ok := err.(*model.Fault); ok && f.Err != nil {
		return f.Err.Error()
	}
	return err.Error()
}

// aliases normalises them and drops those that belong to somebody else.
func (p *Plan) aliases(domain string) {
	owner := map[string]string{}
	for _, e := range p.Accounts {
		if e.Moves() {
			owner[e.Address] = e.Login
		}
	}
	for i := range p.Accounts {
		e := &p.Accounts[i]
		if !e.Moves() || len(e.Aliases) == 0 {
			continue
		}
		var keep []string
		for _, a := range e.Aliases {
			n, err := Normalize(a, domain)
			switch who := owner[n]; {
			case err != nil:
				p.warn("account "+e.Login, "correct it in the directory", "its alias is left out: %v", err)
			case n == e.Address || slices.Contains(keep, n):
			case who != "" && who != e.Login:
				p.warn("account "+e.Login, "give it to one of them in the directory", "its alias %s is left out: it belongs to %s", n, who)
			default:
				keep, owner[n] = append(keep, n), e.Login
			}
		}
		e.Aliases = keep
	}
}

// assign puts accounts into waves.
func (p *Plan) assign(waves []Wave) {
	if len(waves) == 0 {
		return
	}
	var globs []string
	var waveOf []string // of each glob
	for _, w := range waves {
		for _, g := range w.Globs {
			globs, waveOf = append(globs, g), append(waveOf, w.Name)
		}
	}
	wanted, matched, filled, none := compile(globs), make([]bool, len(globs)), map[string]bool{}, 0
	for i := range p.Accounts {
		e := &p.Accounts[i]
		for _, n := range wanted.match(e.Login, e.origin, e.Address) {
			matched[n] = true
			if e.Wave == "" && e.Excluded == "" {
				e.Wave = waveOf[n]
				filled[e.Wave] = true
			}
		}
		if e.Wave == "" && e.Moves() {
			none++
		}
	}
	n := 0
	for _, w := range waves {
		for _, g := range w.Globs {
			if !matched[n] {
				p.warn(w.name(), "correct or remove it", "%q matches no account%s", g, p.hint(g))
			}
			n++
		}
		if !filled[w.Name] {
			p.warn(w.name(), "the first wave that matches an account takes it: put the special before the general", "no account is in it")
		}
	}
	if none > 0 {
		p.warn("waves", `add "*" to the last wave, or move them without --wave`, "%d of %s %s in no wave", none, plural.Count(len(p.Accounts), "account"), plural.Of(none, "is", "are"))
	}
}
