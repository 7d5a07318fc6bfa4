package sieve_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// ofCyrus are scripts in what only a Cyrus understands, and in what it
// understands in its own way.
var ofCyrus = []rule{
	{name: "plain rules", script: "require [\"fileinto\", \"copy\"];\nif header :contains \"list-id\" \"dev\" { fileinto \"Lists\"; stop; }\nif address :domain \"from\" \"bank.test\" { fileinto :copy \"Bills\"; }\n"},
	{name: "keep before fileinto", script: "require \"fileinto\";\nkeep;\nif header :contains \"subject\" \"invoice\" { fileinto \"Bills\"; }\n"},
	{name: "old flags", script: "require [\"imapflags\", \"fileinto\"];\nif exists \"x-a\" { addflag \"$label1\"; mark; fileinto \"Bills\"; }\nelsif exists \"list-id\" { setflag [\"\\\\Seen\", \"work\"]; fileinto \"Lists\"; }\n"},
	{name: "flags", script: "require [\"imap4flags\", \"fileinto\", \"variables\"];\nif exists \"x-a\" { setflag \"f\" [\"\\\\Flagged\", \"urgent\"]; }\nfileinto :flags \"${f}\" \"Filed\";\n"},
	{name: "a log", script: "require [\"x-cyrus-log\", \"fileinto\"];\nif exists \"x-a\" { log \"a bill\"; fileinto \"Bills\"; }\n"},
	{name: "query for a sender", script: "require [\"vnd.cyrus.jmapquery\", \"fileinto\"];\nif jmapquery \"{\\\"from\\\":\\\"billing\\\"}\" { fileinto \"Bills\"; }\n"},
	{name: "query in a text", script: "require [\"vnd.cyrus.jmapquery\", \"fileinto\"];\nif jmapquery text:\n  {\"operator\": \"OR\", \"conditions\": [{\"subject\": \"patch\"}, {\"operator\": \"AND\", \"conditions\": [{\"from\": \"carl\"}, {\"minSize\": 2000}]}]}\n.\n{ fileinto \"Some\"; }\n"},
	{name: "query for what is not", script: "require [\"vnd.cyrus.jmapquery\", \"fileinto\"];\nif jmapquery text:\n  {\"operator\": \"NOT\", \"conditions\": [{\"header\": [\"X-A\"]}, {\"header\": [\"List-Id\", \"dev.lists.test\"]}, {\"maxSize\": 2000}]}\n.\n{ fileinto \"Rest\"; }\n"},
	{name: "query of the body", script: "require [\"vnd.cyrus.jmapquery\", \"fileinto\"];\nif jmapquery \"{\\\"body\\\":\\\"please\\\"}\" { fileinto \"Asked\"; }\n"},
	{name: "two fileinto", script: "require [\"fileinto\", \"variables\"];\nif header :matches \"subject\" \"[*] *\" { set \"to\" \"L-${1}\"; }\nif not string :is \"${to}\" \"\" { fileinto \"${to}\"; }\nif size :over 2K { fileinto \"Big\"; }\n"},
	{name: "stop and discard", script: "require \"fileinto\";\nif exists \"x-a\" { discard; stop; }\nif exists \"x-b\" { fileinto \"Big\"; stop; }\nif header :is \"x-spam-flag\" \"YES\" { fileinto \"Junk\"; }\n"},
	{name: "elsif and numbers", script: "require [\"fileinto\", \"relational\", \"comparator-i;ascii-numeric\"];\nif header :value \"ge\" :comparator \"i;ascii-numeric\" \"x-spam-score\" \"10\" { fileinto \"Junk\"; } elsif exists \"x-b\" { fileinto \"Big\"; } else { keep; }\n"},
	{name: "regular expressions", script: "require [\"regex\", \"fileinto\"];\nif header :regex \"subject\" \"^\\\\[DEV\\\\] p(a|o)tch\" { fileinto \"Patches\"; }\n"},
	{name: "personal include", script: "require [\"include\", \"fileinto\"];\ninclude :personal \"lists\";\nif exists \"x-a\" { fileinto \"Bills\"; }\n",
		personal: map[string]string{"lists": "require \"fileinto\";\nif exists \"list-id\" { fileinto \"Lists\"; stop; }\n"}},
}

