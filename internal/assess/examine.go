package assess

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/mailboxmap"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/translate"
)

// maxAnomalies bounds the findings listed for one account; further ones of a
// known kind are still counted.
const maxAnomalies = 500

// examiner works on one account.
type examiner struct {
	Options
	acc    model.Account
	out    Account
	store  source.Store
	words  *translate.Vocabulary
	copies copies
	index  map[string]int // of an anomaly, by code and mailbox
	years  map[int]*Year
	grants []grant
	// conflict is why the account cannot be made as planned.
	conflict string
}

func (e *examiner) run(ctx context.Context) error {
	e.words, e.index, e.years = translate.NewVocabulary(nil, 0), map[string]int{}, map[int]*Year{}
	if e.acc.Address == "" {
		e.note(Anomaly{Code: "noAddress", Loss: true, Text: "the account has no address at the destination",
			Remedy: "give it one under accounts:, or exclude it"})
	}
	if err := e.Courtesy.Ask(ctx); err != nil {
		return err
	}
	var err error
	if e.store, err = e.Source.Open(ctx, e.acc); err != nil {
		return err
	}
	defer e.store.Close()
	cols, err := e.store.Collections(ctx)
	if err != nil {
		return err
	}
	existing, err := e.ask(ctx)
	if err != nil {
		return err
	}
	if err := e.mailboxes(ctx, cols, existing); err != nil {
		return err
	}
	e.out.Years = sortedYears(e.years)
	if err := e.rights(ctx, cols); err != nil {
		return err
	}
	if n := e.Limits.MaxKeywords; n > 0 && e.out.Keywords > n {
		e.note(Anomaly{Code: "keywordFlood", Loss: true, Text: fmt.Sprintf("%s; the destination shows %d", plural.Count(e.out.Keywords, "distinct keyword"), n),
			Remedy: "the first that come are kept, the others are named in the report"})
	}
	if n := e.copies.count(); n > 0 {
		e.note(Anomaly{Code: "copies", Count: n, Text: "messages that the account holds more than once; each stays a message of its own", AsIs: true})
	}
	if e.acc.Quota > 0 && e.out.Octets > e.acc.Quota {
		e.note(Anomaly{Code: "overQuota", Text: "the mailbox is larger than its quota", Remedy: "raise the quota before the bulk load"})
	}
	if err := e.objects(ctx); err != nil {
		return err
	}
	return e.scripts(ctx)
}

// mailboxes lists all mailboxes and reads a sample of what they hold.
func (e *examiner) mailboxes(ctx context.Context, cols []model.Collection, existing []destination.Mailbox) error {
	cols = slices.DeleteFunc(slices.Clone(cols), func(c model.Collection) bool { return c.Kind != model.KindMail })
	e.names(cols, existing)
	e.out.Mailboxes = int64(len(cols))
	for _, c := range cols {
		e.out.Depth = max(e.out.Depth, len(c.Path))
		if c.Role != model.RoleNone {
			e.out.Roles = append(e.out.Roles, MailboxRole{Role: c.Role, Mailbox: mailboxName(c.Path)})
		}
	}
	cols = slices.DeleteFunc(cols, func(c model.Collection) bool { return c.Container })
	pick := newSampler(e.Sample, e.acc.Login)
	for i, c := range cols {
		if err := e.mailbox(ctx, c, pick); err != nil {
			return err
		}
		if e.Sample < 0 { // everything: do not keep it
			if err := e.read(ctx, c, mailboxName(c.Path), pick.choose()[i]); err != nil {
				return err
			}
			pick.forget()
		}
	}
	if e.Sample < 0 {
		return nil
	}
	for i, items := range pick.choose() {
		if err := e.read(ctx, cols[i], mailboxName(cols[i].Path), items); err != nil {
			return err
		}
	}
	return nil
}

