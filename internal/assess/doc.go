// Package assess sizes and examines accounts before anything moves: what is
// there, what a migration would meet, what has to be decided, and how long it
// will take. It is what an administrator shows around.
//
// It reads only: listings are streamed, some messages of each account are
// read completely, and nothing is written on either server or kept. It knows
// the seams and the rules of what is carried (translate, mailboxmap, sieve),
// and nothing of the engine or the ledger.
package assess
