package dav

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// A card that a server gives as 3.0 and that speaks 4.0 is asked for in the
// newer version, where the server has one; others are not asked for again.
func TestConvertedCards(t *testing.T) {
	t.Parallel()
	const three, four = "BEGIN:VCARD\r\nVERSION:3.0\r\nLOGO:data:image/png\r\nEND:VCARD\r\n", "BEGIN:VCARD\r\nVERSION:4.0\r\nLOGO:data:image/png;base64,AAAA\r\nEND:VCARD\r\n"
	book := model.ObjectCollection{Kind: model.KindContacts, ID: "/cal/team/", Path: []string{"Work"}}
	for name, c := range map[string]struct {
		newer, fails bool
		want         string
		gets         int32 // of two readings of two such cards
	}{"has a newer one": {true, false, four, 4}, "has none": {false, false, three, 2}, "fails": {false, true, three, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.on("PROPFIND /cal/", resp("/cal/", isPlain))
			st := f.store(t, func(o *Options) { o.Calendars, o.Contacts = "", f.URL+"/cal/" })
			data := func(text string) string {
				return `<x:address-data xmlns:x="urn:ietf:params:xml:ns:carddav">` + text + `</x:address-data>`
			}
			f.on("REPORT /cal/team/", resp("/cal/team/new.vcf", data(three)), resp("/cal/team/newer.vcf", data(three)), resp("/cal/team/old.vcf", data("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\nEND:VCARD\r\n")))
			var gets atomic.Int32
			answer := func(w http.ResponseWriter, _ string, r *http.Request) {
				gets.Add(1)
				asked := strings.Contains(r.Header.Get("Accept"), "version=4.0")
				switch {
				case asked && c.fails:
					w.WriteHeader(http.StatusInternalServerError)
				case asked && c.newer:
					_, _ = w.Write([]byte(four))
				default:
					_, _ = w.Write([]byte(three))
				}
			}
			f.do("GET /cal/team/new.vcf", answer)
			f.do("GET /cal/team/newer.vcf", answer)
			for range 2 {
				got := read(t, st, book, "/cal/team/new.vcf", "/cal/team/newer.vcf", "/cal/team/old.vcf")
				if got["/cal/team/new.vcf"] != c.want || !strings.Contains(got["/cal/team/old.vcf"], "FN:x") {
					t.Errorf("%q", got)
				}
			}
			if n := gets.Load(); n != c.gets && !c.fails {
				t.Errorf("%d requests, want %d", n, c.gets)
			}
		})
	}
}

// Folders of files are listed anew whenever their token changes.
func TestFilesAreListed(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND /cal/", resp("/cal/", isPlain))
	st := f.store(t, func(o *Options) { o.Calendars, o.Files = "", f.URL+"/cal/" })
	f.on("PROPFIND /cal/team/", resp("/cal/team/", isPlain+"<d:sync-token>http://x/9</d:sync-token>"), resp("/cal/team/a.txt", etag("3")))
	c := model.ObjectCollection{Kind: model.KindFiles, ID: "/cal/team/", Path: []string{"Work"}, Fingerprint: "sync:http://x/9"}
	for since, want := range map[string]string{"sync:http://x/9": "=sync:http://x/9", "sync:http://x/8": "listing, +/cal/team/a.txt 3, =sync:http://x/9", "": "listing, +/cal/team/a.txt 3, =sync:http://x/9"} {
		if got := changes(t, st, c, since); got != want {
			t.Errorf("since %q: %s, want %s", since, got, want)
		}
	}
}
