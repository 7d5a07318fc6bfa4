package cyrus_test

import (
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// Names that mean something to a Cyrus, or to a file system, come from disk as
// IMAP shows them.
func TestOddNames(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		settings      map[string]string
		inbox         string
		users, admins []string // who makes the mailboxes
	}{
		"slashes": {nil, "user/anna",
			[]string{"INBOX/Sub", "Inbox/Other", "v1.2/x.y", "..", ".", " lead", "trail ", "a/../b", "Alt Folders/foo", "dr&AOk-x&-", "&2D3cqQ-"},
			[]string{"user/anna/INBOX", "user/anna/inbox/x", "user/anna/Shared Folders/y", "user/anna/#calendars", "user/anna/#calendars/Default", "user/anna/#drive"}},
		"dots": {map[string]string{"unixhierarchysep": "no", "altnamespace": "no"}, "user.anna",
			[]string{"INBOX.INBOX", "INBOX.inbox.x", "INBOX.a^b", "INBOX.INBOX.y", "INBOX. lead"},
			[]string{"user.anna.#addressbooks.Default"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, x.settings)
			admin := s.as(t, "")
			admin.do("CREATE %q", x.inbox)
			user := s.as(t, "anna")
			for _, n := range x.users {
				user.do("CREATE %q", n)
			}
			for _, n := range x.admins {
				admin.do("CREATE %q", n)
			}
			same(t, s, "anna")
			said := fmt.Sprint(s.disk(t).Check(t.Context()))
			var calendars, books, folders int
			for _, n := range x.admins {
				switch n = strings.ReplaceAll(n, "/", "."); {
				case strings.Contains(n, "#calendars."):
					calendars++
				case strings.Contains(n, "#addressbooks."):
					books++
				case strings.Contains(n, "#drive"):
					folders++
				}
			}
			if counted := plural.Count(calendars, "calendar") + ", " + plural.Count(books, "address book") + " and " + plural.Count(folders, "folder") + " of files can be read"; calendars+books+folders > 0 && !strings.Contains(said, counted) {
				t.Errorf("check does not say %q:\n%s", counted, said)
			}
			st, err := s.disk(t).Open(t.Context(), model.Account{Login: "anna"})
			must(t, err)
			cols, err := st.Collections(t.Context())
			must(t, err)
			inboxes := 0
			for _, c := range cols {
				if c.Role == model.RoleInbox {
					inboxes++
				}
			}
			if inboxes != 1 {
				t.Errorf("%d inboxes", inboxes)
			}
		})
	}
}
