package groupware_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// What the destination changes although it gets the text itself is named, when it
// is new and when it has changed; read back with one request for all.
func TestAlteredByDAV(t *testing.T) { both(t, testAlteredByDAV) }

func testAlteredByDAV(t *testing.T, s *server) {
	e := newEnv(t, s, "altered")
	var reads, puts, garble atomic.Int64
	garble.Store(1)
	e.through(func(_ http.ResponseWriter, r *http.Request, body []byte) []byte {
		switch {
		case r.Method == http.MethodPut && garble.Load() == 1:
			puts.Add(1)
			body = bytes.ReplaceAll(body, []byte("Honest"), []byte("Garbled"))
		case r.Method == "REPORT" && (bytes.Contains(body, []byte("<C:calendar-data/>")) || bytes.Contains(body, []byte("<A:address-data/>"))):
			reads.Add(1)
		}
		return body
	})
	e.src.PutCollection(e.name, calendar("home", "Home"))
	e.src.PutCollection(e.name, model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	put := func(name string, i int) { // too few to go in bulk
		e.src.PutObject(e.name, model.KindCalendar, "home", fmt.Sprint(i, ".ics"), ics(fmt.Sprint("event-", i), name, fmt.Sprint("COMMENT:", name)))
		e.src.PutObject(e.name, model.KindContacts, "book", fmt.Sprint(i, ".vcf"), vcf(fmt.Sprint("card-", i), "Anna", "NOTE:"+name))
	}
	const n = 5
	for i := range n {
		put("Fine", i)
	}
	put("Honest", 2)
	event := "Home|event-2|altered|stored as it is written, but the destination gives otherwise: COMMENT, SUMMARY"
	card := "Book|card-2|altered|stored as it is written, but the destination gives otherwise: NOTE"
	want := func(puts int64, notes ...string) {
		t.Helper()
		res := e.must()
		for _, note := range notes {
			if !slices.Contains(e.notes, note) {
				t.Errorf("no note %q", note)
			}
		}
		if found := strings.Count(strings.Join(e.notes, "\n"), "|altered|"); found != len(notes) || res.Sum().Refused > 0 || res.Sum().Kept > 0 {
			t.Errorf("%+v\n%s", res, strings.Join(e.notes, "\n"))
		}
		if got := reads.Swap(0); got != 2 {
			t.Errorf("%d requests to read back %d events and %d cards", got, puts, puts)
		}
		e.unchanged()
	}
	want(n, event, card)
	if puts.Load() != 2*n {
		t.Errorf("%d requests to write", puts.Load())
	}
	put("Honest, too", 3)
	want(1, strings.ReplaceAll(event, "event-2", "event-3"), strings.ReplaceAll(card, "card-2", "card-3"))
	garble.Store(0)
	put("Honest at last", 3)
	want(1)
}

// What a real Stalwart 0.16 itself changes of what it gets by CalDAV.
func TestAlteredByStalwart(t *testing.T) {
	t.Parallel()
	e := newEnv(t, startServer(t), "altered")
	e.src.PutCollection(e.name, calendar("home", "Home"))
	for uid, line := range map[string]string{"binary": "X-NOTE;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=", "zero": "RRULE:FREQ=WEEKLY;BYDAY=MO;INTERVAL=0;COUNT=2", "plain": "X-NOTE:hello"} {
		e.src.PutObject(e.name, model.KindCalendar, "home", uid+".ics", cal(ev("UID:"+uid, "DTSTART:20270601T100000Z", line)...))
	}
	e.must()
	var got []string
	for _, note := range e.notes {
		if strings.Contains(note, "|altered|") {
			got = append(got, note)
		}
	}
	slices.Sort(got)
	const said = "|altered|stored as it is written, but the destination gives otherwise: "
	if want := []string{"Home|binary" + said + "X-NOTE", "Home|zero" + said + "RRULE, instances"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	e.unchanged()
}
