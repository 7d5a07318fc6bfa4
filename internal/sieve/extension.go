package sieve

import (
	"slices"
	"strings"
)

// words maps the commands and tests of extensions to the extension that
// brings each in.
var words = map[string]string{
	"fileinto": "fileinto", "envelope": "envelope", // RFC 5228
	"setflag": "imap4flags", "addflag": "imap4flags", "removeflag": "imap4flags", "hasflag": "imap4flags", // RFC 5232
	"set": "variables", "string": "variables", // RFC 5229
	"vacation": "vacation",                    // RFC 5230
	"body":     "body",                        // RFC 5173
	"date":     "date", "currentdate": "date", // RFC 5260
	"addheader": "editheader", "deleteheader": "editheader", // RFC 5293
	"reject": "reject", "ereject": "ereject", // RFC 5429
	"notify": "enotify", "valid_notify_method": "enotify", "notify_method_capability": "enotify", // RFC 5435
	"ihave": "ihave", "error": "ihave", // RFC 5463
	"mailboxexists": "mailbox", "metadata": "mboxmetadata", "metadataexists": "mboxmetadata", // RFC 5490
	"servermetadata": "servermetadata", "servermetadataexists": "servermetadata",
	"foreverypart": "foreverypart", "break": "foreverypart", "replace": "replace", "enclose": "enclose", "extracttext": "extracttext", // RFC 5703
	"environment": "environment",                                       // RFC 5183
	"include":     "include", "return": "include", "global": "include", // RFC 6609
	"valid_ext_list": "extlists",                           // RFC 6134
	"convert":        "convert",                            // RFC 6558
	"duplicate":      "duplicate",                          // RFC 7352
	"spamtest":       "spamtest", "virustest": "virustest", // RFC 5235
	"specialuse_exists": "special-use", // RFC 8579
	"mailboxidexists":   "mailboxid",   // RFC 9042

	"pipe": "vnd.dovecot.pipe", "filter": "vnd.dovecot.filter", "execute": "vnd.dovecot.execute",
	"report": "vnd.dovecot.report", "debug_log": "vnd.dovecot.debug",
	"mark": "imapflags", "unmark": "imapflags", "denotify": "notify",
	"snooze": "vnd.cyrus.snooze", "jmapquery": "vnd.cyrus.jmapquery", "log": "vnd.cyrus.log",
	"processimip": "vnd.cyrus.imip", "processcalendar": "processcalendar",
}

// base are the commands and tests of RFC 5228 that need no extension.
var base = map[string]bool{
	"require": true, "if": true, "elsif": true, "else": true, "stop": true, "keep": true, "discard": true, "redirect": true,
	"address": true, "header": true, "exists": true, "size": true, "allof": true, "anyof": true, "not": true, "true": true, "false": true,
}

// tags maps tagged arguments to their extension, for all commands; onlyTags
// are those that mean an extension in some commands alone.
var tags = map[string]string{
	"copy": "copy", "create": "mailbox", "fcc": "fcc", "specialuse": "special-use", "mailboxid": "mailboxid",
	"count": "relational", "regex": "regex", "list": "extlists", "user": "subaddress", "detail": "subaddress",
	"mime": "mime", "anychild": "mime", "bytimerelative": "redirect-deliverby", "bytimeabsolute": "redirect-deliverby",
	"notify": "redirect-dsn", "ret": "redirect-dsn",
}

var onlyTags = map[string]map[string]string{
	"flags":   {"keep": "imap4flags", "fileinto": "imap4flags", "vacation": "imap4flags", "notify": "imap4flags"},
	"index":   {"header": "index", "address": "index", "date": "index"},
	"last":    {"header": "index", "address": "index", "date": "index"},
	"value":   {"header": "relational", "address": "relational", "envelope": "relational", "date": "relational", "currentdate": "relational", "string": "relational", "hasflag": "relational", "environment": "relational", "body": "relational", "spamtest": "relational", "virustest": "relational", "metadata": "relational", "deleteheader": "relational"},
	"seconds": {"vacation": "vacation-seconds"},
	"percent": {"spamtest": "spamtestplus"},
}

