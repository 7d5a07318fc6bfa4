// Package engine makes a destination converge to a source.
//
// A run compares three states of every item: the source now, the
// destination now, and the last common state in the ledger; it does what is
// missing. The first bulk load, the run after a crash and the last delta are
// the same code:
//
//	survey     one listing of mailboxes; an account without changes is done (survey.go)
//	settle     ask the destination about imports whose outcome is unknown (settle.go)
//	mailboxes  mailboxes are mapped, created and renamed (mailboxes.go)
//	finish     moves, deletions and flags that an earlier run left half done (finish.go)
//	list       what the source holds now goes into the ledger (list.go)
//	match      what vanished here and appeared there was moved (match.go)
//	load       read → batch → upload → intent → import → confirm (load.go, imports.go)
//	flags      changed flags are written, property by property (flags.go)
//	delete     what the source deleted, within a safety share (delete.go)
//	scripts    Sieve (scripts.go)
//	objects    calendars, address books and files (objects.go, package groupware)
//
// The engine knows sources and destinations only by their interfaces, and
// everything that must survive is in the ledger before its effect is asked
// for. It keeps nothing in memory that grows with a mailbox.
package engine
