package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// A run names what it was bound by, in words and in JSON: a slow line to the
// source or to the destination, or a limit that the administrator has set. The
// destination is a real server where it is to be slow, and the sandbox, which is
// fast on a busy machine, too, where something else is.
func TestSyncNamesTheBottleneck(t *testing.T) {
	t.Parallel()
	old := startOrganisation(t, sample.Options{Accounts: 4, Messages: 500, Seed: 5}, "")
	fast, slow := startSandbox(t), startStalwart(t)
	from, dest := lab.StartProxy(t, old.IMAP), lab.StartProxy(t, strings.TrimPrefix(slow.url, "http://"))
	dest.Delay.Store(int64(700 * time.Millisecond))
	slow.url = "http://" + dest.Addr
	a := administrator{t: t}
	write := func(limits string, to target) {
		a.config = filepath.Join(t.TempDir(), "mailhaul.yaml") // and a ledger that knows nothing
		text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: imap\n  imap: {url: %q, master: %s, separator: \"*\", password: env:OLD_MASTER, tls: {insecure: true}}\n  users: {passwd: %q}\n"+
			"destination: {url: %q, user: %q, password: env:NEW_ADMIN}\nlimits: {%s}\n", "imap://"+from.Addr, old.MasterUser, old.dir+"/users", to.url, to.user, limits)
		if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []target{fast, slow} {
		write("accounts: 4", to)
		a.run(cli.ExitOK, "provision")
	}
	for _, c := range []struct {
		limits      string
		from        time.Duration // before each piece of an answer
		to          target
		side, cause string
		says        string
	}{
		{"accounts: 2", 5 * time.Millisecond, fast, "source", "", "Bound by the source: reading took"},
		{"accounts: 4", 0, slow, "destination", "", "Bound by the destination: messages were read ahead"},
		{"accounts: 4, bandwidth: 1MiB/s", 0, fast, "limits", "limits.bandwidth", "Bound by limits.bandwidth: it was waited for"},
		{"accounts: 4, connections: 1", 5 * time.Millisecond, fast, "limits", "limits.connections", "others waited for a connection"},
	} {
		// Where others keep the machine busy the source is as slow as they make it:
		// then the verdict may well be another one, and it is tried again.
		for attempt := 1; ; attempt++ {
			write(c.limits, c.to)
			from.Delay.Store(int64(c.from))
			out := a.run(cli.ExitOK, "sync")
			p := onlyPace(t, filepath.Join(filepath.Dir(a.config), "state", "reports"))
			if p.Exchange <= 0 || p.Ledger <= 0 || p.Processor <= 0 {
				t.Errorf("%s: without the evidence: %+v", c.limits, p)
			}
			if p.Bound.Side == c.side && p.Bound.Cause == c.cause {
				if !strings.Contains(out, c.says) {
					t.Errorf("%s: the report does not say %q:\n%s", c.limits, c.says, out)
				}
				break
			}
			if attempt == 3 || p.Machine < 0.9 || p.Processor > 0.5 {
				t.Errorf("%s: the JSON says %+v, of %+v", c.limits, p.Bound, p)
				break
			}
		}
	}
}

// onlyPace reads the pace from the only report of a sync in a folder.
func onlyPace(t *testing.T, reports string) engine.Pace {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(reports, "*sync*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	var doc struct{ Result engine.Result }
	if err != nil || json.Unmarshal(text, &doc) != nil {
		t.Fatalf("%v\n%.500s", err, text)
	}
	return doc.Result.Pace
}
