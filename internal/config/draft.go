package config

import (
	"embed"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"text/template"
)

// Found is what could be learnt of the source without asking anybody. Every
// field may be empty; Draft then writes an example that says so.
type Found struct {
	// What describes where it comes from, as "Dovecot 2.3.19.1 on this host".
	What string
	// Kind is the kind of source; empty means KindDovecot.
	Kind Kind
	// Engagement is the folder to propose, as "./acme".
	Engagement string
	// IMAP and Sieve are addresses: "imaps://mail.old.test".
	IMAP, Sieve string
	// Insecure: the certificate cannot be verified under that address.
	Insecure bool
	// Master and Separator are those of the configuration.
	Master, Separator string
	// Maildir (the path), Inbox, Control, Index and Layout are as in Maildir.
	Maildir, Inbox, Control, Index, Layout string
	// Dbox, Attachments and Escape are as in Dbox.
	Dbox, Attachments, Escape string
	// Public is as in Source; without an address it is an example.
	Public *Public
	// ACL is as in Source.
	ACL ACL
	// Cyrus is the imapd.conf of a Cyrus on this host; nothing of the above
	// is looked at then.
	Cyrus string
	// Databases: Dovecot's own databases tell who exists.
	Databases bool
	// SiteScripts are the scripts that run around the users'.
	SiteScripts Sieve
	// Passwd, Scheme and Domain are as in Users.
	Passwd, Scheme, Domain string
	// UserDB and Courier are as in Users.
	UserDB, Courier string
	// Postfix: the Postfix on this host decides who receives what.
	Postfix bool
	// Users are logins, where nothing else tells them.
	Users []string
	// Notes are what an administrator should know, a sentence each.
	Notes []string
}

//go:embed draft*.tmpl
var draftText embed.FS

var draft = template.Must(template.New("draft.yaml.tmpl").Funcs(template.FuncMap{
	"yaml": quote, "comment": comment,
}).ParseFS(draftText, "draft*.tmpl"))

// Draft writes a commented engagement file, filled in from what was found. It
// is valid as it is: what was not found is an example, marked as one.
func Draft(w io.Writer, found Found) error {
	if found.Engagement == "" {
		found.Engagement = "./engagement"
		if name, _, _ := strings.Cut(found.Domain, "."); name != "" {
			found.Engagement = "./" + name
		}
	}
	return draft.Execute(w, found)
}

// plain is what needs no quotes: a word, an address, a URL or a path, unless
// it is one of the keywords of YAML 1.1 or 1.2.
var (
	plain    = regexp.MustCompile(`^(?:[A-Za-z]|\.{0,2}/)[A-Za-z0-9@._/%+-]*(?:://[A-Za-z0-9@._/%+:-]*[A-Za-z0-9/])?$`)
	keywords = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|y|n|null)$`)
)

// quote writes a text as YAML understands it again.
func quote(s string) string {
	if plain.MatchString(s) && !keywords.MatchString(s) {
		return s
	}
	// JSON is YAML; but YAML knows more line ends than JSON escapes.
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return strings.NewReplacer("\u0085", `\u0085`, "\ufeff", `\ufeff`, "\x7f", `\u007f`).Replace(strings.TrimSuffix(b.String(), "\n"))
}

// comment keeps a text in one line.
func comment(s string) string { return strings.Join(strings.Fields(s), " ") }
