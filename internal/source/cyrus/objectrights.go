package cyrus

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// ObjectRights implements source.ObjectRights: the list of the collection's
// mailbox, less what is taken away by name or from everybody, and without the
// owner.
func (st *Store) ObjectRights(_ context.Context, c model.ObjectCollection) ([]model.ObjectGrant, error) {
	e, err := st.entry(model.Collection{Native: c.ID})
	if err != nil {
		return nil, err
	}
	owner, _, _ := e.name.owner()
	granted, taken := map[string]string{}, map[string]string{}
	for i, g := range e.acl {
		to := granted
		if g.Negative {
			to = taken
		}
		to[g.Identifier] += e.rights[i]
	}
	var out []model.ObjectGrant
	for who, letters := range granted {
		if who == owner {
			continue
		}
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(taken[who]+taken["anyone"], r) {
				return -1
			}
			return r
		}, letters)
		if r := objectRights(left); r != 0 {
			out = append(out, model.ObjectGrant{Identifier: who, Rights: r})
		}
	}
	slices.SortFunc(out, func(a, b model.ObjectGrant) int { return cmp.Compare(a.Identifier, b.Identifier) })
	return out, nil
}

// objectRights are the rights that letters give to a collection (imap/http_dav.h).
// Nobody gets more than the letters say: to change objects takes both adding and
// removing them.
func objectRights(letters string) (r model.ObjectRights) {
	m := model.ParseRights(letters)
	has := func(all model.Rights) bool { return m&all == all }
	if has(model.RightRead) {
		r |= model.ObjectRead | model.ObjectFreeBusy
	}
	if (has(model.RightInsert) || has(model.RightPost)) && has(model.RightDeleted|model.RightExpunge) {
		r |= model.ObjectWrite
	}
	if has(model.RightAdminister) {
		r |= model.ObjectShare
	}
	if has(model.RightDelete) {
		r |= model.ObjectDelete
	}
	if strings.Contains(letters, "9") {
		r |= model.ObjectFreeBusy
	}
	if strings.Contains(letters, "7") {
		r |= model.ObjectReply
	}
	if strings.Contains(letters, "8") { // invites for the owner
		r |= model.ObjectOwn
	}
	return r
}
