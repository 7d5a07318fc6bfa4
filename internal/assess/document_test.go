package assess_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/memory"
)

// office has twelve accounts of 1 MiB; the first three share in a chain, one
// uses an alias, and one mailbox is open to everybody.
func office() (*memory.Source, []model.Account) {
	src := memory.New()
	var accounts []model.Account
	for i := range 12 {
		login := fmt.Sprintf("u%02d@acme.test", i)
		acc := model.Account{Login: login, Address: login, Aliases: []string{fmt.Sprintf("alias%d@acme.test", i)}}
		accounts = append(accounts, acc)
		src.AddAccount(acc)
		for k := range 4 {
			src.Deliver(login, "INBOX", "Subject: x\r\n\r\n"+strings.Repeat("y", 256<<10), model.Flags{}, now.AddDate(-k*2, 0, 0))
		}
	}
	lr := model.ParseRights("lr")
	src.SetRights("u00@acme.test", "INBOX", model.Grant{Identifier: "u00@acme.test", Rights: model.ParseRights("lrswipkxtea")},
		model.Grant{Identifier: "u01@acme.test", Rights: lr}, model.Grant{Identifier: "u09@acme.test", Rights: lr, Negative: true})
	src.SetRights("u01@acme.test", "INBOX", model.Grant{Identifier: "ALIAS2@acme.test", Rights: lr})
	src.SetRights("u05@acme.test", "INBOX", model.Grant{Identifier: "anyone", Rights: lr})
	return src, accounts
}

