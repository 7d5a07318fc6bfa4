package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestImportRefusals(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	anna, id := b.user("anna")
	bernd, berndID := b.user("bernd")
	c := b.admin()
	good := c.upload(id, message("x", "1@x"))
	berndBlob := c.upload(berndID, message("y", "2@x"))
	in := func(mailbox string) obj { return obj{mailbox: true} }
	for name, tc := range map[string]struct {
		as    *client
		email obj
		want  string
	}{
		"good":                  {c, obj{"blobId": good, "mailboxIds": in("a")}, ""},
		"again: no dedupe":      {c, obj{"blobId": good, "mailboxIds": in("a")}, ""},
		"no mailbox":            {c, obj{"blobId": good, "mailboxIds": obj{}}, "invalidProperties"},
		"only unparsable boxes": {c, obj{"blobId": good, "mailboxIds": in("!")}, "invalidProperties"},
		"unknown mailbox":       {c, obj{"blobId": good, "mailboxIds": in("zz")}, "invalidProperties"},
		"creation reference":    {c, obj{"blobId": "#b1", "mailboxIds": in("a")}, "invalidProperties"},
		"unknown blob":          {c, obj{"blobId": blobID{hash: hashOf([]byte("?")), account: 2, expires: 1 << 40}.String(), "mailboxIds": in("a")}, "blobNotFound"},
		"other expiry":          {c, obj{"blobId": changeExpiry(t, good), "mailboxIds": in("a")}, "blobNotFound"},
		"empty message":         {c, obj{"blobId": c.upload(id, ""), "mailboxIds": in("a")}, "invalidEmail"},
		"only unknown headers":  {c, obj{"blobId": c.upload(id, "X-A: b\r\n\r\nbody"), "mailboxIds": in("a")}, "invalidEmail"},
		"no header":             {c, obj{"blobId": c.upload(id, "\r\njust text\r\n"), "mailboxIds": in("a")}, "invalidEmail"},
		"no body":               {c, obj{"blobId": c.upload(id, "Subject: x"), "mailboxIds": in("a")}, ""},
		"bare LF":               {c, obj{"blobId": c.upload(id, "X-A: b\nSubject: x\n\nbody"), "mailboxIds": in("a")}, ""},
		"mbox line":             {c, obj{"blobId": c.upload(id, "From me now\nSubject: x\n\nbody"), "mailboxIds": in("a")}, ""},
		"of another account":    {c, obj{"blobId": berndBlob, "mailboxIds": in("a")}, ""},
		"of another, no rights": {anna, obj{"blobId": berndBlob, "mailboxIds": in("a")}, "blobNotFound"},
	} {
		r := tc.as.call("Email/import", obj{"accountId": id, "emails": obj{"m": tc.email}})
		if got := r.str("notCreated", "m", "type"); got != tc.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, tc.want, r.v)
		}
		if tc.want == "" && r.str("created", "m", "id") == "" {
			t.Errorf("%s: not created: %v", name, r.v)
		}
	}
	_ = bernd
	b.sleep(time.Hour)
	if got := c.call("Email/import", obj{"accountId": id, "emails": obj{"m": obj{"blobId": good, "mailboxIds": in("a")}}}).str("notCreated", "m", "type"); got != "blobNotFound" {
		t.Errorf("an hour later: %q", got)
	}
}

func changeExpiry(t *testing.T, id string) string {
	b, err := parseBlobID(id)
	if err != nil {
		t.Fatal(err)
	}
	b.expires++
	return b.String()
}

// A linked blobId of one account's email may be imported into another.
func TestImportOfALinkedBlob(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, annaID := b.user("anna")
	_, berndID := b.user("bernd")
	c := b.admin()
	ids := c.put(annaID, "a", message("x", "1@x"))
	blob := c.call("Email/get", obj{"accountId": annaID, "ids": ids, "properties": []string{"blobId"}}).str("list", 0, "blobId")
	r := c.call("Email/import", obj{"accountId": berndID, "emails": obj{"m": obj{"blobId": blob, "mailboxIds": obj{"a": true}}}})
	if r.str("created", "m", "id") == "" {
		t.Error(r.v)
	}
}

