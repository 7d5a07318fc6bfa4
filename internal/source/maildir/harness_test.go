package maildir

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/mailname"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// disk writes a Maildir as Dovecot does.
type disk struct {
	root   string
	layout Layout
	listed bool // keep dovecot-uidlist
	now    time.Time
	n      int
	src    *Source
}

func newDisk(t *testing.T, layout Layout, listed bool) *disk {
	d := &disk{root: filepath.Join(t.TempDir(), "Maildir"), layout: layout, listed: listed, now: time.Now().Add(time.Hour)}
	d.src = New(Options{Path: d.root, Layout: layout, Now: func() time.Time { return d.now }})
	d.make(t, d.root)
	return d
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, mk := range map[string]func(t *testing.T) sourcetest.Harness{
		"maildir++": func(t *testing.T) sourcetest.Harness { return newDisk(t, LayoutMaildir, true) },
		"fs":        func(t *testing.T) sourcetest.Harness { return newDisk(t, LayoutFS, true) },
		"unlisted":  func(t *testing.T) sourcetest.Harness { return unlisted{newDisk(t, LayoutMaildir, false)} },
		"sections":  func(t *testing.T) sourcetest.Harness { return inSections(newDisk(t, LayoutMaildir, true)) },
		"on disk":   func(t *testing.T) sourcetest.Harness { return onDisk(t, newDisk(t, LayoutMaildir, true)) },
		"unlisted, on disk": func(t *testing.T) sourcetest.Harness {
			return unlisted{onDisk(t, newDisk(t, LayoutMaildir, false))}
		},
		"unlisted, sections": func(t *testing.T) sourcetest.Harness {
			return unlisted{inSections(newDisk(t, LayoutMaildir, false))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, mk)
		})
	}
}

// inSections makes small mailboxes be listed as large ones are.
func inSections(d *disk) *disk {
	d.src.sectioned = 1
	return d
}

// onDisk makes small mailboxes be kept on disk as large ones are.
func onDisk(t *testing.T, d *disk) *disk {
	d.src.limit = limit{1, t.TempDir()}
	return d
}

// unlisted is a Maildir that no IMAP server has seen: it has no UIDVALIDITY.
type unlisted struct{ *disk }

// ResetUIDValidity hides the method of disk: no Resetter.
func (unlisted) ResetUIDValidity() {}

func (d *disk) Source() source.Source  { return d.src }
func (d *disk) Account() model.Account { return model.Account{Login: "anna"} }
func (d *disk) Settle()                { d.now = d.now.Add(time.Minute) }

func (d *disk) dir(path []string) string {
	if len(path) == 1 && path[0] == "INBOX" {
		return d.root
	}
	var names []string
	for _, p := range path {
		names = append(names, mailname.EncodeUTF7(p))
	}
	if d.layout == LayoutFS {
		return filepath.Join(d.root, filepath.Join(names...))
	}
	return filepath.Join(d.root, "."+strings.Join(names, "."))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *disk) make(t *testing.T, dir string) {
	t.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(dir, sub), 0o755))
	}
	if d.listed {
		d.n++
		must(t, os.WriteFile(filepath.Join(dir, "dovecot-uidlist"), fmt.Appendf(nil, "3 V%d N1 G%032x\n", 1500000000+d.n, d.n), 0o644))
	}
}

func (d *disk) Create(t *testing.T, path []string) { d.make(t, d.dir(path)) }

func (d *disk) Subscribe(t *testing.T, path []string) {
	t.Helper()
	var names []string
	for _, p := range path {
		names = append(names, mailname.EncodeUTF7(p))
	}
	must(t, os.WriteFile(filepath.Join(d.root, "subscriptions"), []byte("V\t2\n\n"+strings.Join(names, "\t")+"\n"), 0o644))
}

// files are the names in cur, in the order of delivery.
func (d *disk) files(t *testing.T, path []string) []string {
	t.Helper()
	var out []string
	entries, err := os.ReadDir(filepath.Join(d.dir(path), "cur"))
	must(t, err)
	for _, e := range entries {
		out = append(out, e.Name())
	}
	slices.Sort(out) // names begin with the time
	return out
}

func (d *disk) Append(t *testing.T, path []string, message []byte, flags model.Flags, received time.Time) {
	t.Helper()
	d.n++
	dir := d.dir(path)
	text := strings.ReplaceAll(string(message), "\r\n", "\n")
	base := fmt.Sprintf("%d.M%06dP1.host,S=%d,W=%d", 1600000000+d.n, d.n, len(text), len(message))
	file := filepath.Join(dir, "cur", base+d.info(t, dir, flags))
	must(t, os.WriteFile(file, []byte(text), 0o600))
	must(t, os.Chtimes(file, time.Time{}, received))
	d.enlist(t, dir, base)
}

