package maildir

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// A damaged list of UIDs is named, once for each listing; the messages come all
// the same.
func TestDamagedListIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "cur/1.a:2,S", "one\n")
	put(t, dir, "dovecot-uidlist", "3 V7 N4\n1 :1.a\n")
	put(t, dir, ".Bad/cur/2.b:2,F", "two\n")
	put(t, dir, ".Bad/dovecot-uidlist", "\x00\x00\x00\n")
	st, err := New(Options{Path: dir}).Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	n := 0
	for range 2 {
		for _, c := range cols {
			for ch, err := range st.Changes(t.Context(), c, "") {
				must(t, err)
				if ch.Op == model.OpUpsert {
					n++
				}
			}
		}
	}
	told := st.(source.Damaged).Damage()
	if n != 4 || len(told) != 1 || told[0].Mailbox != "Bad" || !strings.Contains(told[0].Text, "list of UIDs") {
		t.Errorf("%d messages, told %+v", n, told)
	}
}
