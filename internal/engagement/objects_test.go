package engagement

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// calendars are the names of an account's calendars.
func calendars(t *testing.T, e *Engagement, a model.Account) (names []string, errs []error, err error) {
	t.Helper()
	src, err := e.Source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st, err := src.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := st.Collections(t.Context()); err != nil {
		t.Error(err)
	}
	all, errs, err := st.(source.Objects).ObjectCollections(t.Context())
	for _, c := range all {
		names = append(names, strings.Join(c.Path, "/"))
	}
	return names, errs, err
}

// Mail from Maildirs, calendars of the same accounts from a Radicale.
func TestBeside(t *testing.T) {
	t.Parallel()
	r := lab.StartRadicale(t, lab.DAVUser{Name: "anna", Password: "other"})
	req, err := http.NewRequestWithContext(t.Context(), "MKCOL", r.URL+"/anna/team/", strings.NewReader(
		`<d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop><d:resourcetype><d:collection/><c:calendar/></d:resourcetype><d:displayname>Work</d:displayname></d:prop></d:set></d:mkcol>`))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("anna", "other")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status)
	}
	e := acme(t, "{domain: acme.test}")
	dir := filepath.Dir(e.Config.File)
	write(t, filepath.Join(dir, "dav.csv"), "anna,other\nben,wrong\n")
	b, err := os.ReadFile(e.Config.File)
	if err != nil {
		t.Fatal(err)
	}
	write(t, e.Config.File, strings.Replace(string(b), "  users:", "  dav: {url: '"+r.URL+"', logins: dav.csv}\n  users:", 1))
	if e, err = Load(e.Config.File, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	accounts, err := e.Accounts(t.Context(), nil, "")
	if err != nil || len(accounts) != 2 {
		t.Fatal(accounts, err)
	}
	names, errs, err := calendars(t, e, accounts[0])
	if err != nil || len(errs) > 0 || len(names) != 1 || names[0] != "Work" {
		t.Errorf("anna has %q, %v, %v", names, errs, err)
	}
	if _, _, err := calendars(t, e, accounts[1]); model.CodeOf(err) != model.CodeAuth || model.ClassOf(err) != model.ClassAccount {
		t.Errorf("ben's wrong password gives %v", err)
	}
	said := ""
	for _, f := range e.Check(t.Context()) {
		if f.Level == model.LevelStop {
			t.Errorf("%+v", f)
		}
		said += f.Subject + ": " + f.Message + "\n"
	}
	if !strings.Contains(said, "calendars 1,") {
		t.Errorf("the check does not tell of the calendar:\n%s", said)
	}
}

func TestObjectsAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{"cal/anna/Work", "cal/ben/Home"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "logins.csv"), "anna,x\nben,y\n")
	for name, src := range map[string]string{
		"vdir":            "{kind: vdir, vdir: {calendars: 'cal/%u'}, users: {domain: acme.test}}",
		"dav, its logins": "{kind: dav, dav: {url: 'http://127.0.0.1:1', logins: logins.csv}, users: {domain: acme.test}}",
	} {
		file := filepath.Join(dir, "mailhaul.yaml")
		write(t, file, "engagement: state\nsource: "+src+"\ndestination: {embedded: true}\n")
		e, err := Load(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		accounts, err := e.Accounts(t.Context(), nil, "")
		if err != nil || len(accounts) != 2 || accounts[0].Address != "anna@acme.test" {
			t.Errorf("%s: %v, %v", name, accounts, err)
			continue
		}
		if name == "vdir" {
			if names, errs, err := calendars(t, e, accounts[1]); err != nil || len(errs) > 0 || len(names) != 1 || names[0] != "Home" {
				t.Errorf("%s: %q, %v, %v", name, names, errs, err)
			}
		}
	}
}
