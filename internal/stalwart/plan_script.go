package stalwart

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/sieve"
)

const (
	capVacation   = "urn:ietf:params:jmap:vacationresponse"
	capSubmission = "urn:ietf:params:jmap:submission"
)

const (
	propertyScript   = "script"
	propertyVacation = "response"
)

// scripted is an account that forwards its mail or answers it.
//
// The server knows neither as a property of an account. A forward is a
// redirect in the one script that is active: a list in the account's place would
// take its address, which is its login, from it. The script is the one that
// `mailhaul sync` writes for an account without a script of its own, so that
// both write the same; where the account has one, sync puts the redirect before
// it.
type scripted struct {
	account model.Account
	before  model.Script // none: only a response

	id       string // at the destination; empty where the plan makes the account
	scripts  []script
	active   *script
	content  string // of the active script
	response vacationResponse
}

// vacationResponse is the server's VacationResponse (RFC 8621 §8).
type vacationResponse struct {
	IsEnabled         bool
	FromDate, ToDate  *string
	Subject, TextBody *string
	HTMLBody          *string
}

func digestOf(s string) string {
	sum := blake3.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// planScripts plans forwards and vacation responses.
func (p *planner) planScripts(ctx context.Context) error {
	for _, a := range p.accounts {
		if !p.planned(a) {
			continue
		}
		s := scripted{account: a}
		var list string
		var forwards bool
		if s.before, list, forwards = sieve.Forward(a, p.d.limits.SieveMaxRedirect); forwards && list != "" && p.loops[a.Address] == "" {
			if !p.ours(destination.KindList, list) {
				p.conflict(destination.Action{Kind: destination.KindForward, Subject: a.Address, Account: a},
					"forwards to %s, which takes a list %s: that address is taken", plural.Count(len(a.Forwards), "address"), list)
				continue
			}
			found, seen := map[string]bool{}, map[string]bool{}
			var notes []string
			for _, f := range a.Forwards {
				if f != a.Address {
					notes = append(notes, p.reach(f, found, seen)...)
				}
			}
			delete(found, a.Address)
			var to []string
			for f := range found {
				to = append(to, f)
			}
			slices.Sort(to)
			p.helperList(list, "Forwards of "+a.Address, to)
			p.out[len(p.out)-1].Note = strings.Join(append([]string{"the destination allows one redirect in a script"}, notes...), "; ")
		}
		if forwards || a.Vacation != nil {
			p.scripted = append(p.scripted, s)
		}
	}
	var there []*scripted
	for i := range p.scripted {
		s := &p.scripted[i]
		if h, ok := p.have.holders[p.canonical(s.account.Address)]; ok && h.kind != destination.KindList {
			s.id = h.id
			there = append(there, s)
		}
	}
	if err := p.d.readScripts(ctx, there); err != nil {
		return err
	}
	for i := range p.scripted {
		s := &p.scripted[i]
		if len(s.before.Content) > 0 {
			p.planForward(s)
		} else {
			p.planVacation(s)
		}
	}
	return nil
}

// planned reports whether an account is there after the plan, and this is the
// one of the source that it is made from.
func (p *planner) planned(a model.Account) bool {
	for _, o := range p.out {
		if o.Kind == destination.KindAccount && o.Account.Login == a.Login {
			h := p.have.holders[p.canonical(a.Address)]
			return o.Verb == destination.VerbCreate || o.Verb == destination.VerbChange || o.Verb == destination.VerbKeep && h.kind == destination.KindAccount
		}
	}
	return false
}

// readScripts reads scripts and responses of accounts that exist.
func (d *Destination) readScripts(ctx context.Context, all []*scripted) error {
	err := d.several(ctx, len(all), []string{capSieve, capVacation},
		func(r *jmap.Request, i int) []string {
			of := args{"accountId": all[i].id, "ids": nil}
			return []string{r.Call("SieveScript/get", of), r.Call("VacationResponse/get", of)}
		},
		func(resp *jmap.Response, i int, ids []string) error {
			var scripts struct{ List []script }
			var responses struct{ List []vacationResponse }
			if err := resp.Decode(ids[0], &scripts); err != nil {
				return fault(err)
			}
			if err := resp.Decode(ids[1], &responses); err != nil {
				return fault(err)
			}
			all[i].scripts = scripts.List
			for k, s := range scripts.List {
				if s.IsActive {
					all[i].active = &all[i].scripts[k]
				}
			}
			if len(responses.List) > 0 {
				all[i].response = responses.List[0]
			}
			return nil
		})
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.active == nil {
			continue
		}
		raw, err := d.client.Download(ctx, s.id, s.active.BlobID, 16<<20)
		if err != nil {
			return err
		}
		s.content = string(raw)
	}
	return nil
}

// script is what an account without a script of its own runs.
func (p *planner) script(s *scripted) (name, content string, notes []string, err error) {
	set := sieve.ForAccount(model.ScriptSetting{}, s.account, p.d.limits.SieveMaxRedirect)
	planned := sieve.Plan(s.account.Login, nil, set)
	one := planned[len(planned)-1]
	raw, changes, err := one.Convert(p.d.limits.Sieve())
	for _, c := range changes {
		if c.Loss {
			notes = append(notes, c.String())
		}
	}
	return one.As, string(raw), notes, err
}

