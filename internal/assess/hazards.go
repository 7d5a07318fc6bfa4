package assess

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// Hazard is one risk over all accounts.
type Hazard struct {
	Code     string   `json:"code"` // of the anomalies, or "examination", "password", "crossing", "room", of a note
	Risk     Risk     `json:"risk"`
	Accounts []string `json:"accounts,omitempty"` // sorted
	Count    int64    `json:"count"`
	Example  string   `json:"example"`
	Remedy   string   `json:"remedy,omitempty"`
}

// hazards ranks what a migration would meet: what is lost before what changes,
// what concerns many before what concerns few.
func hazards(a Assessment, org *model.Organisation) []Hazard {
	found := map[string]*Hazard{}
	add := func(code, account, example, remedy string, n int64, r Risk) {
		h := found[code]
		if h == nil {
			h = &Hazard{Code: code, Risk: r, Example: example, Remedy: remedy}
			found[code] = h
		}
		if r == RiskHigh && h.Risk != RiskHigh {
			h.Risk, h.Example, h.Remedy = r, example, cmp.Or(remedy, h.Remedy)
		}
		h.Count += n
		if account != "" && !slices.Contains(h.Accounts, account) {
			h.Accounts = append(h.Accounts, account)
		}
	}
	for _, acc := range a.Accounts {
		if acc.Err != nil {
			add("examination", acc.Login, acc.Error, "repair the account at the source, or exclude it by a rule", 1, RiskHigh)
		}
		for _, x := range acc.Anomalies {
			switch {
			case x.Loss:
				add(x.Code, acc.Login, where(acc.Login, x)+": "+x.Text, x.Remedy, x.Count, RiskHigh)
			case !x.AsIs:
				add(x.Code, acc.Login, where(acc.Login, x)+": "+x.Text, x.Remedy, x.Count, RiskMedium)
			}
		}
		if acc.Password == destination.PasswordReset {
			add("password", acc.Login, acc.Login+"'s hash cannot be checked at the destination", "hand out new passwords before the cutover, or let users set them", 1, RiskMedium)
		}
	}
	for _, c := range a.Crossings {
		add("crossing", c.Owner, fmt.Sprintf("%s (%s) shares with %s (%s)", c.Owner, c.OwnerWave, c.Reader, c.ReaderWave),
			"move them in one wave; else they cannot reach each other's mailboxes meanwhile", 1, RiskMedium)
	}
	for _, n := range a.Needs {
		if n.Short() {
			add("room", n.Account, fmt.Sprintf("%s: %d, the destination allows %d", n.What, n.Needed, n.Limit), n.Remedy, 1, RiskHigh)
		}
	}
	if org != nil {
		for _, n := range org.Notes {
			risk := RiskMedium
			if n.Level == model.LevelStop {
				risk = RiskHigh
			}
			if n.Level != model.LevelOK {
				add(n.Code, n.Subject, n.Subject+": "+n.Text, n.Remedy, 1, risk)
			}
		}
	}
	out := make([]Hazard, 0, len(found))
	for _, code := range slices.Sorted(maps.Keys(found)) {
		slices.Sort(found[code].Accounts)
		out = append(out, *found[code])
	}
	slices.SortStableFunc(out, func(x, y Hazard) int {
		return cmp.Or(cmp.Compare(grave(y.Risk), grave(x.Risk)), cmp.Compare(len(y.Accounts), len(x.Accounts)), cmp.Compare(y.Count, x.Count))
	})
	return out
}

func grave(r Risk) int { return slices.Index([]Risk{RiskLow, RiskMedium, RiskHigh}, r) }

func where(login string, x Anomaly) string {
	parts := []string{login}
	for _, p := range []string{x.Mailbox, x.Item} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

// Automation is something that ran at the source and has no equivalent. What
// does the same in several places is decided once.
type Automation struct {
	Where    []string `json:"where"` // accounts with their scripts, or addresses
	What     string   `json:"what"`
	Proposal string   `json:"proposal"`
}

// automationNotes are the codes of notes on an organisation that tell of
// programs and files that mail is handed to.
var automationNotes = []string{"pipe", "file", "forward-files"}

func automation(a Assessment, org *model.Organisation) (out []Automation) {
	type same struct{ what, proposal string }
	at := map[same]int{}
	add := func(where, what, proposal string) {
		i, ok := at[same{what, proposal}]
		if !ok {
			i = len(out)
			at[same{what, proposal}] = i
			out = append(out, Automation{What: what, Proposal: proposal})
		}
		out[i].Where = append(out[i].Where, where)
	}
	for _, acc := range a.Accounts {
		for _, x := range acc.Anomalies {
			if x.Code == "script" && x.Loss {
				add(acc.Login+", script "+x.Item, x.Text, x.Remedy)
			}
		}
	}
	if org != nil {
		for _, n := range org.Notes {
			if slices.Contains(automationNotes, n.Code) {
				add(n.Subject, n.Text, n.Remedy)
			}
		}
	}
	return out
}
