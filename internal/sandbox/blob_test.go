package sandbox

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestBlobUpload(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{MaxSizeUpload: 100}})
	_, id := b.user("anna")
	c := b.admin()
	pack := c.upload(id, "0123456789")
	one := func(src obj) obj { return obj{"data": []any{src}, "type": "message/rfc822"} }
	create := obj{
		"a text":   one(obj{"data:asText": "x\r\n\u0000"}),
		"b base64": one(obj{"data:asBase64": "/w=="}),
		"c joined": obj{"data": []any{obj{"data:asText": "x"}, obj{"blobId": pack, "offset": 2, "length": 3}}},
		"d ref":    one(obj{"blobId": "#a text"}),
		"e offset": one(obj{"blobId": pack, "offset": 2}),
		"f none":   obj{"data": []any{}},
		"g long":   one(obj{"data:asText": strings.Repeat("x", 100)}),
		"h bad":    one(obj{"data:asBase64": "%"}),
		"i lost":   one(obj{"blobId": "#nobody"}),
		"j alien":  one(obj{"blobId": changeExpiry(t, pack)}),
	}
	r := c.call("Blob/upload", obj{"accountId": id, "create": create})
	for name, size := range map[string]int{"a text": 4, "b base64": 1, "c joined": 4, "d ref": 4} {
		if got := r.num("created", name, "size"); got != size {
			t.Errorf("%s: size %d, want %d", name, got, size)
		}
	}
	for name, want := range map[string]string{"e offset": "invalidProperties", "f none": "invalidProperties", "g long": "tooLarge", "h bad": "invalidProperties", "i lost": "notFound", "j alien": "forbidden"} {
		if got := r.str("notCreated", name, "type"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	got := c.call("Blob/get", obj{"accountId": id, "ids": []string{r.str("created", "c joined", "id"), "x"}, "properties": []string{"data:asText", "size", "digest:sha"}})
	if got.str("list", 0, "data:asText") != "x234" || got.str("notFound", 0) != "x" || got.str("list", 0, "digest:sha") == "" {
		t.Errorf("Blob/get: %v", got.v)
	}
}

func TestUploadQuotaOfAPlainUser(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{UploadQuotaFiles: 3}})
	anna, id := b.user("anna")
	for range 3 {
		anna.upload(id, "x")
	}
	status, h, body := anna.do("POST", "/jmap/upload/"+id+"/", "", []byte("x"))
	if status != 429 || h.Get("Retry-After") != "3600" || !strings.Contains(string(body), "3 files or 50000000 bytes") {
		t.Errorf("fourth upload: %d %v %s", status, h, body)
	}
	r := anna.call("Blob/upload", obj{"accountId": id, "create": obj{"x": obj{"data": []any{obj{"data:asText": "x"}}}}})
	if got := r.str("notCreated", "x", "type"); got != "overQuota" {
		t.Errorf("Blob/upload: %q", got)
	}
	b.admin().upload(id, "x") // has unlimitedUploads
	b.sleep(time.Hour)
	anna.upload(id, "x")
}

func TestUploadSize(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{MaxSizeUpload: 10}})
	anna, id := b.user("anna")
	status, _, body := anna.do("POST", "/jmap/upload/"+id+"/", "", []byte("01234567890"))
	if status != 400 || !strings.Contains(string(body), "maxSizeUpload") {
		t.Errorf("%d %s", status, body)
	}
	b.admin().upload(id, "01234567890")
}

func TestRequestsInFlight(t *testing.T) {
	t.Parallel()
	inside, release := make(chan struct{}, 10), make(chan struct{})
	b := start(t, Options{Intercept: func(c Call) *Fault {
		if c.Method == "Core/echo" && !c.After {
			inside <- struct{}{}
			<-release
		}
		return nil
	}})
	anna, _ := b.user("anna")
	body := []byte(`{"using":["` + capCore + `"],"methodCalls":[["Core/echo",{},"a"]]}`)
	var wg sync.WaitGroup
	for _, c := range []*client{anna, b.admin()} {
		for range 4 {
			wg.Go(func() {
				if status, _, answer := c.do("POST", "/jmap/", "", body); status != 200 {
					t.Errorf("%d %s", status, answer)
				}
			})
		}
	}
	for range 8 {
		<-inside
	}
	status, _, answer := anna.do("GET", "/jmap/session", "", nil)
	if status != 400 || !strings.Contains(string(answer), "error:limit") || !strings.Contains(string(answer), "maxConcurrentRequests") {
		t.Errorf("fifth request: %d %s", status, answer)
	}
	if status, _, _ := b.admin().do("GET", "/jmap/session", "", nil); status != 200 {
		t.Errorf("fifth of the administrator: %d", status)
	}
	close(release)
	wg.Wait()
}