// ask finds out what the destination has of the account. That it does not
// answer is noted; the source can be sized all the same.
func (e *examiner) ask(ctx context.Context) ([]destination.Mailbox, error) {
	if e.Destination == nil || e.acc.Address == "" {
		return nil, nil
	}
	a, err := e.Destination.Open(ctx, e.acc.Address)
	exists := err == nil
	var have []destination.Mailbox
	if exists {
		have, err = a.Mailboxes(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil, model.CodeOf(err) == destination.CodeNoAccount:
		e.out.Exists = &exists
		return have, nil
	}
	e.note(Anomaly{Code: "destination", Text: "the destination does not tell about the account: " + err.Error(), Remedy: "run mailhaul check"})
	return nil, nil
}

func mailboxName(path []string) string { return strings.Join(path, "/") }

func uidName(uid uint64) string { return fmt.Sprintf("UID %d", uid) }

// names finds mailboxes that cannot keep their names.
func (e *examiner) names(cols []model.Collection, existing []destination.Mailbox) {
	targets := mailboxmap.Map(cols, existing, e.Limits, nil)
	for _, t := range targets {
		if t.Reason != "" {
			e.note(Anomaly{Code: "mailboxName", Mailbox: mailboxName(t.Collection.Path), Text: "becomes " + mailboxName(t.Path) + ": " + t.Reason})
		}
	}
	if n, sum := e.Limits.MaxMailboxes, countMailboxes(targets, existing); n > 0 && sum > n {
		e.note(Anomaly{Code: "mailboxCount", Loss: true, Text: fmt.Sprintf("%s; the destination allows %d", plural.Count(sum, "mailbox"), n),
			Remedy: "raise the destination's limit on mailboxes"})
	}
}

// countMailboxes is how many the account will have: those that are there, and
// the targets with all levels above them.
func countMailboxes(targets []mailboxmap.Target, existing []destination.Mailbox) int {
	byID := make(map[string]destination.Mailbox, len(existing))
	for _, m := range existing {
		byID[m.ID] = m
	}
	seen := map[string]bool{}
	key := func(path []string) string { return strings.ToLower(strings.Join(path, "\x00")) }
	for _, m := range existing {
		path := []string{m.Name}
		for p, ok := byID[m.Parent]; ok && len(path) <= len(existing); p, ok = byID[p.Parent] {
			path = append([]string{p.Name}, path...)
		}
		seen[key(path)] = true
	}
	for _, t := range targets {
		for n := range t.Path {
			seen[key(t.Path[:n+1])] = true
		}
	}
	return len(seen)
}

// mailbox streams the listing of one mailbox and picks messages to read.
func (e *examiner) mailbox(ctx context.Context, c model.Collection, pick *sampler) error {
	answered, err := e.Courtesy.Asking(ctx)
	if err != nil {
		return err
	}
	started := e.Now()
	defer pick.endMailbox()
	m := &mailboxLook{examiner: e, c: c, name: mailboxName(c.Path)}
	n := 0
	for ch, err := range e.store.Changes(ctx, c, "") {
		answered()
		if err != nil {
			if ctx.Err() != nil || lost(err) {
				return err
			}
			e.note(Anomaly{Code: "unreadable", Mailbox: m.name, Text: err.Error(), Loss: true, Remedy: "repair the mailbox at the source"})
			break
		}
		if ch.Op != model.OpUpsert {
			continue
		}
		m.item(ch.Item)
		pick.offer(ch.Item)
		if n++; n%1000 == 0 {
			e.Progress(e.acc, 1000)
		}
	}
	e.Progress(e.acc, n%1000)
	m.end()
	e.out.Sampled.Listing += e.Now().Sub(started)
	return nil
}

// note records an anomaly; more of the same kind in the same mailbox count.
func (e *examiner) note(a Anomaly) {
	a.Count = max(a.Count, 1)
	key := a.Code + "\x00" + a.Mailbox
	if a.Code == "script" || a.Code == "scriptChanged" || a.Code == "scriptRenamed" || a.Code == "mailboxName" {
		key += "\x00" + a.Item + "\x00" + a.Text // each of them has to be named
	}
	if e.again(key, a) {
		return
	}
	if len(e.out.Anomalies) >= maxAnomalies {
		a.Mailbox, a.Item, a.Text = "", "", "further ones, as: "+a.Text
		key = a.Code + "\x00\x00more"
		if e.again(key, a) {
			return
		}
	}
	e.index[key] = len(e.out.Anomalies)
	e.out.Anomalies = append(e.out.Anomalies, a)
}

// again counts one that is known; the gravest of a kind speaks for all.
func (e *examiner) again(key string, a Anomaly) bool {
	i, ok := e.index[key]
	if !ok {
		return false
	}
	have := &e.out.Anomalies[i]
	have.Count += a.Count
	have.Loss = have.Loss || a.Loss
	have.AsIs = have.AsIs && a.AsIs
	return true
}

// password takes over what provisioning will do.
func (e *examiner) password(p destination.Action) {
	e.out.Password = p.Password
	switch p.Verb {
	case destination.VerbKeep, destination.VerbChange:
		e.out.Password = PasswordKept
	case destination.VerbConflict:
		e.conflict = p.Note
	}
}

// grade says how risky the account is, and why.
func (e *examiner) grade() {
	o := &e.out
	o.Risk = RiskLow
	rise := func(r Risk, why string) {
		if r == RiskHigh || o.Risk == RiskLow {
			o.Risk = r
		}
		if !slices.Contains(o.Reasons, why) {
			o.Reasons = append(o.Reasons, why)
		}
	}
	if e.conflict != "" {
		rise(RiskHigh, "conflict: "+e.conflict)
	}
	if o.Err != nil {
		rise(RiskHigh, "could not be examined")
	}
	for _, a := range o.Anomalies {
		switch {
		case a.Loss:
			rise(RiskHigh, a.Code)
		case !a.AsIs:
			rise(RiskMedium, a.Code)
		}
	}
	if o.Password == destination.PasswordReset {
		rise(RiskMedium, "password")
	}
}

// strange reports a date that is more likely an accident than true.
func strange(t, now time.Time) bool {
	return t.Year() < 1990 || t.After(now.Add(24*time.Hour))
}
