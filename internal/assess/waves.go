package assess

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// DefaultWindow is how long the bulk load of a proposed wave may take: a
// night.
const DefaultWindow = 8 * time.Hour

// pilots is how many accounts a proposed pilot has.
const pilots = 5

// Wave is a group of accounts that move together.
type Wave struct {
	Name     string   `json:"name"`
	Accounts []string `json:"accounts"`
	Messages int64    `json:"messages"`
	Octets   int64    `json:"octets"`
	Duration Duration `json:"duration"`
	// High is how many of its accounts are of high risk.
	High int `json:"high_risk"`
}

// Crossing is a share whose two ends move in different waves: until the later
// one has moved, one of them cannot reach the other's mailboxes.
type Crossing struct {
	Share
	OwnerWave  string `json:"owner_wave"`
	ReaderWave string `json:"reader_wave"`
}

// noWave is what an account without one is said to be in.
const noWave = "(no wave)"

// waves sizes the engagement's waves, or proposes some.
func (a *Assessment) waves(o Options, r rates) {
	groups := o.Waves
	if len(groups) == 0 {
		if len(a.Accounts) <= pilots { // one go
			return
		}
		a.Proposed = true
		groups = propose(*a, r, cmp.Or(o.Window, DefaultWindow))
	}
	byLogin := make(map[string]*Account, len(a.Accounts))
	for i := range a.Accounts {
		byLogin[a.Accounts[i].Login] = &a.Accounts[i]
	}
	for _, g := range groups {
		w := Wave{Name: g.Name}
		var l load
		for _, login := range g.Accounts {
			acc := byLogin[login]
			if acc == nil || acc.Wave != "" {
				continue
			}
			acc.Wave = g.Name
			w.Accounts = append(w.Accounts, login)
			l.add(r, *acc)
			if acc.Risk == RiskHigh {
				w.High++
			}
		}
		w.Messages, w.Octets, w.Duration = l.messages, l.octets, l.duration(a.Parallel)
		if len(w.Accounts) > 0 {
			a.Waves = append(a.Waves, w)
		}
	}
	name := func(login string) string { return cmp.Or(byLogin[login].Wave, noWave) }
	for _, s := range a.Shares {
		if s.Group || s.Owner == model.PublicLogin || byLogin[s.Owner] == nil || byLogin[s.Reader] == nil {
			continue
		}
		if from, to := name(s.Owner), name(s.Reader); from != to {
			a.Crossings = append(a.Crossings, Crossing{s, from, to})
		}
	}
}

// propose makes a pilot of a few small accounts that nobody shares with, and
// waves that keep circles together and fit into the window. A circle that does
// not fit has a wave of its own.
func propose(a Assessment, r rates, window time.Duration) []Group {
	circled := map[string]bool{}
	type unit struct {
		logins []string
		load   load
	}
	var units []unit
	byLogin := map[string]Account{}
	for _, acc := range a.Accounts {
		byLogin[acc.Login] = acc
	}
	for _, c := range a.Circles {
		u := unit{logins: c.Accounts}
		for _, login := range c.Accounts {
			circled[login] = true
			u.load.add(r, byLogin[login])
		}
		units = append(units, u)
	}
	var single []Account
	for _, acc := range a.Accounts {
		if !circled[acc.Login] {
			single = append(single, acc)
		}
	}
	pilot := choosePilot(single)
	for _, acc := range single {
		if slices.Contains(pilot, acc.Login) {
			continue
		}
		u := unit{logins: []string{acc.Login}}
		u.load.add(r, acc)
		units = append(units, u)
	}
	slices.SortStableFunc(units, func(x, y unit) int {
		return cmp.Or(cmp.Compare(y.load.octets, x.load.octets), cmp.Compare(x.logins[0], y.logins[0]))
	})
	var bins []unit
	for _, u := range units {
		at := slices.IndexFunc(bins, func(b unit) bool {
			b.load.join(u.load)
			return b.load.duration(a.Parallel).Estimate <= window
		})
		if at < 0 {
			bins = append(bins, u)
			continue
		}
		bins[at].logins = append(slices.Clip(bins[at].logins), u.logins...)
		bins[at].load.join(u.load)
	}
	var out []Group
	if len(pilot) > 0 {
		out = append(out, Group{"pilot", pilot})
	}
	for i, b := range bins {
		slices.Sort(b.logins)
		out = append(out, Group{fmt.Sprintf("wave %d", i+1), b.logins})
	}
	return out
}

// choosePilot takes small accounts that hold something and are not of high
// risk: what goes wrong with them is soon seen and soon repaired.
func choosePilot(accounts []Account) (logins []string) {
	fit := slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool {
		return a.Err != nil || a.Messages == 0 || a.Risk == RiskHigh || a.Login == model.PublicLogin
	})
	slices.SortStableFunc(fit, func(x, y Account) int { return cmp.Compare(x.Octets, y.Octets) })
	// The smallest third, from its upper end: not the empty ones.
	fit = fit[:min(len(fit), max(pilots, len(fit)/3))]
	for _, a := range fit[max(0, len(fit)-pilots):] {
		logins = append(logins, a.Login)
	}
	slices.Sort(logins)
	return logins
}
