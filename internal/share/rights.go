package share

import (
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// loss is a right that does not arrive as it is.
type loss struct {
	rights model.Rights
	text   string
}

// losses of all translations, in the order in which they are told.
var (
	lookupOnly  = loss{model.RightLookup, "may see the mailbox but not read it: the destination shows it only to who may read"}
	seenOrWrite = loss{model.RightSeen | model.RightWrite, "may now set both \\Seen and other flags: one right at the destination"}
	halfRemove  = loss{model.RightDeleted | model.RightExpunge, "may no longer delete: the destination gives it only as a whole, marking and expunging"}
	posting     = loss{model.RightPost, "may send mail to the mailbox's own address: the destination has none; make it an alias or a group"}
	annotating  = loss{model.RightAnnotate, "may annotate messages: the destination has no annotations"}
)

// translate maps rights of RFC 4314 to those of RFC 8621, and says what is lost
// or gained on the way. Nobody gets more than asked for, but for \Seen and other
// flags, which are one right there.
func translate(r model.Rights) (to destination.Rights, lost []loss) {
	for _, m := range []struct {
		all model.Rights
		to  destination.Rights
	}{
		{model.RightLookup | model.RightRead, destination.MayRead},
		{model.RightSeen, destination.MaySetSeen | destination.MaySetKeywords},
		{model.RightWrite, destination.MaySetSeen | destination.MaySetKeywords},
		{model.RightInsert, destination.MayAdd},
		{model.RightDeleted | model.RightExpunge, destination.MayRemove},
		{model.RightCreate, destination.MayCreateChild},
		{model.RightDelete, destination.MayDelete | destination.MayRename},
		{model.RightAdminister, destination.MayShare},
	} {
		if r&m.all == m.all {
			to |= m.to
		}
	}
	if to&destination.MayRead == 0 && r&model.RightLookup != 0 {
		lost = append(lost, lookupOnly)
	}
	for _, half := range []loss{seenOrWrite, halfRemove} {
		if has := r & half.rights; has != 0 && has != half.rights {
			lost = append(lost, half)
		}
	}
	for _, none := range []loss{posting, annotating} {
		if r&none.rights != 0 {
			lost = append(lost, none)
		}
	}
	return to, lost
}
