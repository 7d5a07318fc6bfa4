package dav

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A server whose sync tokens are seconds (SOGo): what changes after the listing, but
// in its second, is found by the next run, and an unchanged collection costs nothing
// once that second is over.
func TestTokensThatAreSeconds(t *testing.T) {
	t.Parallel()
	const at = 1_700_000_000
	for _, kind := range []string{"sync", "ctag"} {
		f := newFake(t)
		var clock atomic.Int64
		clock.Store(at)
		second := map[string]string{"sync": "<d:sync-token>1700000000</d:sync-token>", "ctag": "<s:getctag>1700000000</s:getctag>"}[kind]
		f.on("PROPFIND /cal/", resp("/cal/", isPlain), resp("/cal/team/", isCalendar+second))
		f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar+second), resp("/cal/team/late.ics", noType+etag("gcs1")))
		f.do("REPORT", func(w http.ResponseWriter, body string, r *http.Request) {
			changed := ""
			if strings.Contains(body, fmt.Sprint(">", at-1, "<")) {
				changed = resp("/cal/team/late.ics", noType+etag("gcs1"))
			}
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusMultiStatus)
			fmt.Fprint(w, `<d:multistatus xmlns:d="DAV:">`+changed+"<d:sync-token>1700000000</d:sync-token></d:multistatus>")
		})
		st := f.store(t, func(o *Options) { o.Now = func() time.Time { return time.Unix(clock.Load(), 0) } })
		all, errs, err := st.ObjectCollections(t.Context())
		if err != nil || len(errs) > 0 || len(all) != 1 || all[0].Fingerprint != "" {
			t.Fatalf("%s: in the same second %+v, %v, %v", kind, all, errs, err)
		}
		since := kind + ":1700000000"
		if got := changes(t, st, all[0], since); !strings.Contains(got, "+/cal/team/late.ics gcs1") || !strings.HasSuffix(got, "="+since) {
			t.Errorf("%s: in the same second %s", kind, got)
		}
		clock.Store(at + 3600)
		if all, _, err = st.ObjectCollections(t.Context()); err != nil || all[0].Fingerprint != since {
			t.Errorf("%s: an hour later %+v, %v", kind, all, err)
		}
		if kind == "ctag" {
			if got := changes(t, st, all[0], since); got != "="+since {
				t.Errorf("an hour later %s", got)
			}
		}
	}
	for _, other := range []string{"", "123", "-170000000", "http://radicale.org/ns/sync/1700000000", "17000000001", "1700000000x"} {
		if _, ok := second(other); ok || before(other) != other {
			t.Errorf("%q is a second", other)
		}
	}
}
