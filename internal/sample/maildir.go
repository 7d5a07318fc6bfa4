package sample

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// WriteMaildir writes the organisation below dir, which is made if need be and
// should be empty, as a Dovecot 2.3 with mail_location
// maildir:<dir>/%d/%n/Maildir and mail_home <dir>/%d/%n keeps it:
//
//	users                         passwd-file
//	acme.test/anna/Maildir        Maildir++
//	acme.test/anna/sieve          scripts
//	acme.test/anna/.dovecot.sieve link to the active one
//
// The disk needs about as much room as Totals counts octets. Nothing is made
// durable: it is only a sample.
func (o *Organisation) WriteMaildir(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for _, a := range o.Accounts {
		if err := a.write(a.home(dir)); err != nil {
			return fmt.Errorf("sample account %s: %w", a.Login, err)
		}
	}
	return o.writeUsers(dir)
}

func (a *Account) home(dir string) string {
	local, domain, _ := strings.Cut(a.Login, "@")
	return filepath.Join(dir, domain, local)
}

// vmail owns the mail in the passwd-file, as most guides have it.
const vmail = 5000

// writeUsers writes the passwd-file:
// user:password:uid:gid:gecos:home:shell:extra fields.
func (o *Organisation) writeUsers(dir string) error {
	var b bytes.Buffer
	b.WriteString("# user:password:uid:gid:gecos:home:shell:extra fields\n")
	for _, a := range o.Accounts {
		var extra []string
		if a.Quota > 0 {
			extra = append(extra, fmt.Sprintf("userdb_quota_rule=*:storage=%dM", a.Quota>>20))
		}
		if a.Disabled && o.Options.NoLogin {
			extra = append(extra, "nologin")
		}
		fmt.Fprintf(&b, "%s:%s:%d:%d:%s:%s::%s\n", a.Login, a.Hash, vmail, vmail, a.Name, a.home(dir), strings.Join(extra, " "))
	}
	return os.WriteFile(filepath.Join(dir, "users"), b.Bytes(), 0o644)
}

func (a *Account) write(home string) error {
	root := filepath.Join(home, "Maildir")
	links := map[string]string{} // base name of shared copies → first file
	last := uint32(0)
	for _, m := range a.Mailboxes {
		if m.Container {
			continue
		}
		if err := m.write(m.dir(root), links); err != nil {
			return fmt.Errorf("mailbox %s: %w", strings.Join(m.Path, "."), err)
		}
		last = max(last, m.UIDValidity)
	}
	files := map[string]string{
		"subscriptions":       a.subscriptions(),
		"dovecot-uidvalidity": fmt.Sprintf("%08x", last),
		fmt.Sprintf("dovecot-uidvalidity.%08x", last): "",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return a.writeScripts(home)
}

// subscriptions is a file of version 2: storage names, levels separated by
// TAB.
func (a *Account) subscriptions() string {
	var b strings.Builder
	b.WriteString("V\t2\n\n")
	add := func(path []string) {
		for i, p := range path {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(toUTF7(p))
		}
		b.WriteByte('\n')
	}
	for _, m := range a.Mailboxes {
		if m.Subscribed {
			add(m.Path)
		}
	}
	for _, p := range a.Missing {
		add(p)
	}
	return b.String()
}

func (a *Account) writeScripts(home string) error {
	if len(a.Scripts) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(home, "sieve"), 0o755); err != nil {
		return err
	}
	for _, s := range a.Scripts {
		name := filepath.Join("sieve", s.Name+".sieve")
		if err := os.WriteFile(filepath.Join(home, name), s.Content, 0o644); err != nil {
			return err
		}
		if s.Active {
			if err := os.Symlink(name, filepath.Join(home, ".dovecot.sieve")); err != nil {
				return err
			}
		}
	}
	return nil
}

// dir is the mailbox's folder in Maildir++: ".a.b" beside the inbox.
func (m *Mailbox) dir(root string) string {
	if len(m.Path) == 1 && m.Role == model.RoleInbox {
		return root
	}
	var b strings.Builder
	for _, p := range m.Path {
		b.WriteString("." + toUTF7(p))
	}
	return filepath.Join(root, b.String())
}

func (m *Mailbox) write(dir string, links map[string]string) error {
	for _, d := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if m.Role != model.RoleInbox {
		if err := os.WriteFile(filepath.Join(dir, "maildirfolder"), nil, 0o644); err != nil {
			return err
		}
	}
	var list bytes.Buffer
	fmt.Fprintf(&list, "3 V%d N%d G%s\n", m.UIDValidity, m.UIDNext, m.GUID)
	for msg := range m.Messages() {
		fmt.Fprintf(&list, "%d ", msg.UID)
		if msg.ownGUID {
			fmt.Fprintf(&list, "G%s ", msg.GUID)
		}
		fmt.Fprintf(&list, ":%s\n", msg.base)
		path := filepath.Join(dir, msg.fileName())
		if first, ok := links[msg.base]; ok && msg.shared {
			if err := os.Link(first, path); err != nil {
				return err
			}
			continue
		}
		if err := msg.write(path); err != nil {
			return err
		}
		if msg.shared {
			links[msg.base] = path
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "dovecot-uidlist"), list.Bytes(), 0o644); err != nil {
		return err
	}
	if len(m.keywords) == 0 {
		return nil
	}
	var keywords bytes.Buffer
	for i, k := range m.keywords {
		fmt.Fprintf(&keywords, "%d %s\n", i, k)
	}
	return os.WriteFile(filepath.Join(dir, "dovecot-keywords"), keywords.Bytes(), 0o644)
}

// fileName is the name below the mailbox's folder, with flags as letters in
// the order of ASCII.
func (m *Message) fileName() string {
	if m.fresh {
		return "new/" + m.base
	}
	flags := ""
	for _, f := range []struct {
		flag   model.SystemFlags
		letter string
	}{{model.Draft, "D"}, {model.Flagged, "F"}, {model.Answered, "R"}, {model.Seen, "S"}, {model.Deleted, "T"}} {
		if m.Flags.System&f.flag != 0 {
			flags += f.letter
		}
	}
	return "cur/" + m.base + ":2," + flags + m.letters
}

// write writes the file with its date, which is the INTERNALDATE.
func (m *Message) write(path string) error {
	if m.large == nil {
		if err := os.WriteFile(path, m.stored, 0o644); err != nil {
			return err
		}
	} else if err := writeFrom(path, m.OpenStored()); err != nil {
		return err
	}
	return os.Chtimes(path, m.Received, m.Received)
}

func writeFrom(path string, r io.Reader) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err := io.Copy(w, r); err != nil {
		f.Close()
		return err
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
