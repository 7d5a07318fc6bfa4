package mailboxmap

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/randomtest"
)

// own are the mailboxes that a new account has at the destination.
var own = []destination.Mailbox{
	{ID: "a", Name: "Inbox", Role: model.RoleInbox}, {ID: "b", Name: "Deleted Items", Role: model.RoleTrash},
	{ID: "c", Name: "Junk Mail", Role: model.RoleJunk}, {ID: "d", Name: "Drafts", Role: model.RoleDrafts}, {ID: "e", Name: "Sent Items", Role: model.RoleSent},
}

var limits = destination.Limits{MaxMailboxName: 254, MaxMailboxDepth: 10}

func col(name string, role model.Role) model.Collection {
	return model.Collection{Kind: model.KindMail, ID: name, Native: name, Path: strings.Split(name, "/"), Role: role, Items: -1}
}

// mapped maps names to "path" or "path=ID" of an existing mailbox.
func mapped(cols []model.Collection, previous map[string]Target) map[string]string {
	out := map[string]string{}
	for _, t := range Map(cols, own, limits, previous) {
		s := strings.Join(t.Path, "/")
		if t.ExistingID != "" {
			s += "=" + t.ExistingID
		}
		out[t.Collection.ID] = s
	}
	return out
}

func TestMap(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("長い名前", 40)
	for name, c := range map[string]struct {
		cols []model.Collection
		want map[string]string
	}{
		"roles go into the destination's own": {
			[]model.Collection{col("INBOX", model.RoleInbox), col("Gesendet", model.RoleSent), col("Papierkorb", model.RoleTrash)},
			map[string]string{"INBOX": "Inbox=a", "Gesendet": "Sent Items=e", "Papierkorb": "Deleted Items=b"}},
		"of two for one role the fuller one wins": {
			[]model.Collection{col("Sent", model.RoleSent), {ID: "full", Path: []string{"Sent Messages"}, Role: model.RoleSent, Items: 5}},
			map[string]string{"Sent": "Sent", "full": "Sent Items=e"}},
		"a loser that has the winner's name gets a number": {
			[]model.Collection{{ID: "w", Path: []string{"Gesendet"}, Role: model.RoleSent, Items: 5}, col("Sent Items", model.RoleSent)},
			map[string]string{"w": "Sent Items=e", "Sent Items": "Sent Items (2)"}},
		"names equal but for case":       {[]model.Collection{col("Work", ""), col("work", "")}, map[string]string{"Work": "Work", "work": "work (2)"}},
		"children of a renamed parent":   {[]model.Collection{col("Work", ""), col("work", ""), col("work/x", "")}, map[string]string{"Work": "Work", "work": "work (2)", "work/x": "work (2)/x"}},
		"children of the inbox":          {[]model.Collection{col("INBOX", model.RoleInbox), col("INBOX/x", "")}, map[string]string{"INBOX": "Inbox=a", "INBOX/x": "Inbox/x"}},
		"a separator in a name":          {[]model.Collection{{ID: "s", Path: []string{"a/b"}}}, map[string]string{"s": "a∕b"}},
		"controls, blanks, nothing":      {[]model.Collection{{ID: "c", Path: []string{"a\tb"}}, {ID: "b", Path: []string{" x "}}, {ID: "n", Path: []string{""}}}, map[string]string{"c": "a_b", "b": "x", "n": "_"}},
		"a parent that nobody lists":     {[]model.Collection{col("no/parent", "")}, map[string]string{"no/parent": "no/parent"}},
		"the name of an own, no role":    {[]model.Collection{col("Drafts", "")}, map[string]string{"Drafts": "Drafts (2)"}},
		"eleven levels":                  {[]model.Collection{col("1/2/3/4/5/6/7/8/9/10/11", "")}, map[string]string{"1/2/3/4/5/6/7/8/9/10/11": "1/2/3/4/5/6/7/8/9/10 › 11"}},
		"a name that is too long is cut": {[]model.Collection{col(long, "")}, map[string]string{long: Map([]model.Collection{col(long, "")}, own, limits, nil)[0].Path[0]}},
	} {
		got := mapped(c.cols, nil)
		for id, want := range c.want {
			if got[id] != want {
				t.Errorf("%s: %q becomes %q, want %q", name, id, got[id], want)
			}
		}
	}
	if got := Map([]model.Collection{col(long, "")}, own, limits, nil)[0]; len(got.Path[0]) > 254 || got.Reason == "" || !strings.HasPrefix(got.Path[0], "長い名前") {
		t.Errorf("the long name became %d octets: %q, %q", len(got.Path[0]), got.Path[0], got.Reason)
	}
}

// Whatever the names: no two mailboxes go to one place, every name fits,
// the order of listing does not matter, and what was decided stays.
func TestMapProperties(t *testing.T) {
	t.Parallel()
	seed := randomtest.One(t)
	rng := rand.New(rand.NewPCG(seed, 0))
	parts := []string{"a", "A", "b", "Sent", "sent items", "Inbox", "/", "x/y", " ", "", "\x01", "ä", "A\u0308", strings.Repeat("ü", 200), strings.Repeat("ü", 200) + "x", "Drafts", "a (2)"}
	roles := []model.Role{"", "", "", model.RoleSent, model.RoleTrash, model.RoleArchive}
	for round := range 300 {
		var cols []model.Collection
		used := map[string]bool{}
		for range 2 + rng.IntN(25) {
			var path []string
			for range 1 + rng.IntN(13) {
				path = append(path, parts[rng.IntN(len(parts))])
			}
			k := strings.Join(path, "\x00")
			if used[k] {
				continue
			}
			used[k] = true
			cols = append(cols, model.Collection{Kind: model.KindMail, ID: k, Path: path, Role: roles[rng.IntN(len(roles))], Items: int64(rng.IntN(3))})
		}
		first := Map(cols, own, limits, nil)
		seen := map[string]string{}
		for _, x := range first {
			k := key(x.Path)
			if other, ok := seen[k]; ok {
				t.Fatalf("seed %d, round %d: %q and %q both go to %q", seed, round, other, x.Collection.ID, x.Path)
			}
			seen[k] = x.Collection.ID
			if len(x.Path) > limits.MaxMailboxDepth {
				t.Fatalf("seed %d, round %d: %d levels", seed, round, len(x.Path))
			}
			for _, name := range x.Path {
				if name == "" || len(name) > limits.MaxMailboxName || strings.Contains(name, "/") || strings.TrimSpace(name) != name {
					t.Fatalf("seed %d, round %d: name %q", seed, round, name)
				}
			}
			if x.ExistingID == "" && x.Reason == "" && !slices.Equal(x.Path, x.Collection.Path) && slices.Equal(x.Path[:len(x.Path)-1], x.Collection.Path[:len(x.Path)-1]) {
				t.Fatalf("seed %d, round %d: %q became %q without a reason", seed, round, x.Collection.Path, x.Path)
			}
		}
		shuffled := slices.Clone(cols)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if a, b := mapped(cols, nil), mapped(shuffled, nil); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("seed %d, round %d: the order of listing matters:\n%q\n%q", seed, round, a, b)
		}
		previous := map[string]Target{}
		for _, x := range first {
			previous[x.Collection.ID] = x
		}
		more := append(shuffled, model.Collection{ID: "new", Path: []string{parts[rng.IntN(len(parts))]}, Items: 99, Role: model.RoleSent})
		after, before := mapped(more, previous), mapped(cols, nil)
		for id, was := range before {
			if after[id] != was {
				t.Fatalf("seed %d, round %d: %q was at %q and is at %q after another mailbox came", seed, round, id, was, after[id])
			}
		}
	}
}
