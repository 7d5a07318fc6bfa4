package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// bench is a running sandbox and clients of it.
type bench struct {
	t     *testing.T
	s     *Server
	url   string
	now   time.Time
	clock sync.Mutex
}

func start(t *testing.T, opts Options) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	opts.Clock = func() time.Time {
		b.clock.Lock()
		defer b.clock.Unlock()
		return b.now
	}
	b.s = New(opts)
	url, err := b.s.Start()
	if err != nil {
		t.Fatal(err)
	}
	b.url = url
	t.Cleanup(func() {
		if err := b.s.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) sleep(d time.Duration) {
	b.clock.Lock()
	defer b.clock.Unlock()
	b.now = b.now.Add(d)
}

// client is one login.
type client struct {
	*bench
	login, password string
}

func (b *bench) as(login, password string) *client { return &client{b, login, password} }
func (b *bench) admin() *client                    { return b.as("admin", "demo") }

func (c *client) do(method, path, contentType string, body []byte) (int, http.Header, []byte) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.login != "" {
		req.SetBasicAuth(c.login, c.password)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	return res.StatusCode, res.Header, data
}

// tree is decoded JSON with a path accessor.
type tree struct{ v any }

// at follows keys and list indexes; a missing step yields nil.
func (t tree) at(path ...any) tree {
	v := t.v
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return tree{}
			}
			v = l[p]
		}
	}
	return tree{v}
}

func (t tree) str(path ...any) string { s, _ := t.at(path...).v.(string); return s }
func (t tree) num(path ...any) int    { n, _ := t.at(path...).v.(float64); return int(n) }
func (t tree) size(path ...any) int {
	switch v := t.at(path...).v.(type) {
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

var allUsing = []string{capCore, capMail, capBlob, capSubmission, capVacation, capSieve, capQuota, capPrincipals, capStalwart}

// raw posts a request and returns status and body.
func (c *client) raw(body any) (int, tree) {
	c.t.Helper()
	data, ok := body.([]byte)
	if !ok {
		data, _ = json.Marshal(body)
	}
	status, _, answer := c.do("POST", "/jmap/", "application/json", data)
	var v any
	_ = json.Unmarshal(answer, &v)
	return status, tree{v}
}

// calls runs method calls given as name, arguments, name, arguments, … and
// returns the responses.
func (c *client) calls(pairs ...any) tree {
	c.t.Helper()
	var list []any
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, []any{pairs[i], pairs[i+1], fmt.Sprint("c", i/2)})
	}
	status, answer := c.raw(obj{"using": allUsing, "methodCalls": list})
	if status != 200 {
		c.t.Fatalf("status %d: %v", status, answer.v)
	}
	return answer.at("methodResponses")
}

// call runs one method that must not be an error.
func (c *client) call(name string, args any) tree {
	c.t.Helper()
	r := c.calls(name, args).at(0)
	if r.str(0) != name {
		c.t.Fatalf("%s: %v", name, r.v)
	}
	return r.at(1)
}

// fails runs one method that must be an error and returns its type.
func (c *client) fails(name string, args any) string {
	c.t.Helper()
	r := c.calls(name, args).at(0)
	if r.str(0) != "error" {
		c.t.Fatalf("%s succeeded: %v", name, r.v)
	}
	return r.str(1, "type")
}

func equalJSON(t *testing.T, what string, got tree, want any) {
	t.Helper()
	g, _ := json.Marshal(got.v)
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	_ = enc.Encode(want)
	var w any
	_ = json.Unmarshal(buf.Bytes(), &w)
	ws, _ := json.Marshal(w)
	if string(g) != string(ws) {
		t.Errorf("%s:\n got %s\nwant %s", what, g, ws)
	}
}

// user makes domain example.test and a user with password "correct horse 9".
func (b *bench) user(local string) (*client, string) {
	b.t.Helper()
	return b.userWith(local, obj{})
}

const testPassword = "correct horse 9"

