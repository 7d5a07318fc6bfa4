package sandbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// settable is a type of objects that a Foo/set changes and destroys.
type settable struct {
	object string
	blob   string // what is uploaded before, its id {blob}
	create string // what one is made of
	patch  string // what may be said of one
	extra  string // arguments of the Foo/set, each with a comma behind
}

var settables = []settable{
	{object: "Mailbox", create: `{"name":"box"}`, patch: `{"name":"other"}`},
	{object: "Email", blob: `From: a@lab.test\r\nSubject: x\r\n\r\nx\r\n`, create: `{"blobId":"{blob}","mailboxIds":{"a":true}}`, patch: `{"keywords/$seen":true}`},
	{object: "SieveScript", blob: `keep;`, create: `{"name":"s","blobId":"{blob}"}`, patch: `{"name":"t"}`},
	{object: "Identity", create: `{"name":"A","email":"anna@lab.test"}`, patch: `{"name":"B"}`},
	{object: "Calendar", create: `{"name":"cal"}`, patch: `{"name":"other"}`},
	{object: "AddressBook", create: `{"name":"book"}`, patch: `{"name":"other"}`},
	{object: "FileNode", create: `{"name":"dir"}`, patch: `{"name":"other"}`},
	{object: "CalendarEvent", create: `{"calendarIds":{"b":true},"@type":"Event","uid":"u","title":"T","start":"2027-01-01T10:00:00"}`, patch: `{"title":"U"}`, extra: `"sendSchedulingMessages":false,`},
	{object: "ContactCard", create: `{"addressBookIds":{"b":true},"@type":"Card","version":"1.0","uid":"u","name":{"full":"A"}}`, patch: `{"name":{"full":"B"}}`},
}

// make makes one object and returns its id.
func (s *stage) make(kind settable) string {
	s.t.Helper()
	method, members, create := kind.object+"/set", "create", kind.create
	if kind.object == "Email" {
		method, members = "Email/import", "emails"
	}
	if kind.blob != "" {
		create = strings.ReplaceAll(create, "{blob}", s.created(`["Blob/upload",{"accountId":"{anna}","create":{"o":{"data":[{"data:asText":"`+kind.blob+`"}]}}},"0"]`))
	}
	return s.created(`["` + method + `",{"accountId":"{anna}",` + kind.extra + `"` + members + `":{"o":` + create + `}},"0"]`)
}

// created plays a call that makes an object "o", and returns its id.
func (s *stage) created(call string) string {
	s.t.Helper()
	var made struct {
		Created map[string]struct{ ID string }
	}
	answer := s.jmap("anna", call)
	s.result(&made, answer)
	if made.Created["o"].ID == "" {
		s.t.Fatalf("nothing was made: %s", answer)
	}
	return made.Created["o"].ID
}

// TestUpdatesLikeStalwart has objects changed that are not there, that the same
// call destroys, and both, and wants a real server's answers.
func TestUpdatesLikeStalwart(t *testing.T) {
	t.Parallel()
	want, got := bothStages(t)
	for _, kind := range settables {
		t.Run(kind.object, func(t *testing.T) {
			answers := func(s *stage) string {
				s.t = t
				id := s.make(kind)
				text := s.jmap("anna", `["`+kind.object+`/set",{"accountId":"{anna}",`+kind.extra+
					`"update":{"`+id+`":`+kind.patch+`,"zzz":`+kind.patch+`,"zzy":`+kind.patch+`,"8":`+kind.patch+`},"destroy":["`+id+`","zzz","8"]},"0"]`)
				return strings.ReplaceAll(s.plain(text), `"`+id+`"`, `"ID"`)
			}
			a, b := answers(want), answers(got)
			if !strings.Contains(a, "willDestroy") {
				t.Errorf("the server no longer says willDestroy:\n%s", a)
			}
			if d := cmp.Diff(a, b); d != "" {
				t.Errorf("(-Stalwart +sandbox)\n%s", d)
			}
		})
	}
}
