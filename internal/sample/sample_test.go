package sample

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// digest is a hash of everything that an organisation is.
func digest(o *Organisation) [32]byte {
	h := sha256.New()
	for _, a := range o.Accounts {
		fmt.Fprintln(h, a.Login, a.Name, a.Password, a.Hash, a.Disabled, a.Quota, a.Scripts, a.Missing)
		for _, m := range a.Mailboxes {
			fmt.Fprintln(h, m.Path, m.Role, m.Subscribed, m.Container, m.UIDValidity, m.UIDNext, m.GUID)
			for msg := range m.Messages() {
				fmt.Fprintln(h, msg.UID, msg.GUID, msg.Flags, msg.Received, msg.Size, msg.Oddity, msg.fileName())
				h.Write(msg.Content)
				h.Write(msg.stored)
			}
		}
	}
	return [32]byte(h.Sum(nil))
}

func TestEqualOptionsGiveEqualOctets(t *testing.T) {
	t.Parallel()
	options := Options{Accounts: 15, Messages: 600, Seed: 7, Oddities: true, Large: 1 << 20, MessageSize: 4 << 10}
	first := digest(New(options))
	if digest(New(options)) != first {
		t.Fatal("the second organisation differs from the first")
	}
	for name, change := range map[string]func(*Options){
		"seed":     func(o *Options) { o.Seed++ },
		"now":      func(o *Options) { o.Now = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) },
		"messages": func(o *Options) { o.Messages++ },
	} {
		other := options
		change(&other)
		if digest(New(other)) == first {
			t.Errorf("another %s changes nothing", name)
		}
	}
}

func TestAMessageCanBeMadeAgainAlone(t *testing.T) {
	t.Parallel()
	o := New(Options{Accounts: 12, Messages: 600, MessageSize: 2000})
	for _, a := range o.Accounts {
		for _, m := range a.Mailboxes {
			for i := m.Len() - 1; i >= 0; i -= 11 {
				alone, n := m.message(i), 0
				for msg := range m.Messages() {
					if n > i {
						break
					}
					if n == i && (msg.GUID != alone.GUID || !bytes.Equal(msg.Content, alone.Content)) {
						t.Fatalf("%s %q: message %d differs when it is made alone", a.Login, m.Path, i)
					}
					n++
				}
			}
		}
	}
}

func TestExactlyAsManyAsAskedFor(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{Accounts: 1, Messages: 200, MessageSize: 1000}, {Accounts: 3, Messages: 500, Oddities: true, MessageSize: 1000},
		{Accounts: 12, Messages: 1500, Oddities: true, Large: 1000, MessageSize: 1000},
		{Accounts: 40, Messages: 1000, MessageSize: 1000},
	} {
		accounts, _, messages, _ := New(o).Totals()
		if accounts != o.Accounts || messages != o.Messages {
			t.Errorf("%+v: %d accounts, %d messages", o, accounts, messages)
		}
	}
	_, _, messages, _ := New(Options{Accounts: 12, Oddities: true, MessageSize: 1000}).Totals()
	if messages < len(oddities) || messages > 400 {
		t.Errorf("the themes alone need %d messages", messages)
	}
}

func TestEveryOddityIsThere(t *testing.T) {
	t.Parallel()
	for _, accounts := range []int{1, 5, 12, 20} {
		found := map[string]bool{}
		o := New(Options{Accounts: accounts, Oddities: true})
		for _, a := range o.Accounts {
			for _, m := range a.Mailboxes {
				for _, s := range m.slots {
					if s.odd > 0 {
						found[oddities[s.odd-1].name] = true
					}
				}
			}
		}
		for _, name := range Oddities() {
			if !found[name] {
				t.Errorf("%d accounts: no message %q", accounts, name)
			}
		}
	}
	for _, m := range New(Options{Accounts: 12}).Accounts[1].Mailboxes {
		for msg := range m.Messages() {
			if msg.Oddity != "" {
				t.Errorf("%q though none was asked for", msg.Oddity)
			}
		}
	}
	for _, d := range oddities {
		if _, err := time.Parse(time.RFC3339, d.received); d.received != "" && err != nil {
			t.Error(err)
		}
	}
}

