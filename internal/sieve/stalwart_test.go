package sieve_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// only are scripts that the two servers run differently as they are, so that
// only the destination can tell whether the converted one is right.
var only = []rule{
	{name: "regex without case", script: "require [\"regex\", \"fileinto\"];\nif header :regex \"subject\" \"^\\\\[DEV\\\\] p(a|o)tch\" { fileinto \"Patches\"; }\n"},
	{name: "personal include", script: "require [\"include\", \"fileinto\"];\ninclude :personal \"lists\";\nif exists \"x-a\" { fileinto \"Bills\"; }\n",
		personal: map[string]string{"lists": "require \"fileinto\";\nif exists \"list-id\" { fileinto \"Lists\"; stop; }\n"}},
	{name: "several includes", script: "require [\"include\", \"fileinto\"];\nkeep;\ninclude \"a\"; include \"b\"; include \"c\"; include \"d\";\n", personal: map[string]string{
		"a": "require \"fileinto\"; if exists \"x-a\" { fileinto \"A\"; }", "b": "require [\"fileinto\", \"include\"]; include :personal \"e\";",
		"c": "# nothing\n", "d": "require \"fileinto\"; if size :over 1K { fileinto \"D\"; }", "e": "require [\"fileinto\", \"include\"]; if exists \"x-b\" { fileinto \"E\"; return; } include \"f\";", "f": "require \"fileinto\"; if exists \"list-id\" { fileinto \"F\"; }"}},
}

// local moves a text to a domain of the lab: everybody there has an account.
func local(text, who string) string {
	return strings.NewReplacer("example.test", "lab.test", "anna@lab.test", who+"@lab.test", "anna+bills@lab.test", who+"+bills@lab.test").Replace(text)
}

