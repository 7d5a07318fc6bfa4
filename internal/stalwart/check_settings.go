package stalwart

import (
	"context"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// few is the number of mailboxes an account below which a limit is worth a
// warning: it is the server's default, and people who file by project or
// customer exceed it.
const few = 250

// shortLife is how long an uploaded message should live at least before it is
// imported: batches wait for one another, and for a server that was restarted.
const shortLife = 10 * time.Minute

const fix = "`mailhaul check --fix` changes it for the migration, `--restore` puts it back: "

// retention is how long the server keeps what its users threw away.
type retention struct{ ExpungeTrashAfter *int64 } // milliseconds

// findings warn of what would be deleted.
func (r retention) findings() []model.Finding {
	if r.ExpungeTrashAfter == nil || *r.ExpungeTrashAfter <= 0 {
		return nil
	}
	return []model.Finding{finding(model.LevelWarning, "expungeTrashAfter", fix+"set x:DataRetention expungeTrashAfter to null for the migration and the weeks after it",
		"mail in Trash and Junk is deleted %s after it is imported, however old it is", days(*r.ExpungeTrashAfter))}
}

// checkSettings looks at settings whose defaults hurt a migration.
func (d *Destination) checkSettings(ctx context.Context) []model.Finding {
	var out []model.Finding
	var hidden []string
	say := func(level model.Level, subject, remedy, format string, v ...any) {
		out = append(out, finding(level, subject, remedy, format, v...))
	}
	read := func(object string, v any) bool {
		err := d.singleton(ctx, object, v)
		if err != nil {
			hidden = append(hidden, object)
		}
		return err == nil
	}
	var keeps retention
	if read("x:DataRetention", &keeps) {
		if bites := keeps.findings(); len(bites) > 0 {
			out = append(out, bites...)
		} else {
			say(model.LevelOK, "expungeTrashAfter", "", "mail in Trash and Junk is kept")
		}
	}
	var mail struct {
		MaxMailboxes    *int
		EncryptOnAppend bool
	}
	if read("x:Email", &mail) {
		if n := mail.MaxMailboxes; n != nil && *n > 0 {
			level, remedy := model.LevelOK, ""
			if *n <= few {
				level, remedy = model.LevelWarning, fix+"raise x:Email maxMailboxes above the largest account's number of folders (see `mailhaul assess`)"
			}
			say(level, "maxMailboxes", remedy, "%s an account", plural.Count(*n, "mailbox"))
		}
		if mail.EncryptOnAppend {
			say(model.LevelWarning, "encryptOnAppend", fix+"switch off x:Email encryptOnAppend",
				"imported mail of users with a key is encrypted: it cannot be verified by its hash")
		}
	}
	var spam struct {
		Model struct {
			Type string `json:"@type"`
		}
	}
	if read("x:SpamClassifier", &spam) {
		if spam.Model.Type != "Disabled" {
			say(model.LevelWarning, "spam classifier", fix+`set x:SpamClassifier model to {"@type":"Disabled"}`,
				"what is imported or moved into Junk, or is marked $junk or $notjunk, trains the classifier and is kept as a sample")
		} else {
			say(model.LevelOK, "spam classifier", "", "does not train on imported mail")
		}
	}
	var jmap struct{ UploadTTL *int64 } // milliseconds
	if read("x:Jmap", &jmap) && jmap.UploadTTL != nil {
		if life := time.Duration(*jmap.UploadTTL) * time.Millisecond; life < shortLife {
			say(model.LevelWarning, "uploadTtl", fix+"raise x:Jmap uploadTtl to an hour",
				"an uploaded message that is not imported within %s expires and is uploaded again", life)
		} else {
			say(model.LevelOK, "uploadTtl", "", "uploaded messages live %s until they are imported", life)
		}
	}
	var index struct{ IndexEmail, IndexCalendar, IndexContacts *bool }
	if read(search, &index) {
		off := func(b *bool) bool { return b != nil && !*b }
		if off(index.IndexEmail) || off(index.IndexCalendar) || off(index.IndexContacts) {
			say(model.LevelWarning, "search", "before people work there, `mailhaul check --restore` if it was `check --fix --defer-index`; else switch x:Search indexEmail, indexCalendar and indexContacts on and give the server an x:Task StoreMaintenance with reindexAccounts",
				"the index for search is off: nobody's search finds what was moved, or what arrives")
		} else {
			say(model.LevelOK, "search", "", "what is moved is indexed")
		}
	}
	out = append(out, d.checkCalendars(ctx, read)...)
	if len(hidden) > 0 {
		say(model.LevelWarning, "settings", "run the check as an administrator, or look at them in the server's settings",
			"the login may not read %s: whether Trash is emptied, mailboxes are limited or Junk trains the spam filter is not known", strings.Join(hidden, ", "))
	}
	return out
}

func days(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	if d < 24*time.Hour {
		return d.String()
	}
	return plural.Count(int64(d/(24*time.Hour)), "day")
}
