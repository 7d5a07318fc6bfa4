package doveconf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Lists in a configuration of 2.4, at each level where they may stand.
func TestConfiguredACL(t *testing.T) {
	t.Parallel()
	const on = "dovecot_config_version = 2.4.0\nmail_plugins {\n  acl = yes\n}\nacl_driver = vfile\n"
	for name, c := range map[string]struct {
		in   string
		want ACL
		note string
	}{
		"none": {"", ACL{}, ""},
		"everywhere": {"acl user=boss {\n  rights = lr\n}\nmailbox Spam {\n  acl owner {\n    rights = -x\n  }\n}\n",
			ACL{Entries: []string{"* user=boss lr", "Spam -owner x"}}, ""},
		"of the inbox's namespace": {"acl_globals_only = yes\nacl anyone {\n  rights =\n}\nnamespace inbox {\n  inbox = yes\n  prefix = INBOX/\n  acl \"group=my staff\" {\n    rights = lrs :insert\n  }\n" +
			"  mailbox \"A b/*\" {\n    acl x {\n      acl_id = user=ben\n      acl_rights = lr\n    }\n  }\n  mailbox m {\n    name = C\n    acl owner {\n      rights = lr\n    }\n  }\n}\n",
			ACL{GlobalsOnly: true, Entries: []string{"* anyone", `* "group=my staff" lrs :insert`, `"A b/*" user=ben lr`, "C owner lr"}}, ""},
		"by groups of settings": {"group @acl_rule_set default {\n  acl user=boss {\n    rights = lrs\n  }\n}\nnamespace inbox {\n  inbox = yes\n  @acl_rule_set = default\n  mailbox Secret {\n    @acl_rule_set = none\n  }\n}\n",
			ACL{Entries: []string{"* user=boss lrs"}}, ""},
		"of other namespaces": {"namespace inbox {\n  inbox = yes\n}\nnamespace shared {\n  type = shared\n  mailbox Public {\n    acl anyone {\n      rights = lr\n    }\n  }\n}\n",
			ACL{}, `for the namespace "shared" count for it alone`},
		"not in force": {"namespace inbox {\n  inbox = yes\n  acl_ignore = yes\n}\n", ACL{Ignore: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse(strings.NewReader(on + c.in))
			if err != nil {
				t.Fatal(err)
			}
			f := s.Facts()
			if d := cmp.Diff(c.want, f.ACL); d != "" {
				t.Errorf("want (-), got (+):\n%s", d)
			}
			notes := strings.Join(f.Notes, "\n")
			if !strings.Contains(notes, c.note) || c.note == "" && strings.Contains(notes, "access control lists") {
				t.Errorf("notes: %s", notes)
			}
		})
	}
}
