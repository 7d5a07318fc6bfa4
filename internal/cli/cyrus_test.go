package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
)

// startFirm is a Cyrus with three people, a public mailbox and what only some
// of them use.
func startFirm(t *testing.T) (*lab.Cyrus, int) {
	t.Helper()
	c := lab.StartCyrus(t, lab.CyrusOptions{Settings: map[string]string{"hashimapspool": "yes"}})
	admin := cyrusAs(t, c, "")
	n := 0
	admin.create("Team")
	for _, user := range []string{"anna", "bob", "carla.li"} {
		admin.create("user/" + user)
		p := cyrusAs(t, c, user)
		for _, m := range []string{"INBOX", "Sent", "Projects", "Projects/Straße", "Empty/Below", "a & b"} {
			if m != "INBOX" {
				p.create(m)
			}
			for i := range 12 {
				p.append(m, i) // the same messages in every mailbox
				n++
			}
			p.flag(m, 3)
			p.must(p.c.Subscribe(m).Wait())
		}
		p.append("INBOX", 5) // and twice in one
		n++
		p.expunge("Sent", 7)
		n--
		p.create("Doomed")
		p.append("Doomed", 1)
		p.remove("Doomed")
	}
	// Bob may work with a mailbox of anna's, and has subscribed to it; what
	// everybody may do there, carla may not.
	for _, grant := range []string{"bob lrswite", "anyone lrs", "-carla.li lrs"} {
		who, rights, _ := strings.Cut(grant, " ")
		admin.must(admin.c.SetACL("user/anna/Projects/Straße", goimap.RightsIdentifier(who), goimap.RightModificationReplace, goimap.RightSet(rights)).Wait())
	}
	bob := cyrusAs(t, c, "bob")
	bob.must(bob.c.Subscribe("Other Users/anna/Projects/Straße").Wait())
	putCyrusScript(t, c, "anna", "rules", "require \"fileinto\";\r\nif header :contains \"subject\" \"x\" { fileinto \"Projects\"; }\r\n")
	return c, n
}

func putCyrusScript(t *testing.T, c *lab.Cyrus, user, name, text string) {
	t.Helper()
	lab.PutScript(t, c.Sieve, user, c.Proxy, c.ProxyPassword, name, text)
}

// A Cyrus moves from its disk, from init to verify, and over IMAP, with the
// same results; what is read one way is known when it is read the other way.
func TestCyrusMoves(t *testing.T) {
	t.Parallel()
	firm, messages := startFirm(t)
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := moveFirm(t, firm, start(t), "disk", messages)
			over := moveFirm(t, firm, start(t), "imap", messages)
			if disk.moved != over.moved {
				t.Errorf("from disk: %+v, over IMAP: %+v", disk.moved, over.moved)
			}
			if d := cmp.Diff(over.arrived, disk.arrived); d != "" {
				t.Errorf("over IMAP (-), from disk (+):\n%s", d)
			}
			// The other way to read goes on where the first stopped.
			disk.use(t, firm, "imap")
			var r struct{ Total firmCounts }
			disk.result(cli.ExitOK, &r, "sync")
			if r.Total.Messages != 0 || r.Total.Deleted != 0 || r.Total.Refused != 0 {
				t.Errorf("over IMAP after the disk: %+v", r.Total)
			}
			disk.run(cli.ExitOK, "verify", "--reread")
		})
	}
}

type firmCounts struct{ Messages, Octets, Moved, Flags, Deleted, Rematched, Kept, Refused, Mailboxes, Scripts int }

type firmMove struct {
	administrator
	moved   firmCounts
	arrived map[string]arrival
}

var firmSource = regexp.MustCompile(`(?s)\n  kind: cyrus\n.*?\n  # Who exists`)

