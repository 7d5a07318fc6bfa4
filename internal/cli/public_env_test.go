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
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// arrival is what a public tree is at the destination.
type arrival struct {
	// Messages are "path received hash keywords", in order.
	Messages []string
	// Rights are what readers have, by "reader path".
	Rights map[string]string
}

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

// arrived looks at the group as the administrator and as the readers.
func arrived(t *testing.T, to target, readers ...string) arrival {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: to.user, Password: to.password})
	must(err)
	defer d.Close()
	group, err := d.Open(t.Context(), "shared@acme.test")
	must(err)
	boxes, err := group.Mailboxes(t.Context())
	must(err)
	path := map[string]string{}
	var name func(id string) string
	name = func(id string) string {
		i := slices.IndexFunc(boxes, func(m destination.Mailbox) bool { return m.ID == id })
		if boxes[i].Parent == "" {
			return boxes[i].Name
		}
		return name(boxes[i].Parent) + "/" + boxes[i].Name
	}
	for _, m := range boxes {
		path[m.ID] = name(m.ID)
	}
	out := arrival{Rights: map[string]string{}}
	for _, m := range boxes {
		for e, err := range group.List(t.Context(), m.ID) {
			must(err)
			out.Messages = append(out.Messages, fmt.Sprintf("%s %d %x %v", path[m.ID], e.Received.Unix(), e.Hash, e.Keywords))
		}
	}
	slices.Sort(out.Messages)
	for _, r := range readers {
		seen, err := group.(destination.Sharer).SeenBy(t.Context(), r+"@acme.test")
		must(err)
		for id, rights := range seen {
			out.Rights[r+" "+path[id]] = rights.String()
		}
	}
	return out
}

// seen are the messages of a mailbox that are marked as read.
func (a arrival) seen(path string) (n int) {
	for _, m := range a.Messages {
		if strings.HasPrefix(m, path+" ") && strings.Contains(m, "$seen") {
			n++
		}
	}
	return n
}

const (
	reads    = "read seen keywords"
	works    = "read add remove seen keywords create rename delete"
	manages  = works + " share"
	everyone = "everybody@acme.test"
)

// subscribesOverIMAP demands that a reader has subscribed to these mailboxes of
// the group, at a server that has IMAP.
func subscribesOverIMAP(t *testing.T, to target, reader string, want ...string) {
	t.Helper()
	if to.imap == "" {
		return
	}
	c, err := imapclient.DialInsecure(to.imap, nil)
	p := person{t, c}
	p.must(err)
	defer c.Close()
	p.must(c.Login(reader+"@acme.test%"+to.user, to.password).Wait())
	list, err := c.List("", "*", &goimap.ListOptions{SelectSubscribed: true}).Collect()
	p.must(err)
	var got []string
	for _, l := range list {
		if box, ok := strings.CutPrefix(l.Mailbox, "Shared Folders/shared@acme.test/"); ok {
			got = append(got, box)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s has subscribed to %q, want %q", reader, got, want)
	}
}

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