func (p *planner) planForward(s *scripted) {
	a := s.account
	action := destination.Action{Kind: destination.KindForward, Subject: a.Address, Account: a}
	if why := p.loops[a.Address]; why != "" {
		p.conflict(action, "%s", why)
		return
	}
	name, content, notes, err := p.script(s)
	if err != nil {
		p.conflict(action, "%v", err)
		return
	}
	if a.ForwardOnly {
		notes = append(notes, "no copy is kept")
	} else {
		notes = append(notes, "a copy is kept")
	}
	for _, to := range a.Forwards {
		action.Changes = append(action.Changes, destination.Change{Property: "redirect", New: to})
		for _, n := range p.reach(to, map[string]bool{}, map[string]bool{}) {
			notes = append(notes, strings.Replace(n, "member ", "", 1))
		}
	}
	action.Changes = append(action.Changes, destination.Change{Property: propertyScript, New: content})
	last, ours := p.past.wrote(action.Kind, action.Subject, propertyScript, digestOf(s.content))
	switch {
	case s.id == "" || s.active == nil && (!ours || p.want.Update):
		action.Verb = destination.VerbCreate
	case s.active == nil && p.intended(action):
		action.Verb = destination.VerbCreate
	case s.active == nil:
		action.Verb, action.Kept = destination.VerbKeep, action.Changes[:len(a.Forwards)]
		notes = append(notes, "its script was switched off at the destination")
	case s.content == content:
		action.Verb = destination.VerbKeep
	case ours && last == digestOf(s.content):
		action.Verb = destination.VerbChange
	case redirects(s.content, s.before):
		action.Verb = destination.VerbKeep
		notes = append(notes, fmt.Sprintf("by its active script %q", s.active.Name))
	default:
		action.Verb = destination.VerbWait
		notes = append(notes, fmt.Sprintf("its active script %q does not redirect, and mailhaul did not write it: `mailhaul sync` puts the redirect before the script that it brings; else add it there", s.active.Name))
	}
	action.Note = strings.Join(notes, "; ")
	if action.Verb.Writes() {
		action.Note = fmt.Sprintf("script %q; %s", name, action.Note)
		record(&action, propertyScript, "", digestOf(content))
	} else {
		action.Changes = nil
	}
	p.add(action)
}

// intended reports that an earlier run was about to write the script.
func (p *planner) intended(a destination.Action) bool {
	return p.past.values[key(a.Kind, a.Subject, propertyScript, "")].Intended
}

// redirects reports whether a script names all addresses that another sends to.
func redirects(content string, like model.Script) bool {
	if !strings.Contains(content, "redirect") {
		return false
	}
	for line := range strings.Lines(string(like.Content)) {
		if _, address, ok := strings.Cut(line, "redirect "); ok {
			if address = strings.Trim(strings.TrimPrefix(address, ":copy "), "\";\r\n"); !strings.Contains(content, "\""+address+"\"") {
				return false
			}
		}
	}
	return true
}

func (p *planner) planVacation(s *scripted) {
	v := *s.account.Vacation
	action := destination.Action{Kind: destination.KindVacation, Subject: s.account.Address, Account: s.account}
	if len(v.Text) >= maxResponse || len(v.Subject) >= maxResponseSubject {
		p.conflict(action, "the response is too long for the destination: subject and text may have %d and %d octets", maxResponseSubject-1, maxResponse-1)
		return
	}
	action.Changes = []destination.Change{{Property: propertyVacation, New: orText(v.Subject, "(the server's subject)")}}
	want := digestOf(responseText(v))
	have := digestOf(s.response.text())
	last, ours := p.past.wrote(action.Kind, action.Subject, propertyVacation, have)
	empty := !s.response.IsEnabled && text(s.response.TextBody) == "" && text(s.response.Subject) == ""
	switch {
	case s.id != "" && s.active != nil && !strings.EqualFold(s.active.Name, reservedScript):
		action.Verb = destination.VerbWait
		action.Note = fmt.Sprintf("its script %q is active, and the destination runs one: `mailhaul sync` puts the response into the script that it brings", s.active.Name)
		if strings.Contains(s.content, "vacation") {
			action.Verb, action.Note = destination.VerbKeep, fmt.Sprintf("by its active script %q", s.active.Name)
		}
	case have == want:
		action.Verb = destination.VerbKeep
	case s.id == "" || empty && !ours:
		action.Verb = destination.VerbCreate
	case ours && last == have || p.want.Update || p.past.values[key(action.Kind, action.Subject, propertyVacation, "")].Intended && empty:
		action.Verb = destination.VerbChange
	default:
		action.Verb, action.Kept = destination.VerbKeep, []destination.Change{{Property: propertyVacation, Old: text(s.response.Subject), New: v.Subject}}
	}
	if action.Verb.Writes() {
		record(&action, propertyVacation, "", want)
		if v.Days > 0 || len(v.Addresses) > 0 {
			action.Note = "as often, and for those addresses, as the destination answers"
		}
	} else {
		action.Changes = nil
	}
	p.add(action)
}

// What the server takes of a VacationResponse is shorter than this.
const maxResponse, maxResponseSubject = 2048, 512
