package sieve_test

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sieve"
)

// What a converted script does with mail is what the scripts that it was made
// of did: the same mailboxes, flags and addresses, told by the Dovecot that
// they come from.
func TestPigeonholeDoesTheSame(t *testing.T) {
	t.Parallel()
	rules := slices.Concat(same, randomRules(400, true))
	var runs []lab.SieveRun
	var converted []string
	for _, r := range rules {
		// Its expressions compare as the comparator says, and it has no (?i).
		to := target()
		to.CasedRegex = false
		out, _, err := sieve.Convert([]byte(r.script), r.setting(), to)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		converted = append(converted, string(out))
		var scripts [][]byte
		for _, s := range slices.Concat(r.before, []string{r.script}, r.after) {
			scripts = append(scripts, []byte(s))
		}
		for _, m := range mailNames() {
			run := lab.SieveRun{Scripts: scripts, Global: octets(r.global), Personal: octets(r.personal),
				Sender: "bob@example.test", Recipient: "anna@lab.test", Message: []byte(mails[m])}
			runs = append(runs, run)
			run.Scripts, run.Global = [][]byte{out}, nil
			runs = append(runs, run)
		}
	}
	outcomes := lab.SieveTest(t, runs)
	names := mailNames()
	for n, r := range rules {
		for k, m := range names {
			i := 2 * (n*len(names) + k)
			old, now := outcomes[i], outcomes[i+1]
			if old.Err != "" || now.Err != "" {
				t.Errorf("%s: the old compiler said %q and %q of\n%s", r.name, old.Err, now.Err, converted[n])
				break
			}
			if old.String() != now.String() {
				t.Errorf("%s, message %s: was %v, is %v\nbefore: %s\nscript: %s\nafter: %s\nbecame:\n%s", r.name, m, old, now,
					strings.Join(r.before, "\n--\n"), r.script, strings.Join(r.after, "\n--\n"), converted[n])
				break
			}
		}
	}
}

func octets(in map[string]string) map[string][]byte {
	out := map[string][]byte{}
	for k, v := range in {
		out[k] = []byte(v)
	}
	return out
}
