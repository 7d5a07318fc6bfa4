package beside

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/source/vdir"
)

// What a store may tell beyond its mail is not lost on the way: whoever adds
// such an interface adds it here, too.
func TestEveryInterface(t *testing.T) {
	t.Parallel()
	var st any = &settingStore{store: &store{}}
	passed := map[string]bool{}
	check := func(name string, ok bool) { passed[name] = ok }
	_, ok := st.(source.Scripts)
	check("Scripts", ok)
	_, ok = st.(source.ScriptSettings)
	check("ScriptSettings", ok)
	_, ok = st.(source.Rights)
	check("Rights", ok)
	_, ok = st.(source.SpecificRights)
	check("SpecificRights", ok)
	_, ok = st.(source.Shared)
	check("Shared", ok)
	_, ok = st.(source.SubscribedShared)
	check("SubscribedShared", ok)
	_, ok = st.(source.OwnSeen)
	check("OwnSeen", ok)
	_, ok = st.(source.Damaged)
	check("Damaged", ok)
	_, ok = st.(source.Rester)
	check("Rester", ok)
	_, ok = st.(source.Objects)
	check("Objects", ok)
	_, ok = st.(source.ObjectRights)
	check("ObjectRights", ok)
	_, ok = st.(source.SharedObjects)
	check("SharedObjects", ok)
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				name := spec.(*ast.TypeSpec).Name.Name
				if strings.Contains(strings.Join(strings.Fields(g.Doc.Text()), " "), "implemented by a Store") && !passed[name] {
					t.Errorf("source.%s is not passed on", name)
				}
			}
		}
	}
}

// The mail is what it was, and calendars that are not there stop no mail.
func TestMail(t *testing.T) {
	t.Parallel()
	m := memory.New()
	m.AddAccount(model.Account{Login: "anna"})
	m.Deliver("anna", "INBOX", "Subject: x\r\n\r\n", model.Flags{}, time.Unix(0, 0))
	m.SetScripts("anna", model.Script{Name: "main", Active: true})
	m.SetRights("anna", "INBOX", model.Grant{Identifier: "ben", Rights: model.RightRead})
	s := New(m, vdir.New(vdir.Options{Calendars: t.TempDir() + "/none/%u"}))
	st, err := s.Open(t.Context(), model.Account{Login: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	cols, err := st.Collections(t.Context())
	if err != nil || len(cols) != 1 || cols[0].Items != 1 {
		t.Fatalf("%+v, %v", cols, err)
	}
	if _, ok := st.(source.ScriptSettings); ok {
		t.Error("it claims to know what surrounds the scripts")
	}
	if got, err := st.(source.Scripts).Scripts(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("scripts %v, %v", got, err)
	}
	if got, err := st.(source.Rights).Rights(t.Context(), cols[0]); err != nil || len(got) != 1 {
		t.Errorf("rights %v, %v", got, err)
	}
	all, errs, err := st.(source.Objects).ObjectCollections(t.Context())
	if err != nil || len(all) > 0 || len(errs) != 1 || model.ClassOf(errs[0]) != model.ClassItem {
		t.Errorf("objects %v, %v, %v", all, errs, err)
	}
	if logins := accounts(t, s); !slices.Equal(logins, []string{"anna"}) {
		t.Errorf("accounts %q", logins)
	}
	public, err := New(m, vdir.New(vdir.Options{Calendars: "~/none"})).Open(t.Context(), model.Account{Login: "anna", Public: &model.Public{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, errs, err := public.(source.Objects).ObjectCollections(t.Context()); err != nil || len(errs) > 0 {
		t.Errorf("public mailboxes have objects: %v, %v", errs, err)
	}
}

func accounts(t *testing.T, s source.Source) (out []string) {
	t.Helper()
	for a, err := range s.Accounts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a.Login)
	}
	return out
}
