package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// A stage is a server with accounts anna, ben and a migrator, on which requests
// are played.
type stage struct {
	t             *testing.T
	url           string
	admin, secret string
	ids           map[string]string // of accounts, by name
}

const stagePassword = "Staple-Battery-4711-x"

func newStage(t *testing.T, url, admin, secret string) *stage {
	t.Helper()
	s := &stage{t: t, url: url, admin: admin, secret: secret, ids: map[string]string{}}
	var domain struct{ IDs []string }
	s.result(&domain, s.jmap(admin, `["x:Domain/query",{"filter":{"name":"lab.test"}},"0"]`))
	for _, name := range []string{"migrator", "anna", "ben"} {
		permissions := ""
		if name == "migrator" {
			permissions = `"permissions":{"@type":"Merge","disabledPermissions":{"calendarSchedulingSend":true},"enabledPermissions":{"impersonate":true,"unlimitedUploads":true,"unlimitedRequests":true}},`
		}
		var made struct {
			Created map[string]struct{ ID string }
		}
		s.result(&made, s.jmap(admin, fmt.Sprintf(`["x:Account/set",{"create":{"a":{"@type":"User","name":%q,"domainId":%q,"roles":{"@type":"User"},%s"credentials":{"0":{"@type":"Password","secret":%q}}}}},"0"]`,
			name, domain.IDs[0], permissions, stagePassword)))
		if s.ids[name] = made.Created["a"].ID; s.ids[name] == "" {
			t.Fatalf("%s was not made", name)
		}
	}
	return s
}

// send plays a request as a login; "anna" is the migrator acting as her.
func (s *stage) send(login, method, path, body string, header ...string) (int, http.Header, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	user, password := login+"@lab.test%migrator@lab.test", stagePassword
	switch login {
	case "admin", s.admin:
		user, password = s.admin, s.secret
	case "migrator":
		user = "migrator@lab.test"
	}
	req.SetBasicAuth(user, password)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], strings.ReplaceAll(header[i+1], "{url}", s.url))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, "the connection is cut"
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// jmap plays method calls.
func (s *stage) jmap(login, calls string) string {
	s.t.Helper()
	using := `"urn:ietf:params:jmap:core","urn:ietf:params:jmap:mail","urn:ietf:params:jmap:submission","urn:ietf:params:jmap:sieve","urn:ietf:params:jmap:calendars","urn:ietf:params:jmap:contacts","urn:ietf:params:jmap:filenode","urn:ietf:params:jmap:blob","urn:stalwart:jmap"`
	_, _, text := s.send(login, "POST", "/jmap/", `{"using":[`+using+`],"methodCalls":[`+strings.NewReplacer("{anna}", s.ids["anna"], "{ben}", s.ids["ben"]).Replace(calls)+`]}`, "Content-Type", "application/json")
	return text
}

// result decodes the first answer.
func (s *stage) result(v any, answer string) {
	s.t.Helper()
	var doc struct{ MethodResponses [][3]json.RawMessage }
	if err := json.Unmarshal([]byte(answer), &doc); err != nil || len(doc.MethodResponses) == 0 {
		s.t.Fatalf("%v: %s", err, answer)
	}
	if err := json.Unmarshal(doc.MethodResponses[0][1], v); err != nil {
		s.t.Fatalf("%v: %s", err, answer)
	}
}

// What differs from run to run, or is said in words of their own.
var (
	varying = []struct {
		what *regexp.Regexp
		by   string
	}{
		{regexp.MustCompile(`&quot;\d+&quot;`), "ETAG"},
		{regexp.MustCompile(`&#34;\d+&#34;`), "ETAG"},
		{regexp.MustCompile(`davsync:[0-9a-f]+`), "davsync:N"},
		{regexp.MustCompile(` xmlns:\w+="[^"]*"`), ""},
		{regexp.MustCompile(`<D:responsedescription>[^<]*</D:responsedescription>`), ""},
		{regexp.MustCompile(`<D:error><D:number-of-matches-within-limits/></D:error>`), ""},
		{regexp.MustCompile(`/default/[0-9A-Za-z]{10}<`), "/default/NAME<"},
		{regexp.MustCompile(`DTSTAMP:\d{8}T\d{6}Z`), "DTSTAMP:NOW"},
	}
	response = regexp.MustCompile(`(?s)<D:response>.*?</D:response>`)
	props    = regexp.MustCompile(`(?s)<D:propstat>.*?</D:propstat>`)
)

