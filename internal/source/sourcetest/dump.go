package sourcetest

import (
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Box is all that a source tells of a mailbox and that must not depend on how
// it is read.
type Box struct {
	Subscribed, Container bool
	UIDValidity           uint32
	Role                  model.Role
	Items                 []Item
}

// Item is a message with its octets.
type Item struct {
	model.Item
	Text string
}

// Dump reads all of an account, by the path of each mailbox.
func Dump(t testing.TB, src source.Source, a model.Account) map[string]Box {
	t.Helper()
	st, err := src.Open(t.Context(), a)
	check(t, err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	check(t, err)
	out := map[string]Box{}
	for _, c := range cols {
		b := Box{Subscribed: c.Subscribed, Container: c.Container, UIDValidity: c.UIDValidity, Role: c.Role}
		if !c.Container {
			var refs []model.ItemRef
			at := map[model.ItemRef]int{}
			for ch, err := range st.Changes(t.Context(), c, "") {
				check(t, err)
				if ch.Op == model.OpUpsert {
					ch.Item.Received = ch.Item.Received.UTC()
					at[ch.Item.ItemRef] = len(refs)
					b.Items, refs = append(b.Items, Item{Item: ch.Item}), append(refs, ch.Item.ItemRef)
				}
			}
			check(t, st.Read(t.Context(), c, refs, func(r model.ItemRef, body *source.Content, err error) error {
				if err != nil {
					return err
				}
				b.Items[at[r]].Text = string(octets(t, fmt.Sprint(c.Path, " UID ", r.UID), body))
				return nil
			}))
		}
		out[strings.Join(c.Path, "/")] = b
	}
	return out
}
