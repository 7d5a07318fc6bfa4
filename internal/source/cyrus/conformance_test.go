package cyrus_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/mailname"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// harness is one account of a running server, read from disk.
type harness struct {
	s    *server
	acc  model.Account
	src  *cyrus.Source
	user *session
	ns   string // prefix of the user's mailboxes
}

var accounts atomic.Int32

func newHarness(t *testing.T, s *server) *harness {
	t.Helper()
	login := fmt.Sprintf("u%d", accounts.Add(1))
	s.as(t, "").do("CREATE user%s%s", s.sep, login)
	h := &harness{s: s, acc: model.Account{Login: login}, src: s.disk(t), user: s.as(t, login)}
	if s.sep == "." {
		h.ns = "INBOX."
	}
	return h
}

// What the suite demands of every source, of the disk of a running server.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]string{
		"by id":   nil,
		"by name": {"unixhierarchysep": "no", "altnamespace": "no", "mailbox_legacy_dirs": "yes", "hashimapspool": "yes", "mboxlist_db": "skiplist"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, settings)
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return newHarness(t, s) })
		})
	}
}

func (h *harness) Source() source.Source  { return h.src }
func (h *harness) Account() model.Account { return h.acc }

func (h *harness) name(path []string) string {
	if len(path) == 1 && path[0] == "INBOX" {
		return "INBOX"
	}
	var out []string
	for _, p := range path {
		out = append(out, mailname.EncodeUTF7(p))
	}
	return h.ns + strings.Join(out, h.s.sep)
}

func (h *harness) Create(t *testing.T, path []string)    { h.user.do("CREATE %q", h.name(path)) }
func (h *harness) Subscribe(t *testing.T, path []string) { h.user.do("SUBSCRIBE %q", h.name(path)) }
func (h *harness) Remove(t *testing.T, path []string)    { h.user.do("DELETE %q", h.name(path)) }
func (h *harness) Rename(t *testing.T, from, to []string) {
	h.user.do("RENAME %q %q", h.name(from), h.name(to))
}

func imapFlags(f model.Flags) string {
	var out []string
	for i, n := range []string{`\Seen`, `\Answered`, `\Flagged`, `\Draft`, `\Deleted`} {
		if f.System&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return strings.Join(append(out, f.Keywords...), " ")
}

func (h *harness) Append(t *testing.T, path []string, m []byte, flags model.Flags, received time.Time) {
	t.Helper()
	h.user.append(h.name(path), imapFlags(flags), received, string(m))
}

// on selects a mailbox for a command on its message n.
func (h *harness) on(path []string, n int, format string, args ...any) {
	h.user.t.Helper()
	h.user.do("SELECT %q", h.name(path))
	h.user.do(format, append([]any{n + 1}, args...)...)
	h.user.do("UNSELECT")
}

func (h *harness) SetFlags(t *testing.T, path []string, n int, flags model.Flags) {
	h.on(path, n, "STORE %d FLAGS (%s)", imapFlags(flags))
}

func (h *harness) Expunge(t *testing.T, path []string, n int) {
	t.Helper()
	h.user.do("SELECT %q", h.name(path))
	for _, l := range h.user.do("FETCH %d (UID)", n+1) {
		if _, after, ok := strings.Cut(l, "UID "); ok {
			uid, err := strconv.Atoi(strings.Trim(after, ")"))
			must(t, err)
			h.user.do(`UID STORE %d +FLAGS (\Deleted)`, uid)
			h.user.do("UID EXPUNGE %d", uid)
		}
	}
	h.user.do("UNSELECT")
}

func (h *harness) Move(t *testing.T, from []string, n int, to []string) {
	h.on(from, n, "MOVE %d %q", h.name(to))
}

// ResetUIDValidity writes it into the index: Cyrus has no command for it.
func (h *harness) ResetUIDValidity(t *testing.T, path []string) {
	t.Helper()
	dir := strings.TrimSpace(h.s.Run(t, "mbpath", "user"+h.s.sep+h.acc.Login))
	file := filepath.Join(dir, "cyrus.index")
	raw, err := os.ReadFile(file)
	must(t, err)
	raw[44]++
	fixChecksum(raw[:raw[15]]) // the header: its size is there
	must(t, os.WriteFile(file, raw, 0o600))
}

func (h *harness) PutScript(t *testing.T, s model.Script) {
	t.Helper()
	commands := []string{putScript(s.Name, string(s.Content))}
	if s.Active {
		commands = append(commands, fmt.Sprintf("SETACTIVE %q", s.Name))
	}
	h.s.sieve(t, h.acc.Login, commands...)
}

// Snapshot is every file of the server with its times and content. Nothing
// else uses the server meanwhile.
func (h *harness) Snapshot(t *testing.T) string {
	t.Helper()
	var out []string
	for _, root := range []string{"conf", "spool", "sieve"} {
		must(t, filepath.WalkDir(h.s.path(root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() == "socket" || d.Name() == "tls_sessions.db" || d.Type()&fs.ModeSocket != 0 {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			line := fmt.Sprintf("%s %v %v %d", path, info.Mode(), info.ModTime(), info.Size())
			if sys, ok := info.Sys().(*syscall.Stat_t); ok {
				line += fmt.Sprint(" ", sys.Ino, sys.Nlink)
			}
			out = append(out, line)
			return nil
		}))
	}
	for i, l := range out {
		path, _, _ := strings.Cut(l, " ")
		if raw, err := os.ReadFile(path); err == nil {
			out[i] += fmt.Sprintf(" %x", sha256.Sum256(raw))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
