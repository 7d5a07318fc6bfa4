// Package postfix tells who receives what at a Postfix: its domains, what its
// alias tables lead to, which addresses have mailboxes, and what it hands to
// programs or other hosts.
//
//	settings.go   main.cf, or what "postconf -n" prints, with $names and defaults
//	services.go   master.cf: the programs that mail can be piped into
//	domains.go    the classes of domains (postfix.org, ADDRESS_CLASS_README)
//	virtual.go    virtual_alias_maps (virtual(5)), listed and normalised
//	local.go      alias_maps (aliases(5)): lists, files, programs, includes
//	rewriting.go  what else changes or copies addresses: canonical, bcc, relocated …
//	read.go       all of it together, as directory.Addresses
//
// It knows Postfix's configuration and its tables (package table). It reads
// only: no lock, no table compiled, no mail sent. It knows nothing of accounts
// but what the tables say, and nothing of destinations.
package postfix
