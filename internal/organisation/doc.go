// Package organisation makes one organisation of what several sources tell: the
// accounts of the directory and the addresses of mail servers, databases and
// groups. It decides what every address is (an account's alias, a forward, a
// list, a catch-all), flattens lists within lists, and names what contradicts
// itself before anything is written.
//
//	build.go    the order of it all
//	domains.go  domains, and which are other names of others
//	people.go   accounts: what they are called before and after the rules
//	entries.go  entries of alias tables, and what becomes of each
//	checks.go   contradictions
//	flatten.go  where a message to an address ends up
//
// It does no I/O. It knows the model and directory.Addresses; it knows no
// source and no destination.
package organisation
