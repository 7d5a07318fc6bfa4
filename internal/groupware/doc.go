// Package groupware makes the calendars, address books and files of an account
// converge to its source.
//
// It compares three states of every object: the source now, the destination
// now, and the last common state in the ledger (plan.go says what follows from
// them), and does what is missing:
//
//	survey       what collections the source has (run.go)
//	settle       what an earlier run was about to write is looked up (settle.go)
//	collections  mapped, created, renamed, recoloured, property by property (collections.go)
//	list         what the source holds now goes into the ledger (list.go)
//	write        read → prepare → match moves → intent → effect → confirm (read.go, prepare.go, write.go, create.go, update.go)
//	remove       what the source deleted, within a safety share (remove.go)
//
// Objects are compared by digests of their meaning, which packages icalendar
// and vcard make of a text; files by hash. Every write is conditional: a new
// object must not be there, a changed or deleted one must be in the version
// that was last common. Sent twice, it has the effect of once; what a user
// changed meanwhile stays and is reported.
//
// The package knows sources and destinations only by their interfaces. One
// collection's rows are held in memory at a time.
package groupware
