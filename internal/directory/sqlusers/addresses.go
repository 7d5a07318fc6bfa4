package sqlusers

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/nearest"
	"mailhaul.org/mailhaul/internal/model"
)

// Queries say what a database tells beside accounts. An empty one is that of
// the preset, if it has one. "-" is none.
type Queries struct {
	// Addresses has the columns address and target, one row for each target or
	// several separated by commas, and perhaps name. "@domain" is a catch-all.
	Addresses string
	// Domains has the column domain, and perhaps alias_of, relayed ("yes") and
	// relay.
	Domains string
	// Vacations has the columns address and text, and perhaps subject, since and
	// until.
	Vacations string
}

// columns of each query; the first ones are needed.
var queryColumns = map[string][]string{
	"addresses": {"address", "target", "name"},
	"domains":   {"domain", "alias_of", "relayed", "relay"},
	"vacations": {"address", "text", "subject", "since", "until"},
	"senders":   {"address", "login"},
	"notes":     {"code", "subject", "text", "remedy"},
}

// needed is how many of them.
var needed = map[string]int{"addresses": 2, "domains": 1, "vacations": 2, "senders": 2, "notes": 3}

// addressQuery is a query and what becomes of its rows.
type addressQuery struct {
	kind, text string
	take       func(*directory.Addresses, Row)
}

// presetQuery is what a preset says of domains and the like, or empty.
func presetQuery(kind, name string) string {
	b, err := presets.ReadFile("presets/" + kind + "/" + name + ".sql")
	if err != nil {
		return "" // not every program has every thing
	}
	return string(b)
}