// A script that a real Stalwart runs does with mail what Dovecot did.
func TestStalwartDoesTheSame(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	d, err := stalwart.Dial(ctx, stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	rules := slices.Concat(same, only, randomRules(10, false))
	names := mailNames()
	var runs []lab.SieveRun
	for _, r := range rules {
		var scripts [][]byte
		for _, s := range slices.Concat(r.before, []string{r.script}, r.after) {
			scripts = append(scripts, []byte(local(s, "anna")))
		}
		for _, m := range names {
			runs = append(runs, lab.SieveRun{Scripts: scripts, Global: octets(r.global), Personal: octets(r.personal),
				Sender: "bob@lab.test", Recipient: "anna@lab.test", Message: []byte(local(mails[m], "anna"))})
		}
	}
	want := lab.SieveTest(t, runs)

	accounts := []model.Account{}
	for _, u := range []string{"bob", "other", "b", "pager"} {
		accounts = append(accounts, model.Account{Login: u, Address: u + "@" + server.Domain})
	}
	for i := range rules {
		accounts = append(accounts, model.Account{Login: who(i), Address: who(i) + "@" + server.Domain})
	}
	plan, err := d.Plan(ctx, accounts)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range plan {
		if err := d.Apply(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	box := mailReader{t: t, ctx: ctx, d: d, c: dialMail(t, ctx, server)}
	for i, r := range rules {
		install(t, ctx, d, r, i, want[i*len(names):(i+1)*len(names)])
	}
	sent := map[string]bool{} // what others have to get
	for i := range rules {
		lmtp := dialLMTP(t, server.LMTP) // the server bounds the messages of a session
		for k, m := range names {
			// A message that an account has already is not delivered to it again.
			text := strings.Replace(local(mails[m], who(i)), "Message-ID: <", "Message-ID: <"+key(i, m)+".", 1)
			lmtp.deliver(who(i)+"@"+server.Domain, "X-Rule: "+key(i, m)+"\r\n"+text)
			for _, s := range want[i*len(names)+k].Sent {
				if s == "vacation" { // one sender is answered once, whatever it sends
					sent[fmt.Sprintf("vacation %d", i)] = true
				} else {
					sent[s+" "+key(i, m)] = true
				}
			}
		}
		lmtp.conn.Close()
	}
	// Both ways go through the server's queue.
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for {
		wrong := box.misfiled(rules, want)
		missing, extra := difference(sent, box.received(server.Domain))
		if len(wrong)+len(missing)+len(extra) == 0 {
			return
		}
		select {
		case <-tick.C:
			continue
		case <-late:
		}
		for _, w := range wrong {
			t.Error(w)
		}
		t.Fatalf("never sent: %q; sent beyond: %q", missing, extra)
	}
}

// misfiled tells which rules file otherwise than Dovecot did, or not yet.
func (r mailReader) misfiled(rules []rule, want []lab.SieveOutcome) []string {
	r.t.Helper()
	var out []string
	names := mailNames()
	for i, ru := range rules {
		got := r.filed(who(i) + "@lab.test")
		for k, m := range names {
			w := want[i*len(names)+k]
			if g := got[key(i, m)]; w.Err != "" || !slices.Equal(g.mailboxes, mailboxesOf(w)) || !slices.Equal(g.flags, flagsOf(w, g.flags)) {
				out = append(out, fmt.Sprintf("%s, message %s: the old server %v; Stalwart %q %q\n%s", ru.name, m, w, g.mailboxes, g.flags, converted(r.t, r.d, ru, i)))
				break
			}
		}
	}
	return out
}

func who(i int) string { return fmt.Sprintf("user%d", i) }

func key(i int, mail string) string { return fmt.Sprintf("%d-%s", i, mail) }

func converted(t *testing.T, d destination.Destination, r rule, i int) string {
	r.script = local(r.script, who(i))
	out, _, err := sieve.Convert([]byte(r.script), localSetting(r, i), d.Limits().Sieve())
	if err != nil {
		t.Error(err)
	}
	return string(out)
}

func localSetting(r rule, i int) sieve.Setting {
	r.before, r.after = slices.Clone(r.before), slices.Clone(r.after)
	for _, list := range [][]string{r.before, r.after} {
		for j := range list {
			list[j] = local(list[j], who(i))
		}
	}
	return r.setting()
}

// install makes the mailboxes that the rule files into, and puts the
// converted script in force.
func install(t *testing.T, ctx context.Context, d destination.Destination, r rule, i int, want []lab.SieveOutcome) {
	t.Helper()
	a, err := d.Open(ctx, who(i)+"@lab.test")
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, w := range want {
		for _, m := range mailboxesOf(w) {
			if m != "INBOX" && !slices.Contains(made, m) {
				if _, err := a.CreateMailbox(ctx, destination.Mailbox{Name: m}); err != nil {
					t.Fatal(err)
				}
				made = append(made, m)
			}
		}
	}
	for name, text := range r.personal {
		out, _, err := sieve.Convert([]byte(text), r.setting(), d.Limits().Sieve())
		if err == nil {
			err = a.PutScript(ctx, model.Script{Name: name, Content: out})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text := converted(t, d, r, i)
	if err := a.PutScript(ctx, model.Script{Name: "rules", Content: []byte(text), Active: true}); err != nil {
		t.Errorf("%s: refused: %v\n%s", r.name, err, text)
	}
}

func mailboxesOf(o lab.SieveOutcome) []string {
	var out []string
	for _, s := range o.Stored {
		name, _, _ := strings.Cut(s, " ")
		out = append(out, name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// flagsOf are the flags, if all that is stored has the same: at a JMAP server
// one message in several mailboxes has one set of them.
func flagsOf(o lab.SieveOutcome, otherwise []string) []string {
	var sets []string
	for _, s := range o.Stored {
		_, flags, _ := strings.Cut(s, " ")
		sets = append(sets, flags)
	}
	if len(slices.Compact(sets)) != 1 {
		return otherwise
	}
	var out []string
	for _, f := range strings.Fields(sets[0]) {
		out = append(out, strings.Replace(f, `\`, "$", 1))
	}
	slices.Sort(out)
	return out
}

func difference(want, got map[string]bool) (missing, extra []string) {
	for k := range want {
		if !got[k] {
			missing = append(missing, k)
		}
	}
	for k := range got {
		if !want[k] {
			extra = append(extra, k)
		}
	}
	return missing, extra
}

type filed struct{ mailboxes, flags []string }

// mailReader looks into accounts as the administrator.
type mailReader struct {
	t   *testing.T
	ctx context.Context
	d   destination.Destination
	c   *jmap.Client
}

func dialMail(t *testing.T, ctx context.Context, s *lab.Stalwart) *jmap.Client {
	t.Helper()
	c, err := jmap.Dial(ctx, jmap.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

type email struct {
	MailboxIDs map[string]bool `json:"mailboxIds"`
	Keywords   map[string]bool `json:"keywords"`
	From       []struct{ Email string }
	Rule       string `json:"header:X-Rule:asText"`
	Subject    string
	InReplyTo  []string
}

func (r mailReader) emails(address string) (list []email, names map[string]string) {
	r.t.Helper()
	a, err := r.d.Open(r.ctx, address)
	if err != nil {
		r.t.Fatal(err)
	}
	req := jmap.NewRequest("urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail")
	q := req.Call("Email/query", map[string]any{"accountId": a.ID()})
	g := req.Call("Email/get", map[string]any{"accountId": a.ID(), "#ids": req.Ref(q, "/ids"),
		"properties": []string{"mailboxIds", "keywords", "from", "subject", "inReplyTo", "header:X-Rule:asText"}})
	var got struct{ List []email }
	resp, err := r.c.Do(r.ctx, req)
	if err == nil {
		err = resp.Decode(g, &got)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	boxes, err := a.Mailboxes(r.ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	names = map[string]string{}
	for _, b := range boxes {
		names[b.ID] = b.Name
		if b.Role == model.RoleInbox {
			names[b.ID] = "INBOX"
		}
	}
	return got.List, names
}

// filed tells where an account's messages are, by the rule and mail that they
// name.
func (r mailReader) filed(address string) map[string]filed {
	r.t.Helper()
	out := map[string]filed{}
	list, names := r.emails(address)
	for _, e := range list {
		var f filed
		for id := range e.MailboxIDs {
			f.mailboxes = append(f.mailboxes, names[id])
		}
		for k := range e.Keywords {
			f.flags = append(f.flags, k)
		}
		slices.Sort(f.mailboxes)
		slices.Sort(f.flags)
		out[strings.TrimSpace(e.Rule)] = f
	}
	return out
}

// received tells what others got: redirected messages, answers, notifications.
func (r mailReader) received(domain string) map[string]bool {
	out := map[string]bool{}
	for _, u := range []string{"bob", "other", "b", "pager"} {
		list, _ := r.emails(u + "@" + domain)
		for _, e := range list {
			from := ""
			if len(e.From) > 0 {
				from, _, _ = strings.Cut(e.From[0].Email, "@")
			}
			var i int
			_, _ = fmt.Sscanf(from, "user%d", &i)
			switch rule := strings.TrimSpace(e.Rule); {
			case rule != "":
				out[fmt.Sprintf("redirect %s@%s %s", u, domain, rule)] = true
			case len(e.InReplyTo) > 0:
				out[fmt.Sprintf("vacation %d", i)] = true
			default:
				for _, m := range mailNames() {
					if i := strings.Index(e.Subject, " / "); i >= 0 && strings.Contains(mails[m], "Subject: "+e.Subject[i+3:]) {
						out[fmt.Sprintf("notify %s@%s %s", u, domain, key(ruleOf(from), m))] = true
					}
				}
			}
		}
	}
	return out
}

func ruleOf(user string) (i int) {
	_, _ = fmt.Sscanf(user, "user%d", &i)
	return i
}

// lmtpClient delivers one message after the other (RFC 2033).
type lmtpClient struct {
	t    *testing.T
	conn net.Conn
	r    *textproto.Reader
}

func dialLMTP(t *testing.T, addr string) *lmtpClient {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
	c := &lmtpClient{t: t, conn: conn, r: textproto.NewReader(bufio.NewReader(conn))}
	c.expect(220)
	c.say("LHLO lab.test", 250)
	return c
}

func (c *lmtpClient) expect(code int) {
	c.t.Helper()
	if _, text, err := c.r.ReadResponse(code); err != nil {
		c.t.Fatalf("LMTP: %v %s", err, text)
	}
}

func (c *lmtpClient) say(line string, code int) {
	c.t.Helper()
	fmt.Fprintf(c.conn, "%s\r\n", line)
	c.expect(code)
}

func (c *lmtpClient) deliver(to, message string) {
	c.t.Helper()
	c.say("MAIL FROM:<bob@lab.test>", 250)
	c.say("RCPT TO:<"+to+">", 250)
	c.say("DATA", 354)
	w := textproto.NewWriter(bufio.NewWriter(c.conn)).DotWriter()
	fmt.Fprint(w, message)
	w.Close()
	c.expect(250)
}
