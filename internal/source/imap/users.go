package imap

import (
	"context"
	"errors"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// users asks the server, as the administrator, who has an inbox: to a Cyrus's
// administrator everybody's mailboxes are those of other users (RFC 2342).
// An error with code "notEnumerable" says that the login is no
// administrator's.
func (s *Source) users(ctx context.Context) ([]string, error) {
	ses, err := s.connect(ctx, model.Account{Login: s.opts.Master, Secret: s.opts.Password})
	if err != nil {
		return nil, err
	}
	defer ses.close(&s.closing)
	names, err := ses.Namespace().Wait()
	if err != nil {
		return nil, s.faultOf(model.Account{Login: s.opts.Master}, "", err)
	}
	blind := &model.Fault{Class: model.ClassFatal, Code: "notEnumerable", Err: errors.New("the master user is no administrator of the server and does not see who exists"),
		Remedy: "take a login of admins: in imapd.conf, or name a passwd-file or a CSV file in source.users"}
	if len(names.Other) == 0 {
		return nil, blind
	}
	prefix := names.Other[0].Prefix
	list, err := ses.List("", prefix+"%", nil).Collect()
	if err != nil {
		return nil, s.faultOf(model.Account{Login: s.opts.Master}, "", err)
	}
	var out []string
	for _, l := range list {
		user, ok := strings.CutPrefix(l.Mailbox, prefix)
		if !ok || user == "" || unselectable(l) {
			continue
		}
		out = append(out, user)
	}
	if len(out) == 0 {
		return nil, blind
	}
	// Anybody else sees only what is shared with them. An administrator may
	// give rights everywhere.
	for _, u := range []string{out[0], out[len(out)-1]} {
		my, err := ses.MyRights(prefix + u).Wait()
		if err != nil || !strings.Contains(my.Rights.String(), "a") {
			return nil, blind
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// exists reports whether an account has an inbox, as far as the server tells.
// The list is asked for again when it does not know the account.
func (s *Source) exists(ctx context.Context, login string) (bool, error) {
	s.known.Lock()
	defer s.known.Unlock()
	if s.known.users == nil || !slices.Contains(s.known.users, login) {
		users, err := s.users(ctx)
		if model.CodeOf(err) == "notEnumerable" {
			return true, nil // Check warns
		}
		if err != nil {
			return false, err
		}
		s.known.users = users
	}
	return slices.Contains(s.known.users, login), nil
}
