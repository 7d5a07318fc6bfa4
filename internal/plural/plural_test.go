package plural

import "testing"

func TestCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    int
		noun string
		want string
	}{
		{0, "share", "0 shares"}, {1, "share", "1 share"}, {2, "share", "2 shares"}, {1200, "share", "1,200 shares"},
		{1, "mailbox", "1 mailbox"}, {3, "mailbox", "3 mailboxes"}, {2, "directory", "2 directories"}, {2, "day", "2 days"},
		{2, "key", "2 keys"}, {2, "alias", "2 aliases"}, {2, "batch", "2 batches"}, {2, "address book", "2 address books"},
	} {
		if got := Count(c.n, c.noun); got != c.want {
			t.Errorf("%d of %q is %q, want %q", c.n, c.noun, got, c.want)
		}
	}
	if Of(1, "is", "are") != "is" || Of(int64(0), "is", "are") != "are" {
		t.Error("the verb does not follow the number")
	}
}
