package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// A raw loader sends requests that were made before the clock started and
// looks at nothing but success: no listing, no hashing, no ledger. What it
// reaches in its best shape is what a server takes in.

// shape is how a raw loader spreads messages over requests.
type shape struct {
	how string
	// batch is how many messages an import carries, lanes how many requests
	// of one account are in flight.
	batch, lanes int
}

const (
	overHTTP = "uploads over HTTP, the import meanwhile" // one upload a request, 8 at a time
	separate = "upload and import in turns"              // one Blob/upload, then its import
	riding   = "the next upload rides with the import"   // both in one request
)

func (s shape) String() string {
	return fmt.Sprintf("raw: %s, %d×%d", s.how, s.lanes, s.batch)
}

// shapes are those worth a try.
func shapes(accounts int) []shape {
	if accounts > 1 {
		return []shape{{riding, 125, 1}, {riding, 250, 1}, {riding, 125, 2}, {separate, 125, 1}, {separate, 250, 2}, {overHTTP, 250, 1}}
	}
	return []shape{{riding, 100, 4}, {riding, 125, 2}, {riding, 125, 4}, {riding, 250, 2}, {riding, 250, 4},
		{separate, 125, 4}, {separate, 250, 2}, {separate, 250, 4}, {overHTTP, 250, 1}, {overHTTP, 250, 2}}
}

// rawLoad loads the messages, spread evenly over so many new accounts. stored
// hears of each import; with 0 that the clock starts.
func rawLoad(b *testing.B, s shape, accounts int, messages [][]byte, stored func(n int64)) time.Duration {
	b.Helper()
	at, ids := emptyAccounts(b, accounts)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	defer transport.CloseIdleConnections()
	loaders := make([]*rawLoader, accounts)
	for i := range loaders {
		share := messages[i*len(messages)/accounts : (i+1)*len(messages)/accounts]
		loaders[i] = &rawLoader{b: b, shape: s, at: at, client: &http.Client{Transport: transport}, account: ids[i].account, inbox: ids[i].inbox, stored: stored}
		loaders[i].prepare(share)
	}
	stored(0)
	start := time.Now()
	var all sync.WaitGroup
	var sum atomic.Int64
	for _, l := range loaders {
		all.Go(func() {
			l.load()
			sum.Add(l.n.Load())
		})
	}
	all.Wait()
	took := time.Since(start)
	if sum.Load() != int64(len(messages)) && !b.Failed() {
		b.Errorf("%v stored %d of %d messages", s, sum.Load(), len(messages))
	}
	return took
}

type rawLoader struct {
	shape
	b              *testing.B
	at             to
	client         *http.Client
	account, inbox string
	stored         func(n int64)
	n              atomic.Int64

	batches [][][]byte // overHTTP
	uploads []string   // the others: calls of Blob/upload
}

// prepare writes what is sent before the clock starts.
func (l *rawLoader) prepare(messages [][]byte) {
	for from := 0; from < len(messages); from += l.batch {
		some := messages[from:min(from+l.batch, len(messages))]
		if l.how == overHTTP {
			l.batches = append(l.batches, some)
			continue
		}
		var s strings.Builder
		fmt.Fprintf(&s, `["Blob/upload",{"accountId":%q,"create":{`, l.account)
		for i, m := range some {
			if i > 0 {
				s.WriteByte(',')
			}
			text, err := json.Marshal(string(m))
			if err != nil {
				l.b.Fatal(err)
			}
			fmt.Fprintf(&s, `"%d":{"data":[{"data:asText":%s}]}`, i, text)
		}
		s.WriteString(`}},"u"]`)
		l.uploads = append(l.uploads, s.String())
	}
}

func (l *rawLoader) load() {
	if l.how == overHTTP {
		l.loadHTTP()
		return
	}
	next := make(chan string, len(l.uploads))
	for _, u := range l.uploads {
		next <- u
	}
	close(next)
	var lanes sync.WaitGroup
	for range l.lanes {
		lanes.Go(func() {
			var ready []string
			for u := range next {
				if ready == nil || l.how == separate {
					if ready != nil {
						l.send(l.importCall(ready))
					}
					ready = l.send(u)
					continue
				}
				ready = l.send(l.importCall(ready), u)
			}
			if ready != nil {
				l.send(l.importCall(ready))
			}
		})
	}
	lanes.Wait()
}

