package confined

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// Links out of the account's directories, links at all where users cannot make
// any, and what blocks are not opened.
func TestOpen(t *testing.T) {
	t.Parallel()
	home, other := t.TempDir(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(filepath.Join(home, "own"), []byte("mine"), 0o600))
	must(os.WriteFile(filepath.Join(other, "secret"), []byte("theirs"), 0o600))
	must(os.Symlink("own", filepath.Join(home, "inner")))
	must(os.Symlink(filepath.Join(other, "secret"), filepath.Join(home, "outer")))
	must(syscall.Mkfifo(filepath.Join(home, "pipe"), 0o600))
	must(os.Mkdir(filepath.Join(home, "dir"), 0o700))
	dirs := Dirs{"", home}
	opened, err := dirs.Dir(home)
	must(err)
	defer opened.Close()
	for _, c := range []struct {
		name, want string // "" : it is not opened
		regular    string
	}{{"own", "mine", "mine"}, {"inner", "mine", ""}, {"outer", "", ""}, {"pipe", "", ""}, {"dir", "", ""}, {"none", "", ""}} {
		path := filepath.Join(home, c.name)
		for how, open := range map[string]func() (*os.File, error){"open": func() (*os.File, error) { return dirs.Open(path) },
			"dir": func() (*os.File, error) { return opened.Open(c.name) }, "regular": func() (*os.File, error) { return Regular(path) }} {
			want := c.want
			if how == "regular" {
				want = c.regular
			}
			f, err := open()
			if (err == nil) != (want != "") {
				t.Errorf("%s of %s: %v", how, c.name, err)
			}
			if err == nil {
				text, rerr := io.ReadAll(f)
				f.Close()
				if rerr != nil || string(text) != want {
					t.Errorf("%s of %s: %q, %v", how, c.name, text, rerr)
				}
			}
		}
	}
	if _, err := dirs.Open(filepath.Join(home, "outer")); model.CodeOf(err) != CodeLink {
		t.Errorf("a link that leads out: %v", err)
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		code   string
		remedy bool
	}{
		{fmt.Errorf("x: %w", fs.ErrNotExist), model.CodeGone, true}, {fs.ErrPermission, "unreadable", true}, {errors.New("x"), "unreadable", false},
		{&model.Fault{Class: model.ClassItem, Code: "inner", Remedy: "do"}, "inner", true},
	} {
		err := Fault("anna", "INBOX", c.err)
		f, ok := errors.AsType[*model.Fault](err)
		if !ok || f.Class != model.ClassAccount || f.Code != c.code || (f.Remedy != "") != c.remedy || f.Account != "anna" || f.Collection != "INBOX" {
			t.Errorf("%v: %+v", c.err, err)
		}
	}
	if err := Fault("anna", "", context.Canceled); model.CodeOf(err) != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("the end of a context: %v", err)
	}
	if err := Named("anna", "INBOX", &model.Fault{Class: model.ClassItem, Code: "inner"}); model.ClassOf(err) != model.ClassItem || err.(*model.Fault).Account != "anna" {
		t.Errorf("%+v", err)
	}
	if err := Named("anna", "INBOX", errors.New("x")); model.ClassOf(err) != model.ClassAccount {
		t.Errorf("%+v", err)
	}
}
