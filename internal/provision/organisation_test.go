package provision_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/lab/site"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/provision"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// mailSystem is a real server with the people of a sample organisation.
type mailSystem struct {
	*lab.Stalwart
	t         *testing.T
	directory *sample.Directory
	client    *jmap.Client
	ids       map[string]string // account by address
	subjects  map[string]string // of messages in the queue
}

// TestOrganisationDelivers reads three organisations of 200 people as they are
// kept in files, in LDAP, and in MariaDB with PostfixAdmin's schema; provisions
// each into a real server of its own, twice; lets everybody log in whose password
// carries; and sends a message to every address there is.
func TestOrganisationDelivers(t *testing.T) {
	t.Parallel()
	for _, kind := range site.Common {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var o sample.DirectoryOptions // two hundred people
			if testing.Short() {
				o.People = 40
			}
			d, org := read(t, kind, o)
			s := startMailSystem(t, d)
			s.assessed(org)
			s.provisionTwice(org)
			s.everybodyLogsIn()
			s.everyAddressDelivers()
		})
	}
}

func startMailSystem(t *testing.T, d *sample.Directory) *mailSystem {
	t.Helper()
	s := &mailSystem{Stalwart: lab.StartStalwart(t), t: t, directory: d, ids: map[string]string{}, subjects: map[string]string{}}
	var err error
	if s.client, err = jmap.Dial(t.Context(), jmap.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.client.Close() })
	s.holdOutside()
	return s
}

// holdOutside keeps in the queue what goes elsewhere: it is to go to a host that
// nobody has (RFC 5737).
func (s *mailSystem) holdOutside() {
	s.t.Helper()
	type set = map[string]any
	lab.Manage(s.t, s.client, "x:MtaRoute/set", set{"create": set{"r": set{"@type": "Relay", "name": "nowhere", "address": "192.0.2.1", "port": 25, "protocol": "smtp", "implicitTls": false, "allowInvalidCerts": true}}}, nil)
	lab.Manage(s.t, s.client, "x:MtaOutboundStrategy/set", set{"update": set{"singleton": set{"route": set{"match": set{"0": set{"if": "is_local_domain(rcpt_domain)", "then": "'local'"}}, "else": "'nowhere'"}}}}, nil)
	lab.Manage(s.t, s.client, "x:Action/set", set{"create": set{"a": set{"@type": "ReloadSettings"}}}, nil)
}

func (s *mailSystem) provisionTwice(org model.Organisation) {
	s.t.Helper()
	d, err := stalwart.Dial(s.t.Context(), stalwart.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = d.Close() })
	l, err := ledger.Open(s.t.TempDir())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = l.Close() })
	var res provision.Result
	for _, again := range []bool{false, true} {
		res, err = provision.Run(s.t.Context(), provision.Options{Destination: d, Organisation: org, Ledger: l, Whole: true})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, a := range res.Actions {
			switch {
			case a.Err != nil:
				s.t.Errorf("%s %s %s: %v", a.Verb, a.Kind, a.Subject, a.Err)
			case a.Verb == destination.VerbConflict, again && a.Verb.Writes(), again && len(a.Kept) > 0:
				s.t.Errorf("again: %t: %s %s %s: %s %v", again, a.Verb, a.Kind, a.Subject, a.Note, a.Kept)
			}
		}
	}
	for _, p := range s.directory.People {
		a, err := d.Open(s.t.Context(), p.Address)
		if err != nil {
			s.t.Fatal(err)
		}
		s.ids[p.Address] = a.ID()
	}
}

// everybodyLogsIn tries each password, by JMAP and by IMAP.
func (s *mailSystem) everybodyLogsIn() {
	s.t.Helper()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 12)
	carried := 0
	for _, p := range s.directory.People {
		_, fate, _ := stalwart.PasswordFor(p.Hash)
		works := fate.Works() && !p.Disabled
		if works {
			carried++
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, err := jmap.Dial(s.t.Context(), jmap.Config{URL: s.URL, User: p.Address, Password: p.Password})
			if err == nil {
				_ = c.Close()
			}
			if (err == nil) != works {
				s.t.Errorf("%s (%s, disabled: %t): JMAP login: %v, the plan says %s", p.Address, p.Scheme, p.Disabled, err, fate)
			}
			if !works {
				return
			}
			i, err := imapclient.DialInsecure(s.IMAP, nil)
			if err == nil {
				err = i.Login(p.Address, p.Password).Wait()
				_ = i.Close()
			}
			if err != nil {
				s.t.Errorf("%s (%s): IMAP login: %v", p.Address, p.Scheme, err)
			}
		})
	}
	wg.Wait()
	s.t.Logf("%d of %d people log in with their old passwords", carried, len(s.directory.People))
	if carried < len(s.directory.People)/2 {
		s.t.Errorf("only %d of %d passwords carry", carried, len(s.directory.People))
	}
}