// sorted puts what a pattern finds into an order, at the place of the first.
func sorted(text string, what *regexp.Regexp) string {
	all := what.FindAllString(text, -1)
	if len(all) < 2 {
		return text
	}
	at := what.FindStringIndex(text)[0]
	rest := what.ReplaceAllString(text, "")
	slices.Sort(all)
	return rest[:at] + strings.Join(all, "") + rest[at:]
}

// plain is an answer without what varies.
func (s *stage) plain(text string) string {
	if strings.HasPrefix(text, "{") {
		var doc map[string]any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			s.t.Fatalf("%v: %s", err, text)
		}
		out, err := json.MarshalIndent(s.bare(doc["methodResponses"]), "", " ")
		if err != nil {
			s.t.Fatal(err)
		}
		return string(out)
	}
	for _, v := range varying {
		text = v.what.ReplaceAllString(text, v.by)
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return sorted(response.ReplaceAllStringFunc(text, func(r string) string { return sorted(r, props) }), response)
}

// bare leaves out states, wordings and what else is nobody's matter.
func (s *stage) bare(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = s.bare(v[i])
		}
	case map[string]any:
		for _, k := range []string{"accountId", "state", "oldState", "newState", "queryState", "description", "created", "modified", "accessed", "changed", "blobId"} {
			if _, ok := v[k].(string); ok {
				delete(v, k)
			}
		}
		if shared, ok := v["shareWith"].(map[string]any); ok && shared[s.ids["ben"]] != nil {
			v["shareWith"] = map[string]any{"ben": shared[s.ids["ben"]]}
		}
		if id, ok := v["id"].(string); ok && len(id) > 40 {
			delete(v, "id") // of an upload
		}
		for k := range v {
			v[k] = s.bare(v[k])
		}
	}
	return v
}

// bothStages are a real server's and the sandbox's.
func bothStages(t *testing.T) (want, got *stage) {
	t.Helper()
	real := lab.StartStalwart(t)
	embedded := sandbox.New(sandbox.Options{AdminUser: "admin@lab.test", AdminPassword: "Recovery-Only-0815"})
	url, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { embedded.Close() })
	want = newStage(t, real.URL, real.AdminUser, real.AdminPassword)
	got = newStage(t, url, "admin@lab.test", "Recovery-Only-0815")
	return want, got
}

// TestAnswersLikeStalwart plays one list of requests on the sandbox and on a real
// server, and wants the same answers.
func TestAnswersLikeStalwart(t *testing.T) {
	t.Parallel()
	want, got := bothStages(t)
	for i, r := range likeStalwart {
		a, b := want.play(r), got.play(r)
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%d: %s %s as %s\n%.600s\n(-Stalwart +sandbox)\n%s", i, r.method, r.path, r.login, r.body, d)
		}
	}
}

// play plays one request; what is to be compared comes back.
func (s *stage) play(r played) string {
	s.t.Helper()
	if r.method == "" {
		text := s.jmap(r.login, r.body)
		if r.cut {
			return fmt.Sprint(strings.HasPrefix(text, "{"))
		}
		return s.plain(text)
	}
	status, header, text := s.send(r.login, r.method, r.path, r.body, r.header...)
	if r.limited {
		return fmt.Sprint(status, ", cut off: ", strings.Contains(text, " 507 "))
	}
	return fmt.Sprintf("%d, entity tag: %t\n%s", status, header.Get("ETag") != "", s.plain(text))
}