func TestImportedProperties(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	received := "Received: from x by y; Mon, 1 Jan 2018 10:00:00 +0100\r\nReceived: from a by x; Tue, 2 Jan 2018 10:00:00 +0000 (UTC)\r\n"
	for name, tc := range map[string]struct{ raw, given, want string }{
		"given":   {message("x", "1@x"), "2019-04-01T08:00:00Z", "2019-04-01T08:00:00Z"},
		"headers": {received + message("x", "2@x"), "", "2018-01-02T10:00:00Z"},
		"now":     {message("x", "3@x"), "", "2026-03-01T12:00:00Z"},
	} {
		e := obj{"blobId": c.upload(id, tc.raw), "mailboxIds": obj{"a": true, "e": true}, "keywords": obj{"$SEEN": true, `\Flagged`: true, "Projekt X": true, "$off": false}}
		if tc.given != "" {
			e["receivedAt"] = tc.given
		}
		eid := c.call("Email/import", obj{"accountId": id, "emails": obj{"m": e}}).str("created", "m", "id")
		got := c.call("Email/get", obj{"accountId": id, "ids": []string{eid}, "properties": []string{"receivedAt", "keywords", "mailboxIds", "size", "subject", "messageId"}}).at("list", 0)
		if got.str("receivedAt") != tc.want || got.num("size") != len(tc.raw) || got.str("subject") != "x" || got.size("messageId") != 1 {
			t.Errorf("%s: %v", name, got.v)
		}
		equalJSON(t, "keywords", got.at("keywords"), obj{"$seen": true, "$flagged": true, "Projekt X": true})
		equalJSON(t, "mailboxes", got.at("mailboxIds"), obj{"a": true, "e": true})
	}
	if got := c.fails("Email/import", obj{"accountId": id, "emails": obj{"m": obj{"blobId": "x", "mailboxIds": obj{"a": true}, "receivedAt": "yesterday"}}}); got != "invalidArguments" {
		t.Errorf("receivedAt yesterday: %q", got)
	}
}

func TestImportKeepsTheOrderOfTheRequest(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	var parts []string
	for i := 20; i > 0; i-- {
		parts = append(parts, fmt.Sprintf(`"m%d":{"blobId":%q,"mailboxIds":{"a":true}}`, i, c.upload(id, message(fmt.Sprint("s", i), fmt.Sprint(i)))))
	}
	r := c.call("Email/import", json.RawMessage(fmt.Sprintf(`{"accountId":%q,"emails":{%s}}`, id, strings.Join(parts, ","))))
	last := uint32(0)
	for i := 20; i > 0; i-- {
		n, _ := parseID(r.str("created", fmt.Sprint("m", i), "id"))
		if uint32(n) <= last {
			t.Fatalf("document %d after %d", uint32(n), last)
		}
		last = uint32(n)
	}
}

func TestThreadsJoinAndMerge(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	ids := c.put(id, "a",
		message("Plan", "1@x"), message("Re: Plan", "2@x", "1@x"), // one thread
		message("Plan", "3@x"),         // a thread of its own
		message("Other", "4@x", "1@x"), // another subject: its own
	)
	thread := func(eid string) uint64 { n, _ := parseID(eid); return n >> 32 }
	if thread(ids[0]) != thread(ids[1]) || thread(ids[0]) == thread(ids[2]) || thread(ids[0]) == thread(ids[3]) {
		t.Fatalf("threads of %v", ids)
	}
	state := c.call("Email/query", obj{"accountId": id}).str("queryState")
	c.put(id, "a", message("AW: Plan", "5@x", "2@x", "3@x")) // joins both
	r := c.call("Email/changes", obj{"accountId": id, "sinceState": state})
	equalJSON(t, "destroyed", r.at("destroyed"), []string{ids[2]})
	if r.size("created") != 2 {
		t.Errorf("created: %v", r.v)
	}
	// The old id still finds the email: only the low half counts.
	if got := c.call("Email/get", obj{"accountId": id, "ids": []string{ids[2]}, "properties": []string{"threadId"}}).at("list", 0); got.str("id") != ids[2] || got.str("threadId") != formatID(thread(ids[2])) {
		t.Errorf("by the old id: %v", got.v)
	}
	if n := c.call("Thread/get", obj{"accountId": id, "ids": []string{formatID(thread(ids[0]))}}).size("list", 0, "emailIds"); n != 4 {
		t.Errorf("%d emails in the thread", n)
	}
}

