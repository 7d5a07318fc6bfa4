package dbox_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// harness is one user of a real Dovecot.
type harness struct {
	*site
	user   string
	home   string
	client client
	src    source.Source
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]string{
		"sdbox":                    "sdbox:DIR/%d/%n/mail",
		"sdbox, index in its file": "sdbox:DIR/%d/%n/mail",
		"mdbox":                    "mdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n",
		"mdbox, indexes in files":  "mdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n",
		"mdbox by GUID":            "mdbox:DIR/%d/%n/mail:LAYOUT=index",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings, inFile := "", strings.Contains(name, "file")
			if inFile {
				settings = rewritten // so that there are such files
			}
			s := start(t, location, settings)
			src := dbox.New(s.options())
			if inFile {
				src = dbox.InFile(src, 2)
			}
			var users atomic.Int32
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
				n := users.Add(1)
				h := &harness{site: s, user: fmt.Sprintf("user%d@acme.test", n), home: fmt.Sprintf("%s/acme.test/user%d", s.dir, n), src: src}
				h.client = s.login(t, h.user)
				_, err := h.client.Select("INBOX", nil).Wait()
				must(t, err)
				return h
			})
		})
	}
}

func (h *harness) Source() source.Source  { return h.src }
func (h *harness) Account() model.Account { return model.Account{Login: h.user, Home: h.home} }

func (h *harness) Create(t *testing.T, path []string) {
	t.Helper()
	must(t, h.client.Create(h.client.name(path...), nil).Wait())
}

func (h *harness) Subscribe(t *testing.T, path []string) {
	t.Helper()
	must(t, h.client.Subscribe(h.client.name(path...)).Wait())
}

func (h *harness) Rename(t *testing.T, from, to []string) {
	t.Helper()
	must(t, h.client.Rename(h.client.name(from...), h.client.name(to...), nil).Wait())
}

func (h *harness) Remove(t *testing.T, path []string) {
	t.Helper()
	must(t, h.client.Delete(h.client.name(path...)).Wait())
}

func imapFlags(f model.Flags) []goimap.Flag {
	var out []goimap.Flag
	for _, s := range []struct {
		bit  model.SystemFlags
		flag goimap.Flag
	}{{model.Seen, goimap.FlagSeen}, {model.Answered, goimap.FlagAnswered}, {model.Flagged, goimap.FlagFlagged}, {model.Draft, goimap.FlagDraft}, {model.Deleted, goimap.FlagDeleted}} {
		if f.System&s.bit != 0 {
			out = append(out, s.flag)
		}
	}
	for _, k := range f.Keywords {
		out = append(out, goimap.Flag(k))
	}
	return out
}

func (h *harness) Append(t *testing.T, path []string, message []byte, flags model.Flags, received time.Time) {
	t.Helper()
	h.client.append(t, h.client.name(path...), message, received, imapFlags(flags)...)
}

// choose selects the mailbox and returns message n.
func (h *harness) choose(t *testing.T, path []string, n int) goimap.SeqSet {
	t.Helper()
	_, err := h.client.Select(h.client.name(path...), nil).Wait()
	must(t, err)
	return goimap.SeqSetNum(uint32(n) + 1)
}

func (h *harness) SetFlags(t *testing.T, path []string, n int, flags model.Flags) {
	t.Helper()
	set := h.choose(t, path, n)
	must(t, h.client.Store(set, &goimap.StoreFlags{Op: goimap.StoreFlagsSet, Flags: imapFlags(flags)}, nil).Close())
}

func (h *harness) Expunge(t *testing.T, path []string, n int) {
	t.Helper()
	_, err := h.client.Select(h.client.name(path...), nil).Wait()
	must(t, err)
	found, err := h.client.UIDSearch(&goimap.SearchCriteria{SeqNum: []goimap.SeqSet{goimap.SeqSetNum(uint32(n) + 1)}}, nil).Wait()
	must(t, err)
	one := goimap.UIDSetNum(found.AllUIDs()[0])
	must(t, h.client.Store(one, &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
	must(t, h.client.UIDExpunge(one).Close())
}

func (h *harness) Move(t *testing.T, from []string, n int, to []string) {
	t.Helper()
	set := h.choose(t, from, n)
	_, err := h.client.Move(set, h.client.name(to...)).Wait()
	must(t, err)
}

// AppendRaw saves what IMAP could not deliver. Dovecot keeps LF alone.
func (h *harness) AppendRaw(t *testing.T, path []string, raw []byte) []byte {
	t.Helper()
	file := filepath.Join(h.dir, "raw")
	must(t, os.WriteFile(file, raw, 0o644))
	h.Own(t, file)
	h.Doveadm(t, "save", "-u", h.user, "-m", h.client.name(path...), file)
	lf := strings.ReplaceAll(string(raw), "\r\n", "\n")
	return []byte(strings.ReplaceAll(lf, "\n", "\r\n"))
}

func (h *harness) ResetUIDValidity(t *testing.T, path []string) {
	t.Helper()
	h.Doveadm(t, "mailbox", "update", "-u", h.user, "--uid-validity", "1234567", h.client.name(path...))
}

func (h *harness) Snapshot(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(h.home, func(path string, e fs.DirEntry, err error) error {
		must(t, err)
		info, err := e.Info()
		must(t, err)
		fmt.Fprintf(&b, "%s %v %d", path, info.ModTime(), info.Size())
		if sys, ok := info.Sys().(*syscall.Stat_t); ok {
			fmt.Fprint(&b, " ", sys.Ino, " ", sys.Nlink)
			if !e.IsDir() {
				fmt.Fprint(&b, " ", sys.Atim)
			}
		}
		fmt.Fprintln(&b)
		return nil
	}))
	return b.String()
}

func (h *harness) PutScript(t *testing.T, s model.Script) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(h.home, "sieve"), 0o755))
	must(t, os.WriteFile(filepath.Join(h.home, "sieve", s.Name+".sieve"), s.Content, 0o600))
	if s.Active {
		must(t, os.Symlink(filepath.Join("sieve", s.Name+".sieve"), filepath.Join(h.home, ".dovecot.sieve")))
	}
}