// The oddities are what their names say.
func TestOdditiesAreOdd(t *testing.T) {
	t.Parallel()
	o := New(Options{Accounts: 12, Oddities: true})
	byName := map[string][]Message{}
	for _, a := range o.Accounts {
		for _, m := range a.Mailboxes {
			for msg := range m.Messages() {
				byName[msg.Oddity] = append(byName[msg.Oddity], msg)
			}
		}
	}
	is := func(name string, ok func(m Message) bool) {
		for _, m := range byName[name] {
			if !ok(m) {
				t.Errorf("%s: %.200q", name, m.stored)
			}
		}
	}
	is("empty", func(m Message) bool { return m.Size == 0 && len(m.stored) == 0 })
	is("nul-octets", func(m Message) bool { return bytes.Contains(m.Content, []byte("\x00\x00")) })
	is("stored-lf", func(m Message) bool {
		return !bytes.Contains(m.stored, []byte("\r")) && m.Size == m.storedSize+int64(bytes.Count(m.stored, []byte("\n")))
	})
	is("stored-crlf", func(m Message) bool {
		return bytes.Equal(m.stored, m.Content) && bytes.Contains(m.stored, []byte("\r\n"))
	})
	is("stored-mixed", func(m Message) bool {
		crlf := bytes.Count(m.stored, []byte("\r\n"))
		return crlf > 0 && crlf < bytes.Count(m.stored, []byte("\n"))
	})
	is("two-thousand-fields", func(m Message) bool { return bytes.Count(m.stored, []byte("\nX-Hop-")) == 1999 })
	is("twenty-thousand-recipients", func(m Message) bool { return bytes.Count(m.stored, []byte("@list.client.test")) == 20000 })
	is("received-1971", func(m Message) bool { return m.Received.Year() == 1971 })
	is("received-2036", func(m Message) bool { return m.Received.Year() == 2036 })
	is("all-flags", func(m Message) bool { return m.Flags.System == 31 && len(m.Flags.Keywords) == 2 })
	same := byName["three-mailboxes"]
	if len(same) != 3 || same[0].GUID != same[1].GUID || same[1].GUID != same[2].GUID || !bytes.Equal(same[0].Content, same[2].Content) {
		t.Error("the message in three mailboxes is not one message")
	}
	twice := byName["exact-duplicate"]
	if len(twice) != 3 || twice[0].GUID == twice[1].GUID || !bytes.Equal(twice[0].Content, twice[1].Content) {
		t.Error("the exact duplicates are none")
	}
}

// Without oddities, every message is one that a strict parser reads.
func TestOrdinaryMailIsWellFormed(t *testing.T) {
	t.Parallel()
	types := map[string]int{}
	answers := 0
	for _, a := range New(Options{Accounts: 14, Messages: 900, Seed: 3, MessageSize: 6000}).Accounts {
		for _, m := range a.Mailboxes {
			for msg := range m.Messages() {
				parsed, err := mail.ReadMessage(bytes.NewReader(msg.Content))
				if err != nil {
					t.Fatalf("%s %q UID %d: %v", a.Login, m.Path, msg.UID, err)
				}
				for _, field := range []string{"From", "To"} {
					if _, err := parsed.Header.AddressList(field); err != nil && !strings.Contains(err.Error(), "charset not supported") {
						t.Errorf("%s %q UID %d: %s %q: %v", a.Login, m.Path, msg.UID, field, parsed.Header.Get(field), err)
					}
				}
				if d, err := parsed.Header.Date(); err != nil || msg.Received.Sub(d) > 2*time.Minute || d.After(msg.Received) {
					t.Errorf("date %v, received %v: %v", d, msg.Received, err)
				}
				mediaType, _, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
				if err != nil {
					t.Error(err)
				}
				types[mediaType]++
				if parsed.Header.Get("References") != "" {
					answers++
				}
				if msg.Received.After(m.org.Options.Now) {
					t.Errorf("received %v: after now", msg.Received)
				}
			}
		}
	}
	for _, want := range []string{"text/plain", "text/html", "multipart/alternative", "multipart/mixed", "multipart/report", "multipart/signed"} {
		if types[want] == 0 {
			t.Errorf("no %s among %v", want, types)
		}
	}
	if answers < 200 {
		t.Errorf("only %d answers", answers)
	}
}

func TestMeanSize(t *testing.T) {
	t.Parallel()
	for mean, within := range map[int]float64{0: .3, 4 << 10: .3, 40 << 10: .3} {
		_, _, messages, octets := New(Options{Accounts: 3, Messages: 1500, MessageSize: mean}).Totals()
		want := float64(mean)
		if mean == 0 {
			want = 20 << 10
		}
		if got := float64(octets) / float64(messages); got < want*(1-within) || got > want*(1+within) {
			t.Errorf("mean of %d octets asked for, got %.0f", mean, got)
		}
	}
}

