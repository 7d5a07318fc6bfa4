package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// A raw loader sends requests that were made before the clock started and
// looks at nothing but success: no listing, no hashing, no ledger. What it
// reaches is what a server takes in; the ratio is what mailhaul's promises
// cost.

// BenchmarkCeiling compares one mailbox of equal messages of 20 KB.
func BenchmarkCeiling(b *testing.B) {
	if lab.StalwartBinary() == "" {
		b.Skip("no Stalwart here: its ceiling cannot be measured")
	}
	n := number("MAILHAUL_BENCH_MESSAGES", 10_000)
	dir := b.TempDir()
	messages := equalMessages(n)
	octets := 0
	for _, m := range messages {
		octets += len(m)
	}
	writeMaildir(b, filepath.Join(dir, "anna"), messages)
	r := newRates(b, fmt.Sprintf("%d messages, %d MiB, one mailbox, into Stalwart", n, octets>>20), n, octets)
	binary := buildProgram(b, dir)
	r.measure("raw: HTTP uploads, then import", func(b *testing.B) (time.Duration, string) { return rawHTTP(b, messages), "" })
	r.measure("raw: upload rides with import", func(b *testing.B) (time.Duration, string) { return rawRiding(b, messages, func(int64) {}), "" })
	r.measure("mailhaul, from Maildir", func(b *testing.B) (time.Duration, string) {
		s := &scene{b: b, dir: dir, binary: binary}
		at, _ := emptyAccount(b)
		return s.timed(s.program(fmt.Sprintf(`engagement: %q
source: {kind: maildir, maildir: {path: %q}, users: {list: [anna], domain: lab.test}}
destination: {url: %q, user: %q, password: %q}
`, filepath.Join(b.TempDir(), "state"), dir+"/%n", at.url, at.user, "inline:"+at.password), "sync")), ""
	})
	ceiling := max(r.of["raw: HTTP uploads, then import"], r.of["raw: upload rides with import"])
	r.line("mailhaul : ceiling = %.2f", r.of["mailhaul, from Maildir"]/ceiling)
	r.print()
}

func equalMessages(n int) [][]byte {
	var body strings.Builder
	for i := 0; body.Len() < 20_000; i++ {
		fmt.Fprintf(&body, "Line %d of a message with %d words that nobody reads, %x.\r\n", i, i*7, i*2654435761)
	}
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "From: a%d@b.test\r\nTo: anna@lab.test\r\nSubject: number %d\r\nMessage-ID: <%d@b.test>\r\nDate: Mon, 02 Jan 2023 15:04:05 +0000\r\n\r\n%s", i%50, i, i, body.String())
	}
	return out
}

func writeMaildir(b *testing.B, dir string, messages [][]byte) {
	b.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	var list bytes.Buffer
	fmt.Fprintf(&list, "3 V1600000000 N%d G%032x\n", len(messages)+1, 1)
	for i, m := range messages {
		text := bytes.ReplaceAll(m, []byte("\r\n"), []byte("\n"))
		base := fmt.Sprintf("16000%05d.M%dP1.host,S=%d,W=%d", i, i, len(text), len(m))
		fmt.Fprintf(&list, "%d :%s\n", i+1, base)
		if err := os.WriteFile(filepath.Join(dir, "cur", base+":2,S"), text, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "dovecot-uidlist"), list.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
}

// emptyAccount starts a server with the account anna@lab.test and returns the
// ID of her inbox behind that of the account.
func emptyAccount(b *testing.B) (to, [2]string) {
	b.Helper()
	server := lab.StartStalwart(b)
	at := to{server.URL, server.AdminUser, server.AdminPassword, server.IMAP}
	d, err := stalwart.Dial(b.Context(), stalwart.Config{URL: at.url, User: at.user, Password: at.password})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	plan, err := d.Plan(b.Context(), []model.Account{{Login: "anna", Address: "anna@" + server.Domain}})
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range plan {
		if a.Verb != destination.VerbKeep {
			if err := d.Apply(b.Context(), a); err != nil {
				b.Fatal(err)
			}
		}
	}
	acc, err := d.Open(b.Context(), "anna@"+server.Domain)
	if err != nil {
		b.Fatal(err)
	}
	boxes, err := acc.Mailboxes(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range boxes {
		if m.Role == model.RoleInbox {
			return at, [2]string{acc.ID(), m.ID}
		}
	}
	b.Fatal("no inbox")
	return at, [2]string{}
}

const rawBatch = 200

// post sends one request and demands success.
func post(b *testing.B, at to, path, contentType string, body []byte, into any) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, at.url+path, bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	req.SetBasicAuth(at.user, at.password)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(raw, []byte("notCreated\":{\"")) || bytes.Contains(raw, []byte(`["error"`)) {
		b.Errorf("HTTP %d, %v: %.300s", resp.StatusCode, err, raw)
		return
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			b.Error(err)
		}
	}
}

