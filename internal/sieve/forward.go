package sieve

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// forwardScript is the name of what Forward makes, as its notes show it.
const forwardScript = "forward"

// Forward is a script that sends an account's mail on as the old server did
// before any script of the user's, and whether it keeps a copy: to run before
// the active one. A server that allows fewer redirects than there are addresses
// is given one to a list of them; list is then its address, to be made with the
// account's forwards for members, else empty. It returns false for an account
// that forwards nothing.
func Forward(a model.Account, maxRedirects int) (s model.Script, list string, ok bool) {
	to := slices.DeleteFunc(slices.Clone(a.Forwards), func(f string) bool { return strings.EqualFold(f, a.Address) })
	if len(to) == 0 {
		return s, "", false
	}
	keep := !a.ForwardOnly || len(to) < len(a.Forwards)
	if len(to) > max(maxRedirects, 1) {
		local, domain, _ := strings.Cut(strings.ToLower(a.Address), "@")
		list = "forward-" + local + "@" + domain
		to = []string{list}
	}
	slices.Sort(to)
	return Redirect(forwardScript, keep, to...), list, true
}

// Redirect is a script that redirects all mail to these addresses, and keeps a
// copy if asked (RFC 5228 §4.2, RFC 3894).
func Redirect(name string, keep bool, to ...string) model.Script {
	var b strings.Builder
	copied := ""
	if keep {
		b.WriteString("require \"copy\";\r\n")
		copied = ":copy "
	}
	for _, t := range to {
		b.WriteString("redirect " + copied + quote(t) + ";\r\n")
	}
	return model.Script{Name: name, Content: []byte(b.String())}
}

// ForAccount adds to what surrounds an account's scripts what the directory
// keeps for it: its forwards, before everything else, and its response.
func ForAccount(set model.ScriptSetting, a model.Account, maxRedirects int) model.ScriptSetting {
	if s, _, ok := Forward(a, maxRedirects); ok {
		set.Before = slices.Concat([]model.Script{s}, set.Before)
	}
	if a.Vacation != nil && set.Vacation == nil {
		set.Vacation, set.VacationApart = a.Vacation, true
	}
	return set
}