// A script that a real Stalwart runs does with mail what a real Cyrus did.
func TestStalwartDoesAsCyrus(t *testing.T) {
	t.Parallel()
	old, server := lab.StartCyrus(t, lab.CyrusOptions{}), lab.StartStalwart(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	d, err := stalwart.Dial(ctx, stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var accounts []model.Account
	for i := range ofCyrus {
		accounts = append(accounts, model.Account{Login: who(i), Address: who(i) + "@" + server.Domain})
	}
	plan, err := d.Plan(ctx, accounts)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range plan {
		if err := d.Apply(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	names := mailNames()
	var want []lab.SieveOutcome
	for i, r := range ofCyrus {
		want = append(want, cyrusFiles(t, old, r, i)...)
		install(t, ctx, d, r, i, want[i*len(names):])
		lmtp := dialLMTP(t, server.LMTP)
		for _, m := range names {
			lmtp.deliver(who(i)+"@"+server.Domain, numbered(i, m))
		}
		lmtp.conn.Close()
	}
	box := mailReader{t: t, ctx: ctx, d: d, c: dialMail(t, ctx, server)}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for {
		wrong := box.misfiled(ofCyrus, want)
		if len(wrong) == 0 {
			return
		}
		select {
		case <-tick.C:
			continue
		case <-late:
			t.Fatal(strings.Join(wrong, "\n"))
		}
	}
}

// numbered is a mail that tells by which rule it is filed.
func numbered(i int, m string) string {
	return "X-Rule: " + key(i, m) + "\r\n" + strings.Replace(local(mails[m], who(i)), "Message-ID: <", "Message-ID: <"+key(i, m)+".", 1)
}

// cyrusFiles lets a Cyrus file all mails by a rule, and tells where it did.
func cyrusFiles(t *testing.T, old *lab.Cyrus, r rule, i int) (out []lab.SieveOutcome) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dial := func(as, by, password string) *imapclient.Client {
		c, err := imapclient.DialInsecure(old.IMAP, nil)
		must(err)
		t.Cleanup(func() { c.Close() })
		must(c.Authenticate(sasl.NewPlainClient(as, by, password)))
		return c
	}
	must(dial("", old.Admin, old.AdminPassword).Create("user/"+who(i), nil).Wait())
	user := dial(who(i), old.Proxy, old.ProxyPassword)
	for _, box := range []string{"Lists", "Bills", "Filed", "Some", "Rest", "Asked", "L-dev", "Big", "Junk", "Patches"} {
		must(user.Create(box, nil).Wait())
	}
	for name, text := range r.personal {
		lab.PutScript(t, old.Sieve, who(i), old.Proxy, old.ProxyPassword, name, text)
	}
	lab.PutScript(t, old.Sieve, who(i), old.Proxy, old.ProxyPassword, "rules", local(r.script, who(i)))
	lmtp := dialLMTP(t, old.LMTP)
	defer lmtp.conn.Close()
	for _, m := range mailNames() {
		lmtp.deliver(who(i), numbered(i, m))
	}
	stored := map[string][]string{}
	list, err := user.List("", "*", nil).Collect()
	must(err)
	section := &goimap.FetchItemBodySection{Specifier: goimap.PartSpecifierHeader, HeaderFields: []string{"X-Rule"}, Peek: true}
	for _, l := range list {
		box, err := user.Select(l.Mailbox, &goimap.SelectOptions{ReadOnly: true}).Wait()
		must(err)
		if box.NumMessages == 0 {
			continue
		}
		messages, err := user.Fetch(goimap.SeqSet{{Start: 1}}, &goimap.FetchOptions{Flags: true, BodySection: []*goimap.FetchItemBodySection{section}}).Collect()
		must(err)
		for _, m := range messages {
			_, rule, _ := strings.Cut(string(m.FindBodySection(section)), "X-Rule: ")
			line := l.Mailbox
			for _, f := range m.Flags {
				if !strings.EqualFold(string(f), `\Recent`) {
					line += " " + strings.ToLower(string(f))
				}
			}
			rule = strings.TrimSpace(rule)
			stored[rule] = append(stored[rule], line)
		}
	}
	for _, m := range mailNames() {
		lines := stored[key(i, m)]
		slices.Sort(lines)
		out = append(out, lab.SieveOutcome{Stored: lines})
	}
	if len(stored) == 0 {
		t.Fatalf("%s: the Cyrus has stored nothing", r.name)
	}
	return out
}
