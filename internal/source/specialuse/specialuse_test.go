package specialuse

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

func TestRoleOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]model.Role{
		"INBOX": model.RoleInbox, "inbox": model.RoleInbox, "INBOX/Trash": model.RoleTrash,
		"Gesendete Objekte": model.RoleSent, "ÉLÉMENTS ENVOYÉS": model.RoleSent, " Sent ": model.RoleSent, "送信済み": model.RoleSent,
		"Entwürfe": model.RoleDrafts, "Entwu\u0308rfe": model.RoleDrafts, "Черновики": model.RoleDrafts,
		"Papierkorb": model.RoleTrash, "المهملات": model.RoleTrash, "Courrier indésirable": model.RoleJunk, "Archiv": model.RoleArchive,
		"Projects/Archive": model.RoleNone, "INBOX/Work/Sent": model.RoleNone, "Sent 2019": model.RoleNone, "": model.RoleNone,
	} {
		if got := RoleOf(strings.Split(name, "/")); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// A name that stands for two roles would be filed by chance.
func TestNamesAreUnambiguous(t *testing.T) {
	t.Parallel()
	seen := map[string]model.Role{}
	for role, list := range names {
		for n := range strings.SplitSeq(list, "|") {
			n = fold.String(strings.TrimSpace(n))
			if other, ok := seen[n]; ok {
				t.Errorf("%q is %s and %s", n, other, role)
			}
			seen[n] = role
		}
	}
}
