package cyrus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
)

// Accounts implements source.Source: everybody who has an inbox, with the
// limit of its quota. Mailboxes whose inbox is gone and inboxes on another
// server are errors, for their mail would be left behind unnoticed.
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		m, err := s.mailboxes()
		if err != nil {
			yield(model.Account{}, err)
			return
		}
		quotas := sync.OnceValues(func() ([]cyrusdb.Record, error) { return cyrusdb.Read(s.opts.Layout.Database("quotas.db")) })
		deny, err := s.denied()
		if err != nil {
			s.log.Warn("who may not log in cannot be read", "error", err)
		}
		for _, user := range slices.Sorted(maps.Keys(m.byOwner)) {
			if err := ctx.Err(); err != nil {
				yield(model.Account{}, err)
				return
			}
			a, err := s.account(m, user, deny, quotas)
			if !yield(a, err) {
				return
			}
		}
		if m.damage != nil {
			yield(model.Account{}, &model.Fault{Class: model.ClassAccount, Code: "damaged", Err: fmt.Errorf("accounts may be missing: %w", m.damage),
				Remedy: "repair a copy on the old server: ctl_cyrusdb -r, or ctl_mboxlist -m"})
		}
	}
}

func (s *Source) account(m *mailboxes, user string, deny map[string]bool, quotas func() ([]cyrusdb.Record, error)) (model.Account, error) {
	inbox := inboxOf(user, s.opts.Layout.Virtual)
	i := slices.IndexFunc(m.byOwner[user], func(e entry) bool { return e.name == inbox })
	if i < 0 {
		return model.Account{}, &model.Fault{Class: model.ClassAccount, Code: "noInbox", Account: user,
			Err: fmt.Errorf("it has %s and no inbox: not carried", plural.Count(len(m.byOwner[user]), "mailbox")), Remedy: "make its inbox on the old server: CREATE " + inbox.String()}
	}
	if e := m.byOwner[user][i]; e.kind == kindRemote {
		return model.Account{}, &model.Fault{Class: model.ClassAccount, Code: "remote", Account: user, Err: fmt.Errorf("its mail is on the server %s", e.server),
			Remedy: "read that server's disk, or over IMAP"}
	}
	a := model.Account{Login: user, Disabled: deny[user]}
	if d := s.opts.Layout.Domain; d != "" && !strings.Contains(user, "@") {
		a.Address = strings.ToLower(user) + "@" + d
	}
	q, err := s.quota(inbox, quotas)
	if err != nil {
		s.log.Warn("the quota cannot be read", "account", user, "error", err)
	}
	a.Quota = q.limit
	return a, nil
}

// denied are the users whom user_deny.db keeps out.
func (s *Source) denied() (map[string]bool, error) {
	records, err := cyrusdb.Read(s.opts.Layout.Database("user_deny.db"))
	out := map[string]bool{}
	for _, r := range records {
		if denied(string(r.Value)) {
			out[string(r.Key)] = true
		}
	}
	return out, err
}

// quota reads the quota of a root: a file of its own, or a record of a
// database. There may be none.
func (s *Source) quota(root name, database func() ([]cyrusdb.Record, error)) (quota, error) {
	l := s.opts.Layout
	internal := root.String()
	base := filepath.Join(l.Config, "quota")
	key := internal
	if root.domain != "" {
		key = strings.TrimPrefix(internal, root.domain+"!")
		base = filepath.Join(l.Config, "domain", hash(root.domain, l.FullHash), root.domain, "quota")
	}
	if safe(root) {
		letter := hash(strings.TrimPrefix(key, "user."), l.FullHash)
		raw, err := os.ReadFile(filepath.Join(base, letter, key))
		if err == nil {
			q, ok := parseQuota(string(raw))
			if !ok {
				return q, fmt.Errorf("quota of %s: %q is not understood", internal, raw)
			}
			return q, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return quota{}, err
		}
	}
	records, err := database()
	if v, ok := cyrusdb.Lookup(records, []byte(internal)); ok {
		q, ok := parseQuota(string(v))
		if !ok {
			return q, fmt.Errorf("quota of %s: %q is not understood", internal, v)
		}
		return q, nil
	}
	return quota{}, err
}
