package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cli"
)

// publicMove moves an organisation with its public mailboxes: twice, shares and
// verifies. It returns what arrived and the notes of the shares, by code.
func publicMove(t *testing.T, to target, source string, messages int, readers ...string) (administrator, arrival, map[string][]string) {
	t.Helper()
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	a.source(to, source)
	a.run(cli.ExitOK, "check")
	a.run(cli.ExitOK, "provision")
	a.run(cli.ExitOK, "sync")
	var r struct {
		Total    firmCounts
		Accounts []struct {
			Account string
			Counts  firmCounts
		}
	}
	a.result(cli.ExitOK, &r, "sync")
	if r.Total != (firmCounts{}) {
		t.Errorf("a second sync did %+v", r.Total)
	}
	var v struct {
		Total struct{ Source, Identical, Repaired, Extra int }
	}
	a.result(cli.ExitOK, &v, "verify", "--reread", "shared@acme.test")
	if v.Total.Source != messages || v.Total.Identical != messages || v.Total.Extra != 0 {
		t.Errorf("verified %+v, there are %d public messages", v.Total, messages)
	}
	notes := a.shared()
	if again := a.shared(); len(again["changes"]) > 0 || !cmp.Equal(again["differs"], notes["differs"]) {
		t.Errorf("sharing again did %v", again)
	}
	if len(notes["differs"])+len(notes["kept"]) > 0 {
		t.Errorf("read back as the readers: %q %q", notes["differs"], notes["kept"])
	}
	return a, arrived(t, to, readers...), notes
}

// source writes an engagement file.
func (a administrator) source(to target, source string) {
	a.t.Helper()
	text := fmt.Sprintf("engagement: ./state\nsource:\n%s\ndestination: {url: %q, user: %q, password: env:NEW_ADMIN}\n", source, to.url, to.user)
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// shared runs share for everybody. The result has the notes by code, and
// "changes".
func (a administrator) shared() map[string][]string {
	a.t.Helper()
	var s struct {
		Accounts []struct {
			Account string
			Changes []struct{ Mailbox, Reader, To string }
			Notes   []struct{ Mailbox, Code, Text string }
			Waiting []struct{ Reader string }
			Error   string
		}
	}
	a.result(cli.ExitOK, &s, "share")
	out := map[string][]string{}
	for _, x := range s.Accounts {
		if x.Error != "" || len(x.Waiting) > 0 {
			a.t.Errorf("%s: %s, waiting for %v", x.Account, x.Error, x.Waiting)
		}
		for _, c := range x.Changes {
			out["changes"] = append(out["changes"], c.Mailbox+" "+c.Reader+": "+c.To)
		}
		for _, n := range x.Notes {
			out[n.Code] = append(out[n.Code], n.Mailbox+": "+n.Text)
		}
	}
	slices.Sort(out["changes"])
	return out
}

const (
	reads    = "read seen keywords"
	works    = "read add remove seen keywords create rename delete"
	manages  = works + " share"
	everyone = "everybody@acme.test"
)

// shownOverIMAP demands that readers find the group's mailboxes with a mail
// program, and only those that they may read.
func shownOverIMAP(t *testing.T, to target) {
	t.Helper()
	for reader, want := range map[string][]string{"dora": {"News"}, "ben": {"News", "Team", "Team/Größe & x"}} {
		c, err := imapclient.DialInsecure(to.imap, nil)
		p := person{t, c}
		p.must(err)
		defer c.Close()
		p.must(c.Login(reader+"@acme.test%"+to.user, to.password).Wait())
		list, err := c.List("", "*", nil).Collect()
		p.must(err)
		var got []string
		for _, l := range list {
			if box, ok := strings.CutPrefix(l.Mailbox, "Shared Folders/shared@acme.test/"); ok && !slices.Contains(l.Attrs, goimap.MailboxAttrNoSelect) {
				got = append(got, box)
				if data, err := c.Select(l.Mailbox, nil).Wait(); err != nil || data.NumMessages != 6 {
					t.Errorf("%s opens %s: %+v, %v", reader, box, data, err)
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s sees %q, want %q; of %+v", reader, got, want, list)
		}
	}
}
