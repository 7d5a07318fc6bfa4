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