// everyAddressDelivers sends one message to every address and compares where
// they end up with where the organisation says that they did.
func (s *mailSystem) everyAddressDelivers() {
	s.t.Helper()
	want := map[string][]string{}
	var send []string
	for i, address := range s.directory.Addresses() {
		want[address] = s.directory.Recipients(address)
		send = append(send, address)
		if i%9 == 0 { // with an extension, as it was delivered before
			local, domain, _ := strings.Cut(address, "@")
			extended := local + "+lists@" + domain
			want[extended] = want[address]
			send = append(send, extended)
		}
	}
	refused := s.sendAll(send)
	for _, address := range send {
		if refused[address] != (len(want[address]) == 0) {
			s.t.Errorf("%s refused: %t, before it went to %v", address, refused[address], want[address])
		}
	}
	var got map[string]map[string]bool
	deadline := time.Now().Add(60 * time.Second)
	for {
		got = s.whereMailIs()
		missing := 0
		for address, to := range want {
			for _, r := range to {
				if !got[address][r] {
					missing++
				}
			}
		}
		if missing == 0 || time.Now().After(deadline) {
			break
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatal(s.t.Context().Err())
		case <-time.After(500 * time.Millisecond):
		}
	}
	wrong := 0
	for _, address := range send {
		if to := slices.Sorted(maps.Keys(got[address])); !slices.Equal(to, want[address]) {
			if wrong++; wrong <= 10 {
				s.t.Errorf("%s goes to %v, before to %v", address, to, want[address])
			}
		}
	}
	s.t.Logf("%d addresses, %d of them wrong", len(send), wrong)
}

// sendAll sends a message to each address, whose subject it is, over LMTP, and
// returns which were refused. The server takes ten in a session.
func (s *mailSystem) sendAll(addresses []string) map[string]bool {
	s.t.Helper()
	refused := map[string]bool{}
	for part := range slices.Chunk(addresses, 10) {
		maps.Copy(refused, s.send(part))
	}
	return refused
}

func (s *mailSystem) send(addresses []string) map[string]bool {
	s.t.Helper()
	c, err := net.Dial("tcp", s.LMTP)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(line string) string {
		if line != "" {
			if _, err := io.WriteString(c, line+"\r\n"); err != nil {
				s.t.Fatal(err)
			}
		}
		for {
			answer, err := r.ReadString('\n')
			if err != nil {
				s.t.Fatalf("after %q: %v", line, err)
			}
			if len(answer) > 3 && answer[3] == ' ' {
				return answer
			}
		}
	}
	say("")
	say("LHLO sender.test")
	refused := map[string]bool{}
	for i, address := range addresses {
		say("MAIL FROM:<somebody@sender.test>")
		if !strings.HasPrefix(say("RCPT TO:<"+address+">"), "250") {
			refused[address] = true
			say("RSET")
			continue
		}
		if a := say("DATA"); !strings.HasPrefix(a, "354") {
			s.t.Fatalf("DATA for %s: %s", address, a)
		}
		text := fmt.Sprintf("From: somebody@sender.test\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%d@sender.test>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nTo %s.\r\n.", address, address, i, address)
		if a := say(text); !strings.HasPrefix(a, "250") {
			s.t.Fatalf("the message to %s: %s", address, a)
		}
	}
	return refused
}

// whereMailIs tells by subject who has a message: people's mailboxes, and
// addresses elsewhere that the server's queue has it for.
func (s *mailSystem) whereMailIs() map[string]map[string]bool {
	s.t.Helper()
	out := map[string]map[string]bool{}
	note := func(subject, who string) {
		if out[subject] == nil {
			out[subject] = map[string]bool{}
		}
		out[subject][who] = true
	}
	people := slices.Sorted(maps.Keys(s.ids))
	for part := range slices.Chunk(people, 8) {
		r := jmap.NewRequest("urn:ietf:params:jmap:mail")
		var calls []string
		for _, address := range part {
			q := r.Call("Email/query", map[string]any{"accountId": s.ids[address]})
			calls = append(calls, r.Call("Email/get", map[string]any{"accountId": s.ids[address], "#ids": r.Ref(q, "/ids"), "properties": []string{"subject"}}))
		}
		resp, err := s.client.Do(s.t.Context(), r)
		if err != nil {
			s.t.Fatal(err)
		}
		for i, address := range part {
			var got struct{ List []struct{ Subject string } }
			if err := resp.Decode(calls[i], &got); err != nil {
				s.t.Fatal(err)
			}
			for _, m := range got.List {
				note(m.Subject, address)
			}
		}
	}
	s.queued(note)
	return out
}

// queued reads the server's queue. Only what goes elsewhere stays in it.
func (s *mailSystem) queued(note func(subject, who string)) {
	s.t.Helper()
	r := jmap.NewRequest("urn:stalwart:jmap")
	var got struct {
		List []struct {
			BlobID     string
			Recipients map[string]any
		}
	}
	// A filter reads the messages themselves; without one, those that are being
	// tried at the moment are left out.
	q := r.Call("x:QueuedMessage/query", map[string]any{"filter": map[string]any{"text": ".test"}, "limit": 1000})
	id := r.Call("x:QueuedMessage/get", map[string]any{"#ids": r.Ref(q, "/ids")})
	resp, err := s.client.Do(s.t.Context(), r)
	if err == nil {
		err = resp.Decode(id, &got)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range got.List {
		subject, known := s.subjects[m.BlobID]
		if !known {
			raw, err := s.client.Download(s.t.Context(), s.client.Session().PrimaryAccounts["urn:ietf:params:jmap:mail"], m.BlobID, 1<<20)
			if err != nil {
				s.t.Fatalf("a message in the queue: %v", err)
			}
			_, rest, _ := strings.Cut(string(raw), "\r\nSubject: ")
			subject, _, _ = strings.Cut(rest, "\r\n")
			s.subjects[m.BlobID] = subject
		}
		for to := range m.Recipients {
			_, domain, _ := strings.Cut(to, "@")
			if !slices.Contains(s.directory.Hosted, domain) && !slices.Contains(s.directory.Virtual, domain) && s.directory.AliasDomains[domain] == "" && domain != "sender.test" {
				note(subject, to)
			}
		}
	}
}
