package cli_test

import (
	"testing"

	goimap "github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/cli"
)

// deltaCounts is what a run did between two runs of a user's life.
type deltaCounts struct{ Messages, Moved, Flags, Deleted, Rematched, Kept, Refused int }

// deltas moves what a user has, lets the user live on at the old server, and
// moves again, twice: new mail, a flag, a move without a second upload, a
// deletion; then a renamed and a removed mailbox, and a flag that changes nothing.
// The mailbox is called After in the end. It returns what the last run did.
func (a administrator) deltas(t *testing.T, user person) deltaCounts {
	t.Helper()
	user.create("Before")
	for i := range 6 {
		user.append("Before", i)
	}
	user.create("Doomed")
	a.run(cli.ExitOK, "provision")
	a.run(cli.ExitOK, "sync")
	a.run(cli.ExitOK, "verify", "--reread")

	user.append("INBOX", 100)
	user.flag("Before", 1)
	user.move("Before", 2, "INBOX")
	user.expunge("Before", 3)
	var r struct{ Total deltaCounts }
	a.result(cli.ExitOK, &r, "sync")
	if want := (deltaCounts{Messages: 1, Moved: 1, Flags: 1, Deleted: 1}); r.Total != want {
		t.Errorf("the first delta did %+v, want %+v", r.Total, want)
	}
	a.run(cli.ExitOK, "verify", "--reread")

	user.rename("Before", "After")
	user.remove("Doomed")
	user.on("After", func() {
		user.must(user.c.Store(goimap.UIDSetNum(4), &goimap.StoreFlags{Op: goimap.StoreFlagsDel, Silent: true, Flags: []goimap.Flag{goimap.FlagSeen}}, nil).Close())
	})
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Messages != 0 || r.Total.Deleted != 0 {
		t.Errorf("a rename did %+v: nothing had to be uploaded or deleted", r.Total)
	}
	a.run(cli.ExitOK, "verify", "--reread")
	return r.Total
}
