package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// organisation is a real Dovecot with everything that the sample can hold.
type organisation struct {
	*lab.Dovecot
	sample *sample.Organisation
	dir    string
}

// startOrganisation serves a sample organisation's Maildirs; settings are more
// lines of dovecot.conf.
func startOrganisation(t *testing.T, o sample.Options, settings string) organisation {
	t.Helper()
	o.Now = today
	org := organisation{sample: sample.New(o), dir: t.TempDir()}
	if err := org.sample.WriteMaildir(org.dir); err != nil {
		t.Fatal(err)
	}
	org.Dovecot = lab.StartDovecot(t, lab.DovecotOptions{Passwd: org.dir + "/users", Mail: org.dir,
		Location: "maildir:" + org.dir + "/%d/%n/Maildir", Home: org.dir + "/%d/%n", Settings: settings})
	return org
}

// A Dovecot with twenty accounts moves, from init to verify, over IMAP with
// bodies from disk and over IMAP alone: thirty thousand messages into the real
// server, some of them into the sandbox.
func TestDovecotMoves(t *testing.T) {
	for name, start := range everyTarget {
		t.Run(name, func(t *testing.T) {
			o := sample.Options{Accounts: 20, Messages: 30_000, Large: 60 << 20, Oddities: true, Seed: 7}
			if testing.Short() {
				o.Messages, o.Large = 500, 5<<20
			} else if name == "sandbox" {
				o.Messages = 3_000
			}
			org := startOrganisation(t, o, "")
			t.Setenv("PATH", org.Doveconf(t)+":"+os.Getenv("PATH"))
			for way, edit := range map[string]func(config string) string{"from disk": without(), "over IMAP": without("maildir", "acl")} {
				t.Run(way, func(t *testing.T) {
					t.Parallel()
					org.moves(t, start(t), edit)
				})
			}
		})
	}
}

func (org organisation) moves(t *testing.T, to target, edit func(config string) string) {
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	a.run(cli.ExitOK, "init")
	a.complete(to, edit)

	a.run(cli.ExitOK, "check")
	var assessed struct {
		Total struct{ Accounts, Messages, Mailboxes int }
	}
	a.result(cli.ExitOK, &assessed, "assess")
	accounts, mailboxes, messages, _ := org.sample.Totals()
	if got := assessed.Total; got.Accounts != accounts || got.Messages != messages || got.Mailboxes < mailboxes {
		t.Errorf("assessed %+v; there are %d accounts, %d mailboxes, %d messages", got, accounts, mailboxes, messages)
	}
	a.run(cli.ExitOK, "provision", "--dry-run")
	type provisioning struct {
		Actions []struct{ Verb, Kind, Subject, Password string }
	}
	var plan, again provisioning
	a.result(cli.ExitOK, &plan, "provision")
	for _, x := range plan.Actions {
		if x.Verb == "create" && x.Kind == "account" {
			org.logsIn(t, to, x.Subject, x.Password)
		}
	}
	a.result(cli.ExitOK, &again, "provision")
	for _, x := range again.Actions {
		if x.Verb != "keep" {
			t.Errorf("a second provision would %s %s %s", x.Verb, x.Kind, x.Subject)
		}
	}

	type counts struct {
		Messages, Octets, Moved, Flags, Deleted, Refused, Kept, Mailboxes, Scripts int
	}
	var first, second struct{ Total counts }
	a.run(cli.ExitOK, "sync", "--dry-run")
	a.run(cli.ExitOK, "sync", "--wave", "pilot")
	a.result(cli.ExitOK, &first, "sync")
	a.result(cli.ExitOK, &second, "sync")
	if second.Total != (counts{}) {
		t.Errorf("a second sync did %+v", second.Total)
	}
	var verified struct {
		Total struct {
			Source, Identical, Repaired, Refused, Excluded, Kept, Missing, Different, Gone, Duplicates, Extra int
		}
	}
	a.result(cli.ExitOK, &verified, "verify", "--reread")
	v := verified.Total
	if v.Source != messages || v.Identical+v.Repaired != messages || v.Extra != 0 {
		t.Errorf("verified %+v; the source holds %d messages", v, messages)
	}
	if v.Repaired > messages/10 {
		t.Errorf("%d of %d messages are not identical", v.Repaired, messages)
	}
	var status struct {
		Accounts []struct{ State string }
	}
	a.result(cli.ExitOK, &status, "status")
	if len(status.Accounts) != accounts {
		t.Errorf("the status names %d accounts, want %d", len(status.Accounts), accounts)
	}
	reports, err := filepath.Glob(filepath.Join(filepath.Dir(a.config), "*", "reports", "*.html"))
	if err != nil || len(reports) < 2 {
		t.Errorf("reports: %v, %v", reports, err)
	}
}

// logsIn tries the old password at the new server: it must let in exactly
// those whose password was said to be carried.
func (org organisation) logsIn(t *testing.T, to target, address, fate string) {
	t.Helper()
	i := slices.IndexFunc(org.sample.Accounts, func(a *sample.Account) bool { return a.Login == address })
	if to.noDES && strings.HasPrefix(org.sample.Accounts[i].Hash, "{DES-CRYPT}") {
		return
	}
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: address, Password: org.sample.Accounts[i].Password})
	switch {
	case err == nil:
		d.Close()
		if !destination.PasswordFate(fate).Works() {
			t.Errorf("%s logs in, though the password was said to be %q", address, fate)
		}
	case destination.PasswordFate(fate).Works() || model.CodeOf(err) != model.CodeAuth:
		t.Errorf("%s, whose password was said to be %q: %v", address, fate, err)
	}
}

// without removes sections of source from a configuration.
func without(sections ...string) func(config string) string {
	return func(config string) string {
		for _, s := range sections {
			config = regexp.MustCompile(`(?m)^  `+s+`:\n(?:    .*\n)+`).ReplaceAllString(config, "")
		}
		return config
	}
}

// complete does what an administrator does to the draft: name the destination,
// the waves, and how the source is to be read.
func (a administrator) complete(to target, edit func(config string) string) {
	a.t.Helper()
	raw, err := os.ReadFile(a.config)
	if err != nil {
		a.t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^  url: https://.*$`).ReplaceAllString(string(raw), "  url: "+to.url)
	text = regexp.MustCompile(`(?m)^  user: .*$`).ReplaceAllString(text, "  user: "+to.user)
	text = edit(text) + "\nwaves:\n  pilot: [anna@" + sample.Domain + "]\n  rest: [\"*\"]\n"
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}
