package postfix

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

// canonical rewriting of recipients comes before virtual aliases: what it
// rewrites is an alias (canonical(5)).
func (r *Router) canonical(ctx context.Context, add func(directory.Alias)) error {
	for _, name := range []string{"recipient_canonical_maps", "canonical_maps"} {
		m, err := r.open(ctx, name, table.Open)
		if err != nil {
			return err
		}
		for e, err := range m.entries(ctx) {
			if err != nil {
				return err
			}
			address, value := e.key, e.value
			if !strings.Contains(address, "@") {
				address += "@" + r.hostDomain()
			}
			address = r.fold(r.settings.qualify(address))
			target := r.fold(r.settings.qualify(value))
			if strings.HasPrefix(value, "@") {
				if !strings.HasPrefix(address, "@") {
					target = r.fold(address[:strings.LastIndexByte(address, '@')] + strings.ToLower(value))
				}
			}
			if target == address || target == "" {
				continue
			}
			// A catch-all here would take the addresses of accounts, too.
			if strings.HasPrefix(address, "@") && !strings.HasPrefix(value, "@") {
				r.note(model.Note{Level: model.LevelWarning, Code: "canonical", Subject: address, Where: e.where, Text: "all addresses of a domain are rewritten to " + value, Remedy: "make it a catch-all of the domain"})
				continue
			}
			add(directory.Alias{Address: address, Targets: []string{target}, Where: e.where})
		}
		if m.asks() {
			r.note(model.Note{Level: model.LevelWarning, Code: "canonical", Subject: name, Where: name, Text: "rewrites addresses by a table that cannot be listed", Remedy: "look whether addresses of yours are among them, and make those aliases"})
		}
	}
	return nil
}

// otherRewriting names what else changes or copies mail on its way.
func (r *Router) otherRewriting(ctx context.Context, out *directory.Addresses) error {
	for _, step := range []struct {
		name, code, text, remedy string
		each                     bool
	}{
		{"sender_canonical_maps", "sender-canonical", "senders are rewritten", "make the new address the account's own, or an identity", false},
		{"recipient_bcc_maps", "bcc", "mail to it is copied to %s", "add a Sieve rule with redirect :copy to the account, or use the destination's archiving", true},
		{"sender_bcc_maps", "bcc", "mail from it is copied to %s", "use the destination's archiving: there is no copy of what an account sends", true},
		{"relocated_maps", "relocated", "mail to it is answered with a new address: %s", "make it a list that leads there, or leave it out", true},
		{"smtp_generic_maps", "generic", "addresses are rewritten on their way out", "give the accounts addresses that are valid outside", false},
	} {
		m, err := r.open(ctx, step.name, table.Open)
		if err != nil {
			return err
		}
		if !step.each && len(m.tables) > 0 {
			keys := m.keys()
			r.note(model.Note{Level: model.LevelWarning, Code: step.code, Subject: step.name, Where: step.name, Text: fmt.Sprintf("%s: %s (%s)", step.text, plural.Count(len(keys), "entry"), some(keys)), Remedy: step.remedy})
			continue
		}
		for e, err := range m.entries(ctx) {
			if err != nil {
				return err
			}
			r.note(model.Note{Level: model.LevelWarning, Code: step.code, Subject: e.key, Where: e.where, Text: fmt.Sprintf(step.text, e.value), Remedy: step.remedy})
		}
		if m.asks() {
			r.note(model.Note{Level: model.LevelWarning, Code: step.code, Subject: step.name, Where: step.name, Text: "cannot be listed", Remedy: step.remedy})
		}
	}
	for _, p := range []struct{ name, code, text, remedy string }{
		{"always_bcc", "bcc", "a copy of all mail goes to ", "use the destination's archiving"},
		{"masquerade_domains", "masquerade", "senders lose their host names, down to ", "give the accounts addresses in that domain"},
		{"mailbox_command", "filter-program", "all local mail is handed to ", "turn the rules of this program into Sieve scripts"},
		{"content_filter", "content-filter", "all mail goes through ", "use the destination's own filter"},
		{"fallback_transport", "fallback", "mail to users whom Postfix does not know goes to ", "look who gets it: it may be another mail server"},
		{"mailbox_transport", "mailbox-transport", "local mail is delivered by ", ""},
	} {
		v := r.settings.Get(p.name)
		if v == "" {
			continue
		}
		if lower := strings.ToLower(v); strings.Contains(lower, "dovecot") || strings.Contains(lower, "lmtp") || strings.Contains(lower, "cyrus") {
			continue // that is how mail gets into mailboxes
		}
		r.note(model.Note{Level: model.LevelWarning, Code: p.code, Subject: p.name, Where: p.name, Text: p.text + v, Remedy: p.remedy})
	}
	m, err := r.open(ctx, "smtpd_sender_login_maps", table.Open)
	if err != nil {
		return err
	}
	for e, err := range m.entries(ctx) {
		if err != nil {
			return err
		}
		if strings.Contains(e.key, "@") {
			out.Senders = append(out.Senders, directory.Sender{Address: r.settings.qualify(e.key), Logins: table.Words(e.value), Where: e.where})
		}
	}
	return nil
}

// transports names what is delivered otherwise than into mailboxes here.
func (r *Router) transports(ctx context.Context) error {
	m, err := r.open(ctx, "transport_maps", table.Open)
	if err != nil {
		return err
	}
	for e, err := range m.entries(ctx) {
		if err != nil {
			return err
		}
		c := r.classOf(strings.TrimPrefix(domainOf(e.key), "."))
		if c == classRelay || c == classOutside && !r.pipes(e.value) {
			continue
		}
		r.noteTransport(e.key, e.value, e.where)
	}
	for _, name := range []string{"virtual_transport", "local_transport"} {
		if v := r.settings.Get(name); r.pipes(v) {
			r.noteTransport(name, v, name)
		}
	}
	if r.classes[classLocal] != nil && r.primary != "" && slices.Contains(table.Words(r.settings.Get("allow_mail_to_commands")), "forward") {
		r.note(model.Note{Level: model.LevelOK, Code: "forward-files", Subject: r.primary, Where: "forward_path", Text: "users of the host may forward their mail in files ~/.forward, which are not part of this",
			Remedy: "look for them in the home directories: ls /home/*/.forward"})
	}
	return nil
}

func (r *Router) pipes(transport string) bool {
	_, ok := r.settings.pipe(transport)
	return ok
}
