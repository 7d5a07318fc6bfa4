package directory

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory/nearest"
	"mailhaul.org/mailhaul/internal/model"
)

// Select returns the accounts that a command line names, in the order of the
// plan, each once: by login, by address (of either side) or by glob. No names
// mean all accounts that move. A wave, if given, narrows the choice.
//
// It is an error to name an account that does not exist, does not move, or is
// not in the wave; globs pass over those. The errors have no code: they are
// mistakes of usage.
func (p Plan) Select(names []string, wave string) ([]model.Account, error) {
	if wave != "" && !slices.Contains(p.waves, wave) {
		if len(p.waves) == 0 {
			return nil, usage("there is no wave %q: the configuration has no waves", wave)
		}
		return nil, usage("there is no wave %q%s (there are: %s)", wave, nearest.Hint(wave, p.waves), strings.Join(p.waves, ", "))
	}
	chosen := make([]bool, len(p.Accounts))
	for _, n := range names {
		if err := p.choose(n, wave, chosen); err != nil {
			return nil, err
		}
	}
	var out []model.Account
	for i, e := range p.Accounts {
		if (chosen[i] || len(names) == 0) && e.Moves() && (wave == "" || e.Wave == wave) {
			out = append(out, e.Account)
		}
	}
	if wave != "" && len(out) == 0 {
		return nil, usage("no account of wave %q moves", wave)
	}
	return out, nil
}

// choose marks what one name means.
func (p Plan) choose(name, wave string, chosen []bool) error {
	if IsGlob(name) {
		if _, err := path.Match(name, ""); err != nil {
			return usage("%q is no pattern: a [ has no ]", name)
		}
	}
	found, moves := -1, false
	for _, i := range p.named(name) {
		found = i
		if e := p.Accounts[i]; e.Moves() && (wave == "" || e.Wave == wave) {
			chosen[i], moves = true, true
		}
	}
	switch {
	case moves:
		return nil
	case found < 0 && IsGlob(name):
		return usage("%q matches no account", name)
	case found < 0:
		return usage("there is no account %q%s", name, hint(name, p.Accounts))
	case IsGlob(name):
		return usage("none of the accounts that %q matches moves%s", name, inWave(wave))
	}
	e := p.Accounts[found]
	switch {
	case e.Err != nil:
		return e.Err
	case e.Excluded != "":
		return usage("%s does not move: %s", e.Login, e.Excluded)
	case e.Wave == "":
		return usage("%s is in no wave", e.Login)
	}
	return usage("%s is in wave %q", e.Login, e.Wave)
}

// named finds accounts by the first of these that fits any: login, login or
// address at the destination whatever the case, address at the source, glob.
// After a rename, one account's new address can be another's old one.
func (p Plan) named(name string) []int {
	wanted := compile([]string{name})
	for _, fits := range []func(Entry) bool{
		func(e Entry) bool { return e.Login == name },
		func(e Entry) bool { return strings.EqualFold(e.Login, name) || strings.EqualFold(e.Address, name) },
		func(e Entry) bool { return strings.EqualFold(e.origin, name) },
		func(e Entry) bool { return IsGlob(name) && wanted.match(e.Login, e.origin, e.Address) != nil },
	} {
		var found []int
		for i, e := range p.Accounts {
			if fits(e) {
				found = append(found, i)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func inWave(wave string) string {
	if wave == "" {
		return ""
	}
	return fmt.Sprintf(" in wave %q", wave)
}

// usage is a mistake of whoever wrote the files or the command line: it ends
// the run, and it has no code, so that the program can tell it from failures.
func usage(format string, args ...any) error {
	return model.Faultf(model.ClassFatal, "", format, args...)
}
