package sample

import (
	"slices"

	"mailhaul.org/mailhaul/internal/model"
)

// oddity is one difficult message.
type oddity struct {
	name     string
	at       string   // local part of the persona that has it
	boxes    []string // mailboxes with a copy each; none means the inbox
	received string   // RFC 3339, or empty for some ordinary date
	flags    model.SystemFlags
	keywords []string
	shared   bool // the copies are links to one file, as IMAP's COPY makes them
	build    func(c *composer)
}

// Oddities names all odd messages, sorted; Message.Oddity is one of them. The
// large message, which Options.Large asks for, is not among them.
func Oddities() []string {
	var names []string
	for _, o := range oddities {
		names = append(names, o.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var old = []string{"Old server"}

// oddities in the order in which they lie in their mailboxes. The order is
// part of each one's seed.
var oddities = []oddity{
	// Octets.
	{name: "stored-lf", at: "otto", boxes: old, build: storedWith("\n")},
	{name: "stored-crlf", at: "otto", boxes: old, build: storedWith("\r\n")},
	{name: "stored-mixed", at: "otto", boxes: old, build: storedMixed},
	{name: "bare-cr", at: "otto", boxes: old, build: bareCR},
	{name: "nul-octets", at: "otto", boxes: old, flags: model.Seen, build: nulOctets},
	{name: "eight-bit-header", at: "otto", boxes: old, build: eightBitHeader},
	{name: "utf8-header", at: "otto", boxes: old, build: utf8Header},
	{name: "wrong-charset", at: "otto", boxes: old, build: wrongCharset},
	{name: "utf16-text", at: "otto", boxes: old, build: utf16Text},
	{name: "no-final-newline", at: "otto", boxes: old, build: raw("From: a@client.test\nSubject: no newline at the end\n\nlast line")},
	{name: "binary-attachment", at: "otto", boxes: old, build: binaryAttachment},
	{name: "long-line", at: "otto", boxes: old, build: longLine},

	// Headers.
	{name: "empty", at: "otto", boxes: old, build: raw("")},
	{name: "newline-only", at: "otto", boxes: old, build: raw("\n")},
	{name: "header-only", at: "otto", boxes: old, build: raw("From: a@client.test\nTo: otto@acme.test\nSubject: header only, no empty line\nDate: Mon, 3 Feb 2020 10:00:00 +0100\n")},
	{name: "no-body", at: "otto", boxes: old, build: raw("From: a@client.test\nSubject: no body\n\n")},
	{name: "no-header", at: "otto", boxes: old, build: raw("\nThis message has no header at all.\nIt begins with an empty line.\n")},
	{name: "text-only", at: "otto", boxes: old, build: raw("This is no message but a note that somebody saved here\nwith an editor.\n")},
	{name: "unknown-fields-only", at: "otto", boxes: old, build: raw("X-Spooler: 7\nX-Job: backup\n\nonly fields that nobody knows\n")},
	{name: "no-date", at: "otto", boxes: old, build: raw("From: a@client.test\nTo: otto@acme.test\nSubject: no date\nMessage-ID: <no-date@client.test>\n\ntext\n")},
	{name: "no-from", at: "otto", boxes: old, build: raw("To: otto@acme.test\nDate: Mon, 3 Feb 2020 10:00:00 +0100\nSubject: no from\nMessage-ID: <no-from@client.test>\n\ntext\n")},
	{name: "no-message-id", at: "otto", boxes: old, build: raw("From: a@client.test\nTo: otto@acme.test\nDate: Mon, 3 Feb 2020 10:00:00 +0100\nSubject: no identity\n\ntext\n")},
	{name: "mbox-from-line", at: "otto", boxes: old, build: raw("From a@client.test Mon Feb  3 10:00:00 2020\nFrom: a@client.test\nDate: Mon, 3 Feb 2020 10:00:00 +0100\nSubject: came out of an mbox\n\n>From here on it is quoted.\n")},
	{name: "repeated-fields", at: "otto", boxes: old, build: raw("Subject: one\nSubject: two\nFrom: a@client.test\nFrom: b@client.test\nDate: Mon, 3 Feb 2020 10:00:00 +0100\nDate: Tue, 4 Feb 2020 10:00:00 +0100\nMessage-ID: <one@client.test>\nMessage-ID: <two@client.test>\n\ntext\n")},
	{name: "broken-fields", at: "otto", boxes: old, build: raw("From: \"unclosed <a@client.test>\nTo: undisclosed-recipients:;\nSubject : blank before the colon\nno colon at all\n: no name\nContent-Type: text/plain; charset=\"\n\ntext\n")},
	{name: "bad-encoded-words", at: "otto", boxes: old, build: raw("From: =?utf-8?B?@@@@?= <a@client.test>\nDate: Mon, 3 Feb 2020 10:00:00 +0100\nSubject: =?no-such-charset?Q?H=E4?= =?utf-8?Q?=FF=FE?= =?utf-8?B?8J+Yg?=\n\ntext\n")},
	{name: "two-thousand-fields", at: "otto", boxes: old, build: manyFields},
	{name: "twenty-thousand-recipients", at: "otto", boxes: old, build: manyRecipients},
	{name: "long-field", at: "otto", boxes: old, build: longField},

	// MIME.
	{name: "deep-multipart", at: "otto", boxes: old, build: deepMultipart},
	{name: "deep-rfc822", at: "otto", boxes: old, build: deepMessages},
	{name: "wide-multipart", at: "otto", boxes: old, build: wideMultipart},
	{name: "boundary-missing", at: "otto", boxes: old, build: raw("From: a@client.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--b\n\nno boundary was declared\n--b--\n")},
	{name: "boundary-unclosed", at: "otto", boxes: old, build: raw("From: a@client.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nit ends in the mid")},
	{name: "boundary-nested-equal", at: "otto", boxes: old, build: raw("From: a@client.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nwhose part is this?\n--b--\n--b--\n")},
	{name: "bad-base64", at: "otto", boxes: old, build: raw("From: a@client.test\nMIME-Version: 1.0\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQK!!!!\n=broken=\n*\n")},
	{name: "uuencoded", at: "otto", boxes: old, build: raw("From: a@client.test\nDate: Mon, 5 Feb 1996 10:00:00 +0100\nSubject: as one did it before MIME\n\nbegin 644 x.txt\n#0V%T\n`\nend\n")},
	{name: "winmail-dat", at: "otto", boxes: old, build: winmail},

	// In the destination's own mailboxes by name.
	{name: "in-sent-items", at: "otto", boxes: []string{"Sent Items"}, flags: model.Seen, build: usual("In a mailbox named as the destination's own")},
	{name: "in-deleted-items", at: "otto", boxes: []string{"Deleted Items"}, flags: model.Seen | model.Deleted, build: usual("Deleted, in Deleted Items")},

	// Flags.
	{name: "all-flags", at: "anna", flags: model.Seen | model.Answered | model.Flagged | model.Draft | model.Deleted, keywords: []string{"$Forwarded", "Wichtig"}, build: usual("Every flag")},
	{name: "deleted", at: "anna", flags: model.Deleted, build: usual("Marked as deleted, not expunged")},
	{name: "draft-outside-drafts", at: "anna", boxes: []string{"Archiv"}, flags: model.Draft, build: usual("Entwurf im Archiv")},

	// Copies.
	{name: "three-mailboxes", at: "julia", boxes: []string{"INBOX", "Копии", "Копии.Ещё раз"}, flags: model.Seen, shared: true, build: usual("Одно письмо в трёх папках")},
	{name: "exact-duplicate", at: "julia", boxes: []string{"Копии", "Копии", "Копии"}, flags: model.Seen, build: usual("Точная копия")},
	{name: "duplicate-message-id", at: "julia", boxes: []string{"Копии"}, build: raw("From: a@client.test\nMessage-ID: <same@client.test>\nSubject: first\n\nfirst\n")},
	{name: "duplicate-message-id", at: "julia", boxes: []string{"Копии"}, build: raw("From: b@client.test\nMessage-ID: <same@client.test>\nSubject: second\n\nsecond, with the same identity\n")},
	{name: "same-second-same-text", at: "julia", boxes: []string{"INBOX", "INBOX"}, received: "2021-05-05T05:05:05Z", build: raw("From: cron@acme.test\nSubject: Cron <root@mail> backup\n\nok\n")},

	// Dates.
	{name: "received-1971", at: "ivan", boxes: dates, received: "1971-01-01T00:00:00Z", build: dated("Fri, 1 Jan 1971 00:00:00 +0000")},
	{name: "received-1999", at: "ivan", boxes: dates, received: "1999-12-31T23:59:59Z", build: dated("31 Dec 99 23:59:59 GMT")},
	{name: "received-2000-leap", at: "ivan", boxes: dates, received: "2000-02-29T12:00:00Z", build: dated("Tue, 29 Feb 100 12:00:00 +0000")},
	{name: "received-2001-billion", at: "ivan", boxes: dates, received: "2001-09-09T01:46:40Z", build: dated("Sun, 9 Sep 2001 01:46:40 +0000")},
	{name: "received-2036", at: "ivan", boxes: dates, received: "2036-02-07T06:28:16Z", build: dated("Thu, 7 Feb 2036 06:28:16 +0000")},
	{name: "dst-gap", at: "ivan", boxes: dates, received: "2019-03-31T01:30:00Z", build: dated("Sun, 31 Mar 2019 02:30:00 +0100 (CET)")},
	{name: "dst-fold-first", at: "ivan", boxes: dates, received: "2019-10-27T00:30:00Z", build: dated("Sun, 27 Oct 2019 02:30:00 +0200")},
	{name: "dst-fold-second", at: "ivan", boxes: dates, received: "2019-10-27T01:30:00Z", build: dated("Sun, 27 Oct 2019 02:30:00 +0100")},
	{name: "leap-second", at: "ivan", boxes: dates, received: "2017-01-01T00:00:00Z", build: dated("Sat, 31 Dec 2016 23:59:60 +0000")},
	{name: "date-in-words", at: "ivan", boxes: dates, received: "2015-06-01T08:00:00Z", build: dated("Montag, 1. Juni 2015 10:00 Uhr")},
	{name: "date-impossible", at: "ivan", boxes: dates, received: "2015-06-02T08:00:00Z", build: dated("Tue, 31 Feb 2015 25:61:61 +9999")},
	{name: "date-1904", at: "ivan", boxes: dates, received: "2015-06-03T08:00:00Z", build: dated("Fri, 1 Jan 1904 00:00:00 +0000")},
}

var dates = []string{"Dates"}
