package dbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/dbox"
)

// A check names the accounts that would not move whole, each with its reason.
func TestCheck(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	box := func(name string, messages ...string) (dir string) {
		dir = filepath.Join(top, name, "mailboxes/INBOX/dbox-Mails")
		indexLog(t, dir, "dovecot.index", 1234, len(messages))
		for i, m := range messages {
			if m != "" {
				must(t, os.WriteFile(filepath.Join(dir, "u."+string(rune('1'+i))), []byte("2 M1e C5d2b4a60\n"+m), 0o600))
			}
		}
		return dir
	}
	must(t, os.WriteFile(filepath.Join(box("anna", storedAs(1, "fine\n")), "dovecot-acl"), []byte("user=ben lr\nowner lra\n-user=eve r\n"), 0o600))
	must(t, os.MkdirAll(filepath.Join(top, "ben/mailboxes/INBOX/dbox-Mails"), 0o755))
	must(t, os.WriteFile(filepath.Join(top, "ben/mailboxes/INBOX/dbox-Mails/dovecot-acl"), []byte("nonsense\n"), 0o600))
	box("ben", storedAs(1, "CRYPTED\x03\x07\x02"))
	box("carl", storedAs(1, "head\n", "X5 9 - aa/bb"))
	must(t, os.WriteFile(filepath.Join(box("dora"), "dovecot.index.log"), []byte(strings.Repeat("x", 99)), 0o600))
	box("emil", "")
	must(t, os.Symlink("/nowhere", filepath.Join(top, "emil/dbox-alt-root")))
	box("fred", "rubbish")
	must(t, os.MkdirAll(filepath.Join(top, "nobody"), 0o755))
	must(t, os.WriteFile(filepath.Join(top, "site.sieve"), []byte("keep;"), 0o600))
	must(t, os.Symlink("../../../site.sieve", filepath.Join(top, "anna/.dovecot.sieve")))
	found := dbox.New(dbox.Options{Location: "sdbox:" + top + "/%n"}).Check(t.Context())
	for what, who := range map[string]string{
		"6 accounts can be read": "", "indexes cannot be read": "dora: INBOX", "alternate storage is not there": "emil", "encrypted on disk (mail_crypt)": "ben: INBOX",
		"attachments are kept apart": "carl: INBOX", "the active Sieve script is not the account's own": "anna", "messages cannot be read": "fred: INBOX: UID 1",
		"mailboxes are shared with others": "anna: INBOX with ben", "access control lists cannot be read": "ben: INBOX",
	} {
		n := 0
		for _, f := range found {
			if strings.Contains(f.Message, what) && strings.Contains(f.Message, who) && (f.Level == model.LevelOK) == (f.Remedy == "") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d findings say %q of %q: %+v", n, what, who, found)
		}
	}
	for _, location := range []string{"sdbox:" + top + "/nowhere/%n", "mdbox:" + top + "/empty-%n"} {
		if f := dbox.New(dbox.Options{Location: location}).Check(t.Context()); len(f) != 1 || f[0].Level != model.LevelStop || model.CodeOf(f[0].Err) != model.CodeUnreachable {
			t.Errorf("%s: %+v", location, f)
		}
	}
}

// Where the location has the home in it, a directory tells whom to look at.
func TestCheckAccounts(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	inbox := filepath.Join(top, "anna/sdbox/mailboxes/INBOX/dbox-Mails")
	indexLog(t, inbox, "dovecot.index", 1234, 1)
	must(t, os.WriteFile(filepath.Join(inbox, "u.1"), []byte("2 M1e C5d2b4a60\n"+storedAs(1, "fine\n")), 0o600))
	src := dbox.New(dbox.Options{Location: "sdbox:%h/sdbox"})
	if f := src.Check(t.Context()); len(f) != 1 || f[0].Level != model.LevelOK {
		t.Errorf("without a directory: %+v", f)
	}
	found := src.CheckAccounts(t.Context(), []model.Account{{Login: "anna", Home: filepath.Join(top, "anna")}, {Login: "ben", Home: filepath.Join(top, "ben")}})
	if len(found) != 2 || found[0].Message != "1 account can be read" || found[1].Level != model.LevelWarning || !strings.Contains(found[1].Message, "cannot be moved: ben") {
		t.Errorf("%+v", found)
	}
	if f := dbox.New(dbox.Options{Location: "sdbox:" + top + "/%n/sdbox"}).CheckAccounts(t.Context(), nil); f != nil {
		t.Errorf("where the location tells who there is: %+v", f)
	}
}