func TestRequestRate(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{RateAuthenticated: 2}})
	anna, _ := b.user("anna")
	for i, want := range []int{200, 200, 429} {
		status, h, _ := anna.do("GET", "/jmap/session", "", nil)
		if status != want {
			t.Errorf("request %d: %d", i, status)
		}
		if status == 429 && h.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", h.Get("Retry-After"))
		}
	}
	b.sleep(time.Minute)
	if status, _, _ := anna.do("GET", "/jmap/session", "", nil); status != http.StatusOK {
		t.Errorf("a minute later: %d", status)
	}
}

func TestBlobsOnDiskArePurged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, Options{Dir: dir})
	_, id := b.user("anna")
	c := b.admin()
	kept := c.put(id, "a", message("x", "1@x"))
	c.upload(id, "never imported")
	files := func() (n int) {
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return err
		})
		return n
	}
	if files() != 2 {
		t.Errorf("%d files", files())
	}
	b.sleep(2 * time.Hour)
	b.s.DailyMaintenance()
	if files() != 1 {
		t.Errorf("%d files after the purge", files())
	}
	blob := c.call("Email/get", obj{"accountId": id, "ids": kept, "properties": []string{"blobId"}}).str("list", 0, "blobId")
	if status, _, _ := c.do("GET", "/jmap/download/"+id+"/"+blob+"/x", "", nil); status != 200 {
		t.Errorf("download: %d", status)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var next func(Call) *Fault
	b := start(t, Options{Intercept: func(c Call) *Fault {
		mu.Lock()
		defer mu.Unlock()
		if next == nil || c.Method != "Email/import" {
			return nil
		}
		return next(c)
	}})
	_, id := b.user("anna")
	c := b.admin()
	total := func() int {
		return c.call("Email/query", obj{"accountId": id, "calculateTotal": true}).num("total")
	}
	emails := obj{}
	for _, n := range []string{"a", "b", "c"} {
		emails[n] = obj{"blobId": c.upload(id, message(n, n)), "mailboxIds": obj{"a": true}}
	}
	body, _ := json.Marshal(obj{"using": allUsing, "methodCalls": []any{[]any{"Email/import", obj{"accountId": id, "emails": emails}, "x"}}})
	for _, tc := range []struct {
		name   string
		after  bool
		fault  Fault
		status int
		kind   string
		stored int
	}{
		{"the store fails after two", false, Fault{Stop: 2}, 200, "serverUnavailable", 2},
		{"the link drops before", false, Fault{Drop: true}, 0, "", 0},
		{"the link drops after", true, Fault{Drop: true}, 0, "", 3},
		{"refused", false, Fault{MethodError: "serverFail"}, 200, "serverFail", 0},
		{"lost", true, Fault{MethodError: "serverPartialFail"}, 200, "serverPartialFail", 3},
		{"busy", false, Fault{Status: 503, RetryAfter: 7 * time.Second}, 503, "", 0},
	} {
		before := total()
		mu.Lock()
		next = func(c Call) *Fault {
			if c.After != tc.after {
				return nil
			}
			return &tc.fault
		}
		mu.Unlock()
		status, h, answer := c.do("POST", "/jmap/", "", body)
		mu.Lock()
		next = nil
		mu.Unlock()
		var v any
		_ = json.Unmarshal(answer, &v)
		if status != tc.status || (tree{v}).str("methodResponses", 0, 1, "type") != tc.kind {
			t.Errorf("%s: %d %s", tc.name, status, answer)
		}
		if tc.status == 503 && h.Get("Retry-After") != "7" {
			t.Errorf("%s: Retry-After %q", tc.name, h.Get("Retry-After"))
		}
		if got := total() - before; got != tc.stored {
			t.Errorf("%s: %d stored, want %d", tc.name, got, tc.stored)
		}
	}
}