func run(t *testing.T, src *memory.Source, accounts []model.Account, change func(*assess.Options)) assess.Assessment {
	t.Helper()
	start := time.Now()
	o := assess.Options{Source: src, Accounts: 2, Now: func() time.Time { return now.Add(time.Since(start)) }}
	change(&o)
	a, err := assess.Run(t.Context(), o, accounts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWhoSharesMovesTogether(t *testing.T) {
	t.Parallel()
	src, accounts := office()
	// The destination is assumed to store 25 MiB in a second: five accounts in 200 ms.
	a := run(t, src, accounts, func(o *assess.Options) { o.Window = 200 * time.Millisecond })
	if len(a.Circles) != 1 || !slices.Equal(a.Circles[0].Accounts, []string{"u00@acme.test", "u01@acme.test", "u02@acme.test"}) || a.Circles[0].Shares != 2 {
		t.Errorf("circles: %+v", a.Circles)
	}
	if len(a.Shares) != 3 || !a.Shares[2].Group || a.Shares[2].Reader != "anyone" {
		t.Errorf("shares: %+v", a.Shares)
	}
	if !a.Proposed || len(a.Waves) < 3 || a.Waves[0].Name != "pilot" || len(a.Crossings) != 0 {
		t.Errorf("waves %+v, crossings %+v", a.Waves, a.Crossings)
	}
	moved := map[string]string{}
	for _, w := range a.Waves {
		if w.Name != "pilot" && len(w.Accounts) > 3 && w.Duration.Estimate > 200*time.Millisecond {
			t.Errorf("%s takes %v", w.Name, w.Duration.Estimate)
		}
		for _, login := range w.Accounts {
			if moved[login] != "" {
				t.Errorf("%s moves twice", login)
			}
			moved[login] = w.Name
		}
	}
	if len(moved) != len(accounts) || moved["u00@acme.test"] != moved["u02@acme.test"] || moved["u00@acme.test"] == "pilot" {
		t.Errorf("%v", moved)
	}
}

// Who reads the public mailboxes waits for these alone: they join nobody, and are
// no pilot.
func TestPublicJoinsNobody(t *testing.T) {
	t.Parallel()
	src, accounts := office()
	public := model.Account{Login: model.PublicLogin, Address: "shared@acme.test", Public: &model.Public{}}
	src.AddAccount(public)
	src.AddMailbox(public.Login, "Team", model.RoleNone)
	src.Deliver(public.Login, "Team", "Subject: x\r\n\r\n", model.Flags{}, now)
	lr := model.ParseRights("lr")
	src.SetRights(public.Login, "Team", model.Grant{Identifier: "u07@acme.test", Rights: lr}, model.Grant{Identifier: "u08@acme.test", Rights: lr})
	a := run(t, src, append(accounts, public), func(o *assess.Options) { o.Window = 200 * time.Millisecond })
	if len(a.Circles) != 1 || len(a.Shares) != 5 || len(a.Crossings) != 0 {
		t.Errorf("circles %+v, shares %+v, crossings %+v", a.Circles, a.Shares, a.Crossings)
	}
	if slices.Contains(a.Waves[0].Accounts, public.Login) {
		t.Errorf("the pilot is %v", a.Waves[0].Accounts)
	}
}

func TestSharesBetweenWaves(t *testing.T) {
	t.Parallel()
	src, accounts := office()
	a := run(t, src, accounts, func(o *assess.Options) {
		o.Waves = []assess.Group{{Name: "first", Accounts: []string{"u00@acme.test"}}, {Name: "second", Accounts: []string{"u01@acme.test"}}}
	})
	var got []string
	for _, c := range a.Crossings {
		got = append(got, c.Owner+" "+c.OwnerWave+" "+c.Reader+" "+c.ReaderWave)
	}
	if want := []string{"u00@acme.test first u01@acme.test second", "u01@acme.test second u02@acme.test (no wave)"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if !slices.ContainsFunc(a.Risks, func(h assess.Hazard) bool { return h.Code == "crossing" && h.Count == 2 }) {
		t.Errorf("risks: %+v", a.Risks)
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	src, accounts := office()
	src.Deliver("u00@acme.test", "INBOX", "Subject: impossible\r\n\r\n", model.Flags{}, time.Unix(0, 0))
	a := run(t, src, accounts, func(*assess.Options) {})
	var years []int
	var sum int64
	for _, y := range a.Total.Years {
		years = append(years, y.Year)
		sum += y.Messages
	}
	this := now.Year()
	if !slices.Equal(years, []int{this - 6, this - 5, this - 4, this - 3, this - 2, this - 1, this}) || sum != 48 || a.Total.Years[1].Messages != 0 {
		t.Errorf("%+v", a.Total.Years)
	}
}

func TestConvertedAsAWhole(t *testing.T) {
	t.Parallel()
	src, accounts := office()
	src.SetScripts("u07@acme.test", model.Script{Name: "main", Content: []byte("require \"vnd.dovecot.pipe\";\npipe \"x\";\n"), Active: true})
	for range 200 {
		src.Deliver("u03@acme.test", "INBOX", "Subject: x\r\n\r\n", model.Flags{}, now)
	}
	src.Deliver("u03@acme.test", "INBOX", "no header", model.Flags{}, now)
	a := run(t, src, accounts, func(o *assess.Options) { o.Complete, o.Sample = 3, 5 })
	if len(a.Complete) != 3 {
		t.Fatalf("%+v", a.Complete)
	}
	first := a.Complete[0]
	if first.Login != "u07@acme.test" || len(first.Lost) != 1 || first.Lost[0].Code != "script" || first.Unread != 0 {
		t.Errorf("the one with most to lose: %+v", first)
	}
	for _, c := range a.Complete {
		for _, acc := range a.Accounts {
			if acc.Login == c.Login && acc.Sampled.Messages != acc.Messages {
				t.Errorf("%s: %d of %d messages were read", c.Login, acc.Sampled.Messages, acc.Messages)
			}
		}
	}
	if len(a.Automation) != 1 || !strings.Contains(a.Automation[0].Where[0], "u07") {
		t.Errorf("%+v", a.Automation)
	}
	if !slices.ContainsFunc(a.Decisions, func(d assess.Decision) bool { return strings.Contains(d.Question, "automation") }) {
		t.Errorf("%+v", a.Decisions)
	}
}

func TestRoomAtTheDestination(t *testing.T) {
	t.Parallel()
	src, accounts := office()
	src.AddMailbox("u04@acme.test", "a/b/c/d", model.RoleNone)
	org := model.Organisation{Notes: []model.Note{{Level: model.LevelStop, Code: "two-owners", Subject: "info@acme.test", Text: "two accounts have it"}}}
	a := run(t, src, accounts, func(o *assess.Options) {
		o.Limits = destination.Limits{MaxMailboxDepth: 3, MaxShares: 1, MaxMessage: 1 << 20}
		o.Organisation = func(_ context.Context, sizes map[string]int64) (model.Organisation, error) {
			if len(sizes) != len(accounts) || sizes["u04@acme.test"] < 1<<20 {
				t.Errorf("told of sizes %v", sizes)
			}
			return org, nil
		}
	})
	short := map[string]string{}
	for _, n := range a.Needs {
		if n.Short() {
			short[n.What] = n.Account
			if n.Remedy == "" {
				t.Errorf("no remedy: %+v", n)
			}
		}
	}
	if len(short) != 1 || short["levels of mailboxes"] != "u04@acme.test" {
		t.Errorf("short of %v in %+v", short, a.Needs)
	}
	if len(a.Risks) == 0 || a.Risks[0].Risk != assess.RiskHigh || a.Risks[len(a.Risks)-1].Risk == assess.RiskHigh {
		t.Errorf("not ranked: %+v", a.Risks)
	}
	if !slices.ContainsFunc(a.Risks, func(h assess.Hazard) bool { return h.Code == "two-owners" }) {
		t.Errorf("the directory's contradiction is missing: %+v", a.Risks)
	}
}
