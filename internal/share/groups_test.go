package share_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/share"
	"mailhaul.org/mailhaul/internal/stalwart"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	t.Run("sandbox", func(t *testing.T) {
		t.Parallel()
		box := sandbox.New(sandbox.Options{})
		url, err := box.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { box.Close() })
		groupLife(newOrg(t, url, "admin", "demo", "acme.test"))
	})
	t.Run("Stalwart", func(t *testing.T) {
		t.Parallel()
		s := lab.StartStalwart(t)
		groupLife(newOrg(t, s.URL, s.AdminUser, s.AdminPassword, s.Domain))
	})
}

// groupLife is that of groups in anna's lists, from the rehearsal to the last
// arrival.
func groupLife(o *org) {
	t := o.t
	_, domain, _ := strings.Cut(o.accounts[0].Address, "@")
	options := share.Options{Source: o.src, Destination: o.dst, Ledger: o.led, Everybody: o.accounts,
		Groups:         map[string][]string{"Staff": {"anna", "ben", "dora"}, "pair": {"ben", "cleo", "daemon"}, "taken": {"cleo"}},
		GroupAddresses: map[string]string{"staff": "staff@" + domain, "anyone": "all@" + domain, "taken": o.accounts[1].Address}}
	run := func(dry bool) share.AccountResult {
		t.Helper()
		options.DryRun = dry
		res, err := share.Run(t.Context(), options, o.accounts[:1])
		o.must(err)
		o.must(res.Accounts[0].Err)
		return res.Accounts[0]
	}
	wantChanges := func(r share.AccountResult, want ...string) {
		t.Helper()
		got := strings.Split(changes(r), "; ")
		if changes(r) == "" {
			got = nil
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("changes:\n%q, want\n%q; notes %+v", got, want, r.Notes)
		}
	}
	wantSeen := func(login string, want map[string]destination.Rights) {
		t.Helper()
		got := o.seen(login)
		if len(got) != len(want) {
			t.Errorf("%s sees %v, want %v", login, got, want)
		}
		for box, r := range want {
			if got[box] != r {
				t.Errorf("%s has %q on %s, want %q", login, got[box], box, r)
			}
		}
	}
	const reads = destination.MayRead
	// A group with an address gets the share; who may more is named, too; a
	// group without one is written out.
	o.src.SetRights("anna", "Team", grant("group:staff", "lr"), grant("ben", "lri"), grant("group:pair", "lrs"))
	o.src.SetRights("anna", "Team/Plans", grant("anyone", "lr"), grant("group:taken", "lri"), grant("group:strangers", "lr"))
	first := []string{"Team staff: none → read", "Team ben: none → read add seen keywords", "Team cleo: none → read seen keywords",
		"Team/Plans all: none → read", "Team/Plans cleo: none → read add"}
	wantChanges(run(true), first...)
	if _, err := o.dst.Open(t.Context(), "staff@"+domain); model.CodeOf(err) != destination.CodeNoAccount {
		t.Errorf("a rehearsal made a group: %v", err)
	}
	r := run(false)
	wantChanges(r, first...)
	if got := codes(r); !slices.Equal(got, []string{"group", "members", "nobody", "rights"}) || len(r.Waiting) != 0 {
		t.Errorf("notes %v: %+v, waiting %v", got, r.Notes, r.Waiting)
	}
	wantSeen("ben", map[string]destination.Rights{"Team": reads | destination.MayAdd | destination.MaySetSeen | destination.MaySetKeywords, "Plans": reads})
	wantSeen("cleo", map[string]destination.Rights{"Team": reads | destination.MaySetSeen | destination.MaySetKeywords, "Plans": reads | destination.MayAdd})
	wantChanges(run(false))

	// Who arrives later becomes a member by the next run.
	o.arrive(o.accounts[3])
	wantChanges(run(false))
	wantSeen("dora", map[string]destination.Rights{"Team": reads, "Plans": reads})

	// What is taken from one member cannot be told of the group.
	o.src.SetRights("anna", "Team", grant("group:staff", "lr"), model.Grant{Identifier: "dora", Rights: model.RightRead, Negative: true})
	r = run(false)
	wantChanges(r, "Team staff: read → none", "Team ben: read add seen keywords → read", "Team cleo: read seen keywords → none")
	if !slices.Contains(codes(r), "members") {
		t.Errorf("notes: %+v", r.Notes)
	}
	wantSeen("dora", map[string]destination.Rights{"Plans": reads})
	wantSeen("ben", map[string]destination.Rights{"Team": reads, "Plans": reads})
	for range 2 {
		if r := run(false); changes(r) != "" || r.Kept != 0 {
			t.Errorf("after that: %q, kept %d", changes(r), r.Kept)
		}
	}
}

// How many one mailbox may be shared with is what the destination says today.
func TestMaxShares(t *testing.T) {
	t.Parallel()
	s := lab.StartStalwart(t)
	o := newOrg(t, s.URL, s.AdminUser, s.AdminPassword, s.Domain)
	_, domain, _ := strings.Cut(o.accounts[0].Address, "@")
	var more []model.Account
	for n := range 12 {
		a := model.Account{Login: fmt.Sprint("more", n), Address: fmt.Sprintf("more%d@%s", n, domain)}
		more = append(more, a)
		o.src.AddAccount(a)
	}
	o.accounts = append(o.accounts[:3:3], more...)
	o.arrive(more...)
	o.src.SetRights("anna", "Team", grant("anyone", "lr"))
	if r := o.run(false); changes(r) != "" || !slices.Contains(codes(r), "anyone") || !strings.Contains(r.Notes[0].Text, "allows 10 accounts") {
		t.Errorf("%q, %+v", changes(r), r.Notes)
	}
	o.must(o.dst.Change(t.Context(), []destination.Setting{{Object: "x:Sharing", Property: "maxShares", New: []byte("20")}}))
	var err error
	o.dst, err = stalwart.Dial(t.Context(), stalwart.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword})
	o.must(err)
	t.Cleanup(func() { o.dst.Close() })
	if r := o.run(false); len(r.Changes) != 14 || r.Shares != 14 || slices.Contains(codes(r), "differs") {
		t.Errorf("%q, %+v", changes(r), r.Notes)
	}
}
