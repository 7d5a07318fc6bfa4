package assess

import (
	"cmp"
	"slices"
)

// maxComplete bounds, in octets, an account that is converted as a whole.
const maxComplete = 1 << 30

// Complete is what would become of one account, every message of which was
// read.
type Complete struct {
	Login    string `json:"account"`
	Name     string `json:"name,omitempty"`
	Why      string `json:"why"` // it was chosen
	Messages int64  `json:"messages"`
	Octets   int64  `json:"octets"`
	// Lost stays behind, Changed arrives otherwise than it was, Known arrives
	// as it is and is worth knowing.
	Lost    []Anomaly `json:"lost,omitempty"`
	Changed []Anomaly `json:"changed,omitempty"`
	Known   []Anomaly `json:"known,omitempty"`
	// Unread is how many messages could not be read, or went away meanwhile.
	Unread int64 `json:"unread,omitempty"`
	// Password is set anew.
	Password bool `json:"password_reset,omitempty"`
}

type chosen struct {
	index int
	why   string
}

// choose picks n accounts that tell most: the one with most findings, a
// typical one, the one with most scripts, then those with most findings again.
func choose(accounts []Account, n int) (out []chosen) {
	var fit []int
	for i, a := range accounts {
		if a.Err == nil && a.Messages > 0 && a.Octets <= maxComplete {
			fit = append(fit, i)
		}
	}
	pick := func(i int, why string) {
		if len(out) < n && !slices.ContainsFunc(out, func(c chosen) bool { return c.index == i }) {
			out = append(out, chosen{i, why})
		}
	}
	by := func(key func(Account) int64) []int {
		s := slices.Clone(fit)
		slices.SortStableFunc(s, func(x, y int) int { return cmp.Compare(key(accounts[y]), key(accounts[x])) })
		return s
	}
	if len(fit) == 0 {
		return nil
	}
	odd := by(findings)
	pick(odd[0], "it has the most findings")
	sized := by(func(a Account) int64 { return a.Octets })
	pick(sized[len(sized)/2], "it is of typical size")
	if rules := by(func(a Account) int64 { return a.Scripts }); accounts[rules[0]].Scripts > 0 {
		pick(rules[0], "it has the most scripts")
	}
	for _, i := range odd {
		pick(i, "it has many findings")
	}
	return out
}

// findings is how much there is to tell of an account; what is lost counts
// before all else.
func findings(a Account) (n int64) {
	for _, x := range a.Anomalies {
		switch {
		case x.Loss:
			n += 1000 * x.Count
		case !x.AsIs:
			n += x.Count
		}
	}
	return n
}

func complete(a Account, why string) Complete {
	c := Complete{Login: a.Login, Name: a.Name, Why: why, Messages: a.Messages, Octets: a.Octets,
		Unread: max(0, a.Messages-a.Sampled.Messages), Password: a.Password == "reset"}
	for _, x := range a.Anomalies {
		switch {
		case x.Loss:
			c.Lost = append(c.Lost, x)
		case x.AsIs:
			c.Known = append(c.Known, x)
		default:
			c.Changed = append(c.Changed, x)
		}
	}
	return c
}
