package engagement_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mailhaul.org/mailhaul/internal/engagement"
)

// What Postfix says of an account's forwards reaches the accounts that are
// moved; who forwards in a circle keeps the mail.
func TestWithForwarding(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"users":         "anna@acme.test:{PLAIN}x::::::\nben@acme.test:{PLAIN}x::::::\ncleo@acme.test:{PLAIN}x::::::\ndora@acme.test:{PLAIN}x::::::\n",
		"main.cf":       "virtual_mailbox_domains = acme.test\nvirtual_mailbox_maps = texthash:" + dir + "/mailboxes\nvirtual_alias_maps = texthash:" + dir + "/virtual\n",
		"virtual":       "anna@acme.test a@outside.test\nben@acme.test ben@acme.test, b@outside.test\ncleo@acme.test dora@acme.test\ndora@acme.test cleo@acme.test\n",
		"mailboxes":     "anna@acme.test x\nben@acme.test x\ncleo@acme.test x\ndora@acme.test x\n",
		"mailhaul.yaml": "engagement: ./e\nsource:\n  kind: maildir\n  maildir: {path: /srv/%d/%n}\n  postfix: " + dir + "\n  users: {passwd: ./users}\ndestination: {embedded: true}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := engagement.Load(filepath.Join(dir, "mailhaul.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	accounts, err := e.Accounts(t.Context(), nil, "")
	if err == nil {
		accounts, err = e.WithForwarding(t.Context(), accounts)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		to   []string
		only bool
	}{"anna@acme.test": {[]string{"a@outside.test"}, true}, "ben@acme.test": {[]string{"b@outside.test"}, false}, "cleo@acme.test": {}, "dora@acme.test": {}}
	for _, a := range accounts {
		if w := want[a.Login]; !slices.Equal(a.Forwards, w.to) || a.ForwardOnly != w.only {
			t.Errorf("%s forwards to %v (only: %t), want %v (%t)", a.Login, a.Forwards, a.ForwardOnly, w.to, w.only)
		}
	}
	if len(accounts) != len(want) {
		t.Errorf("%d accounts", len(accounts))
	}
}