// renamed are extensions that others took the place of.
var renamed = map[string]string{
	"imapflags": "imap4flags", "notify": "enotify", "vnd.dovecot.duplicate": "duplicate",
	"x-cyrus-log": "vnd.cyrus.log", "x-cyrus-snooze": "vnd.cyrus.snooze", "x-cyrus-jmapquery": "vnd.cyrus.jmapquery",
}

// proposals say what to do about what has no equivalent.
var proposals = map[string]string{
	"vnd.dovecot.pipe":             "programs cannot be run there; if it trains a spam filter, the rule can go: the destination learns from the Junk mailbox",
	"vnd.dovecot.filter":           "programs cannot be run there; rewrite the rule without it",
	"vnd.dovecot.execute":          "programs cannot be run there; rewrite the rule without it",
	"vnd.dovecot.report":           "abuse reports cannot be sent there; forward by hand",
	"vnd.dovecot.imapsieve":        "scripts on IMAP events are the administrator's there; usually spam learning, which needs none",
	"imapsieve":                    "scripts on IMAP events are the administrator's there; usually spam learning, which needs none",
	"vnd.dovecot.environment":      "write the value it gave into the script",
	"vnd.cyrus.snooze":             "mail cannot be put off there; file it into a mailbox instead",
	"vnd.cyrus.imip":               "the destination takes invitations into the calendar by itself",
	"processcalendar":              "the destination takes invitations into the calendar by itself",
	"vnd.cyrus.jmapquery":          "write it with header, address, body or size tests",
	"vnd.cyrus.redirect-multiple":  "name the addresses in several redirects",
	"extlists":                     "lists of addresses outside of the script cannot be read there: write the addresses into it",
	"mboxmetadata":                 "annotations of mailboxes are not there; write the value into the script",
	"servermetadata":               "annotations of the server are not there; write the value into the script",
	"mailboxid":                    "mailboxes have other identifiers there: use the name",
	"environment":                  "write the value it gave into the script",
	"notify":                       `notify by mail ("mailto:"), or by the destination's own push`,
	"comparator-i;unicode-casemap": `use "i;ascii-casemap", and list the spellings`,
}

// dark are extensions that a destination may announce and that still do not
// do there what they did: what they ask for was not carried.
var dark = []string{"extlists", "mboxmetadata", "servermetadata", "imapsieve"}

// extensionOf returns the extension that a command or test belongs to, empty
// for the base language, and whether it is known at all.
func extensionOf(name string) (ext string, known bool) {
	if base[name] {
		return "", true
	}
	ext, known = words[name]
	return ext, known
}

// tagExtension is the extension of a tagged argument of a command, or empty.
func tagExtension(command, tag string) string {
	if by, ok := onlyTags[tag]; ok {
		return by[command]
	}
	switch {
	case tag == "notify" || tag == "ret":
		if command != "redirect" {
			return ""
		}
	case tag == "mime" && command == "vacation": // RFC 5230 §4.7
		return ""
	case tag == "count" && command == "duplicate":
		return ""
	}
	return tags[tag]
}

// uses returns the extensions that a command or test takes by itself, without
// its tests and its block.
func uses(c command) []string {
	var out []string
	if ext, _ := extensionOf(c.name); ext != "" {
		out = append(out, ext)
	}
	for i, a := range c.args {
		if a.tag == "" {
			continue
		}
		if ext := tagExtension(c.name, a.tag); ext != "" {
			out = append(out, ext)
		}
		if a.tag == "comparator" && i+1 < len(c.args) {
			for _, s := range c.args[i+1].strings {
				if name := strings.ToLower(s.text); name != "i;octet" && name != "i;ascii-casemap" {
					out = append(out, "comparator-"+name)
				}
			}
		}
	}
	return out
}

// offers reports whether the destination has an extension and it works there.
func (t Target) offers(ext string) bool {
	if slices.Contains(dark, ext) {
		return false
	}
	if t.Extensions == nil { // nobody to ask: all that are not somebody's own
		_, old := renamed[ext]
		_, odd := proposals[ext]
		return !old && !strings.HasPrefix(ext, "vnd.") && (!odd || ext == "environment" || ext == "mailboxid")
	}
	return slices.Contains(t.Extensions, ext)
}
