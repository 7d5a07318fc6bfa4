package dav

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// Check implements source.Checker: does the server answer? Nobody logs in.
func (s *Source) Check(ctx context.Context) []model.Finding {
	sample := ""
	for _, t := range []string{s.opts.URL, s.opts.Calendars, s.opts.Contacts, s.opts.Files} {
		if t != "" && !Varies(hostOf(t)) {
			sample = hostOf(t)
			break
		}
	}
	if sample == "" {
		return []model.Finding{{Subject: "source: DAV", Message: "servers are found for each account"}}
	}
	u, err := parseURL(sample)
	if err != nil {
		return []model.Finding{model.Stop("source: DAV", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.patience.answer)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodOptions, u.String()+"/", nil)
	if err != nil {
		return []model.Finding{model.Stop("source: DAV", err)}
	}
	c := &client{src: s}
	resp, err := s.http.RoundTrip(req)
	if err != nil {
		return []model.Finding{model.Stop("source: DAV", c.unreachable(u, err))}
	}
	discard(resp)
	f := model.Finding{Subject: "source: DAV", Message: origin(u) + " answers"}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		f.Level, f.Message, f.Remedy = model.LevelWarning, origin(u)+" answers, without TLS", "passwords travel in the clear: use https://"
	}
	return []model.Finding{f}
}

// CheckAs logs in as one account and tells what is there.
func (s *Source) CheckAs(ctx context.Context, a model.Account) []model.Finding {
	subject := "source: DAV login as " + a.Login
	st, err := s.open(ctx, a)
	if err != nil {
		return []model.Finding{model.Stop(subject, err)}
	}
	defer st.Close()
	all, foreign, errs, err := st.collections(ctx)
	if err != nil {
		return []model.Finding{model.Stop(subject, err)}
	}
	count := map[model.Kind]int{}
	tokens := 0
	for _, c := range all {
		count[c.Kind]++
		if c.Fingerprint != "" {
			tokens++
		}
	}
	out := []model.Finding{{Subject: subject, Message: fmt.Sprintf("accepted: calendars %d, address books %d, folders of files %d", count[model.KindCalendar], count[model.KindContacts], count[model.KindFiles])}}
	if len(foreign) > 0 {
		var names []string
		for _, c := range foreign[:min(len(foreign), 5)] {
			names = append(names, fmt.Sprintf("%q of %s", strings.Join(c.Path, "/"), c.Owner))
		}
		if len(foreign) > len(names) {
			names = append(names, "…")
		}
		out = append(out, model.Finding{Subject: "source: DAV sharing", Message: plural.Count(len(foreign), "collection") + plural.Of(len(foreign), " belongs", " belong") + " to others (" + strings.Join(names, ", ") + "): " +
			plural.Of(len(foreign), "it moves with its owner, who must be an account here", "they move with their owners, who must be accounts here")})
	}
	if without := len(all) - tokens; without > 0 {
		out = append(out, model.Finding{Subject: "source: DAV changes", Message: plural.Count(without, "collection") + plural.Of(without, " has neither a sync token nor a ctag: it is listed in every run", " have neither a sync token nor a ctag: they are listed in every run")})
	}
	forgotten, err := st.ofGroups(ctx)
	if err != nil {
		return append(out, model.Stop(subject, err))
	}
	for _, c := range forgotten {
		out = append(out, model.Finding{Level: model.LevelWarning, Subject: "source: DAV groups", Message: fmt.Sprintf("the %s %q belongs to the group %s, and stays behind", c.Kind, strings.Join(c.Path, "/"), c.Owner),
			Remedy: "name the group in source.groups.accounts"})
	}
	for _, err := range errs {
		out = append(out, model.Finding{Level: model.LevelWarning, Subject: subject, Message: err.Error()})
	}
	return out
}
