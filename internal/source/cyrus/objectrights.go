package cyrus

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// ObjectRights implements source.ObjectRights: the list of the collection's
// mailbox, without the owner. What letters give to everybody is in each entry,
// for several of them make one right; what is taken away is taken from what it
// makes impossible.
func (st *Store) ObjectRights(_ context.Context, c model.ObjectCollection) ([]model.ObjectGrant, error) {
	e, err := st.entry(model.Collection{Native: c.ID})
	if err != nil {
		return nil, err
	}
	owner, _, _ := e.name.owner()
	return objectGrants(e.acl, e.rights, owner), nil
}

// objectGrants reads a list whose letters stand in rights. The owner's entry is
// left out.
func objectGrants(acl []model.Grant, rights []string, owner string) []model.ObjectGrant {
	const anyone = "anyone"
	granted, taken := map[string]string{}, map[string]string{}
	for i, g := range acl {
		to := granted
		if g.Negative {
			to = taken
		}
		to[g.Identifier] += rights[i]
	}
	var out []model.ObjectGrant
	for who, letters := range granted {
		if r := objectRights(without(letters+granted[anyone], taken[who]+taken[anyone])); r != 0 && who != owner {
			out = append(out, model.ObjectGrant{Identifier: who, Rights: r})
		}
	}
	for who, letters := range taken {
		r := objectRights(allLetters) &^ objectRights(without(allLetters, letters))
		if r&model.ObjectRead != 0 {
			r |= model.ObjectFreeBusy // which reading gives
		}
		if r != 0 && who != owner {
			out = append(out, model.ObjectGrant{Identifier: who, Rights: r, Negative: true})
		}
	}
	slices.SortFunc(out, func(a, b model.ObjectGrant) int {
		return cmp.Or(cmp.Compare(a.Identifier, b.Identifier), cmp.Compare(negative(a), negative(b)))
	})
	return out
}

func negative(g model.ObjectGrant) int {
	if g.Negative {
		return 1
	}
	return 0
}

// allLetters are those of all rights (lib/acl.h), without the old c and d.
const allLetters = "lrswipkxtean789"

// without takes letters away; the old c and d are what they stand for.
func without(letters, taken string) string {
	taken += model.ParseRights(taken).String() + "cd"
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(taken, r) {
			return -1
		}
		return r
	}, model.ParseRights(letters).String()+letters)
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
