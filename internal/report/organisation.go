package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// Organisation is a model.Organisation as JSON has it. It holds no password.
type Organisation struct {
	Domains   []OrganisationDomain  `json:"domains"`
	Accounts  []OrganisationAccount `json:"accounts"`
	Groups    []OrganisationList    `json:"groups"`
	Lists     []OrganisationList    `json:"lists"`
	CatchAlls []OrganisationAll     `json:"catchAlls"`
	Notes     []Note                `json:"notes"`
}

// OrganisationDomain is a domain.
type OrganisationDomain struct {
	Name    string `json:"name"`
	AliasOf string `json:"aliasOf,omitempty"`
	Relayed bool   `json:"relayed,omitempty"`
	Relay   string `json:"relay,omitempty"`
	Where   string `json:"where,omitempty"`
}

// OrganisationAccount is an account.
type OrganisationAccount struct {
	Login      string   `json:"login"`
	Address    string   `json:"address"`
	Name       string   `json:"name,omitempty"`
	Aliases    []string `json:"aliases,omitempty"`
	Forwards   []string `json:"forwards,omitempty"`
	Copy       *bool    `json:"keepsCopy,omitempty"` // nil without forwards
	Quota      int64    `json:"quota,omitempty"`     // octets
	Disabled   bool     `json:"disabled,omitempty"`
	Vacation   bool     `json:"vacation,omitempty"`
	Identities []string `json:"identities,omitempty"`
}

// OrganisationList is a list or a group.
type OrganisationList struct {
	Address string   `json:"address"`
	Aliases []string `json:"aliases,omitempty"`
	Name    string   `json:"name,omitempty"`
	Members []string `json:"members"`
	// Recipients are who is on a list in the end: lists in it are flattened.
	Recipients []string `json:"recipients,omitempty"`
	Where      string   `json:"where,omitempty"`
}

// OrganisationAll is a catch-all.
type OrganisationAll struct {
	Domain  string   `json:"domain"`
	Targets []string `json:"targets"`
	Where   string   `json:"where,omitempty"`
}