func TestEmailQuery(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{QueryMaxResults: 4}})
	_, id := b.user("anna")
	c := b.admin()
	var all []string
	for i := range 6 {
		all = append(all, c.put(id, []string{"a", "e"}[i%2], message(fmt.Sprint("s", i), fmt.Sprint(i)))...)
	}
	c.call("Email/set", obj{"accountId": id, "update": obj{all[0]: obj{"keywords/$seen": true}}})
	q := func(args obj) tree { args["accountId"] = id; return c.call("Email/query", args) }
	equalJSON(t, "first page", q(obj{"calculateTotal": true}).at("ids"), all[:4])
	r := q(obj{"position": 4, "calculateTotal": true})
	equalJSON(t, "second page", r.at("ids"), all[4:])
	if r.num("total") != 6 || r.num("position") != 4 || r.num("limit") != 4 {
		t.Errorf("second page: %v", r.v)
	}
	equalJSON(t, "from the end", q(obj{"position": -2}).at("ids"), all[4:])
	equalJSON(t, "limit", q(obj{"limit": 2}).at("ids"), all[:2])
	equalJSON(t, "anchor", q(obj{"anchor": all[2], "anchorOffset": 1, "limit": 2}).at("ids"), all[3:5])
	equalJSON(t, "no cap", q(obj{"limit": 0}).at("ids"), all)
	equalJSON(t, "mailbox", q(obj{"filter": obj{"inMailbox": "e"}}).at("ids"), []string{all[1], all[3], all[5]})
	equalJSON(t, "keyword", q(obj{"filter": obj{"hasKeyword": "$seen"}}).at("ids"), all[:1])
	equalJSON(t, "not", q(obj{"filter": obj{"operator": "AND", "conditions": []any{obj{"notKeyword": "$seen"}, obj{"inMailbox": "a"}}}}).at("ids"), []string{all[2], all[4]})
	if got := c.fails("Email/query", obj{"accountId": id, "filter": obj{"subject": "s"}}); got != "unsupportedFilter" {
		t.Errorf("search: %q", got)
	}
}

func TestEmailSet(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	ids := c.put(id, "a", message("x", "1@x"), message("y", "2@x"))
	for name, tc := range map[string]struct {
		patch obj
		want  string
	}{
		"keyword with slash":  {obj{"keywords/a~1b": true}, ""},
		"move":                {obj{"mailboxIds/a": nil, "mailboxIds/e": true}, ""},
		"move back as a map":  {obj{"mailboxIds": obj{"a": true}}, ""},
		"nothing changes":     {obj{"keywords/nobody": nil}, ""},
		"out of every box":    {obj{"mailboxIds/a": nil}, "invalidProperties"},
		"into no box at all":  {obj{"mailboxIds/zz": true}, "invalidProperties"},
		"a number as patch":   {obj{"keywords/x": 1}, "invalidProperties"},
		"immutable":           {obj{"size": 1}, "invalidProperties"},
		"other keywords only": {obj{"keywords": obj{"$seen": true, "a/b": true}}, ""},
	} {
		if got := c.call("Email/set", obj{"accountId": id, "update": obj{ids[1]: tc.patch}}).str("notUpdated", ids[1], "type"); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		c.call("Email/set", obj{"accountId": id, "update": obj{ids[1]: obj{"mailboxIds": obj{"a": true}}}})
	}
	r := c.call("Email/set", obj{"accountId": id, "destroy": []string{ids[0], "zz"}, "update": obj{ids[0]: obj{"keywords/x": true}, "zzz": obj{}}})
	if r.str("destroyed", 0) != ids[0] || r.str("notDestroyed", "zz", "type") != "notFound" || r.str("notUpdated", ids[0], "type") != "willDestroy" || r.str("notUpdated", "zzz", "type") != "notFound" {
		t.Errorf("destroy: %v", r.v)
	}
	if got := c.fails("Email/set", obj{"accountId": id, "ifInState": r.str("oldState"), "destroy": []string{ids[1]}}); got != "stateMismatch" {
		t.Errorf("ifInState: %q", got)
	}
}

