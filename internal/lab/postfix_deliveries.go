package lab

import (
	"fmt"
	"net/smtp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Deliveries starts the server, sends one message to each address through it and
// returns who got it in the end; an address that is refused has nobody.
func (p *Postfix) Deliveries(t testing.TB, addresses []string) map[string][]string {
	t.Helper()
	sink := StartSink(t)
	p.Start(t, sink.Addr)
	c, err := smtp.Dial(p.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	out := map[string][]string{}
	const last = "last@elsewhere.test"
	var taken []string
	for _, a := range append(slices.Clone(addresses), last) {
		must(c.Mail("tester@outside.test"))
		if err := c.Rcpt(a); err != nil {
			if !strings.HasPrefix(err.Error(), "550 ") && !strings.HasPrefix(err.Error(), "554 ") {
				t.Fatalf("%s: %v", a, err)
			}
			out[a] = nil
			must(c.Reset())
			continue
		}
		w, err := c.Data()
		must(err)
		fmt.Fprintf(w, "Subject: %s\r\n\r\nHello\r\n", a)
		must(w.Close())
		taken = append(taken, a)
	}
	// Mail to a list arrives in several pieces. All is there when the queue is
	// empty.
	if !sink.Await(2*time.Minute, func() bool { return len(sink.Recipients(last)) > 0 && p.QueueEmpty(t) }) {
		t.Fatalf("mail is still on its way: %s", p.Log(t))
	}
	for _, a := range taken {
		out[a] = slices.Compact(sink.Recipients(a))
	}
	return out
}