// ReadAddresses reads who receives what. Settings.Query plays no part; without
// a preset and queries nothing is asked, and the answer is empty. What cannot be
// asked at all is an error of model.ClassFatal; rows that make no sense are
// notes.
func ReadAddresses(ctx context.Context, s Settings, q Queries) (directory.Addresses, error) {
	out := directory.Addresses{Source: s.Server.String()}
	pick := func(kind, given string) string {
		switch given {
		case "-":
			return ""
		case "":
			return presetQuery(kind, s.Preset)
		}
		return given
	}
	queries := slices.DeleteFunc([]addressQuery{
		{"domains", pick("domains", q.Domains), takeDomain},
		{"addresses", pick("addresses", q.Addresses), takeAddress},
		{"vacations", pick("vacations", q.Vacations), takeVacation},
		{"senders", presetQuery("senders", s.Preset), takeSender},
		{"notes", presetQuery("notes", s.Preset), takeNote},
	}, func(q addressQuery) bool { return q.text == "" })
	if len(queries) == 0 {
		return out, nil
	}
	db, err := Open(ctx, s.Server)
	if err != nil {
		return out, err
	}
	defer db.Close()
	for _, q := range queries {
		if err := s.each(ctx, db, q.kind, q.text, func(r Row) { q.take(&out, r) }); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s Settings) each(ctx context.Context, db *sql.DB, kind, query string, take func(Row)) error {
	known := queryColumns[kind]
	for row, err := range Rows(ctx, db, query) {
		if err != nil {
			return s.failed(query, err)
		}
		if row.Number == 1 {
			for _, c := range row.Columns {
				if !slices.Contains(known, c) {
					return s.failed(query, fmt.Errorf("unknown column %q%s (the columns of %s are %s)", c, nearest.Hint(c, known), kind, strings.Join(known, ", ")))
				}
			}
			for _, c := range known[:needed[kind]] {
				if !slices.Contains(row.Columns, c) {
					return s.failed(query, fmt.Errorf("there is no column %q: SELECT … AS %s", c, c))
				}
			}
		}
		take(row)
	}
	return nil
}

func takeDomain(out *directory.Addresses, r Row) {
	name := strings.ToLower(strings.TrimSpace(r.Get("domain")))
	if name == "" {
		return
	}
	d := model.Domain{Name: name, AliasOf: strings.ToLower(strings.TrimSpace(r.Get("alias_of"))), Relayed: strings.EqualFold(r.Get("relayed"), "yes"), Where: out.Source}
	if d.Relayed {
		d.Relay = r.Get("relay")
	}
	out.Domains = append(out.Domains, d)
}

func takeAddress(out *directory.Addresses, r Row) {
	raw := strings.TrimSpace(r.Get("address"))
	address := strings.ToLower(raw)
	if address == "" {
		return
	}
	var a *directory.Alias
	if n := len(out.Aliases) - 1; n >= 0 && out.Aliases[n].Address == address {
		a = &out.Aliases[n]
	} else {
		out.Aliases = append(out.Aliases, directory.Alias{Address: address, Where: out.Source})
		a = &out.Aliases[n+1]
	}
	if a.Name == "" {
		a.Name = strings.TrimSpace(r.Get("name"))
	}
	note := func(code, text, remedy string) {
		out.Notes = append(out.Notes, model.Note{Level: model.LevelWarning, Code: code, Subject: address, Where: out.Source, Text: text, Remedy: remedy})
	}
	// A program may have blanks and commas in it.
	if t := strings.TrimSpace(r.Get("target")); strings.HasPrefix(t, "|") {
		note("pipe", "is handed to a program: "+strings.TrimSpace(t[1:]), "give the address a mailbox that the program fetches by IMAP, or leave it out")
		return
	}
	for _, t := range strings.FieldsFunc(r.Get("target"), func(c rune) bool { return strings.ContainsRune(" ,;\t\r\n", c) }) {
		switch t = strings.ToLower(t); {
		case strings.HasPrefix(t, "/"):
			note("file", "its mail is put into "+t, "give it a mailbox, or leave it out")
		case strings.HasSuffix(t, "@localhost"): // Mailcow's null, spam and ham
			note("discard", "leads to "+t+": its mail is thrown away or only learnt by the spam filter", "leave it out, or give it a mailbox")
		case !slices.Contains(a.Targets, t):
			a.Targets = append(a.Targets, t)
		}
	}
}

func takeVacation(out *directory.Addresses, r Row) {
	address := strings.ToLower(strings.TrimSpace(r.Get("address")))
	if address == "" || r.Get("text") == "" {
		return
	}
	if out.Vacations == nil {
		out.Vacations = map[string]model.Vacation{}
	}
	out.Vacations[address] = model.Vacation{Subject: strings.TrimSpace(r.Get("subject")), Text: strings.ReplaceAll(r.Get("text"), "\r\n", "\n"), From: moment(r.Get("since")), Until: moment(r.Get("until"))}
}

// takeSender is a login that may send as an address.
func takeSender(out *directory.Addresses, r Row) {
	address, login := strings.ToLower(strings.TrimSpace(r.Get("address"))), strings.TrimSpace(r.Get("login"))
	if address == "" || login == "" {
		return
	}
	if n := len(out.Senders) - 1; n >= 0 && out.Senders[n].Address == address {
		out.Senders[n].Logins = append(out.Senders[n].Logins, login)
		return
	}
	out.Senders = append(out.Senders, directory.Sender{Address: address, Logins: []string{login}, Where: out.Source})
}

// takeNote is what a program keeps in its database and the destination has no
// place for.
func takeNote(out *directory.Addresses, r Row) {
	out.Notes = append(out.Notes, model.Note{Level: model.LevelWarning, Code: r.Get("code"), Subject: strings.ToLower(r.Get("subject")), Where: out.Source, Text: r.Get("text"), Remedy: r.Get("remedy")})
}

// moment reads a time as databases print it; what is none, and the years that
// stand for none, are the zero time. Times without a zone are UTC.
func moment(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			if t.Year() <= 2000 || t.Year() >= 2100 {
				return time.Time{}
			}
			return t.UTC()
		}
	}
	return time.Time{}
}
