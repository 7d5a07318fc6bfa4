package report

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/plural"
)

// AssessTable writes one row per account, the sum, and what was found how
// often.
func AssessTable(w io.Writer, a assess.Assessment) error {
	t := newTable("account", ">mailboxes", ">messages", ">size", ">largest", "oldest", "newest", ">scripts", ">anomalies", "password", "risk")
	for _, acc := range a.Accounts {
		if acc.Err != nil || acc.Error != "" {
			t.row(acc.Login, "?", "?", "?", "", "", "", "", "", string(acc.Password), "failed: "+acc.Error)
			continue
		}
		t.row(acc.Login, count(acc.Mailboxes), count(acc.Messages), size(acc.Octets), size(acc.Largest.Octets), day(acc.Oldest), day(acc.Newest),
			some(acc.Scripts), some(anomalies(acc)), string(acc.Password), string(acc.Risk))
	}
	t.rule()
	t.row(plural.Count(len(a.Accounts), "account"), count(a.Total.Mailboxes), count(a.Total.Messages), size(a.Total.Octets), "", "", "",
		some(a.Total.Scripts), "", "", "")
	if err := t.write(w); err != nil {
		return err
	}
	if o := a.Total.Objects; o.Any() {
		if _, err := fmt.Fprintf(w, "\ncalendars %s (events %s, of them series %s with %s changed instances; tasks %s, journals %s), address books %s (contacts %s, groups %s), folders %s (files %s), together %s\n",
			count(o.Calendars), count(o.Events), count(o.Series), count(o.Exceptions), count(o.Tasks), count(o.Journals), count(o.AddressBooks), count(o.Contacts), count(o.Groups),
			count(o.Folders), count(o.Files), size(o.Octets)); err != nil {
			return err
		}
		if o.Subscriptions > 0 {
			if _, err := fmt.Fprintf(w, "subscriptions to calendars elsewhere %s: not copied, each is named in the report\n", count(o.Subscriptions)); err != nil {
				return err
			}
		}
	}
	if len(a.Total.Anomalies) > 0 {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		f := newTable("found", ">times", "meaning")
		for _, code := range slices.SortedFunc(maps.Keys(a.Total.Anomalies), func(x, y string) int {
			return int(a.Total.Anomalies[y] - a.Total.Anomalies[x])
		}) {
			f.row(code, count(a.Total.Anomalies[code]), meaning[code])
		}
		if err := f.write(w); err != nil {
			return err
		}
	}
	for _, warning := range a.Warnings {
		if _, err := fmt.Fprintf(w, "\nwarning: %s\n", warning); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", Prediction(a))
	return err
}

// meaning explains the codes of anomalies.
var meaning = map[string]string{
	"mailboxName":       "the mailbox gets another name",
	"mailboxCount":      "more mailboxes than the destination allows",
	"keyword":           "the keyword is spelled otherwise",
	"keywordFlood":      "more keywords than the destination shows; the rest is lost",
	"deletedMark":       "marked deleted, not expunged; carried without the mark",
	"date":              "an impossible date of receipt",
	"datesLost":         "the mailbox was restored without dates",
	"tooLarge":          "larger than the destination accepts; stays behind",
	"unreadable":        "cannot be read; stays behind",
	"empty":             "an empty message",
	"noHeader":          "no header field; stored behind an added Date field",
	"noBody":            "no body; carried as it is",
	"nul":               "NUL octets; carried as they are from disk",
	"bareLF":            "lines without CR; carried as they are",
	"eightBit":          "8-bit text in the header; carried as it is",
	"script":            "a rule in a Sieve script that has no equivalent; it becomes a comment",
	"scriptChanged":     "a Sieve script is rewritten to do the same at the destination",
	"scriptsUnreadable": "Sieve scripts could not be read",
	"overQuota":         "larger than its quota",
	"noAddress":         "no address at the destination; the account stays behind",
	"oddHeader":         "no field that mail servers know; stored behind an added Date field if refused",
	"brokenHeader":      "a line in the header that is no field; carried as it is",
	"fromLine":          "begins with the envelope line of an mbox; carried as it is",
	"copies":            "messages that the account holds more than once; all are carried",
	"scriptRenamed":     "a Sieve script whose name the destination keeps for itself",
	"destination":       "the destination did not tell about the account",
	"rightsUnreadable":  "who may use the mailbox cannot be read",
	"examination":       "the account could not be examined",
	"password":          "the password's hash cannot be carried",
	"crossing":          "who shares mailboxes moves at different times",
	"objectsUnreadable": "a calendar, contact or file cannot be read; stays behind",
	"objectTooLarge":    "an event or card larger than the destination takes; stays behind",
	"objectUID":         "an event or card without a UID, or with that of another; it gets one",
	"objectCharset":     "an event or card that is not in UTF-8; it is converted",
	"objectRepaired":    "an event or card that is repaired to be taken",
	"objectDoubtful":    "a date, rule or time zone of an event that no program, or not each, reads as it was meant; it is carried as it is",
	"severalUIDs":       "several events or cards in one; each becomes one of its own",
	"vcard21":           "a card of version 2.1; it becomes one of version 3.0",
	"unknownZone":       "a time zone that is known by its definition alone; it is carried with that",
	"groupObjects":      "a calendar or address book of a group for which no account stands; stays behind",
	"noHome":            "no calendars, address books or files are found; right where there are none",
	"slowObjects":       "a server that takes long to list and give what it has",
	"subscription":      "a subscribed calendar; its address is told, its events are not copied",
	"sharedObjects":     "a calendar, address book or folder of somebody else; it moves with its owner, who must be an account of the organisation",
	"room":              "a limit of the destination is too low",
}

func anomalies(a assess.Account) (n int64) {
	for _, an := range a.Anomalies {
		n += an.Count
	}
	return n
}

// Prediction says how long the bulk load will take, and on what grounds.
func Prediction(a assess.Assessment) string {
	d := a.Duration
	s := fmt.Sprintf("Predicted bulk load: %s, bound by the %s.", span(d.Estimate), d.Bottleneck)
	if d.MessagesPerSecond > 0 {
		s += fmt.Sprintf(" Measured at the source: %.0f messages/s and %s/s for one account, %s at once.", d.MessagesPerSecond, size(int64(d.OctetsPerSecond)), plural.Count(a.Parallel, "account"))
	}
	objects := ""
	if a.Total.Objects.Any() {
		objects = fmt.Sprintf("; %d events, contacts or files/s", assess.AssumedObjects)
	}
	return s + fmt.Sprintf(" Assumed at the destination: %d messages/s and %s/s%s.", assess.AssumedMessages, size(assess.AssumedOctets), objects)
}

// AssessCSV writes one row per account.
func AssessCSV(w io.Writer, a assess.Assessment) error {
	s := newSheet(w, "account", "address", "name", "mailboxes", "messages", "octets", "largest_octets", "largest_mailbox", "oldest", "newest",
		"scripts", "keywords", "anomalies", "password", "wave", "depth", "readers",
		"calendars", "events", "tasks", "address_books", "contacts", "groups", "folders", "files", "object_octets", "risk", "error")
	for _, acc := range a.Accounts {
		s.row(acc.Login, acc.Address, acc.Name, acc.Mailboxes, acc.Messages, acc.Octets, acc.Largest.Octets, acc.Largest.Mailbox, acc.Oldest,
			acc.Newest, acc.Scripts, acc.Keywords, anomalies(acc), string(acc.Password), acc.Wave, acc.Depth, acc.Readers,
			acc.Objects.Calendars, acc.Objects.Events, acc.Objects.Tasks+acc.Objects.Journals, acc.Objects.AddressBooks, acc.Objects.Contacts, acc.Objects.Groups,
			acc.Objects.Folders, acc.Objects.Files, acc.Objects.Octets, string(acc.Risk), acc.Error)
	}
	return s.flush()
}