func TestLargeMessageIsNotHeld(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{1, 5000, 3 << 20} {
		o := New(Options{Accounts: 12, Large: size})
		n := 0
		for msg := range o.Accounts[11].Mailboxes[0].Messages() {
			if msg.Oddity != "large" {
				continue
			}
			n++
			if msg.Content != nil {
				t.Error("it is in memory")
			}
			wire, err := io.ReadAll(msg.Open())
			if err != nil || int64(len(wire)) != msg.Size {
				t.Errorf("%d octets, %d were announced: %v", len(wire), msg.Size, err)
			}
			stored, _ := io.ReadAll(msg.OpenStored())
			if int64(len(stored)) != msg.storedSize || !bytes.Equal(toCRLF(stored), wire) {
				t.Error("what is stored is not what is shown")
			}
			if size > 5000 && (msg.Size > size || msg.Size < size-100) {
				t.Errorf("%d octets asked for, got %d", size, msg.Size)
			}
		}
		if n != 1 {
			t.Errorf("%d large messages", n)
		}
	}
}

func TestMailboxes(t *testing.T) {
	t.Parallel()
	keywords := map[string]bool{}
	for _, a := range New(Options{Accounts: 30, Messages: 900, Oddities: true, MessageSize: 1000}).Accounts {
		seen := map[string]bool{}
		validity := map[uint32]bool{}
		roles := map[model.Role]bool{}
		for _, m := range a.Mailboxes {
			key := strings.Join(m.Path, ".")
			if seen[key] {
				t.Errorf("%s: two mailboxes %q", a.Login, key)
			}
			seen[key] = true
			if n := len(m.Path); n > 1 && !seen[strings.Join(m.Path[:n-1], ".")] {
				t.Errorf("%s: %q comes before its parent", a.Login, key)
			}
			if m.Role != model.RoleNone && roles[m.Role] {
				t.Errorf("%s: two mailboxes are %s", a.Login, m.Role)
			}
			roles[m.Role] = true
			if m.Container {
				if m.Len() > 0 || m.Subscribed {
					t.Errorf("%s: %q holds something", a.Login, key)
				}
				continue
			}
			if m.UIDValidity == 0 || validity[m.UIDValidity] || len(m.GUID) != 32 {
				t.Errorf("%s: %q has UIDVALIDITY %d, GUID %q", a.Login, key, m.UIDValidity, m.GUID)
			}
			validity[m.UIDValidity] = true
			if len(m.keywords) > 26 {
				t.Errorf("%s: %q has %d keywords, file names hold 26", a.Login, key, len(m.keywords))
			}
			last := uint32(0)
			for msg := range m.Messages() {
				if msg.UID <= last || msg.UID >= m.UIDNext {
					t.Errorf("%s: %q: UID %d after %d, next is %d", a.Login, key, msg.UID, last, m.UIDNext)
				}
				last = msg.UID
				for _, k := range msg.Flags.Keywords {
					if a.Login == "heidi@acme.test" {
						keywords[strings.ToLower(k)] = true
					}
				}
				if !slices.IsSorted(msg.Flags.Keywords) {
					t.Errorf("%q is not sorted", msg.Flags.Keywords)
				}
			}
		}
		if !roles[model.RoleInbox] || a.Mailboxes[0].Role != model.RoleInbox {
			t.Errorf("%s: the inbox is not first", a.Login)
		}
	}
	if len(keywords) <= 99 {
		t.Errorf("%d keywords in one account, the flood needs more than 99", len(keywords))
	}
}

// BenchmarkMessages makes the 30,000 messages of the mix that the benchmark of
// a bulk load needs.
func BenchmarkMessages(b *testing.B) {
	var n, octets int64
	o := New(Options{Accounts: 20, Messages: 30_000, Oddities: true})
	for b.Loop() {
		for _, a := range o.Accounts {
			for _, m := range a.Mailboxes {
				for msg := range m.Messages() {
					n++
					octets += msg.Size
				}
			}
		}
	}
	b.SetBytes(octets / int64(b.N))
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
}

func TestPasswordsOfInventedAccounts(t *testing.T) {
	t.Parallel()
	logins := map[string]bool{}
	for _, a := range New(Options{Accounts: 200}).Accounts {
		if logins[a.Login] {
			t.Errorf("%s twice", a.Login)
		}
		logins[a.Login] = true
		if len(a.Password) < 8 || !strings.HasPrefix(a.Hash, "{") || strings.ContainsAny(a.Hash, ":\n") {
			t.Errorf("%s: password %q, hash %q", a.Login, a.Password, a.Hash)
		}
	}
}
