// Package share carries who may use whose mailboxes: access control lists of
// the source become shares at the destination.
//
// It runs after the mail, because both sides of a share must be there: an owner
// or a reader who has not arrived yet is waited for, and named. What was shared
// is compared in three ways, as everything else: the list at the source, the
// shares at the destination, and what was last written, in the ledger. A share
// that an owner changed at the destination stays. Afterwards every reader's own
// view is asked for, as that reader.
//
// It knows sources and destinations by their interfaces, and moves no mail.
package share
