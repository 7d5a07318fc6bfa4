package dav

import (
	"bytes"
	"io"
	"iter"
	"log/slog"
	"maps"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/source"
)

// A whole collection holds the same, asked for at once or in batches.
func TestWholeFromServers(t *testing.T) {
	t.Parallel()
	const many = 450
	type filler interface {
		Fill(t testing.TB, collection string, objects iter.Seq2[string, []byte])
	}
	servers := map[string]func(t *testing.T) (filler, writer, map[model.Kind]string){
		"Radicale": func(t *testing.T) (filler, writer, map[model.Kind]string) {
			r := lab.StartRadicale(t, lab.DAVUser{Name: "anna", Password: "secret"})
			w := writer{base: r.URL, user: "anna", password: "secret"}
			w.send(t, "PROPFIND", "/anna/", "", nil)
			return r, w, map[model.Kind]string{model.KindCalendar: "/anna/", model.KindContacts: "/anna/"}
		},
		"Xandikos": func(t *testing.T) (filler, writer, map[model.Kind]string) {
			x := lab.StartXandikos(t, "anna")
			return x, writer{base: x.URL, user: "anna"}, map[model.Kind]string{model.KindCalendar: x.Principal + "calendars/", model.KindContacts: x.Principal + "contacts/"}
		},
		"SabreDAV": func(t *testing.T) (filler, writer, map[model.Kind]string) {
			s := lab.StartSabreDAV(t)
			s.AddUser(t, lab.DAVUser{Name: "anna", Password: "secret"})
			return s, writer{base: s.URL, user: "anna", password: "secret"}, map[model.Kind]string{model.KindCalendar: "/calendars/anna/", model.KindContacts: "/addressbooks/anna/"}
		},
		"DAViCal": func(t *testing.T) (filler, writer, map[model.Kind]string) {
			s := lab.StartDAViCal(t)
			s.AddUser(t, lab.DAVUser{Name: "anna", Password: "secret"})
			return s, writer{base: s.URL, user: "anna", password: "secret"}, map[model.Kind]string{model.KindCalendar: s.Home("anna"), model.KindContacts: s.Home("anna")}
		},
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fill, w, homes := start(t)
			for kind, home := range homes {
				w.kind, w.home = kind, home
				w.Make(t, kind.String())
				all, suffix := sample.Events(many, 7), ".ics"
				if kind == model.KindContacts {
					all, suffix = sample.Contacts(many, 7), ".vcf"
				}
				fill.Fill(t, w.paths[kind.String()], func(yield func(string, []byte) bool) {
					for o := range all {
						if !yield(o.Name+suffix, o.Text) {
							return
						}
					}
				})
				o := Options{Calendars: w.base + home, SpoolDir: t.TempDir()}
				if kind == model.KindContacts {
					o = Options{Contacts: w.base + home, SpoolDir: t.TempDir()}
				}
				read := func(p patience) (texts map[string]string, log string) {
					var b bytes.Buffer
					o.patience, o.Log = p, slog.New(slog.NewTextHandler(&b, nil))
					return readNamed(t, o, model.Account{Login: "anna", Secret: w.password}, kind), b.String()
				}
				p := usualPatience
				p.soFar = time.Hour
				batches, _ := read(p)
				p.object, p.soFar = 0, 0
				whole, log := read(p)
				if len(batches) != many || !maps.Equal(batches, whole) {
					t.Errorf("%s: %d objects in batches, %d at once, or others", kind, len(batches), len(whole))
				}
				if !bytes.Contains([]byte(log), []byte("the whole collection came at once")) {
					t.Errorf("%s: it did not come at once:\n%s", kind, log)
				}
			}
		})
	}
}

// readNamed reads the collection that is named like its kind.
func readNamed(t *testing.T, o Options, a model.Account, kind model.Kind) map[string]string {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := s.open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	all, _, err := st.ObjectCollections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range all {
		if c.Kind != kind || c.Path[0] != kind.String() {
			continue
		}
		var refs []model.ObjectRef
		for ch, err := range st.ObjectChanges(t.Context(), c, "") {
			if err != nil {
				t.Fatal(err)
			}
			if ch.Op == model.OpUpsert {
				refs = append(refs, ch.Object.ObjectRef)
			}
		}
		err := st.ReadObjects(t.Context(), c, refs, func(r model.ObjectRef, body *source.Content, err error) error {
			if err != nil {
				return err
			}
			b, err := io.ReadAll(body)
			out[r.ID] = r.Version + "\n" + string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}
