package cyrus

import (
	"strings"
	"testing"
)

const eventText = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\nTRANSP:OPAQUE\r\nSUMMARY:a long\r\n  line\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:20260303T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// A user's own part goes to the event that it names, or to its exception; what
// is none leaves the event as it is.
func TestPatched(t *testing.T) {
	t.Parallel()
	patch := func(target string) string {
		return "BEGIN:VPATCH\r\nBEGIN:PATCH\r\nPATCH-TARGET:/VCALENDAR/VEVENT[UID=a]" + target + "\r\nTRANSP;X=\"a:b\":TRANSPARENT\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:PATCH\r\nEND:VPATCH\r\n"
	}
	const own = "TRANSP;X=\"a:b\":TRANSPARENT\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n"
	whole := strings.Replace(eventText, "TRANSP:OPAQUE\r\nSUMMARY:a long\r\n  line\r\n", "SUMMARY:a long\r\n  line\r\n"+own, 1)
	if got := string(patched([]byte(eventText), []byte(patch("[RID=M]")))); got != whole {
		t.Errorf("to the event: %s", got)
	}
	exception := strings.Replace(eventText, "090000Z\r\n", "090000Z\r\n"+own, 1)
	if got := string(patched([]byte(eventText), []byte(patch("[RID=20260303T090000Z]")))); got != exception {
		t.Errorf("to the exception: %s", got)
	}
	for _, bad := range []string{"", "BEGIN:VPATCH", patch("[RID=20990101T000000Z]"), "END:X\r\n", strings.Replace(patch("[RID=M]"), "[UID=a]", "[UID=b]", 1)} {
		if got := string(patched([]byte(eventText), []byte(bad))); got != eventText {
			t.Errorf("%q changed it: %s", bad, got)
		}
	}
	if got := string(patched([]byte("no calendar"), []byte(patch("[RID=M]")))); got != "no calendar" {
		t.Errorf("%q", got)
	}
}

func TestParsePart(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]mimePart{
		"Content-Type: text/calendar; component=VEVENT\r\nContent-Disposition: attachment;\r\n\tfilename=\"x y.ics\"; per-user-data=true\r\n\r\n": {name: "x y.ics", mediaType: "text/calendar"},
		"Content-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.bin\r\nContent-Transfer-Encoding: Base64\r\n\r\n":                      {name: "Größe.bin", encoding: "base64"},
		"Content-Disposition: attachment; filename=\"送信 \\\"a\\\".bin\"\r\n\r\n":                                                                  {name: `送信 "a".bin`},
		"Subject: none\r\n\r\n": {},
	} {
		got, err := parsePart([]byte(head))
		want.head = int64(len(head))
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", head, got, err)
		}
	}
}

func TestObjectRights(t *testing.T) {
	t.Parallel()
	for letters, want := range map[string]string{"lr": "free read", "9": "free", "lrswited": "free read write", "lri": "free read", "lrx7a8": "free read own reply share delete", "": ""} {
		var got []string
		r := objectRights(letters)
		for i, name := range []string{"free", "read", "write", "own", "reply", "share", "delete"} {
			if r&(1<<i) != 0 {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", letters, got, want)
		}
	}
}

func FuzzPatched(f *testing.F) {
	f.Add(eventText, "BEGIN:VPATCH\r\nBEGIN:PATCH\r\nPATCH-TARGET:/VCALENDAR/VEVENT[UID=a][RID=M]\r\nX:1\r\nEND:PATCH\r\nEND:VPATCH\r\n")
	f.Fuzz(func(t *testing.T, text, patch string) {
		if got := patched([]byte(text), []byte(patch)); readComponent([]byte(text)) == nil && string(got) != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func FuzzPart(f *testing.F) {
	f.Add("Content-Type: text/vcard\r\nContent-Disposition: attachment; filename=\"a.vcf\"\r\n\r\n")
	f.Fuzz(func(t *testing.T, head string) {
		if p, err := parsePart([]byte(head)); err == nil && p.head != int64(len(head)) {
			t.Fatalf("%q: %+v", head, p)
		}
	})
}
