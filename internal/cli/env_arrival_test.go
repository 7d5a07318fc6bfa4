package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// arrival is what an account is at the destination: all that may not depend on
// how its mail was read.
type arrival struct {
	// Mailboxes are "path role subscribed", Messages "path received hash
	// keywords", Scripts "name active text", in order.
	Mailboxes, Messages, Scripts []string
	// Rights are what readers have, by "reader path".
	Rights map[string]string
	// Subscribed are "reader path", of a server that has IMAP.
	Subscribed []string
}

// arrived looks at the group of the public mailboxes.
func arrived(t *testing.T, to target, readers ...string) arrival {
	t.Helper()
	return arrivedAt(t, to, "shared@acme.test", readers...)
}

// arrivedAt looks at an account as the administrator and as readers, of its
// domain unless they say another.
func arrivedAt(t *testing.T, to target, address string, readers ...string) arrival {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: to.user, Password: to.password})
	must(err)
	defer d.Close()
	at, err := d.Open(t.Context(), address)
	must(err)
	boxes, err := at.Mailboxes(t.Context())
	must(err)
	path := map[string]string{}
	var name func(id string) string
	name = func(id string) string {
		i := slices.IndexFunc(boxes, func(m destination.Mailbox) bool { return m.ID == id })
		if boxes[i].Parent == "" {
			return boxes[i].Name
		}
		return name(boxes[i].Parent) + "/" + boxes[i].Name
	}
	for _, m := range boxes {
		path[m.ID] = name(m.ID)
	}
	out := arrival{Rights: map[string]string{}}
	for _, m := range boxes {
		out.Mailboxes = append(out.Mailboxes, fmt.Sprintf("%s %v %v", path[m.ID], m.Role, m.Subscribed))
		for e, err := range at.List(t.Context(), m.ID) {
			must(err)
			out.Messages = append(out.Messages, fmt.Sprintf("%s %d %x %v", path[m.ID], e.Received.Unix(), e.Hash, e.Keywords))
		}
	}
	scripts, err := at.Scripts(t.Context())
	must(err)
	for _, s := range scripts {
		out.Scripts = append(out.Scripts, fmt.Sprintf("%s %v %s", s.Name, s.Active, s.Content))
	}
	_, domain, _ := strings.Cut(address, "@")
	for _, r := range readers {
		login := r
		if !strings.Contains(r, "@") {
			login += "@" + domain
		}
		seen, err := at.(destination.Sharer).SeenBy(t.Context(), login)
		must(err)
		for id, rights := range seen {
			out.Rights[r+" "+path[id]] = rights.String()
		}
		for _, box := range subscribedOverIMAP(t, to, address, login) {
			out.Subscribed = append(out.Subscribed, r+" "+box)
		}
	}
	for _, list := range [][]string{out.Mailboxes, out.Messages, out.Scripts, out.Subscribed} {
		slices.Sort(list)
	}
	return out
}

// seen are the messages of a mailbox that are marked as read.
func (a arrival) seen(path string) (n int) {
	for _, m := range a.Messages {
		if strings.HasPrefix(m, path+" ") && strings.Contains(m, "$seen") {
			n++
		}
	}
	return n
}

// subscribedOverIMAP are the mailboxes of an account that a reader has subscribed
// to, as a mail program is told; none where the server has no IMAP.
func subscribedOverIMAP(t *testing.T, to target, address, reader string) (out []string) {
	t.Helper()
	if to.imap == "" {
		return nil
	}
	c, err := imapclient.DialInsecure(to.imap, nil)
	p := person{t, c}
	p.must(err)
	defer c.Close()
	p.must(c.Login(reader+"%"+to.user, to.password).Wait())
	list, err := c.List("", "*", &goimap.ListOptions{SelectSubscribed: true}).Collect()
	p.must(err)
	for _, l := range list {
		if box, ok := strings.CutPrefix(l.Mailbox, "Shared Folders/"+address+"/"); ok {
			out = append(out, box)
		}
	}
	slices.Sort(out)
	return out
}
