package dav

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// lines is a log that may be written to and read at once.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// impatient are options with short limits and a log.
func impatient(change func(*patience)) (*lines, func(*Options)) {
	log := &lines{}
	return log, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.patience = usualPatience
		change(&o.patience)
	}
}

// A server that thinks for long about a listing is waited for, and that is
// said; one that never answers ends the collection, after one request.
func TestSlowListing(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND /cal/", resp("/cal/", isPlain))
	log, options := impatient(func(p *patience) { p.notice, p.answer = time.Millisecond, 10*time.Second })
	st := f.store(t, options)
	f.do("PROPFIND /cal/team/", func(w http.ResponseWriter, _ string, _ *http.Request) {
		for end := time.Now().Add(10 * time.Second); !strings.Contains(log.String(), "still at work") && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, `<multistatus xmlns="DAV:"><response><href>/cal/team/a.ics</href><propstat><prop><getetag>1</getetag></prop></propstat></response></multistatus>`)
	})
	if got := changes(t, st, work, ""); got != "listing, +/cal/team/a.ics 1, =" {
		t.Error(got)
	}
	if !strings.Contains(log.String(), "path=/cal/team/") || !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("nobody is told:\n%s", log)
	}

	_, options = impatient(func(p *patience) { p.list = 50 * time.Millisecond })
	f = newFake(t)
	f.on("PROPFIND /cal/", resp("/cal/", isPlain))
	st = f.store(t, options)
	over := make(chan struct{})
	f.do("PROPFIND /cal/team/", func(_ http.ResponseWriter, _ string, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-over:
		}
	})
	defer close(over)
	if got := changes(t, st, work, ""); got != "error slow" {
		t.Error(got)
	}
	if n := len(f.asked()); n != 2 {
		t.Errorf("%d requests: %v", n, f.asked())
	}
}

// An answer that begins and does not go on is asked for again.
func TestStalledListing(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND /cal/", resp("/cal/", isPlain))
	_, options := impatient(func(p *patience) { p.stall = 200 * time.Millisecond })
	st := f.store(t, options)
	var asked atomic.Int32
	f.do("PROPFIND /cal/team/", func(w http.ResponseWriter, _ string, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, `<multistatus xmlns="DAV:"><response><href>/cal/team/a.ics</href><propstat><prop><getetag>1</getetag></prop></propstat></response>`)
		if asked.Add(1) == 2 { // the first one tells the state
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `</multistatus>`)
	})
	if got := changes(t, st, work, ""); got != "listing, +/cal/team/a.ics 1, +/cal/team/a.ics 1, =" {
		t.Error(got)
	}
}

