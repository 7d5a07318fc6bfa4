package desttest

import (
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

func (s *suite) testSystemMailboxes(t *testing.T) {
	t.Parallel()
	a := s.account(t, "system")
	roles := map[model.Role]int{}
	for _, m := range mailboxes(t, a) {
		roles[m.Role]++
		if m.ID == "" || len(m.ID) > 16 || m.Name == "" || m.Parent != "" || m.Emails != 0 {
			t.Errorf("mailbox of a new account: %+v", m)
		}
	}
	for _, r := range []model.Role{model.RoleInbox, model.RoleSent, model.RoleDrafts, model.RoleTrash, model.RoleJunk} {
		if roles[r] != 1 {
			t.Errorf("%d mailboxes with the role %s, want 1", roles[r], r)
		}
	}
}

func (s *suite) testMailboxTwice(t *testing.T) {
	t.Parallel()
	a := s.account(t, "twice")
	parent := box(t, a, model.RoleNone, "Projekte ✓")
	before := len(mailboxes(t, a))
	var ids [4]string
	errs := make(chan error, len(ids))
	for i := range ids {
		go func() {
			var err error
			ids[i], err = a.CreateMailbox(t.Context(), destination.Mailbox{Name: "Kunde", Parent: parent})
			errs <- err
		}()
	}
	for range ids {
		if err := <-errs; err != nil {
			t.Fatalf("CreateMailbox: %v", err)
		}
	}
	for _, id := range ids[1:] {
		if id != ids[0] {
			t.Errorf("the same mailbox is %s and %s", ids[0], id)
		}
	}
	after := mailboxes(t, a)
	if len(after) != before+1 {
		t.Errorf("%d mailboxes more, want 1", len(after)-before)
	}
	if m := find(after, ids[0]); m == nil || m.Name != "Kunde" || m.Parent != parent {
		t.Errorf("the mailbox is %+v, want Kunde under %s", m, parent)
	}
	// The same name under another parent is another mailbox.
	if id, err := a.CreateMailbox(t.Context(), destination.Mailbox{Name: "Kunde"}); err != nil || id == ids[0] {
		t.Errorf("Kunde at the top: %s, %v, want a mailbox of its own", id, err)
	}
	// A role is created with the mailbox.
	id, err := a.CreateMailbox(t.Context(), destination.Mailbox{Name: "Archiv", Role: model.RoleArchive})
	if err != nil {
		t.Fatalf("create an archive: %v", err)
	}
	if m := find(mailboxes(t, a), id); m == nil || m.Role != model.RoleArchive {
		t.Errorf("the archive is %+v", m)
	}
}

func (s *suite) testMailboxRename(t *testing.T) {
	t.Parallel()
	a := s.account(t, "rename")
	top, child := box(t, a, model.RoleNone, "Top"), box(t, a, model.RoleNone, "Child")
	if err := a.UpdateMailbox(t.Context(), child, "Kind", top); err != nil {
		t.Fatalf("UpdateMailbox: %v", err)
	}
	if m := find(mailboxes(t, a), child); m == nil || m.Name != "Kind" || m.Parent != top {
		t.Errorf("after moving down: %+v", m)
	}
	if err := a.UpdateMailbox(t.Context(), child, "Kind", ""); err != nil {
		t.Fatalf("UpdateMailbox to the top: %v", err)
	}
	if m := find(mailboxes(t, a), child); m == nil || m.Parent != "" {
		t.Errorf("after moving up: %+v", m)
	}
	if err := a.UpdateMailbox(t.Context(), child, "Top", ""); err == nil {
		t.Errorf("a second mailbox could be renamed to Top")
	}
}

func (s *suite) testMailboxDelete(t *testing.T) {
	t.Parallel()
	a := s.account(t, "delete")
	full, empty := box(t, a, model.RoleNone, "Full"), box(t, a, model.RoleNone, "Empty")
	file(t, a, full, message(1, "stays", "here"))
	if err := a.DeleteMailbox(t.Context(), empty); err != nil {
		t.Errorf("delete an empty mailbox: %v", err)
	}
	if err := a.DeleteMailbox(t.Context(), full); err == nil {
		t.Errorf("a mailbox with mail was deleted")
	}
	wantFault(t, "delete it again", a.DeleteMailbox(t.Context(), empty), model.ClassItem, destination.CodeNotFound)
	if len(list(t, a, full)) != 1 {
		t.Errorf("the mail in the other mailbox is gone")
	}
}

func (s *suite) testMailboxNames(t *testing.T) {
	t.Parallel()
	a := s.account(t, "names")
	limit := s.Destination.Limits().MaxMailboxName
	long := strings.Repeat("n", limit)
	id := box(t, a, model.RoleNone, long)
	if m := find(mailboxes(t, a), id); m == nil || m.Name != long {
		t.Errorf("a name of %d octets came back as %+v", limit, m)
	}
	_, err := a.CreateMailbox(t.Context(), destination.Mailbox{Name: long + "n"})
	wantFault(t, "a name beyond the limit", err, model.ClassItem, "")
	for _, name := range []string{"Entwürfe & <Pläne>", "日本語", "a\"b\\c", "..", "100 %"} {
		id := box(t, a, model.RoleNone, name)
		if m := find(mailboxes(t, a), id); m == nil || m.Name != name {
			t.Errorf("the name %q came back as %+v", name, m)
		}
	}
	parent := ""
	for level := 1; level <= s.Destination.Limits().MaxMailboxDepth; level++ {
		id, err := a.CreateMailbox(t.Context(), destination.Mailbox{Name: fmt.Sprint("level ", level), Parent: parent})
		if err != nil {
			t.Fatalf("level %d: %v", level, err)
		}
		parent = id
	}
	_, err = a.CreateMailbox(t.Context(), destination.Mailbox{Name: "too deep", Parent: parent})
	wantFault(t, "a level beyond the limit", err, model.ClassItem, "")
}

func (s *suite) testManyMailboxes(t *testing.T) {
	t.Parallel()
	a := s.account(t, "many")
	limit := s.Destination.Limits().MaxMailboxes
	have := len(mailboxes(t, a))
	for n := have; n < limit; n++ {
		box(t, a, model.RoleNone, fmt.Sprint("box ", n))
	}
	if got := len(mailboxes(t, a)); got != limit {
		t.Errorf("%d mailboxes, want %d", got, limit)
	}
	_, err := a.CreateMailbox(t.Context(), destination.Mailbox{Name: "one more"})
	wantFault(t, "a mailbox beyond the limit", err, model.ClassAccount, destination.CodeOverQuota)
}

func (s *suite) testSubscriptions(t *testing.T) {
	t.Parallel()
	a := s.account(t, "subscriber")
	mine, notMine := box(t, a, model.RoleNone, "Mine"), box(t, a, model.RoleNone, "Not mine")
	inbox := box(t, a, model.RoleInbox, "")
	if err := a.Subscribe(t.Context(), map[string]bool{mine: true, notMine: false, inbox: false}); err != nil {
		t.Fatalf("Subscribe: %v", err)
	}
	for id, want := range map[string]bool{mine: true, notMine: false, inbox: false} {
		if m := find(mailboxes(t, a), id); m.Subscribed != want {
			t.Errorf("%s: subscribed %v, want %v", m.Name, m.Subscribed, want)
		}
	}
	if s.Login == nil {
		return
	}
	// What counts is what the user sees.
	own := s.open(t, s.Login(t, "subscriber@"+s.Domain, Password), "subscriber@"+s.Domain)
	for id, want := range map[string]bool{mine: true, notMine: false, inbox: false} {
		if m := find(mailboxes(t, own), id); m.Subscribed != want {
			t.Errorf("the user sees %s: subscribed %v, want %v", m.Name, m.Subscribed, want)
		}
	}
}
