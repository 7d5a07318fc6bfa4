package public_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/source/public"
)

// trees are two Maildirs of nobody's, and one of anna's.
func trees(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	n := 0
	for box, messages := range map[string]int{"anna": 1, "one": 2, "one/.News": 2, "one/.News.Old": 1, "two": 0, "two/.News": 3} {
		for _, sub := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(dir, box, sub), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for range messages {
			n++
			name := filepath.Join(dir, box, "cur", fmt.Sprintf("15000000%02d.M%dP1.x:2,FS", n, n))
			if err := os.WriteFile(name, fmt.Appendf(nil, "Subject: %s\n\nx\n", box), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func disk(dir string) *public.Disk {
	return &public.Disk{Disk: maildir.New(maildir.Options{Path: dir + "/%n"}), OpenTree: func(ctx context.Context, r model.PublicRoot) (source.Store, error) {
		return maildir.New(maildir.Options{}).Open(ctx, model.Account{Login: model.PublicLogin, Location: r.Location, Public: &model.Public{}})
	}}
}

func account(roots ...model.PublicRoot) model.Account {
	return model.Account{Login: model.PublicLogin, Public: &model.Public{Roots: roots}}
}

// content is "path: subject flags" of every message, and the paths of levels.
func content(t *testing.T, st source.Store) (out []string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	cols, err := st.Collections(t.Context())
	must(err)
	ids := map[string]bool{}
	for _, c := range cols {
		path := strings.Join(c.Path, "/")
		if ids[c.ID] || c.Role != model.RoleNone || c.Subscribed {
			t.Errorf("%s: %+v", path, c)
		}
		ids[c.ID] = true
		if c.Container {
			out = append(out, path+"/")
			continue
		}
		flags := map[uint64]model.SystemFlags{}
		var refs []model.ItemRef
		for ch, err := range st.Changes(t.Context(), c, "") {
			must(err)
			if ch.Op == model.OpUpsert {
				refs, flags[ch.Item.UID] = append(refs, ch.Item.ItemRef), ch.Item.Flags.System
			}
		}
		must(st.Read(t.Context(), c, refs, func(r model.ItemRef, body *source.Content, err error) error {
			must(err)
			b, err := io.ReadAll(body)
			subject, _, _ := strings.Cut(string(b), "\r\n")
			out = append(out, fmt.Sprint(path, ": ", subject, " ", flags[r.UID]))
			return err
		}))
	}
	slices.Sort(out)
	return out
}

// Several trees are one account, each below its own name; what lies in their
// roots is nobody's to see. Everybody else's mail is read as before.
func TestDisk(t *testing.T) {
	t.Parallel()
	dir := trees(t)
	one, two := model.PublicRoot{Location: "maildir:" + dir + "/one"}, model.PublicRoot{Location: "maildir:" + dir + "/two", Path: []string{"Projects", "Two"}}
	const both = model.Flagged | model.Seen
	for name, c := range map[string]struct {
		roots []model.PublicRoot
		want  []string
	}{
		"one":  {[]model.PublicRoot{one}, []string{fmt.Sprint("News/Old: Subject: one/.News.Old ", both), fmt.Sprint("News: Subject: one/.News ", both), fmt.Sprint("News: Subject: one/.News ", both)}},
		"both": {[]model.PublicRoot{one, two}, []string{fmt.Sprint("News/Old: Subject: one/.News.Old ", both), fmt.Sprint("News: Subject: one/.News ", both), fmt.Sprint("News: Subject: one/.News ", both), "Projects/", "Projects/Two/", fmt.Sprint("Projects/Two/News: Subject: two/.News ", both), fmt.Sprint("Projects/Two/News: Subject: two/.News ", both), fmt.Sprint("Projects/Two/News: Subject: two/.News ", both)}},
	} {
		st, err := disk(dir).Open(t.Context(), account(c.roots...))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, content(t, st)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		st.Close()
	}
	flagless := disk(dir)
	flagless.OwnFlags, flagless.Unlisted = true, true
	st, err := flagless.Open(t.Context(), account(one))
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, st); len(got) != 3 || !strings.HasSuffix(got[0], " 0") {
		t.Errorf("with flags that are each reader's own: %q", got)
	}
	cols, _ := st.Collections(t.Context())
	grants, err := st.(source.Rights).Rights(t.Context(), cols[0])
	if err != nil || len(grants) != 1 || grants[0].Identifier != "anyone" || grants[0].Rights.String() != "lrswikxte" {
		t.Errorf("without lists: %v, %v", grants, err)
	}
	anna, err := disk(dir).Open(t.Context(), model.Account{Login: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	if cols, err := anna.Collections(t.Context()); err != nil || len(cols) != 1 || cols[0].Role != model.RoleInbox {
		t.Errorf("anna: %v, %v", cols, err)
	}
}

// A tree that is not there, or that nothing names, is an error of the account.
func TestDiskWithout(t *testing.T) {
	t.Parallel()
	dir := trees(t)
	for what, a := range map[string]model.Account{"nothing": account(), "a tree that is gone": account(model.PublicRoot{Location: "maildir:" + dir + "/gone"})} {
		if _, err := disk(dir).Open(t.Context(), a); model.ClassOf(err) != model.ClassAccount || model.CodeOf(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Bodies are found by path, in the right generation of UIDs only.
func TestBodies(t *testing.T) {
	t.Parallel()
	dir := trees(t)
	a := account(model.PublicRoot{Location: "maildir:" + dir + "/one"})
	d := disk(dir)
	st, err := d.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	cols, err := st.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var refs []model.ItemRef
	for ch, err := range st.Changes(t.Context(), cols[0], "") {
		if err != nil {
			t.Fatal(err)
		}
		if ch.Op == model.OpUpsert {
			refs = append(refs, ch.Item.ItemRef)
		}
	}
	bodies, err := d.Bodies(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path     string
		validity uint32
		found    int
	}{{"News", cols[0].UIDValidity, 2}, {"News", cols[0].UIDValidity + 1, 0}, {"Nowhere", cols[0].UIDValidity, 0}} {
		found := 0
		err := bodies.Read(t.Context(), model.Collection{Path: []string{c.path}, UIDValidity: c.validity}, refs, func(_ model.ItemRef, body *source.Content, err error) error {
			if err == nil {
				found++
			} else if model.CodeOf(err) != model.CodeGone {
				t.Errorf("%s: %v", c.path, err)
			}
			return nil
		})
		if err != nil || found != c.found {
			t.Errorf("%s, %d: %d bodies, %v; want %d", c.path, c.validity, found, err, c.found)
		}
	}
}