// multigets answers each object of a calendar of 400, and a query with all but
// two of them, one of those in another version.
func multigets(f *fake, refuse func(hrefs int, query bool) (code int)) {
	href := regexp.MustCompile(`/cal/team/\d+\.ics`)
	f.do("REPORT /cal/team/", func(w http.ResponseWriter, body string, _ *http.Request) {
		hrefs, query := href.FindAllString(body, -1), strings.Contains(body, "calendar-query")
		if code := refuse(len(hrefs), query); code != 0 {
			w.WriteHeader(code)
			return
		}
		text := "BEGIN:A"
		if query {
			text = "BEGIN:B"
			for i := range 400 {
				hrefs = append(hrefs, fmt.Sprintf("/cal/team/%d.ics", i))
			}
			hrefs = hrefs[:399]
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">`)
		for _, h := range hrefs {
			version := "1"
			if query && h == "/cal/team/300.ics" {
				version = "2"
			}
			_, _ = io.WriteString(w, resp(h, etag(version)+"<c:calendar-data>"+text+"\nX\n</c:calendar-data>"))
		}
		_, _ = io.WriteString(w, "</d:multistatus>")
	})
	var all []string
	for i := range 400 {
		all = append(all, resp(fmt.Sprintf("/cal/team/%d.ics", i), etag("1")+"<d:getcontentlength>10</d:getcontentlength>"))
	}
	f.on("PROPFIND /cal/team/", all...)
}

// listed returns all objects of a calendar.
func listed(t *testing.T, st *Store) (refs []model.ObjectRef) {
	t.Helper()
	for ch, err := range st.ObjectChanges(t.Context(), work, "") {
		if err != nil {
			t.Fatal(err)
		}
		if ch.Op == model.OpUpsert {
			refs = append(refs, ch.Object.ObjectRef)
		}
	}
	return refs
}

// readRefs returns the texts of objects.
func readRefs(t *testing.T, st *Store, refs []model.ObjectRef) map[string]string {
	t.Helper()
	out := map[string]string{}
	take := func(r model.ObjectRef, body *source.Content, err error) error {
		if err != nil {
			return err
		}
		if _, twice := out[r.ID]; twice {
			t.Errorf("%s twice", r.ID)
		}
		b, err := io.ReadAll(body)
		out[r.ID] = string(b)
		return err
	}
	for some := range slices.Chunk(refs, 100) { // as the engine asks
		if err := st.ReadObjects(t.Context(), work, some, take); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func dirNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func reports(f *fake) (n int) {
	for _, r := range f.asked() {
		if strings.HasPrefix(r, "REPORT") {
			n++
		}
	}
	return n
}

// Where single objects take long, the whole collection is asked for at once.
// What that does not give, or gives in another version, comes in batches.
func TestWholeCollection(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	st.src.opts.patience.object, st.src.opts.patience.soFar, st.src.opts.SpoolDir = 0, 0, t.TempDir()
	multigets(f, func(int, bool) int { return 0 })
	got := readRefs(t, st, listed(t, st))
	count := map[string]int{}
	for _, text := range got {
		count[text]++
	}
	// The first batch and the two, and the others.
	if count["BEGIN:A\r\nX\r\n"] != firstBatch+2 || count["BEGIN:B\r\nX\r\n"] != 398-firstBatch || reports(f) > 4 {
		t.Errorf("%v in %d reports", count, reports(f))
	}
	// Who has listed it in an earlier run asks for it at once, too.
	again := f.store(t, nil)
	again.src.opts.patience.object, again.src.opts.patience.soFar, again.src.opts.SpoolDir = 0, 0, t.TempDir()
	asked := reports(f)
	if readRefs(t, again, listed(t, st)); reports(f)-asked > 4 {
		t.Errorf("%d reports without a listing", reports(f)-asked)
	}
	again.Close()
	readRefs(t, st, listed(t, st))
	before := reports(f)
	if readRefs(t, st, []model.ObjectRef{{ID: "/cal/team/7.ics", Version: "1"}}); reports(f) != before {
		t.Error("what is here is asked for again")
	}
	if st.Close(); len(dirNames(t, st.src.opts.SpoolDir)) > 0 {
		t.Error("a file stays behind")
	}
}

// A server that refuses to give everything at once is asked for batches as
// before, once.
func TestNoWholeCollection(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusForbidden, http.StatusGatewayTimeout} {
		f := newFake(t)
		st := f.opened(t)
		st.src.opts.patience.object, st.src.opts.patience.soFar, st.src.opts.SpoolDir = 0, 0, t.TempDir()
		var queries atomic.Int32
		multigets(f, func(_ int, query bool) int {
			if query {
				queries.Add(1)
				return code
			}
			return 0
		})
		if got := readRefs(t, st, listed(t, st)); len(got) != 400 || queries.Load() != 1 || len(dirNames(t, st.src.opts.SpoolDir)) > 0 {
			t.Errorf("%d: %d objects, %d queries", code, len(got), queries.Load())
		}
	}
}

// A proxy that waits too short a time for a hundred objects gets fewer of them.
func TestSmallerBatches(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	var longest atomic.Int64
	multigets(f, func(hrefs int, _ bool) int {
		if hrefs > 30 {
			return http.StatusGatewayTimeout
		}
		for n := longest.Load(); int64(hrefs) > n && !longest.CompareAndSwap(n, int64(hrefs)); n = longest.Load() {
		}
		return 0
	})
	got := readRefs(t, st, listed(t, st))
	if len(got) != 400 || longest.Load() < 20 {
		t.Errorf("%d objects, %d at a time", len(got), longest.Load())
	}
	if n := reports(f); n > 60 {
		t.Errorf("%d reports", n)
	}
}