// loadHTTP uploads over HTTP, eight at a time, while batches before are
// imported.
func (l *rawLoader) loadHTTP() {
	ready := make(chan []string, l.lanes)
	var importing sync.WaitGroup
	for range l.lanes {
		importing.Go(func() {
			for blobs := range ready {
				l.send(l.importCall(blobs))
			}
		})
	}
	for _, batch := range l.batches {
		blobs := make([]string, len(batch))
		var uploads sync.WaitGroup
		slots := make(chan struct{}, 8)
		for i, m := range batch {
			slots <- struct{}{}
			uploads.Go(func() {
				defer func() { <-slots }()
				var got struct{ BlobID string }
				l.post("/jmap/upload/"+l.account+"/", "message/rfc822", m, &got)
				blobs[i] = got.BlobID
			})
		}
		uploads.Wait()
		ready <- blobs
	}
	close(ready)
	importing.Wait()
}

func (l *rawLoader) importCall(blobs []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, `["Email/import",{"accountId":%q,"emails":{`, l.account)
	for i, blob := range blobs {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `"%d":{"blobId":%q,"mailboxIds":{%q:true},"keywords":{"$seen":true},"receivedAt":"2023-01-02T15:04:05Z"}`, i, blob, l.inbox)
	}
	s.WriteString(`}},"i"]`)
	return s.String()
}

// send makes one request of these calls and returns the blobs it uploaded, in
// order. A call that the server answers with serverUnavailable (a conflict
// within its store, RFC 8620 §3.6.2) is sent again.
func (l *rawLoader) send(calls ...string) (blobs []string) {
	var got struct{ MethodResponses [][3]json.RawMessage }
	body := `{"using":["urn:ietf:params:jmap:core","urn:ietf:params:jmap:mail","urn:ietf:params:jmap:blob"],"methodCalls":[` + strings.Join(calls, ",") + `]}`
	l.post("/jmap", "application/json", []byte(body), &got)
	for i, r := range got.MethodResponses {
		var answer struct {
			Created map[string]struct{ ID string }
		}
		if string(r[0]) == `"error"` {
			blobs = append(blobs, l.send(calls[i])...)
			continue
		}
		if err := json.Unmarshal(r[1], &answer); err != nil {
			l.b.Errorf("%s: %v", r[0], err)
			continue
		}
		if string(r[0]) == `"Email/import"` {
			l.n.Add(int64(len(answer.Created)))
			l.stored(int64(len(answer.Created)))
			continue
		}
		for i := range len(answer.Created) {
			blobs = append(blobs, answer.Created[fmt.Sprint(i)].ID)
		}
	}
	return blobs
}

// post sends one request and demands success.
func (l *rawLoader) post(path, contentType string, body []byte, into any) {
	req, err := http.NewRequestWithContext(l.b.Context(), http.MethodPost, l.at.url+path, bytes.NewReader(body))
	if err != nil {
		l.b.Error(err)
		return
	}
	req.SetBasicAuth(l.at.user, l.at.password)
	req.Header.Set("Content-Type", contentType)
	resp, err := l.client.Do(req)
	if err != nil {
		l.b.Error(err)
		return
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(raw, []byte("notCreated\":{\"")) ||
		bytes.Contains(raw, []byte(`["error"`)) && !bytes.Contains(raw, []byte(`["error",{"type":"serverUnavailable"`)) {
		l.b.Errorf("HTTP %d, %v: %.300s", resp.StatusCode, err, raw)
		return
	}
	if err := json.Unmarshal(raw, into); err != nil {
		l.b.Error(err)
	}
}

// inboxOf is an account and its inbox at the destination.
type inboxOf struct{ account, inbox string }

// emptyAccounts starts a server with the accounts u0@lab.test, u1@lab.test …
func emptyAccounts(b *testing.B, n int) (to, []inboxOf) {
	b.Helper()
	at := newServer(b)
	d := at.dial(b)
	defer d.Close()
	var accounts []model.Account
	for i := range n {
		login := fmt.Sprint("u", i)
		accounts = append(accounts, model.Account{Login: login, Address: login + "@lab.test"})
	}
	provision(b, d, accounts)
	var ids []inboxOf
	for _, a := range accounts {
		acc := must(d.Open(b.Context(), a.Address))(b)
		for _, m := range must(acc.Mailboxes(b.Context()))(b) {
			if m.Role == model.RoleInbox {
				ids = append(ids, inboxOf{acc.ID(), m.ID})
			}
		}
	}
	if len(ids) != n {
		b.Fatalf("%d inboxes of %d accounts", len(ids), n)
	}
	return at, ids
}

// provision makes accounts at the destination.
func provision(b *testing.B, d *stalwart.Destination, accounts []model.Account) {
	b.Helper()
	for _, a := range must(d.Plan(b.Context(), accounts))(b) {
		if a.Verb != destination.VerbKeep {
			must(0, d.Apply(b.Context(), a))(b)
		}
	}
}
