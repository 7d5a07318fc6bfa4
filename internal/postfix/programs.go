package postfix

import (
	"path"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// automation is a kind of program that mail is handed to, with what to do
// instead.
type automation struct {
	words             []string
	code, text, remed string
}

// automations by words of the program's name. The first that fits holds.
var automations = []automation{
	{[]string{"dovecot-lda", "deliver", "cyrdeliver", "lmtp"}, "", "", ""},
	{[]string{"mailman", "sympa", "majordomo", "ezmlm", "listserv", "mlmmj", "smartlist", "ecartis", "listar"}, "list-manager", "is a list of a list manager", "let that program run on a host of its own and relay its addresses there, or make a list of its members"},
	{[]string{"vacation", "autoreply", "autorespond", "autoresponder", "gnarwl", "goldfish"}, "vacation-program", "is answered by a program", "set a vacation response for the account at the destination"},
	{[]string{"procmail", "maildrop", "mailfilter", "imapfilter", "sieve"}, "filter-program", "is filtered by a program", "turn its rules into a Sieve script of the account"},
	{[]string{"rt-mailgate", "otrs", "znuny", "zammad", "redmine", "request-tracker", "osticket", "glpi", "jira", "bugzilla", "gitlab", "discourse"}, "ticket-system", "goes into another system", "give the address a mailbox that this system fetches by IMAP, or relay the address to its host"},
	{[]string{"spamc", "spamassassin", "amavis", "clam", "dspam", "bogofilter", "rspamc", "sa-learn"}, "content-filter", "goes through a filter for spam or viruses", "use the destination's own filter"},
	{[]string{"hylafax", "faxmail", "sendfax", "uucp", "uux", "rmail"}, "gateway", "goes into another network", "relay the address to the host that runs this gateway"},
	{[]string{"archive", "mailarchiver", "piler", "mailpiler", "mimedefang"}, "archive-program", "is archived by a program", "use the destination's archiving, or forward a copy to the archive's address"},
}

// noteProgram tells that mail to an address is handed to a program.
func (r *Router) noteProgram(address, program, where string) {
	n := model.Note{Level: model.LevelWarning, Code: "pipe", Subject: address, Where: where, Text: "is handed to a program: " + program,
		Remedy: "give the address a mailbox that the program fetches by IMAP, relay it to the host that runs the program, or leave it out"}
	lower := strings.ToLower(program)
	for _, a := range automations {
		for _, w := range a.words {
			if strings.Contains(lower, w) {
				if a.code == "" {
					return // that is how mail gets into a mailbox
				}
				n.Code, n.Text, n.Remedy = a.code, a.text+": "+program, a.remed
				r.note(n)
				return
			}
		}
	}
	r.note(n)
}

// noteTransport tells what a transport means that is not a mailbox of this
// host's; name is "transport:nexthop".
func (r *Router) noteTransport(subject, name, where string) (delivered bool) {
	program, piped := r.settings.pipe(name)
	kind, next, _ := strings.Cut(name, ":")
	switch {
	case piped:
		if program == "" {
			program = kind
		}
		before := len(r.notes)
		r.noteProgram(subject, kind+" ("+path.Base(strings.Fields(program)[0])+")", where)
		return len(r.notes) == before
	case kind == "error" || kind == "retry" || kind == "discard":
		r.note(model.Note{Level: model.LevelWarning, Code: kind, Subject: subject, Where: where, Text: "its mail is refused or thrown away: " + name, Remedy: "leave it out, or give it a mailbox"})
	case (kind == "smtp" || kind == "relay" || kind == "") && next != "":
		r.note(model.Note{Level: model.LevelWarning, Code: "elsewhere", Subject: subject, Where: where, Text: "is delivered by another host: " + next,
			Remedy: "let the destination relay it there, or move its mailboxes from there as well"})
	default:
		return true
	}
	return false
}