// enlist gives a message a UID.
func (d *disk) enlist(t *testing.T, dir, base string) {
	t.Helper()
	if !d.listed {
		return
	}
	f, err := os.OpenFile(filepath.Join(dir, "dovecot-uidlist"), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	d.n++
	_, err = fmt.Fprintf(f, "%d :%s\n", d.n, base)
	must(t, err)
	must(t, f.Close())
}

// info is the part of a file name behind the base, with new keywords noted.
func (d *disk) info(t *testing.T, dir string, flags model.Flags) string {
	t.Helper()
	s := ":2,"
	for _, f := range []struct {
		flag   model.SystemFlags
		letter string
	}{{model.Draft, "D"}, {model.Flagged, "F"}, {model.Answered, "R"}, {model.Seen, "S"}, {model.Deleted, "T"}} {
		if flags.System&f.flag != 0 {
			s += f.letter
		}
	}
	file := filepath.Join(dir, "dovecot-keywords")
	raw, _ := os.ReadFile(file)
	for _, k := range flags.Keywords {
		lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasSuffix(l, " "+k) })
		if i < 0 {
			i = strings.Count(string(raw), "\n")
			raw = fmt.Appendf(raw, "%d %s\n", i, k)
		}
		s += string(rune('a' + i))
	}
	if len(flags.Keywords) > 0 {
		must(t, os.WriteFile(file, raw, 0o644))
	}
	return s
}

func (d *disk) SetFlags(t *testing.T, path []string, n int, flags model.Flags) {
	t.Helper()
	dir, name := d.dir(path), d.files(t, path)[n]
	base, _, _ := strings.Cut(name, ":")
	must(t, os.Rename(filepath.Join(dir, "cur", name), filepath.Join(dir, "cur", base+d.info(t, dir, flags))))
}

func (d *disk) Expunge(t *testing.T, path []string, n int) {
	t.Helper()
	must(t, os.Remove(filepath.Join(d.dir(path), "cur", d.files(t, path)[n])))
}

func (d *disk) Rename(t *testing.T, from, to []string) {
	t.Helper()
	must(t, os.Rename(d.dir(from), d.dir(to)))
}

func (d *disk) Remove(t *testing.T, path []string) {
	t.Helper()
	must(t, os.RemoveAll(d.dir(path)))
}

// Move is what Dovecot does: the file keeps its base name, the message gets a
// new UID there.
func (d *disk) Move(t *testing.T, from []string, n int, to []string) {
	t.Helper()
	name := d.files(t, from)[n]
	base, info, _ := strings.Cut(name, ":2,")
	var k []string // the same keywords have other letters there
	names, _ := os.ReadFile(filepath.Join(d.dir(from), "dovecot-keywords"))
	for i, line := range strings.Split(strings.TrimSpace(string(names)), "\n") {
		if _, word, ok := strings.Cut(line, " "); ok && strings.ContainsRune(info, rune('a'+i)) {
			k = append(k, word)
		}
	}
	slices.Reverse(k)
	system := strings.TrimRight(info, "abcdefghijklmnopqrstuvwxyz")
	letters := strings.TrimPrefix(d.info(t, d.dir(to), model.Flags{Keywords: k}), ":2,")
	must(t, os.Rename(filepath.Join(d.dir(from), "cur", name), filepath.Join(d.dir(to), "cur", base+":2,"+system+letters)))
	d.enlist(t, d.dir(to), base)
}

// AppendRaw writes the octets as they are; a bare LF is shown as CRLF.
func (d *disk) AppendRaw(t *testing.T, path []string, raw []byte) []byte {
	t.Helper()
	d.n++
	base := fmt.Sprintf("%d.M%06dP1.host", 1600000000+d.n, d.n)
	must(t, os.WriteFile(filepath.Join(d.dir(path), "cur", base+":2,"), raw, 0o600))
	d.enlist(t, d.dir(path), base)
	lf := strings.ReplaceAll(string(raw), "\r\n", "\n")
	return []byte(strings.ReplaceAll(lf, "\n", "\r\n"))
}

func (d *disk) ResetUIDValidity(t *testing.T, path []string) {
	t.Helper()
	d.n++
	list := fmt.Appendf(nil, "3 V%d N9 G%032x\n", 1700000000+d.n, 1)
	for i, name := range d.files(t, path) {
		base, _, _ := strings.Cut(name, ":")
		list = fmt.Appendf(list, "%d :%s\n", i+1, base)
	}
	must(t, os.WriteFile(filepath.Join(d.dir(path), "dovecot-uidlist"), list, 0o644))
}

func (d *disk) Snapshot(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		fmt.Fprintf(&b, "%s %v %d", path, info.ModTime(), info.Size())
		if sys, ok := info.Sys().(*syscall.Stat_t); ok {
			fmt.Fprint(&b, " ", sys.Ino, " ", sys.Nlink) // and nothing replaced or linked
		}
		fmt.Fprintln(&b)
		return err
	}))
	return b.String()
}

func (d *disk) PutScript(t *testing.T, s model.Script) {
	t.Helper()
	home := filepath.Dir(d.root)
	must(t, os.MkdirAll(filepath.Join(home, "sieve"), 0o755))
	must(t, os.WriteFile(filepath.Join(home, "sieve", s.Name+".sieve"), s.Content, 0o600))
	if s.Active {
		must(t, os.Symlink(filepath.Join("sieve", s.Name+".sieve"), filepath.Join(home, ".dovecot.sieve")))
	}
}
