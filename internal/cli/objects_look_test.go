package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/vcard"
)

// shows looks at the changed calendars themselves.
func (m *objectMove) shows(t *testing.T) {
	t.Helper()
	texts := map[string]string{}
	color := ""
	m.each(t, model.KindCalendar, func(c destination.ObjectCollection, uid, text string) {
		texts[c.Name+" "+uid] = text
		if c.Name == "At home" {
			color = c.Color
		}
	})
	uid := func(name string) string {
		all := sample.CalendarObjects()
		parts, _, err := icalendar.Prepare(all[slices.IndexFunc(all, func(o sample.Object) bool { return o.Name == name })].Text)
		if err != nil {
			t.Fatal(err)
		}
		return parts[0].UID
	}
	if got := texts["Work booked@acme.test"]; !strings.Contains(got, "Earlier again") || strings.Contains(got, "Later this time") || !strings.Contains(got, "mailto:guest@outside.test") {
		t.Errorf("the changed exception is\n%s", got)
	}
	if texts["Work "+uid(goneName)] != "" || texts["Work "+uid(movedName)] != "" || texts["At home "+uid(movedName)] == "" {
		t.Errorf("what was removed and moved is not where it belongs")
	}
	if color != "#112233" {
		t.Errorf("the recoloured calendar is %q", color)
	}
}

// each yields the objects of a kind as the new server gives them.
func (m *objectMove) each(t *testing.T, kind model.Kind, fn func(c destination.ObjectCollection, uid, text string)) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	account, err := m.to.dst.Open(t.Context(), m.address)
	must(err)
	at := account.(destination.ObjectStore)
	all, err := at.ObjectCollections(t.Context(), kind)
	must(err)
	for _, c := range all {
		list, err := at.Objects(t.Context(), c.Collection)
		must(err)
		ids, uids := []string{}, map[string]string{}
		for _, o := range list {
			ids = append(ids, o.ID)
			uids[o.ID] = o.UID
		}
		texts := map[string]string{}
		must(at.ReadObjects(t.Context(), c.Collection, ids, func(o destination.Object, r io.Reader, err error) error {
			if err != nil {
				return err
			}
			var b bytes.Buffer
			_, err = b.ReadFrom(r)
			texts[o.ID] = b.String()
			return err
		}))
		for id, text := range texts {
			fn(c, uids[id], strings.ReplaceAll(text, "\r\n ", ""))
		}
	}
}

// there is what the account has, by collection and UID, as digests of the
// meaning.
func (m *objectMove) there(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, kind := range m.site.kinds {
		m.each(t, kind, func(c destination.ObjectCollection, uid, text string) {
			digest := fmt.Sprintf("%x", text)
			switch kind {
			case model.KindCalendar:
				parts, _, err := icalendar.Prepare([]byte(text))
				if err != nil || len(parts) != 1 {
					t.Fatalf("%s: %v", uid, err)
				}
				digest = fmt.Sprintf("%x", parts[0].Digest)
			case model.KindContacts:
				cards, _, err := vcard.Prepare([]byte(text))
				if err != nil || len(cards) != 1 {
					t.Fatalf("%s: %v", uid, err)
				}
				digest = fmt.Sprintf("%x", cards[0].Digest)
			}
			out[fmt.Sprintf("%s %s %s: %s", kind, c.Name, c.Color, uid)] = digest
		})
	}
	return out
}