func importCall(account, inbox string, blobs []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, `["Email/import",{"accountId":%q,"emails":{`, account)
	for i, blob := range blobs {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `"%d":{"blobId":%q,"mailboxIds":{%q:true},"keywords":{"$seen":true},"receivedAt":"2023-01-02T15:04:05Z"}`, i, blob, inbox)
	}
	s.WriteString(`}},"i"]`)
	return s.String()
}

func request(calls ...string) []byte {
	return []byte(`{"using":["urn:ietf:params:jmap:core","urn:ietf:params:jmap:mail","urn:ietf:params:jmap:blob"],"methodCalls":[` + strings.Join(calls, ",") + `]}`)
}

// rawHTTP uploads over HTTP, eight at a time, while the batch before is
// imported.
func rawHTTP(b *testing.B, messages [][]byte) time.Duration {
	b.Helper()
	at, ids := emptyAccount(b)
	start := time.Now()
	batches := make(chan []string, 2)
	var importing sync.WaitGroup
	importing.Go(func() {
		for blobs := range batches {
			post(b, at, "/jmap", "application/json", request(importCall(ids[0], ids[1], blobs)), nil)
		}
	})
	for from := 0; from < len(messages); from += rawBatch {
		batch := messages[from:min(from+rawBatch, len(messages))]
		blobs := make([]string, len(batch))
		var uploads sync.WaitGroup
		slots := make(chan struct{}, 8)
		for i, m := range batch {
			slots <- struct{}{}
			uploads.Go(func() {
				defer func() { <-slots }()
				var got struct{ BlobID string }
				post(b, at, "/jmap/upload/"+ids[0]+"/", "message/rfc822", m, &got)
				blobs[i] = got.BlobID
			})
		}
		uploads.Wait()
		batches <- blobs
	}
	close(batches)
	importing.Wait()
	return time.Since(start)
}

// rawRiding carries the upload of a batch in the request that imports the
// batch before it, four in flight; the uploads are written before the clock
// starts.
func rawRiding(b *testing.B, messages [][]byte, stored func(n int64)) time.Duration {
	b.Helper()
	at, ids := emptyAccount(b)
	const batch = rawBatch / 2
	var uploads []string
	for from := 0; from < len(messages); from += batch {
		var s strings.Builder
		fmt.Fprintf(&s, `["Blob/upload",{"accountId":%q,"create":{`, ids[0])
		for i, m := range messages[from:min(from+batch, len(messages))] {
			if i > 0 {
				s.WriteByte(',')
			}
			text, err := json.Marshal(string(m))
			if err != nil {
				b.Fatal(err)
			}
			fmt.Fprintf(&s, `"%d":{"data":[{"data:asText":%s}]}`, i, text)
		}
		s.WriteString(`}},"u"]`)
		uploads = append(uploads, s.String())
	}
	stored(0)
	start := time.Now()
	var lanes sync.WaitGroup
	next := make(chan string, len(uploads))
	for _, u := range uploads {
		next <- u
	}
	close(next)
	for range 4 {
		lanes.Go(func() {
			var ready []string
			send := func(calls ...string) {
				var got struct{ MethodResponses [][3]json.RawMessage }
				post(b, at, "/jmap", "application/json", request(calls...), &got)
				stored(int64(len(ready)))
				ready = nil
				for _, r := range got.MethodResponses {
					var up struct {
						Created map[string]struct{ ID string }
					}
					if string(r[0]) != `"Blob/upload"` || json.Unmarshal(r[1], &up) != nil {
						continue
					}
					for i := range len(up.Created) {
						ready = append(ready, up.Created[fmt.Sprint(i)].ID)
					}
				}
			}
			for u := range next {
				if ready == nil {
					send(u)
				} else {
					send(importCall(ids[0], ids[1], ready), u)
				}
			}
			if ready != nil {
				send(importCall(ids[0], ids[1], ready))
			}
		})
	}
	lanes.Wait()
	return time.Since(start)
}