// Note is a model.Note.
type Note struct {
	Level   string `json:"level"`
	Code    string `json:"code"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Remedy  string `json:"remedy,omitempty"`
	Where   string `json:"where,omitempty"`
}

// NewOrganisation prepares an organisation for WriteJSON; members tells who is
// on a list in the end.
func NewOrganisation(o model.Organisation, members func(list string) []string) Organisation {
	out := Organisation{Domains: []OrganisationDomain{}, Accounts: []OrganisationAccount{}, Groups: []OrganisationList{}, Lists: []OrganisationList{}, CatchAlls: []OrganisationAll{}, Notes: []Note{}}
	for _, d := range o.Domains {
		out.Domains = append(out.Domains, OrganisationDomain(d))
	}
	for _, a := range o.Accounts {
		r := OrganisationAccount{Login: a.Login, Address: a.Address, Name: a.Name, Aliases: a.Aliases, Forwards: a.Forwards, Quota: a.Quota, Disabled: a.Disabled, Vacation: a.Vacation != nil}
		if len(a.Forwards) > 0 {
			keeps := !a.ForwardOnly
			r.Copy = &keeps
		}
		for _, i := range a.Identities {
			r.Identities = append(r.Identities, i.Address)
		}
		out.Accounts = append(out.Accounts, r)
	}
	for _, g := range o.Groups {
		out.Groups = append(out.Groups, OrganisationList{Address: g.Address, Aliases: g.Aliases, Name: g.Name, Members: g.Members, Where: g.Where})
	}
	for _, l := range o.Lists {
		out.Lists = append(out.Lists, OrganisationList{Address: l.Address, Aliases: l.Aliases, Name: l.Name, Members: l.Members, Recipients: members(l.Address), Where: l.Where})
	}
	for _, c := range o.CatchAlls {
		out.CatchAlls = append(out.CatchAlls, OrganisationAll(c))
	}
	for _, n := range o.Notes {
		out.Notes = append(out.Notes, Note{n.Level.String(), n.Code, n.Subject, n.Text, n.Remedy, n.Where})
	}
	return out
}

// OrganisationTable writes domains, accounts, lists and catch-alls, then the
// notes with their remedies.
func OrganisationTable(w io.Writer, o Organisation) error {
	if err := organisationDomains(w, o); err != nil {
		return err
	}
	if err := organisationAccounts(w, o); err != nil {
		return err
	}
	if len(o.Lists)+len(o.Groups) > 0 {
		t := newTable("list", "name", ">members", ">in the end", "also")
		for _, g := range o.Groups {
			t.row(g.Address, "group "+g.Name, count(int64(len(g.Members))), "", strings.Join(g.Aliases, ", "))
		}
		for _, l := range o.Lists {
			t.row(l.Address, l.Name, count(int64(len(l.Members))), count(int64(len(l.Recipients))), strings.Join(l.Aliases, ", "))
		}
		if err := t.write(w); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	if len(o.CatchAlls) > 0 {
		t := newTable("catch-all", "goes to")
		for _, c := range o.CatchAlls {
			t.row("@"+c.Domain, strings.Join(c.Targets, ", "))
		}
		if err := t.write(w); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	n := map[string]int{}
	for _, note := range o.Notes {
		n[note.Level]++
		if _, err := fmt.Fprintf(w, "%-7s  %s %s: %s\n", note.Level, note.Code, oneLine(note.Subject), oneLine(note.Text)); err != nil {
			return err
		}
		if note.Where != "" && note.Level != model.LevelOK.String() {
			fmt.Fprintf(w, "         in %s\n", oneLine(note.Where))
		}
		if note.Remedy != "" {
			fmt.Fprintf(w, "         → %s\n", oneLine(note.Remedy))
		}
	}
	_, err := fmt.Fprintf(w, "\n%s, %s, %s, %s, %s; %s: %d to decide before anything is written, %s\n",
		plural.Count(len(o.Domains), "domain"), plural.Count(len(o.Accounts), "account"), plural.Count(len(o.Groups), "group"), plural.Count(len(o.Lists), "list"),
		plural.Count(len(o.CatchAlls), "catch-all"), plural.Count(len(o.Notes), "note"), n["stop"], plural.Count(n["warning"], "warning"))
	return err
}

func organisationDomains(w io.Writer, o Organisation) error {
	accounts, lists := map[string]int64{}, map[string]int64{}
	for _, a := range o.Accounts {
		accounts[a.Address[strings.LastIndexByte(a.Address, '@')+1:]]++
	}
	for _, l := range o.Lists {
		lists[l.Address[strings.LastIndexByte(l.Address, '@')+1:]]++
	}
	t := newTable("domain", ">accounts", ">lists", "what it is")
	for _, d := range o.Domains {
		what := ""
		switch {
		case d.AliasOf != "":
			what = "another name of " + d.AliasOf
		case d.Relayed && d.Relay != "":
			what = "relayed to " + d.Relay
		case d.Relayed:
			what = "relayed"
		}
		t.row(d.Name, some(accounts[d.Name]), some(lists[d.Name]), what)
	}
	if err := t.write(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

func organisationAccounts(w io.Writer, o Organisation) error {
	t := newTable("account", "name", ">quota", "aliases", "forwards to")
	for _, a := range o.Accounts {
		quota := "·"
		if a.Quota > 0 {
			quota = size(a.Quota)
		}
		forwards := strings.Join(a.Forwards, ", ")
		if a.Copy != nil && !*a.Copy {
			forwards += " (no copy)"
		}
		name := a.Name
		if a.Disabled {
			name += " (disabled)"
		}
		aliases := strings.Join(a.Aliases, ", ")
		if len(a.Aliases) > 3 {
			aliases = strings.Join(a.Aliases[:3], ", ") + " and " + strconv.Itoa(len(a.Aliases)-3) + " more"
		}
		t.row(a.Address, name, quota, aliases, forwards)
	}
	if err := t.write(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// Delivery is where mail to an address ends up.
type Delivery struct {
	Address    string   `json:"address"`
	Recipients []string `json:"recipients"`
	Missing    []string `json:"missing,omitempty"`
	Loops      []string `json:"loops,omitempty"`
}

// DeliveryTable writes them.
func DeliveryTable(w io.Writer, all []Delivery) error {
	t := newTable("address", "goes to", "")
	for _, d := range all {
		to := strings.Join(d.Recipients, ", ")
		if to == "" {
			to = "nobody"
		}
		var problems []string
		for _, m := range d.Missing {
			problems = append(problems, "missing: "+m)
		}
		for _, l := range d.Loops {
			problems = append(problems, "circle: "+l)
		}
		t.row(d.Address, to, strings.Join(problems, "; "))
	}
	return t.write(w)
}