// use makes the engagement read one way or the other.
func (m firmMove) use(t *testing.T, firm *lab.Cyrus, way string) {
	t.Helper()
	raw, err := os.ReadFile(m.config)
	if err != nil {
		t.Fatal(err)
	}
	source := fmt.Sprintf("\n  kind: cyrus\n  cyrus: {config: %q}\n  public: {}\n  # Who exists", firm.Config)
	if way == "imap" {
		source = fmt.Sprintf("\n  kind: cyrus\n  imap: {url: %q, master: %s, password: env:OLD_MASTER, sieve: %q, tls: {insecure: true}}\n  public: {}\n  # Who exists", "imaps://"+firm.IMAPS, firm.Admin, "sieve://"+firm.Sieve)
	}
	text := firmSource.ReplaceAllLiteralString(string(raw), source)
	if err := os.WriteFile(m.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func moveFirm(t *testing.T, firm *lab.Cyrus, to target, way string, messages int) firmMove {
	t.Helper()
	m := firmMove{administrator: administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}}
	m.run(cli.ExitOK, "init", "--cyrus", firm.Config)
	raw, err := os.ReadFile(m.config)
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^  url: https://.*$`).ReplaceAllString(string(raw), "  url: "+to.url)
	text = regexp.MustCompile(`(?m)^  user: .*$`).ReplaceAllString(text, "  user: "+to.user)
	if err := os.WriteFile(m.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if way == "imap" {
		m.use(t, firm, way)
	}
	check := m.run(cli.ExitOK, "check")
	if way == "disk" && (!strings.Contains(check, "1, which move into the group shared@acme.test") || !strings.Contains(check, "3 deleted mailboxes and 3 expunged messages")) {
		t.Errorf("check does not tell what stays behind:\n%s", check)
	}
	var assessed struct {
		Total struct{ Accounts, Messages int }
	}
	m.result(cli.ExitOK, &assessed, "assess")
	if assessed.Total.Accounts != 4 || assessed.Total.Messages != messages {
		t.Errorf("assessed %+v, there are %d messages", assessed.Total, messages)
	}
	m.run(cli.ExitOK, "provision")
	var r struct{ Total firmCounts }
	m.result(cli.ExitOK, &r, "sync")
	m.moved = r.Total
	if r.Total.Messages != messages || r.Total.Scripts != 1 {
		t.Errorf("moved %+v, there are %d messages", r.Total, messages)
	}
	m.result(cli.ExitOK, &r, "sync")
	if r.Total != (firmCounts{}) {
		t.Errorf("a second sync did %+v", r.Total)
	}
	var v struct {
		Total struct{ Source, Identical, Repaired, Extra int }
	}
	m.result(cli.ExitOK, &v, "verify", "--reread")
	if v.Total.Source != messages || v.Total.Identical != messages || v.Total.Extra != 0 {
		t.Errorf("verified %+v, there are %d messages", v.Total, messages)
	}
	if notes := m.shared(); len(notes["changes"]) < 3 || len(notes["differs"])+len(notes["subscriptions"]) > 0 {
		t.Errorf("shared: %q", notes)
	}
	m.arrived = map[string]arrival{}
	people := []string{"anna", "bob", "carla.li"}
	for _, who := range append([]string{"shared"}, people...) {
		m.arrived[who] = arrivedAt(t, to, who+"@acme.test", people...)
	}
	if annas := m.arrived["anna"]; annas.Rights["bob Projects/Straße"] != "read add remove seen keywords" || annas.Rights["carla.li Projects/Straße"] != "" ||
		to.imap != "" && !slices.Equal(annas.Subscribed, []string{"bob Projects/Straße"}) {
		t.Errorf("of anna's mailboxes others have %v and have subscribed to %q", annas.Rights, annas.Subscribed)
	}
	return m
}

// What users do at the old server between two runs arrives with the second,
// read from disk.
func TestCyrusDelta(t *testing.T) {
	t.Parallel()
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := lab.StartCyrus(t, lab.CyrusOptions{})
			cyrusAs(t, c, "").create("user/anna")
			a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
			a.source(start(t), fmt.Sprintf("  kind: cyrus\n  cyrus: {config: %q}\n  users: {domain: acme.test}", c.Config))
			if renamed := a.deltas(t, cyrusAs(t, c, "anna")); renamed.Rematched != 0 {
				t.Errorf("a rename did %+v: nothing had to be matched", renamed)
			}
		})
	}
}
