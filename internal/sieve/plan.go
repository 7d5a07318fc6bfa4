package sieve

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// reserved is the script name that JMAP's vacation response uses (RFC 9661
// §2.4).
const reserved = "vacation"

// siteScript is the name of an active script for an account that has none of
// its own, at a source that runs scripts for everybody.
const siteScript = "site rules"

// Planned is one script to be carried.
type Planned struct {
	// Name is the script's at the source, As at the destination.
	Name, As string
	Active   bool
	Content  []byte
	// Remarks are what a translation from another language left out.
	Remarks []string
	// Setting is what surrounds it: the scripts that ran before and after
	// belong to the active one.
	Setting Setting
}

// Plan tells which scripts an account will have, the active one last. login is
// the user's name at the source. An account without an active script gets one
// if the source runs any for everybody.
func Plan(login string, scripts []model.Script, set model.ScriptSetting) []Planned {
	scripts = slices.Clone(scripts)
	if !slices.ContainsFunc(scripts, func(s model.Script) bool { return s.Active }) {
		if set.Default != nil {
			scripts = append(scripts, model.Script{Name: free(set.Default.Name, scripts), Content: set.Default.Content, Active: true})
		} else if len(set.Before)+len(set.After) > 0 || set.Vacation != nil && !set.VacationApart {
			scripts = append(scripts, model.Script{Name: free(siteScript, scripts), Active: true})
		}
	}
	environment := map[string]string{"vnd.dovecot.username": login, "vnd.dovecot.default-mailbox": "INBOX"}
	for k, v := range set.Environment {
		environment[strings.ToLower(k)] = v
	}
	names := map[string]string{}
	for _, s := range scripts {
		names[s.Name] = s.Name
		if strings.EqualFold(s.Name, reserved) {
			names[s.Name] = free(s.Name+" (script)", scripts)
		}
	}
	var out []Planned
	for _, s := range scripts {
		p := Planned{Name: s.Name, As: names[s.Name], Active: s.Active, Content: s.Content, Remarks: s.Remarks, Setting: Setting{
			Personal: finder(scripts), Global: finder(set.Global), Environment: environment,
			Carried: func(name string) (string, bool) {
				text, there := finder(scripts)(name)
				return names[name], there && Check(text) == nil
			},
		}}
		if s.Active {
			p.Setting.Before, p.Setting.After, p.Setting.Vacation = set.Before, set.After, set.Vacation
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Planned) int {
		if a.Active != b.Active {
			if a.Active {
				return 1
			}
			return -1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

func finder(in []model.Script) func(string) ([]byte, bool) {
	return func(name string) ([]byte, bool) {
		for _, s := range in {
			if s.Name == name {
				return s.Content, true
			}
		}
		return nil, false
	}
}

func free(name string, scripts []model.Script) string {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s (%d)", name, n)
		}
		if !slices.ContainsFunc(scripts, func(s model.Script) bool { return s.Name == try }) {
			return try
		}
	}
}

// Source is all of the source's text that the script is made of: while it is
// the same, so is what Convert makes of it.
func (p Planned) Source() []byte {
	s := p.Setting
	var own bytes.Buffer
	for _, list := range [][]model.Script{s.Before, s.After} {
		for _, b := range list {
			fmt.Fprintf(&own, "%d %q %d\n%s", len(list), b.Name, len(b.Content), b.Content)
		}
	}
	if s.Vacation != nil {
		fmt.Fprintf(&own, "%+v", *s.Vacation)
	}
	seen := map[string]bool{}
	included(&own, p.Content, s, seen)
	for _, list := range [][]model.Script{s.Before, s.After} {
		for _, b := range list {
			included(&own, b.Content, s, seen)
		}
	}
	if own.Len() == 0 {
		return p.Content
	}
	return slices.Concat(p.Content, []byte("\x00"), own.Bytes())
}

// included writes the scripts that one includes, each once.
func included(out *bytes.Buffer, text []byte, s Setting, seen map[string]bool) {
	for _, i := range s.includes(text) {
		if !i.found || seen[i.key] {
			continue
		}
		seen[i.key] = true
		fmt.Fprintf(out, "%q %d\n%s", i.key, len(i.text), i.text)
		included(out, i.text, s, seen)
	}
}

// Convert is Convert with the script's setting.
func (p Planned) Convert(t Target) ([]byte, []Change, error) { return Convert(p.Content, p.Setting, t) }

// Check reports whether a script can be parsed; if not, as a *SyntaxError.
func Check(script []byte) error {
	_, err := parse(script)
	return err
}