func (b *bench) userWith(local string, extra obj) (*client, string) {
	b.t.Helper()
	b.s.mu.Lock()
	if b.s.domainNamed("example.test") == nil {
		b.s.addDomain("example.test")
	}
	dom := formatID32(b.s.domainNamed("example.test").id)
	b.s.mu.Unlock()
	o := obj{"@type": "User", "name": local, "domainId": dom, "credentials": obj{"0": obj{"@type": "Password", "secret": hashSSHA512(testPassword)}}}
	for k, v := range extra {
		o[k] = v
	}
	r := b.admin().call("x:Account/set", obj{"create": obj{"u": o}})
	id := r.str("created", "u", "id")
	if id == "" {
		b.t.Fatalf("account %s: %v", local, r.v)
	}
	return b.as(local+"@example.test", testPassword), id
}

// put uploads and imports messages into mailboxes, in order, and returns the
// email ids.
func (c *client) put(account, mailbox string, messages ...string) []string {
	c.t.Helper()
	var buf strings.Builder
	for i, m := range messages {
		blob := c.upload(account, m)
		if i > 0 {
			buf.WriteByte(',')
		}
		fmt.Fprintf(&buf, `"m%d":{"blobId":%q,"mailboxIds":{%q:true}}`, i, blob, mailbox)
	}
	r := c.call("Email/import", json.RawMessage(fmt.Sprintf(`{"accountId":%q,"emails":{%s}}`, account, buf.String())))
	ids := make([]string, len(messages))
	for i := range messages {
		if ids[i] = r.str("created", fmt.Sprint("m", i), "id"); ids[i] == "" {
			c.t.Fatalf("import: %v", r.v)
		}
	}
	return ids
}

func (c *client) upload(account, content string) string {
	c.t.Helper()
	status, _, body := c.do("POST", "/jmap/upload/"+account+"/", "message/rfc822", []byte(content))
	var v any
	_ = json.Unmarshal(body, &v)
	if status != 200 {
		c.t.Fatalf("upload: %d %s", status, body)
	}
	return tree{v}.str("blobId")
}

func message(subject, id string, refs ...string) string {
	s := "From: a@example.test\r\nSubject: " + subject + "\r\nMessage-ID: <" + id + ">\r\n"
	if len(refs) > 0 {
		s += "References: <" + strings.Join(refs, "> <") + ">\r\n"
	}
	return s + "\r\nBody of " + id + "\r\n"
}

// The walk of a small migration: find the account, make a mailbox, upload,
// import, verify by the hash in the blobId.
func TestMigrateOneMessage(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Dir: t.TempDir()})
	_, id := b.user("anna")
	c := b.admin()
	found := c.call("Principal/query", obj{"filter": obj{"email": "anna@example.test"}})
	if found.str("ids", 0) != id {
		t.Fatalf("Principal/query: %v, want %s", found.v, id)
	}
	box := c.call("Mailbox/set", obj{"accountId": id, "create": obj{"p": obj{"name": "Projects"}}}).str("created", "p", "id")
	if box != "h" {
		t.Errorf("first mailbox is %q, want h: six numbers are reserved", box)
	}
	raw := "Subject: x\r\n\r\nbare\nLF and NUL \x00 and \xff\r\n"
	ids := c.put(id, box, raw)
	if ids[0] != emailID(1, 1) {
		t.Errorf("email id %s", ids[0])
	}
	e := c.call("Email/get", obj{"accountId": id, "ids": ids, "properties": []string{"blobId", "size", "mailboxIds"}}).at("list", 0)
	blob, err := parseBlobID(e.str("blobId"))
	if err != nil || !blob.linked || blob.hash != hashOf([]byte(raw)) {
		t.Errorf("blobId %v %v", blob, err)
	}
	equalJSON(t, "mailboxIds", e.at("mailboxIds"), obj{box: true})
	_, _, got := c.do("GET", "/jmap/download/"+id+"/"+e.str("blobId")+"/x.eml", "", nil)
	if string(got) != raw {
		t.Errorf("download is %q", got)
	}
}
