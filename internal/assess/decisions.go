package assess

import (
	"fmt"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// Decision is a question that only people can answer before the bulk load.
type Decision struct {
	Question string `json:"question"`
	Proposal string `json:"proposal"`
}

func decisions(a Assessment, org *model.Organisation) (out []Decision) {
	// one and many are the same question of one and of several.
	ask := func(n int, one, many, proposal string) {
		switch {
		case n == 1:
			out = append(out, Decision{one, proposal})
		case n > 1:
			out = append(out, Decision{fmt.Sprintf(many, n), proposal})
		}
	}
	count := func(fn func(Account) bool) (n int) {
		for _, acc := range a.Accounts {
			if fn(acc) {
				n++
			}
		}
		return n
	}
	has := func(code string) func(Account) bool {
		return func(acc Account) bool {
			for _, x := range acc.Anomalies {
				if x.Code == code {
					return true
				}
			}
			return false
		}
	}
	if !a.Destination {
		out = append(out, Decision{"Which server is the destination?", "name it in the engagement file and assess again: its limits and the fate of passwords are not part of this page yet"})
	}
	ask(a.Failed(), "One account could not be examined: repair it or leave it behind?", "%d accounts could not be examined: repair or leave behind?", "repair them at the source; an account that is left behind is excluded by a rule with its reason")
	ask(count(has("noAddress")), "One account has no address at the destination: which one, or none?", "%d accounts have no address at the destination: which one, or none?", "give each an address under accounts:, or exclude it")
	ask(a.Total.Passwords[destination.PasswordReset], "One person needs a new password: how does it arrive?", "%d people need a new password: how do they get it?", "hand out one-time passwords with the announcement of the cutover")
	ask(a.Total.Passwords[destination.PasswordUnknown], "One account reveals no password: where does its user log in from now on?", "%d accounts reveal no password: where do their users log in from now on?", "an external directory at the destination, or new passwords")
	ask(len(a.Automation), "One automation has no equivalent: which replacement is wanted?", "%d automations have no equivalent: which replacement is wanted?", "approve or reject each in the list of automations")
	ask(count(has("tooLarge")), "One account holds messages that are too large for the destination: raise its limit, or leave them behind?", "%d accounts hold messages that are too large for the destination: raise its limit, or leave them behind?", "raise the limit for the time of the migration")
	ask(count(has("overQuota")), "One account is larger than its quota: raise it, or have its user delete?", "%d accounts are larger than their quota: raise it, or have their users delete?", "raise the quota before the bulk load")
	ask(len(a.Crossings), "One share joins accounts that move in different waves: move them together?", "%d shares join accounts that move in different waves: move them together?", "put both ends into one wave")
	if a.Proposed {
		ask(len(a.Waves), "One wave is proposed: does this fit the organisation's calendar?", "%d waves are proposed: does this fit the organisation's calendar?", "write them under waves: in the engagement file")
	}
	if org != nil {
		stops := 0
		for _, n := range org.Notes {
			if n.Level == model.LevelStop {
				stops++
			}
		}
		ask(stops, "One contradiction in the directory: what is meant?", "%d contradictions in the directory: what is meant?", "settle each in the directory, or by a rule in the engagement file")
	}
	return out
}