func TestEmailChangesAndTheCutLog(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{MaxChangesHistory: 3}})
	_, id := b.user("anna")
	c := b.admin()
	state := func() string {
		return c.call("Email/get", obj{"accountId": id, "ids": []string{}, "properties": []string{"id"}}).str("state")
	}
	if state() != "n" {
		t.Errorf("state of an empty account: %q", state())
	}
	ids := c.put(id, "a", message("0", "0@x"))
	s0 := state()
	ids = append(ids, c.put(id, "a", message("1", "1@x"), message("2", "2@x"), message("3", "3@x"))...)
	c.call("Email/set", obj{"accountId": id, "update": obj{ids[0]: obj{"keywords/x": true}, ids[1]: obj{"keywords/x": true}}, "destroy": []string{ids[3]}})
	r := c.call("Email/changes", obj{"accountId": id, "sinceState": s0})
	equalJSON(t, "created then updated is created; created then destroyed is nothing", r.at("created"), ids[1:3])
	equalJSON(t, "updated", r.at("updated"), ids[:1])
	if r.size("destroyed") != 0 || r.str("newState") != state() {
		t.Errorf("changes: %v, state %s", r.v, state())
	}
	// Page by page.
	r = c.call("Email/changes", obj{"accountId": id, "sinceState": s0, "maxChanges": 2})
	got := r.size("created") + r.size("updated")
	if got != 2 || r.at("hasMoreChanges").v != true || !strings.HasPrefix(r.str("newState"), "r") {
		t.Errorf("first page: %v", r.v)
	}
	r = c.call("Email/changes", obj{"accountId": id, "sinceState": r.str("newState"), "maxChanges": 2})
	if got += r.size("created") + r.size("updated"); got != 3 || r.at("hasMoreChanges").v != false || r.str("newState") != state() {
		t.Errorf("second page: %v", r.v)
	}
	// After a day of more than the log holds.
	b.s.DailyMaintenance()
	if got := c.fails("Email/changes", obj{"accountId": id, "sinceState": s0}); got != "cannotCalculateChanges" {
		t.Errorf("since a lost state: %q", got)
	}
	if got := c.call("Email/changes", obj{"accountId": id, "sinceState": state()}).size("created"); got != 0 {
		t.Errorf("since now: %d", got)
	}
	if got := c.fails("Email/changes", obj{"accountId": id, "sinceState": exactState(1 << 40).String()}); got != "cannotCalculateChanges" {
		t.Errorf("since the future: %q", got)
	}
	if got := c.fails("Email/changes", obj{"accountId": id, "sinceState": "?"}); got != "invalidArguments" {
		t.Errorf("since nonsense: %q", got)
	}
}

func TestKeywordsBeyondNinetyNineAreNotShown(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	eid := c.put(id, "a", message("x", "1@x"))[0]
	for i := range 105 {
		c.call("Email/set", obj{"accountId": id, "update": obj{eid: obj{fmt.Sprintf("keywords/k%03d", i): true, "keywords/$seen": true}}})
	}
	got := c.call("Email/get", obj{"accountId": id, "ids": []string{eid}, "properties": []string{"keywords"}}).at("list", 0, "keywords")
	if got.size() != 100 || got.at("k098").v != true || got.at("k099").v != nil || got.at("$seen").v != true {
		t.Errorf("%d keywords are visible", got.size())
	}
}

func TestDiskQuota(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	m := message("x", "1@x")
	_, id := b.userWith("anna", obj{"quotas": obj{"maxDiskQuota": len(m) + 10}})
	c := b.admin()
	c.put(id, "a", m)
	if got := c.call("Email/import", obj{"accountId": id, "emails": obj{"m": obj{"blobId": c.upload(id, m), "mailboxIds": obj{"a": true}}}}).str("notCreated", "m", "type"); got != "overQuota" {
		t.Errorf("second message: %q", got)
	}
	q := c.call("Quota/get", obj{"accountId": id}).at("list", 0)
	if q.num("used") != len(m) || q.num("hardLimit") != len(m)+10 {
		t.Errorf("Quota/get: %v", q.v)
	}
	_, other := b.user("bernd")
	if n := c.call("Quota/get", obj{"accountId": other}).size("list"); n != 0 {
		t.Error("a quota where none is set")
	}
}
