package sandbox

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkImport files messages with one subject, all in one thread:
// the worst case of threading. The cost per message must not grow
// with the mailbox.
func BenchmarkImport(b *testing.B) {
	s := New(Options{})
	a := s.accounts[1]
	a.open()
	for i := range b.N {
		raw := []byte(message("Cron <root> daily", fmt.Sprint(i), "root", fmt.Sprint(i-1)))
		e := &email{mailboxes: map[uint32]bool{0: true}, keywords: map[string]bool{}, head: parseHeader(raw), size: int64(len(raw)), hash: hashOf(raw)}
		s.store(a, e)
	}
}

// Whoever lists page by page has each email matched once; what has changed since
// is seen.
func TestPagesAreMatchedOnce(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{QueryMaxResults: 10}})
	_, id := b.user("anna")
	c := b.admin()
	var all []string
	for i := range 40 {
		all = append(all, c.put(id, "a", message(fmt.Sprint("s", i), fmt.Sprint(i)))...)
	}
	page := func(args obj) tree {
		args["accountId"], args["filter"] = id, obj{"notKeyword": "$seen"}
		return c.call("Email/query", args).at("ids")
	}
	equalJSON(t, "first page", page(obj{}), all[:10])
	equalJSON(t, "second page", page(obj{"position": 10}), all[10:20])
	equalJSON(t, "after the second", page(obj{"anchor": all[19], "anchorOffset": 1}), all[20:30])
	c.call("Email/set", obj{"accountId": id, "update": obj{all[21]: obj{"keywords/$seen": true}}, "destroy": []string{all[23]}})
	equalJSON(t, "after a change", page(obj{"position": 20, "limit": 4}), []string{all[20], all[22], all[24], all[25]})
	if kind := c.fails("Email/query", obj{"accountId": id, "filter": obj{"notKeyword": "$seen"}, "anchor": all[21]}); kind != "anchorNotFound" {
		t.Errorf("an anchor that does not match any more: %s", kind)
	}

	n, err := parseID(id)
	if err != nil {
		t.Fatal(err)
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	a, matched := b.s.accounts[uint32(n)], 0
	match := func(*email) bool { matched++; return false }
	for _, step := range []struct {
		filter string
		want   int
	}{{"x", 39}, {"x", 39}, {"y", 78}, {"y", 78}} {
		if a.list(step.filter, match); matched != step.want {
			t.Errorf("listing by %s again, %d were matched, want %d", step.filter, matched, step.want)
		}
	}
	a.nextChange()
	if a.list("y", match); matched != 3*39 {
		t.Errorf("after a change, %d were matched", matched)
	}
}

func TestManyEmailsStayCheap(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	c := b.admin()
	const n = 20_000
	b.s.mu.Lock()
	a := b.s.accounts[1]
	a.open()
	for i := range n {
		raw := []byte(message("Cron <root> daily", fmt.Sprint(i)))
		b.s.store(a, &email{mailboxes: map[uint32]bool{0: true}, keywords: map[string]bool{}, head: parseHeader(raw), size: int64(len(raw)), hash: hashOf(raw)})
	}
	b.s.mu.Unlock()
	r := c.call("Email/query", obj{"accountId": "b", "filter": obj{"inMailbox": "a"}, "position": n - 10, "calculateTotal": true})
	if r.num("total") != n || r.size("ids") != 10 {
		t.Errorf("query: %d, %d", r.num("total"), r.size("ids"))
	}
	r = c.call("Email/changes", obj{"accountId": "b", "sinceState": "n"})
	seen := r.size("created")
	for r.at("hasMoreChanges").v == true {
		r = c.call("Email/changes", obj{"accountId": "b", "sinceState": r.str("newState")})
		seen += r.size("created")
	}
	if seen != n {
		t.Errorf("changes tell of %d", seen)
	}
	box := c.call("Mailbox/get", obj{"accountId": "b", "ids": []string{"a"}}).at("list", 0)
	if box.num("totalEmails") != n || box.num("unreadThreads") != n || !strings.EqualFold(box.str("role"), "inbox") {
		t.Errorf("mailbox: %v", box.v)
	}
}
