package sample

import "mailhaul.org/mailhaul/internal/model"

func script(name string, active bool, text string) model.Script {
	return model.Script{Name: name, Active: active, Content: []byte(text)}
}

// sortScript files into mailboxes that exist, by their names in UTF-8.
var sortScript = script("Sortieren", true, `require ["fileinto", "imap4flags", "mailbox"];

# Projekte
if header :contains "subject" ["Lüftung", "Prüfbericht"] {
    fileinto "Archiv.Projekte.Größe & Maß.2019";
    stop;
}
if address :domain :is "from" "bank.test" {
    addflag "Wichtig";
    fileinto "Rechnungen";
} elsif exists "list-id" {
    fileinto :create "Verteiler";
}
`)

// holidayScript answers; it has a blank and an umlaut in its name.
var holidayScript = script("Büro Abwesenheit", false, `require ["vacation", "date", "relational"];
if allof (currentdate :value "ge" "date" "2019-07-15", currentdate :value "le" "date" "2019-08-02") {
    vacation :days 7 :subject "Abwesend: zurück am 5. August" :addresses ["anna@acme.test"] text:
Guten Tag,

ich bin bis zum 2. August nicht im Büro.
..
Anna Köhler
.
    ;
}
`)

var frenchVacation = script("vacation", true, `require ["vacation", "fileinto"];
if header :contains "x-spam-flag" "YES" {
    fileinto "Courrier indésirable";
    stop;
}
vacation :days 3 :handle "été" "Je suis absent jusqu'au 24 août. – Benoît";
`)

// pipeScript needs what only this server has.
var pipeScript = script("archive-to-program", true, `require ["fileinto", "copy", "vnd.dovecot.pipe", "vnd.dovecot.environment", "environment"];
if environment :is "vnd.dovecot.default-mailbox" "INBOX" {
    pipe :copy "archive" ["--year", "2024"];
}
if header :is "subject" "spare parts" {
    fileinto "Sent Items";
}
`)

var brokenScript = script("unfinished", false, `require ["fileinto"];
# Saved by a web mail that did not check.
if header :contains "subject" "[list" {
    fileinto "Lists"
}
else if true { keep; }
`)

var notifyScript = script("old-notify", false, `require ["notify", "fileinto", "regex"];
if header :regex "subject" "^\\[[a-z]+-[0-9]+\\]" {
    notify :method "mailto" :options ["pager@acme.test"] :message "$subject$";
}
`)

var emptyScript = script("empty", false, "")

// crlfScript came over ManageSieve from a program that writes CRLF.
var crlfScript = script("roundcube", true, "require [\"fileinto\"];\r\n# rule:[Newsletter]\r\nif anyof (header :contains \"list-unsubscribe\" \"http\")\r\n{\r\n\tfileinto \"Newsletter\";\r\n}\r\n")
