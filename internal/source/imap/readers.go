package imap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// ask lists the public mailboxes and their rights as the administrator, and
// chooses as few readers as it takes.
func (p *publicStore) ask(ctx context.Context) error {
	admin := model.Account{Login: p.src.opts.Master, Secret: p.src.opts.Password}
	ses, err := p.src.connect(ctx, admin)
	if err != nil {
		return err
	}
	p.lists, err = publicLists(ses)
	ses.close(&p.src.closing)
	if no, ok := errors.AsType[*imap.Error](err); ok && no.Type == imap.StatusResponseTypeNo {
		p.lists = nil // a proxy, no administrator: the file has to name readers
		return nil
	}
	if err != nil {
		return p.src.faultOf(p.acc, "", err)
	}
	var users []string
	if slices.ContainsFunc(slices.Collect(maps.Values(p.lists)), named("anyone")) {
		if users, err = p.src.users(ctx); model.CodeOf(err) != "notEnumerable" && err != nil {
			return err
		}
	}
	for _, login := range chooseReaders(p.lists, users, p.src.opts.Groups) {
		if !slices.ContainsFunc(p.readers, func(r model.Account) bool { return r.Login == login }) {
			p.readers = append(p.readers, model.Account{Login: login})
		}
	}
	return nil
}

func named(identifier string) func([]model.Grant) bool {
	return func(list []model.Grant) bool {
		return slices.ContainsFunc(list, func(g model.Grant) bool { return g.Identifier == identifier && !g.Negative })
	}
}

// publicLists are the access control lists of the public mailboxes, by
// mailname.Key of their paths.
func publicLists(ses *session) (map[string][]model.Grant, error) {
	names, err := ses.Namespace().Wait()
	if err != nil {
		return nil, err
	}
	list, err := ses.List("", "*", nil).Collect()
	if err != nil {
		return nil, err
	}
	out := map[string][]model.Grant{}
	for _, l := range list {
		owner, path, ok := foreignPath(l, names)
		if !ok || owner != "" || unselectable(l) || deleted(path) {
			continue
		}
		acl, err := ses.GetACL(l.Mailbox).Wait()
		if err != nil {
			return nil, fmt.Errorf("%s: the rights: %w", l.Mailbox, err)
		}
		out[mailname.Key(path)] = grantsOf(acl)
	}
	return out, nil
}

// deleted recognises what a Cyrus keeps of deleted mailboxes, which its
// administrator sees: "DELETED/user/anna/Old/6B04DEAA", with the time.
func deleted(path []string) bool {
	last := path[len(path)-1]
	return len(path) > 1 && path[0] == "DELETED" && len(last) == 8 && strings.Trim(last, "0123456789ABCDEF") == ""
}

// chooseReaders picks users who may read the mailboxes, the ones first who may
// read most. users stand for "anyone", and members for their groups.
func chooseReaders(lists map[string][]model.Grant, users []string, members map[string][]string) (out []string) {
	const read = model.RightLookup | model.RightRead
	may := map[string][]string{} // user → mailboxes
	for _, key := range slices.Sorted(maps.Keys(lists)) {
		all, own, neg := model.Rights(0), map[string]model.Rights{}, map[string]model.Rights{}
		for _, g := range lists[key] {
			whom, to := []string{g.Identifier}, own
			if group, ok := strings.CutPrefix(g.Identifier, "group:"); ok {
				whom = members[group]
			}
			if g.Negative {
				to = neg
			} else if g.Identifier == "anyone" {
				all |= g.Rights
				continue
			}
			for _, id := range whom {
				to[id] |= g.Rights
			}
		}
		candidates := slices.Sorted(maps.Keys(own))
		if all&read == read {
			candidates = append(candidates, users...)
			slices.Sort(candidates)
		}
		for _, u := range slices.Compact(candidates) {
			if u != "anonymous" && (all|own[u])&^(neg[u]|neg["anyone"])&read == read {
				may[u] = append(may[u], key)
			}
		}
	}
	covered := map[string]bool{}
	for {
		best, most := "", 0
		for _, u := range slices.Sorted(maps.Keys(may)) {
			n := 0
			for _, key := range may[u] {
				if !covered[key] {
					n++
				}
			}
			if n > most {
				best, most = u, n
			}
		}
		if best == "" {
			return out
		}
		out = append(out, best)
		for _, key := range may[best] {
			covered[key] = true
		}
	}
}
