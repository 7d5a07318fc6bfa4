package assess

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/mailboxmap"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
	"mailhaul.org/mailhaul/internal/source"
)

// maxAnomalies bounds the findings listed for one account; further ones of a
// known kind are still counted.
const maxAnomalies = 500

// examiner works on one account.
type examiner struct {
	Options
	acc   model.Account
	out   Account
	store source.Store
	words map[string]bool
	index map[string]int // of an anomaly, by code and mailbox
}

func (e *examiner) run(ctx context.Context) error {
	e.words, e.index = map[string]bool{}, map[string]int{}
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
	e.names(cols, existing)
	var boxes []model.Collection
	for _, c := range cols {
		if c.Kind != model.KindMail {
			continue
		}
		e.out.Mailboxes++
		if !c.Container {
			boxes = append(boxes, c)
		}
	}
	for _, c := range boxes {
		if err := e.mailbox(ctx, c, len(boxes)); err != nil {
			return err
		}
	}
	e.out.Keywords = len(e.words)
	if e.Limits.MaxKeywords > 0 && len(e.words) > e.Limits.MaxKeywords {
		e.note(Anomaly{Code: "keywordFlood", Loss: true, Text: fmt.Sprintf("%d distinct keywords; the destination shows %d", len(e.words), e.Limits.MaxKeywords),
			Remedy: "the first that come are kept, the others are named in the report"})
	}
	if e.acc.Quota > 0 && e.out.Octets > e.acc.Quota {
		e.note(Anomaly{Code: "overQuota", Text: "the mailbox is larger than its quota", Remedy: "raise the quota before the bulk load"})
	}
	return e.scripts(ctx)
}

// ask finds out what the destination has of the account.
func (e *examiner) ask(ctx context.Context) ([]destination.Mailbox, error) {
	if e.Destination == nil {
		return nil, nil
	}
	a, err := e.Destination.Open(ctx, e.acc.Address)
	exists := err == nil
	if err != nil {
		if model.CodeOf(err) != destination.CodeNoAccount {
			return nil, err
		}
		e.out.Exists = &exists
		return nil, nil
	}
	e.out.Exists = &exists
	return a.Mailboxes(ctx)
}

func mailboxName(path []string) string { return strings.Join(path, "/") }

func uidName(uid uint64) string { return fmt.Sprintf("UID %d", uid) }

// names finds mailboxes that cannot keep their names.
func (e *examiner) names(cols []model.Collection, existing []destination.Mailbox) {
	for _, t := range mailboxmap.Map(cols, existing, e.Limits, nil) {
		if t.Reason != "" {
			e.note(Anomaly{Code: "mailboxName", Mailbox: mailboxName(t.Collection.Path), Text: "becomes " + mailboxName(t.Path) + ": " + t.Reason})
		}
	}
	if n := e.Limits.MaxMailboxes; n > 0 && len(cols)+len(existing) > n {
		e.note(Anomaly{Code: "mailboxCount", Loss: true, Text: fmt.Sprintf("%d mailboxes; the destination allows %d", len(cols), n),
			Remedy: "raise the destination's limit on mailboxes"})
	}
}

// mailbox streams the listing of one mailbox, keeps a few messages to read,
// and reads them.
func (e *examiner) mailbox(ctx context.Context, c model.Collection, of int) error {
	started := e.Now()
	want := e.Sample
	if want > 0 {
		want = max((want+of-1)/of, 1)
	}
	pick := sampler{want: want, rng: rand.New(rand.NewPCG(uint64(len(c.Native)), 1))}
	m := &mailboxLook{examiner: e, c: c, name: mailboxName(c.Path)}
	n := 0
	for ch, err := range e.store.Changes(ctx, c, "") {
		if err != nil {
			if ctx.Err() != nil {
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
	return e.read(ctx, c, m.name, pick.items())
}

// sampler picks messages evenly from a stream, and the largest.
type sampler struct {
	want    int
	rng     *rand.Rand
	seen    int
	picked  []model.Item
	largest model.Item
}

func (s *sampler) offer(i model.Item) {
	s.seen++
	if s.want == 0 {
		return
	}
	if i.Size > s.largest.Size {
		s.largest = i
	}
	switch {
	case s.want < 0 || len(s.picked) < s.want:
		s.picked = append(s.picked, i)
	default:
		if j := s.rng.IntN(s.seen); j < s.want {
			s.picked[j] = i
		}
	}
}

func (s *sampler) items() []model.Item {
	out := s.picked
	if s.largest.UID != 0 && !slices.ContainsFunc(out, func(i model.Item) bool { return i.UID == s.largest.UID }) {
		out = append(out, s.largest)
	}
	slices.SortFunc(out, func(a, b model.Item) int {
		switch {
		case a.UID < b.UID:
			return -1
		case a.UID > b.UID:
			return 1
		}
		return 0
	})
	return out
}

// note records an anomaly; more of the same kind in the same mailbox count.
func (e *examiner) note(a Anomaly) {
	key := a.Code + "\x00" + a.Mailbox
	if a.Code == "script" {
		key += "\x00" + a.Item
	}
	if i, ok := e.index[key]; ok {
		e.out.Anomalies[i].Count++
		return
	}
	if len(e.out.Anomalies) >= maxAnomalies {
		a = Anomaly{Code: a.Code, Text: "further mailboxes with: " + a.Text, Remedy: a.Remedy, Loss: a.Loss}
		key = a.Code + "\x00\x00more"
		if i, ok := e.index[key]; ok {
			e.out.Anomalies[i].Count++
			return
		}
	}
	a.Count = 1
	e.index[key] = len(e.out.Anomalies)
	e.out.Anomalies = append(e.out.Anomalies, a)
}

func (e *examiner) scripts(ctx context.Context) error {
	s, ok := e.store.(source.Scripts)
	if !ok {
		return nil
	}
	scripts, err := s.Scripts(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		e.note(Anomaly{Code: "scriptsUnreadable", Text: err.Error(), Loss: true})
		return nil
	}
	for _, sc := range scripts {
		e.out.Scripts++
		for _, i := range sieve.Check(sc.Content, e.extensions(), sieve.Limits{MaxSize: e.Limits.MaxScript, MaxRedirects: e.Limits.SieveMaxRedirect}) {
			if e.Destination == nil && i.What != "" && strings.Contains(i.Message, "extension") {
				continue // nobody to ask which there are
			}
			e.note(Anomaly{Code: "script", Item: sc.Name, Text: fmt.Sprintf("line %d: %s", i.Line, i.Message), Remedy: i.Proposal, Loss: sc.Active})
		}
	}
	return nil
}

func (e *examiner) extensions() []string { return e.Limits.SieveExtensions }

// password takes over what provisioning will do.
func (e *examiner) password(p destination.Action) {
	e.out.Password = p.Password
	if p.Verb == destination.VerbConflict {
		e.out.Reasons = append(e.out.Reasons, "conflict: "+p.Note)
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
	if len(o.Reasons) > 0 {
		o.Risk = RiskHigh
	}
	if o.Err != nil {
		rise(RiskHigh, "could not be examined")
	}
	for _, a := range o.Anomalies {
		if a.Loss {
			rise(RiskHigh, a.Code)
		} else {
			rise(RiskMedium, a.Code)
		}
	}
	if o.Password == destination.PasswordReset {
		rise(RiskMedium, "password")
	}
	if o.Address == "" {
		rise(RiskHigh, "no address")
	}
}

// strange reports a date that is more likely an accident than true.
func strange(t, now time.Time) bool {
	return t.Year() < 1990 || t.After(now.Add(24*time.Hour))
}
